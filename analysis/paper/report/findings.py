"""The guard's findings, kept beside the fit that they are of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ....data.export import to_json, write_whole
from ...fitting.progress import Progress
from ...guard.result import UNCHECKED, CheckResult

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence

CHECK_FILE, EFFECTS_CHECK_FILE = "check.json", "effects_check.json"


def write_check(checked: CheckResult, folder: Path, name: str = CHECK_FILE) -> None:
    """Keep what the guard found beside what it judged, if it ran."""
    if checked.ran:
        write_whole(to_json(checked.to_dict()) + "\n", folder / name)


def forget_check(folder: Path, name: str = CHECK_FILE) -> None:
    """Remove what the guard once found, of a fit that it has not seen."""
    (folder / name).unlink(missing_ok=True)


def findings_of(
    fit: DataTree, evidence: Evidence | None, folder: Path, anew: bool, progress: Progress
) -> CheckResult:
    """Let the guard check a fit; what it found of this very fit is read back.

    Parameters
    ----------
    fit : xarray.DataTree
        The fit.
    evidence : Evidence or None
        What was fitted, if it is at hand.
    folder : Path
        Where the guard's findings are kept.
    anew : bool
        Check even where the findings are kept.
    progress : callable
        Called with the stage.

    Returns
    -------
    CheckResult
        Its ``run`` is the whole request of the fit.
    """
    from ...fitting.store import run_config
    from ...guard.check import check

    progress("checking", 0, 0)
    kept = UNCHECKED if anew else kept_check(folder, fit)
    return kept if kept.ran else replace(check(fit, evidence), run=run_config(fit))


def kept_check(folder: Path, fit: DataTree) -> CheckResult:
    """Read what the guard found of a stored fit: unchecked where it did not see this very fit."""
    from ...fitting.store import run_config

    try:
        kept = CheckResult.from_dict(json.loads((folder / CHECK_FILE).read_text("utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return UNCHECKED
    return kept if kept.run == run_config(fit) else UNCHECKED
