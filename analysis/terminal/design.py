"""``mscpool design``: size the next trial."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from ...data.errors import InputError
from ...data.folders import writing_to
from ..guard.result import CheckResult
from ..trial.checks import check_choice, check_dropout
from ..trial.request import Request
from ..trial.requests import REQUESTS
from ..trial.two_arm_request import TwoArm
from . import console
from .design_options import (
    EFFECT_OPTIONS,
    FIT_OPTIONS,
    OPTIONS,
    DropoutOption,
    FromFit,
    PresetOption,
)
from .exits import DONE
from .options import JsonOption, OutOption
from .results_folder import stored_fit

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence


def design_app() -> typer.Typer:
    """Make the subcommands of ``design``, one a design."""
    app = typer.Typer(cls=TyperGroup, help="Size the next trial.")
    for each in REQUESTS:
        app.command(each.design, help=each.sentence)(_command(each))
    return app


def _command(design: type[Request]) -> Callable[..., int]:
    offered = dict(FIT_OPTIONS) if design.priors() or design.of_fit else {}
    if design.of_fit:
        del offered["robust_weight"]
    if "effect_prior" in design.keywords():
        offered |= EFFECT_OPTIONS

    last = {"preset": (PresetOption, "single"), "out": (OutOption, Path("results"))}
    last |= {"as_json": (JsonOption, False)}
    if design.plans_trial:
        last = {"dropout": (DropoutOption, None)} | last

    def command(**given: Any) -> int:
        shown = {name: given.pop(name) for name in last}
        source = {name: given.pop(name) for name in offered if name in given}
        from_fit = FromFit(**source)
        asked = {name: value for name, value in given.items() if value not in (None, [])}
        return _answer(design, asked, from_fit, **shown)

    known = {name: (OPTIONS[name], None) for name in design.keywords() if name not in offered}
    parameters = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
        )
        for name, (annotation, default) in {**offered, **known, **last}.items()
    ]
    command.__dict__["__signature__"] = inspect.Signature(parameters)
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    return command


def _answer(
    design: type[Request],
    asked: dict[str, Any],
    source: FromFit,
    out: Path,
    as_json: bool,
    preset: str,
    dropout: float | None = None,
) -> int:
    """Answer one subcommand of ``design``."""
    from ...data.export import write_csv
    from ...data.folders import file_set
    from ...figures.style import PRESETS
    from ..fitting.store import load, run_config
    from ..paper.publish.design import files_of, possible_files, publish_design
    from ..trial import design as designs
    from .arm_priors import typed_arm_priors
    from .design_priors import fill_priors
    from .printing import print_design

    if design is TwoArm:
        fitted = typed_arm_priors(asked, source, judged_fit, judged_effects)
    else:
        fitted = fill_priors(design, asked, source, judged_fit)
    if source.folder is not None and fitted is None:
        # A folder that is named holds a fit, also where no prior comes from it.
        load(source.folder, groups=())
    check_dropout(dropout)
    check_choice("preset", preset, PRESETS)
    needed = [name for name in design.needed() if name not in asked]
    if needed:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in needed)
        raise InputError(f"design {design.design} needs {names}")
    with writing_to(out):
        with console.progress_display() as progress:
            progress(f"working out {design.design}", 0, 0)
            if design.of_fit:
                asked["progress"] = progress
            result = getattr(designs, design.design.replace("-", "_"))(**asked)
        result = replace(result, behind=fitted or result.behind)
        protocol = result.protocol(dropout) if design.plans_trial else None
        table = result.table if fitted is None else fitted.stamped(result.table)
        with file_set(out, possible_files(result)) as aside:
            # Scripts rely on `design.csv`, the last answer; each design's own table stays.
            for name in ("design", files_of(result)):
                write_csv(table, aside / f"{name}.csv")
            verdict = None if fitted is None else fitted.verdict
            sha256 = "" if fitted is None else run_config(fitted.fit)["data_sha256"]
            publish_design(result, aside, verdict, sha256, preset, protocol)
    if fitted is not None and fitted.verdict not in ("pass", "warn"):
        console.say(
            f"the fit in {source.place} is {fitted.verdict}: what follows from it is not to be "
            "relied on"
        )
    if as_json:
        told = result.to_dict() | {"fit": fitted and fitted.to_dict()}
        if dropout is not None and protocol is not None:
            told["enrolment"] = {"dropout": dropout, **protocol.enrolment}
        console.print_json(told)
    else:
        print_design(result)
        if protocol is not None:
            console.say(f"{out / files_of(result)}_protocol.md, .docx: for the protocol")
    return DONE


def judged_fit(source: FromFit) -> tuple[DataTree, CheckResult]:
    """Load the fit behind a design's priors, and what the guard found of this very fit."""
    from ..paper.report.findings import kept_check

    made, _ = stored_fit(source.place, source.path, source.sheet)
    folder = source.place.parent if source.place.is_file() else source.place
    return made, kept_check(folder, made)


def judged_effects(source: FromFit) -> DataTree:
    """Load the effects that are stored, or integrate those of the data; with their guard."""
    from ..effects.effects import effects
    from ..effects.results import FILE, load_effects
    from ..fitting.store import run_config

    folder = source.place.parent if source.place.is_file() else source.place
    if source.analysis_set is None and (folder / FILE).is_file():
        made = load_effects(folder)
        if source.path is not None:
            _check_data(source, run_config(made), folder / FILE)
        return made
    evidence = _evidence_of_effects(source, folder)
    console.say("effects are integrated now, under default priors; mscpool effects makes others")
    return effects(evidence)


def _check_data(source: FromFit, config: Mapping[str, Any], file: Path) -> None:
    from ...data.errors import OtherDataError
    from ...data.evidence import load_evidence

    evidence = load_evidence(source.path, sheet=source.sheet, **config["selection"])
    if evidence.sha256 != config["data_sha256"]:
        raise OtherDataError(
            f"{file}: effects of other data than {source.path}: make those first, or name their "
            "folder"
        )


def _evidence_of_effects(source: FromFit, folder: Path) -> Evidence:
    """Read the data that effects are wanted of: those named, or those that a fit there is of."""
    from ...data.errors import OtherDataError
    from ...data.evidence import load_evidence
    from ..fitting.store import FILE

    wanted = {"analysis_set": source.analysis_set or "core"}
    if source.path is None and (folder / FILE).is_file():
        evidence = stored_fit(folder, None)[1]
        if evidence is None:
            raise OtherDataError(
                f"{folder}: no stored effects here, and a fit of other data than the shipped: name "
                "the data, or make effects first with 'mscpool effects'"
            )
        if source.analysis_set is None:
            return evidence
    return load_evidence(source.path, sheet=source.sheet, **wanted)
