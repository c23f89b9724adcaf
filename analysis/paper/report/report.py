"""Everything in one page, and the files that a command leaves behind, each written whole."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....data.errors import SelectionError, StoredFitError
from ....data.export import to_json, write_whole
from ...fitting.progress import Progress, named
from ...guard.result import UNCHECKED, CheckResult
from ..frames.results import Results, stamped

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....models.priors.sets import PriorSet
    from ..words.table import Table
    from .sections import Section

CHECK_FILE, PAGE = "check.json", "report.html"
COMPARED_POOLINGS = ("none", "partial", "complete")
FIGURE_FORMATS = ("svg", "png", "pdf")
HEADLINES = {
    "pass": "The guard passed this fit",
    "warn": "The guard warns: read this with care",
    "fail": "The guard failed this fit: do not believe it",
    "unchecked": "Unchecked: the guard has not seen this fit",
}


@dataclass(frozen=True)
class Written:
    """What a report came to: the guard's findings, and the files that were written."""

    checked: CheckResult
    files: tuple[str, ...]

    @property
    def verdict(self) -> str | None:
        """The guard's verdict; None where it did not run."""
        return self.checked.stated


@dataclass(frozen=True)
class Request:
    """One fit that the report needs, and where it is kept."""

    evidence: Evidence
    pooling: str
    priors: PriorSet
    settings: Mapping[str, Any]
    path: Path

    def is_kept(self) -> bool:
        """Whether the fit is stored already."""
        from ...fitting import store

        if self.settings["refit"]:
            return False
        settings = {name: self.settings[name] for name in _SETTINGS}
        config = store.request(self.evidence, self.pooling, self.priors, **settings)
        try:
            kept = store.load(self.path, groups=())
        except StoredFitError:
            return False
        return kept.attrs["run_config"] == store.canonical(config)

    def fitted(self, progress: Progress | None = None) -> DataTree:
        """Fit, or read back."""
        from ...fitting.fit import fit

        chosen = {**self.settings, "pooling": self.pooling}
        return fit(self.evidence, priors=self.priors, path=self.path, progress=progress, **chosen)


_SETTINGS = ("engine", "draws", "tune", "chains", "seed")


def write_report(
    evidence: Evidence,
    priors: PriorSet,
    settings: Mapping[str, Any],
    out: Path,
    checking: bool,
    command: str,
    progress: Progress,
) -> Written:
    """Fit, check, compare, and write the page and the files behind it.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    priors : PriorSet
        The priors.
    settings : mapping
        What `fit` takes besides: pooling, engine, draws, tune, chains, seed, refit.
    out : Path
        The folder to write to.
    checking : bool
        Whether the guard runs.
    command : str
        What was typed, for the reader.
    progress : callable
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    Written
        The guard's findings and the files, the page first.

    Raises
    ------
    InputError
        As `fit`.
    OSError
        A file cannot be written.
    """
    from .sections import sections

    results = _results(evidence, priors, settings, out, checking, progress)
    write_check(results.checked, out)
    files = [CHECK_FILE] if results.checked.ran else []
    written = sections(results, command)
    files += write_table_files(results, written, out)
    progress("drawing", 0, 0)
    drawings, drawn = write_figures(results, out)
    files += drawn
    progress("writing", 0, 0)
    write_whole(page(results, written, drawings), out / PAGE)
    return Written(results.checked, tuple(str(out / name) for name in (PAGE, "fit.nc", *files)))


def _results(
    evidence: Evidence,
    priors: PriorSet,
    settings: Mapping[str, Any],
    out: Path,
    checking: bool,
    progress: Progress,
) -> Results:
    """Make or read back every fit, check the first, and ask how much hangs on its priors."""
    from ...sensitivity.store import stored_borrowing, stored_comparison

    main = Request(evidence, settings["pooling"], priors, settings, out / "fit.nc")
    poolings = _other_poolings(main, out)
    definitions = _other_definitions(main, out)
    with _fitting_beside(list(poolings.values())):
        fit = main.fitted(progress)
        others = {
            name: (each.evidence, each.fitted(named(progress, f"{name} definitions")))
            for name, each in definitions.items()
        }
        checked = UNCHECKED
        if checking:
            checked = findings_of(fit, evidence, out, settings["refit"], progress)
        about = {"settings": settings, "folder": out, "progress": progress}
        comparison = stored_comparison(evidence, fit, compared_sets(priors), **about)
        others_say = stored_borrowing(evidence, fit, **about)
        progress("fitting other poolings", 0, 0)
    fits = {
        name: fit if name == main.pooling else each.fitted(named(progress, f"{name} pooling"))
        for name, each in {**poolings, main.pooling: main}.items()
    }
    ordered = sorted(fits, key=(*COMPARED_POOLINGS, main.pooling).index)
    by_pooling = {name: fits[name] for name in ordered}
    return Results(fit, evidence, checked, by_pooling, others, comparison, others_say)


def compared_sets(priors: PriorSet) -> list[PriorSet]:
    """Give a fit's own priors, and the sets of the catalogue that they are compared with."""
    from ....models.priors.catalogue import CATALOGUE

    return [priors, *(each for name, each in CATALOGUE.items() if name != priors.name)]


