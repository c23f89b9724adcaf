"""Joint draws from an integrated posterior, continuous and independent of each other.

From the top down: sigma, tau and mu by the inverse of their distribution functions, each given
those before it; then each disease's level given these, and each study's level given its disease's.
What is known on nodes is read between them by local polynomials, so that no draw lies on a node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtrit

from ..pooling import ROBUST_DEGREES
from ..priors.prior import Prior
from .distribution import on_prior
from .hierarchy_table import Integrated
from .posterior import ExactPosterior
from .predictions import group_of
from .quadrature import LevelGrid, ScaleAxis, at_index, invert_cumulative, local_polynomials

#: Nodes between which the logarithm of a likelihood is read, along an axis of tau or sigma and
#: along the levels.
_ALONG_SCALES, _ALONG_LEVELS = 6, 4
#: How far what is read may lie beyond the values on both sides of it.
_ALLOWED = 0.1
#: Draws taken together, lest tables of all of them fill the memory.
_CHUNK = 250
#: How often a level is proposed from its prior before its density is tabulated.
_TRIES = 24
#: Below this log likelihood, relative to the largest, no level is looked for.
_FLOOR = -40.0
#: Normal scores of the points at which a level's prior is tabulated.
_SCORES = np.linspace(-9, 9, 91)


@dataclass(frozen=True, eq=False)
class Draws:
    """Joint draws from an exact posterior; every one independent.

    Attributes
    ----------
    mu, tau, sigma : numpy.ndarray or None, shape (draw,)
        Hyperparameters, linear scale; None where the pooling has none.
    theta : numpy.ndarray, shape (draw, disease)
        Levels of the diseases.
    eta : numpy.ndarray, shape (draw, study)
        Levels of the studies.
    """

    mu: np.ndarray | None
    tau: np.ndarray | None
    sigma: np.ndarray
    theta: np.ndarray
    eta: np.ndarray


def draw(posterior: ExactPosterior, size: int, rng: np.random.Generator) -> Draws:
    """Draw hyperparameters, levels of diseases and levels of studies jointly.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Draws
        The draws. Values are continuous: the mean of any function of them is right to their
        Monte-Carlo error.
    """
    found, hierarchy = posterior.main, posterior.hierarchy
    sigma = np.asarray(posterior.distribution("sigma").quantile(rng.random(size)))
    tau = _draw_tau(found, sigma, rng) if hierarchy.has_tau else np.zeros(size)
    mu = None if hierarchy.structure == "none" else _draw_mu(found, tau, sigma, rng)
    count = len(found.source.groups)
    groups = [_draw_theta(found, group, mu, tau, sigma, rng) for group in range(count)]
    # Diseases without data know as much as each other, and are drawn each for itself.
    theta = [
        groups[group] if group < count else _draw_theta(found, group, mu, tau, sigma, rng)
        for group in posterior.columns
    ]
    eta = _draw_eta(found, groups, sigma, rng)
    return Draws(mu, tau if hierarchy.has_tau else None, sigma, np.stack(theta, axis=1), eta)


def _draw_tau(found: Integrated, sigma: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw tau given sigma."""
    joint = np.exp(found.log_joint - found.log_joint.max())
    likelihood = np.einsum("tmk,m->tk", joint, found.mu.nodes)
    nodes, weights = local_polynomials(found.source.axes[1], sigma)
    tau = np.empty(len(sigma))
    for part in _parts(len(sigma)):
        here = np.einsum("tdo,do->td", likelihood[:, nodes[part]], weights[part])
        given = on_prior(found.tau, np.maximum(here, 0.0))
        wanted = rng.random(here.shape[1])
        tau[part] = invert_cumulative(given.x, given.cumulative, given.density, wanted[None])[0]
    return tau


