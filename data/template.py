"""Tables to fill in, and tables as they were understood."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .entries import ARMS
from .evidence import Evidence
from .export import write_csv, write_whole
from .outcomes import outcome

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

#: What each column of a single table is, as a workbook tells it beside the header.
_MEANINGS = {
    "study": "Name of the study. A study has one disease.",
    "disease": "Any name, the same for the same disease.",
    "arm": f"One of {', '.join(ARMS)}.",
    "outcome": "What was counted.",
    "events": "Patients who had the outcome: a whole number, no percentage.",
    "events_min": "At least so many patients had the outcome.",
    "events_max": "At most so many patients had the outcome.",
    "n": "Patients looked at.",
    "months": "Follow-up in months.",
}
_ROWS_TO_FILL = 1_000


def template_columns(outcomes: Sequence[str], bounds: bool = False) -> list[str]:
    """Name the columns of a table to fill in.

    Parameters
    ----------
    outcomes : sequence of str
        What will be counted; one of the dictionary that is timed needs months.
    bounds : bool
        Whether counts are only known between two numbers.

    Returns
    -------
    list of str
    """
    events = ["events_min", "events_max"] if bounds else ["events"]
    timed = ["months"] if any(outcome(name).timed for name in outcomes) else []
    return ["study", "disease", "arm", "outcome", *events, "n", *timed]


def write_template(path: Path, outcomes: Sequence[str], bounds: bool = False) -> None:
    """Write a table to fill in.

    Parameters
    ----------
    path : Path
        A workbook, with lists of what a cell may hold, where it ends with `.xlsx`; else a CSV file
        with a header alone.
    outcomes : sequence of str
        What will be counted.
    bounds : bool
        Whether counts are only known between two numbers.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    columns = template_columns(outcomes, bounds)
    if path.suffix.lower() != ".xlsx":
        write_csv(pd.DataFrame(columns=columns), path)
        return
    from openpyxl import Workbook
    from openpyxl.comments import Comment
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "counts"
    sheet.append(columns)
    sheet.freeze_panes = "A2"
    for place, column in enumerate(columns, start=1):
        sheet.cell(1, place).comment = Comment(_MEANINGS[column], "mscpool")
        sheet.column_dimensions[get_column_letter(place)].width = 14
    _restrict(sheet, columns, outcomes)
    stream = io.BytesIO()
    book.save(stream)
    write_whole(stream.getvalue(), path)


def _restrict(sheet: Worksheet, columns: list[str], outcomes: Sequence[str]) -> None:
    """Let a spreadsheet refuse what the reader would refuse."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    letters = {name: get_column_letter(place) for place, name in enumerate(columns, start=1)}

    def restrict(column: str, told: str, **rule: Any) -> None:
        validation = DataValidation(showErrorMessage=True, error=told, allow_blank=True, **rule)
        validation.add(f"{letters[column]}2:{letters[column]}{_ROWS_TO_FILL + 1}")
        sheet.add_data_validation(validation)

    restrict("arm", _MEANINGS["arm"], type="list", formula1=f'"{",".join(ARMS)}"')
    names = ",".join(outcomes)
    # A list within a rule holds 255 characters.
    if outcomes and len(names) < 250 and '"' not in names:
        told = f"One of {names.replace(',', ', ')}."
        restrict("outcome", told[:225], type="list", formula1=f'"{names}"')
    for column in columns:
        if column.startswith("events"):
            rule = {"operator": "between", "formula1": "0", "formula2": f"{letters['n']}2"}
            restrict(column, _MEANINGS[column], type="whole", **rule)
    for column, kind in (("n", "whole"), ("months", "decimal")):
        if column in letters:
            least = {"operator": "greaterThan", "formula1": "0"}
            restrict(column, _MEANINGS[column], type=kind, **least)


def write_understood(evidence: Evidence, path: Path) -> None:
    """Write a single table as it was understood, with plain names, commas and points, in UTF-8.

    Parameters
    ----------
    evidence : Evidence
        Read from a single table.
    path : Path
        The CSV file to write.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    rows = evidence.outcomes
    exact = rows["events_min"].eq(rows["events_max"]).all()
    columns = template_columns((), bounds=not exact)
    columns += ["months"] if rows["months"].notna().any() else []
    write_csv(rows.assign(events=rows["events_min"])[columns], path)
