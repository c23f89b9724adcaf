"""The report's section on means as evidence: what the rule makes of them, and what they change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....data.errors import ImpossibleDataError
from ....data.means import MODELLED_SIGN
from ....data.names import outcome_words, words
from ..frames.means import improvement_data, rates_with_means
from ..frames.results import Results
from ..words.captions_means import MEANS
from ..words.table import BORROWED, FROM_MEANS, Table
from ..words.wording import count, interval
from .block import Block, Section


def means_section(results: Results) -> Section | None:
    """Write the section; none where no study reports means instead of counts."""
    if improvement_data(results).empty:
        return None
    in_use = results.evidence.selection.means
    text = (
        "Some studies report no count of patients who improved, but means and standard deviations "
        "of a score. With a threshold of improvement they bound how many patients reached it, if "
        "improvement is about normal and its correlation with the score before treatment is "
        "between 0.3 and 0.9. This is a model, not a count; "
    )
    text += (
        "such bounds are in this report."
        if in_use
        else "the rates of the other sections know nothing of such bounds (--means lets them in). "
        "What means say of effects stands with the controlled comparisons."
    )
    if results.at:
        text += " What they change of rates stands here without the moderators."
    text += " A change from before to after treatment is no effect: compare the control arms."
    blocks = [
        Block("text", text),
        Block("figure", MEANS.name),
        Block("table", _rule_table(results)),
    ]
    try:
        changed = _changed_table(results)
    except ImpossibleDataError as problem:
        blocks.append(Block("text", f"What they change of rates cannot be told: {problem}."))
    else:
        blocks += [Block("table", changed)] if changed else []
    return Section("means", "Means as evidence", blocks)


def _rule_table(results: Results) -> Table:
    frame = improvement_data(results)
    rows = [
        (
            row["label"],
            words(row["arm"]),
            row["measure"],
            f"{row['mean']:z.1f}",
            _threshold(row),
            f"{count(row['events_min'], row['events_max'])} of {row['n']}",
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "What means become: the mean improvement of a score, the threshold from which it counts "
        "(in points, or in percent of the score before), and the bounds of the patients beyond it."
    )
    header = ("Study", "Arm", "Score", "Mean improvement", "Threshold", "Patients")
    return Table("means", caption, header, rows, frame, of_fit=False, texts=3)


def _threshold(row) -> str:
    ends = dict.fromkeys(f"{row[end]:g}" for end in ("threshold_min", "threshold_max"))
    return f"{' to '.join(ends)} {'%' if row['unit'] != 'points' else 'points'}"


def _changed_table(results: Results) -> Table | None:
    frame = rates_with_means(results)
    if frame.empty:
        return None
    known = results.unmoderated.select(means=True).from_means

    def modelled(row: Mapping[Any, Any]) -> str:
        return f" {MODELLED_SIGN}" if (row["outcome"], row["disease"]) in known else ""

    rows = [
        (
            outcome_words(row["outcome"]),
            results.disease(row["disease"]),
            _rate(row, ""),
            _rate(row, "_means") + modelled(row),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Rates of a typical study without and with the counts that follow from means: median and "
        f"central 95 % interval, integrated exactly, each outcome by itself. {FROM_MEANS}"
    )
    header = ("Outcome", "Disease", "Counts alone", "With means")
    return Table("means_rates", caption, header, rows, frame, of_fit=False, texts=2)


def _rate(row, end: str) -> str:
    """Write a rate, and whether it is borrowed, from the columns with an ending."""
    middle, low, high = (f"{name}{end}" for name in ("q50", "q2.5", "q97.5"))
    if row[middle] != row[middle]:
        return "no count"
    borrowed = f"\n{BORROWED}" if row[f"evidence{end}"] == BORROWED else ""
    return interval(row, (middle, low, high)) + borrowed
