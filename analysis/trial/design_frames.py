"""What the trial designer's figures draw, as tidy frames: columns x, value, series (and panel)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special

from ...models.rates.prior import AnyPrior, WeightedRates
from .operating import Analysis
from .result import DesignResult

RATES = np.round(np.arange(0.0, 1.0001, 0.005), 3)
# Densities are steepest next to 0 and 1, where these points lie closest.
INNER = np.sin(np.linspace(0, np.pi / 2, 402)[1:-1]) ** 2
SMALLEST = 1e-6
CRITERIA = {"acc": "average coverage", "alc": "average length", "woc": "worst outcome"}
DEFINITIONS = {
    "elir": "ELIR",
    "moment": "moment",
    "morita": "Morita",
}
SIZES = 40
# Endings that a design may not have.
EARLY = ("clear", "futility", "efficacy")


def size_frame(result: DesignResult) -> pd.DataFrame:
    """Return assurance and power against patients, of a single-arm or two-arm result."""
    table = result.table
    n = table["n"] if "n" in table else table["n_experimental"] + table["n_control"]
    parts = []
    for name in table.columns:
        if not name.startswith(("assurance", "power")) or name.endswith("_mcse"):
            continue
        if table[name].isna().all():
            continue
        words = name if "_" not in name else f"power at {100 * float(name[6:]):g} %"
        parts.append(pd.DataFrame({"x": n, "value": table[name], "series": words}))
    return pd.concat(parts, ignore_index=True) if parts else _empty()


def _empty() -> pd.DataFrame:
    return pd.DataFrame(columns=["x", "value", "series"])


def ending_frame(result: DesignResult) -> pd.DataFrame:
    """Return the chance of every possible ending over the true rate: of the one-arm designs."""
    assert result.curve is not None
    curves = result.curve(RATES).drop(columns="expected_n", errors="ignore")
    never = [name for name in EARLY if name in curves and not curves[name].any()]
    endings = curves.drop(columns=never).melt("rate")
    endings.columns = ["x", "series", "value"]
    return endings[["x", "value", "series"]]


def type1_frame(result: DesignResult, series: str = "type I error") -> pd.DataFrame:
    """Return the type I error of a two-arm result over the control rate."""
    assert result.curve is not None
    own = result.curve(np.union1d(RATES, result.request.rates))
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
    return pd.concat(parts, ignore_index=True) if parts else _empty()


def prior_frame(priors: Mapping[str, AnyPrior | Analysis]) -> pd.DataFrame:
    """Return the densities of priors by name; of drawn rates a kernel estimate on the log-odds."""
    frames = [
        pd.DataFrame({"x": INNER, "value": density, "series": name})
        for name, prior in priors.items()
        if (density := _density(prior)) is not None
    ]
    return pd.concat(frames, ignore_index=True) if frames else _empty()


def _density(prior: AnyPrior | Analysis) -> np.ndarray | None:
    """Return the density at `INNER`; None of an analysis that has none to show."""
    if not isinstance(prior, WeightedRates):
        own = getattr(prior, "density", None)
        return None if own is None else own(INNER)
    from scipy.stats import gaussian_kde

    log_odds = special.logit(np.clip(prior.rates, SMALLEST, 1 - SMALLEST))
    estimate = gaussian_kde(log_odds, weights=prior.weights)
    return estimate(special.logit(INNER)) / (INNER * (1 - INNER))


def precision_frame(result: DesignResult) -> pd.DataFrame:
    """Return the criteria of a precision result against patients, from the smallest size on."""
    assert result.curve is not None
    first, last = result.request.n_min, result.request.n_max
    found = [n for n in result.answer.sizes.values() if n is not None]
    if len(found) == len(CRITERIA):
        last = min(last, 2 * max(found))
    sizes = np.unique([*np.geomspace(first, last, SIZES).round().astype(int), *found])
    frame = result.curve(sizes.tolist()).melt("n")
    frame.columns = ["x", "series", "value"]
    panel = np.where(frame["series"] == "acc", "coverage", "width")
    frame = frame.assign(panel=panel, series=frame["series"].map(CRITERIA))
    return frame[["panel", "x", "value", "series"]]


def stage_frame(result: DesignResult) -> pd.DataFrame:
    """Return success, early stop and expected patients of two-stage designs over the true rate."""
    assert result.curve is not None
    frame = result.curve(RATES).melt(["rate", "design"])
    frame.columns = ["x", "series", "panel", "value"]
    return frame[["panel", "x", "value", "series"]]


def ess_frame(result: DesignResult) -> pd.DataFrame:
    """Return the density of a prior, its mean and interval, and what it is worth."""
    prior = result.answer.worth
    marks = {"95 % from": prior.low, "mean": prior.mean, "to": prior.high}
    rates = [{"panel": "rate", "x": value, "series": name} for name, value in marks.items()]
    worth = [
        {"panel": "patients", "value": getattr(prior, name), "series": words}
        for name, words in DEFINITIONS.items()
    ]
    density = prior_frame(result.priors).assign(panel="density")
    frame = pd.concat([density, pd.DataFrame([*rates, *worth])], ignore_index=True)
    return frame[["panel", "x", "value", "series"]].astype({"x": float, "value": float})
