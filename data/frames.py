"""Data frames as tables of texts, so that one reader serves files and frames."""

from __future__ import annotations

import datetime
import numbers
from typing import Any

import pandas as pd

from .cells import Grid


def frame_grid(frame: pd.DataFrame) -> Grid:
    """Lay a data frame out as its cells would stand in a file.

    Parameters
    ----------
    frame : DataFrame
        A table of counts; an index with a name is a column.

    Returns
    -------
    Grid
        The header is line 1; problems name the row by its label.
    """
    labels = [str(label) for label in frame.index]
    if frame.index.names != [None]:
        frame = frame.reset_index()
    rows = [[as_text(value) for value in row] for row in frame.itertuples(index=False, name=None)]
    header = [str(column) for column in frame.columns]

    def cell_name(line: int, place: int) -> str:
        return "columns" if line == 1 else f"row {labels[line - 2]}"

    numbered = [(line, row) for line, row in enumerate(rows, start=2) if any(row)]
    return Grid([(1, header), *numbered] if header else [], cell_name)


def as_text(value: Any) -> str:
    """Write one value of a data frame or a workbook as it would stand in a text file.

    Parameters
    ----------
    value : object
        A number, text, date, truth value, or nothing.

    Returns
    -------
    str
        '' for nothing; a whole number without a decimal point; a date as 2020-12-31.
    """
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return str(bool(value)).upper()
    if isinstance(value, numbers.Real):
        number = float(value)
        if number != number:
            return ""
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value).strip()
