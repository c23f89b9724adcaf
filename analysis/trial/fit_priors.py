"""Priors on the next trial's rate, taken by name from a fit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from ...data.errors import InputError
from ...data.mistakes import one_of
from ...data.names import outcome_in_text
from ...models.rates.fit import MapPrior, map_prior
from ...models.rates.prior import RatePrior, WeightedRates, robustify, sampled_rate
from ..fitting.exact_fit import not_fitted
from ..fitting.summary import density
from .reanalysis import FullReanalysis, full_reanalysis

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ...models.exact.distribution import Distribution
    from ..guard.result import CheckResult

FROM_FIT = ("map", "map-unconstrained", "robust-map", "new-study", "rate", "full")
# Points at which an integrated density is read, evenly on the normal scale of its probabilities.
_POINTS, _REACH = 2001, 4.5
_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class FitPriors:
    """What a fit says of the next trial of one outcome in one disease.

    Parameters
    ----------
    fit : xarray.DataTree
        By either engine.
    outcome, disease : str or None
        Which rate is meant; where the fit has one, it need not be named.
    verdict : {"pass", "warn", "fail", "unchecked"}
        The guard's, on this outcome of the fit: it is stated wherever a prior is.
    robust_weight : float
        Weight of beta(1,1) in `robust-map`.
    checked : CheckResult, optional
        All that the guard found of the fit.

    Raises
    ------
    InputError
        An outcome or disease that is missing or not in the fit.
    """

    fit: DataTree
    outcome: str | None
    disease: str | None
    verdict: str = "unchecked"
    robust_weight: float = 0.2
    checked: CheckResult | None = None

    def __post_init__(self) -> None:
        posterior = self.fit["posterior"].to_dataset()
        for name in ("disease", "outcome"):
            known = posterior[name].to_numpy().tolist()
            if getattr(self, name) is None and len(known) == 1:
                object.__setattr__(self, name, known[0])
            value = getattr(self, name)
            if value is None:
                article = "an" if name == "outcome" else "a"
                raise InputError(
                    f"a prior of a fit needs {article} {name}: one of {', '.join(known)}"
                )
            if name == "outcome" and value in not_fitted(self.fit):
                raise InputError(f"{not_fitted(self.fit)[value]}, and design from that fit")
            one_of(value, known, name)
        if not 0 <= self.robust_weight < 1:
            raise InputError(
                f"robust weight {self.robust_weight:g}: it must be at least 0 and below 1"
            )

    def prior(self, name: str) -> RatePrior | WeightedRates | FullReanalysis:
        """Return the prior, or the analysis, of one of the names of `FROM_FIT`."""
        found = {
            "map": lambda: self.map_prior,
            "map-unconstrained": lambda: self.map_unconstrained,
            "robust-map": lambda: robustify(self.map_prior, self.robust_weight),
            "new-study": lambda: self.new_study,
            "rate": lambda: self.rate,
            "full": lambda: self.full,
        }
        return found[name]()

    @property
    def about(self) -> str:
        """Outcome, disease and the guard's verdict, in words."""
        disease = str(self.disease).replace("_", " ")
        return f"{outcome_in_text(str(self.outcome))} in {disease} (guard: {self.verdict})"

    @cached_property
    def new_study(self) -> WeightedRates:
        """Posterior of the next trial's rate, study effect included."""
        return self._posterior("new_study", f"the fit's next study for {self.about}")

    @cached_property
    def rate(self) -> WeightedRates:
        """Posterior of the disease's rate."""
        return self._posterior("rate", f"the fit's rate for {self.about}")

    @cached_property
    def mixture(self) -> MapPrior:
        """The beta mixture fitted to the next trial's rate, and how far off it is."""
        return map_prior(self.new_study)

    @cached_property
    def map_prior(self) -> RatePrior:
        """The meta-analytic-predictive prior: that mixture."""
        return labelled(self.mixture, f"the distribution of {self.new_study.label}")

    @cached_property
    def map_unconstrained(self) -> RatePrior:
        """The same with shapes below 1 allowed."""
        fitted = map_prior(self.new_study, unconstrained=True)
        return labelled(fitted, f"the distribution of {self.new_study.label}")

    @cached_property
    def full(self) -> FullReanalysis:
        """The full re-analysis of the fit's evidence with the trial."""
        return full_reanalysis(self.fit, str(self.outcome), str(self.disease), self.verdict)

    def stamped(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the guard's verdict to the rows of a table."""
        return table.assign(verdict=self.verdict)

    def to_dict(self) -> dict:
        """Return which fit is behind the priors, and the mixture where one was fitted."""
        fitted = self.__dict__.get("mixture")
        return {
            "outcome": self.outcome,
            "disease": self.disease,
            "verdict": self.verdict,
            "map": None if fitted is None else fitted.to_dict(),
        }

    def _posterior(self, quantity: str, label: str) -> WeightedRates:
        known = density(self.fit, str(self.outcome), quantity, self.disease)
        if known is None:
            one = {"outcome": self.outcome, "disease": self.disease}
            return sampled_rate(self.fit["posterior"].to_dataset()[quantity].sel(one), label)
        probabilities, values, _ = known
        return _integrated(probabilities, values, label)


@dataclass(frozen=True, eq=False)
class AskedFit:
    """A fit that a design is asked of as a whole, and what the guard found of it."""

    fit: DataTree
    checked: CheckResult | None = None
    outcome: str | None = None
    disease: str | None = None

    @property
    def verdict(self) -> str:
        """The guard's verdict on the outcome, or on the fit where none is named."""
        if self.checked is None:
            return "unchecked"
        if self.outcome is None:
            return self.checked.verdict
        return self.checked.verdict_of(self.outcome)

    def stamped(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add to each row of a table the guard's verdict on its outcome."""
        checked = self.checked
        if checked is None:
            return table.assign(verdict="unchecked")
        return table.assign(verdict=[checked.verdict_of(name) for name in table["outcome"]])

    def to_dict(self) -> dict:
        """Return which part of the fit was asked, and the verdict on it."""
        return {"outcome": self.outcome, "disease": self.disease, "verdict": self.verdict}


def labelled(fitted: MapPrior, of: str) -> RatePrior:
    """Return a fitted mixture with a label that says how far off it is, and of what."""
    label = f"the MAP prior, a beta mixture within {fitted.distance:.2g} of {of}"
    return replace(fitted.prior, label=label)


def read_distribution(distribution: Distribution, label: str) -> WeightedRates:
    """Read an integrated distribution of a rate, evenly on the normal scale."""
    probabilities = special.ndtr(np.linspace(-_REACH, _REACH, _POINTS))
    return _integrated(probabilities, np.asarray(distribution.quantile(probabilities)), label)


def _integrated(probabilities: np.ndarray, values: np.ndarray, label: str) -> WeightedRates:
    """Read a distribution of a rate that is known by its quantiles."""
    place = special.ndtri(probabilities)
    level = special.logit(np.clip(values, _SMALLEST, 1 - _SMALLEST))
    points = np.linspace(-_REACH, _REACH, _POINTS)
    weights = np.exp(-(points**2) / 2)
    rates = special.expit(_interpolated(points, place, level))
    return WeightedRates(tuple(rates.tolist()), tuple((weights / weights.sum()).tolist()), label)


def _interpolated(wanted: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Read an increasing function smoothly, and beyond its ends along its last pieces."""
    from scipy.interpolate import PchipInterpolator

    inside = PchipInterpolator(x, y)(np.clip(wanted, x[0], x[-1]))
    below = np.minimum(wanted - x[0], 0) * (y[1] - y[0]) / (x[1] - x[0])
    above = np.maximum(wanted - x[-1], 0) * (y[-1] - y[-2]) / (x[-1] - x[-2])
    return inside + below + above


def full_not_there(name: str, design: str) -> str:
    """Say that the full re-analysis does not serve a prior, and what does."""
    if name.startswith("analysis_prior"):
        return (
            f"{name} full: the full re-analysis serves single-arm, safety and monitor; in {design} "
            "use map or robust-map"
        )
    return f"{name} full: the full re-analysis is an analysis, not a prior; use new-study or map"
