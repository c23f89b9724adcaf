"""What the figures of priors and of borrowing show, gathered into tidy frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from ..robustness.borrowing import Borrowing
    from ..sensitivity import PriorComparison


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
        posterior standard deviations under the reference), `method, evidence`; probabilities.
    """
    frame = comparison.rates[comparison.rates["quantity"] == "rate"]
    columns = ["set", "outcome", "disease", "q2.5", "q50", "q97.5", "shift", "method", "evidence"]
    return frame[columns].reset_index(drop=True)


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
        the reference, and `wanted`, the probability that is enough; no rows without a threshold or
        under a pooling without tau.
    """
    frame = comparison.flip_map
    columns = ["outcome", "disease", "mu", "tau_scale", "distance", "probability", "mcse"]
    asked = ["threshold", "direction", "wanted"]
    if frame.empty or outcome not in set(comparison.flips["outcome"]):
        return pd.DataFrame(columns=[*columns, *asked])
    own = comparison.flips[comparison.flips["outcome"] == outcome].iloc[0]
    frame = frame[(frame["outcome"] == outcome) & frame["tau_scale"].notna()]
    question = dict(zip(asked, own[["threshold", "direction", "confidence"]], strict=True))
    return frame[columns].assign(**question).reset_index(drop=True)


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
