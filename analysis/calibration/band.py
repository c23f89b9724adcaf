"""The simultaneous band of a uniform ECDF, which holds the whole of it exactly as often as said."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

#: Halvings of what is left of a band's width on the logarithm of its tails.
_HALVINGS = 40


def held(low: np.ndarray, high: np.ndarray, points: np.ndarray, sims: int) -> float:
    """Give the probability that the ECDF of uniform places stays within bounds at every point.

    Counts up to ascending points are a Markov chain: those between two points are binomial among
    the places beyond the first.

    Parameters
    ----------
    low, high : numpy.ndarray of int, shape (point,)
        Least and greatest number of places up to each point.
    points : numpy.ndarray, shape (point,)
        Ascending, between 0 and 1.
    sims : int
        Places.

    References
    ----------
    Säilynoja, Bürkner and Vehtari 2022, doi 10.1007/s11222-022-10090-6, section 2.
    """
    factorials = gammaln(np.arange(sims + 1) + 1.0)
    counts, masses, before = np.zeros(1, int), np.ones(1), 0.0
    for least, most, point in zip(low, high, points, strict=True):
        following = np.arange(least, most + 1)
        rest, more = sims - counts[:, None], following - counts[:, None]
        possible = more >= 0
        more = np.where(possible, more, 0)
        chance = (point - before) / (1 - before)
        logs = factorials[rest] - factorials[more] - factorials[rest - more]
        logs += xlogy(more, chance) + xlog1py(rest - more, -chance)
        masses = masses @ np.where(possible, np.exp(logs), 0.0)
        counts, before = following, point
    return float(masses.sum())


@lru_cache(maxsize=32)
def band(sims: int, probability: float, ranks: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give points, and the ends of a band that holds a uniform ECDF at all of them.

    Of bands with equal tails at every point, the narrowest that holds it with the probability
    asked for or, as counts are whole, a little more.

    Parameters
    ----------
    sims : int
        Places behind the ECDF.
    probability : float
        How often the whole of it is held.
    ranks : int
        Ranks that a place can have above the least: the points lie between them.
    """
    from arviz_stats import ecdf_utils

    points = np.arange(1, ranks + 1) / (ranks + 1)

    def ends(tail: float) -> tuple[np.ndarray, np.ndarray]:
        return ecdf_utils.get_pointwise_confidence_band(1 - np.exp(tail), sims, points)

    # No point alone is held less often than all together, nor more often than Bonferroni's.
    wide, narrow = np.log((1 - probability) / ranks), np.log(1 - probability)
    for _ in range(_HALVINGS):
        middle = (wide + narrow) / 2
        low, high = (np.rint(each * sims).astype(int) for each in ends(middle))
        wide, narrow = (
            (middle, narrow) if held(low, high, points, sims) >= probability else (wide, middle)
        )
    return points, *ends(wide)
