"""The report's section on why studies differ: what goes with their rates, each moderator alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd

from ....data.moderators import warnings_of
from ....data.names import outcome_in_text, study_labels
from ...fitting.moderated import moderators_of
from ..frames.moderators import coefficient_data, explained_data
from ..frames.results import Results
from ..words.captions_moderators import BUBBLES, COEFFICIENTS, RATES_AT
from ..words.moderators import (
    comparison_words,
    level_words,
    moderator_in_text,
    moderator_words,
    spread_interval,
    spread_number,
)
from ..words.table import Table
from ..words.wording import count, numbered, percent, probability, ratio_interval
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
        Block("list", _sentences(table, spread)),
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
    blocks += [Block("table", _studies_table(results, outcome))]
    blocks += [Block("figure", COEFFICIENTS.name), Block("table", _table(table, spread))]
    blocks += [Block("figure", name) for name in files]
    return Section("moderators", TITLE, blocks)


def _sentences(table: pd.DataFrame, spread: pd.DataFrame) -> list[str]:
    """Say of each moderator what goes with it, and what it leaves of sigma."""
    told = []
    for name, own in table.groupby("moderator", sort=False):
        rows: list[dict[Any, Any]] = own.to_dict("records")
        about: Any = spread.loc[name]
        ratio = "hazard ratio" if "hazard" in str(rows[0]["scale"]) else "odds ratio"
        said = [f"{comparison_words(row)}: {ratio} {ratio_interval(row)}" for row in rows]
        told.append(
            f"{'; '.join(said)}. With {moderator_in_text(str(name))} in the model sigma has the "
            f"median {spread_number(about, 'q50', 'with')} "
            f"({spread_number(about, 'q50', 'without')} without)."
        )
    return told


def _warnings(results: Results, outcome: str) -> list[str]:
    """Say what speaks against each moderator, in the words of the page."""
    labels, told = study_labels(results.evidence.studies), []
    for name in results.explained:
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
                probability(row["probability_positive"]),
                *(spread_interval(about, fit) for fit in ("without", "with")),
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
