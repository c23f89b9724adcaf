"""What tells whether an engine's numbers may be relied on, and what it must reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

#: What every reported quantity must reach: a fit with too few effective draws is sampled once
#: more, and the guard warns of what is then still missed ...
LARGEST_R_HAT, LEAST_EFFECTIVE_DRAWS = 1.01, 400
LARGEST_DIVERGENT_SHARE, LEAST_E_BFMI = 0.001, 0.3
#: ... and what no inference survives: chains that disagree, or too few draws for any interval.
FAILING_R_HAT, FAILING_EFFECTIVE_DRAWS = 1.05, 100
FAILING_DIVERGENT_SHARE, FAILING_E_BFMI = 0.02, 0.1
#: Integrals less exact than draws would be.
FAILING_NUMERICAL_ERROR = 0.01

#: Pareto k from which on importance weights are not trusted (Vehtari and others 2024,
#: jmlr.org/papers/v25/19-556.html).
LARGEST_PARETO_K = 0.7

#: Worst values over everything reported, kept as attributes of the group ``hyper``: of sampling,
#: and of the exact engine's integrals.
DIAGNOSTICS = (
    *("max_r_hat", "min_ess_bulk", "min_ess_tail", "divergences", "e_bfmi"),
    "numerical_error",
)


def diagnostics(fit: DataTree) -> dict[str, float | int | None]:
    """Give the worst diagnostics over everything reported; null those of the other engine."""
    worst = fit["hyper"].attrs
    return {
        name: None if np.isnan(worst[name]) else np.asarray(worst[name]).item()
        for name in DIAGNOSTICS
    }


def worst_diagnostics(table: pd.DataFrame, tails: pd.Series, stats: xr.Dataset) -> dict[str, float]:
    """Find the worst diagnostics over the reported quantities that vary."""
    from arviz_stats import sampling_diagnostics

    energy = sampling_diagnostics.bfmi(stats)["energy"].min()
    return {
        "max_r_hat": float(table["r_hat"].max()),
        "min_ess_bulk": float(table["ess_bulk"].min()),
        "min_ess_tail": float(tails.min()),
        "divergences": int(stats["diverging"].sum()),
        "e_bfmi": float(energy),
        "numerical_error": np.nan,
    }
