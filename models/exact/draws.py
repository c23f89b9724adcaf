"""Joint draws from an integrated posterior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .hierarchy_table import Integrated
from .posterior import ExactPosterior
from .predictions import group_of


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

    Tau and sigma are drawn among the nodes of their axes and levels among those of the grid: the
    mean of any smooth function of the draws then has no error beyond that of the integrals, while
    a level takes a few hundred distinct values.

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
        The draws.
    """
    found = posterior.main
    source, table = found.source, found.source.table
    grid, likelihoods = table.grid, table.likelihoods
    t, m, k = _hyper_nodes(found, size, rng)
    theta = np.empty((size, len(source.groups) + 1), dtype=int)
    for group in range(theta.shape[1]):
        theta[:, group] = _level_nodes(found, group, t, m, k, rng)
    columns = np.array(posterior.columns)
    eta = np.empty((size, len(likelihoods.studies)), dtype=int)
    own = likelihoods.evaluate(grid.nodes, slice(None))
    own = np.exp(own - own.max(axis=0))
    for study in range(eta.shape[1]):
        level = theta[:, group_of(found, study)]
        eta[:, study] = _pick(np.maximum(table.kernels[k, level], 0) * own[:, study], rng)
    structure = source.structure
    return Draws(
        None if structure == "none" else grid.nodes[m],
        source.tau.nodes[t] if posterior.hierarchy.has_tau else None,
        table.sigma.nodes[k],
        grid.nodes[theta[:, columns]],
        grid.nodes[eta],
    )


def _hyper_nodes(found: Integrated, size: int, rng):
    flat = np.maximum(found.joint, 0).ravel()
    chosen = rng.choice(flat.size, size, p=flat / flat.sum())
    return np.unravel_index(chosen, found.joint.shape)


def _level_nodes(found: Integrated, group: int, t, m, k, rng) -> np.ndarray:
    """Draw nodes of a disease's level given nodes of tau, mu and sigma."""
    source = found.source
    data = group < len(source.groups)
    likelihood = source.levels[:, group] if data else np.ones((len(source.table.grid), 1))
    given = likelihood[:, k if data else np.zeros_like(k)].T
    if source.structure == "single":
        return m
    if source.structure == "none":
        return _pick(np.maximum(found.mu.nodes, 0) * given, rng)
    masses = np.maximum(source.kernels[t, m], 0) * given
    if found.own is not None:
        weight = found.priors.exnex.weight
        masses = weight * masses + (1 - weight) * np.maximum(found.own, 0) * given
    return _pick(masses, rng)


def _pick(masses: np.ndarray, rng) -> np.ndarray:
    """Draw one column from each row in proportion to its masses."""
    cumulative = np.cumsum(masses, axis=1)
    wanted = rng.random(len(masses)) * cumulative[:, -1]
    return np.minimum((cumulative <= wanted[:, None]).sum(axis=1), masses.shape[1] - 1)
