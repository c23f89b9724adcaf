"""The report's section on how knowledge grew, year by year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ....data.names import numbered, outcome_in_text, outcome_words
from ...sensitivity.cumulative import conclusions_since
from ..frames.results import Results
from ..words.captions_cumulative import CUMULATIVE, CUMULATIVE_EFFECTS, since_words
from ..words.table import BORROWED, Table, rate_cell
from ..words.wording import interval, listed, probability, ratio_interval, signed
from .block import Block, Section
from .tables_sensitivity import asked_words, conclusions

TITLE = "How knowledge grew"
_MODERATED = (
    "This is not told of a fit with moderators: it can only be sampled, and every year would have "
    "to be sampled anew."
)


def cumulative_section(results: Results) -> Section | None:
    """Write the section; none where no study has a year, or all have the same.

    Parameters
    ----------
    results : Results
        A fit.

    Returns
    -------
    Section or None
    """
    grown = results.grown
    if results.evidence.moderators:
        return Section("cumulative", TITLE, [Block("text", _MODERATED)])
    if grown.without_year:
        lacking = f"This is not told: no year is known of {listed(list(grown.without_year))}."
        return Section("cumulative", TITLE, [Block("text", lacking)])
    if grown.rates.empty and grown.effects.empty and not grown.not_integrated:
        return None
    text = (
        "What the same model and priors would have said in each year, from the studies published "
        "by then, each year integrated anew. A year adds what was published in it, not what was "
        f"known to those who ran the studies. {since_words(results)}"
    )
    blocks = [Block("text", text.strip())]
    limits = [f"{each}." for each in (*grown.not_integrated, *grown.fitted_alone)]
    if limits:
        blocks.append(Block("text", "Not every outcome can be integrated:"))
        blocks.append(Block("list", limits))
    if len(grown.rates):
        since = grown.conclusions
        blocks += [Block("list", _said(since, results))] if len(since) else []
        blocks.append(Block("figure", CUMULATIVE.name))
        blocks += [Block("table", _rates_table(since, results))] if len(since) else []
    if len(grown.effects):
        blocks += [
            Block("text", _effects_said(results)),
            Block("figure", CUMULATIVE_EFFECTS.name),
            Block("table", _effects_table(results)),
        ]
    return Section("cumulative", TITLE, blocks)


def _said(since: pd.DataFrame, results: Results) -> list[str]:
    """Say how many conclusions hold, which came last, and which were lost."""
    about = results.evidence.about
    holding = since[since["since"].notna()]
    told = [
        f"Of {numbered(len(since), 'conclusion')} (the rates that are asked about, in every "
        f"disease), {len(holding) or 'none'} {'holds' if len(holding) == 1 else 'hold'} now."
    ]
    if len(holding):
        last = int(holding["since"].max())
        newest = holding[holding["since"] == last]
        told[0] += (
            f" The last that became true and stayed so, in {last}: "
            f"{'; '.join(conclusions(newest, about))}."
        )
    if len(lost := since[since["lost"].astype(bool)]):
        told.append(
            f"Drawn in some year and not in a later one: {'; '.join(conclusions(lost, about))}."
        )
    return told


def _rates_table(since: pd.DataFrame, results: Results) -> Table:
    every = results.grown.rates
    first = every.groupby(["outcome", "disease"], sort=False).first()
    rows, quiet = [], set()
    for row in since.to_dict("records"):
        quiet |= {len(rows)} if row["evidence"] == BORROWED else set()
        start = first.loc[(row["outcome"], row["disease"])].to_dict()
        rows.append(
            (
                outcome_words(row["outcome"]),
                results.disease(row["disease"]),
                asked_words(row),
                _year(row),
                f"{start['year']}: {interval(start)}",
                f"{row['year']}: {rate_cell(row, results.grown.evidence or results.evidence)}",
                signed(row["probability"], 3, row["mcse"]),
            )
        )
    caption = (
        "Conclusions and the year from which on each was drawn in every further year (with a "
        f"probability of {since['confidence'].iloc[0]:g}): the rate by the studies of the first "
        "and of the last year in which the outcome gained one, and the probability of the "
        "conclusion now. In grey: no study of the disease itself. The file has every year."
    )
    header = ("Outcome", "Disease", "Conclusion", "Holds since", "First", "Last", "Probability")
    quiet_rows = frozenset(quiet)
    return Table("cumulative", caption, header, rows, every, False, quiet_rows, texts=3)


def _year(row: Mapping[Any, Any]) -> str:
    if pd.notna(row["since"]):
        before = f" (first in {row['first']}, then lost)" if row["lost"] else ""
        return f"{row['since']}{before}"
    return f"lost (drawn in {row['first']})" if row["lost"] else "not shown"


def _effects_said(results: Results) -> str:
    """Say since when treatment is concluded to help, or that it is not."""
    table = results.grown.effects
    wanted = f"That treatment helps, with a probability of {table['confidence'].iloc[0]:g} or more,"
    since = conclusions_since(table, ["outcome", "disease"])
    holding = since[since["since"].notna()]
    if len(holding):
        named = [
            f"{outcome_in_text(row['outcome'])} in {results.disease_in_text(row['disease'])} since "
            f"{row['since']}"
            for row in holding.to_dict("records")
        ]
        return f"{wanted} holds for {listed(named)}."
    if since["lost"].any():
        return f"{wanted} was concluded in some year, and is no longer."
    return f"{wanted} could be concluded in no year."


def _effects_table(results: Results) -> Table:
    frame = results.grown.effects
    rows = [
        (
            outcome_words(row["outcome"]),
            results.disease(row["disease"]),
            str(row["year"]),
            f"{row['studies']} / {row['patients']}",
            ratio_interval(row),
            probability(row["probability_benefit"]),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Effects by the controlled studies published up to each year: ratio of odds (of deaths: of "
        "hazards) in a typical study, median and central 95 % interval, and the probability that "
        "treatment helps. Outcomes whose controlled studies are all of one year are left out."
    )
    header = ("Outcome", "Disease", "Year", "Studies / patients", "Ratio (95 %)", "Helps")
    return Table("effects_by_year", caption, header, rows, frame, of_fit=False, texts=2)
