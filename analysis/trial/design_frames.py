"""What the trial designer's figures draw, as tidy frames: columns x, value, series."""

import numpy as np
import pandas as pd

from ...models.rate_prior import AnyPrior, RatePrior
from .operating import Rule
from .requests import DesignResult

RATES = np.round(np.arange(0.0, 1.0001, 0.005), 3)
BINS = 40


def size_frame(result: DesignResult) -> pd.DataFrame:
    """Return assurance and power against patients, of a single-arm or two-arm result."""
    table = result.table
    n = table["n"] if "n" in table else table["n_experimental"] + table["n_control"]
    parts = []
    for name in table.columns:
        if not name.startswith(("assurance", "power")) or table[name].isna().all():
            continue
        words = name if "_" not in name else f"power at {100 * float(name[6:]):g} %"
        parts.append(pd.DataFrame({"x": n, "value": table[name], "series": words}))
    return pd.concat(parts, ignore_index=True)


def operating_frame(result: DesignResult, n: int | None = None) -> pd.DataFrame:
    """Return the chance of success of a single-arm result over the true rate.

    Parameters
    ----------
    result : DesignResult
        Of `single_arm`.
    n : int, optional
        The size; by default the recommended, or where there is none the largest.
    """
    rows = {row["n"]: row for row in result.answer["table"]}
    n = n or result.answer["recommended_n"] or max(rows)
    request = result.request
    rule = Rule(request["null"], direction=request["direction"])
    success = rule.probability(rows[n]["critical"], n, RATES)
    return pd.DataFrame({"x": RATES, "value": success, "series": f"success, {n} patients"})


def type1_frame(result: DesignResult, series: str = "type I error") -> pd.DataFrame:
    """Return the type I error of a two-arm result over the control rate."""
    assert result.operating is not None
    margin = result.request["margin"]
    own = result.operating
    own = own[np.isclose(own["experimental"] - own["control"], margin)]
    return pd.DataFrame({"x": own["control"], "value": own["success"], "series": series})


def boundary_frame(result: DesignResult) -> pd.DataFrame:
    """Return the boundaries of a safety or monitoring result over accrual."""
    parts = [
        pd.DataFrame(
            {
                "x": result.table["n"],
                "value": result.table[name].astype(float),
                "series": name.replace("_", " "),
            }
        )
        for name in result.table.columns
        if name != "n" and result.table[name].notna().any()
    ]
    if not parts:
        return pd.DataFrame(columns=["x", "value", "series"])
    return pd.concat(parts, ignore_index=True)


def prior_frame(design: AnyPrior, analysis: AnyPrior) -> pd.DataFrame:
    """Return the densities of both priors; drawn rates as a histogram's."""
    inner = RATES[1:-1]
    parts = [("design prior", design), ("analysis prior", analysis)]
    frames = []
    for name, prior in parts:
        if isinstance(prior, RatePrior):
            x, density = inner, prior.density(inner)
        else:
            share, edges = np.histogram(
                prior.rates, BINS, (0.0, 1.0), weights=prior.weights, density=True
            )
            x, density = (edges[1:] + edges[:-1]) / 2, share
        frames.append(pd.DataFrame({"x": x, "value": density, "series": name}))
    return pd.concat(frames, ignore_index=True)


def ending_frame(result: DesignResult) -> pd.DataFrame:
    """Return the chance of every ending over the true rates of a safety or monitoring result.

    Ask for the design with a grid of rates (`power_at=RATES[1:-1]`) to draw it.
    """
    assert result.operating is not None
    endings = result.operating.drop(columns="expected_n").melt("rate")
    endings.columns = ["x", "series", "value"]
    return endings[["x", "value", "series"]]
