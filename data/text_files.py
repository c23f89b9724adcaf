"""Text files as they come: their encoding, and the records in them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from .cells import Problem

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SPACE_AFTER_QUOTE = re.compile(r'"[ \t]+(?=[,\r\n]|$)')


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


def records(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
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
