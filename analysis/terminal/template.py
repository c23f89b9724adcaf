"""``mscpool template``: write a table to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...data.errors import InputError
from ...data.outcomes import OUTCOMES
from .exits import DONE


def template(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", help="Workbook (.xlsx) or CSV (.csv) to write.")
    ],
    outcome: Annotated[
        list[str] | None,
        typer.Option(metavar="OUTCOME", help="What will be counted; repeat for several."),
    ] = None,
    bounds: Annotated[
        bool, typer.Option("--bounds", help="Counts are only known between two numbers.")
    ] = False,
) -> int:
    """Write a table to fill in.

    A workbook has lists of what a cell may hold, and says what each column is. Without --outcome it
    offers the six outcomes of the dictionary; others may have any name.
    """
    from ...data.template import write_template

    if path.suffix.lower() not in (".xlsx", ".csv"):
        raise InputError(f"{path}: name a file that ends with .xlsx or .csv")
    if path.exists():
        raise InputError(f"{path}: is there already; name another file")
    write_template(path, tuple(dict.fromkeys(outcome or OUTCOMES)), bounds)
    print(f"{path}: fill it in, then mscpool validate {path}")
    return DONE
