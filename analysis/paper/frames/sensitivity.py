"""What the figures of priors and of borrowing show, gathered into tidy frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ....data.outcomes import Outcome
from ....models.exact.implied import implied_for_a_disease
from ....models.priors.sets import PriorSet
from ...fitting.store import run_config
from ...fitting.summary import ERRORS, density

if TYPE_CHECKING:
    from xarray import DataTree

    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison

_DENSITY_POINTS = 200


def prior_posterior_data(fit: DataTree) -> pd.DataFrame:
    """Gather prior and posterior densities of mu, tau and sigma, and of a new disease's rate.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit with prior draws.

    Returns
    -------
    pandas.DataFrame
        `outcome, parameter` (`mu`, `tau`, `sigma` on the linear scale; `new_disease` as a
        probability; those that the pooling has), `group` (`prior`, `posterior`), `value, density`.
    """
    posterior, prior = fit["posterior"].to_dataset(), fit["prior"].to_dataset()
    made = []
    names = [n for n in ("mu", "tau", "sigma", "new_disease") if n in posterior and n in prior]
    for outcome in map(str, posterior["outcome"].to_numpy()):
        for name in names:
            pair = {
                group: data[name].sel(outcome=outcome).to_numpy().ravel()
                for group, data in (("prior", prior), ("posterior", posterior))
            }
            low, high = _support(name, pair)
            for group, draws in pair.items():
                value, height = _density(draws, low, high)
                if group == "prior":
                    height = _prior_density(fit, outcome, name, value, height)
                elif (known := density(fit, outcome, name)) is not None:
                    height = np.interp(value, known[1], known[2], left=0.0, right=0.0)
                about = {"outcome": outcome, "parameter": name, "group": group}
                made.append(pd.DataFrame({**about, "value": value, "density": height}))
    return pd.concat(made, ignore_index=True)


def _prior_density(
    fit: DataTree, outcome: str, name: str, value: np.ndarray, smoothed: np.ndarray
) -> np.ndarray:
    """Give the density of a prior as it was stated, or integrated; smoothed if it is a point."""
    config = run_config(fit)
    priors = PriorSet.from_dict(config["priors"])
    if name == "new_disease":
        described = {each["name"]: Outcome(**each) for each in config["model"]}[outcome]
        implied = implied_for_a_disease(priors, described, config["pooling"], config["diseases"])
        return implied.density_at(value)
    prior = getattr(priors.of(outcome), name)
    return smoothed if prior.fixed is not None else np.exp(prior.logpdf(value))


def _support(name: str, pair: Mapping[str, np.ndarray]) -> tuple[float, float]:
    if name == "new_disease":
        return 0.0, 1.0
    ends = np.quantile(np.concatenate(list(pair.values())), (0.002, 0.998))
    return (0.0 if name in ("tau", "sigma") else float(ends[0])), float(ends[1])


def _density(draws: np.ndarray, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """Smooth a histogram, mirrored at both ends so that a bound is no edge.

    References
    ----------
    Silverman, Density Estimation for Statistics and Data Analysis, 1986, doi
    10.1007/978-1-4899-3324-9 (bandwidth, section 3.4; reflection, section 2.10).
    """
    from scipy.ndimage import gaussian_filter1d

    counts, edges = np.histogram(draws, bins=_DENSITY_POINTS, range=(low, high))
    step = edges[1] - edges[0]
    spread = min(draws.std(), np.subtract(*np.quantile(draws, (0.75, 0.25))) / 1.34)
    bandwidth = max(0.9 * spread * len(draws) ** -0.2, step)
    smooth = gaussian_filter1d(counts.astype(float), bandwidth / step, mode="reflect")
    return edges[:-1] + step / 2, smooth / (len(draws) * step)


def prior_comparison_data(comparison: PriorComparison) -> pd.DataFrame:
    """Gather the rates under every prior set, the reference first.

    Parameters
    ----------
    comparison : PriorComparison
        What `compare_priors` found.

    Returns
    -------
    pandas.DataFrame
        One row a `set`, `outcome` and `disease`: `q2.5, q50, q97.5, shift` (of the mean, in
        posterior standard deviations under the reference), the error `mcse_…` or `_mcse` of each,
        `method, evidence`; probabilities.
    """
    frame = comparison.rates[comparison.rates["quantity"] == "rate"]
    columns = ["set", "outcome", "disease", "q2.5", "q50", "q97.5", *ERRORS, "shift", "shift_mcse"]
    return frame[[*columns, "method", "evidence"]].reset_index(drop=True)


def flip_map_data(comparison: PriorComparison, outcome: str) -> pd.DataFrame:
    """Gather the map of priors on which a conclusion about one outcome depends.

    Parameters
    ----------
    comparison : PriorComparison
        What `compare_priors` found with a threshold.
    outcome : str
        An outcome of it.

    Returns
    -------
    pandas.DataFrame
        One row a `disease`, `mu` and `tau_scale`: `probability` of the conclusion that the rate
        lies `direction` (`above`, `below`) of `threshold`, its `mcse`, `distance` of the prior from
        the reference, `evidence`, and `wanted`, the probability that is enough; no rows without a
        threshold or under a pooling without tau.
    """
    frame = comparison.flip_map
    columns = ["outcome", "disease", "mu", "tau_scale", "distance", "probability", "mcse"]
    asked = ["threshold", "direction", "wanted"]
    if frame.empty or outcome not in set(comparison.flips["outcome"]):
        return pd.DataFrame(columns=[*columns, "evidence", *asked])
    own = comparison.flips[comparison.flips["outcome"] == outcome].iloc[0]
    frame = frame[(frame["outcome"] == outcome) & frame["tau_scale"].notna()]
    question = dict(zip(asked, own[["threshold", "direction", "confidence"]], strict=True))
    known = comparison.rates[comparison.rates["outcome"] == outcome]
    evidence = known.dropna(subset=["disease"]).drop_duplicates("disease")
    evidence = evidence.set_index("disease")["evidence"]
    about = {"evidence": frame["disease"].map(evidence), **question}
    return frame[columns].assign(**about).reset_index(drop=True)


def power_scaling_data(comparison: PriorComparison) -> pd.DataFrame:
    """Gather the power-scaling sensitivities of the reference; no rows for the exact engine."""
    return comparison.power_scaling.reset_index(drop=True)


def borrowing_data(borrowing: Borrowing) -> pd.DataFrame:
    """Gather what each disease's rate would be without each of the others.

    Parameters
    ----------
    borrowing : Borrowing
        What `borrowing` found.

    Returns
    -------
    pandas.DataFrame
        One row an `outcome`, `disease` and disease `left_out`: `change` of the mean rate in
        posterior standard deviations, `change_mcse`, `method`.
    """
    frame = borrowing.influence[borrowing.influence["kind"] == "disease"]
    columns = ["outcome", "disease", "left_out", "change", "change_mcse", "method"]
    return frame[columns].reset_index(drop=True)
