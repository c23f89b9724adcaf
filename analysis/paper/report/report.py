"""Everything in one page, and the files that a command leaves behind, each written whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ....data.export import write_whole
from ....data.folders import file_set
from ...fitting.progress import Progress
from ...fitting.sampling import Sampling
from ...guard.result import CheckResult
from .files import embedded, write_figures, write_table_files
from .findings import CHECK_FILE, forget_check, write_check
from .fits import Request, results_of
from .page import page
from .references import BIBLIOGRAPHY, bibliography

if TYPE_CHECKING:
    from ....data.evidence import Evidence
    from ....models.priors.sets import PriorSet

PAGE = "report.html"


@dataclass(frozen=True)
class Report:
    """What a report came to: the guard's findings, and the files that were written."""

    checked: CheckResult
    files: tuple[str, ...]

    @property
    def verdict(self) -> str | None:
        """The guard's verdict; None where it did not run."""
        return self.checked.stated


def write_report(
    evidence: Evidence,
    pooling: str,
    priors: PriorSet,
    sampling: Sampling,
    out: Path,
    refit: bool,
    checking: bool,
    command: str,
    progress: Progress,
) -> Report:
    """Fit, check, compare, and write the page and the files behind it.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    pooling : str
        How diseases inform each other.
    priors : PriorSet
        The priors.
    sampling : Sampling
        How the fits are made.
    out : Path
        The folder to write to.
    refit : bool
        Fit even where the same request is stored.
    checking : bool
        Whether the guard runs.
    command : str
        What was typed, for the reader.
    progress : callable
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    Report
        The guard's findings and the files, the page first.

    Raises
    ------
    InputError
        As `fit`.
    OSError
        A file cannot be written.
    """
    from .sections import sections

    results = results_of(
        Request(evidence, pooling, priors, sampling, out / "fit.nc", refit), checking, progress
    )
    files = [CHECK_FILE] if results.checked.ran else []
    written = sections(results, command)
    with file_set(out) as aside:
        write_check(results.checked, aside)
        files += write_table_files(results, written, aside)
        write_whole(bibliography(results, written), aside / BIBLIOGRAPHY)
        files.append(BIBLIOGRAPHY)
        progress("drawing", 0, 0)
        drawings, drawn = write_figures(results, aside)
        files += drawn
        progress("writing", 0, 0)
        write_whole(page(results, written, drawings, embedded(files, aside)), aside / PAGE)
    if not results.checked.ran:
        forget_check(out)
    return Report(results.checked, tuple(str(out / name) for name in (PAGE, "fit.nc", *files)))
