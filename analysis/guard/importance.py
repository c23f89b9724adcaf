"""Draws weighted as if a study had been left out."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp

#: Log-likelihoods nearer to each other than this weigh alike.
_SAME = 1e-9


def importance_weights(log_likelihood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the draws as if each unit had been left out.

    Parameters
    ----------
    log_likelihood : numpy.ndarray
        Shape (draw, unit).

    Returns
    -------
    log_weights : numpy.ndarray
        Pareto-smoothed, normalised over the draws; shape (draw, unit).
    k : numpy.ndarray
        Pareto k, shape (unit,).

    References
    ----------
    Vehtari and others 2024, Pareto smoothed importance sampling, JMLR 25(72).
    """
    from arviz_stats.base.array import array_stats

    log_weights, k = -log_likelihood, np.zeros(log_likelihood.shape[1])
    for unit, each in enumerate(log_likelihood.T):
        # Where every draw gives certainty there is no tail to smooth.
        if np.ptp(each) > _SAME:
            try:
                log_weights[:, unit], k[unit] = array_stats.psislw(np.ascontiguousarray(each))
            except ValueError as problem:
                if "tail values" not in str(problem):
                    raise
    return log_weights - logsumexp(log_weights, axis=0), k
