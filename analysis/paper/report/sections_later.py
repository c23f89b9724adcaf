"""The report's section on what came since: later studies against what was predicted of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ....data.names import numbered, outcome_in_text, outcome_words
from ...guard.later import DRAWN
from ...guard.monte_carlo import p_words
from ..frames.later import published_since
from ..frames.results import Results
from ..words.captions_later import LATER
from ..words.table import Table
from ..words.wording import count, listed, ratio
from .block import Block, Section

TITLE = "What came since, against its prediction"
_MODERATED = (
    "Studies published since the review are not predicted by a fit with moderators: they need not "
    "have the values that it asks for."
)


def later_section(results: Results) -> Section | None:
    """Write the section; none where no study came since the review that the fit has not seen.

    Parameters
    ----------
    results : Results
        A fit.

    Returns
    -------
    Section or None
    """
    later = results.later
    if results.evidence.moderators and published_since(results.evidence):
        return Section("later", TITLE, [Block("text", _MODERATED)])
    if later.empty:
        return None
    text = (
        "Studies published since the review are no part of this fit, and nothing of it was chosen "
        "by them. Here each is compared with what the fit predicts of a new study of its size, "
        "its study effect drawn: the central 95 % interval of the count, and the two-sided mid-p "
        "value, small where the count was a surprise. A few studies can show that predictions are "
        "wrong, hardly that they are right."
    )
    blocks = [
        Block("text", text),
        Block("list", [*_counts_said(results), *_effects_said(results)]),
        Block("figure", LATER.name),
    ]
    blocks += [Block("table", _counts_table(results))] if len(later.counts) else []
    blocks += [Block("table", _effects_table(results))] if len(later.effects) else []
    return Section("later", TITLE, blocks)


def _counts_said(results: Results) -> list[str]:
    table = results.later.counts
    if table.empty:
        return []
    outside = table[~table["inside"].astype(bool)]
    inside = len(table) - len(outside)
    told = f"Of {numbered(len(table), 'later count')}, {inside or 'none'} may lie in "
    told += "its predicted interval." if inside == 1 else "their predicted intervals."
    if len(outside):
        named = [
            f"{row['label']} ({outcome_in_text(row['outcome'])}, {_seen(row)} where "
            f"{row['q2.5']} to {row['q97.5']} were predicted)"
            for row in outside.to_dict("records")
        ]
        told += f" Outside: {listed(named)}."
    bounded = table[table["events_min"] < table["events_max"]].to_dict("records")
    if bounded:
        named = [f"{r['label']}, {outcome_in_text(r['outcome'])} ({_seen(r)})" for r in bounded]
        told += (
            f" Known only within bounds, which surprise less than a count would: {listed(named)}."
        )
    return [told]


def _effects_said(results: Results) -> list[str]:
    return [
        f"{row['label']}, {outcome_in_text(row['outcome'])}: the ratio that was seen is "
        f"{_ratio(row, ('raw', 'raw_low', 'raw_high'))}, the predicted one "
        f"{_ratio(row, ('q50', 'q2.5', 'q97.5'))} "
        f"(mid-p {_mid_p(row)})."
        for row in results.later.effects.to_dict("records")
    ]


def _seen(row: Mapping[Any, Any]) -> str:
    return f"{count(row['events_min'], row['events_max'])} of {row['n']}"


def _ratio(row: Mapping[Any, Any], names: tuple[str, str, str]) -> str:
    from math import exp

    middle, low, high = (ratio(exp(row[name])) for name in names)
    return f"{low} to {high}" if row[names[0]] != row[names[0]] else f"{middle} ({low} to {high})"


def _mid_p(row: Mapping[Any, Any]) -> str:
    return p_words(row["mid_p"], row["mid_p_mcse"]).removeprefix("mid-p ")


def _counts_table(results: Results) -> Table:
    frame = results.later.counts
    rows = [
        (
            row["label"],
            results.disease(row["disease"]),
            outcome_words(row["outcome"]),
            _seen(row),
            f"{row['expected']:.1f}",
            f"{row['q2.5']} to {row['q97.5']}",
            _mid_p(row),
            "drawn" if row["method"] == DRAWN else "integrated",
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Later studies, and what the fit predicts of their counts: expected count, central 95 % "
        "prediction interval, and two-sided mid-p value, with its error where that can be seen. "
        "Of a count that is only bounded the mid-p value is that at the middle of what its bounds "
        "allow."
    )
    header = (
        "Study", "Disease", "Outcome", "Seen", "Expected", "Predicted (95 %)", "Mid-p", "Computed",
    )  # fmt: skip
    return Table("later_counts", caption, header, rows, frame, texts=3)


def _effects_table(results: Results) -> Table:
    frame = results.later.effects
    rows = [
        (
            row["label"],
            results.disease(row["disease"]),
            outcome_words(row["outcome"]),
            f"{count(row['treated_min'], row['treated_max'])} of {row['treated_n']}",
            f"{count(row['control_min'], row['control_max'])} of {row['control_n']}",
            _ratio(row, ("raw", "raw_low", "raw_high")),
            _ratio(row, ("q50", "q2.5", "q97.5")),
            _mid_p(row),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Later controlled studies, and what the controlled studies of the fit predict of the next "
        "one in their disease: ratio of odds (of deaths: of hazards) with 95 % interval; mid-p "
        "value of the treated count given the study's number of events, on which no control rate "
        "bears."
    )
    header = (
        *("Study", "Disease", "Outcome", "Treated", "Control", "Ratio seen (95 %)"),
        *("Ratio predicted (95 %)", "Mid-p"),
    )
    return Table("later_effects", caption, header, rows, frame, of_fit=False, texts=3)
