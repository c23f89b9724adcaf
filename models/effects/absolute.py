"""What an effect means for patients: rates, differences, ratios, and numbers needed to treat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...data.errors import InputError
from ..exact.distribution import Distribution
from ..outcomes import Link, inverse_link, link_function

#: Statistics of each quantity, in the order of `absolute_effects`.
RATE_STATISTICS = ("mean", "q2.5", "q50", "q97.5")
Quantity = Literal["control_rate", "treated_rate", "risk_difference", "risk_ratio"]
QUANTITIES: tuple[Quantity, ...] = (
    "control_rate",
    "treated_rate",
    "risk_difference",
    "risk_ratio",
)

_INTERVAL = np.array([0.025, 0.5, 0.975])
#: Levels that stand for a control rate's distribution, closer in its tails.
_NODES = 200
#: Parts of which a search for a quantile keeps one, and how often.
_PARTS, _ROUNDS = 16, 7
#: Where quantiles are sought: of rates and differences, and of the logarithm of a ratio.
_ENDS = {"treated_rate": (0.0, 1.0), "risk_difference": (-1.0, 1.0), "risk_ratio": (-60.0, 60.0)}


@dataclass(frozen=True)
class Needed:
    """How many must be treated for one more to benefit, or to be harmed, as limits.

    Attributes
    ----------
    benefit, harm : tuple of float or None
        From the fewest to the most; None where the risk difference does not tell.
    """

    benefit: tuple[float, float] | None = None
    harm: tuple[float, float] | None = None


def level_nodes(distribution: Distribution) -> np.ndarray:
    """Levels that stand for a distribution with equal masses; shape (node,).

    Parameters
    ----------
    distribution : Distribution
        Of a level on the linear scale.
    """
    return np.asarray(distribution.quantile((np.arange(_NODES) + 0.5) / _NODES))


def absolute_effects(
    effect: Distribution, control: Distribution | float, link: Link = "logit"
) -> dict[Quantity, np.ndarray]:
    """Say what an effect does to a control rate that is known apart from it.

    Parameters
    ----------
    effect : Distribution
        Of the log odds ratio, or the log hazard ratio for ``cloglog``.
    control : Distribution or float
        The control rate: its level on the linear scale, independent of the effect, or the rate
        itself, between 0 and 1 (a 12-month risk for ``cloglog``).
    link : {"logit", "cloglog"}
        How levels become rates.

    Returns
    -------
    dict of str to numpy.ndarray
        `RATE_STATISTICS` of the control rate, the treated rate, the risk difference (treated less
        control) and the risk ratio.

    Raises
    ------
    InputError
        A control rate that is not between 0 and 1.
    """
    if isinstance(control, float | int):
        if not 0 < control < 1:
            raise InputError(f"the control rate must lie between 0 and 1, not {control:g}")
        levels = np.array([float(link_function(control, link))])
        own = np.full(4, float(control))
    else:
        levels = level_nodes(control)
        mean = float(np.asarray(inverse_link(levels, link)).mean())
        own = np.array([mean, *inverse_link(control.quantile(_INTERVAL), link)])
    rates = np.asarray(inverse_link(levels, link))
    contrasts, masses = effect.nodes
    treated = np.asarray(inverse_link(levels[:, None] + contrasts, link))
    found: dict[Quantity, np.ndarray] = {"control_rate": own}
    means = {
        "treated_rate": treated,
        "risk_difference": treated - rates[:, None],
        "risk_ratio": treated / rates[:, None],
    }
    for name in QUANTITIES[1:]:
        quantiles = _quantiles(name, effect, levels, rates, link)
        found[name] = np.array([float((means[name] @ masses).mean()), *quantiles])
    return found


def _quantiles(name: str, effect: Distribution, levels, rates, link: Link) -> np.ndarray:
    """Invert the distribution function: that of the effect, averaged over controls."""

    def below(value):
        wanted = _treated_rate(name, value[..., None], rates)
        with np.errstate(divide="ignore"):
            needed = np.asarray(link_function(np.clip(wanted, 0.0, 1.0), link)) - levels
        return (1 - effect.above(needed)).mean(axis=-1)

    found = _quantiles_of(below, *_ENDS[name])
    return np.exp(found) if name == "risk_ratio" else found


def _quantiles_of(below: Callable[[np.ndarray], np.ndarray], low: float, high: float) -> np.ndarray:
    """Invert a distribution function between two ends at `_INTERVAL`.

    Each round keeps one part in sixteen; the last is taken as straight. SciPy's root finders would
    take longer to load than to run.
    """
    start, end = np.full(len(_INTERVAL), low), np.full(len(_INTERVAL), high)
    share = np.linspace(0, 1, _PARTS + 1)
    every = np.arange(len(_INTERVAL))
    for _ in range(_ROUNDS):
        points = start[:, None] + (end - start)[:, None] * share
        reached = below(points)
        place = np.clip((reached < _INTERVAL[:, None]).sum(axis=1), 1, _PARTS)
        start, end = points[every, place - 1], points[every, place]
    first, last = reached[every, place - 1], reached[every, place]
    steps = np.maximum(last - first, 1e-300)
    return start + (end - start) * np.clip((_INTERVAL - first) / steps, 0, 1)


def _treated_rate(name: str, value, rates):
    """Treated rate at which a quantity has a value; of a ratio the logarithm is given."""
    if name == "treated_rate":
        return value + 0 * rates
    return rates + value if name == "risk_difference" else rates * np.exp(value)


def number_needed(low: float, high: float, benefit_is_more: bool) -> Needed:
    """Turn the limits of a risk difference into those of a number needed to treat.

    Parameters
    ----------
    low, high : float
        Limits of the risk difference, treated less control.
    benefit_is_more : bool
        Whether more events are better.

    Returns
    -------
    Needed
        To benefit where both limits are better than none, to harm where both are worse; nothing
        where they include 0, about which the number has no limits. It has no mean.

    References
    ----------
    Altman 1998, doi 10.1136/bmj.317.7168.1309.
    """
    if low <= 0 <= high:
        return Needed()
    limits = (1 / max(abs(low), abs(high)), 1 / min(abs(low), abs(high)))
    return Needed(limits) if (low > 0) == benefit_is_more else Needed(None, limits)


def difference_statistics(
    first: Distribution, second: Distribution, bias_sd: float = 0.0
) -> tuple[np.ndarray, float]:
    """Statistics of the difference of two independent levels with a normal bias added.

    Parameters
    ----------
    first, second : Distribution
        Levels on the linear scale.
    bias_sd : float
        Standard deviation of the bias, whose mean is zero.

    Returns
    -------
    statistics : numpy.ndarray, shape (5,)
        Mean, SD, 2.5, 50 and 97.5 % quantiles of first less second.
    above : float
        Probability that it is above zero.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(24 if bias_sd else 1)
    moved = (level_nodes(second)[:, None] - bias_sd * nodes).ravel()
    shares = np.tile(weights / weights.sum() / _NODES, _NODES)

    def below(value):
        return (1 - first.above(value[..., None] + moved)) @ shares

    mean = first.mean - second.mean
    sd = float(np.sqrt(first.sd**2 + second.sd**2 + bias_sd**2))
    quantiles = _quantiles_of(below, mean - 40 * sd, mean + 40 * sd)
    return np.array([mean, sd, *quantiles]), 1 - float(below(np.zeros(1))[0])
