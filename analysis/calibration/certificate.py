"""The certificate of a version: what was simulated, how often engines and guard were right."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import date
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.evidence import load_evidence
from ...data.names import numbered
from ..guard.shares import cells_of
from ..workers.workers import VERSIONED
from .calibrate import MODERATED
from .error_rates import table
from .uniformity import FAMILY_WISE

if TYPE_CHECKING:
    import pandas as pd

#: Simulations of each kind of data, and data sets of the guard, that a certificate is to rest on.
WANTED_SIMULATIONS, WANTED_MODERATED, WANTED_SETS = 1000, 100, 2000
_PICTURE = (
    "![The ECDF of each quantity's places less that of uniform ones, a panel a kind of data sets, "
    "with the band that judges it](sbc.png)"
)


def certificate(
    rates: pd.DataFrame, uniform: pd.DataFrame, noticed: pd.DataFrame, seed: int, day: date
) -> str:
    """Write the certificate: but for the day it follows from versions, evidence, seed and sets.

    Parameters
    ----------
    rates : pandas.DataFrame
        As `error_rates.error_rates` gives.
    uniform : pandas.DataFrame
        As `uniformity.judged` gives.
    noticed : pandas.DataFrame
        As `faults.power` gives.
    seed : int
        Of the run.
    day : datetime.date
        When it was written.

    Returns
    -------
    str
        A page in Markdown.
    """
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in VERSIONED)
    lines = [
        "# Certificate",
        "",
        f"Written on {day.isoformat()} by `mscpool calibrate --certificate`, from seed {seed}, "
        f"with {versions}, Python {platform.python_version()}. The shipped evidence has the sha256 "
        f"`{load_evidence().sha256}`.",
        "",
        *_extent(rates, uniform),
        "",
        "## Do posteriors hold the truth as often as they say?",
        "",
        "Parameters are drawn from the priors and data from the parameters; the truth must lie "
        f"uniformly in the posteriors. Each quantity is judged by a simultaneous band of its ECDF, "
        f"{100 * FAMILY_WISE:.0f} % over all quantities of the table (Säilynoja and others 2022, "
        "doi 10.1007/s11222-022-10090-6).",
        "",
        "| engine | data sets | simulations | quantities | inside the band | least p |",
        "|---|---|---:|---:|---:|---:|",
        *_uniformity(uniform),
        *([] if uniform.empty else ["", _PICTURE]),
        "",
        "## Would a fault of an engine be noticed?",
        "",
        "Faults are planted in the exact engine one at a time, and judged as if they stood in the "
        "table above: in what share of runs of so many simulations is any quantity outside its "
        "band? Intervals are Wilson's, 95 %.",
        "",
        "| fault | data sets | simulations of a run | runs | noticed | 95 % interval |",
        "|---|---|---:|---:|---:|---|",
        *(_noticed(row) for row in noticed.to_dict("records")),
        "",
        "## How often does the guard err?",
        "",
        "Intervals are Wilson's, 95 %. Every fit is under the default priors; but baselines of "
        "effects have N(-0.5, 1) in place of N(0, 10²): rates as they occur, rather than any.",
        "",
        table(rates),
        "",
    ]
    return "\n".join(lines)


def _noticed(row: Mapping[Any, Any]) -> str:
    cells = (row["fault"], row["data"], f"{row['sims']:,}", row["runs"], cells_of(row, "noticed"))
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def _extent(rates: pd.DataFrame, uniform: pd.DataFrame) -> list[str]:
    """Say how much was simulated, and whether that is as much as was wanted."""
    judged = int(rates["sets"].sum())
    sims = uniform.groupby("data", sort=False)["sims"].first()
    wanted = [WANTED_MODERATED if data == MODERATED else WANTED_SIMULATIONS for data in sims.index]
    short = int((sims < wanted).sum())
    lines = [
        f"The guard judged {numbered(judged, 'data set')}; how many simulations stand behind each "
        "kind of data is in the first table."
    ]
    if short or sims.empty or judged < WANTED_SETS:
        lines.append(
            f"**A certificate is to rest on {numbered(WANTED_SIMULATIONS, 'simulation')} of each "
            f"kind ({WANTED_MODERATED} with a moderator) and on "
            f"{numbered(WANTED_SETS, 'judged data set')}. Too few are those of {short} of "
            f"{numbered(len(sims), 'kind')}"
            + (", and those that were judged.**" if judged < WANTED_SETS else ".**")
        )
    return lines


def _uniformity(uniform: pd.DataFrame) -> list[str]:
    """Sum up each kind of data sets in a row, and name below what is outside its band."""
    lines, outside = [], []
    for (engine, data), part in uniform.groupby(["engine", "data"], sort=False):
        inside, least = str(part["inside_band"].sum()), float(np.min(part["p_uniform"]))
        if not part["tells"].all():
            inside = "too few to tell"
        cells = (engine, data, f"{part['sims'].iloc[0]:,}", len(part), inside, f"{least:.2g}")
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
        names = part.loc[~part["inside_band"], "parameter"]
        outside += [f"- {data} ({engine}): {name}" for name in names]
    return [*lines, *(["", "Outside their band:", "", *outside] if outside else [])]
