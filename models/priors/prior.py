"""A prior on one parameter, as a value: it compares, prints, serialises and draws."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal

import numpy as np

Scale = Literal["value", "variance"]

#: PyMC's names and parameters: a default, or None where the parameter must be given.
_PARAMETERS: dict[str, dict[str, float | None]] = {
    "Normal": {"mu": 0.0, "sigma": 1.0},
    "HalfNormal": {"sigma": 1.0},
    "HalfCauchy": {"beta": 1.0},
    "HalfStudentT": {"nu": None, "sigma": 1.0},
    "Exponential": {"lam": 1.0},
    "LogNormal": {"mu": 0.0, "sigma": 1.0},
    "Uniform": {"lower": 0.0, "upper": 1.0},
    "StudentT": {"nu": None, "mu": 0.0, "sigma": 1.0},
    "Logistic": {"mu": 0.0, "s": 1.0},
    "Gamma": {"alpha": None, "beta": None},
    "InverseGamma": {"alpha": None, "beta": None},
    "DiracDelta": {"c": None},
}
_LOCATIONS = {"mu", "mean", "lower", "upper", "c"}
_BOTH_SIGNS = {"Normal", "StudentT", "Logistic"}


def one_of(what: str, name: str, valid) -> str:
    """Say that a name is unknown, which one may be meant, and which are valid."""
    valid = list(valid)
    near = get_close_matches(str(name), valid, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {what} {name!r}{meant} (valid: {', '.join(valid)})"


@dataclass(frozen=True)
class Prior:
    """A prior distribution on one top-level parameter.

    Attributes
    ----------
    dist : str
        PyMC's name of the distribution.
    parameters : tuple of (str, float)
        PyMC's parameter names with their values, in PyMC's order.
    on : {"value", "variance"}
        Whether the distribution holds for the parameter itself or for its square.

    See Also
    --------
    Prior.make : checks names and values.
    """

    dist: str
    parameters: tuple[tuple[str, float], ...]
    on: Scale = "value"

    @classmethod
    def make(cls, dist: str, /, on: Scale = "value", **parameters: float) -> Prior:
        """Build a prior, with the parameters that are left out at PyMC's defaults.

        Parameters
        ----------
        dist : str
            Normal, HalfNormal, HalfCauchy, HalfStudentT, Exponential, LogNormal, Uniform, StudentT,
            Logistic, Gamma, InverseGamma, or DiracDelta (which fixes a parameter).
        on : {"value", "variance"}
            Whether it holds for the parameter or for its square.
        **parameters : float
            PyMC's parameters of that distribution.

        Returns
        -------
        Prior
            The checked prior.

        Raises
        ------
        ValueError
            An unknown distribution or parameter, a missing or impossible value.
        """
        if not isinstance(dist, str) or dist not in _PARAMETERS:
            raise ValueError(one_of("distribution", dist, _PARAMETERS))
        if on not in ("value", "variance"):
            raise ValueError(one_of("scale of a prior", on, ("value", "variance")))
        expected = _PARAMETERS[dist]
        for name in parameters:
            if name not in expected:
                raise ValueError(one_of(f"parameter of {dist}", name, expected))
        values = {name: parameters.get(name, default) for name, default in expected.items()}
        prior = cls(dist, tuple((k, finite_number(dist, k, v)) for k, v in values.items()), on)
        prior._check_range()
        return prior

    def _check_range(self) -> None:
        values = dict(self.parameters)
        if self.dist == "Uniform" and values["lower"] >= values["upper"]:
            raise ValueError(f"{self}: lower must be below upper")
        if self.on == "variance" and not self.nonnegative:
            raise ValueError(f"{self}: a variance needs a distribution of positive values")

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value:g}" for name, value in self.parameters)
        return f"{self.dist}({inside})" + (" on the variance" if self.on == "variance" else "")

    @property
    def nonnegative(self) -> bool:
        """Whether the distribution has no mass below zero, as a standard deviation needs."""
        values = dict(self.parameters)
        if self.dist in ("Uniform", "DiracDelta"):
            return values["lower" if self.dist == "Uniform" else "c"] >= 0
        return self.dist not in _BOTH_SIGNS

    @property
    def fixed(self) -> float | None:
        """The value at which the parameter is fixed, or None."""
        if self.dist != "DiracDelta":
            return None
        value = self.parameters[0][1]
        return math.sqrt(value) if self.on == "variance" else value

    def _scipy(self):
        from scipy import stats

        p = dict(self.parameters)
        match self.dist:
            case "Normal":
                return stats.norm(p["mu"], p["sigma"])
            case "HalfNormal":
                # The same distribution, whose lower quantiles do not cancel.
                return stats.chi(1, 0, p["sigma"])
            case "HalfCauchy":
                return stats.halfcauchy(0, p["beta"])
            case "HalfStudentT":
                return _HalfStudentT(p["nu"], p["sigma"])
            case "Exponential":
                return stats.expon(0, 1 / p["lam"])
            case "LogNormal":
                return stats.lognorm(p["sigma"], 0, math.exp(p["mu"]))
            case "Uniform":
                return stats.uniform(p["lower"], p["upper"] - p["lower"])
            case "StudentT":
                return stats.t(p["nu"], p["mu"], p["sigma"])
            case "Logistic":
                return stats.logistic(p["mu"], p["s"])
            case "Gamma":
                return stats.gamma(p["alpha"], 0, 1 / p["beta"])
            case "InverseGamma":
                return stats.invgamma(p["alpha"], 0, p["beta"])
        raise ValueError(f"{self} is a point: it has no density")

    def logpdf(self, x) -> np.ndarray:
        """Log density at values of the parameter itself (also where the prior is on its square).

        Parameters
        ----------
        x : array_like
            Values of the parameter, any shape.

        Returns
        -------
        numpy.ndarray
            Natural log of the density, in the shape of ``x``.

        Raises
        ------
        ValueError
            A fixed parameter has no density.
        """
        x = np.asarray(x, dtype=float)
        if self.on == "value":
            return np.asarray(self._scipy().logpdf(x))
        with np.errstate(divide="ignore"):
            jacobian = np.where(x > 0, np.log(2 * np.abs(x)), -np.inf)
        return np.asarray(self._scipy().logpdf(x**2)) + jacobian

    def cdf(self, x) -> np.ndarray:
        """Probability that the parameter is at most ``x``."""
        x = np.asarray(x, dtype=float)
        if self.fixed is not None:
            return (x >= self.fixed).astype(float)
        if self.on == "value":
            return np.asarray(self._scipy().cdf(x))
        return np.where(x > 0, self._scipy().cdf(x**2), 0.0)

    def ppf(self, probability) -> np.ndarray:
        """Quantiles: the inverse of `cdf`."""
        probability = np.asarray(probability, dtype=float)
        if self.fixed is not None:
            return np.full(probability.shape, self.fixed)
        value = np.asarray(self._scipy().ppf(probability))
        return np.sqrt(value) if self.on == "variance" else value

    def at_normal_score(self, u) -> np.ndarray:
        """Value of the parameter whose probability is that of a standard normal below ``u``.

        Each tail is computed from its own side, so that it is as exact at 8 as at -8.
        """
        from scipy.special import ndtr

        u = np.asarray(u, dtype=float)
        if self.fixed is not None:
            return np.full(u.shape, self.fixed)
        distribution = self._scipy()
        with np.errstate(over="ignore", divide="ignore"):
            value = np.where(u < 0, distribution.ppf(ndtr(u)), distribution.isf(ndtr(-u)))
        return np.sqrt(value) if self.on == "variance" else value

    def draw(self, rng: np.random.Generator, size=None) -> np.ndarray:
        """Draw values of the parameter, in the shape of ``size``, by inversion."""
        from .density import prior_density

        if self.fixed is not None:
            return np.full(() if size is None else size, self.fixed)
        return np.asarray(prior_density(self).ppf(np.asarray(rng.random(size))))

    def to_dict(self) -> dict[str, Any]:
        """Give the form in which a prior stands in a prior file and in a run's record."""
        out: dict[str, Any] = {"dist": self.dist, **dict(self.parameters)}
        return out | ({"on": "variance"} if self.on == "variance" else {})

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Prior:
        """Read a prior from the form that `to_dict` gives.

        Raises
        ------
        ValueError
            As `make`, and where ``dist`` is missing.
        """
        table = dict(table)
        if "dist" not in table:
            raise ValueError('a prior needs its distribution, such as dist = "HalfNormal"')
        return cls.make(table.pop("dist"), table.pop("on", "value"), **table)