def _other_poolings(main: Request, out: Path) -> dict[str, Request]:
    if len(main.evidence.diseases) == 1:
        return {}
    return {
        name: replace(main, pooling=name, path=out / "fits" / f"{name}.nc")
        for name in COMPARED_POOLINGS
        if name != main.pooling
    }


def _other_definitions(main: Request, out: Path) -> dict[str, Request]:
    """Give the fit with the other definitions, where they change a count."""
    own = main.evidence.selection.definitions
    name = "alternative" if own == "primary" else "primary"
    try:
        evidence = main.evidence.select(definitions=name)
    except SelectionError:  # the other definitions leave no rows
        return {}
    if evidence.sha256 == main.evidence.sha256:
        return {}
    return {name: replace(main, evidence=evidence, path=out / "fits" / f"{name}.nc")}


@contextmanager
def _fitting_beside(requests: list[Request]) -> Iterator[None]:
    """Let a second process make what is not stored yet, each with a model of its own to compile.

    What it does not finish is made afterwards, where it is needed.
    """
    wanted = [each for each in requests if not each.is_kept()]
    sampled = [each for each in wanted if each.settings["engine"] == "nuts"]
    worker = get_context("spawn").Process(target=_keep_fits, args=(sampled,), daemon=True)
    if sampled:
        worker.start()
    try:
        yield
        if sampled:
            worker.join()
    finally:
        if sampled and worker.is_alive():
            worker.terminate()
            worker.join()


def _keep_fits(requests: list[Request]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to end this one
    for each in requests:
        each.fitted()


def page(results: Results, written: list[Section], drawings: Mapping[str, Drawing]) -> str:
    """Render the page.

    Parameters
    ----------
    results : Results
        Everything.
    written : list of Section
        Its sections.
    drawings : mapping of str to Drawing
        The figures by name.

    Returns
    -------
    str
        HTML that needs no other file; every text of the data is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from .sections import heading, verdict_sentences

    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    title, subtitle = heading(results)
    return environment.get_template("report.html.j2").render(
        title=title,
        subtitle=subtitle,
        verdict=results.verdict,
        headline=HEADLINES[results.verdict],
        reasons=verdict_sentences(results),
        sections=written,
        figures=drawings,
        stamp=lambda table: _stamp(results, table),
        request=json.dumps(results.config, indent=1, ensure_ascii=False),
        version=results.config["versions"]["mscpool"],
    )


def _stamp(results: Results, table: Table) -> str:
    """Give the verdict on the outcome of a table, or on the fit where it shows several."""
    outcomes = set(table.frame["outcome"]) if "outcome" in table.frame else set()
    return results.verdict_of(outcomes.pop()) if len(outcomes) == 1 else results.verdict


def write_table_files(results: Results, written: list[Section], out: Path) -> list[str]:
    """Write every table as CSV, those of the fit with the guard's verdict in the last column."""
    from ....data.export import write_csv
    from ..frames.results import rates_of

    folder = out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
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


def write_check(checked: CheckResult, folder: Path) -> None:
    """Keep what the guard found beside the fit; where it did not run, remove what it once found."""
    path = folder / CHECK_FILE
    if checked.ran:
        write_whole(to_json(checked.to_dict()) + "\n", path)
    else:
        path.unlink(missing_ok=True)


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


def kept_poolings(folder: Path, fit: DataTree) -> dict[str, DataTree]:
    """Load the fits that a report kept for comparison: the same but for the pooling."""
    from ...fitting.store import load, run_config

    own = run_config(fit)
    found = {own["pooling"]: fit}
    for pooling in COMPARED_POOLINGS:
        path = folder / "fits" / f"{pooling}.nc"
        if pooling in found or not path.is_file():
            continue
        other = load(path)
        if run_config(other) == {**own, "pooling": pooling}:
            found[pooling] = other
    order = [*COMPARED_POOLINGS, own["pooling"]]
    return {name: found[name] for name in sorted(found, key=order.index)}


@dataclass(frozen=True)
class Drawing:
    """A figure on the page: its SVG, what is said of it, and the endings of its files."""

    name: str
    svg: Any
    caption: str
    alternative: str
    files: tuple[str, ...]


def write_figures(results: Results, out: Path) -> tuple[dict[str, Drawing], list[str]]:
    """Write every figure with its data and caption; give those of the page by name."""
    from ..publish.exhibits import exhibits
    from ..publish.publish import write_set

    folder, shown = out / "figures", exhibits(results)
    files = write_set(shown, results, folder, FIGURE_FORMATS)
    drawings = {
        exhibit.name: Drawing(
            exhibit.name,
            inline((folder / f"{exhibit.name}.svg").read_text("utf-8"), exhibit.name),
            exhibit.words.caption,
            exhibit.words.alternative,
            (*FIGURE_FORMATS, "csv"),
        )
        for exhibit in shown
    }
    return drawings, [str(path.relative_to(out)) for path in files]


def inline(svg: str, name: str) -> Any:
    """Make a drawing part of a page: no prolog, no metadata, only identifiers that are used.

    Parameters
    ----------
    svg : str
        A whole SVG file, as Matplotlib writes it: every text in it is escaped.
    name : str
        Put before each identifier, so that two drawings on a page do not share one.

    Returns
    -------
    markupsafe.Markup
    """
    from markupsafe import Markup

    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    wanted = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(
        r'\sid="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in wanted else "", body
    )
    body = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", body)
    return Markup(body)
