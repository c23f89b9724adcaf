"""``mscpool validate``: check a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...data.errors import InputError
from ...data.names import numbered
from . import console
from .exits import DONE, refuse, stated
from .options import JsonOption, PathArgument, SheetOption


def validate(
    path: PathArgument = None,
    sheet: SheetOption = None,
    fix: Annotated[
        Path | None,
        typer.Option(metavar="OUT.csv", help="Write a single table as it was understood."),
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Check a data set.

    Prints counts and cautions, or every problem as file:line: column: what is wrong.
    """
    from ...data.evidence import EvidenceError, load_evidence, summary

    if fix is not None:
        _refuse_to_fix(path, fix)
    try:
        evidence = load_evidence(path, sheet=sheet)
    except EvidenceError as wrong:
        if not as_json:
            raise
        problems = stated(str(wrong).splitlines(), wrong.problems)
        counts = dict.fromkeys(("studies", "patients", "rows"))
        console.print_json({"valid": False, **counts, "problems": problems, "cautions": []})
        return refuse(str(wrong).splitlines())
    if fix is not None:
        from ...data.template import write_understood

        write_understood(evidence, fix)
    counts, cautions = summary(evidence), evidence.cautions()
    console.say(*(told for told in evidence.messages if told not in cautions))
    if as_json:
        read = {name: counts[name] for name in ("studies", "patients", "rows")}
        console.print_json({"valid": True, **read, "problems": [], "cautions": cautions})
        return DONE
    print(
        f"valid: {numbered(counts['studies'], 'study', 'studies')}, "
        f"{numbered(counts['rows'], 'row')}, {numbered(counts['patients'], 'patient')} treated in "
        f"core studies; the core set has {numbered(counts['rows_analysed'], 'row')} of "
        f"{numbered(counts['studies_analysed'], 'study', 'studies')}"
    )
    for caution in cautions:
        print(console.printable(f"caution: {caution}"))
    return DONE


def _refuse_to_fix(path: Path | None, fixed: Path) -> None:
    """Refuse to write over what is there, and what a single table cannot hold."""
    if path is None or path.is_dir():
        raise InputError("--fix writes a single table; this data set is a folder of tables")
    if fixed.suffix.lower() != ".csv":
        raise InputError(f"--fix {fixed}: name a file that ends with .csv")
    if fixed.exists():
        raise InputError(f"--fix {fixed}: is there already; name another file")
