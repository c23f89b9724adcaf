"""``mscpool explore``: open the local page."""

from __future__ import annotations

from typing import Annotated

import typer

from . import console
from .exits import DONE
from .interrupts import leave
from .options import PathArgument, SheetOption


def explore(
    path: PathArgument = None,
    sheet: SheetOption = None,
    state: Annotated[
        str,
        typer.Option(metavar="QUERY", help="The query of a page's address, to be shown first."),
    ] = "",
    port: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help="Port on this machine; the next one that is free where it is taken.",
        ),
    ] = 8321,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and open no browser.")
    ] = False,
) -> int:
    """Open a page in the browser where priors, evidence and designs are moved and answered at once.

    It is served to this machine only, until Ctrl-C.
    """
    from ...data.evidence import load_evidence
    from ..explore.server import serve

    evidence = load_evidence(path, sheet=sheet)
    console.say(*evidence.messages)
    serve(evidence, "" if path is None else str(path), state, port, not no_browser, console.say)
    leave(DONE)  # a thread may still compute what nobody sees any more
