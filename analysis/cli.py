"""The command line: it reads a request, calls the rooms below, and says what came of it.

Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from . import console
from .options import FitOptions, JsonOption, PathArgument, takes

if TYPE_CHECKING:
    from xarray import DataTree

    from ..data.evidence import Evidence
    from ..models.priors import PriorSet

DONE, GUARD_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
UNCHECKED = "unchecked"

FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a stored fit; results if left out.")
]


class Interrupted(BaseException):
    """The user pressed Ctrl-C; unlike KeyboardInterrupt no sampler takes it for a short run."""


class Commands(TyperGroup):
    """Commands whose mistakes are told in one line each, with the exit status of the design."""

    def main(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Run a command and leave with its status."""
        try:
            status = super().main(*args, **{**kwargs, "standalone_mode": False})
        except typer.TyperException as wrong:
            status = _refuse(_usage(wrong))
        except Interrupted:
            status = INTERRUPTED
        except (ValueError, OSError) as wrong:
            if isinstance(wrong, BrokenPipeError):
                raise
            status = _refuse(*_sentences(wrong))
        if status == INTERRUPTED:
            console.say("interrupted; every file is whole, old or new")
        sys.exit(status if isinstance(status, int) else DONE)


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
    signal.signal(signal.SIGINT, _interrupt)
    app()


def _interrupt(*_: object) -> NoReturn:
    raise Interrupted


def _refuse(*lines: str) -> int:
    console.say(*lines)
    return BAD_INPUT


def _usage(wrong: typer.TyperException) -> str:
    """Say in one line what was typed wrongly, and where to read what is right."""
    context = getattr(wrong, "ctx", None)
    command = context.command_path if context is not None else "mscpool"
    said = " ".join(wrong.format_message().split()).rstrip(".")
    return f"{said} (see '{command} --help')"


def _sentences(wrong: ValueError | OSError) -> list[str]:
    """Give the lines of a mistake that the user can mend; raise anew what is ours to mend."""
    if isinstance(wrong, OSError):
        if wrong.filename is None:
            raise wrong
        return [f"{wrong.filename}: {(wrong.strerror or str(wrong)).lower()}"]
    trace = wrong.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace else ""
    if raised_in.split(".")[0] != __name__.split(".")[0]:
        raise wrong
    return str(wrong).splitlines()


@app.command()
def validate(path: PathArgument = None, as_json: JsonOption = False) -> int:
    """Check a data set.

    Prints counts and cautions, or every problem as file:line: column: what is wrong.
    """
    from ..data.evidence import EvidenceError, load_evidence, summary

    try:
        evidence = load_evidence(path)
    except EvidenceError as wrong:
        if as_json:
            problems = [vars(problem) for problem in wrong.problems]
            counts = dict.fromkeys(("studies", "patients", "rows"))
            answer = {"valid": False, **counts, "problems": problems, "cautions": []}
            console.print_json(answer)
        return _refuse(*str(wrong).splitlines())
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
    from ..data.export import write_csv
    from .fit import fit as fit_model
    from .fit import rates
    from .report import write_check
    from .results import stamped

    evidence = request.evidence()
    priors = _prior_set(request.priors, evidence)
    _refuse_place(request.out)
    console.say(*evidence.messages)
    with console.progress_display() as progress:
        started = time.monotonic()
        made = fit_model(
            evidence,
            priors=priors,
            path=request.out / "fit.nc",
            progress=progress,
            **request.settings(),
        )
        seconds = time.monotonic() - started
        checked = None if request.no_check else _checked(made, evidence, progress)
    write_check(checked, request.out)
    write_csv(stamped(rates(made), checked), request.out / "rates.csv")
    if as_json:
        console.print_json(_fit_answer(made, checked, seconds))
    else:
        _print_fit(made, checked)
        _print_verdict(checked)
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
    from .report import write_check

    made, evidence = _stored(folder, path)
    with console.progress_display() as progress:
        checked = _checked(made, evidence, progress)
    write_check(checked, folder)
    if as_json:
        console.print_json(checked)
    else:
        _print_checks(checked)
        _print_verdict(checked)
    return _status(checked)


