"""What a figure is drawn from, as users hand it over: checked, and gathered for the drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ....data.errors import InputError
from ....data.evidence import Evidence, as_evidence, load_evidence
from ....data.mistakes import one_of, shown
from ...effects import effects as effects_room
from ...effects import results
from ...fitting.data_of_fit import evidence_or_rows
from ...fitting.store import as_fit, check_same_data, run_config
from ...fitting.tree import rows_of
from ...guard.result import UNCHECKED, CheckResult
from ...sensitivity.borrowing import Borrowing
from ...sensitivity.result import PriorComparison
from ...trial.result import DesignResult
from ..frames.effect_results import EffectResults
from ..frames.results import Results
from ..publish.publish import style_of
from ..publish.rendering import draw
from ..words.exhibit import FigureKind

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import DataTree

Source = Evidence | str | Path | pd.DataFrame


def figure(kind: FigureKind, results: Results, preset: str, **wanted: str | None) -> Figure:
    """Draw the first figure of a kind that shows what is wanted, by column of its frame."""
    seen: dict[str, list[str]] = {column: [] for column in wanted}
    for part, frame in kind.frames(results):
        if frame.empty:
            continue
        values = {column: list(dict.fromkeys(frame[column].astype(str))) for column in wanted}
        if all(value in (None, *values[column]) for column, value in wanted.items()):
            return draw(kind.exhibit(part, frame, results), style_of(results, preset))
        for column, known in values.items():
            seen[column] += known
    for column, value in wanted.items():
        if value is not None and seen[column]:
            one_of(value, dict.fromkeys(seen[column]), column)
    raise InputError(f"{kind.name}: nothing to draw in what was given")


def of_evidence(evidence: Source | None) -> Results:
    """Gather an evidence without a fit; the shipped one if none is given."""
    import xarray as xr

    given = load_evidence() if evidence is None else as_evidence(evidence)
    return Results(xr.DataTree(), given)


def of_fit(
    fit: DataTree | str | Path,
    evidence: Source | None,
    checked: CheckResult | None,
    borrowed: Borrowing | None = None,
    comparison: PriorComparison | None = None,
    next_patients: DesignResult | None = None,
) -> Results:
    """Gather a fit, its data, and what was found of it."""
    made = as_fit(fit)
    return Results(
        made,
        evidence_or_rows(made, evidence, rows_of),
        UNCHECKED if checked is None else of_kind(checked, CheckResult, "checked"),
        comparison=comparison,
        borrowed=borrowed,
        next_patients=next_patients,
    )


def of_comparison(
    fit: DataTree | str | Path,
    comparison: PriorComparison,
    evidence: Source | None,
    checked: CheckResult | None,
) -> Results:
    """Gather a fit and a comparison of priors of the same data."""
    given = of_kind(comparison, PriorComparison, "comparison")
    results = of_fit(fit, evidence, checked, comparison=given)
    if given.run.get("data_sha256") != results.config["data_sha256"]:
        raise InputError("the comparison is of other data than the fit: compare the fit's own data")
    return results


def of_poolings(
    fits: Mapping[str, DataTree] | Sequence[DataTree],
    evidence: Source | None,
    checked: CheckResult | None,
) -> Results:
    """Gather fits of one evidence under several poolings; the last is what was checked."""
    given = list(fits.values()) if isinstance(fits, Mapping) else list(fits)
    made = {run_config(each)["pooling"]: each for each in map(as_fit, given)}
    if len(made) < max(2, len(given)):
        raise InputError("fits must be two or more, each with another pooling")
    results = of_fit(given[-1], evidence, checked)
    check_same_data(results.evidence, list(made.values()))
    return Results(results.fit, results.evidence, results.checked, made)


def of_effects(effects: DataTree | str | Path, evidence: Source | None) -> Results:
    """Gather effects with what the guard says of them."""
    made = results.as_effects(effects)
    given = evidence_or_rows(made, evidence, results.compared_arms)
    return EffectResults(made, given, effects_room.checked(made))


def of_kind[Given](value: Given, kind: type[Given], name: str) -> Given:
    """Refuse what is not of a kind, such as results in the wrong order."""
    if not isinstance(value, kind):
        raise InputError(f"{name} must be a {kind.__name__}, not {shown(value)}")
    return value
