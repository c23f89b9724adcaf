"""Grids and weights with which the exact engine integrates.

Levels lie on a grid whose spacing follows the data: fine where likelihoods are narrow, growing
geometrically away from them. In the index of its nodes such a grid is uniform, so that the
trapezoid rule converges exponentially and local polynomials interpolate between nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from ..priors.density import Density

#: Nodes of a local interpolating polynomial.
ORDER = 10
#: Half-width, in standard deviations of a likelihood, of the region where the grid is finest.
_REACH = 3.0
#: Fine levels from one node to the next.
UPSAMPLING = 8
#: Beyond this the logs of two neighbours' ratio are cut off, lest it overflow.
_STEEPEST = 600.0
_GAUSS_NODES, _GAUSS_WEIGHTS = np.polynomial.legendre.leggauss(4)
_GAUSS_NODES, _GAUSS_WEIGHTS = (_GAUSS_NODES + 1) / 2, _GAUSS_WEIGHTS / 2


@dataclass(frozen=True, eq=False)
class LevelGrid:
    """Nodes on the linear scale, uniform in their index.

    Attributes
    ----------
    nodes, weights : numpy.ndarray, shape (node,)
        Levels and their trapezoid weights (the spacing around each).
    fine, fine_weights : numpy.ndarray
        The same map at eighths of an index.
    """

    nodes: np.ndarray
    weights: np.ndarray
    fine: np.ndarray
    fine_weights: np.ndarray

    reflected = False

    def __len__(self) -> int:
        """Give the number of nodes."""
        return len(self.nodes)

    def coordinate(self, levels) -> np.ndarray:
        """Fractional index of levels; those beyond the grid get that of its end."""
        x = np.clip(levels, self.fine[0], self.fine[-1])
        k = np.clip(np.searchsorted(self.fine, x) - 1, 0, len(self.fine) - 2)
        left, width = self.fine[k], self.fine[k + 1] - self.fine[k]
        t = (x - left) / width
        left_slope = UPSAMPLING * width / self.fine_weights[k]
        right_slope = UPSAMPLING * width / self.fine_weights[k + 1]
        return (k + t + _hermite_excess(t, left_slope - 1, right_slope - 1)) / UPSAMPLING

    def edges(self) -> np.ndarray:
        """Levels at half indices, between which a prior is integrated cell by cell."""
        return self.fine[:: UPSAMPLING // 2]

    @cached_property
    def refinement(self) -> np.ndarray:
        """Matrix from masses of nodes to densities in the index at `fine`; shape (fine, node)."""
        index = np.arange(len(self.fine)) / UPSAMPLING
        return dense(*at_index(self, index), len(self))

    @cached_property
    def accumulation(self) -> np.ndarray:
        """Matrix from masses of nodes to their distribution function at `fine`."""
        left = np.arange(len(self.fine) - 1)[:, None]
        index = ((left + _GAUSS_NODES) / UPSAMPLING).ravel()
        inside = dense(*at_index(self, index), len(self)).reshape(len(left), -1, len(self))
        cells = np.einsum("q,cqn->cn", _GAUSS_WEIGHTS / UPSAMPLING, inside)
        return np.concatenate([np.zeros((1, len(self))), np.cumsum(cells, axis=0)])


def _hermite_excess(t, left, right):
    """Cubic through 0 at both ends of the unit interval with the given slopes there."""
    return t * (1 - t) * (left * (1 - t) - right * t)


@dataclass(frozen=True, eq=False)
class ScaleAxis:
    """Nodes of a standard deviation: linear near zero, geometric above.

    Attributes
    ----------
    nodes : numpy.ndarray, shape (node,)
        Standard deviations, ascending; from zero, unless the data exclude small ones.
    unit, step, start : float
        A node is ``unit * sinh(start + step * index)``.
    trend : numpy.ndarray or None, shape (node,)
        Logs of a function that a likelihood on the axis follows roughly: what is interpolated
        between nodes is their ratio, which varies little however steep both are.
    """

    nodes: np.ndarray
    unit: float
    step: float
    start: float = 0.0
    trend: np.ndarray | None = None

    @property
    def reflected(self) -> bool:
        """Whether the axis begins at zero, about which every likelihood is even."""
        return self.start == 0.0

    def __len__(self) -> int:
        """Give the number of nodes."""
        return len(self.nodes)

    def coordinate(self, scales) -> np.ndarray:
        """Fractional index of standard deviations; those beyond the nodes get that of the end."""
        ratio = np.minimum(np.asarray(scales, float), self.nodes[-1]) / self.unit
        return np.clip((np.arcsinh(ratio) - self.start) / self.step, 0, len(self.nodes) - 1)

    def edges(self) -> np.ndarray:
        """Give the standard deviations at half indices."""
        index = np.arange(2 * len(self.nodes) - 1) / 2
        return self.unit * np.sinh(self.start + self.step * index)


Axis = LevelGrid | ScaleAxis


def scale_axis(unit: float, step: float, top: float, bottom: float = 0.0) -> ScaleAxis:
    """Build the nodes of a standard deviation up to ``top`` (at least two, unless it is zero).

    Parameters
    ----------
    unit, step : float
        As in `ScaleAxis`.
    top, bottom : float
        Range to be covered; zero and zero give the single node zero.

    Returns
    -------
    ScaleAxis
        The axis.
    """
    if top == 0:
        return ScaleAxis(np.zeros(1), unit, step)
    start = float(np.arcsinh(bottom / unit))
    count = max(2, int(np.ceil((np.arcsinh(top / unit) - start) / step)) + 1)
    return ScaleAxis(unit * np.sinh(start + step * np.arange(count)), unit, step, start)


def level_grid(centres, scales, lower: float, upper: float, points: float) -> LevelGrid:
    """Lay a grid that resolves every likelihood.

    Parameters
    ----------
    centres, scales : array_like, shape (feature,)
        Where likelihoods lie and their standard deviations.
    lower, upper : float
        Range to be covered.
    points : float
        Nodes for each standard deviation near a centre.

    Returns
    -------
    LevelGrid
        The grid. Away from all centres the spacing grows in proportion to the distance.
    """
    centres, scales = _essential(np.asarray(centres, float), np.asarray(scales, float))
    lower = min(lower, float((centres - 8 * scales).min()))
    upper = max(upper, float((centres + 8 * scales).max()))

    def density(x):
        spread = np.sqrt(1 + ((x[..., None] - centres) / (_REACH * scales)) ** 2)
        return points * (((1 / (scales * spread)) ** 8).sum(-1)) ** (1 / 8)

    mesh = _mesh(centres, scales, lower, upper)
    widths = np.diff(mesh)
    inside = mesh[:-1, None] + widths[:, None] * _GAUSS_NODES
    steps = widths * (density(inside) @ _GAUSS_WEIGHTS)
    index = np.concatenate([[0.0], np.cumsum(steps)])
    count = int(np.ceil(index[-1])) + 1
    index *= (count - 1) / index[-1]
    rescale = index[-1] / steps.sum()
    wanted = np.arange((count - 1) * UPSAMPLING + 1) / UPSAMPLING
    x = np.interp(wanted, index, mesh)
    cell = np.clip(np.searchsorted(mesh, x, side="right") - 1, 0, len(mesh) - 2)
    for _ in range(4):
        part = x - mesh[cell]
        local = mesh[cell, None] + part[:, None] * _GAUSS_NODES
        reached = index[cell] + rescale * part * (density(local) @ _GAUSS_WEIGHTS)
        x = x - (reached - wanted) / (rescale * density(x))
    weights = 1 / (rescale * density(x))
    return LevelGrid(x[::UPSAMPLING], weights[::UPSAMPLING], x, weights)


def _essential(centres, scales):
    """Leave out the likelihoods that narrower ones nearby already resolve."""
    order = np.argsort(scales, kind="stable")
    kept_c, kept_s = np.empty(len(order)), np.empty(len(order))
    count = 0
    for c, s in zip(centres[order], scales[order], strict=True):
        probe = c + _REACH * s * np.array([-1.0, 0.0, 1.0])
        distance = (probe[:, None] - kept_c[:count]) / (_REACH * kept_s[:count])
        have = (1 / (kept_s[:count] * np.sqrt(1 + distance**2))).max(axis=1, initial=0.0)
        if np.any(have < 0.8 / (s * np.sqrt([2.0, 1.0, 2.0]))):
            kept_c[count], kept_s[count] = c, s
            count += 1
    return kept_c[:count], kept_s[:count]


def _mesh(centres, scales, lower, upper):
    """Points dense enough that four Gauss nodes integrate the density of nodes between them."""
    reach = np.arcsinh(2 * (upper - lower) / (_REACH * scales))
    parts = [
        c + _REACH * s * np.sinh(np.linspace(-r, r, 2 * int(np.ceil(4 * r)) + 1))
        for c, s, r in zip(centres, scales, reach, strict=True)
    ]
    mesh = np.unique(np.clip(np.concatenate([*parts, [lower, upper]]), lower, upper))
    closest = 1e-3 * np.min(scales)
    return np.concatenate([mesh[:1], mesh[1:][np.diff(mesh) > closest]])


def local_polynomials(axis: Axis, points) -> tuple[np.ndarray, np.ndarray]:
    """Weights with which values at nodes give a smooth function's value at points.

    Parameters
    ----------
    axis : LevelGrid or ScaleAxis
        The nodes. About zero, a scale axis is continued evenly.
    points : array_like, shape (point,)
        Where the value is wanted; beyond the axis the value of its end is taken.

    Returns
    -------
    nodes, weights : numpy.ndarray, shape (point, order)
        Indices of the nodes used and their weights, which sum to one unless the axis has a trend.
    """
    nodes, weights = at_index(axis, axis.coordinate(np.asarray(points, float)))
    trend = axis.trend if isinstance(axis, ScaleAxis) else None
    if trend is None:
        return nodes, weights
    here = (weights * trend[nodes]).sum(axis=1, keepdims=True)
    return nodes, weights * np.exp(np.clip(here - trend[nodes], -_STEEPEST, _STEEPEST))


def at_index(axis: Axis, index: np.ndarray, order: int = ORDER) -> tuple[np.ndarray, np.ndarray]:
    """Give nodes and weights of `local_polynomials` at fractional indices, without a trend."""
    count = len(axis)
    size = min(order, count)
    lowest = -(size // 2) if axis.reflected else 0
    first = np.clip(np.floor(index).astype(int) - (size // 2 - 1), lowest, count - size)
    offset = (index - first)[:, None] - np.arange(size)
    weights = np.ones_like(offset)
    weights[:, 1:] = np.cumprod(offset[:, :-1], axis=1)
    weights[:, :-1] *= np.cumprod(offset[:, :0:-1], axis=1)[:, ::-1]
    k = np.arange(size)
    weights /= np.array([np.prod(np.delete(each - k, each)) for each in k], float)
    return np.abs(first[:, None] + np.arange(size)), weights


def dense(nodes, weights, count: int) -> np.ndarray:
    """Matrix of the weights of `local_polynomials`; shape (point, count)."""
    points = len(nodes)
    flat = (np.arange(points)[:, None] * count + nodes).ravel()
    return np.bincount(flat, weights.ravel(), points * count).reshape(points, count)


@dataclass(frozen=True, eq=False)
class PriorWeights:
    """A prior integrated against functions known at an axis' nodes.

    Attributes
    ----------
    axis : LevelGrid or ScaleAxis
        The axis.
    nodes : numpy.ndarray, shape (node,)
        Weight of each node; may be slightly negative.
    points, masses : numpy.ndarray, shape (cell, 4)
        Quadrature points within cells, and the prior's mass at each.
    interpolation : tuple of numpy.ndarray
        Of `local_polynomials` at the points.
    edges : numpy.ndarray, shape (cell + 1,)
        Cells' edges.
    edge_interpolation : tuple of numpy.ndarray
        Of `local_polynomials` at the edges.
    edge_density : numpy.ndarray, shape (cell + 1,)
        The prior's density at the edges.
    """

    axis: Axis
    nodes: np.ndarray
    points: np.ndarray
    masses: np.ndarray
    interpolation: tuple[np.ndarray, np.ndarray]
    edges: np.ndarray
    edge_interpolation: tuple[np.ndarray, np.ndarray]
    edge_density: np.ndarray


_PROBES = np.concatenate(
    [10.0 ** np.arange(-12, -2), np.linspace(0.01, 0.99, 25), 1 - 10.0 ** np.arange(-3, -13, -1.0)]
)


@lru_cache(maxsize=64)
def prior_weights(axis: Axis, prior: Density) -> PriorWeights:
    """Integrate a prior against the local polynomials of an axis.

    Cells lie between half indices and quantiles of the prior, so that neither its edges, its tails
    nor an infinite density at zero falls inside one; each cell's mass is that of the distribution
    function. What lies beyond the axis is given to its end.

    Parameters
    ----------
    axis : LevelGrid or ScaleAxis
        The nodes.
    prior : Density
        The prior.

    Returns
    -------
    PriorWeights
        The weights.
    """
    if prior.fixed is not None:
        points = np.array([[prior.fixed]])
        inside = local_polynomials(axis, points.ravel())
        nodes = np.bincount(inside[0].ravel(), inside[1].ravel(), len(axis))
        empty = np.array([])
        return PriorWeights(axis, nodes, points, np.ones((1, 1)), inside, empty, inside, empty)
    edges = _cell_edges(axis, prior)
    widths = np.diff(edges)
    points = edges[:-1, None] + widths[:, None] * _GAUSS_NODES
    with np.errstate(over="ignore"):
        masses = np.exp(prior.logpdf(points)) * widths[:, None] * _GAUSS_WEIGHTS
    masses = np.where(np.isfinite(masses), masses, 0.0)
    found, exact = masses.sum(axis=1), np.diff(prior.cdf(edges))
    with np.errstate(divide="ignore", invalid="ignore"):
        correction = np.where((exact > 1e-9) & (found > 0), exact / found, 1.0)
    masses = masses * correction[:, None]
    masses[found <= 0] = np.maximum(exact[found <= 0], 0)[:, None] / len(_GAUSS_NODES)
    below, above = prior.cdf(edges[0]), 1 - prior.cdf(edges[-1])
    masses[0] += max(float(below), 0.0) / len(_GAUSS_NODES)
    masses[-1] += max(float(above), 0.0) / len(_GAUSS_NODES)
    inside = local_polynomials(axis, points.ravel())
    nodes = np.bincount(inside[0].ravel(), (inside[1] * masses.reshape(-1, 1)).ravel(), len(axis))
    with np.errstate(over="ignore"):
        density = np.exp(prior.logpdf(edges))
    return PriorWeights(
        axis, nodes, points, masses, inside, edges, local_polynomials(axis, edges), density
    )


def _cell_edges(axis: Axis, prior: Density) -> np.ndarray:
    quantiles = np.asarray(prior.ppf(_PROBES), float)
    lowest, highest = prior.support
    edges = np.concatenate([axis.edges(), quantiles[np.isfinite(quantiles)], [lowest, highest]])
    edges = np.unique(edges[(edges >= lowest) & (edges <= highest) & np.isfinite(edges)])
    if len(edges) < 2:
        edges = np.array([edges[0], edges[0] + 1])
    return edges


def invert_cumulative(x, cumulative, density, probabilities) -> np.ndarray:
    """Quantiles from distribution functions and their densities at ascending points.

    Parameters
    ----------
    x : numpy.ndarray, shape (point,)
        Points.
    cumulative, density : numpy.ndarray, shape (point, quantity)
        Distribution functions, ascending, and densities; between points a function is taken as the
        cubic that they determine, kept monotone.
    probabilities : array_like, shape (probability,) or (probability, quantity)
        Wanted, between 0 and 1; the same of every quantity, or each its own.

    Returns
    -------
    numpy.ndarray, shape (probability, quantity)
        The quantiles.
    """
    wanted = np.atleast_1d(np.asarray(probabilities, float))
    wanted = wanted[:, None] if wanted.ndim == 1 else wanted
    columns = np.arange(cumulative.shape[1])
    wanted = np.broadcast_to(wanted, (len(wanted), len(columns)))
    k = np.stack([np.searchsorted(cumulative[:, j], wanted[:, j]) for j in columns], axis=1) - 1
    k = np.clip(k, 0, len(x) - 2)
    low, high = cumulative[k, columns], cumulative[k + 1, columns]
    width, rise = x[k + 1] - x[k], np.where(high > low, high - low, 1.0)
    wanted = np.clip((wanted - low) / rise, 0, 1)
    left, right = density[k, columns] * width / rise, density[k + 1, columns] * width / rise
    left, right = (np.nan_to_num(np.clip(slope, 0, 3), nan=3.0) for slope in (left, right))
    start, stop = np.zeros_like(wanted), np.ones_like(wanted)
    for _ in range(7):
        t = (start + stop) / 2
        below = t + _hermite_excess(t, left - 1, right - 1) < wanted
        start, stop = np.where(below, t, start), np.where(below, stop, t)
    for _ in range(3):
        gap = t + _hermite_excess(t, left - 1, right - 1) - wanted
        slope = left + t * (2 * (3 - 2 * left - right) + 3 * t * (left + right - 2))
        t = np.clip(t - gap / np.maximum(slope, 1e-3), start, stop)
    return x[k] + width * t


def read_cumulative(x, cumulative, density, points) -> np.ndarray:
    """Read distribution functions at points as `invert_cumulative` does; (point, quantity)."""
    points = np.clip(np.atleast_1d(np.asarray(points, float)), x[0], x[-1])
    k = np.clip(np.searchsorted(x, points) - 1, 0, len(x) - 2)
    width = np.maximum(x[k + 1] - x[k], np.finfo(float).tiny)[:, None]
    t = (points - x[k])[:, None] / width
    rise = cumulative[k + 1] - cumulative[k]
    left = np.clip(density[k] * width, 0, 3 * rise) - rise
    right = np.clip(density[k + 1] * width, 0, 3 * rise) - rise
    return cumulative[k] + rise * t + _hermite_excess(t, left, right)
