"""The links of outcomes: probabilities and the linear scale on which levels lie."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit

from ..data.outcomes import Link


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
