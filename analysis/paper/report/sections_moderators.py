"""The report's section on why studies differ: what goes with their rates, each moderator alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from ....data.moderators import warnings_of
from ....data.names import numbered, outcome_in_text, outcome_words, study_labels
from ...fitting.moderated import moderators_of
from ..frames.moderators import coefficient_data, explained_data
from ..frames.results import Results
from ..words.captions_moderators import BUBBLES, COEFFICIENTS, RATES_AT
from ..words.moderators import (
    at_words,
    comparison_words,
    level_words,
    moderator_in_text,
    moderator_words,
    spread_interval,
    spread_number,
    taken_words,
)
from ..words.table import Table
from ..words.wording import count, listed, probability, ratio_interval
from .block import Block, Section

TITLE = "Why studies differ"
_ALONE = "Each moderator alone"


def moderators_section(results: Results) -> Section | None:
    """Write the section; none where no moderator was analysed."""
    table = coefficient_data(results)
    if results.at and len(table):
        return _of_the_fit(results, table)
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
        Block("list", _sentences(table, spread)),
    ]
    warned = _warnings(results, outcome, results.explained)
    if warned:
        blocks += [Block("warning", "What speaks against reading more into it:")]
        blocks += [Block("list", warned)]
    files = [f"{RATES_AT.file(outcome)}"]
    files += [
        BUBBLES.file(f"{outcome}_{name}")
        for name, own in table.groupby("moderator", sort=False)
        if (own["per"] == "sd").all()
    ]
    blocks += [Block("table", _studies_table(results, outcome))]
    blocks += [
        Block("figure", COEFFICIENTS.name),
        Block("table", _table(table, spread, "moderator", _ALONE)),
    ]
    blocks += [Block("figure", name) for name in files]
    return Section("moderators", TITLE, blocks)


def _sentences(table: pd.DataFrame, spread: pd.DataFrame) -> list[str]:
    """Say of each moderator what goes with it, and what it leaves of sigma."""
    told = []
    for name, own in table.groupby("moderator", sort=False):
        told.append(
            f"{_compared(own)}. With {moderator_in_text(str(name))} in the model "
            f"{_sigma(spread.loc[name])}"
        )
    return told


def _compared(own: pd.DataFrame) -> str:
    """Say the ratio of each comparison."""
    rows = _records(own)
    ratio = "hazard ratio" if "hazard" in str(rows[0]["scale"]) else "odds ratio"
    return "; ".join(f"{comparison_words(row)}: {ratio} {ratio_interval(row)}" for row in rows)


def _sigma(about: Any) -> str:
    middles = (spread_number(about, "q50", fit) for fit in ("with", "without"))
    return "sigma has the median {} ({} without).".format(*middles)


def _of_the_fit(results: Results, table: pd.DataFrame) -> Section:
    """Write the section of a fit with moderators of its own, all at once."""
    spread = explained_data(results).query("parameter == 'sigma'").set_index("outcome")
    names = listed([moderator_in_text(name) for name in results.at])
    together, lead = "", "The moderator of the fit"
    if len(results.at) > 1:
        lead = "All moderators in one fit"
        together = (
            ", together: a coefficient is what goes with one while the others stay as they are"
        )
    text = (
        f"This fit explains the studies by {names}{together}. What goes with a higher rate need "
        "not cause it: studies that differ in one thing differ in others, and often in disease. "
        f"{at_words(results.at)}"
    )
    told = [
        f"{outcome_words(str(name))}. {_compared(own)}. With moderators {_sigma(spread.loc[name])}"
        for name, own in table.groupby("outcome", sort=False)
    ]
    blocks = [Block("text", text), Block("list", told)]
    warned = [
        f"{outcome_words(outcome)}: {line}"
        for outcome in dict.fromkeys(table["outcome"].astype(str))
        for line in _warnings(results, outcome, results.at)
    ]
    if warned:
        blocks += [Block("warning", "What speaks against reading more into it:")]
        blocks += [Block("list", warned)]
    blocks += [Block("figure", COEFFICIENTS.name)]
    blocks += [Block("table", _table(table, spread, "outcome", lead))]
    for outcome in dict.fromkeys(table["outcome"].astype(str)):
        numbers = table[(table["outcome"] == outcome) & (table["per"] == "sd")]["moderator"]
        blocks += [Block("figure", RATES_AT.file(outcome))]
        blocks += [Block("figure", BUBBLES.file(f"{outcome}_{name}")) for name in numbers]
    return Section("moderators", TITLE, blocks)


def _warnings(results: Results, outcome: str, names: Iterable[str]) -> list[str]:
    """Say what speaks against each moderator, in the words of the page."""
    labels, told = study_labels(results.evidence.studies), []
    for name in names:
        own = results.evidence.select(outcomes=outcome, moderators=name, at=())
        (moderator,) = own.moderators
        values = {labels[study]: value for study, value in moderator.values.items()}
        studies = own.rows.drop_duplicates("study")
        diseases = {
            labels[study]: results.disease_in_text(disease)
            for study, disease in zip(studies["study"], studies["disease"], strict=True)
        }
        shown = replace(moderator, name=moderator_words(name), values=values)
        told += [f"{line}." for line in warnings_of(shown, diseases)]
    return told


def _studies_table(results: Results, outcome: str) -> Table:
    """Lay the studies of each disease side by side, with their counts and moderators."""
    labels, names = study_labels(results.evidence.studies), list(results.explained)
    fits = {
        name: {each.name: each for each in moderators_of(results.explained[name])}[name]
        for name in names
    }
    rows = results.evidence.rows[results.evidence.rows["outcome"] == outcome]
    place = {disease: i for i, disease in enumerate(results.evidence.diseases)}
    rows = rows.assign(place=rows["disease"].map(place)).sort_values("place", kind="stable")
    laid_out, frame = [], []
    for study, own in rows.groupby("study", sort=False):
        low, high, n = (int(own[name].sum()) for name in ("events_min", "events_max", "n"))
        values = [fits[name].values[str(study)] for name in names]
        disease = str(own["disease"].iloc[0])
        about = {"study": study, "disease": disease, "events_min": low, "events_max": high, "n": n}
        frame.append(about | dict(zip(names, values, strict=True)))
        counted = f"{count(low, high)} of {n}"
        cells = (labels[str(study)], results.disease(disease), counted)
        laid_out.append((*cells, *map(level_words, values)))
    caption = (
        f"The studies of {outcome_in_text(outcome)} by disease: patients with the outcome, and "
        "what is known of each study. Within a disease of two or three studies that differ in "
        "several of these at once, nothing tells which of them matters."
    )
    header = ("Study", "Disease", "Patients", *map(moderator_words, names))
    table = pd.DataFrame(frame).assign(outcome=outcome)
    return Table("moderators_studies", caption, header, laid_out, table, of_fit=False, texts=2)


def _table(table: pd.DataFrame, spread: pd.DataFrame, by: str, lead: str) -> Table:
    """Lay out coefficients, with the row of ``spread`` that each has by a column."""
    rows, several = [], table["outcome"].nunique() > 1
    for row in _records(table):
        about = spread.loc[row[by]]
        rows.append(
            (
                *((outcome_words(row["outcome"]),) if several else ()),
                comparison_words(row),
                str(row["studies"]),
                ratio_interval(row),
                probability(row["probability_positive"]),
                *(spread_interval(about, fit) for fit in ("without", "with")),
                taken_words(about),
            )
        )
    caption = (
        f"{lead}: the ratio of odds for one standard deviation more of a number, or "
        "for one level of a text against another (median, central 95 % interval), the probability "
        "that it is above 1; sigma, the spread between studies of one disease, without and with "
        "moderators, and the share of its mean square that they take (below 0 where it grows), "
        "with a bound of that share's Monte-Carlo error."
    )
    header = (
        *(("Outcome",) if several else ()),
        *("Moderator", "Studies", "Ratio (95 %)", "P(above 1)"),
        *("Sigma without", "Sigma with", "Variance taken"),
    )
    own = by == "outcome"
    return Table("moderators", caption, header, rows, table, of_fit=own, texts=1 + several)


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")
