"""Power-scaling: how far the posterior moves when prior or likelihood counts a little more.

The prior that is scaled is that of mu, tau and sigma alone, never that of levels of diseases and
studies, which belong to the model of the data. The likelihood that is scaled is that of whole
studies, their effects integrated out: as if every study had been made a little more than once.
Scaling the likelihood given the studies' effects would instead give the same studies more patients,
which tells nothing more of how studies and diseases differ.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Sensitivity from which a posterior is said to depend on the prior (or the likelihood).
THRESHOLD = 0.05

#: Parts of the draws in which the diagnostic is repeated, and how many of its errors a value must
#: be away from the threshold before anything is said.
REPLICATES, CERTAIN = 8, 2.0

OK, CONFLICT, PRIOR, UNDECIDED = "ok", "conflict", "prior dominates", "undecided"

MEANING = {
    OK: "the prior hardly matters: the data speak",
    CONFLICT: "prior and data both move it: a compromise, perhaps of two that disagree",
    PRIOR: "the prior shapes the result and the data say little",
    UNDECIDED: "too few draws to say whether the prior matters",
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
    parts = np.stack(
        [
            _sensitivities({n: v[part] for n, v in varied.items()}, *groups)
            for part, groups in _replicates(log_prior, log_likelihood)
        ]
    )
    error = parts.std(axis=0, ddof=1) / np.sqrt(len(parts))
    rows = []
    for i, name in enumerate(varied):
        values = whole[0, i], error[0, i], whole[1, i], error[1, i]
        rows.append((name, *values, verdict(*values)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


COLUMNS = ("parameter", "prior", "prior_mcse", "likelihood", "likelihood_mcse", "verdict")


def _replicates(log_prior: np.ndarray, log_likelihood: np.ndarray):
    """Split chains into at least `REPLICATES` stretches of draws."""
    chains, length = log_prior.shape
    pieces = max(-(-REPLICATES // chains), 1)
    for chain in range(chains):
        for piece in np.array_split(np.arange(length), pieces):
            part = np.ix_([chain], piece)
            yield part, (log_prior[part], log_likelihood[part])


def _sensitivities(draws, log_prior: np.ndarray, log_likelihood: np.ndarray) -> np.ndarray:
    """Sensitivities to prior and likelihood; shape (2, parameter)."""
    import arviz as az
    import xarray as xr

    dims = ("chain", "draw")
    posterior = xr.Dataset({name: (dims, values) for name, values in draws.items()})
    tree = xr.DataTree.from_dict(
        {
            "posterior": posterior,
            "log_prior": xr.Dataset({"prior": (dims, log_prior)}),
            "log_likelihood": xr.Dataset({"data": (dims, log_likelihood)}),
        }
    )
    found = []
    for group, values in (("prior", log_prior), ("likelihood", log_likelihood)):
        if np.ptp(values) == 0:
            found.append(np.zeros(len(draws)))
            continue
        sensitivity = az.psense(tree, group=group)
        found.append(np.array([float(sensitivity[name]) for name in draws]))
    return np.array(found)


def verdict(prior: float, prior_error: float, likelihood: float, likelihood_error: float) -> str:
    """Judge a pair of sensitivities; withheld where an error spans the threshold.

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
        likelihood hardly matters) or ``undecided``.
    """

    def side(value: float, error: float) -> int:
        return int(np.sign(value - THRESHOLD)) if abs(value - THRESHOLD) > CERTAIN * error else 0

    by_prior, by_likelihood = side(prior, prior_error), side(likelihood, likelihood_error)
    if by_prior < 0:
        return OK
    if by_prior == 0 or by_likelihood == 0:
        return UNDECIDED
    return CONFLICT if by_likelihood > 0 else PRIOR


def sentence(outcome: str, parameter: str, found: str) -> str:
    """Say in a sentence what a verdict means for the reader."""
    what = {
        "mu": "the overall level",
        "tau": "how much diseases differ",
        "sigma": "how much studies of one disease differ",
    }.get(parameter, parameter)
    return f"{outcome}, {what}: {MEANING[found]}."
