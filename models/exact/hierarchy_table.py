"""From a likelihood table to an integrated hierarchy: levels of diseases about mu, spread tau.

Given mu, tau and sigma the diseases are independent, so the likelihood of the three is a product
of averages over each disease's level. What every disease's level is told by the rest (its message)
comes from the same kernels, transposed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ...data.errors import ImpossibleDataError
from ..pooling import ROBUST_DEGREES
from ..priors.prior import Prior
from ..priors.sets import OutcomePriors
from .kernels import normal_kernel, student_kernel
from .likelihood_table import LikelihoodTable
from .quadrature import PriorWeights, ScaleAxis, prior_weights

#: Below this share of the posterior a node of a grid is left out of what follows.
_NEGLIGIBLE = 1e-11
_LEAST = 1e-300
_CHUNK_CELLS = 2e6
_NO_TAU = Prior.make("DiracDelta", c=0.0)


@dataclass(frozen=True, eq=False)
class HierarchyTable:
    """Likelihood over mu, tau and sigma, before any prior.

    Attributes
    ----------
    table : LikelihoodTable
        The likelihoods of the studies.
    structure : {"single", "partial", "robust", "exnex", "none"}
        How levels are related; ``single`` has one level for everything.
    tau : ScaleAxis
        Standard deviations between diseases; the single node zero where there is none.
    kernels : numpy.ndarray, shape (tau, mu, level)
        Averages over a disease's effect.
    groups : tuple of int
        Codes of the diseases with studies; under ``single`` the one code zero.
    log_levels : numpy.ndarray, shape (level, group, sigma)
        Log likelihood of each group, scaled by its maximum.
    averaged : numpy.ndarray, shape (tau, mu, group, sigma)
        The same, averaged over the disease's effect about mu.
    group_scales : numpy.ndarray, shape (group,)
        Logs of those maxima.
    """

    table: LikelihoodTable
    structure: str
    tau: ScaleAxis
    kernels: np.ndarray
    groups: tuple[int, ...]
    log_levels: np.ndarray
    averaged: np.ndarray
    group_scales: np.ndarray

    @cached_property
    def levels(self) -> np.ndarray:
        """Likelihood of each group; shape (level, group, sigma)."""
        return np.exp(self.log_levels)

    @cached_property
    def log_joint(self) -> np.ndarray:
        """Log likelihood of mu, tau and sigma; shape (tau, mu, sigma)."""
        # Group by group: logarithms of all at once would need as much memory again.
        total = np.zeros((*self.averaged.shape[:2], self.averaged.shape[3]))
        for group in range(self.averaged.shape[2]):
            total += np.log(self.averaged[:, :, group])
        return total

    @cached_property
    def axes(self) -> tuple[ScaleAxis, ScaleAxis]:
        """The axes of tau and sigma, each with the trend of the likelihood along it."""
        weights = self.table.grid.weights
        if self.structure == "none":
            sigma = np.log(np.einsum("l,lgs->gs", weights, self.levels) + _LEAST).sum(axis=0)
            return self.tau, replace(self.table.sigma, trend=sigma)
        logs = self.log_joint + np.log(weights)[:, None]
        tau, sigma = (_log_sum(logs, others) for others in ((1, 2), (0, 1)))
        return replace(self.tau, trend=tau), replace(self.table.sigma, trend=sigma)


def _log_sum(logs: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    """Log of a sum over two axes of what has these logs."""
    largest = logs.max(axis=axes, keepdims=True)
    return np.log(np.exp(logs - largest).sum(axis=axes)) + np.squeeze(largest, axes)


def hierarchy_table(
    table: LikelihoodTable, structure: str, tau: ScaleAxis, kernels: np.ndarray | None = None
) -> HierarchyTable:
    """Put the hierarchy of diseases on top of a table of likelihoods.

    Parameters
    ----------
    table : LikelihoodTable
        Of any one-dimensional likelihoods.
    structure : {"single", "partial", "robust", "exnex", "none"}
        As in `HierarchyTable`.
    tau : ScaleAxis
        Standard deviations between diseases.
    kernels : numpy.ndarray, optional
        As in `HierarchyTable`, where they are known for this grid and these deviations.

    Returns
    -------
    HierarchyTable
        The likelihood on the grid of mu, tau and sigma.
    """
    by_disease = table.groups.transpose(1, 2, 0)
    if structure == "single":
        groups: tuple[int, ...] = (0,)
        logs = by_disease.sum(axis=1, keepdims=True)
    else:
        groups = tuple(np.unique(table.likelihoods.disease).tolist())
        logs = by_disease[:, list(groups), :]
    largest = logs.max(axis=(0, 2), keepdims=True)
    logs = np.ascontiguousarray(logs - largest)
    kernels = _disease_kernels(table, structure, tau) if kernels is None else kernels
    levels = np.exp(logs).reshape(len(logs), -1)
    if structure == "none":
        averaged = np.ones((1, 1, levels.shape[1]))
    else:
        averaged = kernels.reshape(-1, len(levels)) @ levels
    shape = (len(tau), -1, *logs.shape[1:])
    np.maximum(averaged, _LEAST, out=averaged)
    averaged = averaged.reshape(shape)
    return HierarchyTable(table, structure, tau, kernels, groups, logs, averaged, largest[0, :, 0])


def _disease_kernels(table: LikelihoodTable, structure: str, tau: ScaleAxis) -> np.ndarray:
    if structure == "robust":
        return np.stack([student_kernel(table.grid, s, ROBUST_DEGREES) for s in tau.nodes])
    known = dict(zip(table.sigma.nodes.tolist(), table.kernels, strict=True))
    return np.stack(
        [known[s] if s in known else normal_kernel(table.grid, s) for s in tau.nodes.tolist()]
    )


@dataclass(frozen=True, eq=False)
class Integrated:
    """A hierarchy integrated under one set of priors. Masses are relative to ``total``.

    Attributes
    ----------
    source : HierarchyTable
        The likelihood.
    priors : OutcomePriors
        The priors.
    mu, tau, sigma : PriorWeights
        The priors on their axes.
    log_joint : numpy.ndarray, shape (tau, mu, sigma)
        Log likelihood of the nodes; mu has one place where it is no parameter.
    joint : numpy.ndarray, shape (tau, mu, sigma)
        Posterior mass of the nodes.
    total : float
        Sum of the joint masses.
    log_evidence : float
        Log marginal likelihood.
    messages : numpy.ndarray, shape (level, group + 1, sigma)
        Mass of a group's level before its own data; the last is that of a disease without data.
    posteriors : numpy.ndarray, shape (level, group + 1, sigma)
        The same after its own data.
    exchangeable : numpy.ndarray or None, shape (group,)
        Posterior probability that a disease is exchangeable, under ``exnex``.
    own : numpy.ndarray or None, shape (level,)
        Under ``exnex``, masses of the prior of a level that is not exchangeable.
    outside : numpy.ndarray, shape (group, sigma)
        Mass over sigma without each group's data.
    """

    source: HierarchyTable
    priors: OutcomePriors
    mu: PriorWeights
    tau: PriorWeights
    sigma: PriorWeights
    log_joint: np.ndarray
    joint: np.ndarray
    total: float
    log_evidence: float
    messages: np.ndarray
    posteriors: np.ndarray
    exchangeable: np.ndarray | None
    outside: np.ndarray
    own: np.ndarray | None = None

    def marginal(self, parameter: str) -> np.ndarray:
        """Likelihood of one of mu, tau and sigma, the others integrated out; shape (node,)."""
        joint, weights = self.joint, {"tau": self.tau, "mu": self.mu, "sigma": self.sigma}
        axis = ("tau", "mu", "sigma").index(parameter)
        mass = joint.sum(axis=tuple({0, 1, 2} - {axis}))
        own = weights[parameter].nodes
        return np.where(own != 0, mass, 0.0) / np.where(own != 0, own, 1.0)


def integrate(source: HierarchyTable, priors: OutcomePriors, trends: bool = True) -> Integrated:
    """Integrate a hierarchy under a set of priors.

    Parameters
    ----------
    source : HierarchyTable
        The likelihood.
    priors : OutcomePriors
        Priors of mu, tau and sigma, and of exchangeability.
    trends : bool
        Interpolate between values of tau and sigma relative to the trend of the likelihood: for
        what all the data say. What only some of them say has another trend, or none.

    Returns
    -------
    Integrated
        Masses of everything on the grids.

    Raises
    ------
    ImpossibleDataError
        Priors under which the data are impossible to within double precision.
    """
    grid = source.table.grid
    mu = prior_weights(grid, priors.mu.density)
    tau_axis, sigma_axis = source.axes if trends else (source.tau, source.table.sigma)
    sigma = prior_weights(sigma_axis, priors.sigma.density)
    if source.structure in ("single", "none"):
        tau = prior_weights(tau_axis, _NO_TAU.density)
    else:
        tau = prior_weights(tau_axis, priors.tau.density)
    if source.structure == "none":
        return _separate(source, priors, mu, tau, sigma)
    averaged, log_joint, own = source.averaged, None, None
    weight = 1.0
    if source.structure == "exnex":
        own = prior_weights(grid, (priors.exnex.level or priors.mu).density).nodes
        weight = priors.exnex.weight
        apart = np.einsum("l,lgs->gs", own, source.levels)
        averaged = weight * source.averaged + (1 - weight) * np.maximum(apart, _LEAST)
        log_joint = np.log(averaged).sum(axis=2)
    log_joint = source.log_joint if log_joint is None else log_joint
    joint, shift = _weighted(log_joint, tau.nodes, mu.nodes, sigma.nodes)
    total = float(joint.sum())
    if not (np.isfinite(shift) and total > 0):
        raise ImpossibleDataError(f"the data are impossible under mu {priors.mu}, tau {priors.tau}")
    messages, outside = _messages(source, joint, averaged, own, weight)
    posteriors = messages.copy()
    posteriors[:, :-1] *= source.levels
    _check_possible(posteriors, total, f"mu {priors.mu}, tau {priors.tau}")
    exchangeable = None
    if source.structure == "exnex":
        exchangeable = np.array(
            [
                weight * (joint / averaged[:, :, g] * source.averaged[:, :, g]).sum() / total
                for g in range(len(source.groups))
            ]
        )
    return Integrated(
        source, priors, mu, tau, sigma, log_joint, joint, total,
        float(np.log(total) + shift + source.group_scales.sum()), messages, posteriors,
        exchangeable, outside, own,
    )  # fmt: skip


def _check_possible(posteriors: np.ndarray, total: float, under: str) -> None:
    """Refuse a group whose level has lost the mass that all data together have."""
    if not (posteriors.sum(axis=(0, 2)) > total / 2).all():
        raise ImpossibleDataError(f"the data are impossible under {under}")


def _weighted(log_joint, tau, mu, sigma) -> tuple[np.ndarray, float]:
    """Likelihood times the weights of the nodes, scaled by the largest; and its log."""
    with np.errstate(divide="ignore"):
        logs = (
            log_joint
            + np.log(np.abs(tau))[:, None, None]
            + np.log(np.abs(mu))[:, None]
            + np.log(np.abs(sigma))
        )
    shift = float(logs.max())
    if not np.isfinite(shift):
        return np.zeros_like(logs), shift
    signs = np.sign(tau)[:, None, None] * np.sign(mu)[:, None] * np.sign(sigma)
    return np.exp(logs - shift) * signs, shift


def _messages(source, joint, averaged, own, weight):
    """Mass of each group's level given all other data; of a disease without data last."""
    (_, rows, depth), count = joint.shape, len(source.groups)
    others = np.zeros((count + 1, depth))
    messages = np.zeros((rows, (count + 1) * depth))
    # Large products: many small ones spend their time in waiting for each other's threads.
    size = max(1, int(_CHUNK_CELLS / (rows * (count + 1) * depth)))
    for part in (slice(t, t + size) for t in range(0, len(joint), size)):
        above = np.empty((len(joint[part]), rows, count + 1, depth))
        np.divide(joint[part, :, None], averaged[part], out=above[:, :, :-1])
        above[:, :, -1] = joint[part]
        others += above.sum(axis=(0, 1))
        # What one group's data make impossible may be likely without them: each has its own share.
        largest = np.sqrt(np.einsum("tmgk,tmgk->tmg", above, above))
        kept = (largest > _NEGLIGIBLE * others.sum(axis=1)).any(axis=2)
        sent = above[kept].reshape(int(kept.sum()), messages.shape[1])
        messages += weight * (source.kernels[part][kept].T @ sent)
    messages = messages.reshape(rows, count + 1, depth)
    if own is not None:
        messages += (1 - weight) * own[:, None, None] * others
    return messages, others[:-1]


def _separate(source, priors, mu, tau, sigma) -> Integrated:
    """Integrate levels that have the prior of mu one by one and share only sigma."""
    levels = np.einsum("l,lgs->gs", mu.nodes, source.levels)
    levels = np.maximum(levels, _LEAST)
    log_joint = np.log(levels).sum(axis=0)[None, None]
    joint, shift = _weighted(log_joint, tau.nodes, np.ones(1), sigma.nodes)
    total = float(joint.sum())
    if not (np.isfinite(shift) and total > 0):
        raise ImpossibleDataError(
            f"the data are impossible under mu {priors.mu}, sigma {priors.sigma}"
        )
    others = np.concatenate([joint[0] / levels, joint[0]])
    messages = mu.nodes[:, None, None] * others
    posteriors = messages.copy()
    posteriors[:, :-1] *= source.levels
    _check_possible(posteriors, total, f"mu {priors.mu}, sigma {priors.sigma}")
    return Integrated(
        source, priors, mu, tau, sigma, log_joint, joint, total,
        float(np.log(total) + shift + source.group_scales.sum()), messages, posteriors, None,
        others[:-1],
    )  # fmt: skip
