"""The full re-analysis as the new trial's analysis: the trial enters the hierarchy, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.names import outcome_in_text
from ...models.exact.distribution import Distribution, Distributions
from ...models.exact.outcomes import ExactFit, NotExact, conditional_rows, exact_model
from ...models.outcomes import Link, link_function
from ...models.priors.sets import PriorSet
from ...models.rates.beta_mixture import log_choose
from ..fitting.exact_fit import not_fitted
from ..fitting.store import run_config
from ..fitting.tree import rows_of

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence

# The density is read at equal steps of the level (log-odds or log hazard). This step resolves a
# trial of 2000 patients, whose likelihood is at least 2 / sqrt(2000) wide, and a tenth of the
# density's own spread resolves the density.
STEP, STEPS_A_SPREAD = 0.02, 20
# What lies beyond, before the trial, is left out.
TAIL = 1e-9


@dataclass(frozen=True, eq=False)
class FullReanalysis:
    """Analysis of a new trial beside the old studies, borrowing from all diseases.

    Given the trial's own rate its count says nothing more about the rest of the hierarchy, so that
    the re-analysis of everything is, for this rate, the exact density of the disease's next study
    times the binomial likelihood. One tabulation of the old studies serves every trial.

    Attributes
    ----------
    before : Distribution
        Of the next study's rate, before the trial.
    disease : str
        The trial's disease.
    verdict : str
        The guard's, on the fit behind it; nothing is said of it where it is empty.
    unread : str
        A nested outcome whose rows would tell of this one too, but cannot be integrated.
    """

    before: Distribution
    disease: str
    verdict: str = ""
    unread: str = ""
    _last: dict[int, tuple[Distributions, np.ndarray]] = field(
        default_factory=dict, init=False, repr=False
    )

    @property
    def words(self) -> str:
        """What the analysis is, in words."""
        disease = self.disease.replace("_", " ")
        words = f"the full re-analysis with all studies, as a trial in {disease}"
        words += f" (guard: {self.verdict})" if self.verdict else ""
        unread = outcome_in_text(self.unread)
        return f"{words}, without what rows of {unread} say of it" if unread else words

    @property
    def _link(self) -> Link:
        assert self.before.link is not None
        return self.before.link

    @cached_property
    def _levels(self) -> tuple[np.ndarray, ...]:
        """Levels, log masses there, and logs of the rate and of one minus it; shape (level,)."""
        from scipy.interpolate import PchipInterpolator

        source = self.before.source
        low, middle, high = source.quantiles([TAIL, 0.5, 1 - TAIL])[:, 0]
        quartile = source.quantiles([0.25])[0, 0]
        step = min(STEP, (middle - quartile) / STEPS_A_SPREAD)
        x = np.linspace(low, high, int(np.ceil((high - low) / step)) + 1)
        known = source.density[:, 0] > 0
        log_density = PchipInterpolator(source.x[known], np.log(source.density[known, 0]))(x)
        log_mass = log_density - np.log(np.exp(log_density).sum())
        if self._link == "cloglog":
            hazard = np.exp(x)
            return x, log_mass, np.log(-np.expm1(-hazard)), -hazard
        return x, log_mass, -np.logaddexp(0, -x), -np.logaddexp(0, x)

    def posterior(self, n: int) -> Distributions:
        """Return the trial's own level given each count of n patients: n + 1 distributions."""
        return self._after(n)[0]

    def _after(self, n: int) -> tuple[Distributions, np.ndarray]:
        """Return the posteriors and the predictive masses of the counts; the last are kept."""
        if n not in self._last:
            x, log_mass, log_rate, log_rest = (value[:, None] for value in self._levels)
            events = np.arange(n + 1.0)
            logs = log_choose(n, events) + events * log_rate + (n - events) * log_rest + log_mass
            highest = logs.max(axis=0)
            masses = np.exp(logs - highest)
            total = masses.sum(axis=0)
            masses /= total
            # The trapezoid up to each level, with Gregory's correction of its upper end.
            cumulative = np.cumsum(masses, axis=0) - masses / 2 - np.gradient(masses, axis=0) / 12
            levels = x[:, 0]
            density = masses / (levels[1] - levels[0])
            self._last.clear()
            self._last[n] = (
                Distributions(levels, np.clip(cumulative, 0, 1), density, levels, masses),
                total * np.exp(highest),
            )
        return self._last[n]

    def probability_above(self, threshold: float, n: int) -> np.ndarray:
        """Posterior probability that the trial's rate is above `threshold`, shape (n + 1,)."""
        return self.posterior(n).above(float(link_function(threshold, self._link)))[0]

    def quantile(self, probability: float, n: int) -> np.ndarray:
        """Posterior quantile of the trial's rate, shape (n + 1,)."""
        return self.posterior(n).quantiles([probability], self._link)[0]

    def predictive(self, n: int) -> np.ndarray:
        """Probability of each count before the trial, shape (n + 1,)."""
        return self._after(n)[1]

    def density(self, rates) -> np.ndarray:
        """Density of the trial's rate before the trial, per unit of probability."""
        return self.before.density_at(rates)


