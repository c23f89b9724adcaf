"""Reading a CSV table cell by cell, so that all that is wrong is named by file, line and column."""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError
from .mistakes import listed, shown, unknown_name

LARGEST_COUNT = 1_000_000
LONGEST_MONTHS = 1_200.0

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE_AFTER_QUOTE = re.compile(r'"[ \t]+(?=[,\r\n]|$)')
# Other programs write whole numbers as 3.0.
_WHOLE = re.compile(r"([0-9]+)(?:\.0+)?")
_NOT_KNOWN = re.compile(r"na|n/a|nan|nr|nd|none|null|unknown|not reported|[.?–-]", re.IGNORECASE)
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
# Lines above a header that are looked at for one.
_LONGEST_TITLE = 10
_SIGNED = re.compile(r"-[0-9]+(\.[0-9]+)?")


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a table, and where."""

    file: str
    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.column}: {self.message}"


class EvidenceError(InputError):
    """A data set that cannot be used; its text has one line a problem.

    Parameters
    ----------
    problems : collection of Problem
        Everything that is wrong, in any order.

    Attributes
    ----------
    problems : tuple of Problem
        The same, sorted by file, line and column, each once.
    """

    def __init__(self, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


@dataclass(frozen=True)
class Row:
    """The cells of one line; a method reads one cell, or notes its problem and returns None."""

    file: str
    line: int
    cells: dict[str, str]
    problems: list[Problem]

    def complain(self, column: str, message: str) -> None:
        """Note a problem of this line."""
        self.problems.append(Problem(self.file, self.line, column, message))

    def text(self, column: str) -> str:
        """Return the cell as it stands, '' where the table has no such column."""
        return self.cells.get(column, "")

    def name(self, column: str) -> str | None:
        """Return a text that must be there, on one line."""
        text = self.text(column)
        if not text:
            self.complain(column, f"is empty: every row needs a {column.removesuffix('_id')}")
        elif not text.isprintable():
            self.complain(
                column, f"{shown(text)} holds a character that cannot be seen: type it anew"
            )
        else:
            return text
        return None

    def one_of(self, column: str, valid: tuple[str, ...]) -> str | None:
        """Return a name out of a list."""
        text = self.text(column)
        if text in valid:
            return text
        if not text:
            self.complain(column, f"is empty; valid: {listed(valid)}")
        else:
            self.complain(column, unknown_name(text, valid, column.removesuffix("_id")))
        return None

    def whole(self, column: str, least: int = 0, most: int = LARGEST_COUNT) -> int | None:
        """Return a whole number written in the digits 0 to 9."""
        text = self.text(column)
        if whole := _WHOLE.fullmatch(text):
            text = whole[1]
        if not text:
            self.complain(column, "is empty: write a whole number, such as 12")
        elif _NOT_KNOWN.fullmatch(text):
            wrong = f"{shown(text)} is no number: where a count is not known, leave the row out"
            self.complain(column, f"{wrong}, or give bounds in events_min and events_max")
        elif _SIGNED.fullmatch(text):
            self.complain(column, f"{text[:60]} is negative: write a whole number from {least} up")
        elif whole is None:
            self.complain(column, f"{shown(text)} is not a whole number: write digits, such as 12")
        elif len(text.lstrip("0")) > len(str(most)) or int(text) > most:
            self.complain(column, f"{text[:60]} is too large: at most {most} is possible")
        elif int(text) < least:
            self.complain(column, f"{int(text)} is too small: at least {least} is needed")
        else:
            return int(text)
        return None

    def decimal(self, column: str, most: float) -> float | None:
        """Return a number from 0 to `most`, written with digits and a decimal point."""
        text = self.text(column)
        if _SIGNED.fullmatch(text):
            self.complain(column, f"{text[:60]} is negative: from 0 to {most:g} is possible")
        elif not _DECIMAL.fullmatch(text):
            wrong = f"{shown(text)} is not a number" if text else "is empty"
            self.complain(column, f"{wrong}: write digits and a decimal point, such as 0.5")
        elif float(text) > most:
            self.complain(column, f"{text[:60]} is too large: at most {most:g} is possible")
        else:
            return float(text)
        return None

    def number(self, column: str) -> float | None:
        """Return a number of either sign, written with digits and a decimal point."""
        text = self.text(column)
        if _DECIMAL.fullmatch(text) or _SIGNED.fullmatch(text):
            return float(text)
        wrong = f"{shown(text)} is not a number" if text else "is empty"
        self.complain(column, f"{wrong}: write digits and a decimal point, such as -0.5")
        return None

    def flag(self, column: str, remedy: str) -> bool | None:
        """Return a yes or no, written true or false."""
        text = self.text(column).lower()
        if text not in ("true", "false"):
            shown_text = shown(self.text(column))
            self.complain(column, f"{shown_text} is neither true nor false: {remedy}")
            return None
        return text == "true"

    def months(self, column: str) -> float | None:
        """Return a time in months, NaN where the cell is empty."""
        if not self.text(column):
            return float("nan")
        months = self.decimal(column, most=LONGEST_MONTHS)
        if months == 0:
            self.complain(column, "0 months is no follow-up: write a positive number, or nothing")
            return None
        return months


@dataclass(frozen=True)
class Table:
    """A table as it was read: its name for messages, its header's line, its rows not blank."""

    file: str
    line: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


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
    records = [record for record in _records(text, file, problems) if any(record[1])]
    if not records:
        if not any(problem.file == file for problem in problems):
            problems.append(Problem(file, 1, "file", "is empty: a header and rows are needed"))
        return None
    header_line, header = records[0]
    if not _header_is_right(header_line, header, file, problems):
        return None
    if wrong := _no_header(records, columns):
        problems.append(Problem(file, header_line, "file", wrong))
        return None
    header = [_one_line(cell) for cell in header]
    rows = []
    for line, cells in records[1:]:
        if len(cells) != len(header):
            message = f"has {len(cells)} cells where the header has {len(header)}"
            remedy = "put a cell that holds a comma in double quotes, and leave no cell out"
            problems.append(Problem(file, line, "row", f"{message}: {remedy}"))
            continue
        named = zip(header, map(_one_line, cells), strict=True)
        rows.append(Row(file, line, dict(named), problems))
    # A quote that is never closed swallows the rows below it: they are there.
    if len(records) == 1 and not any(problem.file == file for problem in problems):
        problems.append(Problem(file, header_line, "file", "has a header alone: rows are needed"))
    return Table(file, header_line, tuple(header), tuple(rows))


