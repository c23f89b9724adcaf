"""Text files as they come: packed or not, in which encoding, with which separator."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path

from .cells import EvidenceError, Problem

#: What the columns of a table may be separated by, with what it is called.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
#: A packed file, and a workbook, that unfolds to more is refused.
LARGEST_BYTES = 100_000_000

_GZIP = b"\x1f\x8b"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Lines in which a header is looked for.
_FIRST_LINES = 10


def read_bytes(path: Path, file: str, problems: list[Problem]) -> bytes | None:
    """Read a file, unpacked where it is packed by gzip; note what is wrong and return None."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        problems.append(Problem(file, 1, "file", "there is no such file"))
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.append(Problem(file, 1, "file", f"cannot be read: {reason}"))
        return None
    if not raw.startswith(_GZIP):
        return raw
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            raw = packed.read(LARGEST_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        problems.append(Problem(file, 1, "file", "is packed by gzip, and damaged: pack it anew"))
        return None
    if len(raw) > LARGEST_BYTES:
        wrong = f"unpacks to more than {LARGEST_BYTES // 1_000_000} MB: is it a table of counts?"
        problems.append(Problem(file, 1, "file", wrong))
        return None
    return raw


def read_text(path: Path, file: str, problems: list[Problem]) -> str | None:
    """Read a text file that must be UTF-8; note what is wrong with it and return None."""
    raw = read_bytes(path, file, problems)
    if raw is None:
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_of(raw[: error.start].decode("utf-8", "replace"))
        wrong = f"is not encoded as UTF-8 (byte 0x{raw[error.start]:02x})"
        problems.append(Problem(file, line, "file", f"{wrong}: save it in UTF-8"))
        return None
    return _without_control_characters(text, file, problems)


def text_of(path: Path) -> str:
    """Read a text file that must be UTF-8.

    Raises
    ------
    EvidenceError
        It cannot be read, or is no text; one line.
    """
    problems: list[Problem] = []
    text = read_text(path, str(path), problems)
    if text is None:
        raise EvidenceError(problems)
    return text


def table_text(raw: bytes, file: str, problems: list[Problem], notes: list[str]) -> str | None:
    """Decode a table: UTF-8, UTF-16 by its mark, or else the usual Western encoding.

    Parameters
    ----------
    raw : bytes
        The file.
    file : str
        How messages call it.
    problems, notes : list
        What is wrong is added to the first; an encoding that is not UTF-8 is told in the second.

    Returns
    -------
    str or None
        None where it is no text.
    """
    encoding, called = "utf-8-sig", ""
    if raw.startswith(_UTF_16):
        encoding, called = "utf-16", "UTF-16"
    elif b"\0" in raw or raw.startswith(b"PK\x03\x04"):
        problems.append(Problem(file, 1, "file", "is binary: save the table as CSV or .xlsx"))
        return None
    elif not _decodes(raw, encoding):
        encoding, called = "cp1252", "Windows-1252, the usual Western encoding"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = _line_of(raw[: error.start].decode(encoding, "replace"))
        wrong = f"is in no encoding that is known here (byte 0x{raw[error.start]:02x})"
        problems.append(Problem(file, line, "file", f"{wrong}: save it as CSV in UTF-8"))
        return None
    if called:
        notes.append(f"{file} is read as {called}, as it is not UTF-8: are its letters right?")
    return _without_control_characters(text, file, problems)


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _without_control_characters(text: str, file: str, problems: list[Problem]) -> str | None:
    if found := _CONTROL_CHARACTER.search(text):
        line = _line_of(text[: found.start()])
        wrong = f"holds the control character {found.group()!r}, as a binary file does"
        problems.append(Problem(file, line, "file", f"{wrong}: save it as CSV in UTF-8"))
        return None
    return text


def _line_of(before: str) -> int:
    return 1 + len(re.findall(r"\r\n|\r|\n", before))


def separator_of(text: str, columns: Collection[str]) -> str:
    """Tell what separates the columns of a table.

    Parameters
    ----------
    text : str
        The table.
    columns : collection of str
        Names by which a header is known.

    Returns
    -------
    str
        The one of `SEPARATORS` that makes the most of these names out of one of the first lines;
        among equals the one that makes the most cells of the first line.
    """
    lines = [line for line in io.StringIO(text, newline=None) if line.strip()][:_FIRST_LINES]

    def names_and_cells(separator: str) -> tuple[int, int]:
        rows = [
            [cell.strip().strip('"').strip() for cell in line.split(separator)] for line in lines
        ]
        named = max((len(set(row) & set(columns)) for row in rows), default=0)
        return named, len(rows[0]) if rows else 0

    return max(SEPARATORS, key=names_and_cells)


def records(
    text: str, separator: str, file: str, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Yield each record's first line number and its stripped cells."""
    space_after_quote = re.compile(rf'"[ \t]+(?=[{separator}\r\n]|$)')
    if separator == "\t":
        space_after_quote = re.compile(r'" +(?=[\t\r\n]|$)')
    lines = (space_after_quote.sub('"', line) for line in io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=separator != "\t", strict=True)
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