@dataclass(frozen=True, eq=False)
class _Rows:
    """The part of an evidence that the exact engine looks at, as a fit keeps it."""

    rows: pd.DataFrame
    outcome_names: tuple[str, ...]
    diseases: tuple[str, ...]
    moderators: tuple[()] = ()

    @property
    def studies(self) -> pd.DataFrame:
        """No more than the studies' names: a fit keeps no labels."""
        return self.rows[["study"]].assign(label="")


def full_reanalysis(fit: DataTree, outcome: str, disease: str, verdict: str = "") -> FullReanalysis:
    """Integrate the evidence of a stored fit again, exactly, to add a trial to it.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit by either engine: its rows, priors and pooling are taken.
    outcome, disease : str
        Of the trial.
    verdict : str
        The guard's, on the fit.

    Returns
    -------
    FullReanalysis
        The trial's analysis.

    Raises
    ------
    InputError
        An outcome that cannot be integrated, with the rows in the way and what to use instead; an
        unknown disease.
    """
    try:
        found = integrated(fit, (outcome,))
    except NotExact as problem:
        raise InputError(f"analysis prior full: {problem.reason}; use map or robust-map") from None
    before = found.distribution(outcome, "new_study", disease)
    unread = unread_child(fit, found.model.evidence.rows, outcome)
    return FullReanalysis(before, disease, verdict, unread)


def integrated(fit: DataTree, outcomes: Sequence[str] | None = None) -> ExactFit:
    """Integrate the evidence of a stored fit again, under its priors and pooling.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit by either engine.
    outcomes : sequence of str, optional
        Outcomes asked for by name; left out, every outcome that can be integrated.

    Raises
    ------
    NotExact
        An outcome asked for by name that only the sampler can fit.
    InputError
        A fit with moderators.
    """
    config, rows = run_config(fit), rows_of(fit)
    if "moderators" in config:
        raise InputError(
            "the fit has moderators, which cannot be integrated: fit without them, or take map or "
            "robust-map as the prior"
        )
    names = tuple(name for name in config["outcomes"] if name in set(rows["outcome"]))
    evidence = cast("Evidence", _Rows(rows, names, tuple(config["diseases"])))
    model = exact_model(evidence, config["pooling"], outcomes)
    return model.fit(PriorSet.from_dict(config["priors"]))


def unread_child(fit: DataTree, rows: pd.DataFrame, outcome: str) -> str:
    """Name the nested outcome whose rows bound this one's counts but cannot be integrated.

    Parameters
    ----------
    fit : xarray.DataTree
        A stored fit.
    rows : pandas.DataFrame
        The rows that it is of.
    outcome : str
        The outcome that is integrated.

    Returns
    -------
    str
        Empty where nothing is left unread.
    """
    for child in run_config(fit)["model"]:
        if child["parent"] != outcome:
            continue
        try:
            conditional_rows(rows, child["name"], outcome)
        except NotExact:
            return child["name"]
        if child["name"] in not_fitted(fit):
            return child["name"]
    return ""
