"""``mscpool check``: run the guard on a stored fit."""

from __future__ import annotations

from pathlib import Path

from . import console
from .exits import status_of
from .options import FolderArgument, JsonOption, PathArgument, SheetOption
from .results_folder import stored_fit, writing_to


def check(
    folder: FolderArgument = Path("results"),
    path: PathArgument = None,
    sheet: SheetOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run the guard on a stored fit.

    Writes check.json into DIR. PATH is the data of the fit, where they are not the shipped ones.
    """
    from ..paper.report.findings import findings_of, write_check

    made, evidence = stored_fit(folder, path, sheet)
    with writing_to(folder), console.progress_display() as progress:
        checked = findings_of(made, evidence, folder, True, progress)
        write_check(checked, folder)
    if as_json:
        console.print_json(checked.to_dict())
    else:
        from .printing import print_checks, print_verdict

        print_checks(checked)
        print_verdict(checked)
    return status_of(checked)
