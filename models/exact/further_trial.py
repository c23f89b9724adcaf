"""What a further trial would tell of every disease's rate of an outcome, nested ones included."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, logit

from ..outcomes import link_function
from .distribution import Distributions
from .further_study import FurtherStudy, further_study, variance_of
from .likelihood_table import rates
from .outcomes import ExactFit
from .quadrature import invert_cumulative

#: Points at which the distribution of a nested rate is known, and what lies beyond them.
_POINTS, _BEYOND = 121, 1e-5
#: Counts of the parent less likely than this are left out of what is said after the trial.
_UNLIKELY = 1e-7
#: Up to so many patients every second of the fine levels resolves what their counts say.
RESOLVED = 500


@dataclass(frozen=True, eq=False)
class Endings:
    """What would be known of a disease's rate, by what the trial counted.

    Attributes
    ----------
    probabilities : numpy.ndarray, shape (ending,)
        Of what was counted, before the trial; they sum to one.
    widths : numpy.ndarray, shape (ending,)
        Width of the central interval of the rate.
    above : numpy.ndarray, shape (ending,)
        Probability that the rate exceeds the threshold.
    """

    probabilities: np.ndarray
    widths: np.ndarray
    above: np.ndarray


@dataclass(frozen=True, eq=False)
class FurtherTrial:
    """A trial in any disease and of any size, before it is run.

    Attributes
    ----------
    own : FurtherStudy
        Of the outcome; of a nested one among those with its parent.
    parent : FurtherStudy or None
        Of the parent, which the trial counts as well.
    """

    own: FurtherStudy
    parent: FurtherStudy | None = None
    _kept: list[np.ndarray] = field(default_factory=list, init=False, repr=False)

    @property
    def diseases(self) -> tuple[str, ...]:
        """Names of the diseases."""
        return self.own.diseases

    @cached_property
    def variances(self) -> np.ndarray:
        """Variance of each disease's rate before the trial; shape (disease,)."""
        own, parent = self.own, self.parent
        if parent is None:
            return own.variances
        # Of a product of independent rates.
        return (
            own.variances * parent.variances
            + own.variances * parent.means**2
            + parent.variances * own.means**2
        )

    def gains(self, n: int) -> np.ndarray:
        """Return by how much the variances of rates are expected to fall.

        Parameters
        ----------
        n : int
            Patients of the trial.

        Returns
        -------
        numpy.ndarray, shape (trial's disease, disease)
            The variance of the expectation over what the trial may count: 0 without patients,
            never negative, and never less for more patients.
        """
        if self.parent is None:
            return variance_of(*self.own.told(n))
        # Given the parent's count the two rates stay independent, and the nested trial has as many
        # patients as the parent counted.
        return self._nested(self.parent, *self.parent.told(n), self._gains_among(n))

    def limits(self) -> np.ndarray:
        """Return what `gains` tends to as one trial grows without end; same shape."""
        endless = variance_of(*self.own.known())
        if self.parent is None:
            return endless
        return self._nested(self.parent, *self.parent.known(), endless[None])

    def _nested(
        self,
        parent: FurtherStudy,
        probabilities: np.ndarray,
        shifts: np.ndarray,
        among: np.ndarray,
    ) -> np.ndarray:
        expected = (parent.means + shifts) ** 2
        inner = np.einsum("yd,ydj->dj", probabilities, expected * among)
        return self.own.means**2 * variance_of(probabilities, shifts) + inner

    def after(self, n: int, place: int, coverage: float, threshold: float) -> Endings:
        """Return what would be known of a disease's rate after a trial in it.

        Parameters
        ----------
        n : int
            Patients of the trial.
        place : int
            Of the disease.
        coverage : float
            Of the central interval.
        threshold : float
            A rate.
        """
        tails = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        if self.parent is not None:
            return self._after_nested(self.parent, n, place, tails, threshold)
        known = self.own.after(n, place)
        low, high = known.quantiles(tails, self.own.link)
        above = known.above(float(link_function(threshold, self.own.link)))[0]
        return Endings(self.own.told(n)[0][:, place], high - low, above)

    def _after_nested(
        self, parent: FurtherStudy, n: int, place: int, tails: np.ndarray, threshold: float
    ) -> Endings:
        known = parent.after(n, place)
        probabilities = parent.told(n)[0][:, place]
        product = _product_of(parent, self.own, place, threshold)
        parts = []
        for count in np.flatnonzero(probabilities > _UNLIKELY).tolist():
            own, seen = self._own_after(count, place)
            below = product.below(known.masses[:, count], own.cumulative)
            inside = np.maximum.accumulate(below[:-1], axis=0)
            density = np.maximum(np.gradient(inside, product.points, axis=0), 0)
            low, high = expit(invert_cumulative(product.points, inside, density, tails))
            parts.append((probabilities[count] * seen, high - low, 1 - below[-1]))
        chance, widths, above = (np.concatenate(each) for each in zip(*parts, strict=True))
        return Endings(chance / chance.sum(), widths, above)

    def _gains_among(self, most: int) -> np.ndarray:
        """Gains of the own rate by the parent's count, up to a count; kept from call to call."""
        for count in range(len(self._kept), most + 1):
            self._kept.append(variance_of(*self.own.told(count)))
        return np.array(self._kept[: most + 1])

    def _own_after(self, count: int, place: int) -> tuple[Distributions, np.ndarray]:
        return self.own.after(count, place), self.own.told(count)[0][:, place]


