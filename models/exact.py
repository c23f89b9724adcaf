"""The hierarchy of one outcome, integrated numerically instead of sampled.

Given mu, tau and sigma the diseases are independent, and given a disease's level its studies are:
the posterior is a three-dimensional integral over products of one-dimensional ones. Every quantity
is computed on two grids of different fineness; their difference is the numerical error that is
stated, and grids are refined until it is below a tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from .distribution import STATISTICS, Distribution, Distributions, on_grid, on_prior
from .hierarchy_table import HierarchyTable, Integrated, hierarchy_table, integrate
from .likelihood_table import (
    LikelihoodTable,
    StudyLikelihoods,
    adapted_grid,
    least_spread,
    likelihood_table,
    peaks,
    sigma_range,
    variance_axis,
)
from .moments import missing_moments
from .outcomes import link_function
from .prior_density import prior_density
from .priors import OutcomePriors, Prior, one_of
from .quadrature import ScaleAxis, scale_axis

POOLINGS = ("partial", "complete", "none", "exnex", "robust")

#: Numerical error aimed at: of probabilities, and of other quantities in units of their spread
#: (a quarter of the 95 % interval) where that is above one.
TOLERANCE = 1e-4

_COARSEST, _REFINEMENT, _MOST_REFINEMENTS = 2.0, 1.25, 6
_TAIL = 1e-9
_FARTHEST = 1e4
_POINT_WIDTH = 1e-5
_DATA_DEFINE_RANGE = 100


@dataclass(frozen=True)
class _Extent:
    """What a grid must cover: the key under which tables are kept."""

    refinement: int
    lower: float
    upper: float
    tau: float
    tau_fixed: bool
    sigma: float
    sigma_fixed: bool
    sigma_bottom: float
    tau_bottom: float = 0.0
    narrow: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, eq=False)
class ExactHierarchy:
    """One outcome's hierarchy, tabulated once and integrated under any priors.

    Attributes
    ----------
    likelihoods : StudyLikelihoods
        The studies.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other; a single disease has mu, its level, and no tau.
    outcome : str
        Name, for tables.
    tolerance : float
        Numerical error aimed at, as `TOLERANCE`.
    """

    likelihoods: StudyLikelihoods
    pooling: str = "partial"
    outcome: str = ""
    tolerance: float = TOLERANCE
    _tables: dict[_Extent, HierarchyTable] = field(default_factory=dict, repr=False)
    _state: dict[str, int] = field(default_factory=lambda: {"refinement": 1}, repr=False)

    def __post_init__(self) -> None:
        """Refuse an unknown pooling and an outcome without studies and diseases."""
        if self.pooling not in POOLINGS:
            raise ValueError(one_of("pooling", self.pooling, POOLINGS))
        if not self.likelihoods.diseases:
            raise ValueError(f"{self.outcome or 'the outcome'}: no disease to fit")

    @property
    def structure(self) -> str:
        """``single`` under complete pooling and for a single disease, else the pooling."""
        one = len(self.likelihoods.diseases) == 1 or self.pooling == "complete"
        return "single" if one else self.pooling

    @property
    def has_tau(self) -> bool:
        """Whether there is a standard deviation between diseases."""
        return self.structure not in ("single", "none")

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
        ValueError
            Priors that exclude the data.
        """
        resolved, narrow = self._without_points(priors)
        extent = self._first_extent(resolved, narrow)
        while True:
            main = integrate(self.table(extent), resolved)
            wider = self._widened(extent, main)
            if wider is not None:
                extent = wider
                continue
            coarser = replace(extent, refinement=extent.refinement - 1)
            found = ExactPosterior(self, priors, main, (coarser, resolved))
            if (
                not verify
                or found.worst_error <= self.tolerance
                or extent.refinement >= _MOST_REFINEMENTS
            ):
                return found
            self._state["refinement"] = extent.refinement + 1
            for key in [k for k in self._tables if k.refinement < extent.refinement]:
                del self._tables[key]
            extent = replace(extent, refinement=extent.refinement + 1)

    def _without_points(self, priors: OutcomePriors):
        """Replace a level fixed at a point by one as good as fixed, which a grid can hold."""
        narrow = []

        def spread(prior: Prior) -> Prior:
            if prior.fixed is not None:
                width = _POINT_WIDTH * self.unit
                narrow.append((prior.fixed, width))
                return Prior.make("Normal", mu=prior.fixed, sigma=width)
            low, middle, high = prior_density(prior).ppf(np.array([0.16, 0.5, 0.84]))
            if high - low < 2 * self.unit:
                narrow.append((float(middle), float(high - low) / 2))
            return prior

        mu = spread(priors.mu)
        level = spread(priors.exnex.level or priors.mu) if self.structure == "exnex" else None
        exnex = replace(priors.exnex, level=level) if level else priors.exnex
        return replace(priors, mu=mu, exnex=exnex), tuple(dict.fromkeys(narrow))

    def _first_extent(self, priors: OutcomePriors, narrow) -> _Extent:
        levels = [priors.mu]
        if self.structure == "exnex":
            levels.append(priors.exnex.level or priors.mu)
        ends = np.array([prior_density(p).ppf(np.array([1e-10, 1 - 1e-10])) for p in levels])
        farthest = _FARTHEST * max(self.unit, 1.0)
        tau, tau_fixed = self._first_top(priors.tau) if self.has_tau else (0.0, True)
        sigma, sigma_fixed = self._first_top(priors.sigma)
        bottom = 0.0
        if not sigma_fixed and len(self.likelihoods.studies) > _DATA_DEFINE_RANGE:
            bottom, sigma = self._range_of_sigma
        return _Extent(
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
        highest = float(prior_density(prior).ppf(np.array(1 - 1e-10)))
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

    def _widened(self, extent: _Extent, found: Integrated) -> _Extent | None:
        """Give a wider extent where the posterior has mass at an end of an axis, else None."""
        changes = {}
        farthest = _FARTHEST * max(self.unit, 1.0)
        for name, axis in (("tau", 0), ("sigma", 2)):
            if getattr(extent, f"{name}_fixed"):
                continue
            mass = np.abs(found.joint.sum(axis=tuple({0, 1, 2} - {axis}))) / found.total
            top = getattr(extent, name)
            highest = float(prior_density(getattr(found.priors, name)).ppf(np.array(1 - 1e-10)))
            if mass[-1] > _TAIL and top < min(highest, farthest):
                changes[name] = top * 4
            bottom = getattr(extent, f"{name}_bottom")
            if bottom > 0 and mass[0] > _TAIL:
                changes[f"{name}_bottom"] = bottom / 2 if bottom > 1e-3 * self.unit else 0.0
        return replace(extent, **changes) if changes else None

    def table(self, extent: _Extent) -> HierarchyTable:
        """Tabulate the likelihood on a grid, or give the table made before."""
        if extent not in self._tables:
            self._tables[extent] = self._tabulated(extent)
        return self._tables[extent]

    def _tabulated(self, extent: _Extent) -> HierarchyTable:
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

    @cached_property
    def bounded_groups(self) -> np.ndarray:
        """Whether each disease's likelihood vanishes at both ends; shape (disease,)."""
        count = len(self.likelihoods.diseases)
        below = np.bincount(self.likelihoods.disease, self.likelihoods.falls_below, count) > 0
        return below & (
            np.bincount(self.likelihoods.disease, self.likelihoods.falls_above, count) > 0
        )


def _single(value: float) -> ScaleAxis:
    return ScaleAxis(np.array([value]), 1.0, 1.0, float(np.arcsinh(value)))


def _ladder(value: float) -> float:
    """Round away from zero to a power of two, so that similar priors share a table."""
    size = min(max(abs(value), 0.25), 1e12)
    return math.copysign(2.0 ** math.ceil(math.log2(size)), value)


@dataclass(frozen=True, eq=False)
class ExactPosterior:
    """What is known of one outcome after the data, under one set of priors.

    Attributes
    ----------
    hierarchy : ExactHierarchy
        The studies and the pooling.
    priors : OutcomePriors
        The priors.
    main : Integrated
        The integral.
    coarser : tuple
        The extent of the coarser grid that it is compared with, and the priors as integrated.
    """

    hierarchy: ExactHierarchy
    priors: OutcomePriors
    main: Integrated
    coarser: tuple[_Extent, OutcomePriors]

    @cached_property
    def check(self) -> Integrated:
        """The integral on a coarser grid, for the numerical error."""
        return integrate(self.hierarchy.table(self.coarser[0]), self.coarser[1])

    @property
    def table(self) -> LikelihoodTable:
        """The studies' likelihood table in use."""
        return self.main.source.table

    @property
    def log_marginal_likelihood(self) -> float:
        """Log of the data's probability under the priors, binomial coefficients included."""
        return self.main.log_evidence

    @property
    def log_marginal_likelihood_error(self) -> float:
        """Numerical error of the log marginal likelihood."""
        return abs(self.main.log_evidence - self.check.log_evidence)

    @property
    def exchangeable(self) -> dict[str, float] | None:
        """Under ``exnex``, the probability of each disease to be exchangeable; else None.

        For a disease without data it is the prior weight.
        """
        if self.main.exchangeable is None:
            return None
        names = self.hierarchy.likelihoods.diseases
        weights = dict.fromkeys(names, self.priors.exnex.weight)
        found = zip(self.main.source.groups, self.main.exchangeable.tolist(), strict=True)
        return weights | {names[code]: value for code, value in found}

    def hyper(self) -> pd.DataFrame:
        """Mu, tau and sigma.

        Returns
        -------
        pandas.DataFrame
            ``outcome``, ``parameter``, ``mean``, ``sd``, ``q2.5``, ``q50``, ``q97.5``,
            ``mcse_mean`` and ``mcse_sd`` (numerical errors), ``r_hat`` and ``ess_bulk`` (None),
            ``note`` (why a mean is missing). Linear scale.
        """
        values, errors = self.statistics
        missing = missing_moments(self)
        rows = []
        for i, name in enumerate(self._parameters):
            row = statistics_row(values[i], errors[i], missing.get(name))
            rows.append({"outcome": self.hierarchy.outcome, "parameter": name, **row})
        return pd.DataFrame(rows)

    def rates(self) -> pd.DataFrame:
        """Every disease's rate and next study, and a disease not yet tried.

        Returns
        -------
        pandas.DataFrame
            ``outcome``, ``disease``, ``quantity`` (``rate``, ``new_study``, ``new_disease``),
            statistics as in `hyper`, ``studies``, ``patients``, ``evidence`` (``direct`` or
            ``borrowed``). Probabilities (12-month risks for ``cloglog``); levels where the
            likelihood has no link.
        """
        values, errors = self.statistics
        start = len(self._parameters)
        rows = []
        for i, (disease, quantity) in enumerate(self.quantities):
            row = statistics_row(values[start + i], errors[start + i], None)
            about = {"outcome": self.hierarchy.outcome, "disease": disease, "quantity": quantity}
            rows.append({**about, **row, **self.evidence_of(disease)})
        return pd.DataFrame(rows).drop(columns="note")

    def theta(self) -> pd.DataFrame:
        """Every disease's level on the linear scale; columns as `hyper`, with ``disease``."""
        main, check = (self._level_statistics(x, None) for x in (self.main, self.check))
        missing = missing_moments(self)
        rows = []
        for i, disease in enumerate(self.hierarchy.likelihoods.diseases):
            row = statistics_row(
                main[i], np.abs(main[i] - check[i]), missing.get(f"theta/{disease}")
            )
            rows.append({"outcome": self.hierarchy.outcome, "disease": disease, **row})
        return pd.DataFrame(rows)

    def evidence_of(self, disease: str | None) -> dict:
        """Count the studies and patients behind a disease's rates; Nones without a disease."""
        if disease is None:
            return {"studies": None, "patients": None, "evidence": None}
        likelihoods = self.hierarchy.likelihoods
        studies = int(np.sum(likelihoods.disease == likelihoods.diseases.index(disease)))
        rows, patients = likelihoods.rows, None
        if rows is not None:
            patients = int(rows.loc[rows["disease"] == disease, "n"].sum())
        return {
            "studies": studies,
            "patients": patients,
            "evidence": "direct" if studies else "borrowed",
        }

    @cached_property
    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean, SD and 2.5, 50, 97.5 % quantiles, and their errors.

        Shape (quantity, 5): the parameters of `hyper`, then the quantities of `rates`.
        """
        link = self.hierarchy.likelihoods.link
        main, check = (
            np.concatenate([self._hyper_statistics(x), self._rate_statistics(x, link)])
            for x in (self.main, self.check)
        )
        return main, np.abs(main - check)

    @cached_property
    def worst_error(self) -> float:
        """Largest numerical error, in the units of `TOLERANCE`, of any mean, SD or quantile."""
        values, errors = self.statistics
        spread = np.maximum((values[:, 4] - values[:, 2])[:, None] / 4, 1.0)
        missing = missing_moments(self)
        relative = errors / spread
        for i, name in enumerate(self._parameters):
            for j in range(2):
                if missing.get(name, (None, None))[j]:
                    relative[i, j] = 0.0
        return float(np.nanmax(relative))

    @cached_property
    def _parameters(self) -> list[str]:
        names = [] if self.hierarchy.structure == "none" else ["mu"]
        return names + (["tau"] if self.hierarchy.has_tau else []) + ["sigma"]

    @cached_property
    def quantities(self) -> list[tuple[str | None, str]]:
        """Disease and quantity of every row of `rates`."""
        names = self.hierarchy.likelihoods.diseases
        both: list[tuple[str | None, str]]
        both = [(name, quantity) for quantity in ("rate", "new_study") for name in names]
        return both + ([(None, "new_disease")] if self.hierarchy.has_tau else [])

    def _hyper_statistics(self, found: Integrated) -> np.ndarray:
        return np.concatenate([_parameter(found, n).statistics() for n in self._parameters])

    def _level_statistics(self, found: Integrated, link) -> np.ndarray:
        return _levels(found).statistics(link)[self.columns]

    def _rate_statistics(self, found: Integrated, link) -> np.ndarray:
        levels = _levels(found).statistics(link)
        parts = [levels[self.columns], _next_studies(found).statistics(link)[self.columns]]
        return np.concatenate(parts + ([levels[-1:]] if self.hierarchy.has_tau else []))

    @cached_property
    def columns(self) -> list[int]:
        """Position of each disease among the groups; that of no data where it has none."""
        groups, count = self.main.source.groups, len(self.hierarchy.likelihoods.diseases)
        if self.main.source.structure == "single":
            return [0] * count
        return [groups.index(d) if d in groups else len(groups) for d in range(count)]

    def distribution(
        self, quantity: str, disease: str | None = None, coarser: bool = False
    ) -> Distribution:
        """Distribution of one quantity.

        Parameters
        ----------
        quantity : {"mu", "tau", "sigma", "theta", "rate", "new_study", "new_disease"}
            ``theta`` is on the linear scale, ``rate``, ``new_study`` and ``new_disease`` are
            probabilities.
        disease : str, optional
            For ``theta``, ``rate`` and ``new_study``.
        coarser : bool
            From the coarser grid, which tells the numerical error of anything computed from it.

        Returns
        -------
        Distribution
            Density, mean, SD, any quantile, any tail probability.

        Raises
        ------
        ValueError
            An unknown quantity or disease, or one that this pooling does not have.
        """
        names, link = self.hierarchy.likelihoods.diseases, self.hierarchy.likelihoods.link
        valid = (*self._parameters, "theta", *dict.fromkeys(q for _, q in self.quantities))
        if quantity not in valid:
            raise ValueError(one_of("quantity", quantity, valid))
        integrated = self.check if coarser else self.main
        if quantity in self._parameters:
            return _parameter(integrated, quantity).one(0)
        if quantity == "new_disease":
            return _levels(integrated).one(len(integrated.source.groups), link)
        if disease not in names:
            raise ValueError(one_of("disease", str(disease), names))
        found = _next_studies(integrated) if quantity == "new_study" else _levels(integrated)
        position = self.columns[names.index(disease)]
        return found.one(position, None if quantity == "theta" else link)

    def probability_above(self, rate, quantity: str = "rate") -> pd.Series:
        """Probability that a rate exceeds a threshold.

        Parameters
        ----------
        rate : float
            Threshold, a probability.
        quantity : {"rate", "new_study"}
            The disease's rate, or that of its next study.

        Returns
        -------
        pandas.Series
            By disease.
        """
        found = _next_studies(self.main) if quantity == "new_study" else _levels(self.main)
        link = self.hierarchy.likelihoods.link
        level = rate if link is None else float(link_function(rate, link))
        return pd.Series(
            found.above(level)[0, self.columns], list(self.hierarchy.likelihoods.diseases)
        )


def statistics_row(values: np.ndarray, errors: np.ndarray, missing=None) -> dict:
    """Lay out statistics of one quantity with their errors, and why a moment is missing."""
    row = dict(zip(STATISTICS, values.tolist(), strict=True))
    row |= {"mcse_mean": float(errors[0]), "mcse_sd": float(errors[1])}
    row |= {"r_hat": None, "ess_bulk": None, "note": None}
    for name, reason in zip(("mean", "sd"), missing or (None, None), strict=True):
        if reason:
            row |= {name: None, f"mcse_{name}": None, "note": row["note"] or reason}
    return row


def _parameter(found: Integrated, name: str) -> Distributions:
    weights = {"mu": found.mu, "tau": found.tau, "sigma": found.sigma}[name]
    return on_prior(weights, found.marginal(name)[:, None])


def _levels(found: Integrated) -> Distributions:
    """Levels of the groups, and last of a disease without data."""
    if found.source.structure in ("single", "none"):
        # The prior of mu itself, with its edges, times a likelihood.
        others = np.concatenate([found.outside, found.joint.sum(axis=(0, 1))[None]])
        likelihood = np.einsum("lgs,gs->lg", found.source.levels, others[:-1])
        rest = np.full((len(likelihood), 1), 1.0)
        return on_prior(found.mu, np.concatenate([likelihood, rest], axis=1))
    return on_grid(found.source.table.grid, found.posteriors.sum(axis=2))


def _next_studies(found: Integrated) -> Distributions:
    """Levels of the next study of each group, and last of a disease without data."""
    kernels = found.source.table.kernels
    masses = np.zeros(found.posteriors.shape[:2])
    for k in range(len(kernels)):
        masses += kernels[k].T @ found.posteriors[:, :, k]
    return on_grid(found.source.table.grid, masses)
