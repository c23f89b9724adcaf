"""Whether places of the truth in posteriors are uniform, as those of a sound engine are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import kstest

from .band import band

#: Probability that every judged quantity of a sound engine stays within its band.
FAMILY_WISE = 0.95
#: Draws among which a quantity without a distribution function is ranked.
RANKED = 99
COLUMNS = ("parameter", "sims", "p_uniform", "inside_band", "tells")


def place(truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Rank the truth among independent draws.

    Parameters
    ----------
    truth : numpy.ndarray, shape (...)
        True values.
    draws : numpy.ndarray, shape (draw, ...)
        Draws of the posterior.

    Returns
    -------
    numpy.ndarray, shape (...)
        (rank + 0.5) / (draws + 1).
    """
    return ((draws < truth).sum(axis=0) + 0.5) / (len(draws) + 1)


@dataclass(frozen=True, eq=False)
class Places:
    """Where the truth lay in the posteriors of one engine.

    Attributes
    ----------
    engine : {"exact", "nuts"}
        Whose posteriors they are.
    data : str
        What kind of data sets.
    places : pandas.DataFrame
        One row a data set, one column a quantity; 0 to 1.
    """

    engine: str
    data: str
    places: pd.DataFrame


def judged(found: Sequence[Places]) -> pd.DataFrame:
    """Judge all that was simulated, family-wise.

    Returns
    -------
    pandas.DataFrame
        As `uniformity`, with ``engine`` and ``data`` before: of sound engines all quantities of all
        rows are inside their bands in at least 95 of 100 runs.
    """
    family = sum(each.places.shape[1] for each in found)
    tables = [pd.DataFrame(columns=["engine", "data", *COLUMNS]).astype({"inside_band": bool})]
    for each in found:
        table = uniformity(each.places, family)
        table.insert(0, "data", each.data)
        table.insert(0, "engine", each.engine)
        tables.append(table)
    return pd.concat(tables[1:] or tables, ignore_index=True)


def uniformity(places: pd.DataFrame, family: int | None = None) -> pd.DataFrame:
    """Judge whether places are uniform, every quantity by a simultaneous band of its ECDF.

    The band is judged where ranks among `RANKED` draws can lie, so that places that are ranks and
    places that are continuous are held to the same.

    Parameters
    ----------
    places : pandas.DataFrame
        One row a data set, one column a quantity: places in the posterior, 0 to 1.
    family : int, optional
        Quantities that are judged together, if more than these.

    Returns
    -------
    pandas.DataFrame
        One row a quantity: ``parameter, sims, p_uniform`` (Kolmogorov and Smirnov's),
        ``inside_band``; all quantities of a sound engine are inside in 95 of 100 runs; and
        ``tells``: whether the band excludes something at every point, as none of few sets does.

    References
    ----------
    Säilynoja, Bürkner and Vehtari 2022, doi 10.1007/s11222-022-10090-6.
    """
    points, low, high = _band(len(places), family or places.shape[1])
    rows, tells = [], bool(((low > 0) | (high < 1)).all())
    for name, values in places.items():
        ecdf = _ecdf(values, points)
        inside = bool(((ecdf >= low) & (ecdf <= high)).all())
        p = float(kstest(values, "uniform").pvalue)
        rows.append((name, len(places), p, inside, tells))
    return pd.DataFrame(rows, columns=COLUMNS)


def curves(found: Sequence[Places]) -> pd.DataFrame:
    """Give the ECDFs that `judged` judges, and their bands, as they are drawn.

    Parameters
    ----------
    found : sequence of Places
        All that is judged together.

    Returns
    -------
    pandas.DataFrame
        One row an ``engine``, ``data``, ``parameter`` and ``place``: ``sims``, ``inside_band`` of
        the quantity; the ``difference`` of its ECDF from the place, and ``low`` and ``high``, the
        band's ends less the place.
    """
    verdicts = iter(judged(found)["inside_band"])
    family = sum(one.places.shape[1] for one in found)
    tables = []
    for one in found:
        points, low, high = _band(len(one.places), family)
        ends = {"place": points, "low": low - points, "high": high - points}
        about = {"engine": one.engine, "data": one.data, "sims": len(one.places)}
        for name, values in one.places.items():
            told = about | {"parameter": name, "inside_band": next(verdicts)}
            difference = _ecdf(values, points) - points
            tables.append(pd.DataFrame({**told, **ends, "difference": difference}))
    return pd.concat(tables, ignore_index=True)


def _band(sims: int, family: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return band(sims, FAMILY_WISE ** (1 / family), RANKED)


def _ecdf(values: pd.Series, points: np.ndarray) -> np.ndarray:
    return np.searchsorted(np.sort(values), points, side="right") / len(values)
