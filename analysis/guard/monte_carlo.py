"""How far the guard's p-values may be off for being computed from draws, and what is clear then."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

#: A p-value is clear of a threshold when it is so many of its errors away from it ...
ERRORS = 4
#: ... and is computed no further once its error is below this.
PRECISE = 0.0005


def mean_and_error(
    values: np.ndarray,
    weights: np.ndarray | None = None,
    together: int = 1,
    independent: bool = False,
) -> tuple[float, float]:
    """Average draws, and give the standard error of the average.

    Parameters
    ----------
    values : numpy.ndarray
        Draws in the order of the chains, shape (draw,).
    weights : numpy.ndarray, optional
        Of the draws, summing to one: an estimator of importance sampling.
    together : int
        So many neighbours stem from one draw, and are not independent of each other.
    independent : bool
        The draws were not sampled by a chain: they have no autocorrelation.

    Returns
    -------
    tuple of float
        Autocorrelation counts: the error is that of the influence of every draw on the average.
    """
    shares = np.full(len(values), 1 / len(values)) if weights is None else weights
    mean = float(shares @ values)
    influence = (shares * (values - mean)).reshape(-1, together).sum(axis=1) * len(values)
    influence = influence / together
    if np.ptp(influence) < 1e-15:
        return mean, 0.0
    least = float(influence.std() / np.sqrt(len(influence)))
    if independent:
        return mean, least
    from arviz_stats.base.array import array_stats

    error: Any = array_stats.mcse(influence[None], method="mean", chain_axis=0, draw_axis=1)
    return mean, float(error) if np.isfinite(error) else least


def strict(p: float, error: float) -> float:
    """Give the p-value that is judged: the smallest that the true one may well be.

    Where the p-value is clear of every threshold it is judged alike; where it is not, the stricter
    verdict follows, from whichever draws.
    """
    return p - ERRORS * error


def p_words(p: float, error: float) -> str:
    """Write a mid-p value with its error, where that is large enough to be seen."""
    return f"mid-p {p:.2g}" if error < PRECISE else f"mid-p {p:.3f} ± {error:.3f}"


def why_stricter(p: float, error: float, judge: Callable[[float, float], str]) -> str:
    """Say that a verdict is the stricter of two between which the error does not decide."""
    if judge(p, error) == judge(p, 0.0):
        return ""
    return " So near to a threshold the stricter verdict stands."


def is_clear(p: float, error: float, thresholds: Iterable[float]) -> bool:
    """Whether more draws would not change a verdict, or not by enough to matter."""
    return error < PRECISE or all(abs(p - each) > ERRORS * error for each in thresholds)
