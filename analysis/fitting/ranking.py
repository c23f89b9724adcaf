"""Which of several numbers may be called the largest, given their errors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

#: Errors beyond which a number is told apart from another.
CERTAIN = 2.0


def leaders(
    frame: pd.DataFrame, column: str, error: str, largest: bool = True
) -> list[dict[Any, Any]]:
    """Pick the row with the largest number, and those that may have a larger one.

    Parameters
    ----------
    frame : DataFrame
        At least one row.
    column, error : str
        Names of the number and of its standard error; a missing error counts as none.
    largest : bool
        False for the smallest.

    Returns
    -------
    list of dict
        The row with the largest number, then, in order, every row that is within `CERTAIN`
        errors of the difference.
    """
    sign = 1.0 if largest else -1.0
    ordered = frame.sort_values(column, ascending=not largest, kind="stable")
    values = sign * ordered[column].to_numpy(float)
    errors = np.nan_to_num(ordered[error].to_numpy(float))
    near = values[0] - values <= CERTAIN * np.hypot(errors[0], errors)
    near[0] = True
    return ordered[near].to_dict("records")
