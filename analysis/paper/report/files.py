"""The files behind the page: tables, and figures with their data and captions."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..frames.results import Results, stamped
from .svg import Drawing, inline

if TYPE_CHECKING:
    from .block import Section

FIGURE_FORMATS = ("svg", "png", "pdf")


def write_table_files(results: Results, written: list[Section], out: Path) -> list[str]:
    """Write every table as CSV, those of the fit with the guard's verdict in the last column."""
    from ....data.export import write_csv
    from ..frames.results import rates_of

    folder = out / "tables"
    write_csv(stamped(rates_of(results), results.checked), out / "rates.csv")
    names = ["rates.csv"]
    for table in (each for section in written for each in section.tables):
        frame = table.frame
        if table.of_fit and "verdict" not in frame:
            frame = (
                stamped(frame, results.checked)
                if "outcome" in frame
                else frame.assign(verdict=results.verdict)
            )
        write_csv(frame, folder / f"{table.name}.csv")
        names.append(f"tables/{table.name}.csv")
    return names


def write_figures(results: Results, out: Path) -> tuple[dict[str, Drawing], list[str]]:
    """Write every figure with its data and caption; give those of the page by name."""
    from ..publish.publish import write_set

    folder = out / "figures"
    files, shown = write_set(results, folder, FIGURE_FORMATS)
    drawings = {
        exhibit.name: Drawing(
            exhibit.name,
            exhibit.words.title,
            inline((folder / f"{exhibit.name}.svg").read_text("utf-8"), exhibit.name),
            exhibit.words.caption,
            exhibit.words.alternative,
            (*FIGURE_FORMATS, "csv"),
            exhibit.section,
        )
        for exhibit in shown
    }
    return drawings, [str(path.relative_to(out)) for path in files]


def embedded(names: Iterable[str], folder: Path) -> dict[str, str]:
    """Pack texts into addresses that hold them, so that a page that is sent on keeps them.

    Parameters
    ----------
    names : iterable of str
        Files of a folder; those that are no table and no list of references are left out.
    folder : Path
        The folder.

    Returns
    -------
    dict of str to str
        By name the gzip of the file as a data address.
    """
    return {
        name: "data:application/gzip;base64,"
        + b64encode(gzip.compress((folder / name).read_bytes(), mtime=0)).decode()
        for name in names
        if name.endswith((".csv", ".bib"))
    }
