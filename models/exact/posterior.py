"""What is known of one outcome after the data: every parameter and rate, with its error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ...data.mistakes import one_of
from ..outcomes import link_function
from ..priors.sets import OutcomePriors
from .distribution import STATISTICS, Distribution, Distributions, on_grid, on_prior
from .hierarchy_table import Integrated
from .layout import Extent
from .likelihood_table import LikelihoodTable
from .moments import missing_moments
from .stated import Hierarchy


@dataclass(frozen=True, eq=False)
class ExactPosterior:
    """What is known of one outcome after the data, under one set of priors.

    Attributes
    ----------
    hierarchy : Hierarchy
        The studies and the pooling.
    priors : OutcomePriors
        The priors.
    main : Integrated
        The integral.
    extent : Extent
        What its grid covers.
    coarser : callable
        Integrates on the coarser grid that the integral is compared with.
    """

    hierarchy: Hierarchy
    priors: OutcomePriors
    main: Integrated
    extent: Extent
    coarser: Callable[[], Integrated]

    @cached_property
    def check(self) -> Integrated:
        """The integral on a coarser grid, for the numerical error."""
        return self.coarser()

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
        flags = zip(self.main.source.groups, self.main.exchangeable.tolist(), strict=True)
        return weights | {names[code]: value for code, value in flags}

    def hyper(self) -> pd.DataFrame:
        """Mu, tau and sigma.

        Returns
        -------
        pandas.DataFrame
            ``outcome``, ``parameter``, ``mean``, ``sd``, ``q2.5``, ``q50``, ``q97.5``, the
            numerical error ``mcse_…`` of each, ``r_hat`` and ``ess_bulk`` (None),
            ``note`` (why a mean is missing). Linear scale.
        """
        values, errors = self.statistics
        missing = missing_moments(self.hierarchy, self.priors)
        rows = []
        for i, name in enumerate(self.hierarchy.parameters):
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
        start = len(self.hierarchy.parameters)
        rows = []
        for i, (disease, quantity) in enumerate(self.quantities):
            row = statistics_row(values[start + i], errors[start + i], None)
            about = {"outcome": self.hierarchy.outcome, "disease": disease, "quantity": quantity}
            rows.append({**about, **row, **self.evidence_of(disease)})
        return pd.DataFrame(rows).drop(columns="note")

    def theta(self) -> pd.DataFrame:
        """Every disease's level on the linear scale; columns as `hyper`, with ``disease``."""
        main, check = (self._level_statistics(x, None) for x in (self.main, self.check))
        missing = missing_moments(self.hierarchy, self.priors)
        rows = []
        for i, disease in enumerate(self.hierarchy.likelihoods.diseases):
            row = statistics_row(
                main[i], np.abs(main[i] - check[i]), missing.get(f"theta/{disease}")
            )
            rows.append({"outcome": self.hierarchy.outcome, "disease": disease, **row})
        return pd.DataFrame(rows)

    def evidence_of(self, disease: str | None) -> dict:
        """Count the studies and patients behind a disease's rates; Nones without a disease."""
        return self.hierarchy.evidence_of(disease)

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
        """Largest numerical error of any mean, SD or quantile and of the log evidence.

        In the units of `TOLERANCE`.
        """
        values, errors = self.statistics
        spread = np.maximum((values[:, 4] - values[:, 2])[:, None] / 4, 1.0)
        missing = missing_moments(self.hierarchy, self.priors)
        relative = errors / spread
        for i, name in enumerate(self.hierarchy.parameters):
            for j in range(2):
                if missing.get(name, (None, None))[j]:
                    relative[i, j] = 0.0
        return max(float(np.nanmax(relative)), self.log_marginal_likelihood_error)

    @property
    def quantities(self) -> list[tuple[str | None, str]]:
        """Disease and quantity of every row of `rates`."""
        return self.hierarchy.quantities

    def _hyper_statistics(self, found: Integrated) -> np.ndarray:
        return np.concatenate(
            [_parameter(found, n).statistics() for n in self.hierarchy.parameters]
        )

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
        InputError
            An unknown quantity or disease, or one that this pooling does not have.
        """
        names, link = self.hierarchy.likelihoods.diseases, self.hierarchy.likelihoods.link
        valid = (*self.hierarchy.parameters, "theta", *dict.fromkeys(q for _, q in self.quantities))
        one_of(quantity, valid, "quantity")
        integrated = self.check if coarser else self.main
        if quantity in self.hierarchy.parameters:
            return _parameter(integrated, quantity).one(0)
        if quantity == "new_disease":
            return _levels(integrated).one(len(integrated.source.groups), link)
        one_of(disease, names, "disease")
        distributions = (
            _next_studies(integrated) if quantity == "new_study" else _levels(integrated)
        )
        position = self.columns[names.index(disease)]
        return distributions.one(position, None if quantity == "theta" else link)

    def probability_above(self, rate, quantity: str = "rate", coarser: bool = False) -> pd.Series:
        """Probability that a rate exceeds a threshold.

        Parameters
        ----------
        rate : float
            Threshold, a probability.
        quantity : {"rate", "new_study"}
            The disease's rate, or that of its next study.
        coarser : bool
            As in `distribution`.

        Returns
        -------
        pandas.Series
            By disease.
        """
        grids = self.check if coarser else self.main
        distributions = _next_studies(grids) if quantity == "new_study" else _levels(grids)
        link = self.hierarchy.likelihoods.link
        level = rate if link is None else float(link_function(rate, link))
        return pd.Series(
            distributions.above(level)[0, self.columns], list(self.hierarchy.likelihoods.diseases)
        )


def statistics_row(values: np.ndarray, errors: np.ndarray, missing=None) -> dict:
    """Lay out statistics of one quantity with their errors, and why a moment is missing."""
    row = dict(zip(STATISTICS, values.tolist(), strict=True))
    row |= {f"mcse_{name}": float(error) for name, error in zip(STATISTICS, errors, strict=True)}
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
