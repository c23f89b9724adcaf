"""Excel workbooks as tables of texts: what a sheet shows is what is read, or it is refused."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

from .cells import Grid, Problem
from .frames import as_text
from .mistakes import listed, shown
from .text_files import LARGEST_BYTES

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_ZIP = b"PK\x03\x04"
# A compound file: a workbook with a password, or one of before 2007.
_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LARGEST_SHEET = 2_000_000
# Zeros that a number is divided by for show: a comma after the last digit of its format.
_IN_THOUSANDS = re.compile(r"[0#?],+(?![0#?,])")


def is_workbook(raw: bytes) -> bool:
    """Tell whether a file is a workbook, also one that cannot be read here."""
    return raw.startswith((_ZIP, _COMPOUND))


def workbook_grid(raw: bytes, file: str, sheet: str | None, problems: list[Problem]) -> Grid | None:
    """Read one sheet of a workbook.

    Parameters
    ----------
    raw : bytes
        The file.
    file : str
        How messages call it.
    sheet : str or None
        The sheet; the only one with cells where None.
    problems : list of Problem
        Whatever is wrong is added to it.

    Returns
    -------
    Grid or None
        None where no sheet can be read.
    """
    book = _opened(raw, file, problems, computed=True)
    if book is None:
        return None
    chosen = _chosen(book, file, sheet, problems)
    if chosen is None:
        return None
    formulas = _opened(raw, file, problems, computed=False)
    assert formulas is not None
    before = len(problems)
    _complain_of_cells(chosen, formulas[chosen.title], file, problems)
    if len(problems) > before:
        return None
    rows = [
        (line, [_shown_text(cell) for cell in row])
        for line, row in enumerate(chosen.iter_rows(), start=1)
    ]

    def cell_name(line: int, place: int) -> str:
        return _name_of(chosen, line, place + 1)

    filled = [(line, cells) for line, cells in rows if any(cells)]
    return Grid(filled, cell_name, notes=_hidden(chosen, file))


def _opened(raw: bytes, file: str, problems: list[Problem], computed: bool) -> Workbook | None:
    """Open a workbook with computed values, or with its formulas; note what stands in the way."""
    wrong = ""
    if raw.startswith(_COMPOUND):
        wrong = "has a password, or is an old .xls: save it as .xlsx without a password"
    else:
        try:
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                unfolded = sum(part.file_size for part in archive.infolist())
                is_excel = "xl/workbook.xml" in archive.namelist()
        except zipfile.BadZipFile:
            wrong = "is damaged, or no workbook: save the table as .xlsx or CSV"
        else:
            if not is_excel:
                wrong = "is packed, but no Excel workbook: save the table as .xlsx or CSV"
            elif unfolded > LARGEST_BYTES:
                wrong = f"unfolds to more than {LARGEST_BYTES // 1_000_000} MB: is it a table?"
    if not wrong:
        from openpyxl import load_workbook

        try:
            return load_workbook(io.BytesIO(raw), data_only=computed)
        except Exception as error:  # whatever a damaged part breaks in the library
            told = " ".join(str(error).split())[:120]
            wrong = f"cannot be read as a workbook ({told}): save it anew as .xlsx"
    problems.append(Problem(file, 1, "file", wrong))
    return None


def _chosen(
    book: Workbook, file: str, sheet: str | None, problems: list[Problem]
) -> Worksheet | None:
    sheets = {each.title: each for each in book.worksheets}
    filled = [title for title, each in sheets.items() if _has_cells(each)]
    wrong = ""
    if sheet is not None and sheet not in sheets:
        wrong = f"has no sheet {shown(sheet)}; its sheets: {listed(sheets)}"
    elif sheet is None and len(filled) > 1:
        wrong = f"has {len(filled)} sheets with cells: name one with --sheet: {listed(filled)}"
    elif sheet is None and not filled:
        wrong = "is empty: a header and rows are needed"
    if not wrong:
        chosen = sheets[sheet or filled[0]]
        if chosen.max_row * chosen.max_column <= _LARGEST_SHEET:
            return chosen
        last = _name_of(chosen, chosen.max_row, chosen.max_column)
        wrong = f"has cells as far as {last}: remove those that are not of the table"
    problems.append(Problem(file, 1, "file", wrong))
    return None


def _has_cells(sheet: Worksheet) -> bool:
    return sheet.max_row > 1 or sheet.max_column > 1 or sheet["A1"].value is not None


def _complain_of_cells(
    sheet: Worksheet, formulas: Worksheet, file: str, problems: list[Problem]
) -> None:
    """Complain of merged cells, and of formulas whose values nobody has computed."""
    for merged in sheet.merged_cells.ranges:
        wrong = f"the cells {merged.coord} are merged: unmerge them, and write in each what it says"
        name = _name_of(sheet, merged.min_row, merged.min_col)
        problems.append(Problem(file, merged.min_row, "row", wrong, name))
    for line, row in enumerate(formulas.iter_rows(), start=1):
        for column, cell in enumerate(row, start=1):
            if cell.data_type == "f" and sheet[cell.coordinate].value is None:
                wrong = "holds a formula without its value: open the file in Excel, and save it"
                name = _name_of(sheet, line, column)
                problems.append(Problem(file, line, "row", wrong, name))


def _shown_text(cell: Any) -> str:
    """Write a cell as it is shown where its format changes a number, else as it is."""
    text = as_text(cell.value)
    if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
        shape = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", cell.number_format or "")
        if "%" in shape:
            return f"{100 * cell.value:.10g}%"
        if _IN_THOUSANDS.search(shape.split(";")[0]):
            return f"{text} (shown in thousands)"
    return text


def _hidden(sheet: Worksheet, file: str) -> list[str]:
    rows = [str(line) for line, row in sheet.row_dimensions.items() if row.hidden]
    columns = [letter for letter, column in sheet.column_dimensions.items() if column.hidden]
    told = []
    if rows:
        told.append(f"{file}: hidden rows of {sheet.title} are read too: {listed(rows)}")
    if columns:
        told.append(f"{file}: hidden columns of {sheet.title} are read too: {listed(columns)}")
    return told


def _name_of(sheet: Worksheet, line: int, column: int) -> str:
    from openpyxl.utils import get_column_letter

    return f"{sheet.title}!{get_column_letter(column)}{line}"
