"""``mscpool check``: run the guard on a stored fit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.folders import writing_to
from . import console
from .exits import status_of
from .options import FolderArgument, JsonOption, PathArgument, SheetOption
from .results_folder import stored_effects, stored_fit

if TYPE_CHECKING:
    from ..guard.result import CheckResult


def check(
    folder: FolderArgument = Path("results"),
    path: PathArgument = None,
    sheet: SheetOption = None,
    effects: Annotated[
        bool, typer.Option("--effects", help="The stored effects, not the stored fit of rates.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Run the guard on a stored fit.

    Writes check.json into DIR, of effects effects_check.json. PATH is the data of the fit, where
    they are not the shipped ones.
    """
    checked = (_check_effects if effects else _check_fit)(folder, path, sheet)
    if as_json:
        console.print_json(checked.to_dict())
    else:
        from .printing import print_checks, print_verdict

        print_checks(checked)
        print_verdict(checked)
    return status_of(checked)


def _check_fit(folder: Path, path: Path | None, sheet: str | None) -> CheckResult:
    from ..paper.report.findings import findings_of, write_check

    made, evidence = stored_fit(folder, path, sheet)
    with writing_to(folder), console.progress_display() as progress:
        checked = findings_of(made, evidence, folder, True, progress)
        write_check(checked, folder)
    return checked


def _check_effects(folder: Path, path: Path | None, sheet: str | None) -> CheckResult:
    from ..effects.effects import check_again
    from ..paper.report.findings import EFFECTS_CHECK_FILE, write_check

    made, evidence = stored_effects(folder, path, sheet)
    with writing_to(folder):
        checked = check_again(made, evidence)
        write_check(checked, folder, EFFECTS_CHECK_FILE)
    return checked
