"""The figure of later studies: what it shows, and its words from what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ....data.names import outcome_in_text, outcome_words
from ....figures.later import draw_later
from .closing import model_words, sentences, verdict_words
from .exhibit import FigureKind, Words
from .wording import count, ratio

if TYPE_CHECKING:
    from ..frames.results import Results


def later_data(results: Results) -> pd.DataFrame:
    """Lay out later studies beside their predictions, as `draw_later` takes them."""
    rows: list[dict[str, Any]] = []
    for row in results.later.counts.to_dict("records"):
        low, high, n = row["events_min"], row["events_max"], row["n"]
        about = {"kind": "rate", "text": f"{count(low, high)} of {n}"}
        rows.append(
            _about(row, about)
            | {"low": row["q2.5"] / n, "middle": row["q50"] / n, "high": row["q97.5"] / n}
            | {"seen_low": low / n, "seen_high": high / n, "seen": low / n if low == high else None}
        )
    for row in results.later.effects.to_dict("records"):
        about = {"kind": "effect", "text": _raw_words(row)}
        ends = {"low": "q2.5", "middle": "q50", "high": "q97.5"}
        seen = {"seen_low": "raw_low", "seen": "raw", "seen_high": "raw_high"}
        ratios = {name: float(np.exp(row[column])) for name, column in (ends | seen).items()}
        rows.append(_about(row, about) | ratios)
    return pd.DataFrame(rows).astype({"seen": float}) if rows else pd.DataFrame()


def _about(row: dict[Any, Any], about: dict[str, Any]) -> dict[str, Any]:
    label = f"{row['label']}, {outcome_in_text(row['outcome'])}"
    named = {name: row[name] for name in ("study", "disease", "outcome")}
    return named | {"label": label} | about


def _raw_words(row: dict[Any, Any]) -> str:
    low, middle, high = (ratio(float(np.exp(row[n]))) for n in ("raw_low", "raw", "raw_high"))
    return f"{low} to {high}" if row["raw"] != row["raw"] else f"{middle} ({low} to {high})"


def later(frame: pd.DataFrame, results: Results) -> Words:
    """Word later studies beside their predictions."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    effects = bool((frame["kind"] == "effect").any())
    caption = sentences(
        "Studies published since the review beside what this fit, which has not seen them, "
        "predicts of a new study of their size: faint bars are central 95 % prediction intervals, "
        "marks what was seen.",
        "Ratios compare treated with control arms; the predicted one is that of the next study in "
        "the disease, its study effect included, and the line is the study's own 95 % interval."
        if effects
        else "",
        model_words(results),
        verdict_words(results, outcomes),
    )
    told = [
        f"{row['label']}: {row['text']} ({'ratio' if row['kind'] == 'effect' else 'patients'})"
        for row in frame.to_dict("records")
    ]
    named = outcome_words(outcomes[0]).lower() if len(outcomes) == 1 else "outcomes"
    return Words(f"Later studies and their prediction, {named}", caption, f"{'; '.join(told)}.")


LATER = FigureKind("later", "later", lambda results: [("", later_data(results))], draw_later, later)
