"""Families of distributions: for each its parameters and its functions of arrays, in one record.

The functions are fast, and each tail of a quantile function is computed from its own side. They do
without SciPy's statistics, which are slow to import and serve the tests as the independent check.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import special

from ...data.errors import InputError

Function = Callable[[np.ndarray], np.ndarray]

#: A standard deviation that is as good as zero, of which the square is still a number.
_LEAST = 1e-150
_LOG_ROOT = float(np.log(np.sqrt(2 * np.pi)))


@dataclass(frozen=True, eq=False)
class Density:
    """A distribution of one parameter, as functions from arrays to arrays.

    Attributes
    ----------
    logpdf, cdf, ppf, isf : callable
        Log density, distribution function, quantiles, and quantiles counted from above.
    support : tuple of float
        Least and greatest value.
    fixed : float or None
        The value, where the parameter is fixed; there is then no log density.
    tail : float
        Order of the upper tail: the density falls as ``x ** -tail`` (inf if faster than any power).
    """

    logpdf: Function
    cdf: Function
    ppf: Function
    isf: Function
    support: tuple[float, float] = (-math.inf, math.inf)
    fixed: float | None = None
    tail: float = math.inf


class Parameter(NamedTuple):
    """What a parameter of a family may be.

    Attributes
    ----------
    default : float or None
        PyMC's value where none is given; None where one must be.
    positive : bool
        Whether it must be above zero.
    """

    default: float | None = None
    positive: bool = True


@dataclass(frozen=True, eq=False)
class Family:
    """Everything that a family of distributions is.

    Attributes
    ----------
    parameters : dict of str to Parameter
        By PyMC's names, in PyMC's order.
    density : callable
        The distribution with values of the parameters, given in that order.
    wrong : callable
        Says what is wrong with such values together; nothing where all is well.
    """

    parameters: dict[str, Parameter]
    density: Callable[..., Density]
    wrong: Callable[..., str] = lambda *values: ""


@lru_cache(maxsize=4096)
def density(dist: str, values: tuple[float, ...], on: str) -> Density:
    """Give a distribution of a parameter.

    Parameters
    ----------
    dist : str
        A name of `FAMILIES`.
    values : tuple of float
        Its parameters, in the family's order.
    on : {"value", "variance"}
        Whether the distribution holds for the parameter itself or for its square.

    Returns
    -------
    Density
        Of the parameter itself; the same object for the same arguments.
    """
    of_value = FAMILIES[dist].density(*values)
    return of_value if on == "value" else _of_the_root(of_value)


def _of_the_root(square: Density) -> Density:
    """Distribution of the positive root of what has a distribution."""

    def log_density(x):
        # At zero the density of the square may be infinite: its limit is taken just above.
        near = np.maximum(x, _LEAST)
        with np.errstate(over="ignore"):
            return np.where(
                np.asarray(x) < 0, -np.inf, square.logpdf(np.square(near)) + np.log(2 * near)
            )

    return Density(
        log_density,
        lambda x: np.where(np.asarray(x) < 0, 0.0, square.cdf(np.square(x))),
        lambda q: np.sqrt(square.ppf(q)),
        lambda q: np.sqrt(square.isf(q)),
        (math.sqrt(square.support[0]), math.sqrt(square.support[1])),
        None if square.fixed is None else math.sqrt(square.fixed),
        2 * square.tail - 1,
    )


def _positive(logpdf, cdf, ppf, isf, tail: float = math.inf) -> Density:
    """Distribution of positive values, from functions that hold for these."""

    def continued(function, outside):
        def everywhere(x):
            x = np.asarray(x, float)
            with np.errstate(all="ignore"):
                return np.where(x >= 0, function(np.maximum(x, 0)), outside)

        return everywhere

    return Density(
        continued(logpdf, -np.inf), continued(cdf, 0.0), ppf, isf, (0.0, math.inf), None, tail
    )


def _location_scale(logpdf, cdf, ppf, m: float, s: float, tail: float = math.inf) -> Density:
    """Symmetric distribution about a centre, from that of centre zero and scale one."""
    return Density(
        lambda x: logpdf((x - m) / s) - math.log(s),
        lambda x: cdf((x - m) / s),
        lambda q: ppf(q) * s + m,
        lambda q: -ppf(q) * s + m,
        tail=tail,
    )


def _point(c: float) -> Density:
    def no_density(x):
        raise InputError("a fixed parameter has no density")

    def everywhere(q):
        return np.full(np.shape(q), c)

    return Density(
        no_density, lambda x: np.where(np.asarray(x) >= c, 1.0, 0.0), everywhere, everywhere,
        (c, c), c,
    )  # fmt: skip


def _normal(mu: float, sigma: float) -> Density:
    return _location_scale(
        lambda z: -(z**2) / 2.0 - _LOG_ROOT, special.ndtr, special.ndtri, mu, sigma
    )


def _half_normal(sigma: float) -> Density:
    constant = 0.5 * math.log(2) - special.gammaln(0.5)
    return _positive(
        lambda x: constant - 0.5 * (x / sigma) ** 2 - math.log(sigma),
        lambda x: special.erf(x / sigma / math.sqrt(2)),
        lambda q: np.sqrt(2 * special.gammaincinv(0.5, q)) * sigma,
        lambda q: np.sqrt(2 * special.gammainccinv(0.5, q)) * sigma,
    )


def _student_constant(nu: float) -> float:
    return special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * math.log(nu * math.pi)


def _student(nu: float, mu: float, sigma: float) -> Density:
    constant = _student_constant(nu)
    return _location_scale(
        lambda z: constant - (nu + 1) / 2 * np.log1p(z**2 / nu),
        lambda z: special.stdtr(nu, z),
        lambda q: special.stdtrit(nu, q),
        mu,
        sigma,
        nu + 1,
    )


def _half_student(nu: float, sigma: float) -> Density:
    constant = _student_constant(nu) + math.log(2) - math.log(sigma)

    def cdf(x):
        near = special.betainc(0.5, nu / 2, x**2 / (nu * sigma**2 + x**2))
        return np.where(x < sigma, near, 1 - 2 * special.stdtr(nu, -x / sigma))

    def isf(q):
        return -special.stdtrit(nu, np.asarray(q) / 2) * sigma

    def ppf(q):
        q = np.asarray(q, float)
        # t^2 / (nu + t^2) is Beta(1/2, nu/2): exact where the full distribution's would cancel.
        share = special.betaincinv(0.5, nu / 2, q)
        near = np.sqrt(nu * share / np.maximum(1 - share, 1e-300)) * sigma
        return np.where(q < 0.5, near, isf(1 - q))

    return _positive(
        lambda x: constant - (nu + 1) / 2 * np.log1p((x / sigma) ** 2 / nu),
        cdf,
        ppf,
        isf,
        nu + 1,
    )


def _half_cauchy(beta: float) -> Density:
    return _positive(
        lambda x: math.log(2 / (math.pi * beta)) - np.log1p((x / beta) ** 2),
        lambda x: 2 / math.pi * np.arctan(x / beta),
        lambda q: beta * np.tan(math.pi / 2 * np.asarray(q)),
        lambda q: beta / np.tan(math.pi / 2 * np.asarray(q)),
        2.0,
    )


def _exponential(lam: float) -> Density:
    return _positive(
        lambda x: math.log(lam) - lam * x,
        lambda x: -np.expm1(-lam * x),
        lambda q: -np.log1p(-np.asarray(q)) / lam,
        lambda q: -np.log(q) / lam,
    )


def _log_normal(mu: float, sigma: float) -> Density:
    normal = _normal(mu, sigma)
    return _positive(
        lambda x: np.where(x > 0, normal.logpdf(np.log(x)) - np.log(x), -np.inf),
        lambda x: normal.cdf(np.log(x)),
        lambda q: np.exp(normal.ppf(q)),
        lambda q: np.exp(normal.isf(q)),
    )


def _uniform(lower: float, upper: float) -> Density:
    width = upper - lower
    return Density(
        lambda x: np.where((x >= lower) & (x <= upper), -math.log(width), -np.inf),
        lambda x: np.clip((x - lower) / width, 0, 1),
        lambda q: np.asarray(q) * width + lower,
        lambda q: upper - np.asarray(q) * width,
        (lower, upper),
    )


def _logistic(mu: float, s: float) -> Density:
    def log_density(z):
        return -np.abs(z) - 2 * np.log1p(np.exp(-np.abs(z)))

    return _location_scale(log_density, special.expit, special.logit, mu, s)


def _gamma(alpha: float, beta: float) -> Density:
    constant = alpha * math.log(beta) - special.gammaln(alpha)
    return _positive(
        lambda x: constant + special.xlogy(alpha - 1, x) - beta * x,
        lambda x: special.gammainc(alpha, beta * x),
        lambda q: special.gammaincinv(alpha, q) / beta,
        lambda q: special.gammainccinv(alpha, q) / beta,
    )


def _inverse_gamma(alpha: float, beta: float) -> Density:
    constant = alpha * math.log(beta) - special.gammaln(alpha)

    def inverted(quantile):
        def inverse(q):
            with np.errstate(divide="ignore", over="ignore"):
                return beta / np.asarray(quantile(alpha, q))

        return inverse

    return _positive(
        lambda x: np.where(x > 0, constant - (alpha + 1) * np.log(x) - beta / x, -np.inf),
        lambda x: np.where(x > 0, special.gammaincc(alpha, beta / x), 0.0),
        inverted(special.gammainccinv),
        inverted(special.gammaincinv),
        alpha + 1,
    )


_LOCATION, _SCALE, _GIVEN = Parameter(0.0, False), Parameter(1.0), Parameter()

FAMILIES = {
    "Normal": Family({"mu": _LOCATION, "sigma": _SCALE}, _normal),
    "HalfNormal": Family({"sigma": _SCALE}, _half_normal),
    "HalfCauchy": Family({"beta": _SCALE}, _half_cauchy),
    "HalfStudentT": Family({"nu": _GIVEN, "sigma": _SCALE}, _half_student),
    "Exponential": Family({"lam": _SCALE}, _exponential),
    "LogNormal": Family({"mu": _LOCATION, "sigma": _SCALE}, _log_normal),
    "Uniform": Family(
        {"lower": Parameter(0.0, False), "upper": Parameter(1.0, False)},
        _uniform,
        lambda lower, upper: "" if lower < upper else "lower must be below upper",
    ),
    "StudentT": Family({"nu": _GIVEN, "mu": _LOCATION, "sigma": _SCALE}, _student),
    "Logistic": Family({"mu": _LOCATION, "s": _SCALE}, _logistic),
    "Gamma": Family({"alpha": _GIVEN, "beta": _GIVEN}, _gamma),
    "InverseGamma": Family({"alpha": _GIVEN, "beta": _GIVEN}, _inverse_gamma),
    "DiracDelta": Family({"c": Parameter(None, False)}, _point),
}
