"""The command line.

Each command has a file of its own: it reads a request, calls the rooms below, and says what came of
it. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import warnings
from importlib import metadata
from typing import Annotated

import typer

from ...data.about import shipped_about
from . import console
from .calibrate import calibrate
from .check import check
from .design import design_app
from .effects import effects
from .exits import Commands
from .explore import explore
from .figures import figures
from .fit import fit
from .interrupts import Interrupted, leave, watch
from .priors import priors
from .report import report
from .template import template
from .validate import validate

app = typer.Typer(
    cls=Commands,
    help=f"{shipped_about().title}: one pooled model, checked before it is believed.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"mscpool {metadata.version('mscpool')}")
        raise typer.Exit()


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", is_eager=True, callback=_version),
    ] = False,
) -> None:
    """Take what is asked of no command: ``--version`` is answered before this runs."""


for command in (
    template,
    validate,
    fit,
    effects,
    check,
    priors,
    figures,
    report,
    calibrate,
    explore,
):
    app.command()(command)
app.add_typer(design_app(), name="design")


def main() -> None:
    """Run the command line."""
    warnings.showwarning = lambda message, *_, **__: console.say(f"warning: {message}")
    watch.install()
    try:
        app()
    except Interrupted as early:  # before a command began
        leave(early.exit_status)
    except SystemExit as ended:
        if watch.received:
            leave(ended.code)
        raise