@dataclass(frozen=True)
class _HalfStudentT:
    """The absolute value of a Student-t centred at zero, which SciPy lacks."""

    nu: float
    sigma: float

    @property
    def full(self):
        from scipy import stats

        return stats.t(self.nu, 0, self.sigma)

    def logpdf(self, x):
        return np.where(x >= 0, self.full.logpdf(x) + math.log(2), -np.inf)

    def cdf(self, x):
        return np.where(x > 0, 2 * self.full.cdf(x) - 1, 0.0)

    def ppf(self, probability):
        from scipy.special import betaincinv

        # t^2 / (nu + t^2) is Beta(1/2, nu/2): exact where the full distribution's would cancel.
        share = betaincinv(0.5, self.nu / 2, probability)
        near = self.sigma * np.sqrt(self.nu * share / np.maximum(1 - share, 1e-300))
        return np.where(np.asarray(probability) < 0.5, near, self.isf(1 - np.asarray(probability)))

    def isf(self, probability):
        return self.full.isf(np.asarray(probability) / 2)


def finite_number(dist: str, name: str, value: Any) -> float:
    """Give the value of a distribution's parameter, or raise with what it should be."""
    if value is None:
        raise ValueError(f"{dist} needs its parameter {name!r}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        shown = repr(value)
        shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
        raise ValueError(f"{dist}: {name} must be a finite number, not {shown}")
    if name not in _LOCATIONS and value <= 0:
        raise ValueError(f"{dist}: {name} must be positive, not {value:g}")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
