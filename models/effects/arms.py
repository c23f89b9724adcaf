"""The arms of studies: log probabilities of their counts, and the slopes of these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainc, expit, gammaln, log_expit

from ...data.errors import InputError
from ..outcomes import Link, inverse_link

#: Levels beyond this have hazards beyond double precision.
_HIGHEST = 700.0
_LEAST = 1e-290
#: Step of the numerical derivative where a count is known within bounds only.
_STEP = 1e-3


@dataclass(frozen=True, eq=False)
class Arms:
    """Arms of studies in rows, studies in columns; a study with fewer arms has empty places.

    Attributes
    ----------
    low, high, n : numpy.ndarray, shape (arm, study)
        Least and most events, and patients; all zero in an empty place.
    log_years : numpy.ndarray, shape (arm, study)
        Log follow-up in years, added to the level; zero for ``logit``.
    half : numpy.ndarray, shape (arm, study)
        Share of the contrast in the arm's level: 1/2 where treated, -1/2 in a control arm, 0 in an
        empty place.
    coefficient : numpy.ndarray, shape (arm, study)
        Log binomial coefficient of the least count.
    link : {"logit", "cloglog"}
        Scale of the levels: log-odds, or log hazard per year.
    """

    low: np.ndarray
    high: np.ndarray
    n: np.ndarray
    log_years: np.ndarray
    half: np.ndarray
    coefficient: np.ndarray
    link: Link

    @property
    def treated(self) -> np.ndarray:
        """Which arms were treated; shape (arm, study)."""
        return self.half > 0

    @property
    def control(self) -> np.ndarray:
        """Which arms were not; shape (arm, study)."""
        return self.half < 0

    def of(self, studies) -> Arms:
        """Pick studies by positions or a slice, or spread them over further axes."""
        index = (slice(None), *studies) if isinstance(studies, tuple) else (slice(None), studies)
        return Arms(
            self.low[index],
            self.high[index],
            self.n[index],
            self.log_years[index],
            self.half[index],
            self.coefficient[index],
            self.link,
        )

    def levels(self, baseline: np.ndarray, contrast: np.ndarray) -> np.ndarray:
        """Levels of the arms, from baselines and contrasts of the shape of the studies."""
        return baseline + (self.half * contrast + self.log_years)

    def log_probability(self, levels: np.ndarray) -> np.ndarray:
        """Log probability that each count lies within its bounds; shape of ``levels``."""
        if self.link == "logit":
            logs = self.coefficient + self.low * levels + self.n * log_expit(-levels)
        else:
            event, none = _log_chances(levels)
            logs = self.coefficient + self.low * event + (self.n - self.low) * none
        bounded = np.broadcast_to(self.low < self.high, levels.shape)
        if bounded.any():
            low, high, n = (_picked(each, bounded) for each in (self.low, self.high, self.n))
            logs[bounded] = _log_within(low, high, n, levels[bounded], self.link)
        return logs

    def slope_and_curvature(self, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First two derivatives of `log_probability` by the level; shape of ``levels``."""
        slope, curvature = _derivatives(self.low, self.n, levels, self.link)
        bounded = np.broadcast_to(self.low < self.high, levels.shape)
        if bounded.any():
            low, high, n = (_picked(each, bounded) for each in (self.low, self.high, self.n))
            here = levels[bounded]
            before, at, after = (
                _slope_within(low, high, n, here + step, self.link) for step in (-_STEP, 0, _STEP)
            )
            slope[bounded], curvature[bounded] = at, (after - before) / (2 * _STEP)
        return slope, curvature