def _one_line(cell: str) -> str:
    return " ".join(cell.split())


def missing_columns(
    table: Table, needed: tuple[str, ...], problems: list[Problem]
) -> frozenset[str]:
    """Note every needed column that a table lacks; return their names."""
    missing = [column for column in needed if column not in table.columns]
    spare = [column for column in table.columns if column and column not in needed]
    for column in missing:
        near = difflib.get_close_matches(column, spare, n=1, cutoff=0.75)
        remedy = f"is it the one called {shown(near[0])}?" if near else f"needed: {listed(needed)}"
        problems.append(
            Problem(table.file, table.line, column, f"this column is missing; {remedy}")
        )
    return frozenset(missing)


def forget_cells(table: Table, columns: frozenset[str], problems: list[Problem]) -> None:
    """Drop what was noted of the cells of missing columns: the header's problem says it once."""
    problems[:] = [
        problem
        for problem in problems
        if problem.file != table.file or problem.line == table.line or problem.column not in columns
    ]


def read_text(path: Path, file: str, problems: list[Problem]) -> str | None:
    """Read a text file in UTF-8; note what is wrong with it and return None."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        problems.append(Problem(file, 1, "file", "there is no such file"))
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.append(Problem(file, 1, "file", f"cannot be read: {reason}"))
        return None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.append(Problem(file, 1, "file", "is encoded as UTF-16: save it as CSV in UTF-8"))
        return None
    if b"\0" in raw or raw.startswith(b"PK\x03\x04"):
        problems.append(Problem(file, 1, "file", "is binary: save the table as CSV in UTF-8"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(raw[: error.start].decode("utf-8", "replace"))
        wrong = f"is not encoded as UTF-8 (byte 0x{raw[error.start]:02x})"
        problems.append(Problem(file, line, "file", f"{wrong}: save it as CSV in UTF-8"))
        return None
    if found := _CONTROL_CHARACTER.search(text):
        line = _line_of(text[: found.start()])
        wrong = f"holds the control character {found.group()!r}, as a binary file does"
        problems.append(Problem(file, line, "file", f"{wrong}: save it as CSV in UTF-8"))
        return None
    return text


def _line_of(before: str) -> int:
    return 1 + len(re.findall(r"\r\n|\r|\n", before))


def _records(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Yield each record's first line number and its stripped cells."""
    lines = (_SPACE_AFTER_QUOTE.sub('"', line) for line in io.StringIO(text, newline=""))
    reader = csv.reader(lines, skipinitialspace=True, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.append(Problem(file, line, "row", _quoting_message(str(error))))
            continue
        yield line, [cell.strip() for cell in cells]


def _quoting_message(error: str) -> str:
    if "expected after" in error:
        wrong = "has text after a closing quote"
        return f"{wrong}: put the whole cell in double quotes and double every quote inside it"
    if "unexpected end of data" in error or "field larger" in error:
        return "opens a double quote that is never closed: close it at the end of its cell"
    return f"cannot be read as CSV: {error}"


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


def _no_header(records: list[tuple[int, list[str]]], columns: tuple[str, ...]) -> str:
    """Say that a title stands above the header, or that there is none; empty where one is."""
    if not columns or set(records[0][1]) & set(columns):
        return ""
    for line, cells in records[1:_LONGEST_TITLE]:
        if len(set(cells) & set(columns)) > 1:
            return f"the header is on line {line}: remove what stands above it"
    first = records[0][1]
    if len(first) > 1 and any(_DECIMAL.fullmatch(cell) for cell in first):
        return f"has no header: its first line is a row; write above it {','.join(columns)}"
    return ""
