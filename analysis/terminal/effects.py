"""``mscpool effects``: treated against control, with its guard."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ...data.folders import writing_to
from . import console
from .exits import status_of
from .options import (
    SEED,
    AtOption,
    ChainsOption,
    DrawsOption,
    JsonOption,
    ModeratorOption,
    NoCheckOption,
    OutOption,
    PoolingOption,
    PriorsOption,
    RefitOption,
    SeedOption,
    SelectionOptions,
    TuneOption,
    takes,
)
from .prior_sets import effect_prior_set

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ...data.evidence import Evidence
    from ..guard.result import CheckResult

_QUANTILES = ("q2.5", "q50", "q97.5")


@dataclass(frozen=True)
class EffectOptions(SelectionOptions):
    """A request for effects, as it is typed."""

    pooling: PoolingOption = "partial"
    priors: PriorsOption = "default"
    engine: Annotated[
        str,
        typer.Option(
            metavar="ENGINE", help="Integrate the effects, or sample them: exact or nuts."
        ),
    ] = "exact"
    draws: DrawsOption = 1000
    tune: TuneOption = 1000
    chains: ChainsOption = 4
    seed: SeedOption = SEED
    out: OutOption = Path("results")
    refit: RefitOption = False
    no_check: NoCheckOption = False
    moderator: ModeratorOption = None
    at: AtOption = None
    randomised: Annotated[bool, typer.Option("--randomised", help="Only randomised studies.")] = (
        False
    )
    control_rate: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Say what effects mean for patients at this rate of control patients; left out, "
            "at that of the next control arm.",
        ),
    ] = None
    unanchored: Annotated[
        bool,
        typer.Option(
            "--unanchored",
            help="Also compare arms of different studies, in diseases without a controlled one.",
        ),
    ] = False


@takes(EffectOptions)
def effects(request: EffectOptions, as_json: JsonOption = False) -> int:
    """Compare treated with control arms, and let the guard check that.

    Writes effects.nc, effects.csv and effects_check.json into the folder of --out.
    """
    from ...data.export import write_csv
    from ...data.folders import file_set
    from ..effects import effects as room
    from ..effects import results
    from ..fitting.moderated import moderators
    from ..paper.frames.results import stamped
    from ..paper.report.findings import EFFECTS_CHECK_FILE, forget_check, write_check

    evidence = request.evidence()
    priors = effect_prior_set(request.priors, evidence)
    out = request.out
    with writing_to(out), file_set(out) as aside, console.progress_display() as progress:
        console.say(*evidence.messages)
        started = time.monotonic()
        made = room.effects(
            evidence,
            request.pooling,
            priors,
            randomised=request.randomised,
            control_rate=request.control_rate,
            unanchored=request.unanchored,
            check=not request.no_check,
            engine=request.engine,
            draws=request.draws,
            tune=request.tune,
            chains=request.chains,
            seed=request.seed,
            moderators=tuple(request.moderator or ()),
            at=tuple(request.at or ()),
            path=out,
            refit=request.refit,
            progress=progress,
        )
        seconds = time.monotonic() - started
        console.say(*results.messages(made))
        checked = room.checked(made)
        write_check(checked, aside, EFFECTS_CHECK_FILE)
        write_csv(stamped(results.contrasts(made), checked), aside / "effects.csv")
        if request.moderator:
            table = stamped(moderators(made), checked)
            write_csv(table, aside / "effects_moderators.csv")
    if not checked.ran:
        forget_check(out, EFFECTS_CHECK_FILE)
    if as_json:
        console.print_json(_answer(made, seconds))
    else:
        _print(made, checked, evidence)
    return status_of(checked)


def _answer(made: DataTree, seconds: float) -> dict[str, Any]:
    from ..effects import effects as room
    from ..effects import results
    from ..fitting.store import run_config
    from .moderators import moderators_answer

    checked = room.checked(made)
    unanchored = results.unanchored_effects(made)
    alone = results.contrasts(made, randomised_only=True)
    explained = moderators_answer(made) if "moderators" in made.children else {}
    return {
        "verdict": checked.stated,
        "effects": _contrasts(results.contrasts(made)),
        "hyper": results.effect_hyper(made),
        **explained,
        "studies": [_study(row) for row in _records(results.study_effects(made))],
        "absolute": [_absolute(row) for row in _records(results.absolute_effects(made))],
        "randomised_only": _contrasts(alone) if len(alone) else None,
        "unanchored": unanchored if run_config(made)["unanchored"] else None,
        "check": checked.to_dict() if checked.ran else None,
        "messages": results.messages(made),
        "run": {**run_config(made), "seconds": round(seconds, 3)},
    }


def _contrasts(table: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for row in _records(table):
        ratio = {q: row.pop(f"ratio_{q}") for q in _QUANTILES}
        rows.append({**row, "ratio": ratio})
    return rows


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _study(row: dict[str, Any]) -> dict[str, Any]:
    for side in ("treated", "control"):
        row[side] = [row.pop(f"{side}_{key}") for key in ("min", "max", "n")]
    return row


def _absolute(row: dict[str, Any]) -> dict[str, Any]:
    record = {k: row[k] for k in ("outcome", "disease", "quantity", "control_evidence")}
    for name in ("control_rate", "treated_rate", "risk_difference", "risk_ratio"):
        record[name] = {key: row[f"{name}_{key}"] for key in ("mean", *_QUANTILES)}
    record["nnt"] = {side: _limits(row, f"nnt_{side}") for side in ("benefit", "harm")}
    return record


def _limits(row: Mapping[str, Any], name: str) -> list[float] | None:
    limits = [row[f"{name}_from"], row[f"{name}_to"]]
    return None if limits[0] != limits[0] else limits


def _print(made: DataTree, checked: CheckResult, evidence: Evidence) -> None:
    """Print one table an outcome: each disease's ratio, the next trial, and the difference."""
    from ...data.names import outcome_words
    from ..effects import results
    from ..paper.words.wording import percent, ratio_interval
    from .printing import print_verdict

    if "moderators" in made.children:
        from .moderators import print_moderators

        print_moderators(made, checked, "effects")
    about = evidence.about
    absolute = {
        (row["outcome"], row["disease"]): row
        for row in _records(results.absolute_effects(made))
        if row["quantity"] == "effect"
    }
    without = results.contrasts(made, randomised_only=True)
    for title, table in (("", results.contrasts(made)), (" (randomised studies only)", without)):
        for outcome, rows in table.groupby("outcome", sort=False):
            lines = []
            following = rows[rows["quantity"] == "new_study"].set_index("disease")
            for row in _records(rows[rows["quantity"] == "effect"]):
                means = absolute[outcome, row["disease"]]
                difference = (
                    f"{_points(means['risk_difference_q50'])} "
                    f"({_points(means['risk_difference_q2.5'])} to "
                    f"{_points(means['risk_difference_q97.5'])})"
                )
                direct = row["evidence"] == "direct"
                lines.append(
                    (
                        about.words(row["disease"]),
                        str(row["studies"]) if direct else "borrowed",
                        str(row["patients"]) if direct else "",
                        ratio_interval(row),
                        ratio_interval(following.loc[row["disease"]]),
                        percent(row["probability_benefit"]),
                        *(() if title else (difference,)),
                    )
                )
            scale = "Hazard ratio" if "hazard" in str(rows["scale"].iloc[0]) else "Odds ratio"
            header = ("Disease", "Studies", "Patients", f"{scale} (95 %)", "Next trial (95 %)")
            header = (*header, "Benefit", *(() if title else ("Risk difference, points (95 %)",)))
            verdict = checked.verdict_of(str(outcome))
            console.print_table(f"{outcome_words(str(outcome))}{title}: {verdict}", header, lines)
    _print_unanchored(results.unanchored_effects(made), evidence)
    print_verdict(checked)


def _print_unanchored(table: pd.DataFrame, evidence: Evidence) -> None:
    """Print the comparisons of arms of different studies, and the bias that would undo each."""
    from ...data.names import outcome_words
    from ..paper.words.wording import percent, ratio, ratio_interval

    for outcome, rows in table.groupby("outcome", sort=False):
        lines = []
        for row in _records(rows):
            ratios = {f"ratio_{q}": math.exp(row[q]) for q in _QUANTILES}
            tipping = row["tipping_bias"]
            lines.append(
                (
                    evidence.about.words(row["disease"]),
                    str(row["treated_studies"]),
                    row["control_evidence"],
                    ratio_interval(ratios),
                    percent(row["probability_benefit"]),
                    "no conclusion" if tipping != tipping else ratio(math.exp(tipping)),
                )
            )
        scale = "Hazard ratio" if "hazard" in str(rows["scale"].iloc[0]) else "Odds ratio"
        header = ("Disease", "Treated studies", "Controls", f"{scale} (95 %)", "Benefit")
        title = f"{outcome_words(str(outcome))}: unanchored, arms of different studies, unchecked"
        console.print_table(title, (*header, "Undone by a bias of (ratio)"), lines)


def _points(value: float) -> str:
    return str(round(100 * value))
