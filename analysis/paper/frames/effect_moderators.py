"""What goes with the effects of studies, gathered into tidy frames."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ....data.names import study_labels
from ...effects.results import moderated_effects
from ...fitting.moderated import moderators, moderators_of
from .effects import Comparison


def effect_coefficients(comparison: Comparison) -> pd.DataFrame:
    """Give the coefficients of effects, those of numbers per standard deviation.

    Returns
    -------
    pandas.DataFrame
        As `fitting.moderated.moderators`, with ``added``; no rows where effects have no moderators.
    """
    table = moderators(comparison.tree)
    table = table[table["per"] != "unit"].reset_index(drop=True)
    return table.assign(added=comparison.added)


def effects_at_values(comparison: Comparison) -> pd.DataFrame:
    """Give the ratios of typical studies at values of moderators.

    Returns
    -------
    pandas.DataFrame
        One row a moderator, value and disease with controlled studies: ``value`` is a number or a
        level, ``studies`` are those with this level (of a number all), ``q2.5, q50, q97.5`` ratios.
    """
    table = moderated_effects(comparison.tree)
    table = table[table["row"] == "value"].reset_index(drop=True)
    value = table["x"].astype(object).where(table["x"].notna(), table["value"])
    return _as_ratios(table).assign(value=value, added=comparison.added).drop(columns=["x", "row"])


def effect_bubbles(comparison: Comparison) -> Iterator[tuple[str, pd.DataFrame]]:
    """Gather each number and outcome: the studies' own ratios, and the line through them.

    Yields
    ------
    str, pandas.DataFrame
        What it is of, and one row a study or a point of the line, as `draw_effect_bubbles` takes
        it: of a study ``middle`` (missing where a count is bounded), ``raw_min, raw_max`` (95 %
        limits of its own counts), ``n``; of a line the ratio of a typical study.
    """
    labels = study_labels(comparison.evidence.studies)
    values = {each.name: each.values for each in moderators_of(comparison.tree)}
    table = moderated_effects(comparison.tree)
    lines = _as_ratios(table[table["row"] == "line"])
    for (outcome, name), line in lines.groupby(["outcome", "moderator"], sort=False):
        studies = comparison.studies
        own = studies[(studies["outcome"] == outcome) & studies["informs"].map(bool)]
        rows = [
            {
                "row": "study", "study": row["study"], "label": labels[row["study"]],
                "disease": row["disease"], "x": float(values[str(name)][row["study"]]),
                "n": int(row["treated_n"]) + int(row["control_n"]),
                "middle": np.exp(row["raw"]), "raw_min": np.exp(row["raw_low"]),
                "raw_max": np.exp(row["raw_high"]),
            }
            for row in own.to_dict("records")
        ]  # fmt: skip
        points = line[["row", "disease", "x", "q2.5", "q50", "q97.5"]].to_dict("records")
        frame = pd.DataFrame([*rows, *points])
        about = {"outcome": outcome, "moderator": name, "added": comparison.added}
        yield f"{outcome}_{name}", frame.assign(**about)


def _as_ratios(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(**{q: np.exp(table[q]) for q in ("q2.5", "q50", "q97.5")})
