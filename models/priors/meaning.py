"""What a prior of a spread says in words: by what factor it lets the odds of two levels differ."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from .prior import Prior

#: Share of pairs that a stated factor holds for.
SHARE = 0.95
#: Equally likely values by which a prior is represented.
_VALUES = 2000


def factor_between(spread: Prior, share: float = SHARE) -> float:
    """Give the factor within which the odds of two exchangeable levels lie.

    Two levels with a common standard deviation differ by a normal with its square doubled; here the
    standard deviation is itself drawn from its prior.

    Parameters
    ----------
    spread : Prior
        Of the standard deviation, on the log-odds (log hazard).
    share : float
        Share of pairs that the factor holds for.

    Returns
    -------
    float
        The larger odds (hazard) over the smaller; inf beyond what a double holds.
    """
    deviations = np.maximum(spread.ppf((np.arange(_VALUES) + 0.5) / _VALUES), 1e-300)

    def within(log_factor: float) -> float:
        return float(np.mean(1 - 2 * ndtr(-log_factor / (math.sqrt(2) * deviations))))

    low, high = 0.0, 1.0
    while within(high) < share:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if within(middle) < share else (low, middle)
    return math.exp(high) if high < 700 else math.inf


def factor_words(spread: Prior) -> str:
    """Write that factor in two digits, with the share of pairs that it holds for."""
    factor = factor_between(spread)
    return f"within a factor of {factor:.2g} of each other in {100 * SHARE:.0f} % of pairs"
