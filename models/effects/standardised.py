"""A study's effect from means: the standardised mean difference as a log odds ratio."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln

#: What a standard deviation is on the log-odds scale: that of a logistic distribution.
LOG_ODDS = np.pi / np.sqrt(3)
_CORRELATIONS = 61


def by_means(rows: pd.DataFrame) -> np.ndarray:
    """Which rows tell of means rather than of counts; shape (row,)."""
    if "improvement" not in rows:
        return np.zeros(len(rows), bool)
    return rows["improvement"].notna().to_numpy(bool)


def effect_of_means(rows: pd.DataFrame) -> tuple[float, float]:
    """Turn the mean improvements of a study's arms into a log odds ratio.

    Parameters
    ----------
    rows : pandas.DataFrame
        The arms of one study: ``arm`` (``control`` or any other), ``n``, ``improvement`` (its
        mean, in any unit, above 0 where patients got better), ``sd_least`` and ``sd_most``, the
        deviations of the improvement that the correlation of scores before and after leaves
        possible. Treated arms are taken together.

    Returns
    -------
    tuple of float
        Log odds ratio of improvement, treated against control, and its standard error. Where the
        deviation of the improvement is only bounded, every correlation is as probable as any
        other: the estimate is the mean over them, and what they differ by is part of the error.

    References
    ----------
    Hedges' g with its exact correction and its variance: Hedges and Olkin 1985, as metafor's
    ``escalc(measure="SMD")``. From g to a log odds ratio: Chinn 2000,
    doi 10.1002/1097-0258(20001130)19:22<3127::AID-SIM784>3.0.CO;2-M.
    """
    control = (rows["arm"] == "control").to_numpy()
    n1, mean1, variance1 = _together(rows[~control])
    n0, mean0, variance0 = _together(rows[control])
    degrees = n1 + n0 - 2
    pooled = ((n1 - 1) * variance1 + (n0 - 1) * variance0) / degrees
    half = degrees / 2
    correction = np.exp(gammaln(half) - gammaln(half - 0.5)) / np.sqrt(half)
    g = correction * (mean1 - mean0) / np.sqrt(pooled)
    variance = 1 / n1 + 1 / n0 + g**2 / (2 * (n1 + n0))
    error = np.sqrt(variance.mean() + g.var())
    return float(LOG_ODDS * g.mean()), float(LOG_ODDS * error)


def _together(arms: pd.DataFrame) -> tuple[float, float, np.ndarray]:
    """Patients, mean and variance (by correlation) of several arms as one."""
    n, means = arms["n"].to_numpy(float), arms["improvement"].to_numpy(float)
    least, most = (arms[name].to_numpy(float)[:, None] ** 2 for name in ("sd_least", "sd_most"))
    # The variance of a difference is linear in the correlation.
    variances = least + (most - least) * (np.arange(_CORRELATIONS) + 0.5) / _CORRELATIONS
    mean = n @ means / n.sum()
    squares = (n - 1) @ variances + n @ (means - mean) ** 2
    return float(n.sum()), float(mean), squares / (n.sum() - 1)
