"""Effects of typical studies at values of moderators: what is drawn of them and told in rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...data.moderators import Moderator, levels_seen
from ...models.moderators import design_of
from ...models.terms import Terms

COLUMNS = (
    *("outcome", "moderator", "row", "x", "value", "studies", "disease"),
    *("q2.5", "q50", "q97.5"),
)
#: Points of a line.
_POINTS = 41


def effects_at(posterior: Any, terms: Terms) -> pd.DataFrame:
    """Give effects at values of each moderator, the others where effects are reported.

    Parameters
    ----------
    posterior : xarray.Dataset
        Draws of ``theta`` without what moderators add, and of ``beta``.
    terms : Terms
        The contrasts, with their design.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, for moderators in which studies of the outcome differ: of a text a ``row``
        ``value`` for each level; of a number for its least, middle and largest one, and the points
        of a ``line``; ``x`` is a number's value. For every disease with controlled studies,
        quantiles on the linear scale.
    """
    beta = posterior["beta"].transpose("chain", "draw", "outcome", "coefficient").to_numpy()
    assert terms.design is not None, "asked for with moderators only"
    rows = []
    for code, name in enumerate(terms.names):
        own = terms.rows[terms.rows["outcome"] == name].drop_duplicates("study")
        theta = posterior["theta"].sel(outcome=name).transpose("chain", "draw", "disease")
        for moderator in terms.design.moderators:
            if not moderator.differs_among(own["study"]):
                continue
            for row, value, studies in _values(moderator, own["study"].tolist()):
                moved = [
                    replace(each, at=value) if each.name == moderator.name else each
                    for each in terms.design.moderators
                ]
                at = design_of(moved, terms.names, terms.effects, terms.rows).at[code]
                shift = beta[:, :, code] @ at
                number = isinstance(value, float)
                about = {
                    "outcome": name, "moderator": moderator.name, "row": row,
                    "x": value if number else np.nan, "value": "" if number else value,
                    "studies": studies,
                }  # fmt: skip
                for disease in dict.fromkeys(own["disease"]):
                    levels = theta.sel(disease=disease).to_numpy() + shift
                    low, middle, high = np.quantile(levels, [0.025, 0.5, 0.975]).tolist()
                    quantiles = {"q2.5": low, "q50": middle, "q97.5": high}
                    rows.append({**about, "disease": disease, **quantiles})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _values(moderator: Moderator, studies: list[str]) -> list[tuple[str, float | str, int]]:
    """Give kind, value and studies of each row."""
    if not moderator.is_number:
        return [("value", *each) for each in levels_seen(moderator, studies).items()]
    seen = np.array([moderator.values[study] for study in studies], float)
    ends = dict.fromkeys([float(seen.min()), float(np.median(seen)), float(seen.max())])
    line = np.linspace(seen.min(), seen.max(), _POINTS).tolist()
    told: list[tuple[str, float | str, int]] = [("value", value, len(studies)) for value in ends]
    return told + [("line", value, len(studies)) for value in line]
