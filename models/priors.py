"""Priors as values: they compare, print and serialise, and know nothing of the sampler."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from .catalogue import CATALOGUE as CATALOGUE
    from .catalogue import named_set as named_set

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
        prior = cls(dist, tuple((k, _number(dist, k, v)) for k, v in values.items()), on)
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
        from .prior_density import prior_density

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


def _number(dist: str, name: str, value: Any) -> float:
    if value is None:
        raise ValueError(f"{dist} needs its parameter {name!r}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{dist}: {name} must be a finite number, not {value!r}")
    if name not in _LOCATIONS and value <= 0:
        raise ValueError(f"{dist}: {name} must be positive, not {value:g}")
    return float(value)


@dataclass(frozen=True)
class Exnex:
    """How far diseases are exchangeable, under ``exnex`` pooling.

    Attributes
    ----------
    weight : float
        Prior probability that a disease is exchangeable with the others.
    level : Prior or None
        Prior of a disease's own level where it is not, on the outcome's linear scale: Normal, as a
        prior file gives it. None takes the prior of mu, of any family.

    Raises
    ------
    ValueError
        A weight that is no probability.

    References
    ----------
    Neuenschwander and others 2016, doi 10.1002/pst.1730.
    """

    weight: float = 0.5
    level: Prior | None = None

    def __post_init__(self) -> None:
        """Refuse a weight that is no probability."""
        weight = self.weight
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise ValueError(f"exnex: w must lie between 0 and 1, not {weight!r}")


@dataclass(frozen=True)
class OutcomePriors:
    """The priors of one outcome's hierarchy, on its linear scale (log-odds or log hazard a year).

    Attributes
    ----------
    mu : Prior
        Overall level.
    tau : Prior
        Standard deviation between diseases.
    sigma : Prior
        Standard deviation between studies of one disease.
    exnex : Exnex
        Used by ``exnex`` pooling only; its level is never None here.
    """

    mu: Prior
    tau: Prior
    sigma: Prior
    exnex: Exnex

    def __post_init__(self) -> None:
        """Refuse standard deviations that could be negative; fill in the exnex level."""
        for name in ("tau", "sigma"):
            if not getattr(self, name).nonnegative:
                raise ValueError(
                    f"{name} is a standard deviation: {getattr(self, name)} has negative values; "
                    "take a HalfNormal, HalfCauchy, Exponential, LogNormal, Gamma or Uniform"
                )
        if self.exnex.level is None:
            object.__setattr__(self, "exnex", replace(self.exnex, level=self.mu))


@dataclass(frozen=True)
class PriorSet:
    """A named set of priors for every outcome.

    What a set leaves out is taken from the default set, outcome by outcome.

    Attributes
    ----------
    name : str
        Its name in tables and on the command line.
    sentence : str
        What it says, for a reader.
    reference, doi : str
        Where it comes from.
    mu, tau, sigma : Prior or None
        Priors for every outcome that ``overrides`` does not name.
    exnex : Exnex or None
        Exchangeability weight and level.
    overrides : tuple of (str, tuple of (str, Prior))
        Priors of single outcomes, by outcome and parameter.
    """

    name: str
    sentence: str = ""
    reference: str = ""
    doi: str = ""
    mu: Prior | None = None
    tau: Prior | None = None
    sigma: Prior | None = None
    exnex: Exnex | None = None
    overrides: tuple[tuple[str, tuple[tuple[str, Prior], ...]], ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse an exnex level that no prior file could give."""
        level = self.exnex.level if self.exnex else None
        if level is not None and (level.dist, level.on) != ("Normal", "value"):
            raise ValueError(f"exnex: a disease's own level must be Normal, not {level}")

    def _own(self, outcome: str, parameter: str) -> Prior | None:
        single = dict(dict(self.overrides).get(outcome, ()))
        return single.get(parameter, getattr(self, parameter))

    def of(self, outcome: str) -> OutcomePriors:
        """Give the priors of one outcome.

        Raises
        ------
        ValueError
            A prior of tau or sigma that has negative values.
        """

        def resolve(parameter: str) -> Prior:
            prior = self._own(outcome, parameter) or DEFAULT._own(outcome, parameter)
            assert prior is not None, "the default set is complete"
            return prior

        exnex = self.exnex or DEFAULT.exnex or Exnex()
        return OutcomePriors(resolve("mu"), resolve("tau"), resolve("sigma"), exnex)

    def to_dict(self) -> dict[str, Any]:
        """Give the set in the form of a prior file, for the record of a run."""
        texts = {key: getattr(self, key) for key in ("sentence", "reference", "doi")}
        out: dict[str, Any] = {"name": self.name} | {k: text for k, text in texts.items() if text}
        for parameter in ("mu", "tau", "sigma"):
            if (prior := getattr(self, parameter)) is not None:
                out[parameter] = prior.to_dict()
        if self.exnex is not None:
            out["exnex"] = {"w": float(self.exnex.weight)}
            if self.exnex.level is not None:
                values = dict(self.exnex.level.parameters)
                out["exnex"] |= {"mean": values["mu"], "sd": values["sigma"]}
        if self.overrides:
            out["outcome"] = {
                outcome: {parameter: prior.to_dict() for parameter, prior in priors}
                for outcome, priors in self.overrides
            }
        return out

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], outcomes: tuple[str, ...] | None = None):
        """Read a set from the form that `to_dict` gives.

        Parameters
        ----------
        table : mapping
            The parsed prior file.
        outcomes : tuple of str, optional
            Names that ``[outcome.NAME]`` may take; any where left out.

        Returns
        -------
        PriorSet
            The checked set.

        Raises
        ------
        ValueError
            Unknown tables, distributions or parameters, or impossible values; says where.
        """
        known = ("name", "sentence", "reference", "doi", "mu", "tau", "sigma", "exnex", "outcome")
        for key in table:
            if key not in known:
                raise ValueError(one_of("table", key, known))
        priors = {p: _prior_at(table, p, f"[{p}]") for p in ("mu", "tau", "sigma") if p in table}
        overrides = []
        for outcome, tables in _mapping(table.get("outcome", {}), "[outcome]").items():
            if outcomes is not None and outcome not in outcomes:
                raise ValueError(f"[outcome.{outcome}]: " + one_of("outcome", outcome, outcomes))
            for parameter in _mapping(tables, f"[outcome.{outcome}]"):
                if parameter not in ("mu", "tau", "sigma"):
                    wrong = one_of("parameter", parameter, ("mu", "tau", "sigma"))
                    raise ValueError(f"[outcome.{outcome}]: {wrong}")
            overrides.append(
                (
                    outcome,
                    tuple((p, _prior_at(tables, p, f"[outcome.{outcome}.{p}]")) for p in tables),
                )
            )
        texts = {k: str(table.get(k, "")) for k in ("sentence", "reference", "doi")}
        made = cls(
            str(table.get("name", "unnamed")),
            **texts,
            mu=priors.get("mu"),
            tau=priors.get("tau"),
            sigma=priors.get("sigma"),
            exnex=_exnex_at(table["exnex"]) if "exnex" in table else None,
            overrides=tuple(overrides),
        )
        for outcome in ("", *(name for name, _ in overrides)):
            made.of(outcome)
        return made

    @classmethod
    def from_toml(cls, text: str, source: str = "prior file", outcomes=None) -> PriorSet:
        """Read a prior file.

        Parameters
        ----------
        text : str
            The file's content, TOML.
        source : str
            Its name, for messages, and the set's name where the file gives none.
        outcomes : tuple of str, optional
            Names that ``[outcome.NAME]`` may take; any where left out.

        Returns
        -------
        PriorSet
            The set.

        Raises
        ------
        ValueError
            One line: the file, where in it, what is wrong, what would be right.
        """
        try:
            return cls.from_dict({"name": source, **tomllib.loads(text)}, outcomes)
        except tomllib.TOMLDecodeError as problem:
            raise ValueError(f"{source}: not TOML: {problem}") from None
        except ValueError as problem:
            raise ValueError(f"{source}: {problem}") from None


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f'{where} must be a table such as {{dist = "HalfNormal", sigma = 1}}')
    return value


