"""Power-scaling: how far the posterior moves when prior or likelihood counts a little more.

The prior that is scaled is that of mu, tau, sigma and the coefficients of moderators, never that of
levels of diseases and studies, which belong to the model of the data. The likelihood that is scaled
is that of whole studies, their effects integrated out: as if every study had been made a little
more than once. Scaling the likelihood given the studies' effects would instead give the same
studies more patients, which tells nothing more of how studies and diseases differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ...data.names import outcome_words
from ..fitting.ranking import CERTAIN

#: Sensitivity from which a posterior is said to depend on the prior (or the likelihood).
THRESHOLD = 0.05

#: Stretches of draws that are left out in turn.
STRETCHES = 12

OK, CONFLICT, PRIOR = "ok", "conflict", "prior dominates"
PRIOR_MATTERS, UNDECIDED = "prior matters", "undecided"

#: Whether a posterior depends on one side, prior or likelihood.
MATTERS, HARDLY, UNKNOWN = "matters", "hardly matters", "unknown"

_MEANING = {
    OK: "the prior hardly matters: the data speak",
    CONFLICT: "prior and data both move it: a compromise, perhaps of two that disagree",
    PRIOR: "the prior shapes the result and the data say little",
    PRIOR_MATTERS: "the prior shapes the result; too few draws to say whether the data do too",
}
_UNDECIDED = "too few draws to say whether the prior matters"
_DATA = {
    MATTERS: "; the data do",
    HARDLY: "; the data say little",
    UNKNOWN: ", or whether the data do",
}


def power_scaling(
    draws: dict[str, np.ndarray], log_prior: np.ndarray, log_likelihood: np.ndarray
) -> pd.DataFrame:
    """Measure how sensitive each parameter's posterior is to the prior and to the likelihood.

    Parameters
    ----------
    draws : dict of str to numpy.ndarray, shape (chain, draw)
        Posterior draws by parameter.
    log_prior : numpy.ndarray, shape (chain, draw)
        Log density of the priors to be scaled.
    log_likelihood : numpy.ndarray, shape (chain, draw)
        Log likelihood of all data.

    Returns
    -------
    pandas.DataFrame
        ``parameter``, ``prior``, ``prior_mcse``, ``likelihood``, ``likelihood_mcse`` (ArviZ's
        sensitivity per doubling of the weight, and its Monte-Carlo standard error) and ``verdict``.

    References
    ----------
    Kallioinen and others 2024, doi 10.1007/s11222-023-10366-5.
    """
    varied = {name: values for name, values in draws.items() if np.ptp(values) > 0}
    if not varied:
        return pd.DataFrame(columns=list(COLUMNS))
    whole = _sensitivities(varied, log_prior, log_likelihood)
    error = _errors(varied, log_prior, log_likelihood)
    rows = []
    for i, name in enumerate(varied):
        values = whole[0, i], error[0, i], whole[1, i], error[1, i]
        rows.append((name, *values, verdict(*values)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


COLUMNS = ("parameter", "prior", "prior_mcse", "likelihood", "likelihood_mcse", "verdict")


def _errors(draws, log_prior: np.ndarray, log_likelihood: np.ndarray) -> np.ndarray:
    """Monte-Carlo errors of the sensitivities; shape (2, parameter).

    A jackknife over stretches of successive draws: sensitivities of few draws are biased, and the
    spread of such would tell too small an error.

    References
    ----------
    Kuensch 1989, doi 10.1214/aos/1176347265 (the jackknife of dependent observations).
    """
    rest = []
    for stretch in np.array_split(np.arange(log_prior.size), STRETCHES):
        kept = np.delete(np.arange(log_prior.size), stretch)
        parts = {name: values.reshape(1, -1)[:, kept] for name, values in draws.items()}
        groups = (each.reshape(1, -1)[:, kept] for each in (log_prior, log_likelihood))
        rest.append(_sensitivities(parts, *groups))
    return np.sqrt((STRETCHES - 1) * np.var(rest, axis=0))


def _sensitivities(draws, log_prior: np.ndarray, log_likelihood: np.ndarray) -> np.ndarray:
    """Sensitivities to prior and likelihood; shape (2, parameter)."""
    import xarray as xr
    from arviz_stats.psense import psense

    dims = ("chain", "draw")
    posterior = xr.Dataset({name: (dims, values) for name, values in draws.items()})
    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "log_prior": xr.Dataset({"prior": (dims, log_prior)}),
            "log_likelihood": xr.Dataset({"data": (dims, log_likelihood)}),
        }
    )
    sensitivities = []
    for group, values in (("prior", log_prior), ("likelihood", log_likelihood)):
        if np.ptp(values) == 0:
            sensitivities.append(np.zeros(len(draws)))
            continue
        sensitivity = psense(tree, group=group)
        sensitivities.append(np.array([float(sensitivity[name]) for name in draws]))
    return np.array(sensitivities)


def side(value: float, error: float) -> str:
    """Say whether a sensitivity is above the threshold; withheld where its error spans it.

    Returns
    -------
    str
        ``matters``, ``hardly matters`` or ``unknown``.
    """
    if abs(value - THRESHOLD) <= CERTAIN * error:
        return UNKNOWN
    return MATTERS if value > THRESHOLD else HARDLY


def verdict(prior: float, prior_error: float, likelihood: float, likelihood_error: float) -> str:
    """Judge a pair of sensitivities, each by its own error.

    Parameters
    ----------
    prior, likelihood : float
        Sensitivities.
    prior_error, likelihood_error : float
        Their Monte-Carlo standard errors.

    Returns
    -------
    str
        ``ok`` (the prior hardly matters), ``conflict`` (both matter), ``prior dominates`` (the
        likelihood hardly matters), ``prior matters`` (whether the likelihood does is unknown) or
        ``undecided`` (whether the prior matters is unknown).
    """
    by_prior, by_likelihood = side(prior, prior_error), side(likelihood, likelihood_error)
    if by_prior == HARDLY:
        return OK
    if by_prior == UNKNOWN:
        return UNDECIDED
    return {MATTERS: CONFLICT, HARDLY: PRIOR, UNKNOWN: PRIOR_MATTERS}[by_likelihood]


def meaning(row: Mapping[Any, Any]) -> str:
    """Say what a row of `power_scaling` means for the reader, of prior and of data."""
    if row["verdict"] == UNDECIDED:
        return _UNDECIDED + _DATA[side(row["likelihood"], row["likelihood_mcse"])]
    return _MEANING[row["verdict"]]


def sentence(row: Mapping[Any, Any]) -> str:
    """Say in a sentence what a row of `power_scaling` means for its outcome."""
    what = {
        "mu": "the overall level",
        "tau": "how much diseases differ",
        "sigma": "how much studies of one disease differ",
    }.get(row["parameter"]) or f"the coefficient {row['parameter']}"
    return f"{outcome_words(row['outcome'])}, {what}: {meaning(row)}."
