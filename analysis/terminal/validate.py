"""``mscpool validate``: check a data set."""

from __future__ import annotations

from . import console
from .exits import DONE, refuse, stated
from .options import JsonOption, PathArgument, SheetOption


def validate(
    path: PathArgument = None, sheet: SheetOption = None, as_json: JsonOption = False
) -> int:
    """Check a data set.

    Prints counts and cautions, or every problem as file:line: column: what is wrong.
    """
    from ...data.evidence import EvidenceError, load_evidence, summary

    try:
        evidence = load_evidence(path, sheet=sheet)
    except EvidenceError as wrong:
        if not as_json:
            raise
        problems = stated(str(wrong).splitlines(), wrong.problems)
        counts = dict.fromkeys(("studies", "patients", "rows"))
        console.print_json({"valid": False, **counts, "problems": problems, "cautions": []})
        return refuse(str(wrong).splitlines())
    counts, cautions = summary(evidence), evidence.cautions()
    console.say(*(told for told in evidence.messages if told not in cautions))
    if as_json:
        read = {name: counts[name] for name in ("studies", "patients", "rows")}
        console.print_json({"valid": True, **read, "problems": [], "cautions": cautions})
        return DONE
    print(
        f"valid: {counts['studies']} studies, {counts['rows']} rows, {counts['patients']} "
        f"patients treated in core studies; the core set has {counts['rows_analysed']} rows of "
        f"{counts['studies_analysed']} studies"
    )
    for caution in cautions:
        print(console.printable(f"caution: {caution}"))
    return DONE
