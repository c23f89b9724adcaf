"""A prior on one parameter, as a value: it compares, prints, serialises and draws."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import ndtr

from ...data.errors import InputError
from ...data.mistakes import one_of, unknown_name
from .density import FAMILIES, Density, density

Scale = Literal["value", "variance"]


@contextmanager
def noted(problems: list[str], where: str = "") -> Iterator[None]:
    """Note what is wrong within, a line each after the place, and go on."""
    try:
        yield
    except InputError as wrong:
        problems += [f"{where}{line}" for line in str(wrong).splitlines()]


def raise_all(problems: list[str]) -> None:
    """Raise everything that was noted, once each; nothing where all is well."""
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))


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
            A name of `FAMILIES`; DiracDelta fixes a parameter.
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
        InputError
            An unknown distribution or parameter, a missing or impossible value; a line each.
        """
        one_of(dist, FAMILIES, "distribution")
        one_of(on, ("value", "variance"), "scale of a prior")
        family = FAMILIES[dist]
        problems = [
            unknown_name(name, family.parameters, f"parameter of {dist}")
            for name in parameters
            if name not in family.parameters
        ]
        values = {}
        for name, may in family.parameters.items():
            with noted(problems):
                given = parameters.get(name, may.default)
                values[name] = finite_number(dist, name, given, may.positive)
        raise_all(problems)
        prior = cls(dist, tuple(values.items()), on)
        if wrong := family.wrong(*values.values()):
            raise InputError(f"{prior}: {wrong}")
        if on == "variance" and not cls(dist, prior.parameters).nonnegative:
            raise InputError(f"{prior}: a variance needs a distribution of positive values")
        return prior

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value:g}" for name, value in self.parameters)
        return f"{self.dist}({inside})" + (" on the variance" if self.on == "variance" else "")

    @property
    def density(self) -> Density:
        """Its functions, of the parameter itself, also where the prior is on its square."""
        return density(self.dist, tuple(value for _, value in self.parameters), self.on)

    @property
    def nonnegative(self) -> bool:
        """Whether the distribution has no mass below zero, as a standard deviation needs."""
        return self.density.support[0] >= 0

    @property
    def fixed(self) -> float | None:
        """The value at which the parameter is fixed, or None."""
        return self.density.fixed

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
        InputError
            A fixed parameter has no density.
        """
        if self.fixed is not None:
            raise InputError(f"{self} is a point: it has no density")
        return np.asarray(self.density.logpdf(np.asarray(x, dtype=float)))

    def cdf(self, x) -> np.ndarray:
        """Probability that the parameter is at most ``x``."""
        return np.asarray(self.density.cdf(np.asarray(x, dtype=float)))

    def ppf(self, probability) -> np.ndarray:
        """Quantiles: the inverse of `cdf`."""
        probability = np.asarray(probability, dtype=float)
        low, high = self.density.support
        with np.errstate(over="ignore", divide="ignore"):
            inside = self.density.ppf(probability)
        return np.where(probability <= 0, low, np.where(probability >= 1, high, inside))

    def at_normal_score(self, u) -> np.ndarray:
        """Value of the parameter whose probability is that of a standard normal below ``u``.

        Each tail is computed from its own side, so that it is as exact at 8 as at -8.
        """
        u = np.asarray(u, dtype=float)
        with np.errstate(over="ignore", divide="ignore"):
            return np.where(u < 0, self.density.ppf(ndtr(u)), self.density.isf(ndtr(-u)))

    def draw(self, rng: np.random.Generator, size=None) -> np.ndarray:
        """Draw values of the parameter, in the shape of ``size``, by inversion."""
        if self.fixed is not None:
            return np.full(() if size is None else size, self.fixed)
        return self.ppf(rng.random(size))

    def to_dict(self) -> dict[str, Any]:
        """Give the form in which a prior stands in a prior file and in a run's record."""
        out: dict[str, Any] = {"dist": self.dist, **dict(self.parameters)}
        return out | ({"on": "variance"} if self.on == "variance" else {})

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> Prior:
        """Read a prior from the form that `to_dict` gives.

        Raises
        ------
        InputError
            As `make`, and where ``dist`` is missing.
        """
        table = dict(table)
        if "dist" not in table:
            raise InputError('a prior needs its distribution, such as dist = "HalfNormal"')
        return cls.make(table.pop("dist"), table.pop("on", "value"), **table)


def finite_number(dist: str, name: str, value: Any, positive: bool) -> float:
    """Give the value of a distribution's parameter, or raise with what it should be."""
    if value is None:
        raise InputError(f"{dist} needs its parameter {name!r}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not _is_finite(value):
        shown = repr(value)
        shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
        raise InputError(f"{dist}: {name} must be a finite number, not {shown}")
    if positive and value <= 0:
        raise InputError(f"{dist}: {name} must be positive, not {value:g}")
    return float(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number of hundreds of digits
        return False
