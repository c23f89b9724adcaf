"""Reading means.csv: scores before and after treatment, turned into bounded counts."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from .cells import Problem, Row, Table, forget_cells, missing_columns
from .entries import ARMS, OUTCOME_FIELDS, Entry
from .means import DIRECTIONS, KINDS, MODELLED, Means, responders
from .outcomes import OUTCOMES, outcome
from .problems import check_against_study, check_means

MEANS_COLUMNS = (
    "study_id",
    "arm",
    "outcome",
    "measure",
    "months",
    "n",
    "kind",
    "baseline_mean",
    "baseline_sd",
    "mean",
    "sd",
    "direction",
    "threshold_min",
    "threshold_max",
    "percent",
    "locator",
    "primary",
)

_SCORES = (
    "kind",
    "mean",
    "sd",
    "direction",
    "threshold_min",
    "threshold_max",
    "percent",
    "baseline_mean",
    "baseline_sd",
)
#: What the frame of means has: the fields of a row of counts, and what its bounds come from.
MEANS_FIELDS = (*OUTCOME_FIELDS, "measure", *_SCORES)


def read_means(
    table: Table, studies: dict[str, dict[str, Any]] | None, problems: list[Problem]
) -> list[tuple[Any, ...]]:
    """Read means.csv, check its rows, and bound the patients behind each; by `MEANS_FIELDS`."""
    missing = missing_columns(table, MEANS_COLUMNS, problems)
    known = tuple(studies) if studies is not None else None
    entries: list[Entry] = []
    scores: list[tuple[Any, ...]] = []
    for row in table.rows:
        study = row.name("study_id") if known is None else row.one_of("study_id", known)
        about = (studies or {}).get(study or "", {})
        means = _means(row)
        bounds = (None, None) if means is None else responders(means)
        entry = Entry(
            row=row,
            study=study,
            disease=about.get("disease"),
            arm=row.one_of("arm", ARMS),
            outcome=_benefit(row),
            events_min=bounds[0],
            events_max=bounds[1],
            n=None if means is None else means.n,
            definition=_definition(row, means),
            months=row.months("months"),
            certainty=MODELLED,
            locator=row.text("locator"),
            primary=row.flag("primary", "write true for the row used by default"),
            note=row.text("note"),
            role=about.get("role"),
            cohort=about.get("cohort", ""),
        )
        check_against_study(entry, about)
        entries.append(entry)
        scores.append((row.text("measure"), *map(asdict(means).get, _SCORES)) if means else ())
    check_means(entries)
    forget_cells(table, missing, problems)
    return [(*entry.values(), *score) for entry, score in zip(entries, scores, strict=True)]


def means_frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """Lay the rows of `read_means` out, one a study, arm, outcome and measure."""
    frame = pd.DataFrame(rows, columns=list(MEANS_FIELDS))
    return frame.astype({"months": float, "primary": bool, "percent": bool})


def _benefit(row: Row) -> str | None:
    name = row.one_of("outcome", OUTCOMES)
    if name is not None and outcome(name).is_harm:
        row.complain("outcome", f"{name} is a harm: a threshold of improvement bounds benefits")
        return None
    return name


def _means(row: Row) -> Means | None:
    """Read the scores of a row; None where one of its cells is wrong."""
    before = len(row.problems)
    kind, direction = row.one_of("kind", KINDS), row.one_of("direction", DIRECTIONS)
    percent = row.flag("percent", "write true for thresholds in percent of the baseline")
    given: dict[str, Any] = {
        "kind": kind,
        "direction": direction,
        "percent": percent,
        "n": row.whole("n", least=2),
        "mean": row.number("mean"),
        "sd": _deviation(row, "sd"),
        "threshold_min": row.decimal("threshold_min", most=_LARGEST),
        "threshold_max": row.decimal("threshold_max", most=_LARGEST),
    }
    row.name("measure")
    if kind == "level":
        given |= {
            "baseline_mean": row.number("baseline_mean"),
            "baseline_sd": _deviation(row, "baseline_sd"),
        }
    else:
        for column in ("baseline_mean", "baseline_sd"):
            if kind == "change" and row.text(column):
                row.complain(column, "a change needs no baseline: leave it empty, or write level")
    low, high = given["threshold_min"], given["threshold_max"]
    if low is not None and high is not None and low > high:
        row.complain("threshold_min", f"{low:g} is above threshold_max, {high:g}")
    if percent and high is not None and direction == "lower" and high > 100:
        row.complain("threshold_max", f"{high:g} is too large: a score falls by 100 % at most")
    baseline = given.get("baseline_mean")
    if percent and baseline is not None and baseline <= 0:
        row.complain("baseline_mean", f"{baseline:g} has no percentages: it must be above 0")
    if len(row.problems) > before:
        return None
    return Means(**given)


def _deviation(row: Row, column: str) -> float | None:
    deviation = row.decimal(column, most=_LARGEST)
    if deviation == 0:
        row.complain(column, "0 is no standard deviation: write a positive number")
        return None
    return deviation


_LARGEST = 1e6


def _definition(row: Row, means: Means | None) -> str:
    """Say in words which improvement counts."""
    if means is None:
        return ""
    ends = dict.fromkeys(f"{end:g}" for end in (means.threshold_min, means.threshold_max))
    verb = "fell" if means.direction == "lower" else "rose"
    unit = "%" if means.percent else "points"
    return f"{row.text('measure')} {verb} by at least {' to '.join(ends)} {unit} (from means)"
