"""What the count of one further study would tell of every disease's rate, in one hierarchy.

Given the level of a study that is not yet done its count tells nothing more. The expectation of
every disease's rate, as a function of that level, therefore serves trials of every size: each only
averages it over the binomial likelihood of its counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..outcomes import Link
from .distribution import Distributions
from .hierarchy_table import Integrated
from .likelihood_table import rates, row_probabilities
from .posterior import ExactPosterior
from .quadrature import UPSAMPLING

#: Levels whose mass beyond is less than this are left out.
_TAIL = 1e-11
#: Spacings below which a study effect is followed by its variance alone: at one spacing the sum
#: over nodes errs by 1e-5.
_NARROW = 0.8
#: Counts less likely than this are left out: their share of a variance is no larger.
_UNLIKELY = 1e-14
_LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class FurtherStudy:
    """Every disease's rate beside the level of a study that is not yet done.

    Attributes
    ----------
    diseases : tuple of str
        Names, in order: of the study's disease, and of the diseases whose rates are learnt.
    link : {"logit", "cloglog"}
        Of the outcome.
    log_years : float
        Logarithm of the study's follow-up in years, for ``cloglog``.
    levels, spacing : numpy.ndarray, shape (level,)
        Levels on the linear scale, and what each stands for.
    means, variances : numpy.ndarray, shape (disease,)
        Of the rates (12-month risks for ``cloglog``) before the study.
    masses : numpy.ndarray, shape (level, study's disease)
        Probability of the study's level.
    moves : numpy.ndarray, shape (level, study's disease, disease)
        The same, times what this level adds to the expectation of each disease's rate.
    joint : numpy.ndarray, shape (study's disease, level of the disease, level of the study)
        Probability of both.
    """

    diseases: tuple[str, ...]
    link: Link
    log_years: float
    levels: np.ndarray
    spacing: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    masses: np.ndarray
    moves: np.ndarray
    joint: np.ndarray

    def likelihood(self, n: int) -> np.ndarray:
        """Probabilities of every count of n patients at each level; shape (level, n + 1)."""
        return row_probabilities(self.levels, n, self.log_years, self.link)

    def told(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Say what each count of n patients tells.

        Returns
        -------
        probabilities : numpy.ndarray, shape (n + 1, study's disease)
            Of the counts, before the study.
        shifts : numpy.ndarray, shape (n + 1, study's disease, disease)
            By how much each disease's expected rate moves.
        """
        if n == 0:
            return np.ones((1, len(self.diseases))), np.zeros((1, *self.moves.shape[1:]))
        return _shares(self.likelihood(n).T, self.masses, self.moves)

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Say what the level itself would tell, as endless patients do; shapes as in `told`."""
        return _shares(np.eye(len(self.levels)), self.masses, self.moves)

    def after(self, n: int, place: int) -> Distributions:
        """Return the level of a disease given each count of a study in it; n + 1 distributions."""
        return on_levels(self.levels, self.spacing, self.joint[place] @ self.likelihood(n))


def on_levels(levels: np.ndarray, spacing: np.ndarray, masses: np.ndarray) -> Distributions:
    """Turn masses of levels close to each other, shape (level, quantity), into distributions."""
    masses = np.maximum(masses, 0) / np.maximum(masses, 0).sum(axis=0)
    # The trapezoid up to each level, with Gregory's correction of its upper end.
    cumulative = np.cumsum(masses, axis=0) - masses / 2 - np.gradient(masses, axis=0) / 12
    cumulative = np.maximum.accumulate(np.clip(cumulative, 0, 1), axis=0)
    density = masses / spacing[:, None]
    return Distributions(levels, cumulative, density, levels, masses)


def _shares(
    likelihood: np.ndarray, masses: np.ndarray, moves: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities of what is seen, and the shifts of expectations by it."""
    probabilities = np.maximum(likelihood @ masses, 0)
    moved = np.tensordot(likelihood, moves, axes=1)
    seen = probabilities > _UNLIKELY
    below = np.where(seen, probabilities, 1)[..., None]
    return probabilities, np.where(seen[..., None], moved / below, 0.0)


def variance_of(probabilities: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return the variance of expectations over counts; shape (study's disease, disease)."""
    return np.einsum("yd,ydj->dj", probabilities, shifts**2)


def further_study(
    posterior: ExactPosterior, months: float = 12.0, coarser: bool = False, every: int = 1
) -> FurtherStudy:
    """Prepare what a further study would tell, of any size and in any disease.

    Parameters
    ----------
    posterior : ExactPosterior
        Of counts, before the study.
    months : float
        The study's follow-up, for ``cloglog``.
    coarser : bool
        From the coarser grid, which tells the numerical error of anything computed from it.
    every : int
        Of the fine levels every which is taken: one of two resolves trials of 500 patients.

    Returns
    -------
    FurtherStudy
        For studies in every disease, also in those without data.
    """
    grids = posterior.check if coarser else posterior.main
    link = posterior.hierarchy.likelihoods.link
    assert link is not None
    columns, grid = posterior.columns, grids.source.table.grid
    part = slice(*levels_inside(grids), every)
    levels, spacing = grid.fine[part], grid.fine_weights[part] * every / UPSAMPLING
    values = rates(levels, link)
    own = own_masses(grids)[part]
    own /= own.sum(axis=(0, 2), keepdims=True)
    means = np.einsum("l,lgs->g", values, own)
    deviations = values[:, None] - means
    variances = np.einsum("lg,lgs->g", deviations**2, own)
    # Where one level serves all, a disease learns of another what it learns of itself.
    one = grids.source.structure == "single"
    joint = np.zeros((own.shape[1], len(levels), len(levels)))
    moves = np.zeros((len(levels), own.shape[1], own.shape[1]))
    refinement = grid.refinement[part] * every / UPSAMPLING
    others = None if one else _told_of_others(grids, link)
    for k, scale in enumerate(grids.source.table.sigma.nodes):
        kernel = effect_kernel(levels, spacing, scale)
        joint += own[:, :, k].T[:, :, None] * kernel
        if others is not None:
            moves += np.tensordot(kernel.T @ refinement, others[..., k], axes=1)
    masses = joint.sum(axis=1).T
    same = np.einsum("gtl,tg->lg", joint, deviations)
    shifts = _of_diseases(moves, same, columns, one)
    masses = masses[:, columns]
    # Before any patient nothing moves, to the last digit.
    shifts -= masses[:, :, None] * (shifts.sum(axis=0) / masses.sum(axis=0)[:, None])
    return FurtherStudy(
        posterior.hierarchy.likelihoods.diseases,
        link,
        float(np.log(months / 12)) if link == "cloglog" else 0.0,
        levels,
        spacing,
        means[columns],
        variances[columns],
        masses,
        shifts,
        joint[columns],
    )


def _of_diseases(others: np.ndarray, same: np.ndarray, columns: list[int], one: bool) -> np.ndarray:
    """Lay out by disease what is known by group: shape (level, study's disease, disease)."""
    shifts = others[:, columns][:, :, columns].copy()
    for place, column in enumerate(columns):
        shifts[:, place, place] = same[:, column]
        if one:
            shifts[:, place] = same[:, [column]]
    return shifts


def levels_inside(found: Integrated) -> tuple[int, int]:
    """Which fine levels hold the mass of every group's level, and of its next study."""
    table = found.source.table
    after = np.einsum("stl,tgs->lg", table.kernels, found.posteriors)
    both = np.concatenate([after, found.posteriors.sum(axis=2)], axis=1)
    masses = np.maximum(table.grid.refinement @ (both / both.sum(axis=0)), 0)
    below = np.cumsum(masses, axis=0) / masses.sum(axis=0)
    inside = np.flatnonzero(((below > _TAIL) & (below < 1 - _TAIL)).any(axis=1))
    return int(inside[0]), int(inside[-1]) + 1


def own_masses(found: Integrated) -> np.ndarray:
    """Masses of each group's level and sigma on the fine levels; (level, group + 1, sigma)."""
    grid = found.source.table.grid
    if found.source.structure not in ("single", "none"):
        return np.tensordot(grid.refinement, found.posteriors, axes=1)
    # The prior of mu itself, with its edges, times a likelihood.
    weights = found.mu.nodes[:, None, None]
    known = np.where(weights != 0, found.posteriors, 0) / np.where(weights != 0, weights, 1)
    prior = np.exp(found.priors.mu.density.logpdf(grid.fine)) * grid.fine_weights
    return prior[:, None, None] * np.tensordot(grid.refinement, known, axes=1)


def _told_of_others(found: Integrated, link: Link) -> np.ndarray:
    """Give what a level of one group adds to the expected rate of another, times its mass.

    Shape (level, group, other group, sigma); the last of the groups is a disease without data, and
    on the diagonal stands another disease like it.
    """
    source = found.source
    rate = rates(source.table.grid.nodes, link)
    total = found.posteriors.sum(axis=(0, 2))
    means = np.einsum("l,lgs->g", rate, found.posteriors) / total
    levels = np.concatenate([source.levels, np.ones_like(source.levels[:, :1])], axis=1)
    if source.structure == "none":
        weighted = found.mu.nodes[:, None, None] * levels
        expected = np.einsum("l,lgs->gs", rate, weighted) / weighted.sum(axis=0) - means[:, None]
        return (found.posteriors / total[:, None])[:, :, None] * expected
    joint, shape = found.joint, (*found.joint.shape, levels.shape[1])
    weight = 1.0 if found.own is None else found.priors.exnex.weight

    def averaged(values: np.ndarray) -> np.ndarray:
        """Average over a disease's level given mu, tau and sigma; (tau, mu, sigma, group)."""
        by_level = values.transpose(0, 2, 1).reshape(len(rate), -1)
        about_mu = weight * (source.kernels.reshape(-1, len(rate)) @ by_level).reshape(shape)
        if found.own is None:
            return about_mu
        return about_mu + (1 - weight) * (found.own @ by_level).reshape(shape[2:])

    likelihood = np.maximum(averaged(levels), _LEAST)
    expected = averaged(levels * (rate[:, None] - means)[..., None]) / likelihood
    from_others = np.empty((len(rate), *expected.shape[-1:] * 2, shape[2]))
    for group in range(shape[3]):
        sent = (joint / likelihood[..., group])[..., None] * expected
        flat = sent.reshape(-1, shape[2] * shape[3])
        own = weight * (source.kernels.reshape(len(flat), -1).T @ flat)
        if found.own is not None:
            own += (1 - weight) * np.outer(found.own, flat.sum(axis=0))
        by_sigma = own.reshape(len(rate), shape[2], shape[3]).transpose(0, 2, 1)
        from_others[:, group] = by_sigma * levels[:, group, None] / total[group]
    return from_others


def effect_kernel(levels: np.ndarray, spacing: np.ndarray, scale: float) -> np.ndarray:
    """Probability of a study's level about each level of its disease; (level, level)."""
    wide = scale >= _NARROW * spacing
    kernel = np.eye(len(levels))
    if wide.any():
        z = (levels - levels[wide, None]) / scale
        part = np.exp(-0.5 * z * z) * spacing
        kernel[wide] = part / part.sum(axis=1, keepdims=True)
    # A narrower effect changes a smooth function by half its variance times the curvature.
    narrow = np.flatnonzero(~wide[1:-1]) + 1
    below, above = levels[narrow] - levels[narrow - 1], levels[narrow + 1] - levels[narrow]
    kernel[narrow, narrow - 1] = scale**2 / (below * (below + above))
    kernel[narrow, narrow + 1] = scale**2 / (above * (below + above))
    kernel[narrow, narrow] -= scale**2 / (below * above)
    return kernel
