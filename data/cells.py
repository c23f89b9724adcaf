"""A table of texts, cell by cell, so that all that is wrong is named by file, line and column."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from dataclasses import dataclass

from .errors import InputError
from .mistakes import listed, shown, unknown_name

LARGEST_COUNT = 1_000_000
LONGEST_MONTHS = 1_200.0

# Other programs write whole numbers as 3.0.
_WHOLE = re.compile(r"([0-9]+)(?:\.0+)?")
_NOT_KNOWN = re.compile(r"na|n/a|nan|nr|nd|none|null|unknown|not reported|[.?–-]", re.IGNORECASE)
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?")
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


def is_decimal(text: str) -> bool:
    """Tell whether a text is digits, perhaps with a decimal point."""
    return bool(_DECIMAL.fullmatch(text))


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
