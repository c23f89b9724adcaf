"""Files for readers, whole or not at all: strict JSON, and no cell that a spreadsheet would run."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from .names import words

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def spreadsheet_safe(text: str) -> str:
    """Put a quote before a text that a spreadsheet would take for a formula.

    Parameters
    ----------
    text : str
        What a cell is to show.

    Returns
    -------
    str
        The text, with an apostrophe before it where it begins like a formula.

    References
    ----------
    OWASP, CSV injection, https://owasp.org/www-community/attacks/CSV_Injection
    """
    # Spreadsheets trim, and the full-width forms are run as well in some languages.
    begins = text.lstrip(" \n\u00a0\ufeff").translate(_NARROW)
    return "'" + text if begins.startswith(_STARTS_A_FORMULA) else text


_NARROW = str.maketrans("\uff1d\uff0b\uff0d\uff20", "=+-@")


def answer_html(
    title: str, lines: Iterable[str], table: pd.DataFrame, after: Iterable[str] = ()
) -> str:
    """Lay an answer out for a notebook: a title, lines, a table, lines after it.

    Parameters
    ----------
    title : str
        What is answered, and how.
    lines, after : iterable of str
        Paragraphs; empty ones are left out.
    table : DataFrame
        Numbers are shown with three digits, names of columns as words.

    Returns
    -------
    str
        HTML in which every text is escaped.
    """
    shown = table.rename(columns=lambda name: words(str(name))).to_html(
        index=False, escape=True, border=0, na_rep="–", float_format=lambda value: f"{value:z.3g}"
    )
    before = [f"<p>{escape(line)}</p>" for line in lines if line]
    last = [f"<p>{escape(line)}</p>" for line in after if line]
    return "\n".join([f"<p><strong>{escape(title)}</strong></p>", *before, shown, *last])


def write_csv(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame as CSV in UTF-8, without its index.

    Parameters
    ----------
    frame : DataFrame
        Texts and column names are made safe for spreadsheets; numbers stay as they are.
    path : str or Path
        The file to write or replace; a write that is cut short leaves it as it was.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    write_whole(csv_text(frame), Path(path))


def csv_text(frame: pd.DataFrame) -> str:
    """Give the text that `write_csv` writes."""
    safe = frame.map(_safe_cell).rename(columns=_safe_cell)
    return safe.to_csv(index=False, lineterminator="\n")


def to_json(answer: Any) -> str:
    """Serialise an answer: frames as lists of records, numbers that do not exist as null.

    Parameters
    ----------
    answer : object
        Values, mappings, sequences and frames, nested.

    Returns
    -------
    str
        Strict JSON, without NaN or infinity.
    """
    return json.dumps(plain(answer), ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Turn frames, arrays and library scalars into what JSON knows; missing numbers into None."""
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        value = value.to_dict("records")
    if hasattr(value, "tolist"):  # numpy arrays and scalars
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    return None if value != value or str(value) == "<NA>" else str(value)


def write_whole(content: str | bytes | memoryview, path: Path) -> Path:
    """Write a file so that it is the old one or the new one, never half.

    Parameters
    ----------
    content : str, bytes or memoryview
        A text is written in UTF-8.
    path : Path
        The file; its folder is made where it is missing.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write(content, path)
    except OSError as wrong:  # some name the temporary file, some none
        raise OSError(wrong.errno, wrong.strerror, str(path)) from wrong
    return path


def _write(content: str | bytes | memoryview, path: Path) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
        # mkstemp makes files for their owner only; a result is for everybody the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _safe_cell(cell: object) -> object:
    return spreadsheet_safe(cell) if isinstance(cell, str) else cell
