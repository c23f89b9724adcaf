"""Everything in one page, and the files that a command leaves behind, each written whole."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import console

if TYPE_CHECKING:
    import pandas as pd

CHECK_FILE = "check.json"
UNCHECKED = "unchecked"


def verdicts(checked: dict[str, Any] | None) -> dict[str, str]:
    """Give the guard's verdict on each outcome; empty where the guard did not run."""
    if checked is None:
        return {}
    return {each["outcome"]: each["verdict"] for each in checked["outcomes"]}


def stamped(table: pd.DataFrame, checked: dict[str, Any] | None) -> pd.DataFrame:
    """Add to a table of outcomes the guard's verdict on each.

    Parameters
    ----------
    table : DataFrame
        With a column ``outcome``.
    checked : dict or None
        What the guard found.

    Returns
    -------
    DataFrame
        With a last column ``verdict``: ``pass``, ``warn``, ``fail`` or ``unchecked``.
    """
    said = verdicts(checked)
    return table.assign(verdict=[said.get(name, UNCHECKED) for name in table["outcome"]])


def write_check(checked: dict[str, Any] | None, folder: Path) -> None:
    """Keep what the guard found beside the fit; where it did not run, remove what it once found."""
    path = folder / CHECK_FILE
    if checked is None:
        path.unlink(missing_ok=True)
    else:
        write_whole(console.to_json(checked) + "\n", path)


def write_whole(text: str, path: Path) -> None:
    """Write a text in UTF-8 so that the file is the old one or the new one, never half.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            stream.write(text)
        # mkstemp makes files for their owner only; a result is for everybody the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
