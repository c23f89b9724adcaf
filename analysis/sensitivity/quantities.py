"""The quantities of a comparison: rates with the studies behind them, and mu, tau and sigma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fitting.summary import support

if TYPE_CHECKING:
    import pandas as pd

    from ...data.evidence import Evidence
    from ...models.terms import Terms

RATE_QUANTITIES = ("rate", "new_study", "new_disease")

#: Columns of a rate in JSON, beside the set that it stands in.
RATE_COLUMNS = (
    "outcome", "disease", "quantity", "mean", "sd", "q2.5", "q50", "q97.5",
    "mcse_mean", "mcse_sd", "mcse_q2.5", "mcse_q50", "mcse_q97.5", "r_hat", "ess_bulk",
    "shift", "shift_mcse", "overlap", "overlap_mcse", "studies", "patients", "evidence", "method",
    "pareto_k",
)  # fmt: skip
HYPER_COLUMNS = ("outcome", "parameter", *RATE_COLUMNS[3:17], "method", "pareto_k")


def run_of(evidence: Evidence, pooling: str, engine: str, seed: int) -> dict[str, Any]:
    """Record what a comparison was made of."""
    return {
        "data_sha256": evidence.sha256,
        "pooling": pooling,
        "engine": engine,
        "seed": seed,
    }


def split_quantities(
    table: pd.DataFrame, methods: pd.DataFrame, terms: Terms
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part a table of every quantity into rates, with the studies behind them, and the rest."""
    ran = methods.set_index(["set", "outcome"])["max_r_hat"]
    ran = ran.where(methods.set_index(["set", "outcome"])["method"] == "refit")
    keys = list(zip(table["set"], table["outcome"], strict=True))
    table = table.assign(r_hat=ran.reindex(keys).to_numpy()).rename(columns={"ess": "ess_bulk"})
    is_rate = table["quantity"].isin(RATE_QUANTITIES)
    rates = table[is_rate].reset_index(drop=True)
    rates = rates.join(support(rates, terms))[["set", *RATE_COLUMNS]]
    hyper = table[~is_rate].rename(columns={"quantity": "parameter"}).reset_index(drop=True)
    return rates, hyper[["set", *HYPER_COLUMNS]]
