"""Counts of a trial on its way: among the first patients given all, and among all given those."""

from __future__ import annotations

import numpy as np

from ...models.rates.beta_mixture import log_choose


def earlier_counts(n: int, earlier: int) -> np.ndarray:
    """Probability of each count among the first `earlier` of n patients, given that of all.

    Returns
    -------
    array, shape (n + 1, earlier + 1)
        One row a count of all.
    """
    events, first = np.arange(n + 1.0)[:, None], np.arange(earlier + 1.0)
    later = events - first
    possible = (later >= 0) & (later <= n - earlier)
    kept = np.where(possible, later, 0)
    logs = log_choose(earlier, first) + log_choose(n - earlier, kept) - log_choose(n, events)
    return np.where(possible, np.exp(logs), 0.0)


def later_counts(now: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Probability of each final count, given that of now, shape (n + 1, n_final + 1).

    Parameters
    ----------
    now, final : array, shapes (n + 1,) and (n_final + 1,)
        Predictive masses of the counts before the trial.
    """
    joint = earlier_counts(final.size - 1, now.size - 1).T * final
    return joint / joint.sum(axis=1, keepdims=True)
