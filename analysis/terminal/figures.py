"""``mscpool figures``: draw the publication set from a stored fit."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...data.errors import InputError
from ...data.folders import writing_to
from ...data.names import numbered
from . import console
from .exits import DONE
from .options import FolderArgument, JsonOption, PathArgument, SheetOption
from .results_folder import stored_effects, stored_fit

if TYPE_CHECKING:
    from ..guard.result import CheckResult
    from ..paper.frames.results import Results


def figures(
    folder: FolderArgument = Path("results"),
    path: PathArgument = None,
    sheet: SheetOption = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to write to; DIR/figures if left out."),
    ] = None,
    preset: Annotated[
        str,
        typer.Option(
            metavar="PAGE",
            help="The page: single, double or slide; or single-dark, double-dark, slide-dark.",
        ),
    ] = "double",
    effects: Annotated[
        bool, typer.Option("--effects", help="The stored effects, not the stored fit of rates.")
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Draw the publication set from a stored fit.

    Writes each figure as PDF, SVG, PNG and TIFF with its data and caption. PATH is the data of the
    fit, where they are not the shipped ones. With --effects forests, L'Abbé plots and what else
    shows of treated against control.
    """
    if effects:
        return _draw_effects(folder, path, sheet, out, preset, as_json)
    from ..paper.publish.publish import FORMATS, missing_letters
    from ..paper.report.figure_set import results_beside, write_figure_set

    made, evidence = stored_fit(folder, path, sheet)
    if evidence is None:
        raise InputError(
            f"{folder}: holds a fit of other data than the shipped: name its data after the folder"
        )
    place = folder / "figures" if out is None else out
    results = results_beside(made, evidence, folder)
    console.say(*_not_drawn(results, folder, path))
    console.say(*missing_letters(evidence))
    with writing_to(place), console.progress_display() as progress:
        files = write_figure_set(results, place, preset, FORMATS, progress)
    _tell(files, place, results.checked, as_json)
    return DONE


def _draw_effects(
    folder: Path, path: Path | None, sheet: str | None, out: Path | None, preset: str, as_json: bool
) -> int:
    """Draw stored effects into DIR/figures_effects, or where it is asked."""
    from ..effects.effects import checked as check_of
    from ..paper.publish.publish import FORMATS, missing_letters
    from ..paper.report.figure_set import write_effect_figures

    made, evidence = stored_effects(folder, path, sheet)
    place, checked = folder / "figures_effects" if out is None else out, check_of(made)
    console.say(*missing_letters(evidence))
    with writing_to(place), console.progress_display() as progress:
        files = write_effect_figures(made, evidence, place, preset, FORMATS, progress)
    _tell(files, place, checked, as_json)
    return DONE


def _tell(files: list[Path], place: Path, checked: CheckResult, as_json: bool) -> None:
    """Say what was written."""
    if as_json:
        console.print_json({"verdict": checked.stated, "files": files})
    else:
        count = numbered(len(files), "file")
        print(console.printable(f"{count} in {place} (guard: {checked.verdict})"))


def _not_drawn(results: Results, folder: Path, path: Path | None) -> list[str]:
    """Say which figures have nothing to show, and what makes it."""
    config, poolings = results.config, len(results.poolings)
    comparison, borrowed = results.comparison, results.borrowed
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
