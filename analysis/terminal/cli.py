"""The command line: it reads a request, calls the rooms below, and says what came of it.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import inspect
import os
import shlex
import signal
import sys
import time
import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from . import console
from .design import FromFit, Subcommand, design_app
from .exits import DONE, GUARD_FAILED, Commands, interrupt, refuse
from .options import FitOptions, JsonOption, PathArgument, SamplingOptions, takes

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence
    from ...models.priors.sets import PriorSet

UNCHECKED, FIT_FILE = "unchecked", "fit.nc"

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a stored fit; results if left out.")
]


app = typer.Typer(
    cls=Commands,
    help="What is known about mesenchymal stem cells in six immune-mediated skin diseases: "
    "one pooled model, checked before it is believed.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, interrupt)
    app()


@app.command()
def validate(path: PathArgument = None, as_json: JsonOption = False) -> int:
    """Check a data set.

    Prints counts and cautions, or every problem as file:line: column: what is wrong.
    """
    from ...data.evidence import EvidenceError, load_evidence, summary

    try:
        evidence = load_evidence(path)
    except EvidenceError as wrong:
        if as_json:
            problems = [vars(problem) for problem in wrong.problems]
            counts = dict.fromkeys(("studies", "patients", "rows"))
            answer = {"valid": False, **counts, "problems": problems, "cautions": []}
            console.print_json(answer)
        return refuse(*str(wrong).splitlines())
    counts, cautions = summary(evidence), evidence.cautions()
    console.say(*evidence.messages)
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


@app.command()
@takes(FitOptions)
def fit(request: FitOptions, as_json: JsonOption = False) -> int:
    """Fit the model and let the guard check it.

    Writes fit.nc, rates.csv and check.json into the folder of --out.
    """
    from ...data.export import write_csv
    from ..fitting.exact_fit import NotIntegrated, left_to_the_sampler
    from ..fitting.fit import fit as fit_model
    from ..fitting.fit import rates
    from ..paper.frames.results import stamped
    from ..paper.report.report import findings_of, write_check

    evidence = request.evidence()
    priors = _prior_set(request.priors, evidence)
    _refuse_place(request.out)
    console.say(*evidence.messages)
    with console.progress_display() as progress:
        started = time.monotonic()
        with warnings.catch_warnings(action="ignore", category=NotIntegrated):  # said below
            made = fit_model(
                evidence,
                priors=priors,
                path=request.out / FIT_FILE,
                progress=progress,
                **request.settings(),
            )
        seconds = time.monotonic() - started
        console.say(*left_to_the_sampler(made), *_only_its_prior(made))
        checked = None
        if not request.no_check:
            checked = findings_of(made, evidence, request.out, request.refit, progress)
    write_check(checked, request.out)
    write_csv(stamped(rates(made), checked), request.out / "rates.csv")
    if as_json:
        console.print_json(_fit_answer(made, checked, seconds))
    else:
        from .printing import print_rates, print_verdict

        print_rates(rates(made), checked)
        print_verdict(checked)
    return _status(checked)


@app.command()
def check(
    folder: FolderArgument = Path("results"),
    path: PathArgument = None,
    as_json: JsonOption = False,
) -> int:
    """Run the guard on a stored fit.

    Writes check.json into DIR. PATH is the data of the fit, where they are not the shipped ones.
    """
    from ..paper.report.report import findings_of, write_check

    made, evidence = _stored(folder, path)
    _refuse_place(folder)
    with console.progress_display() as progress:
        checked = findings_of(made, evidence, folder, True, progress)
    write_check(checked, folder)
    if as_json:
        console.print_json(checked)
    else:
        from .printing import print_checks, print_verdict

        print_checks(checked)
        print_verdict(checked)
    return _status(checked)


@app.command()
@takes(SamplingOptions)
def priors(
    request: SamplingOptions,
    sets: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="Compare this; repeat, the first is the reference. All named if left out.",
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Ask whether rates exceed this; left out, what is usual for each outcome.",
        ),
    ] = None,
    confidence: Annotated[
        float, typer.Option(metavar="X", help="Probability that this conclusion wants.")
    ] = 0.95,
    list_sets: Annotated[bool, typer.Option("--list", help="Print the named sets.")] = False,
    as_json: JsonOption = False,
) -> int:
    """Compare prior sets.

    Writes priors.csv into the folder of --out, and what 'figures' draws of it. A fit stored there
    is re-weighted where it can be, and what its diseases borrow from each other is told as well.
    """
    if list_sets:
        from .listing import print_sets

        print_sets(as_json)
        return DONE
    from ...data.export import write_csv
    from ...models.priors.catalogue import CATALOGUE
    from ..paper.frames.results import stamped
    from ..paper.report.report import kept_check
    from ..sensitivity.store import borrowed, compared
    from .printing import print_frame

    evidence = request.evidence()
    chosen = [_prior_set(name, evidence) for name in sets or CATALOGUE]
    _refuse_place(request.out)
    console.say(*evidence.messages)
    fit = _kept_fit(request, evidence)
    settings = request.settings()
    asked = "usual" if threshold is None else threshold
    with console.progress_display() as progress:
        found = compared(evidence, fit, chosen, settings, request.out, asked, confidence, progress)
        others = None if fit is None else borrowed(evidence, fit, settings, request.out, progress)
    checked = None if fit is None else kept_check(request.out, fit)
    write_csv(stamped(found.rates, checked), request.out / "priors.csv")
    if as_json:
        told = found.to_dict()
        if others is not None:
            told |= {"borrowing": others.diseases, "left_out": others.influence}
        console.print_json(told)
        return DONE
    scores = ["set", "elpd", "elpd_se", "elpd_diff", "elpd_diff_se"]
    whole = found.scores[found.scores["outcome"].isna()]
    print_frame("Prior sets by how well they predict studies left out", whole[scores])
    for sentence in (*found.sentences(), *(() if others is None else others.sentences())):
        print(console.printable(sentence))
    return DONE


@app.command()
def figures(
    folder: FolderArgument = Path("results"),
    path: PathArgument = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder to write to; DIR/figures if left out."),
    ] = None,
    preset: Annotated[
        str, typer.Option(metavar="PAGE", help="single or double column, or slide.")
    ] = "double",
    as_json: JsonOption = False,
) -> int:
    """Draw the publication set from a stored fit.

    Writes each figure as PDF, SVG, PNG and TIFF with its data and caption. PATH is the data of the
    fit, where they are not the shipped ones.
    """
    from ..paper.publish.publish import publish
    from ..paper.report.report import kept_check, kept_poolings
    from ..sensitivity.store import borrowing_of, comparison_of

    made, evidence = _stored(folder, path)
    if evidence is None:
        raise ValueError(
            f"{folder}: holds a fit of other data than the shipped: name its data after the folder"
        )
    place = folder / "figures" if out is None else out
    _refuse_place(place)
    checked, poolings = kept_check(folder, made), kept_poolings(folder, made)
    found = {
        "comparison": comparison_of(folder, made),
        "borrowed": borrowing_of(folder, made),
    }
    console.say(*_not_drawn(made, folder, path, len(poolings), **found))
    with console.progress_display() as progress:
        progress("drawing", 0, 0)
        files = publish(made, evidence, place, checked, poolings, preset=preset, **found)
    verdict = None if checked is None else checked["verdict"]
    if as_json:
        console.print_json({"verdict": verdict, "files": files})
    else:
        print(console.printable(f"{len(files)} files in {place} (guard: {verdict or UNCHECKED})"))
    return DONE


def _not_drawn(
    made: DataTree, folder: Path, path: Path | None, poolings: int, comparison: Any, borrowed: Any
) -> list[str]:
    """Say which figures have nothing to show, and what makes it."""
    from ..fitting.fit import run_config

    config = run_config(made)
    several = len(config["diseases"]) > 1
    lacking = ["prior comparison, flip map and power-scaling"] if comparison is None else []
    lacking += ["borrowing"] if borrowed is None and several and config["engine"] == "nuts" else []
    asked = [] if path is None else [str(path)]
    for name, usual in (("pooling", "partial"), ("engine", "nuts")):
        asked += [] if config[name] == usual else [f"--{name}", config[name]]
    told = []
    for missing, command in (
        (lacking, "priors"),
        (["comparison of poolings"] if several and poolings < 2 else [], "report"),
    ):
        typed = shlex.join(["mscpool", command, *asked, "--out", str(folder)])
        told += [f"not drawn: {', '.join(missing)}; '{typed}' finds it"] if missing else []
    return told


@app.command()
@takes(FitOptions)
def report(request: FitOptions, as_json: JsonOption = False) -> int:
    """Fit, check and tell everything in one page.

    Writes report.html and the files behind it into the folder of --out.
    """
    from ..paper.report.report import write_report
    from .printing import print_verdict

    evidence = request.evidence()
    priors = _prior_set(request.priors, evidence)
    _refuse_place(request.out)
    console.say(*evidence.messages)
    with console.progress_display() as progress:
        written = write_report(
            evidence,
            priors,
            request.settings(),
            request.out,
            checking=not request.no_check,
            shipped=request.path is None,
            command=shlex.join(["mscpool", *sys.argv[1:]]),
            progress=progress,
        )
    if as_json:
        console.print_json({"verdict": written.verdict, "files": written.files})
    else:
        print_verdict(written.checked)
        print(console.printable(f"report: {request.out / 'report.html'}"))
    return _status(written.checked)


def _design(
    subcommand: Subcommand, asked: dict[str, Any], source: FromFit, out: Path, as_json: bool
) -> int:
    """Answer one subcommand of ``design``."""
    from ...data.export import write_csv
    from ..paper.publish.design import publish_design
    from .design_priors import fill_priors
    from .printing import print_design

    fitted = fill_priors(subcommand, asked, source, _judged_fit)
    answer = getattr(import_module(f"mscpool.analysis.{subcommand.module}"), subcommand.function)
    needed = [
        name
        for name, each in inspect.signature(answer).parameters.items()
        if each.default is each.empty and name not in asked
    ]
    if needed:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in needed)
        raise ValueError(f"design {subcommand.name} needs {names}")
    _refuse_place(out)
    result = answer(**asked)
    out.mkdir(parents=True, exist_ok=True)
    table = result.table if fitted is None else result.table.assign(verdict=fitted.verdict)
    write_csv(table, out / "design.csv")
    publish_design(result, out, "pass" if fitted is None else fitted.verdict)
    if fitted is not None and fitted.verdict not in ("pass", "warn"):
        console.say(
            f"the fit in {source.folder} is {fitted.verdict}: what follows from it is not to be "
            "relied on"
        )
    if as_json:
        console.print_json(result.to_dict() | {"fit": fitted and fitted.to_dict()})
    else:
        print_design(result)
    return DONE


app.add_typer(design_app(TyperGroup, _design), name="design")


def _judged_fit(source: FromFit) -> tuple[DataTree, Mapping[str, Any] | None]:
    """Load the fit behind a design's priors, and what the guard found of this very fit."""
    from ..paper.report.report import kept_check

    made, _ = _stored(source.folder, source.path)
    folder = source.folder.parent if source.folder.is_file() else source.folder
    return made, kept_check(folder, made)


