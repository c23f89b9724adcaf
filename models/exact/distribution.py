"""Distributions of single quantities, known by their density on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import expit, logit

from ..outcomes import Link, link_function
from .likelihood_table import rates
from .quadrature import LevelGrid, PriorWeights, ScaleAxis, invert_cumulative, read_cumulative

STATISTICS = ("mean", "sd", "q2.5", "q50", "q97.5")
_INTERVAL = (0.025, 0.5, 0.975)
_PRODUCT_POINTS = 201
_QUANTILES = 1000
#: Points at which a distribution is read from its draws: quantiles, 2.5 and 97.5 % among them.
_OF_DRAWS = 401


@dataclass(frozen=True, eq=False)
class Distributions:
    """Distributions of several quantities on one grid.

    Attributes
    ----------
    x : numpy.ndarray, shape (point,)
        Ascending values on the linear scale (or standard deviations).
    cumulative, density : numpy.ndarray, shape (point, quantity)
        Distribution functions and densities over ``x``.
    nodes, masses : numpy.ndarray, shapes (node,) and (node, quantity)
        Quadrature: the mean of a function is the sum of its values times the masses.
    """

    x: np.ndarray
    cumulative: np.ndarray
    density: np.ndarray
    nodes: np.ndarray
    masses: np.ndarray

    def moments(self, link: Link | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations, of the probabilities where a link is given."""
        values = self.nodes if link is None else rates(self.nodes, link)
        mean = values @ self.masses
        # About a near value, lest a wide range of nodes cancel digits.
        deviation = values[:, None] - mean
        return mean, np.sqrt(np.maximum((deviation**2 * self.masses).sum(axis=0), 0.0))

    def quantiles(self, probabilities, link: Link | None = None) -> np.ndarray:
        """Quantiles, shape (probability, quantity); of the probabilities where a link is given."""
        levels = invert_cumulative(self.x, self.cumulative, self.density, probabilities)
        return levels if link is None else rates(levels, link)

    def above(self, levels) -> np.ndarray:
        """Probability of exceeding levels, shape (level, quantity)."""
        return 1 - read_cumulative(self.x, self.cumulative, self.density, levels)

    def statistics(self, link: Link | None = None) -> np.ndarray:
        """Mean, SD, 2.5, 50 and 97.5 % quantiles; shape (quantity, 5)."""
        mean, sd = self.moments(link)
        return np.column_stack([mean, sd, *self.quantiles(_INTERVAL, link)])

    @property
    def nodes_and_masses(self) -> tuple[np.ndarray, np.ndarray]:
        """Quadrature nodes and masses."""
        return self.nodes, self.masses

    def one(self, position: int, link: Link | None = None) -> Distribution:
        """Pick one quantity."""
        columns = slice(position, position + 1)
        return Distribution(
            Distributions(
                self.x,
                self.cumulative[:, columns],
                self.density[:, columns],
                self.nodes,
                self.masses[:, columns],
            ),
            link,
        )


