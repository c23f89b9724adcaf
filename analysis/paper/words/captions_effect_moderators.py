"""Figures of what goes with the effects of studies: what each shows, and its words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from ....data.names import outcome_in_text, outcome_words
from ....figures.bubbles import draw_effect_bubbles
from ....figures.intervals import draw_effect_coefficients, draw_effects_at
from ..frames.effect_moderators import effect_bubbles, effect_coefficients, effects_at_values
from .captions_effects import comparison_of, model_words
from .captions_moderators import NO_CAUSE
from .closing import ESTIMATES, sentences, verdict_words
from .exhibit import FigureKind, Frames, Words
from .moderators import comparison_words, level_words, moderator_in_text, moderator_words
from .wording import ratio, ratio_interval

if TYPE_CHECKING:
    from ..frames.effects import Comparison
    from ..frames.results import Results


def _parts(gathered: Callable[[Comparison], Iterator[tuple[str, pd.DataFrame]]]):
    """Gather the figures of every comparison that has moderators."""

    def frames(results: Results) -> Frames:
        for each in results.compared:
            if "moderators" in each.tree.children:
                for part, frame in gathered(each):
                    yield "_".join(filter(None, (part, each.added))), frame

    return frames


def _coefficients(comparison: Comparison) -> Iterator[tuple[str, pd.DataFrame]]:
    table = effect_coefficients(comparison)
    rows: list[dict[Any, Any]] = table.to_dict("records")
    yield (
        "",
        pd.DataFrame(
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
        ),
    )


def coefficients(frame: pd.DataFrame, results: Results) -> Words:
    """Word the coefficients of effects."""
    comparison = comparison_of(frame, results)
    caption = sentences(
        "What goes with the effects of studies: ratio of odds ratios (of deaths: of hazard "
        f"ratios), {ESTIMATES}, for one standard deviation more of a number or for one level of a "
        "text against another. Right of 1 the ratio of treated to control is larger.",
        NO_CAUSE,
        model_words(comparison),
        verdict_words(comparison, list(dict.fromkeys(frame["outcome"]))),
    )
    told = [f"{row['head']}: {row['label']}: {row['text']}" for row in frame.to_dict("records")]
    return Words("Why effects differ", caption, f"A row a comparison. {'; '.join(told)}.")


def _at_values(comparison: Comparison) -> Iterator[tuple[str, pd.DataFrame]]:
    table = effects_at_values(comparison)
    for outcome, own in table.groupby("outcome", sort=False):
        rows: list[dict[Any, Any]] = own.to_dict("records")
        frame = pd.DataFrame(
            [
                {
                    **row,
                    "head": f"{moderator_words(row['moderator'])}: {level_words(row['value'])}",
                    "label": comparison.evidence.about.words(row["disease"]),
                    "text": f"{ratio(row['q50'])} ({ratio(row['q2.5'])} to {ratio(row['q97.5'])})",
                    "middle": row["q50"],
                    "low": row["q2.5"],
                    "high": row["q97.5"],
                }
                for row in rows
            ]
        )
        yield str(outcome), frame


def at_values(frame: pd.DataFrame, results: Results) -> Words:
    """Word the effects at values of moderators."""
    comparison, outcome = comparison_of(frame, results), str(frame["outcome"].iloc[0])
    caption = sentences(
        f"Effect on {outcome_in_text(outcome)} in a typical study at values of moderators: ratio, "
        f"{ESTIMATES}. Of a number the least, middle and largest value seen, of a text each level; "
        "a disease may have no study at a value that stands here.",
        NO_CAUSE,
        model_words(comparison),
        verdict_words(comparison, [outcome]),
    )
    told = [f"{row['head']}, {row['label']}: {row['text']}" for row in frame.to_dict("records")]
    title = f"Effects at values of moderators: {outcome_in_text(outcome)}"
    return Words(title, caption, f"A row a value and disease. {'; '.join(told)}.")


def _bubbles(comparison: Comparison) -> Iterator[tuple[str, pd.DataFrame]]:
    for part, frame in effect_bubbles(comparison):
        yield part, frame.assign(axis=moderator_words(str(frame["moderator"].iloc[0])))


def bubbles(frame: pd.DataFrame, results: Results) -> Words:
    """Word the effects of studies against a number."""
    comparison = comparison_of(frame, results)
    outcome, moderator = str(frame["outcome"].iloc[0]), str(frame["moderator"].iloc[0])
    caption = sentences(
        f"Effect on {outcome_in_text(outcome)} in each study against "
        f"{moderator_in_text(moderator)}: circles of an area proportional to the patients of both "
        "arms, at the ratio of the study's own counts, with their 95 % interval; no circle where a "
        "count is known within bounds only. Line and band: effect in a typical study, "
        f"{ESTIMATES}; one slope on the log scale for all diseases.",
        NO_CAUSE,
        model_words(comparison),
        verdict_words(comparison, [outcome]),
    )
    studies = frame[frame["row"] == "study"].to_dict("records")
    told = [
        f"{row['label']}: {row['x']:g}, ratio {ratio(row['raw_min'])} to {ratio(row['raw_max'])}"
        for row in studies
    ]
    title = f"Effects on {outcome_in_text(outcome)} against {moderator_in_text(moderator)}"
    return Words(title, caption, f"A panel a disease. {'; '.join(told)}.")


COEFFICIENTS = FigureKind(
    "effect_moderators", "controlled", _parts(_coefficients), draw_effect_coefficients,
    coefficients, comparison_of,
)  # fmt: skip
AT_VALUES = FigureKind(
    "moderated_effects", "controlled", _parts(_at_values), draw_effects_at, at_values, comparison_of
)
BUBBLES = FigureKind(
    "effect_bubbles", "controlled", _parts(_bubbles), draw_effect_bubbles, bubbles, comparison_of
)