@app.command()
@takes(FitOptions)
def report(request: FitOptions, as_json: JsonOption = False) -> int:
    """Fit, check and tell everything in one page.

    Writes report.html and the files behind it into the folder of --out.
    """
    from .report import write_report

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
            command=" ".join(["mscpool", *sys.argv[1:]]),
            progress=progress,
        )
    if as_json:
        console.print_json({"verdict": written.verdict, "files": written.files})
    else:
        _print_verdict(written.checked)
        print(console.printable(f"report: {request.out / 'report.html'}"))
    return _status(written.checked)


def _prior_set(name: str, evidence: Evidence) -> PriorSet:
    """Look up a named prior set, or read a prior file."""
    from ..data.evidence import OUTCOMES
    from ..models.priors import PriorSet, named_set

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
    from ..data.evidence import EvidenceError, load_evidence
    from .fit import load_fit, run_config

    made = load_fit(folder)
    config = run_config(made)
    try:
        evidence = load_evidence(path, **config["selection"])
    except EvidenceError:
        raise
    except ValueError:
        evidence = None
    if evidence is not None and evidence.sha256 == config["data_sha256"]:
        return made, evidence
    if path is not None:
        raise ValueError(
            f"{folder}: holds a fit of other data than {path}; fit that first, or name its folder"
        )
    return made, None


def _checked(
    made: DataTree, evidence: Evidence | None, progress: console.Progress
) -> dict[str, Any]:
    from .check import check as run_guard
    from .fit import run_config

    progress("checking", 0, 0)
    return {**run_guard(made, evidence).to_dict(), "run": run_config(made)}


def _status(checked: Mapping[str, Any] | None) -> int:
    return GUARD_FAILED if checked is not None and checked["verdict"] == "fail" else DONE


def _fit_answer(
    made: DataTree, checked: Mapping[str, Any] | None, seconds: float
) -> dict[str, Any]:
    from .fit import diagnostics, hyper, rates, run_config

    return {
        "verdict": None if checked is None else checked["verdict"],
        "rates": rates(made),
        "hyper": hyper(made),
        "diagnostics": diagnostics(made),
        "run": {**run_config(made), "seconds": round(seconds, 3)},
    }


def _print_fit(made: DataTree, checked: Mapping[str, Any] | None) -> None:
    """Print one table an outcome: each disease's rate, and what its next trial may see."""
    from ..data.names import disease_words, outcome_words
    from .fit import rates
    from .results import verdicts
    from .wording import interval

    table = rates(made)
    said = verdicts(checked)
    header = ("Disease", "Studies", "Patients", "Rate (95 % interval)", "Next trial (95 %)")
    for outcome, rows in table.groupby("outcome", sort=False):
        by_quantity = dict(list(rows.groupby("quantity", sort=False)))
        following = by_quantity["new_study"].set_index("disease")
        lines = [
            (
                disease_words(row["disease"]),
                "borrowed" if row["evidence"] == "borrowed" else str(row["studies"]),
                "" if row["evidence"] == "borrowed" else str(row["patients"]),
                interval(row),
                interval(following.loc[row["disease"]]),
            )
            for row in by_quantity["rate"].to_dict("records")
        ]
        if "new_disease" in by_quantity:
            row = by_quantity["new_disease"].iloc[0]
            lines.append(("A disease not yet tried", "", "", interval(row), ""))
        title = f"{outcome_words(str(outcome))}: {said.get(str(outcome), UNCHECKED)}"
        console.print_table(title, header, lines)


def _print_checks(checked: Mapping[str, Any]) -> None:
    """Print one table an outcome: each check, what was seen and what the model expects."""
    from ..data.names import outcome_words, words
    from .wording import number

    header = ("Check", "Observed", "Predicted", "Mid-p", "Verdict")
    for each in checked["outcomes"]:
        lines = [
            (
                words(row["check"]),
                *(number(row[name]) for name in ("observed", "predicted", "mid_p")),
                row["verdict"],
            )
            for row in each["checks"]
        ]
        title = f"{outcome_words(each['outcome'])}: {each['verdict']}: {each['reason']}"
        console.print_table(title, header, lines)


def _print_verdict(checked: Mapping[str, Any] | None) -> None:
    if checked is None:
        print("guard: unchecked")
        return
    print(f"guard: {checked['verdict']}")
    for each in checked["outcomes"]:
        if each["verdict"] != "pass":
            print(console.printable(f"  {each['outcome']}: {each['verdict']}: {each['reason']}"))