@dataclass(frozen=True, eq=False)
class Distribution:
    """Distribution of one quantity: a level, a standard deviation or, with a link, a probability.

    Attributes
    ----------
    source : Distributions
        Of one quantity, on the linear scale.
    link : {"logit", "cloglog"} or None
        How levels become probabilities; None leaves them as they are.
    known_moments : tuple of float or None
        Mean and standard deviation, where they follow otherwise than from the density.
    """

    source: Distributions
    link: Link | None = None
    known_moments: tuple[float, float] | None = None

    @cached_property
    def values(self) -> np.ndarray:
        """Ascending values at which `density` and `cumulative` are known; shape (point,)."""
        return self.source.x if self.link is None else rates(self.source.x, self.link)

    @property
    def cumulative(self) -> np.ndarray:
        """Probability of not exceeding each value; shape (point,)."""
        return self.source.cumulative[:, 0]

    @cached_property
    def density(self) -> np.ndarray:
        """Density at each value; shape (point,)."""
        density = self.source.density[:, 0]
        if self.link is None:
            return density
        p = self.values
        if self.link == "logit":
            slope = p * (1 - p)
        else:
            hazard = np.exp(np.minimum(self.source.x, 700))
            slope = hazard * np.exp(-hazard)
        return np.divide(density, slope, out=np.zeros_like(density), where=slope > 1e-290)

    def density_at(self, value) -> np.ndarray:
        """Density at values, in their shape; linear in its logarithm between points."""
        wanted = np.asarray(value, float)
        log_density = np.log(np.maximum(self.density, 1e-290))
        inside = (wanted >= self.values[0]) & (wanted <= self.values[-1])
        return np.where(inside, np.exp(np.interp(wanted, self.values, log_density)), 0.0)

    @property
    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and masses that integrate any smooth function of the quantity."""
        levels = self.source.nodes
        values = levels if self.link is None else rates(levels, self.link)
        return values, self.source.masses[:, 0]

    @property
    def mean(self) -> float:
        """Mean."""
        if self.known_moments:
            return self.known_moments[0]
        return float(self.source.moments(self.link)[0][0])

    @property
    def sd(self) -> float:
        """Standard deviation."""
        if self.known_moments:
            return self.known_moments[1]
        return float(self.source.moments(self.link)[1][0])

    def statistics(self) -> np.ndarray:
        """Mean, SD, 2.5, 50 and 97.5 % quantiles; shape (5,)."""
        return np.array([self.mean, self.sd, *self.quantile(np.array(_INTERVAL))])

    def quantile(self, probabilities) -> Any:
        """Quantiles, in the shape of ``probabilities``."""
        wanted = np.asarray(probabilities, float)
        quantiles = self.source.quantiles(wanted.ravel(), self.link)[:, 0].reshape(wanted.shape)
        return float(quantiles) if wanted.ndim == 0 else quantiles

    def above(self, value) -> Any:
        """Probability of exceeding values, in their shape."""
        wanted = np.asarray(value, float)
        levels = wanted.ravel()
        if self.link is not None:
            with np.errstate(divide="ignore"):
                levels = np.asarray(link_function(np.clip(levels, 0, 1), self.link))
        probabilities = self.source.above(levels)[:, 0].reshape(wanted.shape)
        return float(probabilities) if wanted.ndim == 0 else probabilities


def of_draws(draws: np.ndarray) -> Distribution:
    """Distribution of a level that was sampled, read from its draws' quantiles.

    Parameters
    ----------
    draws : numpy.ndarray
        In any shape; on the linear scale.
    """
    probabilities = np.linspace(0, 1, _OF_DRAWS)
    x = np.quantile(draws, probabilities)
    x += np.arange(_OF_DRAWS) * 1e-12 * max(1.0, float(np.abs(x).max()))  # equal draws are points
    nodes = np.quantile(draws, (probabilities[1:] + probabilities[:-1]) / 2)
    masses = np.full((len(nodes), 1), 1 / len(nodes))
    density = np.gradient(probabilities, x)
    source = Distributions(x, probabilities[:, None], density[:, None], nodes, masses)
    return Distribution(source, None, (float(draws.mean()), float(draws.std(ddof=1))))


def product(first: Distribution, second: Distribution, coarser: bool = False) -> Distribution:
    """Distribution of the product of two independent probabilities.

    Parameters
    ----------
    first, second : Distribution
        Of probabilities.
    coarser : bool
        Integrate over half as many nodes, at half as many points.

    Returns
    -------
    Distribution
        Of the product, on the log-odds; integrated over the first, exact in the second.
    """
    from scipy.interpolate import CubicSpline

    share = 2 if coarser else 1
    ends = np.array([1e-6, 1 - 1e-6])
    low, high = logit(np.clip(first.quantile(ends) * second.quantile(ends), 1e-14, 1 - 1e-14))
    x = np.linspace(low, high, _PRODUCT_POINTS // share)
    rate = expit(x)
    p, masses = nodes_above(first, rate, _QUANTILES // share)
    needed = np.minimum(rate[:, None] / np.maximum(p, rate[:, None]), 1.0)
    above = (second.above(needed) * masses).sum(axis=1)
    cumulative = np.maximum.accumulate(np.clip(1 - above, 0, 1))
    density = np.maximum(CubicSpline(x, cumulative)(x, 1), 0.0)
    mean = first.mean * second.mean
    squares = (first.mean**2 + first.sd**2) * (second.mean**2 + second.sd**2)
    source = Distributions(
        x, cumulative[:, None], density[:, None], np.array([]), np.array([[]]).reshape(0, 1)
    )
    return Distribution(source, "logit", (mean, float(np.sqrt(max(squares - mean**2, 0.0)))))


def product_above(first: Distribution, second: Distribution, value: float) -> float:
    """Probability that the product of two independent probabilities exceeds a value."""
    p, masses = nodes_above(first, [value])
    return float(second.above(value / np.maximum(p, value)) @ masses[0])


def nodes_above(
    distribution: Distribution, values, count: int = _QUANTILES
) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of a probability and the masses that they stand for above each value.

    Quantiles follow the mass where a grid of levels does not, closer in the tails. As the first
    factor of a product they leave the second free to leap from zero to one between two levels, or,
    where it is nearly certain, right above the value: the node next above takes the mass up to the
    value itself.

    Parameters
    ----------
    distribution : Distribution
        Of a probability.
    values : array_like, shape (value,)
        Probabilities.
    count : int
        How many nodes.

    Returns
    -------
    nodes : numpy.ndarray, shape (node,)
        Ascending probabilities, above zero.
    masses : numpy.ndarray, shape (value, node)
        Zero for nodes below the value.
    """
    middle = (np.arange(count) + 0.5) / count
    nodes = np.asarray(distribution.quantile(middle**2 * (3 - 2 * middle)))
    nodes = np.maximum(nodes, np.finfo(float).tiny)
    values = np.asarray(values, float)
    masses = np.where(nodes > values[:, None], 6 * middle * (1 - middle) / count, 0.0)
    next_above = np.searchsorted(nodes, values, side="right")
    (inside,) = np.nonzero(next_above < len(nodes))
    beyond = distribution.above(values[inside])
    masses[inside, next_above[inside]] += beyond - masses[inside].sum(axis=1)
    return nodes, masses


