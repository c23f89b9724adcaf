"""Figures of how knowledge grew: what they show, and their words from what they draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ....data.names import outcome_in_text, outcome_words
from ....figures.cumulative import draw_cumulative
from ....figures.intervals import draw_coefficients
from .captions_effects import model_words as effects_model_words
from .closing import model_words, sentences, study_count, verdict_words
from .exhibit import FigureKind, Words
from .wording import interval, ratio_interval

if TYPE_CHECKING:
    from ..frames.results import Results


def cumulative_data(results: Results) -> pd.DataFrame:
    """Lay out rates by year, with the year since when each conclusion holds."""
    grown = results.grown
    if grown.rates.empty:
        return grown.rates
    keys = ["outcome", "disease"]
    since = grown.conclusions
    since = since[[*keys, "since"]] if len(since) else pd.DataFrame(columns=[*keys, "since"])
    return grown.rates.merge(since, "left", keys)


def since_words(results: Results) -> str:
    """Say from which year on studies published since the review are among those of a year."""
    year = results.grown.later_from
    return f"From {year} on with studies published since the review." if year else ""


def cumulative(frame: pd.DataFrame, results: Results) -> Words:
    """Word the rates by year."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    caption = sentences(
        "How knowledge grew: the rate of a typical study by the studies published up to each year, "
        "posterior median and central 95 % interval, each year integrated anew; a mark where the "
        "disease itself gained a study, other steps come from other diseases. A lane runs from 0 "
        "to the percentage beside the first one, and what lies above is cut off. Dotted: the "
        "threshold; at the right the year since when the conclusion about it holds (a dash: it "
        "does not).",
        since_words(results),
        *(f"{each}." for each in results.grown.fitted_alone),
        model_words(results, integrated=True, evidence=results.grown.evidence),
        "The guard judged the fit of this report, not these:",
        verdict_words(results, outcomes),
    )
    last = frame[frame["year"] == frame.groupby("outcome")["year"].transform("max")]
    told = [
        f"{outcome_in_text(row['outcome'])} in {results.disease_in_text(row['disease'])}, "
        f"{interval(row)} by {row['year']}"
        for row in last.to_dict("records")
        if row["evidence"] == "direct"
    ]
    return Words("How knowledge grew", caption, f"Rates by year. {'; '.join(told)}.")


def effects_by_year_data(results: Results) -> pd.DataFrame:
    """Lay out effects by year, as `draw_coefficients` takes them."""
    table = results.grown.effects
    rows = [
        {
            **row,
            "head": f"{outcome_words(row['outcome'])}, {results.disease(row['disease'])}",
            "label": f"{row['year']}: {study_count(row['studies'])}",
            "text": ratio_interval(row),
            "middle": row["ratio_q50"],
            "low": row["ratio_q2.5"],
            "high": row["ratio_q97.5"],
        }
        for row in table.to_dict("records")
    ]
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.sort_values("head", kind="stable", ignore_index=True)


def effects_by_year(frame: pd.DataFrame, results: Results) -> Words:
    """Word the effects by year."""
    compared = {each.added: each for each in results.compared}
    caption = sentences(
        "How knowledge of effects grew: ratio of treated against control in a typical study, by "
        "the controlled studies published up to each year, posterior median and central 95 % "
        "interval; above 1 the outcome is more frequent under treatment.",
        since_words(results),
        effects_model_words(compared.get("later") or compared[""]),
        "These effects by year were not judged by the guard.",
    )
    told = [f"{row['head']}, {row['label']}: {row['text']}" for row in frame.to_dict("records")]
    return Words("How knowledge of effects grew", caption, f"{'; '.join(told)}.")


CUMULATIVE = FigureKind(
    "cumulative", "cumulative", lambda results: [("", cumulative_data(results))], draw_cumulative,
    cumulative,
)  # fmt: skip
CUMULATIVE_EFFECTS = FigureKind(
    "effects_by_year", "cumulative", lambda results: [("", effects_by_year_data(results))],
    draw_coefficients, effects_by_year,
)  # fmt: skip
