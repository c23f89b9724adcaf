"""Reading a table from a file or a data frame: its header, and its rows under it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from .cells import Grid, Problem, Row, Table
from .mistakes import shown
from .numbers import is_decimal
from .text_files import SEPARATORS, read_bytes, records, separator_of, table_text

#: How messages call a table that is no file.
FRAME = "DataFrame"

# Lines above a header that are looked at for one.
_LONGEST_TITLE = 10


def read_table(
    source: Path | pd.DataFrame,
    file: str,
    problems: list[Problem],
    columns: tuple[str, ...] = (),
    synonyms: Mapping[str, str] | None = None,
    sheet: str | None = None,
) -> Table | None:
    """Read a table.

    Parameters
    ----------
    source : Path or DataFrame
        A text file separated by commas, semicolons or tabs, perhaps packed by gzip; a workbook; or
        a data frame.
    file : str
        How messages call it.
    problems : list of Problem
        Whatever is wrong is added to it.
    columns : tuple of str
        Names by which its header is known from a title or from a row.
    synonyms : mapping of str to str, optional
        The column that another name stands for, where the table lacks the column itself.
    sheet : str, optional
        Which sheet of a workbook.

    Returns
    -------
    Table or None
        The rows with as many cells as the header; None where there is no header to read by.
    """
    names = (*columns, *(synonyms or {}))
    grid = _grid(source, file, problems, names, sheet)
    if grid is None:
        return None
    if not grid.records:
        if not any(problem.file == file for problem in problems):
            problems.append(Problem(file, 1, "file", "is empty: a header and rows are needed"))
        return None
    line, header = grid.records[0]
    notes = list(grid.notes)
    header = [_one_line(cell) for cell in header]
    meanings = _meanings(header, synonyms or {})
    notes += [f"{file}: column {shown(name)} is read as {meanings[name]}" for name in meanings]
    columns_read = tuple(meanings.get(name, name) for name in header)
    head = Table(file, line, columns_read, (), grid.cell_name(line, 0))
    doubled = [*_doubled(head, header), *_meant_twice(head, meanings)]
    if wrong := [*doubled, *_no_header(head, grid, columns, names)]:
        problems += wrong
        return None
    rows = list(_rows(head, grid, problems))
    # A quote that is never closed swallows the rows below it: they are there.
    if len(grid.records) == 1 and not any(problem.file == file for problem in problems):
        problems.append(head.problem("file", "has a header alone: rows are needed"))
    return Table(file, line, head.columns, tuple(rows), head.cell, tuple(notes))


def _grid(
    source: Path | pd.DataFrame,
    file: str,
    problems: list[Problem],
    names: tuple[str, ...],
    sheet: str | None,
) -> Grid | None:
    if isinstance(source, pd.DataFrame):
        from .frames import frame_grid

        return frame_grid(source)
    raw = read_bytes(source, file, problems)
    if raw is None:
        return None
    from .workbooks import is_workbook, workbook_grid

    if is_workbook(raw):
        return workbook_grid(raw, file, sheet, problems)
    notes: list[str] = []
    text = table_text(raw, file, problems, notes)
    if text is None:
        return None
    if sheet is not None:
        wrong = f"is a text file, which has no sheet {shown(sheet)}: leave the sheet out"
        problems.append(Problem(file, 1, "file", wrong))
        return None
    separator = separator_of(text, names)
    if separator != ",":
        notes.append(f"{file} is read as separated by {SEPARATORS[separator]}")
    return Grid(
        [record for record in records(text, separator, file, problems) if any(record[1])],
        decimal_comma=separator == ";",
        separated_by=SEPARATORS[separator],
        notes=notes,
    )


def _rows(head: Table, grid: Grid, problems: list[Problem]) -> list[Row]:
    rows = []
    for line, cells in grid.records[1:]:
        if len(cells) != len(head.columns):
            message = f"has {len(cells)} cells where the header has {len(head.columns)}"
            separator = grid.separated_by.removesuffix("s")
            remedy = f"put a cell that holds a {separator} in double quotes, and leave no cell out"
            problems.append(Problem(head.file, line, "row", f"{message}: {remedy}"))
            continue
        named = dict(zip(head.columns, map(_one_line, cells), strict=True))
        places = {column: grid.cell_name(line, i) for i, column in enumerate(head.columns)}
        if not any(places.values()):
            places = {}
        rows.append(Row(head.file, line, named, problems, places, grid.decimal_comma))
    return rows


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _meanings(header: list[str], synonyms: Mapping[str, str]) -> dict[str, str]:
    """Give the columns that other words of a header stand for; a column that is there needs none.

    Of a column that is there in parts, as events is in events_min, no other word is the whole.
    """
    meanings = {}
    for name in header:
        word = name.casefold().replace(" ", "_").replace("-", "_")
        meaning = word if word in synonyms.values() else synonyms.get(word)
        parts = [column for column in header if column.startswith(f"{meaning}_")]
        if meaning and meaning not in header and not parts:
            meanings[name] = meaning
    return meanings


def _doubled(head: Table, header: list[str]) -> list[Problem]:
    return [
        head.problem(
            shown(column)[1:-1], f"this column is there {header.count(column)} times: keep one"
        )
        for column in dict.fromkeys(header)
        if column and header.count(column) > 1
    ]


def _meant_twice(head: Table, meanings: Mapping[str, str]) -> list[Problem]:
    wrong = []
    for meaning in dict.fromkeys(meanings.values()):
        names = [shown(name) for name in meanings if meanings[name] == meaning]
        if len(names) > 1:
            both = f"may be {' or '.join(names)}: call one of them {meaning}"
            wrong.append(head.problem(meaning, both))
    return wrong


def _no_header(
    head: Table, grid: Grid, columns: tuple[str, ...], names: tuple[str, ...]
) -> list[Problem]:
    """Say that a title stands above the header, or that there is none."""
    if not columns:
        return []
    known = {name.casefold() for name in names}
    here = len({cell.casefold() for cell in grid.records[0][1]} & known)
    for line, cells in grid.records[1:_LONGEST_TITLE]:
        if len({cell.casefold() for cell in cells} & known) > max(1, here):
            return [
                head.problem("file", f"the header is on line {line}: remove what stands above it")
            ]
    if set(head.columns) & set(columns):
        return []
    first = grid.records[0][1]
    if len(first) > 1 and any(map(is_decimal, first)):
        wrong = f"has no header: its first line is a row; write above it {','.join(columns)}"
        return [head.problem("file", wrong)]
    if len(first) == 1:
        wrong = f"is no table: its first line has none of the columns {', '.join(columns)}"
        return [head.problem("file", wrong)]
    return []