def on_grid(grid: LevelGrid, masses: np.ndarray) -> Distributions:
    """Turn masses of a grid's nodes, shape (node, quantity), into distributions."""
    masses = masses / masses.sum(axis=0)
    density = np.maximum(grid.refinement @ masses, 0.0) / grid.fine_weights[:, None]
    cumulative = np.maximum.accumulate(np.clip(grid.accumulation @ masses, 0, None), axis=0)
    last = cumulative[-1]
    return Distributions(grid.fine, cumulative / last, density / last, grid.nodes, masses)


def on_prior(weights: PriorWeights, likelihood: np.ndarray) -> Distributions:
    """Turn a prior and likelihoods known at its axis, shape (node, quantity), into distributions.

    The prior keeps its edges, its infinite density and its tail beyond the axis, where the
    likelihood continues as a power.
    """
    points, masses = weights.points.ravel(), weights.masses.ravel()
    inside = _read(weights, weights.interpolation, points, likelihood)
    shares = masses[:, None] * inside
    total = shares.sum(axis=0)
    shares = shares / total
    if len(weights.edges) == 0:
        value = points[0]
        x = np.array([value, value])
        step = np.repeat([[0.0], [1.0]], likelihood.shape[1], axis=1)
        return Distributions(x, step, np.zeros_like(step), points, shares)
    cells = shares.reshape(*weights.points.shape, -1).sum(axis=1)
    cumulative = np.concatenate([np.zeros((1, cells.shape[1])), np.cumsum(cells, axis=0)])
    edge = _read(weights, weights.edge_interpolation, weights.edges, likelihood)
    density = weights.edge_density[:, None] * edge / total
    return Distributions(weights.edges, cumulative / cumulative[-1], density, points, shares)


def _read(weights: PriorWeights, interpolation, points, likelihood) -> np.ndarray:
    """Likelihoods at points, from those at the nodes of an axis; shape (point, quantity)."""
    nodes, coefficients = interpolation
    inside = np.maximum(np.einsum("pk,pkq->pq", coefficients, likelihood[nodes]), 0.0)
    axis = weights.axis
    if not isinstance(axis, ScaleAxis) or len(axis) < 2:
        return inside
    beyond = points > axis.nodes[-1]
    last, before = np.maximum(likelihood[-1], 0), np.maximum(likelihood[-2], 1e-300)
    with np.errstate(divide="ignore"):
        power = np.log(last / before) / np.log(axis.nodes[-1] / axis.nodes[-2])
    with np.errstate(under="ignore"):
        ratio = (points[beyond, None] / axis.nodes[-1]) ** np.minimum(power, 0.0)
    inside[beyond] = last * ratio
    return inside
