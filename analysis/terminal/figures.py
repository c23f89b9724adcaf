"""``mscpool figures``: draw the publication set from a stored fit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...data.errors import InputError
from ...data.names import numbered
from . import console
from .exits import DONE
from .options import FolderArgument, JsonOption, PathArgument, SheetOption
from .results_folder import stored_fit, writing_to

if TYPE_CHECKING:
    from xarray import DataTree


def figures(
    folder: FolderArgument = Path("results"),
    path: PathArgument = None,
    sheet: SheetOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to write to; DIR/figures if left out."),
    ] = None,
    preset: Annotated[
        str, typer.Option(metavar="PAGE", help="single or double column, or slide.")
    ] = "double",
    as_json: JsonOption = False,
) -> int:
    """Draw the publication set from a stored fit.

    Writes each figure as PDF, SVG, PNG and TIFF with its data and caption. PATH is the data of the
    fit, where they are not the shipped ones.
    """
    from ..paper.frames.next_patients import next_patients_of
    from ..paper.frames.results import Results
    from ..paper.publish.publish import missing_letters, publish
    from ..paper.report.findings import kept_check
    from ..paper.report.fits import kept_poolings
    from ..sensitivity.store import load_borrowing, load_comparison

    made, evidence = stored_fit(folder, path, sheet)
    if evidence is None:
        raise InputError(
            f"{folder}: holds a fit of other data than the shipped: name its data after the folder"
        )
    place = folder / "figures" if out is None else out
    checked, poolings = kept_check(folder, made), kept_poolings(folder, made)
    found = {
        "comparison": load_comparison(folder, made),
        "borrowed": load_borrowing(folder, made),
    }
    console.say(*_not_drawn(made, folder, path, len(poolings), **found))
    console.say(*missing_letters(evidence))
    with writing_to(place), console.progress_display() as progress:
        asked = next_patients_of(made, checked, progress)
        progress("drawing", 0, 0)
        results = Results(made, evidence, checked, poolings, **found, next_patients=asked)
        files = publish(results, place, preset=preset)
    if as_json:
        console.print_json({"verdict": checked.stated, "files": files})
    else:
        print(
            console.printable(
                f"{numbered(len(files), 'file')} in {place} (guard: {checked.verdict})"
            )
        )
    return DONE


def _not_drawn(
    made: DataTree, folder: Path, path: Path | None, poolings: int, comparison: Any, borrowed: Any
) -> list[str]:
    """Say which figures have nothing to show, and what makes it."""
    from ..fitting.fit import run_config

    config = run_config(made)
    several = len(config["diseases"]) > 1
    lacking = ["prior comparison, flip map and power-scaling"] if comparison is None else []
    lacking += ["borrowing"] if borrowed is None and several and config["engine"] == "nuts" else []
    asked = [] if path is None else [str(path)]
    for name, usual in (("pooling", "partial"), ("engine", "nuts")):
        asked += [] if config[name] == usual else [f"--{name}", config[name]]
    told = []
    for missing, command in (
        (lacking, "priors"),
        (["comparison of poolings"] if several and poolings < 2 else [], "report"),
    ):
        typed = shlex.join(["mscpool", command, *asked, "--out", str(folder)])
        told += [f"not drawn: {', '.join(missing)}; '{typed}' finds it"] if missing else []
    return told
