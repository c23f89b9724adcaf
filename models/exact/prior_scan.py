"""Hundreds of priors of one outcome at once, and what each says of a rate beyond a threshold.

Given mu, tau and sigma the probability that a disease's rate exceeds a threshold does not depend on
their priors. It is tabulated once; each prior is then a weighted sum over the same table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..outcomes import Link, link_function
from ..priors.prior import Prior
from ..priors.sets import OutcomePriors
from .distribution import Distribution, nodes_above
from .hierarchy import ExactHierarchy
from .hierarchy_table import HierarchyTable
from .layout import Extent
from .outcomes import ExactFit
from .posterior import ExactPosterior
from .quadrature import LevelGrid, prior_weights


def scan_above(
    reference: ExactFit, outcome: str, rate: float, levels: Sequence[Prior], scales: Sequence[Prior]
) -> np.ndarray:
    """Probability that each disease's rate exceeds a threshold, under every pair of priors.

    Parameters
    ----------
    reference : ExactFit
        Posteriors under the set whose other priors are kept; a nested outcome's parent keeps its
        posterior.
    outcome : str
        The outcome whose priors of mu and tau are varied.
    rate : float
        Threshold, a probability.
    levels, scales : sequence of Prior
        Priors of mu, and of tau (empty for a pooling without tau).

    Returns
    -------
    numpy.ndarray, shape (level, scale, disease)
        Probabilities; one scale where there is no tau, nan where the data are impossible.
    """
    hierarchy = reference.model.hierarchies[outcome]
    priors = reference.priors.of(outcome)
    if hierarchy.structure in ("partial", "robust") and scales:
        return _tabulated(reference, outcome, rate, levels, scales)
    varied = scales or [priors.tau]
    probabilities = np.empty((len(levels), len(varied), len(hierarchy.likelihoods.diseases)))
    for i, mu in enumerate(levels):
        for j, tau in enumerate(varied):
            own = hierarchy.posterior(replace(priors, mu=mu, tau=tau), verify=False)
            posteriors = {**reference.posteriors, outcome: own}
            each = replace(reference, posteriors=posteriors)
            probabilities[i, j] = each.probability_above(outcome, rate).to_numpy()
    return probabilities


def _tabulated(
    reference: ExactFit, outcome: str, rate: float, levels: Sequence[Prior], scales: Sequence[Prior]
) -> np.ndarray:
    """Contract one table with the weights of every prior."""
    hierarchy, priors = reference.model.hierarchies[outcome], reference.priors.of(outcome)
    # The posterior's own grid is already as wide in sigma as it needs.
    extents = [reference.posteriors[outcome].extent, *_extents(hierarchy, priors, levels, scales)]
    extent = _covering(extents)
    while True:
        source = hierarchy.table(extent)
        mu, tau = (
            np.stack([prior_weights(axis, each.density).nodes for each in several])
            for axis, several in ((source.table.grid, levels), (source.axes[0], scales))
        )
        sigma = prior_weights(source.axes[1], priors.sigma.density).nodes
        joint = np.exp(source.log_joint - source.log_joint.max())
        total = _contracted(joint, mu, tau, sigma)
        last = tau * np.eye(len(source.tau))[-1]
        beyond = _contracted(joint, mu, last, sigma)
        if (np.abs(beyond) <= _TAIL * total).all() or extent.tau >= _FARTHEST * hierarchy.unit:
            break
        extent = replace(extent, tau=4 * extent.tau)
    above = _above(reference, outcome, rate, source.table.grid)
    probabilities = np.stack(
        [
            _contracted(_mass_above(source, joint, d, column), mu, tau, sigma)
            for d, column in enumerate(above.T)
        ],
        axis=-1,
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.clip(
            np.where(total[..., None] > 0, probabilities / total[..., None], np.nan), 0, 1
        )


#: Mass that may lie at the largest tau of a table, and the largest tau worth tabulating.
_TAIL, _FARTHEST = 1e-9, 1e4


def _contracted(joint: np.ndarray, mu: np.ndarray, tau: np.ndarray, sigma: np.ndarray):
    """Sum over tau, mu and sigma with the weights of every prior; shape (level, scale)."""
    return np.einsum("it,jt->ij", mu @ (joint @ sigma).T, tau)


def _mass_above(
    source: HierarchyTable, joint: np.ndarray, disease: int, above: np.ndarray
) -> np.ndarray:
    """Likelihood of mu, tau and sigma times the probability above; shape (tau, mu, sigma)."""
    if disease not in source.groups:  # nothing is known of it but mu and tau
        return joint * (source.kernels @ above)[:, :, None]
    g = source.groups.index(disease)
    reached = source.kernels @ (above[:, None] * source.levels[:, g])
    return joint * (reached / source.averaged[:, :, g])


def _extents(
    hierarchy: ExactHierarchy,
    priors: OutcomePriors,
    levels: Sequence[Prior],
    scales: Sequence[Prior],
) -> list[Extent]:
    """Say what a table must cover for each prior of mu, with the widest of tau."""
    widest = max(scales, key=lambda prior: float(prior.ppf(0.5)))
    return [hierarchy.extent_of(replace(priors, mu=mu, tau=widest)) for mu in levels]


def _covering(extents: Sequence[Extent]) -> Extent:
    """Say what one table must cover for a posterior, the first, and for every prior."""
    return replace(
        extents[-1],
        lower=min(each.lower for each in extents),
        upper=max(each.upper for each in extents),
        tau=max(each.tau for each in extents[1:]),
        sigma=max(each.sigma for each in extents),
        tau_bottom=0.0,
        sigma_bottom=min(each.sigma_bottom for each in extents),
        narrow=tuple(dict.fromkeys(part for each in extents for part in each.narrow)),
    )


def _above(reference: ExactFit, outcome: str, rate: float, grid: LevelGrid) -> np.ndarray:
    """Weights with which masses of a level's nodes give P(rate > threshold).

    Returns
    -------
    numpy.ndarray, shape (node, disease)
        Of a nested outcome's own probability, its parent's integrated out.
    """
    posterior: ExactPosterior = reference.posteriors[outcome]
    diseases = posterior.hierarchy.likelihoods.diseases
    link = posterior.hierarchy.likelihoods.link
    parent = reference.model.parents.get(outcome)
    if parent is None:
        one = _survival(grid, _levels(np.array([rate]), link))
        return np.repeat(one.T, len(diseases), axis=1)
    columns = []
    for disease in diseases:
        above: Distribution = reference.posteriors[parent].distribution("rate", disease)
        values, masses = nodes_above(above, [rate])
        # Below the threshold not even all of those with the parent are enough.
        inside = values > rate
        needed = np.minimum(rate / values[inside], 1 - 1e-15)
        columns.append(masses[0, inside] @ _survival(grid, _levels(needed, link)))
    return np.stack(columns, axis=1)


def _levels(values: np.ndarray, link: Link | None) -> np.ndarray:
    return values if link is None else np.asarray(link_function(values, link))


def _survival(grid: LevelGrid, levels: np.ndarray) -> np.ndarray:
    """Weights with which masses of the nodes give the probability beyond levels; (level, node)."""
    x = np.clip(levels, grid.fine[0], grid.fine[-1])
    k = np.clip(np.searchsorted(grid.fine, x) - 1, 0, len(grid.fine) - 2)
    width = (grid.fine[k + 1] - grid.fine[k])[:, None]
    t = (x - grid.fine[k])[:, None] / width
    low, high = grid.accumulation[k], grid.accumulation[k + 1]
    slope = grid.refinement / grid.fine_weights[:, None]
    left, right = slope[k] * width - (high - low), slope[k + 1] * width - (high - low)
    below = low + (high - low) * t + t * (1 - t) * (left * (1 - t) - right * t)
    return grid.accumulation[-1] - below
