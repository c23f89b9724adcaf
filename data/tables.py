"""Reading a table: its header, and its rows under it."""

from __future__ import annotations

from pathlib import Path

from .cells import Problem, Row, Table, is_decimal
from .mistakes import shown
from .text_files import read_text, records

# Lines above a header that are looked at for one.
_LONGEST_TITLE = 10


def read_table(
    path: Path, file: str, problems: list[Problem], columns: tuple[str, ...] = ()
) -> Table | None:
    """Read a CSV file.

    Parameters
    ----------
    path : Path
        Where the file is.
    file : str
        How messages call it.
    problems : list of Problem
        Whatever is wrong is added to it.
    columns : tuple of str
        Names by which its header is known from a title or from a row.

    Returns
    -------
    Table or None
        The rows with as many cells as the header; None where there is no header to read by.
    """
    text = read_text(path, file, problems)
    if text is None:
        return None
    found = [record for record in records(text, file, problems) if any(record[1])]
    if not found:
        if not any(problem.file == file for problem in problems):
            problems.append(Problem(file, 1, "file", "is empty: a header and rows are needed"))
        return None
    header_line, header = found[0]
    if not _header_is_right(header_line, header, file, problems):
        return None
    if wrong := _no_header(found, columns):
        problems.append(Problem(file, header_line, "file", wrong))
        return None
    header = [_one_line(cell) for cell in header]
    rows = []
    for line, cells in found[1:]:
        if len(cells) != len(header):
            message = f"has {len(cells)} cells where the header has {len(header)}"
            remedy = "put a cell that holds a comma in double quotes, and leave no cell out"
            problems.append(Problem(file, line, "row", f"{message}: {remedy}"))
            continue
        named = zip(header, map(_one_line, cells), strict=True)
        rows.append(Row(file, line, dict(named), problems))
    # A quote that is never closed swallows the rows below it: they are there.
    if len(found) == 1 and not any(problem.file == file for problem in problems):
        problems.append(Problem(file, header_line, "file", "has a header alone: rows are needed"))
    return Table(file, header_line, tuple(header), tuple(rows))


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def _header_is_right(line: int, header: list[str], file: str, problems: list[Problem]) -> bool:
    before = len(problems)
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            wrong = f"the columns are separated by {called}"
            problems.append(Problem(file, line, "file", f"{wrong}: separate them by commas"))
    for column in dict.fromkeys(header):
        if column and header.count(column) > 1:
            wrong = f"this column is there {header.count(column)} times: keep one"
            problems.append(Problem(file, line, shown(column)[1:-1], wrong))
    return len(problems) == before


def _no_header(found: list[tuple[int, list[str]]], columns: tuple[str, ...]) -> str:
    """Say that a title stands above the header, or that there is none; empty where one is."""
    if not columns or set(found[0][1]) & set(columns):
        return ""
    for line, cells in found[1:_LONGEST_TITLE]:
        if len(set(cells) & set(columns)) > 1:
            return f"the header is on line {line}: remove what stands above it"
    first = found[0][1]
    if len(first) > 1 and any(is_decimal(cell) for cell in first):
        return f"has no header: its first line is a row; write above it {','.join(columns)}"
    return ""