def _prior_at(table: Mapping[str, Any], key: str, where: str) -> Prior:
    try:
        return Prior.from_dict(_mapping(table[key], where))
    except ValueError as problem:
        text = str(problem)
        raise ValueError(text if text.startswith("[") else f"{where}: {text}") from None


def _exnex_at(table: Any) -> Exnex:
    table = dict(_mapping(table, "[exnex]"))
    for key in table:
        if key not in ("w", "mean", "sd"):
            raise ValueError("[exnex]: " + one_of("parameter", key, ("w", "mean", "sd")))
    if ("mean" in table) != ("sd" in table):
        raise ValueError("[exnex]: give both mean and sd, or neither (the prior of mu)")
    try:
        given = {key: _number("level", key, table[key]) for key in ("mean", "sd") if key in table}
        level = Prior.make("Normal", mu=given["mean"], sigma=given["sd"]) if given else None
        return Exnex(table.get("w", 0.5), level)
    except ValueError as problem:
        raise ValueError(f"[exnex]: {str(problem).removeprefix('exnex: ')}") from None


DEFAULT = PriorSet(
    "default",
    sentence=(
        "Weakly informative on the log-odds: any typical rate, diseases within a factor of about "
        "seven in odds, studies within a factor of about three; harms are expected to be rare."
    ),
    reference="Gelman 2006; Roever and others 2021",
    doi="10.1002/jrsm.1475",
    mu=Prior.make("Normal", mu=0, sigma=1.5),
    tau=Prior.make("HalfNormal", sigma=1),
    sigma=Prior.make("HalfNormal", sigma=0.5),
    exnex=Exnex(0.5),
    overrides=(
        ("serious_ae", (("mu", Prior.make("Normal", mu=-1.5, sigma=1.5)),)),
        ("death", (("mu", Prior.make("Normal", mu=-3, sigma=1.5)),)),
    ),
)


def __getattr__(name: str) -> Any:
    """Find the catalogue, which is built from what is defined here, when it is first asked for."""
    if name in ("CATALOGUE", "named_set"):
        from . import catalogue

        return getattr(catalogue, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
