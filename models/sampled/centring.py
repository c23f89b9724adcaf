"""Which disease levels the sampler moves themselves, and which by their scores.

Where a disease's own studies pin its level down, mu, tau and its score are tied to each other: a
step in one leaves the ridge unless it is minute. The level itself is then the better coordinate;
where data say little it is the worse one (a funnel at tau near zero).
"""

from __future__ import annotations

import numpy as np

from ..terms import Terms

#: From so many studies of one disease on, in any outcome, levels may be coordinates.
_MANY = 50
#: They are where the error of a disease's level is so many times below the spread between diseases.
_CLEARLY = 2.5


def may_be_centred(terms: Terms) -> bool:
    """Whether any disease has so many studies of an outcome that its level may be a coordinate."""
    studies = terms.effects.groupby(["outcome", "disease"]).size()
    return bool(studies.max() >= _MANY)


def centred_levels(terms: Terms) -> np.ndarray:
    """Choose the levels that are coordinates of the sampler; it changes no posterior.

    Parameters
    ----------
    terms : Terms
        The likelihood.

    Returns
    -------
    numpy.ndarray
        1 for a level, 0 for a score; shape (outcome times disease,).
    """
    cells = len(terms.outcomes) * len(terms.diseases)
    cell = (terms.effects["outcome"] * len(terms.diseases) + terms.effects["disease"]).to_numpy()
    level = _crude_levels(terms)
    known = np.isfinite(level)
    count = np.bincount(cell[known], minlength=cells)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cell[known], level[known], cells) / count
        squares = np.bincount(cell[known], (level - mean[cell])[known] ** 2, cells)
        error = np.sqrt(squares / np.maximum(count - 1, 1) / count)
    shape = (len(terms.outcomes), len(terms.diseases))
    own = np.where(count >= _MANY, mean, np.nan).reshape(shape)
    spread = np.array([np.nanstd(each) if np.isfinite(each).any() else 0.0 for each in own])
    enough = (count >= _MANY) & (_CLEARLY * error < np.repeat(spread, shape[1]))
    return enough.astype(float)


def _crude_levels(terms: Terms) -> np.ndarray:
    """Level of each effect by its own counts, bounded ones by their middle; NaN where unknown."""
    pairs = terms.pairs.groupby("term").mean()
    each = terms.terms.join(pairs[["p", "1-p", "q", "1-q", "1-pq"]])
    level = np.full(len(terms.effects), np.nan)
    for effect, yes, no in (("effect", "p", "1-p"), ("child_effect", "q", "1-q")):
        own = each[(each[effect] >= 0) & (each["1-pq"] == 0)].groupby(effect)
        sums = own[[yes, no, "years"]].agg({yes: "sum", no: "sum", "years": "mean"})
        odds = (sums[yes] + 0.5) / (sums[no] + 0.5) / sums["years"]
        level[sums.index.to_numpy(int)] = np.log(odds.to_numpy(float))
    return level
