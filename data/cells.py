"""A table of texts, cell by cell, so that all that is wrong is named by file, line and column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from .errors import InputError
from .mistakes import listed, shown, unknown_name
from .numbers import (
    digits,
    is_ambiguous,
    is_decimal,
    is_negative,
    meant_as_count,
    ungrouped,
    with_point,
)

LARGEST_COUNT = 1_000_000
LONGEST_MONTHS = 1_200.0

_NOT_KNOWN = re.compile(r"na|n/a|nan|nr|nd|none|null|unknown|not reported|[.?–-]", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a table, and where: a line, and a cell where its table has named cells."""

    file: str
    line: int
    column: str
    message: str
    cell: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.cell or self.line}: {self.column}: {self.message}"


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
    """The cells of one line; a method reads one cell, or notes its problem and returns None.

    Attributes
    ----------
    file, line : str and int
        Where it stands.
    cells : dict
        Text of each column.
    problems : list of Problem
        What is wrong is added to it.
    cell_names : dict
        What each column's cell is called in a workbook or a data frame, `Sheet1!C7`; empty in a
        text file.
    decimal_comma : bool
        Whether its numbers have decimal commas.
    """

    file: str
    line: int
    cells: dict[str, str]
    problems: list[Problem]
    cell_names: dict[str, str] = field(default_factory=dict)
    decimal_comma: bool = False

    def complain(self, column: str, message: str) -> None:
        """Note a problem of this line."""
        cell = self.cell_names.get(column) or next(iter(self.cell_names.values()), "")
        self.problems.append(Problem(self.file, self.line, column, message, cell))

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
        given = self.text(column)
        text = with_point(given, self.decimal_comma)
        number = digits(text)
        if not text:
            self.complain(column, "is empty: write a whole number, such as 12")
        elif _NOT_KNOWN.fullmatch(text):
            wrong = f"{shown(text)} is no number: where a count is not known, leave the row out"
            self.complain(column, f"{wrong}, or give bounds in events_min and events_max")
        elif is_negative(text):
            self.complain(column, f"{text[:60]} is negative: write a whole number from {least} up")
        elif is_ambiguous(given, self.decimal_comma, whole=True):
            wrong = f"{shown(given)} has a separator of thousands, or decimals"
            self.complain(column, f"{wrong}: write {ungrouped(given)[:60]} if that is meant")
        elif number is None:
            remedy = meant_as_count(given, self.text("n"))
            self.complain(column, f"{shown(given)} is not a whole number: {remedy}")
        elif len(number.lstrip("0")) > len(str(most)) or int(number) > most:
            self.complain(column, f"{number[:60]} is too large: at most {most} is possible")
        elif int(number) < least:
            self.complain(column, f"{int(number)} is too small: at least {least} is needed")
        else:
            return int(number)
        return None

    def decimal(self, column: str, most: float) -> float | None:
        """Return a number from 0 to `most`, written with digits and a decimal point."""
        text = self._decimal_text(column, "0.5")
        if text is None:
            return None
        if is_negative(text):
            self.complain(column, f"{text[:60]} is negative: from 0 to {most:g} is possible")
        elif float(text) > most:
            self.complain(column, f"{text[:60]} is too large: at most {most:g} is possible")
        else:
            return float(text)
        return None

    def number(self, column: str) -> float | None:
        """Return a number of either sign, written with digits and a decimal point."""
        text = self._decimal_text(column, "-0.5")
        return None if text is None else float(text)

    def _decimal_text(self, column: str, such_as: str) -> str | None:
        """Return a number's text with a decimal point, or note what is wrong with it."""
        given = self.text(column)
        text = with_point(given, self.decimal_comma)
        if is_ambiguous(given, self.decimal_comma, whole=False):
            point = "," if self.decimal_comma else "."
            wrong = f"{shown(given)} has a separator of thousands, or is no number"
            self.complain(
                column, f"{wrong}: write {ungrouped(given)[:60]}, decimals after a {point}"
            )
        elif is_decimal(text) or is_negative(text):
            return text
        else:
            wrong = f"{shown(given)} is not a number" if given else "is empty"
            pointed = with_point(given, decimal_comma=True)
            such_as = pointed if pointed != given else such_as
            self.complain(column, f"{wrong}: write digits and a decimal point, such as {such_as}")
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
class Grid:
    """Cells as they stand in a file, before its header is known.

    Attributes
    ----------
    records : list of tuple
        Line, counted from 1, and the texts of its cells, of each line that is not blank.
    cell_name : callable
        What the cell at a line and a place in it is called; '' in a text file.
    decimal_comma : bool
        Whether its numbers have decimal commas.
    separated_by : str
        What separates its cells, in words; '' where nothing does.
    notes : list of str
        What a user should be told of how it was read.
    """

    records: list[tuple[int, list[str]]]
    cell_name: Callable[[int, int], str] = lambda line, place: ""
    decimal_comma: bool = False
    separated_by: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Attributes
    ----------
    file, line : str and int
        How messages call it, and where its header stands.
    columns : tuple of str
        Its header.
    rows : tuple of Row
        Those that are not blank.
    cell : str
        What the header's cell is called in a workbook.
    notes : tuple of str
        What a user should be told of how it was read.
    """

    file: str
    line: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    cell: str = ""
    notes: tuple[str, ...] = ()

    def problem(self, column: str, message: str) -> Problem:
        """Make a problem of the header."""
        return Problem(self.file, self.line, column, message, self.cell)


def missing_columns(
    table: Table, needed: tuple[str, ...], problems: list[Problem]
) -> frozenset[str]:
    """Note every needed column that a table lacks; return their names."""
    missing = [column for column in needed if column not in table.columns]
    spare = [column for column in table.columns if column and column not in needed]
    for column in missing:
        near = difflib.get_close_matches(column, spare, n=1, cutoff=0.75)
        remedy = f"is it the one called {shown(near[0])}?" if near else f"needed: {listed(needed)}"
        problems.append(table.problem(column, f"this column is missing; {remedy}"))
    return frozenset(missing)


def forget_cells(table: Table, columns: frozenset[str], problems: list[Problem]) -> None:
    """Drop what was noted of the cells of missing columns: the header's problem says it once."""
    problems[:] = [
        problem
        for problem in problems
        if problem.file != table.file or problem.line == table.line or problem.column not in columns
    ]
