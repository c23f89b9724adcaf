"""What would be known of a disease had a study been seen that was not: of any counts or effect."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy.special import xlog1py, xlogy

from ..outcomes import link_function
from .distribution import Distributions
from .further_study import effect_kernel, levels_inside, on_levels, own_masses
from .likelihood_table import rates
from .posterior import ExactPosterior
from .quadrature import UPSAMPLING

#: Share of the posterior below which a value of sigma is left out.
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True, eq=False)
class UnseenStudy:
    """A disease's level beside that of one more study in it.

    Attributes
    ----------
    levels, spacing : numpy.ndarray, shape (level,)
        Levels on the linear scale, and what each stands for.
    joint : numpy.ndarray, shape (level of the disease, level of the study)
        Probability of both, before the study.
    """

    levels: np.ndarray
    spacing: np.ndarray
    joint: np.ndarray

    def after(self, log_likelihoods: np.ndarray) -> Distributions:
        """Return the level of the disease had a study been seen; one distribution a study.

        Parameters
        ----------
        log_likelihoods : numpy.ndarray, shape (level, study)
            Of studies that might have been, each by itself.
        """
        likelihoods = np.exp(log_likelihoods - log_likelihoods.max(axis=0))
        return on_levels(self.levels, self.spacing, self.joint @ likelihoods)


@dataclass(frozen=True, eq=False)
class UnseenNested:
    """The rate that a nested outcome has in one more study, beside that of its disease.

    Attributes
    ----------
    rate : numpy.ndarray, shape (level of the study, its level of the share)
        Rate of the nested outcome in the study: that of its parent times its share.
    joint, exceeding : numpy.ndarray, of that shape
        Probability before the study; and that with a rate of the disease above the threshold.
    """

    rate: np.ndarray
    joint: np.ndarray
    exceeding: np.ndarray

    @classmethod
    def of(cls, parent: UnseenStudy, share: UnseenStudy, threshold: float) -> UnseenNested:
        """Combine what is known of the parent and of the share, log-odds both."""
        p = rates(parent.levels, "logit")
        needed = link_function(np.minimum(threshold / p, 1 - 1e-15), "logit")
        # Of the cell of levels in which the threshold lies a part is above it.
        part = (share.levels + share.spacing / 2 - needed[:, None]) / share.spacing
        above = np.clip(part, 0, 1) * (p > threshold)[:, None]
        return cls(
            p[:, None] * rates(share.levels, "logit"),
            np.outer(parent.joint.sum(axis=0), share.joint.sum(axis=0)),
            parent.joint.T @ above @ share.joint,
        )

    def above(self, events: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Return the probability that the disease's rate exceeds the threshold after studies.

        Parameters
        ----------
        events, n : numpy.ndarray of int, shape (study,)
            Patients with the nested outcome, of how many; that of the parent is not counted.

        Returns
        -------
        numpy.ndarray, shape (study,)
            Each study by itself.
        """
        found = []
        for y, size in zip(events.tolist(), n.tolist(), strict=True):
            logs = xlogy(y, self.rate) + xlog1py(size - y, -self.rate)
            likelihood = np.exp(logs - logs.max())
            found.append(np.vdot(self.exceeding, likelihood) / np.vdot(self.joint, likelihood))
        return np.array(found)


def unseen_studies(
    posterior: ExactPosterior, diseases: Collection[str], coarser: bool = False, every: int = 1
) -> dict[str, UnseenStudy]:
    """Prepare what one more study in each of some diseases would have told.

    Parameters
    ----------
    posterior : ExactPosterior
        Of rates or of effects, without the study.
    diseases : collection of str
        Diseases, with or without other data.
    coarser : bool
        From the coarser grid, which tells the numerical error of anything computed from it.
    every : int
        Of the fine levels every which is taken: one of two resolves studies of 1,000 patients.

    Returns
    -------
    dict of str to UnseenStudy
        By disease; those without data share one.
    """
    grids = posterior.check if coarser else posterior.main
    names = posterior.hierarchy.likelihoods.diseases
    columns = {disease: posterior.columns[names.index(disease)] for disease in diseases}
    grid, part = grids.source.table.grid, slice(*levels_inside(grids), every)
    levels, spacing = grid.fine[part], grid.fine_weights[part] * every / UPSAMPLING
    own = own_masses(grids)[part]
    joints = {place: np.zeros((len(levels), len(levels))) for place in columns.values()}
    shares = np.abs(own[:, list(joints)]).sum(axis=0)
    shares = (shares / shares.sum(axis=1, keepdims=True)).max(axis=0, initial=0.0)
    for k in np.flatnonzero(shares > _NEGLIGIBLE).tolist():
        kernel = effect_kernel(levels, spacing, float(grids.source.table.sigma.nodes[k]))
        for place, joint in joints.items():
            joint += own[:, place, k, None] * kernel
    made = {
        place: UnseenStudy(levels, spacing, joint / joint.sum()) for place, joint in joints.items()
    }
    return {disease: made[place] for disease, place in columns.items()}
