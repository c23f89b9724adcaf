"""Means as bounded counts: how many reached a threshold, given a mean and its deviation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

Kind = Literal["level", "change"]
Direction = Literal["lower", "higher"]

KINDS: tuple[Kind, ...] = ("level", "change")
#: How a count is known that follows from means, and its sign beside counts and rates.
MODELLED, MODELLED_SIGN = "modelled", "◌"
DIRECTIONS: tuple[Direction, ...] = ("lower", "higher")

#: Correlations of a patient's score before and after treatment that are thought possible.
CORRELATIONS = (0.3, 0.9)
#: Standard deviations of a sample's share on either side of it.
WIDTH = 1.96

_STEPS = 61
# A share of 1e-300 patients is nobody.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Means:
    """What a study reports of a score in one arm, and how much improvement counts.

    Attributes
    ----------
    n : int
        Patients.
    kind : {"level", "change"}
        Whether `mean` and `sd` are those of the score after treatment, or of its change.
    mean, sd : float
        In points of the score; of the change, with `percent`, in percent of the baseline.
    direction : {"lower", "higher"}
        Which scores are better.
    threshold_min, threshold_max : float
        Bounds of the smallest improvement that counts as the outcome.
    percent : bool
        Whether the thresholds are in percent of the baseline rather than in points.
    baseline_mean, baseline_sd : float
        Of the score before treatment; NaN for a change.
    """

    n: int
    kind: Kind
    mean: float
    sd: float
    direction: Direction
    threshold_min: float
    threshold_max: float
    percent: bool = False
    baseline_mean: float = math.nan
    baseline_sd: float = math.nan

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Means:
        """Read a row of `Evidence.means`."""
        return cls(**{each.name: row[each.name] for each in fields(cls)})


def responders(means: Means) -> tuple[int, int]:
    """Bound the number of patients who reached the threshold.

    Improvement is taken as normal. Its deviation follows from those before and after treatment for
    every correlation of the two from 0.3 to 0.9. Given a sample's own mean and deviation its share
    beyond a threshold varies about that of the normal distribution with Durbin's variance, smaller
    than the binomial one.

    Parameters
    ----------
    means : Means
        One arm.

    Returns
    -------
    (int, int)
        The least and the most patients, over all correlations and thresholds, at 1.96 standard
        deviations, rounded outwards.

    References
    ----------
    Durbin 1973, Weak convergence of the sample distribution function when parameters are estimated,
    doi 10.1214/aos/1176342365.
    """
    lowest, highest = standardised(means)
    z = np.linspace(lowest, highest, _STEPS)
    share, deviation = share_beyond(z, means.n)
    least = math.floor(means.n * float(np.min(share - WIDTH * deviation)) + _ROUNDING)
    most = math.ceil(means.n * float(np.max(share + WIDTH * deviation)) - _ROUNDING)
    return max(least, 0), min(most, means.n)


def standardised(means: Means) -> tuple[float, float]:
    """Give the least and the largest standardised distance of the improvement beyond its threshold.

    Parameters
    ----------
    means : Means
        One arm.

    Returns
    -------
    (float, float)
        Over all thresholds and correlations; above 0 where the typical patient reached it.
    """
    thresholds = np.linspace(means.threshold_min, means.threshold_max, _STEPS)[:, None]
    correlations = np.linspace(*CORRELATIONS, _STEPS)[None, :]
    better = -1.0 if means.direction == "lower" else 1.0
    if means.kind == "change":
        z = (better * means.mean - thresholds) / means.sd
    else:
        # A threshold in percent is one of 0 points from a baseline that is so much better.
        scale = 1.0 + better * thresholds / 100 if means.percent else np.ones_like(thresholds)
        wanted = 0.0 if means.percent else thresholds
        mean = better * (means.mean - scale * means.baseline_mean)
        spread = scale * means.baseline_sd
        variance = means.sd**2 + spread**2 - 2 * correlations * means.sd * spread
        z = (mean - wanted) / np.sqrt(variance)
    return float(np.min(z)), float(np.max(z))


def improvement(means: Means) -> tuple[float, float, float]:
    """Give the mean improvement, and its deviation at the largest and the smallest correlation.

    Parameters
    ----------
    means : Means
        One arm.

    Returns
    -------
    (float, float, float)
        Positive where patients got better; in points, or in percent of the mean baseline where the
        thresholds are.
    """
    better = -1.0 if means.direction == "lower" else 1.0
    if means.kind == "change":
        return better * means.mean, means.sd, means.sd
    unit = means.baseline_mean / 100 if means.percent else 1.0
    variances = (
        means.sd**2 + means.baseline_sd**2 - 2 * correlation * means.sd * means.baseline_sd
        for correlation in reversed(CORRELATIONS)
    )
    least, most = (math.sqrt(variance) / unit for variance in variances)
    return better * (means.mean - means.baseline_mean) / unit, least, most


def share_beyond(z: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the share of a sample beyond its threshold, and the deviation of that share.

    Parameters
    ----------
    z : numpy.ndarray
        Standardised distance of the mean beyond the threshold.
    n : int
        Patients of the sample.

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        Of samples with that very mean and standard deviation.
    """
    share = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in np.atleast_1d(z)])
    density = np.exp(-0.5 * np.atleast_1d(z) ** 2) / math.sqrt(2 * math.pi)
    variance = share * (1 - share) - density**2 * (1 + 0.5 * np.atleast_1d(z) ** 2)
    return share, np.sqrt(np.maximum(variance, 0.0) / n)
