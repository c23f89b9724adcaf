"""Which way a conclusion about a rate or a difference goes: above a limit, or below it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import numpy as np


class HasTails(Protocol):
    """A distribution that knows its two tail probabilities."""

    def above(self, value: float, /) -> float:
        """Give the probability of more than a value."""
        ...

    def below(self, value: float, /) -> float:
        """Give the probability of less than a value."""
        ...


class Direction(StrEnum):
    """The side of a limit on which a conclusion lies: ``above`` for benefits, ``below`` for harms.

    A member equals its word, so that it is written to JSON and to tables as it stands.
    """

    ABOVE = "above"
    BELOW = "below"

    @property
    def sign(self) -> int:
        """1 for above, -1 for below."""
        return 1 if self is Direction.ABOVE else -1

    @property
    def symbol(self) -> str:
        """The mathematical sign: ``>`` or ``<``."""
        return ">" if self is Direction.ABOVE else "<"

    def beyond(self, value, limit):
        """Whether values lie strictly on this side of a limit; arrays are compared by element."""
        return value > limit if self is Direction.ABOVE else value < limit

    def tail(self, distribution: HasTails, limit: float) -> float:
        """Give the probability that a distribution has on this side of a limit."""
        sides = {Direction.ABOVE: distribution.above, Direction.BELOW: distribution.below}
        return float(sides[self](limit))

    def probability(self, above):
        """Give the probability of this side of a limit from the probability of more than it."""
        return above if self is Direction.ABOVE else 1 - above

    def success(self, events, critical):
        """Whether event counts are a success: at least the critical count, or at most it."""
        return events >= critical if self is Direction.ABOVE else events <= critical

    def weakest(self, counts: np.ndarray) -> int:
        """Give the least extreme of some successful event counts, given in increasing order."""
        return int(counts[0] if self is Direction.ABOVE else counts[-1])