def _kept_fit(request: SamplingOptions, evidence: Evidence) -> DataTree | None:
    """Load the fit that is stored where the results go; refuse one of other data."""
    from ..fitting.fit import load_fit, run_config
    from ..sensitivity.compare import check_fits

    if request.refit or not (request.out / FIT_FILE).is_file():
        return None
    made = load_fit(request.out)
    try:
        check_fits(evidence, [made])
    except ValueError as other:
        raise ValueError(f"{request.out / FIT_FILE}: {other}; or name another --out") from None
    config = run_config(made)
    same = (config["pooling"], config["engine"]) == (request.pooling, request.engine)
    if not same:
        console.say(
            f"{request.out / FIT_FILE} is a fit with {config['pooling']} pooling by the engine "
            f"{config['engine']}: not used"
        )
    return made if same else None


def _prior_set(name: str, evidence: Evidence) -> PriorSet:
    """Look up a named prior set, or read a prior file."""
    from ...data.evidence import OUTCOMES
    from ...models.priors.catalogue import named_set
    from ...models.priors.sets import PriorSet

    path = Path(name)
    if path.suffix != ".toml" and not path.is_file():
        return named_set(name)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name}: is not UTF-8 text; save the prior file as UTF-8") from None
    known = dict.fromkeys((*OUTCOMES, *evidence.vocabulary))
    return PriorSet.from_toml(text, name, tuple(known))


