"""What an outcome is to the model: what it nests within, its link, and its time scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import expit, logit

from ..data.evidence import PARENTS

Link = Literal["logit", "cloglog"]

_CLOGLOG_OUTCOMES = frozenset({"death"})


@dataclass(frozen=True)
class Outcome:
    """One outcome as the model sees it.

    Attributes
    ----------
    name : str
        The outcome's name in the evidence.
    parent : str or None
        The outcome it always lies within (``remission`` within ``improvement``).
    link : {"logit", "cloglog"}
        ``logit`` puts a level on the log-odds scale; ``cloglog`` (complementary log-log with log
        follow-up as offset) on the log hazard per year, so that different follow-ups compare.
    """

    name: str
    parent: str | None = None
    link: Link = "logit"

    @property
    def timed(self) -> bool:
        """Whether the outcome's probability depends on the length of follow-up."""
        return self.link == "cloglog"


def outcome(name: str) -> Outcome:
    """Describe an outcome by its name; one that is not of the dictionary is un-nested, logit."""
    link: Link = "cloglog" if name in _CLOGLOG_OUTCOMES else "logit"
    return Outcome(name, PARENTS.get(name), link)


def inverse_link(theta, link: Link, years: float = 1.0):
    """Turn levels on the linear scale into probabilities.

    Parameters
    ----------
    theta : array_like
        Log-odds, or log hazard per year for ``cloglog``; any shape.
    link : {"logit", "cloglog"}
        The outcome's link.
    years : float or array_like
        Follow-up in years, for ``cloglog``; the default gives 12-month risks.

    Returns
    -------
    numpy.ndarray or float
        Probabilities, in the shape of ``theta`` and ``years`` broadcast together.
    """
    if link == "logit":
        return expit(theta)
    with np.errstate(over="ignore"):
        return -np.expm1(-np.exp(np.asarray(theta) + np.log(years)))


def link_function(rate, link: Link, years: float = 1.0):
    """Turn probabilities into levels on the linear scale: the inverse of `inverse_link`.

    Parameters
    ----------
    rate : array_like
        Probabilities in (0, 1); any shape.
    link : {"logit", "cloglog"}
        The outcome's link.
    years : float or array_like
        Follow-up in years, for ``cloglog``.

    Returns
    -------
    numpy.ndarray or float
        Log-odds, or log hazard per year.
    """
    if link == "logit":
        return logit(rate)
    return np.log(-np.log1p(-np.asarray(rate, dtype=float))) - np.log(years)
