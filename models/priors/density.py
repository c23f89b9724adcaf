"""Densities of priors as fast functions of arrays, without SciPy's slowly imported statistics."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from .sets import Prior

Function = Callable[[np.ndarray], np.ndarray]

#: A standard deviation that is as good as zero, of which the square is still a number.
_LEAST = 1e-150


@dataclass(frozen=True, eq=False)
class PriorDensity:
    """A prior on a parameter itself, also where it was stated for its square.

    Attributes
    ----------
    logpdf, cdf, ppf : callable
        Log density, distribution function and quantiles; arrays to arrays.
    support : tuple of float
        Least and greatest value.
    fixed : float or None
        The value, where the parameter is fixed; the functions are then not used.
    tail : float
        Order of the upper tail: the density falls as ``x ** -tail`` (inf if faster than any power).
    """

    logpdf: Function
    cdf: Function
    ppf: Function
    support: tuple[float, float]
    fixed: float | None
    tail: float


@lru_cache(maxsize=4096)
def prior_density(prior: Prior) -> PriorDensity:
    """Give the density of a prior.

    Parameters
    ----------
    prior : Prior
        Any prior of the catalogue or of a prior file.

    Returns
    -------
    PriorDensity
        Its functions.
    """
    p = dict(prior.parameters)
    if prior.fixed is not None:
        return PriorDensity(
            _unused, _unused, _unused, (prior.fixed, prior.fixed), prior.fixed, math.inf
        )
    logpdf, cdf, ppf, support, tail = _FAMILIES[prior.dist](p)
    if prior.on == "value":
        return PriorDensity(logpdf, cdf, ppf, support, None, tail)

    def log_density(x):
        # At zero the density of the square may be infinite: its limit is taken just above.
        near = np.maximum(x, _LEAST)
        with np.errstate(over="ignore"):
            return logpdf(np.square(near)) + np.log(2 * near)

    return PriorDensity(
        log_density,
        lambda x: cdf(np.square(x)),
        lambda q: np.sqrt(ppf(q)),
        (math.sqrt(support[0]), math.sqrt(support[1])),
        None,
        2 * tail - 1,
    )


def _unused(x):
    raise ValueError("a fixed parameter has no density")


def _positive(function, outside):
    """Continue a function of positive values to the rest."""

    def continued(x):
        x = np.asarray(x, float)
        with np.errstate(all="ignore"):
            return np.where(x >= 0, function(np.maximum(x, 0)), outside)

    return continued


def _folded(full):
    """Distribution of the absolute value of one that is symmetric about zero."""
    logpdf, cdf, ppf, _, tail = full
    return (
        _positive(lambda x: logpdf(x) + math.log(2), -np.inf),
        _positive(lambda x: 1 - 2 * cdf(-x), 0.0),
        lambda q: -ppf((1 - np.asarray(q)) / 2),
        (0.0, math.inf),
        tail,
    )


def _normal(p):
    m, s = p.get("mu", 0.0), p["sigma"]
    constant = -math.log(s) - 0.5 * math.log(2 * math.pi)
    return (
        lambda x: constant - 0.5 * ((x - m) / s) ** 2,
        lambda x: special.ndtr((x - m) / s),
        lambda q: m + s * special.ndtri(q),
        (-math.inf, math.inf),
        math.inf,
    )


def _student(p):
    nu, m, s = p["nu"], p.get("mu", 0.0), p["sigma"]
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2)
    constant -= 0.5 * math.log(nu * math.pi) + math.log(s)
    return (
        lambda x: constant - (nu + 1) / 2 * np.log1p(((x - m) / s) ** 2 / nu),
        lambda x: special.stdtr(nu, (x - m) / s),
        lambda q: m + s * special.stdtrit(nu, q),
        (-math.inf, math.inf),
        nu + 1,
    )


def _cauchy(p):
    s = p["beta"]
    return (
        _positive(lambda x: math.log(2 / (math.pi * s)) - np.log1p((x / s) ** 2), -np.inf),
        _positive(lambda x: 2 / math.pi * np.arctan(x / s), 0.0),
        lambda q: s * np.tan(math.pi / 2 * np.asarray(q)),
        (0.0, math.inf),
        2.0,
    )


def _exponential(p):
    lam = p["lam"]
    return (
        _positive(lambda x: math.log(lam) - lam * x, -np.inf),
        _positive(lambda x: -np.expm1(-lam * x), 0.0),
        lambda q: -np.log1p(-np.asarray(q)) / lam,
        (0.0, math.inf),
        math.inf,
    )


def _log_normal(p):
    m, s = p["mu"], p["sigma"]
    constant = -math.log(s) - 0.5 * math.log(2 * math.pi)
    return (
        _positive(
            lambda x: np.where(
                x > 0, constant - np.log(x) - 0.5 * ((np.log(x) - m) / s) ** 2, -np.inf
            ),
            -np.inf,
        ),
        _positive(lambda x: special.ndtr((np.log(x) - m) / s), 0.0),
        lambda q: np.exp(m + s * special.ndtri(q)),
        (0.0, math.inf),
        math.inf,
    )


def _uniform(p):
    low, high = p["lower"], p["upper"]
    return (
        lambda x: np.where((x >= low) & (x <= high), -math.log(high - low), -np.inf),
        lambda x: np.clip((x - low) / (high - low), 0, 1),
        lambda q: low + (high - low) * np.asarray(q),
        (low, high),
        math.inf,
    )


def _logistic(p):
    m, s = p["mu"], p["s"]

    def log_density(x):
        z = np.abs(x - m) / s
        return -z - 2 * np.log1p(np.exp(-z)) - math.log(s)

    return (
        log_density,
        lambda x: special.expit((x - m) / s),
        lambda q: m + s * special.logit(q),
        (-math.inf, math.inf),
        math.inf,
    )


def _gamma(p):
    a, b = p["alpha"], p["beta"]
    constant = a * math.log(b) - special.gammaln(a)
    return (
        _positive(lambda x: constant + special.xlogy(a - 1, x) - b * x, -np.inf),
        _positive(lambda x: special.gammainc(a, b * x), 0.0),
        lambda q: special.gammaincinv(a, q) / b,
        (0.0, math.inf),
        math.inf,
    )


def _inverse_gamma(p):
    a, b = p["alpha"], p["beta"]
    constant = a * math.log(b) - special.gammaln(a)

    def log_density(x):
        return np.where(x > 0, constant - (a + 1) * np.log(x) - b / x, -np.inf)

    def quantile(q):
        with np.errstate(divide="ignore", over="ignore"):
            return b / np.asarray(special.gammainccinv(a, q))

    return (
        _positive(log_density, -np.inf),
        _positive(lambda x: np.where(x > 0, special.gammaincc(a, b / x), 0.0), 0.0),
        quantile,
        (0.0, math.inf),
        a + 1,
    )


_FAMILIES = {
    "Normal": _normal,
    "StudentT": _student,
    "Logistic": _logistic,
    "Uniform": _uniform,
    "HalfNormal": lambda p: _folded(_normal(p)),
    "HalfStudentT": lambda p: _folded(_student(p)),
    "HalfCauchy": _cauchy,
    "Exponential": _exponential,
    "LogNormal": _log_normal,
    "Gamma": _gamma,
    "InverseGamma": _inverse_gamma,
}