@dataclass(frozen=True, eq=False)
class _Product:
    """Distribution of a product of two independent rates, read at points and at a threshold.

    Attributes
    ----------
    points : numpy.ndarray, shape (point,)
        Log-odds of the product; the threshold comes after the last.
    surely : numpy.ndarray, shape (point + 1, level)
        Where the first rate alone is below the point.
    reading : scipy.sparse.csr_array, shape (pairs of point and level of the second, level)
        Where the distribution function of the second is to be read.
    """

    points: np.ndarray
    surely: np.ndarray
    reading: csr_array

    def below(self, masses: np.ndarray, cumulative: np.ndarray) -> np.ndarray:
        """Return the probability of not exceeding each point; shape (point + 1, quantity).

        Parameters
        ----------
        masses : numpy.ndarray, shape (level,)
            Of the first rate.
        cumulative : numpy.ndarray, shape (level, quantity)
            Distribution functions of the second.
        """
        weights = (self.reading @ masses).reshape(len(self.surely), -1)
        return np.clip((self.surely @ masses)[:, None] + weights @ cumulative, 0, 1)


def _product_of(
    first: FurtherStudy, second: FurtherStudy, place: int, threshold: float
) -> _Product:
    """Lay out where the product of two studies' rates is read."""
    ends = np.array([_BEYOND, 1 - _BEYOND])
    outer = [each.after(0, place).quantiles(ends, each.link)[:, 0] for each in (first, second)]
    low, high = logit(np.clip(outer[0] * outer[1], 1e-14, 1 - 1e-14))
    points = np.linspace(low, high, _POINTS)
    wanted = np.append(expit(points), threshold)[:, None]
    factor = rates(first.levels, first.link)
    surely = factor <= wanted
    levels = np.asarray(link_function(np.where(surely, 0.5, wanted / factor), second.link))
    levels = np.clip(levels, second.levels[0], second.levels[-1])
    left = np.clip(np.searchsorted(second.levels, levels) - 1, 0, len(second.levels) - 2)
    share = (levels - second.levels[left]) / np.diff(second.levels)[left]
    row, column = np.nonzero(~surely)
    place_of = row * len(second.levels) + left[row, column]
    part = share[row, column]
    shape = (len(wanted) * len(second.levels), len(factor))
    data = np.concatenate([1 - part, part])
    where = (np.concatenate([place_of, place_of + 1]), np.concatenate([column, column]))
    return _Product(points, surely.astype(float), csr_array((data, where), shape=shape))


def further_trial(
    fit: ExactFit,
    outcome: str,
    months: float = 12.0,
    most: int = RESOLVED,
    coarser: bool = False,
) -> FurtherTrial:
    """Prepare what a further trial would tell of one outcome.

    Parameters
    ----------
    fit : ExactFit
        The posteriors before the trial.
    outcome : str
        Its name; a nested one is counted together with its parent.
    months : float
        The trial's follow-up, for timed outcomes.
    most : int
        Patients of the largest trial that will be asked about.
    coarser : bool
        From the coarser grid, which tells the numerical error of anything computed from it.
    """
    every = 2 if most <= RESOLVED else 1
    parent = fit.model.parents.get(outcome)
    own = fit.posteriors[outcome]
    if parent is None:
        return FurtherTrial(further_study(own, months, coarser, every))
    above = further_study(fit.posteriors[parent], months, coarser, every)
    return FurtherTrial(further_study(own, months, coarser, every), above)
