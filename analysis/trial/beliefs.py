"""The priors of a design: of its analysis, and of the truth, discounted for optimism."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy import optimize

from ...models.direction import Direction
from ...models.rates.prior import AnyPrior, WeightedRates, as_prior
from .operating import Analysis, as_analysis
from .result import smallest_lasting

DISCOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Beyond this many log-odds a discount says nothing about optimism any more.
LARGEST_DISCOUNT = 10.0


@dataclass(frozen=True, eq=False)
class Priors[A]:
    """What the trial's own analysis uses, and what is believed about the truth.

    Parameters
    ----------
    analysis : Analysis or RatePrior
        Of the new trial.
    design : prior or None
        Of the true rate, without discount.
    discount : float
        Optimism of the design prior, on the log-odds.
    direction : Direction
        Of success.
    """

    analysis: A
    design: AnyPrior | None
    discount: float = 0.0
    direction: Direction = Direction.ABOVE

    @cached_property
    def believed(self) -> AnyPrior | None:
        """The design prior, discount included."""
        if self.design is None:
            return None
        return discounted(self.design, self.discount, self.direction)

    @property
    def belief(self) -> str:
        """The design prior with its discount, in words."""
        assert self.design is not None
        text = self.design.words
        if self.discount:
            text += f", with a discount for optimism of {self.discount:g} on the log-odds"
        return text

    @property
    def said(self) -> dict[str, str | None]:
        """Both in words, by the names of the request."""
        words: Any = self.analysis
        design = None if self.design is None else self.design.words
        return {"analysis_prior": words.words, "design_prior": design}

    @property
    def used(self) -> dict[str, Any]:
        """The design prior, where there is one, and the analysis prior, by what they are."""
        named = {} if self.believed is None else {"design prior": self.believed}
        return named | {"analysis prior": self.analysis}


def priors_of(
    analysis: str | AnyPrior | Analysis,
    design: str | AnyPrior | None,
    discount: float,
    direction: Direction,
) -> Priors[Analysis]:
    """Read the priors of a trial that decides on one rate."""
    believed = None if design is None else as_prior(design)
    return Priors(as_analysis(analysis), believed, discount, direction)


def discounted(prior: AnyPrior, discount: float, direction: Direction) -> AnyPrior:
    """Return the prior with its log-odds moved towards failure by `discount`."""
    return prior.shifted(-direction.sign * discount) if discount else prior


def under_discounts(
    prior: AnyPrior, direction: Direction, asked: float
) -> tuple[dict[float, WeightedRates], Callable[[float], WeightedRates]]:
    """Return the prior at the usual discounts and the one asked for, and at any further one."""
    # One quadrature serves every discount.
    believed = prior.shifted(0.0)

    def at(discount: float) -> WeightedRates:
        return believed.shifted(-direction.sign * discount)

    return {value: at(value) for value in sorted({*DISCOUNTS, asked})}, at


@dataclass(frozen=True)
class DiscountedSize:
    """The recommended size at a discount."""

    discount: float
    recommended_n: int | None


@dataclass(frozen=True)
class Discounted:
    """The recommended size at each discount, and the smallest discount that leaves none."""

    discounts: tuple[DiscountedSize, ...]
    discount_limit: float | None


def by_discount(
    sizes: Sequence[int], suffices: Mapping[float, np.ndarray], spare: Callable[[float], float]
) -> Discounted:
    """Return the recommended size at each discount, and the smallest that leaves none.

    Parameters
    ----------
    sizes : sequence of int
        In range.
    suffices : mapping of float to array of bool, shape (sizes,)
        Whether each size suffices, by discount.
    spare : callable
        By how much the largest size has more assurance than wanted at a discount; minus infinity
        where it does not suffice for another reason.
    """
    rows = tuple(
        DiscountedSize(value, smallest_lasting(sizes, own)) for value, own in suffices.items()
    )
    if spare(0.0) < 0:
        limit = 0.0
    elif spare(LARGEST_DISCOUNT) >= 0:
        limit = None
    else:
        limit = float(optimize.brentq(spare, 0.0, LARGEST_DISCOUNT, xtol=1e-6))
    return Discounted(rows, limit)
