"""Tables of effects in the tree that is stored, and read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from xarray import DataTree

_WHOLE_NUMBERS = (
    *("studies", "patients", "treated_studies"),
    *("treated_min", "treated_max", "treated_n", "control_min", "control_max", "control_n"),
)
_YES_OR_NO = ("randomised", "informs", "modelled")
_TRUTHS = {"yes": True, "no": False, "": None}


def storable(table: pd.DataFrame) -> pd.DataFrame:
    """Turn truths into words and whole numbers into what has a missing value."""
    table = table.copy()
    words = {value: word for word, value in _TRUTHS.items()}
    for name in _YES_OR_NO:
        if name in table:
            table[name] = [words[None if value is None else bool(value)] for value in table[name]]
    for name in _WHOLE_NUMBERS:
        if name in table:
            table[name] = table[name].astype("Float64").to_numpy(float, na_value=np.nan)
    return table


def read(made: DataTree, group: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table of stored effects; no rows where they have none of that name."""
    if group not in made.children:
        return pd.DataFrame(columns=list(columns))
    dataset = made[group].to_dataset()
    table = pd.DataFrame({name: dataset[name].to_numpy() for name in columns})
    for name in ("disease", "evidence"):
        if name in table:
            table[name] = table[name].astype(object).where(table[name] != "", None)
    for name in _YES_OR_NO:
        if name in table:
            table[name] = table[name].map(_TRUTHS).astype(object)
    for name in _WHOLE_NUMBERS:
        if name in table:
            table[name] = table[name].astype("Int64")
    return table