def _draw_mu(
    found: Integrated, tau: np.ndarray, sigma: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw mu given tau and sigma."""
    grid = found.source.table.grid
    points = _prior_points(found.priors.mu, grid.edges())
    prior = found.priors.mu.logpdf(points)
    place = np.broadcast_to(grid.coordinate(points), (len(sigma), len(points)))
    logs = found.log_joint.transpose(0, 2, 1)
    mu = np.empty(len(sigma))
    for part in _parts(len(sigma)):
        by_tau = _along(logs, found.source.tau, tau[part])
        given = _along(by_tau, found.source.table.sigma, sigma[part], own=True)
        row = np.arange(len(given))[:, None]
        mu[part] = _inverted(points, _read(given, row, place[part]) + prior, rng)
    return mu


def _along(logs: np.ndarray, axis: ScaleAxis, scales: np.ndarray, own: bool = False) -> np.ndarray:
    """Read logs along an axis of a standard deviation.

    Parameters
    ----------
    logs : numpy.ndarray, shape (scale, ...) or, where each draw has its own, (draw, scale, ...)
        Log likelihoods at the axis' nodes.
    axis : ScaleAxis
        The axis.
    scales : numpy.ndarray, shape (draw,)
        Standard deviations.
    own : bool
        Whether each draw has its own.

    Returns
    -------
    numpy.ndarray, shape (draw, ...)
        Held near the values on both sides: far from the data they differ so much that a polynomial
        through several leaps above all of them.
    """
    index = axis.coordinate(scales)
    nodes, weights = at_index(axis, index, _ALONG_SCALES)
    sides = np.stack([np.floor(index), np.ceil(index)], axis=1).astype(int)
    draws = (np.arange(len(scales))[:, None],) if own else ()
    around, near = logs[*draws, nodes], logs[*draws, sides]
    value = np.einsum("do...,do->d...", around, weights)
    return np.clip(value, near.min(axis=1) - _ALLOWED, near.max(axis=1) + _ALLOWED)


def _parts(size: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, size, _CHUNK)]


def _prior_points(prior: Prior, levels: np.ndarray) -> np.ndarray:
    """Levels at which a prior times a likelihood is tabulated: the given ones and its quantiles."""
    quantiles = prior.at_normal_score(_SCORES)
    low, high = prior.density.support
    points = np.concatenate([levels, quantiles, [low, high]])
    return np.unique(points[np.isfinite(points) & (points >= low) & (points <= high)])


@dataclass(frozen=True, eq=False)
class _Before:
    """What is known of a level before its own data, for each of many draws.

    Attributes
    ----------
    propose : callable
        Draws levels for the draws of these positions.
    log_density : callable
        Log density at levels, shape (position, point), for these positions.
    points : callable
        Levels, shape (position, point), at which that density must be known.
    """

    propose: Callable[[np.ndarray], np.ndarray]
    log_density: Callable[[np.ndarray, np.ndarray], np.ndarray]
    points: Callable[[np.ndarray], np.ndarray]


def _about(centre, spread, rng: np.random.Generator, degrees: float = np.inf) -> _Before:
    """Know a level as normal about a centre, or Student-t where degrees of freedom are given."""
    student = np.isfinite(degrees)
    scores = -np.sign(_SCORES) * stdtrit(degrees, ndtr(-abs(_SCORES))) if student else _SCORES
    # A spread of zero is as good as one that no double tells from it.
    spread = np.maximum(spread, 1e-12)

    def propose(at):
        z = rng.standard_t(degrees, len(at)) if student else rng.standard_normal(len(at))
        return centre[at] + spread[at] * z

    def log_density(x, at):
        z = (x - centre[at, None]) / spread[at, None]
        if student:  # up to a constant
            return -(degrees + 1) / 2 * np.log1p(z**2 / degrees) - np.log(spread[at, None])
        return -(z**2) / 2 - np.log(spread[at, None]) - 0.5 * np.log(2 * np.pi)

    return _Before(propose, log_density, lambda at: centre[at, None] + spread[at, None] * scores)


def _alone(prior: Prior, rng: np.random.Generator) -> _Before:
    """Know of a level only its own prior."""
    points = _prior_points(prior, np.array([]))
    return _Before(
        lambda at: prior.draw(rng, len(at)),
        lambda x, at: prior.logpdf(x),
        lambda at: np.broadcast_to(points, (len(at), len(points))),
    )


def _mixed(weight: float, one: _Before, other: _Before, rng: np.random.Generator) -> _Before:
    def propose(at):
        return np.where(rng.random(len(at)) < weight, one.propose(at), other.propose(at))

    def log_density(x, at):
        with np.errstate(divide="ignore"):
            first = np.log(weight) + one.log_density(x, at)
            second = np.log1p(-weight) + other.log_density(x, at)
        return np.logaddexp(first, second)

    return _Before(
        propose, log_density, lambda at: np.concatenate([one.points(at), other.points(at)], axis=1)
    )


def _draw_theta(
    found: Integrated, group: int, mu, tau, sigma, rng: np.random.Generator
) -> np.ndarray:
    """Draw a disease's level given mu, tau and sigma; the last group is that without data."""
    structure, exnex = found.source.structure, found.priors.exnex
    if structure == "single":
        return mu
    if structure == "none":
        before = _alone(found.priors.mu, rng)
    else:
        before = _about(mu, tau, rng, ROBUST_DEGREES if structure == "robust" else np.inf)
    if structure == "exnex":
        own = _alone(exnex.level or found.priors.mu, rng)
        before = _mixed(exnex.weight, before, own, rng)
    if group == len(found.source.groups):
        return before.propose(np.arange(len(sigma)))
    logs = _along(found.source.log_levels[:, group].T, found.source.table.sigma, sigma)
    return _given(logs, np.arange(len(sigma)), found.source.table.grid, before, rng)


def _draw_eta(found: Integrated, theta, sigma, rng: np.random.Generator) -> np.ndarray:
    """Draw every study's level given its disease's and sigma; shape (draw, study)."""
    table = found.source.table
    logs = table.likelihoods.evaluate(table.grid.nodes, slice(None)).T
    everyone = np.zeros(len(sigma), dtype=int)
    drawn = [
        _given(own[None], everyone, table.grid, _about(theta[group], sigma, rng), rng)
        for own, group in ((logs[s], group_of(found, s)) for s in range(len(logs)))
    ]
    return np.stack(drawn, axis=1)


def _given(
    logs: np.ndarray, row: np.ndarray, grid: LevelGrid, before: _Before, rng: np.random.Generator
) -> np.ndarray:
    """Draw levels from what is known before the data times a likelihood.

    Proposed levels are accepted in proportion to their likelihood; where that takes too long the
    density is tabulated. Either way a draw has the right distribution.

    Parameters
    ----------
    logs : numpy.ndarray, shape (row, level)
        Log likelihoods at the grid's nodes.
    row : numpy.ndarray of int, shape (draw,)
        The likelihood of each draw.
    grid : LevelGrid
        The nodes.
    before : _Before
        What is known of each draw's level before.
    rng : numpy.random.Generator
        Source of randomness.
    """
    logs = logs - logs.max(axis=1, keepdims=True)
    level, waiting = np.empty(len(row)), np.arange(len(row))
    for _ in range(_TRIES):
        proposed = before.propose(waiting)
        likelihood = np.exp(_read(logs, row[waiting], grid.coordinate(proposed)))
        taken = rng.random(len(waiting)) < likelihood
        level[waiting[taken]] = proposed[taken]
        waiting = waiting[~taken]
        if len(waiting) == 0:
            return level
    (worth,) = np.nonzero((logs > _FLOOR).any(axis=0))
    edges = grid.edges()[max(2 * worth[0] - 1, 0) : 2 * worth[-1] + 2]
    for part in _parts(len(waiting)):
        at = waiting[part]
        levels = np.broadcast_to(edges, (len(at), len(edges)))
        points = np.sort(np.concatenate([levels, before.points(at)], axis=1), axis=1)
        likelihood = _read(logs, row[at, None], grid.coordinate(points))
        level[at] = _inverted(points, before.log_density(points, at) + likelihood, rng)
    return level


def _read(logs: np.ndarray, row: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Read rows of values known at whole indices between them."""
    size = min(_ALONG_LEVELS, logs.shape[1])
    first = np.clip(np.floor(index).astype(int) - (size // 2 - 1), 0, logs.shape[1] - size)
    offset = index - first
    value = np.zeros(np.shape(index))
    for i in range(size):
        weight = 1.0
        for j in range(size):
            if j != i:
                weight = weight * (offset - j) / (i - j)
        value += weight * logs[row, first + i]
    left = np.floor(index).astype(int)
    sides = logs[row, left], logs[row, np.minimum(left + 1, logs.shape[1] - 1)]
    return np.clip(value, np.minimum(*sides) - _ALLOWED, np.maximum(*sides) + _ALLOWED)


def _inverted(points: np.ndarray, logs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw from densities known at ascending points, their logarithms being linear between.

    Parameters
    ----------
    points : numpy.ndarray, shape (point,) or (draw, point)
        Ascending.
    logs : numpy.ndarray, shape (draw, point)
        Log densities, up to a constant of each draw.
    rng : numpy.random.Generator
        Source of randomness.
    """
    logs = np.maximum(logs - logs.max(axis=1, keepdims=True), -700.0)
    rise = np.diff(logs, axis=1)
    steep = np.maximum(np.abs(rise), 1e-9)
    highest = np.exp(np.maximum(logs[:, 1:], logs[:, :-1]))
    width = np.diff(points, axis=-1)
    cumulative = np.cumsum(width * highest * -np.expm1(-steep) / steep, axis=1)
    wanted = rng.random(len(logs)) * cumulative[:, -1]
    cell = np.minimum((cumulative <= wanted[:, None]).sum(axis=1), rise.shape[1] - 1)
    place = np.arange(len(logs))
    below = np.where(cell > 0, cumulative[place, cell - 1], 0.0)
    mass = cumulative[place, cell] - below
    share = np.clip((wanted - below) / np.where(mass > 0, mass, 1.0), 0.0, 1.0)
    # From the denser end of the cell, where a share of its mass is told apart best.
    falls = rise[place, cell] < 0
    share = np.where(falls, share, 1 - share)
    steep = steep[place, cell]
    part = -np.log1p(np.maximum(share * np.expm1(-steep), np.finfo(float).eps - 1)) / steep
    part = np.where(falls, part, 1 - part)
    points = np.broadcast_to(points, logs.shape)
    return points[place, cell] + part * (points[place, cell + 1] - points[place, cell])
