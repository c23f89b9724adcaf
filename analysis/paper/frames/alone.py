"""Rates that move because an outcome is also learnt from rows of the one nested in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ....data.outcomes import PARENTS
from .results import Results, rates_of

if TYPE_CHECKING:
    from ....models.exact.outcomes import ExactFit

#: Change of a median that is told.
LEAST_MOVE = 0.05

_STATISTICS = ["q50", "q2.5", "q97.5"]
_ERRORS = [f"mcse_{q}" for q in _STATISTICS]


def moved_by_nested(results: Results) -> pd.DataFrame:
    """Compare rates with those from the outcome's own rows alone, integrated exactly.

    A study that counted the nested outcome and not the outer one says of that, too, that it is no
    rarer, and how often other studies' share of the two would let it be.

    Parameters
    ----------
    results : Results
        A fit.

    Returns
    -------
    pandas.DataFrame
        One row a rate whose median moves by `LEAST_MOVE` or more: ``outcome, nested, disease``,
        ``q50, q2.5, q97.5`` as reported with their errors ``mcse_…``, and the same with
        ``_alone``; probabilities.
    """
    numbers = [*_STATISTICS, *_ERRORS]
    columns = ["outcome", "nested", "disease", *numbers, *(f"{name}_alone" for name in numbers)]
    frames = [pd.DataFrame(columns=columns)]
    for child, parent in PARENTS.items():
        # Rates where moderators stand do not compare with those without.
        if results.integrated is None or parent not in results.outcomes:
            continue
        if _counted_without(results.evidence.rows, child, parent):
            frame = _compared(results, results.integrated, parent).assign(nested=child)
            frames.append(frame[columns])
    return pd.concat([each for each in frames if len(each)] or frames, ignore_index=True)


def _counted_without(rows: pd.DataFrame, child: str, parent: str) -> bool:
    """Whether studies counted the nested outcome where they did not count the outer one."""
    keys = ["study", "arm", "n"]
    inner, outer = (rows.loc[rows["outcome"] == name, keys] for name in (child, parent))
    known = set(map(tuple, outer.to_numpy().tolist()))
    return len(outer) > 0 and any(tuple(row) not in known for row in inner.to_numpy().tolist())


def _compared(results: Results, integrated: ExactFit, parent: str) -> pd.DataFrame:
    rates = [
        frame.loc[
            (frame["outcome"] == parent) & (frame["quantity"] == "rate"),
            ["outcome", "disease", *_STATISTICS, *_ERRORS],
        ]
        # An integral of the outer outcome takes in its own rows alone.
        for frame in (rates_of(results), integrated.rates())
    ]
    both = rates[0].merge(rates[1], on=["outcome", "disease"], suffixes=("", "_alone"))
    return both[(both["q50"] - both["q50_alone"]).abs() >= LEAST_MOVE]
