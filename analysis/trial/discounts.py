"""What is left of a recommended size when the design prior is discounted for optimism."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import optimize

from ...models.rates.prior import AnyPrior, WeightedRates
from .requests import smallest_lasting

DISCOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Beyond this many log-odds a discount says nothing about optimism any more.
LARGEST_DISCOUNT = 10.0


def discounted(prior: AnyPrior, discount: float, direction: str) -> AnyPrior:
    """Return the prior with its log-odds moved towards failure by `discount`."""
    return prior.shifted(-discount if direction == "above" else discount) if discount else prior


def under_discounts(
    prior: AnyPrior, direction: str, asked: float
) -> tuple[dict[float, WeightedRates], Callable[[float], WeightedRates]]:
    """Return the prior at the usual discounts and the one asked for, and at any further one."""
    # One quadrature serves every discount.
    believed = prior.shifted(0.0)

    def at(discount: float) -> WeightedRates:
        return believed.shifted(-discount if direction == "above" else discount)

    return {value: at(value) for value in sorted({*DISCOUNTS, asked})}, at


def by_discount(
    sizes: Sequence[int], suffices: Mapping[float, np.ndarray], spare: Callable[[float], float]
) -> dict:
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
    rows = [
        {"discount": value, "recommended_n": smallest_lasting(sizes, own)}
        for value, own in suffices.items()
    ]
    if spare(0.0) < 0:
        limit = 0.0
    elif spare(LARGEST_DISCOUNT) >= 0:
        limit = None
    else:
        limit = float(optimize.brentq(spare, 0.0, LARGEST_DISCOUNT, xtol=1e-6))
    return {"discounts": rows, "discount_limit": limit}
