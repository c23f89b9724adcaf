"""A posterior of a rate as a beta mixture: the meta-analytic-predictive prior of the next trial."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from ...data.errors import InputError
from .beta_mixture import log_beta_density
from .prior import RatePrior, WeightedRates, sampled_rate

COMPONENTS = (1, 2, 3, 4)
# A density has no sample size; the penalty treats it as this many draws, a usual length of a fit.
DENSITY_SIZE = 4000
# Draws of a rate may underflow to 0 or 1, where a beta's log density is infinite.
SMALLEST = 1e-12
LEAST_SHAPE, LARGEST_SHAPE = 1e-3, 1e6
GROUPS = 1000
SHORT, LONG = 60, 1500
TOLERANCE = 1e-7


@dataclass(frozen=True)
class MapPrior:
    """A beta mixture fitted to the posterior of a rate.

    Parameters
    ----------
    prior : RatePrior
        The mixture.
    distance : float
        Largest difference between the distribution functions (Kolmogorov).
    total_variation : float or None
        Half the integrated absolute difference of the densities; None for draws, which have none.
    criterion : tuple of (int, float)
        Number of components and its penalised deviance (BIC), for every number tried.
    """

    prior: RatePrior
    distance: float
    total_variation: float | None
    criterion: tuple[tuple[int, float], ...]

    def to_dict(self) -> dict:
        """Return the fit as JSON-ready values."""
        return {
            "prior": str(self.prior),
            "distance": self.distance,
            "total_variation": self.total_variation,
            "criterion": {str(parts): value for parts, value in self.criterion},
        }


def map_prior(
    posterior: WeightedRates | np.ndarray,
    components: Sequence[int] = COMPONENTS,
    label: str | None = None,
    unconstrained: bool = False,
) -> MapPrior:
    """Fit a beta mixture to a posterior of a rate by expectation-maximisation.

    Shapes are at least 1, as by default in R's package RBesT: a density that is infinite at 0 or 1
    has no finite information there, so that the prior would not be worth a number of patients.

    Parameters
    ----------
    posterior : WeightedRates or array
        Draws, or a density on a grid (probability scale).
    components : sequence of int
        Numbers of components to try, from 1 to 4.
    label : str, optional
        What the prior is, in words; by default the posterior's label.
    unconstrained : bool
        Allow any shapes above 0.

    Raises
    ------
    InputError
        When there is nothing to fit or a number of components is out of range.

    References
    ----------
    MAP prior: Schmidli et al. 2014, doi:10.1111/biom.12242. Penalty: Schwarz 1978,
    doi:10.1214/aos/1176344136. Shapes: Weber et al. 2021, doi:10.18637/jss.v100.i19.
    """
    if not isinstance(posterior, WeightedRates):
        posterior = sampled_rate(posterior)
    if not components or not set(components) <= set(COMPONENTS):
        raise InputError(f"components {list(components)}: give numbers from 1 to 4")
    rates = np.clip(np.array(posterior.rates), SMALLEST, 1 - SMALLEST)
    if np.ptp(rates) == 0:
        raise InputError("the posterior is a single rate: a beta mixture needs a spread-out one")
    order = np.argsort(rates)
    rates, mass = rates[order], np.array(posterior.weights)[order]
    size = rates.size if posterior.sampled else DENSITY_SIZE
    least = LEAST_SHAPE if unconstrained else 1.0
    fits = {parts: _fit(rates, mass, parts, least) for parts in components}
    criterion = {
        parts: -2 * size * fit[1] + (3 * parts - 1) * np.log(size) for parts, fit in fits.items()
    }
    best = fits[min(criterion, key=lambda parts: criterion[parts])][0]
    return MapPrior(
        replace(best, label=posterior.label if label is None else label),
        *_distances(best, rates, mass, posterior.sampled),
        tuple((parts, float(value)) for parts, value in criterion.items()),
    )


def _fit(rates: np.ndarray, mass: np.ndarray, parts: int, least: float) -> tuple[RatePrior, float]:
    """Return the best mixture of several starts and its mean log density."""
    # Neighbouring rates are one point: their mean logarithms are all that a beta sees of them.
    first = np.unique(np.linspace(0, rates.size, GROUPS, endpoint=False).astype(int))
    grouped = np.add.reduceat(mass, first)
    logs = tuple(
        np.add.reduceat(mass * value, first) / grouped
        for value in (np.log(rates), np.log1p(-rates))
    )
    begun = [(w, *np.maximum([a, b], least)) for w, a, b in _starts(rates, mass, parts)]
    starts = [_maximise(start, logs, grouped, SHORT, least) for start in begun]
    best = max(starts, key=lambda fitted: fitted[1])
    (weights, a, b), level = _maximise(best[0], logs, grouped, LONG, least)
    order = np.argsort(-weights)
    weights, a, b = weights[order] / weights.sum(), a[order], b[order]
    return RatePrior(tuple(weights.tolist()), tuple(a.tolist()), tuple(b.tolist())), level


def _starts(rates: np.ndarray, mass: np.ndarray, parts: int) -> list[tuple]:
    """Two beginnings: side by side in the rate, and nested around one mean."""
    place = np.cumsum(mass) - mass / 2
    owner = np.minimum((place * parts).astype(int), parts - 1)
    means, sizes = [], []
    for part in range(parts):
        own = mass * (owner == part) / np.sum(mass[owner == part])
        means.append(np.dot(own, rates))
        sizes.append(_size(means[-1], np.dot(own, (rates - means[-1]) ** 2)))
    mean = np.dot(mass, rates)
    joint = _size(mean, np.dot(mass, (rates - mean) ** 2))
    nested = joint * 2.0 ** (np.arange(parts) - (parts - 1) / 2)
    equal = np.full(parts, 1 / parts)
    return [
        (equal, location * size, (1 - location) * size)
        for location, size in (
            (np.array(means), np.array(sizes)),
            (np.full(parts, mean), nested),
        )
    ]


def _size(mean: float, variance: float) -> float:
    return float(np.clip(mean * (1 - mean) / max(variance, 1e-12) - 1, 0.1, 1e4))


def _maximise(
    start: tuple, logs: tuple, mass: np.ndarray, steps: int, least: float
) -> tuple[tuple, float]:
    """Iterate expectation and maximisation until the mean log density stands still."""
    weights, a, b = start
    log_rate, log_rest = (value[:, None] for value in logs)
    level = -np.inf
    for _ in range(steps):
        joint = np.log(weights) + log_beta_density(log_rate, log_rest, a, b)
        top = joint.max(axis=1, keepdims=True)
        share = np.exp(joint - top)
        total = share.sum(axis=1, keepdims=True)
        previous, level = level, float(mass @ (np.log(total) + top)[:, 0])
        if level - previous < TOLERANCE:
            break
        share *= mass[:, None] / total
        # An emptied component keeps a trace, so that its logarithm stays finite.
        weights = np.maximum(share.sum(axis=0), 1e-10)
        means = [(share * value).sum(axis=0) / weights for value in (log_rate, log_rest)]
        a, b = _shapes(a, b, *means, least)
    return (weights, a, b), level


def _shapes(a, b, mean_log_rate, mean_log_rest, least) -> tuple[np.ndarray, np.ndarray]:
    """Newton steps (on the logs of the shapes) to the betas with these mean logarithms.

    The mean log density is concave in the shapes: where one wants to fall below the least it stays
    there, and the other is sought alone.
    """
    for _ in range(4):
        joint = special.polygamma(1, a + b)
        slope_a = mean_log_rate - special.digamma(a) + special.digamma(a + b)
        slope_b = mean_log_rest - special.digamma(b) + special.digamma(a + b)
        curve_a, curve_b = special.polygamma(1, a) - joint, special.polygamma(1, b) - joint
        determinant = curve_a * curve_b - joint**2
        step_a = (curve_b * slope_a + joint * slope_b) / determinant
        step_b = (curve_a * slope_b + joint * slope_a) / determinant
        held_a, held_b = (a <= least) & (slope_a < 0), (b <= least) & (slope_b < 0)
        step_a = np.where(held_a, 0.0, np.where(held_b, slope_a / curve_a, step_a))
        step_b = np.where(held_b, 0.0, np.where(held_a, slope_b / curve_b, step_b))
        a = np.clip(a * np.exp(np.clip(step_a / a, -1, 1)), least, LARGEST_SHAPE)
        b = np.clip(b * np.exp(np.clip(step_b / b, -1, 1)), least, LARGEST_SHAPE)
    return a, b


def _distances(
    prior: RatePrior, rates: np.ndarray, mass: np.ndarray, sampled: bool
) -> tuple[float, float | None]:
    exact = np.cumsum(mass)
    fitted = prior.below(rates)
    if sampled:
        steps = np.maximum(np.abs(exact - fitted), np.abs(exact - mass - fitted))
        return float(steps.max()), None
    widths = np.gradient(rates)
    widths[[0, -1]] /= 2
    variation = np.sum(np.abs(mass - prior.density(rates) * widths)) / 2
    return float(np.max(np.abs(exact - mass / 2 - fitted))), float(variation)
