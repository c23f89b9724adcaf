"""What is asked of a rate: whether it exceeds a threshold, or stays below one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Probability that a conclusion wants.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Question:
    """A conclusion that may be drawn of the rate of an outcome in every disease.

    Attributes
    ----------
    threshold : float
        A rate, strictly between 0 and 1.
    above : bool
        Whether the conclusion is that the rate exceeds it; else that the rate stays below it.
    """

    threshold: float
    above: bool = True

    @property
    def direction(self) -> str:
        """``above`` or ``below``."""
        return "above" if self.above else "below"

    def probability(self, above: np.ndarray) -> np.ndarray:
        """Give the conclusion's probability from that of exceeding the threshold."""
        return above if self.above else 1 - above


#: Asked where nobody names a threshold: that a benefit is had by more than three in ten, and that a
#: harm stays rarer than half, three in ten, and one in ten where it is grave.
USUAL = {
    "any_ae": Question(0.5, above=False),
    "moderate_severe_ae": Question(0.3, above=False),
    "serious_ae": Question(0.1, above=False),
    "death": Question(0.1, above=False),
}
_BENEFIT = Question(0.3)


def questions(threshold: float | str | None, outcomes: Sequence[str]) -> dict[str, Question]:
    """Say what is asked of each outcome.

    Parameters
    ----------
    threshold : float or "usual" or None
        Asks of every outcome whether its rate exceeds it; ``usual`` asks what is usual for each
        (`USUAL`; of other outcomes whether more than 30 % have them), None asks nothing.
    outcomes : sequence of str
        The outcomes.

    Returns
    -------
    dict of str to Question
        By outcome.

    Raises
    ------
    ValueError
        A threshold that is not strictly between 0 and 1.
    """
    if threshold is None:
        return {}
    if threshold == "usual":
        return {name: USUAL.get(name, _BENEFIT) for name in outcomes}
    if isinstance(threshold, str) or not 0 < threshold < 1:
        raise ValueError(f"threshold must lie strictly between 0 and 1, not {threshold}")
    return {name: Question(float(threshold)) for name in outcomes}
