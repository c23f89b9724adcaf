"""A randomised trial that is looked at on its way: where its paths end, exactly.

Given the counts of both arms at a look, the order in which patients had the event says nothing of
the rates. The share of paths that end at a pair of counts is therefore one table for all rates, by
the hypergeometric distribution, and each probability is such a table averaged over two binomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .counts import earlier_counts
from .error_rate import raised_level, strictest_needed
from .two_arm_plan import Plan
from .type1_search import largest_type1

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Ends:
    """The share of paths that end at each pair of counts of each look, by how they end."""

    success: list[np.ndarray]
    failure: list[np.ndarray]


def ends(sizes: Sequence[Size], success: list[np.ndarray], failure: list[np.ndarray]) -> Ends:
    """Follow all paths through the looks.

    Parameters
    ----------
    sizes : sequence of (int, int)
        Experimental and control patients at each look.
    success, failure : list of array of bool, shape (n_experimental + 1, n_control + 1)
        Where a look ends the trial; at the last one of the two holds everywhere.
    """
    going, before = np.ones((1, 1)), (0, 0)
    won, lost = [], []
    for size, high, low in zip(sizes, success, failure, strict=True):
        there = earlier_counts(size[0], before[0]) @ going @ earlier_counts(size[1], before[1]).T
        won.append(there * high)
        lost.append(there * low)
        going, before = there * ~(high | low), size
    return Ends(won, lost)


@dataclass(frozen=True, eq=False)
class Looks:
    """The looks of a trial at one level of its rule."""

    plan: Plan
    level: float

    @property
    def sizes(self) -> list[Size]:
        """Experimental and control patients at each look."""
        return self.plan.sizes

    @cached_property
    def success(self) -> np.ndarray:
        """Whether each pair of final counts is a success."""
        return self.plan.posterior[-1] > self.level

    @cached_property
    def chances(self) -> list[np.ndarray]:
        """What each interim look goes by: the probability of success, or the posterior one."""
        if self.plan.request.stop_by == "posterior":
            return self.plan.posterior[:-1]
        return [
            experimental @ self.success @ control.T for experimental, control in self.plan.ahead
        ]

    def regions(self, binding: bool = True) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Where each look ends the trial, by success and by failure; no futility if not binding."""
        asked = self.plan.request
        efficacy = np.inf if asked.efficacy is None else asked.efficacy
        if asked.stop_by == "posterior":
            efficacy = max(efficacy, self.level)
        futility = -np.inf if asked.futility is None or not binding else asked.futility
        return (
            [*(chance > efficacy for chance in self.chances), self.success],
            [*(chance < futility for chance in self.chances), ~self.success],
        )

    def ends(self, binding: bool = True) -> Ends:
        """Return the shares of paths that end at each look."""
        return ends(self.sizes, *self.regions(binding))

    def error(self, binding: bool = False) -> float:
        """Largest probability of success over all looks where the difference is the margin."""
        asked = self.plan.request
        return largest_type1(self.ends(binding).success, asked.margin, asked.controls)


def calibrated(plan: Plan) -> Looks:
    """Raise the level until the type I error over all looks keeps its bound."""
    asked = plan.request
    if asked.type1 is None:
        return Looks(plan, asked.level)
    tables = plan.posterior if asked.stop_by == "posterior" else plan.posterior[-1:]
    everything = np.concatenate([table.ravel() for table in tables])
    levels = np.append(asked.level, np.unique(everything[everything > asked.level])[:-1])
    step = strictest_needed(
        lambda step: Looks(plan, float(levels[step])).error(), len(levels), asked.type1
    )
    if step == 0:
        return Looks(plan, asked.level)
    return Looks(plan, raised_level(everything, asked.level, levels[step]))
