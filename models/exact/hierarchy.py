"""The hierarchy of one outcome, integrated numerically instead of sampled.

Given mu, tau and sigma the diseases are independent, and given a disease's level its studies are:
the posterior is a three-dimensional integral over products of one-dimensional ones. Every quantity
is computed on two grids of different fineness; their difference is the numerical error that is
stated, and grids are refined until it is below a tolerance.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import numpy as np

from ..priors.prior import Prior
from ..priors.sets import OutcomePriors
from .hierarchy_table import HierarchyTable, Integrated, hierarchy_table, integrate
from .layout import Extent, adapted_grid, least_spread, peaks, sigma_range, variance_axis
from .likelihood_table import likelihood_table
from .posterior import ExactPosterior
from .quadrature import ScaleAxis, scale_axis
from .stated import Hierarchy

#: Numerical error aimed at: of probabilities, and of other quantities in units of their spread
#: (a quarter of the 95 % interval) where that is above one.
TOLERANCE = 1e-4

_COARSEST, _REFINEMENT, _MOST_REFINEMENTS = 2.0, 1.25, 6
_TAIL = 1e-9
_FARTHEST = 1e4
_POINT_WIDTH = 1e-5
_DATA_DEFINE_RANGE = 100


@dataclass(frozen=True, eq=False)
class ExactHierarchy(Hierarchy):
    """One outcome's hierarchy, tabulated once and integrated under any priors.

    Attributes
    ----------
    tolerance : float
        Numerical error aimed at, as `TOLERANCE`.
    """

    tolerance: float = TOLERANCE
    _whole: tuple[ExactHierarchy, np.ndarray] | None = field(default=None, repr=False)
    _tables: dict[Extent, HierarchyTable] = field(default_factory=dict, repr=False)
    _state: dict[str, int] = field(default_factory=lambda: {"refinement": 1}, repr=False)

    def of_studies(self, studies: Collection[str]) -> ExactHierarchy:
        """Give the hierarchy of some of the studies, from the same tables of likelihoods.

        Parameters
        ----------
        studies : collection of str
            Names of the studies that are kept; every disease stays.

        Returns
        -------
        ExactHierarchy
            Integrated as any, on grids that resolve every study.
        """
        places = np.flatnonzero([name in studies for name in self.likelihoods.studies])
        part = self.likelihoods.of_studies(places)
        return ExactHierarchy(part, self.pooling, self.outcome, self.tolerance, (self, places))

    @cached_property
    def stated(self) -> Hierarchy:
        """What of it a posterior needs: the studies and the pooling, without any table."""
        return Hierarchy(self.likelihoods, self.pooling, self.outcome)

    @cached_property
    def unit(self) -> float:
        """Typical standard deviation of a likelihood, the unit of distances."""
        scales = self.likelihoods.scales
        return float(np.median(scales)) if len(scales) else 1.0

    def posterior(self, priors: OutcomePriors, verify: bool = True) -> ExactPosterior:
        """Integrate the hierarchy under a set of priors.

        Parameters
        ----------
        priors : OutcomePriors
            Priors of mu, tau and sigma on the linear scale, and of exchangeability.
        verify : bool
            Refine the grids until the numerical error is below the tolerance. Without, the
            fineness that earlier priors needed is taken, and errors are computed when asked for:
            for scans over hundreds of priors.

        Returns
        -------
        ExactPosterior
            Everything that is known after the data, with its numerical error.

        Raises
        ------
        InputError
            Priors that exclude the data.
        """
        resolved, narrow = self._without_points(priors)
        extent = self._first_extent(resolved, narrow)
        while True:
            main = self._integrated(extent, resolved)
            wider = self._widened(extent, main)
            if wider is not None:
                extent = wider
                continue
            coarser = replace(extent, refinement=extent.refinement - 1)
            again = partial(self._integrated, coarser, resolved)
            posterior = ExactPosterior(self.stated, priors, main, extent, again)
            if (
                not verify
                or posterior.worst_error <= self.tolerance
                or extent.refinement >= _MOST_REFINEMENTS
            ):
                return posterior
            self._state["refinement"] = extent.refinement + 1
            for key in [k for k in list(self._tables) if k.refinement < extent.refinement]:
                self._tables.pop(key, None)
            extent = replace(extent, refinement=extent.refinement + 1)

    def _integrated(self, extent: Extent, priors: OutcomePriors) -> Integrated:
        return integrate(self.table(extent), priors)

    def extent_of(self, priors: OutcomePriors) -> Extent:
        """Say what a table must cover for a set of priors: the argument of `table`."""
        return self._first_extent(*self._without_points(priors))

    def _without_points(self, priors: OutcomePriors):
        """Replace a level fixed at a point by one as good as fixed, which a grid can hold."""
        narrow = []

        def spread(prior: Prior) -> Prior:
            if prior.fixed is not None:
                width = _POINT_WIDTH * self.unit
                narrow.append((prior.fixed, width))
                return Prior.make("Normal", mu=prior.fixed, sigma=width)
            low, middle, high = prior.density.ppf(np.array([0.16, 0.5, 0.84]))
            if high - low < 2 * self.unit:
                narrow.append((float(middle), float(high - low) / 2))
            return prior

        mu = spread(priors.mu)
        level = spread(priors.exnex.level or priors.mu) if self.structure == "exnex" else None
        exnex = replace(priors.exnex, level=level) if level else priors.exnex
        return replace(priors, mu=mu, exnex=exnex), tuple(dict.fromkeys(narrow))

    def _first_extent(self, priors: OutcomePriors, narrow) -> Extent:
        levels = [priors.mu]
        if self.structure == "exnex":
            levels.append(priors.exnex.level or priors.mu)
        ends = np.array([p.density.ppf(np.array([1e-10, 1 - 1e-10])) for p in levels])
        farthest = _FARTHEST * max(self.unit, 1.0)
        tau, tau_fixed = self._first_top(priors.tau) if self.has_tau else (0.0, True)
        sigma, sigma_fixed = self._first_top(priors.sigma)
        bottom = 0.0
        if not sigma_fixed and len(self.likelihoods.studies) > _DATA_DEFINE_RANGE:
            bottom, sigma = self._range_of_sigma
        return Extent(
            self._state["refinement"],
            max(-farthest, -_ladder(-ends.min() / self.unit) * self.unit),
            min(farthest, _ladder(ends.max() / self.unit) * self.unit),
            tau,
            tau_fixed,
            sigma,
            sigma_fixed,
            bottom,
            self._least_tau if self.has_tau and not tau_fixed else 0.0,
            narrow,
        )

    def _first_top(self, prior: Prior) -> tuple[float, bool]:
        """Largest standard deviation tried first, and whether it is the only one."""
        if prior.fixed is not None:
            return prior.fixed, True
        highest = float(prior.density.ppf(np.array(1 - 1e-10)))
        return min(_ladder(highest / self.unit), 16.0) * self.unit, False

    @cached_property
    def _least_tau(self) -> float:
        """Least tau worth tabulating: zero, unless many studies exclude it."""
        if len(self.likelihoods.studies) <= _DATA_DEFINE_RANGE or self.structure != "partial":
            return 0.0
        return least_spread(peaks(self.likelihoods, self._range_of_sigma[1])[:-1])

    @cached_property
    def _range_of_sigma(self) -> tuple[float, float]:
        return sigma_range(self.likelihoods)

    def _widened(self, extent: Extent, found: Integrated) -> Extent | None:
        """Give a wider extent where the posterior has mass at an end of an axis, else None."""
        changes = {}
        farthest = _FARTHEST * max(self.unit, 1.0)
        for name, axis in (("tau", 0), ("sigma", 2)):
            if getattr(extent, f"{name}_fixed"):
                continue
            mass = np.abs(found.joint.sum(axis=tuple({0, 1, 2} - {axis}))) / found.total
            top = getattr(extent, name)
            highest = float(getattr(found.priors, name).density.ppf(np.array(1 - 1e-10)))
            if mass[-1] > _TAIL and top < min(highest, farthest):
                changes[name] = top * 4
            bottom = getattr(extent, f"{name}_bottom")
            if bottom > 0 and mass[0] > _TAIL:
                changes[f"{name}_bottom"] = bottom / 2 if bottom > 1e-3 * self.unit else 0.0
        return replace(extent, **changes) if changes else None

    def table(self, extent: Extent) -> HierarchyTable:
        """Tabulate the likelihood on a grid, or give the table made before."""
        # Another thread may forget tables meanwhile.
        made = self._tables.get(extent)
        if made is None:
            made = self._tables[extent] = self._tabulated(extent)
        return made

    def keep(self, count: int) -> None:
        """Forget all but the tables made last, where memory counts more than making one again."""
        for extent in list(self._tables)[: max(len(self._tables) - count, 0)]:
            self._tables.pop(extent, None)

    def _tabulated(self, extent: Extent) -> HierarchyTable:
        if self._whole is not None:
            whole, places = self._whole
            known = whole.table(extent)
            if known.table.studies is not None:
                part = known.table.of_studies(places, self.likelihoods)
                return hierarchy_table(part, self.structure, known.tau, known.kernels)
        points = _COARSEST * _REFINEMENT**extent.refinement
        reach = 6 * (extent.tau + extent.sigma)
        ends = (extent.lower - reach, extent.upper + reach)
        grid, pooled = adapted_grid(
            self.likelihoods, points, ends, extent.sigma_bottom, extent.narrow
        )
        inner = self.likelihoods.falls_below & self.likelihoods.falls_above
        if extent.sigma_fixed:
            sigma = _single(extent.sigma)
        else:
            sigma = variance_axis(
                pooled, len(inner), int(inner.sum()), points, extent.sigma, extent.sigma_bottom
            )
        tau = scale_axis(1.0, 1.0, 0.0)
        if self.has_tau:
            groups = np.unique(self.likelihoods.disease)
            bounded = int(self.bounded_groups.sum())
            tau = (
                _single(extent.tau)
                if extent.tau_fixed
                else variance_axis(
                    pooled, len(groups), bounded, points, extent.tau, extent.tau_bottom
                )
            )
        return hierarchy_table(
            likelihood_table(self.likelihoods, grid, sigma, points), self.structure, tau
        )


def _single(value: float) -> ScaleAxis:
    return ScaleAxis(np.array([value]), 1.0, 1.0, float(np.arcsinh(value)))


def _ladder(value: float) -> float:
    """Round away from zero to a power of two, so that similar priors share a table."""
    size = min(max(abs(value), 0.25), 1e12)
    return math.copysign(2.0 ** math.ceil(math.log2(size)), value)
