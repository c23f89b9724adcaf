"""Figures of moderators: what they show, and their words from what they draw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from ....data.names import outcome_in_text, outcome_words
from ....figures.bubbles import draw_bubbles
from ....figures.intervals import draw_coefficients, draw_rates_at
from ..frames.moderators import bubble_data, coefficient_data, rates_at_data
from .closing import sentences
from .exhibit import FigureKind, Words
from .moderators import comparison_words, level_words, moderator_in_text, moderator_words
from .wording import interval, percent, ratio_interval

if TYPE_CHECKING:
    from ..frames.results import Results

#: What no coefficient says.
NO_CAUSE = (
    "A coefficient is an association between studies: it says nothing of why, and nothing of "
    "patients."
)


def _fits(results: Results) -> str:
    if "moderators" in results.fit.children:
        return "All moderators are in one fit." if len(results.at) > 1 else ""
    return (
        "Each moderator has a fit of its own, adjusted for nothing; these fits were not judged by "
        "the guard."
    )


def _coefficients(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    table = coefficient_data(results)
    rows: list[dict[Any, Any]] = table.to_dict("records")
    frame = pd.DataFrame(
        [
            {
                **row,
                "head": outcome_words(row["outcome"]),
                "label": comparison_words(row),
                "text": ratio_interval(row),
                "middle": row["ratio_q50"],
                "low": row["ratio_q2.5"],
                "high": row["ratio_q97.5"],
            }
            for row in rows
        ]
    )
    yield "", frame


def coefficients(frame: pd.DataFrame, results: Results) -> Words:
    """Word the coefficients of moderators."""
    caption = sentences(
        "What goes with the rates of studies: ratio of odds (of deaths: of hazards), posterior "
        "median and central 95 % interval, for one standard deviation more of a number or for one "
        "level of a text against another. Right of 1 the outcome is more frequent.",
        _fits(results),
        NO_CAUSE,
    )
    told = [f"{row['head']}: {row['label']}: {row['text']}" for row in frame.to_dict("records")]
    return Words("Why studies differ", caption, f"A row a comparison. {'; '.join(told)}.")


def _rates_at(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    coefficients = coefficient_data(results)
    for outcome in [] if coefficients.empty else dict.fromkeys(coefficients["outcome"].astype(str)):
        rows: list[dict[Any, Any]] = rates_at_data(results, outcome).to_dict("records")
        yield (
            outcome,
            pd.DataFrame(
                [
                    {
                        **row,
                        "head": f"{moderator_words(row['moderator'])}: {level_words(row['value'])}",
                        "label": results.disease(row["disease"]),
                        "text": interval(row),
                        "middle": row["q50"],
                        "low": row["q2.5"],
                        "high": row["q97.5"],
                    }
                    for row in rows
                ]
            ),
        )


def rates_at(frame: pd.DataFrame, results: Results) -> Words:
    """Word the rates at values of moderators."""
    outcome = str(frame["outcome"].iloc[0])
    caption = sentences(
        f"Rate of {outcome_in_text(outcome)} of a typical study at values of moderators: posterior "
        "median and central 95 % interval. Of a number the least, middle and largest value seen, "
        "of a text each level; a disease may have no study at a value that stands here.",
        _fits(results),
        NO_CAUSE,
    )
    told = [f"{row['head']}, {row['label']}: {row['text']}" for row in frame.to_dict("records")]
    title = f"Rates at values of moderators: {outcome_in_text(outcome)}"
    return Words(title, caption, f"A row a value and disease. {'; '.join(told)}.")


def _bubbles(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    for part, frame in bubble_data(results):
        yield part, frame.assign(axis=moderator_words(str(frame["moderator"].iloc[0])))


def bubbles(frame: pd.DataFrame, results: Results) -> Words:
    """Word the rates of studies against a number."""
    outcome, moderator = str(frame["outcome"].iloc[0]), str(frame["moderator"].iloc[0])
    studies = frame[frame["row"] == "study"]
    caption = sentences(
        f"Rate of {outcome_in_text(outcome)} in each study against "
        f"{moderator_in_text(moderator)}: circles of an area proportional to "
        "the patients, a line where a count is known within bounds only, at their middle the "
        "circle. Line and band: rate of a typical study, posterior median and central 95 % "
        "interval; one slope on the log-odds (of deaths: log hazard) for all diseases.",
        _fits(results),
        NO_CAUSE,
    )
    told = [
        f"{row['label']}: {row['x']:g}, {percent((row['raw_min'] + row['raw_max']) / 2)} of "
        f"{row['n']:.0f}"
        for row in studies.to_dict("records")
    ]
    title = f"{outcome_words(outcome)} against {moderator_in_text(moderator)}"
    return Words(title, caption, f"A panel a disease. {'; '.join(told)}.")


COEFFICIENTS = FigureKind(
    "moderators", "moderators", _coefficients, draw_coefficients, coefficients
)
RATES_AT = FigureKind("moderated_rates", "moderators", _rates_at, draw_rates_at, rates_at)
BUBBLES = FigureKind("bubbles", "moderators", _bubbles, draw_bubbles, bubbles)