def arms_of(rows: pd.DataFrame, link: Link, studies: Sequence[str]) -> Arms:
    """Lay the rows of one outcome out as arms.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``study``, ``arm``, ``events_min``, ``events_max``, ``n`` and, for ``cloglog``, ``months``.
    link : {"logit", "cloglog"}
        Scale of the levels.
    studies : sequence of str
        The studies wanted, in order.

    Returns
    -------
    Arms
        Of every study.

    Raises
    ------
    InputError
        A ``cloglog`` row without months.
    """
    code = {study: position for position, study in enumerate(studies)}
    own = rows[rows["study"].isin(studies)]
    position = own["study"].map(code).to_numpy(int)
    place = own.groupby("study", sort=False).cumcount().to_numpy()
    shape = (int(place.max(initial=0)) + 1, len(studies))

    def laid_out(values) -> np.ndarray:
        table = np.zeros(shape)
        table[place, position] = values
        return table

    log_years = np.zeros(len(own))
    if link == "cloglog":
        months = own["months"].to_numpy(float)
        if not np.all(months > 0):
            study = own["study"].iloc[int(np.argmin(months > 0))]
            raise InputError(f"study {study}: a log hazard ratio needs months of follow-up")
        log_years = np.log(months / 12)
    low, high, n = (laid_out(own[name].to_numpy()) for name in ("events_min", "events_max", "n"))
    half = laid_out(np.where(own["arm"] == "control", -0.5, 0.5))
    return Arms(low, high, n, laid_out(log_years), half, _log_binomial(n, low), link)


def _picked(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    return np.broadcast_to(values, mask.shape)[mask]


def _log_binomial(n, count) -> np.ndarray:
    return gammaln(n + 1) - gammaln(count + 1) - gammaln(n - count + 1)


def _hazards(levels: np.ndarray) -> np.ndarray:
    return np.maximum(np.exp(np.minimum(levels, _HIGHEST)), 1e-300)


def _log_chances(levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of an event and of none, at log hazards."""
    hazard = _hazards(levels)
    return np.log(-np.expm1(-hazard)), -hazard


def _relative_slopes(levels: np.ndarray, link: Link) -> tuple[np.ndarray, np.ndarray]:
    """Give the slopes of the log probability of an event, and of none with its sign reversed."""
    if link == "logit":
        event = expit(levels)
        return 1 - event, event
    hazard = _hazards(levels)
    with np.errstate(over="ignore"):
        return hazard / np.expm1(hazard), hazard


def _derivatives(count, n, levels: np.ndarray, link: Link) -> tuple[np.ndarray, np.ndarray]:
    """First two derivatives of the log probability of a known count."""
    up, down = _relative_slopes(levels, link)
    if link == "logit":
        return count - n * down, -n * up * down
    # An event that is certain has the slope zero, whatever the hazard.
    bend = np.where(up > 0, up * (1 - down - up), 0.0)
    return count * up - (n - count) * down, count * bend - (n - count) * down


def _log_pmf(count, n, levels: np.ndarray, link: Link) -> np.ndarray:
    if link == "logit":
        return _log_binomial(n, count) + count * levels + n * log_expit(-levels)
    event, none = _log_chances(levels)
    return _log_binomial(n, count) + count * event + (n - count) * none


def _log_within(low, high, n, levels: np.ndarray, link: Link) -> np.ndarray:
    """Log probability of a count between bounds, from the side on which it does not cancel."""
    p, q = np.asarray(inverse_link(levels, link)), _chance_of_none(levels, link)
    at_most = np.where(high < n, betainc(np.maximum(n - high, 1), high + 1, q), 1.0)
    fewer = np.where(low > 0, betainc(n - low + 1, np.maximum(low, 1), q), 0.0)
    at_least = np.where(low > 0, betainc(np.maximum(low, 1), n - low + 1, p), 1.0)
    more = np.where(high < n, betainc(high + 1, np.maximum(n - high, 1), p), 0.0)
    inside = np.where(n * p < (low + high) / 2, at_least - more, at_most - fewer)
    # Where the sum is beyond double precision the count next to the expected one is nearly all.
    nearest = np.clip(np.round(n * p), low, high)
    logs = np.log(np.maximum(inside, _LEAST))
    return np.where(inside > _LEAST, logs, _log_pmf(nearest, n, levels, link))


def _chance_of_none(levels: np.ndarray, link: Link) -> np.ndarray:
    return expit(-levels) if link == "logit" else np.exp(-_hazards(levels))


def _slope_within(low, high, n, levels: np.ndarray, link: Link) -> np.ndarray:
    """Give the derivative of `_log_within` by the level."""
    whole = _log_within(low, high, n, levels, link)
    up, down = _relative_slopes(levels, link)
    at_low, at_high = (_log_pmf(count, n, levels, link) - whole for count in (low, high))
    rising = low * up * np.exp(np.minimum(at_low, 0))
    return rising - (n - high) * down * np.exp(np.minimum(at_high, 0))
