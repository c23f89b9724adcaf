"""The report's section on why studies differ: what goes with their rates, each moderator alone."""

from __future__ import annotations

from typing import Any

import pandas as pd

from ....data.moderators import moderator_messages
from ....data.names import outcome_in_text
from ..frames.moderators import coefficient_data, explained_data
from ..frames.results import Results
from ..words.captions_moderators import BUBBLES, COEFFICIENTS, RATES_AT
from ..words.moderators import comparison_words, moderator_in_text
from ..words.table import Table
from ..words.wording import number, numbered, percent, ratio_interval
from .block import Block, Section

TITLE = "Why studies differ"


def moderators_section(results: Results) -> Section | None:
    """Write the section; none where no moderator was analysed."""
    table = coefficient_data(results)
    if table.empty or not results.explained:
        return None
    outcome = str(table["outcome"].iloc[0])
    spread = explained_data(results).query("parameter == 'sigma'").set_index("moderators")
    studies = int(table["studies"].max())
    text = (
        f"Studies of one disease differ in {outcome_in_text(outcome)} by more than chance as far "
        "as sigma, the spread between them, is above 0. Here each of the columns that the evidence "
        f"has enters a fit of its own, for the {numbered(studies, 'study', 'studies')} of this "
        "outcome, adjusted for nothing. What goes with a higher rate need not cause it: studies "
        "that differ in one thing differ in others, and often in disease."
    )
    blocks = [
        Block("text", text),
        Block("list", [_sentence(row, spread) for row in table.to_dict("records")]),
    ]
    warned = _warnings(results, outcome)
    if warned:
        blocks += [Block("warning", "What speaks against reading more into it:")]
        blocks += [Block("list", warned)]
    files = [f"{RATES_AT.file(outcome)}"]
    files += [
        BUBBLES.file(f"{outcome}_{name}")
        for name, own in table.groupby("moderator", sort=False)
        if (own["per"] == "sd").all()
    ]
    blocks += [Block("figure", COEFFICIENTS.name), Block("table", _table(table, spread))]
    blocks += [Block("figure", name) for name in files]
    return Section("moderators", TITLE, blocks)


def _sentence(row: dict[Any, Any], spread: pd.DataFrame) -> str:
    probability = float(row["probability_positive"])
    direction = "higher" if probability >= 0.5 else "lower"
    sure = max(probability, 1 - probability)
    about, name = spread.loc[row["moderator"]], moderator_in_text(str(row["moderator"]))
    return (
        f"{comparison_words(row)}: odds ratio {ratio_interval(row)}; the rate is {direction} with "
        f"probability {percent(sure, 0)}. With {name} in the model sigma has "
        f"the median {number(about['q50_with'])} ({number(about['q50_without'])} without)."
    )


def _warnings(results: Results, outcome: str) -> list[str]:
    told = []
    for name in results.explained:
        own = results.evidence.select(outcomes=outcome, moderators=name, at=())
        told += moderator_messages(own.moderators, own.rows)
    return told


def _table(table: pd.DataFrame, spread: pd.DataFrame) -> Table:
    rows = []
    listed: list[dict[Any, Any]] = table.to_dict("records")
    for row in listed:
        about = spread.loc[row["moderator"]]
        rows.append(
            (
                comparison_words(row),
                str(row["studies"]),
                ratio_interval(row),
                percent(row["probability_positive"], 0),
                *(
                    f"{number(about[f'q50_{fit}'])} ({number(about[f'q2.5_{fit}'])} to "
                    f"{number(about[f'q97.5_{fit}'])})"
                    for fit in ("without", "with")
                ),
                percent(about["taken"], 0),
            )
        )
    caption = (
        "Each moderator alone: the ratio of odds for one standard deviation more of a number, or "
        "for one level of a text against another (median, central 95 % interval), the probability "
        "that it is above 1; sigma, the spread between studies of one disease, without and with "
        "the moderator, and the share of its mean square that the moderator takes (below 0 where "
        "it grows)."
    )
    header = (
        "Moderator", "Studies", "Ratio (95 %)", "P(above 1)", "Sigma without", "Sigma with",
        "Variance taken",
    )  # fmt: skip
    return Table("moderators", caption, header, rows, table, of_fit=False)
