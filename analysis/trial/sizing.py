"""Which number of patients is recommended: what set it, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .request import Wanted
from .result import smallest_lasting

# Standard errors on either side of an average that leave 95 % of a normal distribution.
REACH = 1.959964


@dataclass(frozen=True)
class Size:
    """The recommended number of patients.

    Parameters
    ----------
    recommended_n : int or None
        The smallest number from which on every one in range reaches all that is wanted.
    wanted : Wanted
        The probabilities that were required.
    needed : dict of str to int or None
        The same number for each of them alone.
    set_by : str or None
        Which of them set the number; ``n_min`` where the smallest number in range suffices.
    smallest_n : int or None
        The smallest number that reaches them, though a larger one may not: exact probabilities
        rise in a sawtooth.
    recommended_n_type1 : int or None
        The smallest from the recommended number on whose type I error is also what was asked.
    recommended_n_interval : (int, int or None) or None
        Between which numbers (95 %) the Monte-Carlo error of a drawn design prior leaves the
        recommended one; no upper end where that is beyond the range.
    """

    recommended_n: int | None
    wanted: Wanted
    needed: dict[str, int | None]
    set_by: str | None
    smallest_n: int | None
    recommended_n_type1: int | None
    recommended_n_interval: tuple[int, int | None] | None


def choose_size(
    sizes: Sequence[int],
    table: pd.DataFrame,
    columns: Mapping[str, str],
    wanted: Wanted,
    allowed: float,
) -> Size:
    """Choose the recommended number of patients.

    Parameters
    ----------
    sizes : sequence of int
        In range, one a row of the table.
    table : DataFrame
        With the probabilities, and of an assurance averaged over draws its Monte-Carlo error.
    columns : mapping of str to str
        Where assurance, power and type1 stand.
    wanted : Wanted
        What a size must reach.
    allowed : float
        The type I error that was asked for.
    """
    values = {name: table[columns[name]].to_numpy(float) for name in wanted.named}
    reached = {name: values[name] >= bound for name, bound in wanted.named.items()}
    if not reached:
        return Size(None, wanted, {}, None, None, None, None)
    suffices = np.all(list(reached.values()), axis=0)
    recommended = smallest_lasting(sizes, suffices)
    needed = {name: smallest_lasting(sizes, own) for name, own in reached.items()}
    kept = table[columns["type1"]].to_numpy(float) <= allowed
    return Size(
        recommended,
        wanted,
        needed,
        _set_by(recommended, needed, sizes[0]),
        _first(sizes, suffices),
        None if recommended is None else _first(sizes, kept & (np.array(sizes) >= recommended)),
        _interval(sizes, table, columns["assurance"], wanted, reached),
    )


def _set_by(recommended: int | None, needed: Mapping[str, int | None], first: int) -> str | None:
    if recommended is None:
        return None
    if recommended == first:
        return "n_min"
    return next(name for name, n in needed.items() if n == recommended)


def _first(sizes: Sequence[int], suffices: np.ndarray) -> int | None:
    places = np.flatnonzero(suffices)
    return int(sizes[places[0]]) if places.size else None


def _interval(
    sizes: Sequence[int],
    table: pd.DataFrame,
    column: str,
    wanted: Wanted,
    reached: Mapping[str, np.ndarray],
) -> tuple[int, int | None] | None:
    """Return between which numbers the error of the assurance leaves the recommended one.

    The errors at neighbouring sizes come of the same draws: the whole curve moves with them.
    """
    if wanted.assurance is None or f"{column}_mcse" not in table:
        return None
    assurance, error = table[column].to_numpy(float), table[f"{column}_mcse"].to_numpy(float)
    powered = reached.get("power", True)
    low, high = (
        smallest_lasting(sizes, powered & (assurance + side * REACH * error >= wanted.assurance))
        for side in (1, -1)
    )
    return None if low is None else (low, high)
