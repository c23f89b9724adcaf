"""Questions about a rate: whether it exceeds a threshold, or stays below one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...data.errors import InputError
from ...data.outcomes import Outcome, outcome
from ...models.direction import Direction

#: Probability that a conclusion wants.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Question:
    """A conclusion that may be drawn of the rate of an outcome in every disease.

    Attributes
    ----------
    threshold : float
        A rate, strictly between 0 and 1.
    direction : Direction
        Whether the conclusion is that the rate exceeds the threshold, or that it stays below it.
    """

    threshold: float
    direction: Direction = Direction.ABOVE


def questions(threshold: float | str | None, outcomes: Sequence[str]) -> dict[str, Question]:
    """Say what is asked of each outcome.

    Parameters
    ----------
    threshold : float or "usual" or None
        Asks of every outcome whether its rate exceeds it; ``usual`` asks what is usual for each
        (whether a benefit is commoner than its threshold in the dictionary, a harm rarer), None
        asks nothing.
    outcomes : sequence of str
        The outcomes.

    Returns
    -------
    dict of str to Question
        By outcome.

    Raises
    ------
    InputError
        A threshold that is not strictly between 0 and 1.
    """
    if threshold is None:
        return {}
    if threshold == "usual":
        return {name: _usual(outcome(name)) for name in outcomes}
    if isinstance(threshold, str) or not 0 < threshold < 1:
        raise InputError(f"threshold must lie strictly between 0 and 1, not {threshold}")
    return {name: Question(float(threshold)) for name in outcomes}


def _usual(asked: Outcome) -> Question:
    return Question(asked.threshold, Direction.BELOW if asked.is_harm else Direction.ABOVE)
