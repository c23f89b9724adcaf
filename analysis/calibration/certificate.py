"""The certificate of a version: what was simulated, how often engines and guard were right."""

from __future__ import annotations

import platform
from datetime import date
from importlib import metadata
from typing import TYPE_CHECKING

import numpy as np

from ...data.evidence import load_evidence
from ...data.names import numbered
from .error_rates import table
from .uniformity import FAMILY_WISE

if TYPE_CHECKING:
    import pandas as pd

#: Simulations of each engine, and data sets of the guard, that a certificate is to rest on.
WANTED_SIMULATIONS, WANTED_SETS = 1000, 2000
_VERSIONS = ("mscpool", "numpy", "scipy", "pymc", "nutpie", "arviz-stats")


def certificate(rates: pd.DataFrame, uniform: pd.DataFrame, seed: int, day: date) -> str:
    """Write the certificate: everything on it follows from versions, seed and sets alone.

    Parameters
    ----------
    rates : pandas.DataFrame
        As `error_rates.error_rates` gives.
    uniform : pandas.DataFrame
        As `uniformity.judged` gives.
    seed : int
        Of the run.
    day : datetime.date
        When it was written.

    Returns
    -------
    str
        A page in Markdown.
    """
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in _VERSIONS)
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
        f"{FAMILY_WISE:.0%} over all quantities of the table (Säilynoja and others 2022, doi "
        "10.1007/s11222-022-10090-6).",
        "",
        "| engine | data sets | simulations | quantities | inside the band | least p |",
        "|---|---|---:|---:|---:|---:|",
        *_uniformity(uniform),
        "",
        "## How often does the guard err?",
        "",
        "Intervals are Wilson's, 95 %. Every fit is under the default priors.",
        "",
        table(rates),
        "",
    ]
    return "\n".join(lines)


def _extent(rates: pd.DataFrame, uniform: pd.DataFrame) -> list[str]:
    """Say how much was simulated, and whether that is as much as was wanted."""
    judged = int(rates["sets"].sum())
    # Those with a moderator are a tenth as many, as asked for: they are told in the table.
    most = uniform.groupby("engine")["sims"].max() if len(uniform) else {}
    engines = [(name, int(most.get(name, 0))) for name in ("exact", "nuts")]
    said = " and ".join(f"up to {numbered(n, 'simulation')} ({name})" for name, n in engines)
    lines = [
        f"For each kind of data sets it rests on {said}, and in all on "
        f"{numbered(judged, 'data set')} that the guard judged."
    ]
    if judged < WANTED_SETS or min(n for _, n in engines) < WANTED_SIMULATIONS:
        lines.append(
            f"**That is less than the {numbered(WANTED_SIMULATIONS, 'simulation')} of each engine "
            f"and the {numbered(WANTED_SETS, 'data set')} that a certificate is to rest on.**"
        )
    return lines


def _uniformity(uniform: pd.DataFrame) -> list[str]:
    """Sum up each kind of data sets in a row, and name below what is outside its band."""
    lines, outside = [], []
    for (engine, data), part in uniform.groupby(["engine", "data"], sort=False):
        inside, least = int(part["inside_band"].sum()), float(np.min(part["p_uniform"]))
        cells = (engine, data, f"{part['sims'].iloc[0]:,}", len(part), inside, f"{least:.2g}")
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} |")
        names = part.loc[~part["inside_band"], "parameter"]
        outside += [f"- {data} ({engine}): {name}" for name in names]
    return [*lines, *(["", "Outside their band:", "", *outside] if outside else [])]
