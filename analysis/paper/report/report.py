"""Everything in one page, and the files that a command leaves behind, each written whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....data.evidence import Evidence, as_evidence, load_evidence
from ....data.export import answer_html, write_whole
from ....data.folders import file_set, writing_to
from ....data.names import numbered
from ....models.priors.files import prior_set
from ....models.priors.sets import DEFAULT, PriorSet
from ...fitting.progress import Progress, silent
from ...fitting.sampling import SEED, Engine, Sampling
from ...guard.result import CheckResult
from .files import embedded, write_figures, write_table_files
from .findings import CHECK_FILE, forget_check, write_check
from .fits import Request, results_of
from .page import page
from .references import BIBLIOGRAPHY, bibliography

if TYPE_CHECKING:
    import pandas as pd

PAGE = "report.html"


@dataclass(frozen=True, repr=False)
class Report:
    """What a report came to: the guard's findings, and the files that were written."""

    checked: CheckResult
    files: tuple[str, ...]

    @property
    def verdict(self) -> str | None:
        """The guard's verdict; None where it did not run."""
        return self.checked.stated

    def __repr__(self) -> str:
        """Say in a line what was written."""
        others = numbered(len(self.files) - 1, "file")
        return f"<report: {self.files[0]} and {others}; .checked, .to_frame()>"

    def to_frame(self) -> pd.DataFrame:
        """Give the files, one a row."""
        import pandas as pd

        return pd.DataFrame({"file": self.files})

    def to_dict(self) -> dict[str, Any]:
        """Give the verdict and the files, as ``report --json`` does."""
        return {"verdict": self.verdict, "files": list(self.files)}

    def _repr_html_(self) -> str:
        """Show the verdict and the files."""
        title = f"Report: guard {self.checked.verdict}"
        return answer_html(title, [f"Open {self.files[0]}."], self.to_frame())


def report(
    evidence: Evidence | str | Path | pd.DataFrame | None = None,
    out: str | Path = "results",
    pooling: str = "partial",
    priors: PriorSet | str | Path = DEFAULT,
    engine: Engine = "nuts",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    refit: bool = False,
    check: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Fit, check, compare, and write one page with the files behind it.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame, optional
        The analysis set; the shipped one by default.
    out : str or Path
        The folder to write to.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : PriorSet, str or Path
        Priors of mu, tau and sigma: a set, its name, a prior file or the text of one.
    engine : {"nuts", "exact"}
        Sample all outcomes together, or integrate each outcome numerically.
    draws, tune, chains : int
        Draws kept of each chain, tuning steps of each chain, and chains.
    seed : int
        Makes a run repeatable.
    refit : bool
        Fit even where the same request is stored.
    check : bool
        Whether the guard runs.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    Report
        The guard's findings and the files, the page first.

    Raises
    ------
    InputError
        As `fit`, or a folder that cannot be used.
    """
    given = load_evidence() if evidence is None else as_evidence(evidence)
    sampling, place = Sampling(engine, draws, tune, chains, seed), Path(out)
    named = repr(str(evidence)) if isinstance(evidence, str | Path) else "evidence"
    command = f"mscpool.report({'' if evidence is None else named})"
    with writing_to(place, place / "figures"):
        return write_report(
            given, pooling, prior_set(priors), sampling, place, refit, check, command,
            progress or silent,
        )  # fmt: skip


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
