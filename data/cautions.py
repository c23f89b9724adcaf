"""What a reader of the evidence should be wary of: never errors."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pandas as pd

from .names import arm_words, counted_in_text, outcome_plural, study_labels
from .outcomes import PARENTS, outcome

_TO_THE_CELLS = re.compile(
    r"\b(related|attributed|attributable)\b|\b(due|owing) to\b", re.IGNORECASE
)

_Cells = dict[tuple[str, str, str], Any]


def cautions(studies: pd.DataFrame, rows: pd.DataFrame, controls: pd.DataFrame) -> tuple[str, ...]:
    """Say where counts fit together badly, one line each, study by study.

    Parameters
    ----------
    studies : DataFrame
        One row a study.
    rows, controls : DataFrame
        The treated and control arms of a selection.

    Returns
    -------
    tuple of str
    """
    cells: dict[str, _Cells] = defaultdict(dict)
    for row in [*_records(rows), *_records(controls)]:
        cells[row.study][row.study, row.arm, row.outcome] = row
    said: list[str] = []
    labels = study_labels(studies)
    for about in _records(studies):
        of_study = cells.get(about.study, {})
        found = [
            *_more_than_counted(of_study),
            *_unlike_parent(of_study),
            *_beyond_follow_up(of_study, about),
            *_fewer_than_treated(of_study, about),
        ]
        said += [f"{labels[str(about.study)]}{each}" for each in found]
    return tuple(said)


def _records(frame: pd.DataFrame) -> Iterator[Any]:
    return frame.itertuples(index=False)


def _more_than_counted(cells: _Cells) -> Iterator[str]:
    """Compare an outcome with another that its events usually count as, too."""
    for (study, arm, name), row in cells.items():
        other = cells.get((study, arm, outcome(name).also_counts_as or ""))
        if other is None or row.events_min <= other.events_max:
            continue
        events = outcome_plural(name) if row.events_min != 1 else counted_in_text(name)
        patients = "patient" if other.events_max == 1 else "patients"
        counts = f"{row.events_min} {events} but {other.events_max} {patients} with "
        counts += outcome_plural(other.outcome)
        yield f"{arm_words(arm)}: {counts} ({other.definition or 'no definition given'})"


def _unlike_parent(cells: _Cells) -> Iterator[str]:
    for (study, arm, name), child in cells.items():
        parent = cells.get((study, arm, PARENTS.get(name, "")))
        if parent is None:
            continue
        both = [counted_in_text(each) for each in (name, parent.outcome)]
        pair = f"{arm_words(arm)}: {both[0]} and {both[1]}"
        if child.n != parent.n:
            yield (
                f"{pair} are counted among {child.n} and {parent.n} patients: their counts are "
                "taken as independent, given the study's rates"
            )
        # A time that is not given differs from nothing.
        if child.months == child.months and parent.months == parent.months != child.months:
            yield f"{pair} are of {child.months:g} and {parent.months:g} months"
        attributed = [bool(_TO_THE_CELLS.search(row.definition)) for row in (child, parent)]
        if attributed[0] != attributed[1]:
            one = both[0] if attributed[0] else both[1]
            yield f"{pair} differ in attribution: only {one} counts events by their cause"


def _beyond_follow_up(cells: _Cells, about: Any) -> Iterator[str]:
    late: dict[float, list[str]] = defaultdict(list)
    for (_, _, name), row in cells.items():
        if row.months > about.follow_up_months and name not in late[row.months]:
            late[row.months].append(name)
    for months, outcomes in late.items():
        limit = f"beyond the study's follow-up of {about.follow_up_months:g}"
        yield f": {_named(outcomes)} at {months:g} months, {limit}"


def _fewer_than_treated(cells: _Cells, about: Any) -> Iterator[str]:
    patients: dict[tuple[bool, str], int] = defaultdict(int)
    for (_, arm, name), row in cells.items():
        patients[arm == "control", name] += row.n
    short: dict[tuple[bool, int], list[str]] = defaultdict(list)
    for (control, name), n in patients.items():
        if n < (about.n_control if control else about.n_msc):
            short[control, n].append(name)
    for (control, n), outcomes in short.items():
        whole = about.n_control if control else about.n_msc
        one = "control" if control else "treated patient"
        of = f"{whole} {one}" + ("" if whole == 1 else "s")
        yield f": {_named(outcomes)} known for {n} of {of}"


def _named(outcomes: list[str]) -> str:
    return ", ".join(map(counted_in_text, outcomes))
