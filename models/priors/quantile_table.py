"""Tabulated quantile functions: how any prior becomes data of one compiled model.

A top-level parameter is a standard normal score pushed through the quantile function of its prior.
The function is held as values and slopes at equally spaced scores and joined by cubic Hermite
pieces, for standard deviations on the log scale, so that another prior of any family is another
table.
"""

from __future__ import annotations

import numpy as np

from .prior import Prior

LOWEST, HIGHEST, STEP = -8.0, 8.0, 1 / 32
SCORES = np.arange(LOWEST, HIGHEST + STEP / 2, STEP)

#: Standard deviations beyond these bounds are held there: no likelihood of counts tells them apart.
LEAST_DEVIATION, LARGEST_DEVIATION = 1e-12, 1e6
_LOG_BOUNDS = (np.log(LEAST_DEVIATION), np.log(LARGEST_DEVIATION))
_LEVEL_BOUNDS = (-1e6, 1e6)


def quantile_table(prior: Prior, positive: bool) -> np.ndarray:
    """Tabulate a prior's quantile function over standard normal scores.

    Parameters
    ----------
    prior : Prior
        The prior.
    positive : bool
        True for a standard deviation: the table then holds logarithms.

    Returns
    -------
    numpy.ndarray
        Values (levels on the linear scale, or logs of standard deviations) and slopes (per unit of
        score) at `SCORES`, shape (2, node).
    """
    value = prior.at_normal_score(SCORES)
    with np.errstate(all="ignore"):
        table = np.log(value) if positive else value
        slope = np.zeros_like(table)
        if prior.fixed is None:
            log_slope = -(SCORES**2) / 2 - np.log(2 * np.pi) / 2 - prior.logpdf(value)
            slope = np.exp(log_slope - (table if positive else 0))
    low, high = _LOG_BOUNDS if positive else _LEVEL_BOUNDS
    held = ~np.isfinite(slope) | ~(table > low) | ~(table < high)
    return np.stack([np.clip(np.nan_to_num(table, nan=low), low, high), np.where(held, 0, slope)])
