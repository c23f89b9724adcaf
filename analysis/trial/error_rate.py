"""The overall error rate of a rule, and the threshold at which it keeps its bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ...data.errors import InputError
from .phrases import rate_words
from .type1_search import level_above

# Above this rate of false success (or stop) who did not bound it is told so first.
HIGH = 0.1


@dataclass(frozen=True)
class ErrorRate:
    """How often the rule is wrong, all looks included, and what set its threshold.

    Parameters
    ----------
    rate : float
        True rate (in two arms, difference) at which the error is made.
    wanted : float or None
        The bound that was asked for.
    overall : float
        Probability of a false success, or false stop for harm, over all looks; stops for futility
        are not counted on.
    overall_binding : float
        The same where the trial does stop for futility (or clears).
    level : float
        Posterior probability that the rule asks for.
    set_by : {"level", "type1"}
        Which of the two wishes set that threshold, the stricter one.
    where : str
        What the truth is where the error is made, and how often the rule looks, in words.
    """

    rate: float
    wanted: float | None
    overall: float
    overall_binding: float
    level: float
    set_by: str
    where: str

    @property
    def warning(self) -> str:
        """What must be said first; nothing where the error is bounded or small."""
        if self.wanted is not None or self.overall <= HIGH:
            return ""
        return (
            f"Warning: this rule errs with probability {rate_words(self.overall)} {self.where}; "
            "give type1 to bound it."
        )

    @property
    def words(self) -> str:
        """The threshold and what set it, where a bound was asked for."""
        if self.wanted is None:
            return ""
        if self.set_by == "level":
            return f" (which keeps the type I error over all looks at most {self.wanted:g})"
        return f" (raised until the type I error over all looks is at most {self.wanted:g})"


def strictest_needed(errors: Callable[[int], float], steps: int, bound: float) -> int:
    """Return the first of `steps` ever stricter rules whose error keeps its bound.

    Parameters
    ----------
    errors : callable
        Gives the error of a step; it never rises from one to the next.
    steps : int
        How many there are.
    bound : float
        Of the error.

    Raises
    ------
    InputError
        When not even the last keeps it; it says the least error that can be had.
    """
    least = errors(steps - 1)
    if least > bound:
        raise InputError(
            f"type1 {bound:g}: no threshold reaches it at these looks; the least is {least:.2g}"
        )
    low, high = -1, steps - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if errors(middle) <= bound else (middle, high)
    return high


def raised_level(probabilities: np.ndarray, level: float, strict: float) -> float:
    """Return the level, with few digits, that excludes probabilities up to `strict` and no more."""
    levels = np.unique(probabilities[probabilities > level])
    return level_above(levels, int(np.searchsorted(levels, strict)))