def _refuse_place(folder: Path) -> None:
    """Refuse a folder that cannot be made or written to, before any work is done."""
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise ValueError(f"{existing}: is a file; name a folder to write to")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise ValueError(f"{existing}: may not be written to; name another folder with --out")


def _stored(folder: Path, path: Path | None) -> tuple[DataTree, Evidence | None]:
    """Load a stored fit and the data that it is a fit of; None where only the fit has them."""
    from ...data.evidence import EvidenceError, load_evidence
    from ..fitting.fit import load_fit, run_config

    made = load_fit(folder)
    config = run_config(made)
    try:
        evidence = load_evidence(path, **config["selection"])
    except EvidenceError:
        raise
    except ValueError:  # the selection names what these data do not have
        evidence = None
    if evidence is not None and evidence.sha256 == config["data_sha256"]:
        return made, evidence
    if path is not None:
        raise ValueError(
            f"{folder}: holds a fit of other data than {path}: fit that first, or name its folder"
        )
    return made, None


def _only_its_prior(made: DataTree) -> list[str]:
    """Say of which outcomes the data cannot tell a spread from its prior."""
    from ..fitting.store import run_config
    from ..guard.check import terms_of_fit, unidentified

    told = unidentified(terms_of_fit(made), run_config(made)["pooling"])
    return [f"{name}: {sentence}" for name, sentence in told.items()]


def _status(checked: Mapping[str, Any] | None) -> int:
    return GUARD_FAILED if checked is not None and checked["verdict"] == "fail" else DONE


def _fit_answer(
    made: DataTree, checked: Mapping[str, Any] | None, seconds: float
) -> dict[str, Any]:
    from ..fitting.fit import diagnostics, hyper, rates, run_config

    return {
        "verdict": None if checked is None else checked["verdict"],
        "rates": rates(made),
        "hyper": hyper(made),
        "diagnostics": diagnostics(made),
        "run": {**run_config(made), "seconds": round(seconds, 3)},
    }
