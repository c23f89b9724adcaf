"""The figure set of a fit, stored or at hand, with all that was found of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xarray import DataTree

from ....data.folders import writing_to
from ...effects.effects import checked as checked_effects
from ...effects.results import compared_arms
from ...fitting.data_of_fit import evidence_or_rows
from ...fitting.progress import Progress, silent
from ...fitting.store import as_fit, file_of
from ...fitting.summary import with_shown
from ...fitting.tree import rows_of
from ...sensitivity.store import load_borrowing, load_comparison
from ..frames.effect_results import EffectResults
from ..frames.next_patients import next_patients_of
from ..frames.results import Results
from ..publish.publish import FORMATS
from ..publish.publish import publish as write_set
from .findings import kept_check
from .fits import kept_poolings

if TYPE_CHECKING:
    import pandas as pd

    from ....data.evidence import Evidence
    from ...guard.result import CheckResult
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison


def publish(
    fit: DataTree | str | Path = "results",
    out: str | Path | None = None,
    *,
    evidence: Evidence | str | Path | pd.DataFrame | None = None,
    checked: CheckResult | None = None,
    comparison: PriorComparison | None = None,
    borrowed: Borrowing | None = None,
    preset: str = "double",
    formats: Sequence[str] = FORMATS,
    progress: Progress | None = None,
) -> list[Path]:
    """Write the figure set of a fit, with data, captions, tables and a checklist.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit; of that also what is kept beside it
        is shown. Or what `effects` gives: their figures are written.
    out : str or Path, optional
        Folder to write to: ``figures``, of a stored fit that in its folder; of effects
        ``figures_effects``.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    checked : CheckResult, optional
        What `check` says of the fit, where that is not kept beside it.
    comparison : PriorComparison, optional
        What `compare_priors` gives, likewise.
    borrowed : Borrowing, optional
        What `borrowing` gives, likewise.
    preset : {"single", "double", "slide"}
        The page.
    formats : sequence of {"pdf", "svg", "png", "tiff"}
        What to write.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    list of Path
        The files written, each whole.

    Raises
    ------
    InputError
        No fit, one of other data, an unknown preset or format, or a folder that cannot be used.
    """
    if isinstance(fit, DataTree) and "effects" in fit.children:
        place = Path("figures_effects" if out is None else out)
        with writing_to(place):
            given = evidence_or_rows(fit, evidence, compared_arms)
            return write_effect_figures(fit, given, place, preset, formats, progress or silent)
    made = as_fit(fit)
    given = evidence_or_rows(made, evidence, rows_of)
    if isinstance(fit, str | Path):
        folder = file_of(fit).parent
        results, place = results_beside(made, given, folder), folder / "figures"
    else:
        results, place = Results(with_shown(made), given), Path("figures")
    found = {"checked": checked, "comparison": comparison, "borrowed": borrowed}
    results = replace(results, **{name: each for name, each in found.items() if each is not None})
    place = place if out is None else Path(out)
    with writing_to(place):
        return write_figure_set(results, place, preset, formats, progress or silent)


def write_effect_figures(
    effects: DataTree,
    evidence: Evidence,
    place: Path,
    preset: str,
    formats: Sequence[str],
    progress: Progress,
) -> list[Path]:
    """Write the figures of effects, without tables and checklist."""
    progress("drawing", 0, 0)
    results = EffectResults(effects, evidence, checked_effects(effects))
    return write_set(results, place, formats, preset, "controlled")


def results_beside(fit: DataTree, evidence: Evidence, folder: Path) -> Results:
    """Gather a stored fit with all that is kept beside it.

    Parameters
    ----------
    fit : xarray.DataTree
        The fit.
    evidence : Evidence
        What was fitted.
    folder : Path
        Where it is stored.

    Returns
    -------
    Results
        What was found of other fits is left out.
    """
    return Results(
        with_shown(fit),
        evidence,
        kept_check(folder, fit),
        kept_poolings(folder, fit),
        comparison=load_comparison(folder, fit),
        borrowed=load_borrowing(folder, fit),
    )


def write_figure_set(
    results: Results, place: Path, preset: str, formats: Sequence[str], progress: Progress
) -> list[Path]:
    """Ask of a fit where the next patients would teach most, and write its figure set."""
    asked = next_patients_of(results.fit, results.checked, progress)
    progress("drawing", 0, 0)
    return write_set(replace(results, next_patients=asked), place, formats, preset)
