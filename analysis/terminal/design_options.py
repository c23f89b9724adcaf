"""What may be asked of the trial designer on the command line: each option once, with one meaning.

The options bear the names of the parameters that they become.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import PathArgument


@dataclass(frozen=True)
class Subcommand:
    """One design: the module and function that answer, and the parameters that may be given."""

    name: str
    module: str
    function: str
    sentence: str
    parameters: tuple[str, ...]

    @property
    def priors(self) -> tuple[str, ...]:
        """The parameters that are priors on a rate."""
        return tuple(name for name in self.parameters if "prior" in name)

    @property
    def takes_any_analysis(self) -> bool:
        """Whether the trial may be analysed otherwise than with a prior on its one rate."""
        return self.name in ("single-arm", "safety", "monitor")


@dataclass(frozen=True)
class FromFit:
    """Which posterior of which stored fit a prior is taken from."""

    folder: Path
    path: Path | None
    disease: str | None
    outcome: str | None
    robust_weight: float


def _number(sentence: str, metavar: str = "X") -> Any:
    return Annotated[float | None, typer.Option(metavar=metavar, help=sentence)]


def _whole(sentence: str) -> Any:
    return Annotated[int | None, typer.Option(metavar="N", min=0, help=sentence)]


def _word(sentence: str, metavar: str) -> Any:
    return Annotated[str | None, typer.Option(metavar=metavar, help=sentence)]


def _rates(sentence: str) -> Any:
    return Annotated[list[float] | None, typer.Option(metavar="RATE", help=sentence)]


_MIXTURE = "beta(a,b), a mixture 0.8*beta(4,16)+0.2*beta(1,1)"
_BELIEF = f"{_MIXTURE}, a rate 0.3; of a fit: map, robust-map, new-study or rate."

OPTIONS: dict[str, Any] = {
    "null": _number("Rate to beat; in safety the acceptable one.", "RATE"),
    "target": _number("Rate hoped for, where power is given; in safety the unacceptable.", "RATE"),
    "power_at": _rates("Further rates at which power is given; repeat for several."),
    "rule": _word("single, or dual: also the posterior median beyond --target.", "RULE"),
    "level": _number("Posterior probability that counts as success (0.95)."),
    "direction": _word("above, or below for harms.", "WAY"),
    "type1": _number("Frequentist type I error."),
    "power": _number("Wanted power at --target."),
    "assurance": _number("Wanted probability of success (0.8)."),
    "coverage": _number("Of an interval (0.95)."),
    "width": _number("Wanted total width of an interval."),
    "margin": _number("Risk difference to exceed (0)."),
    "effect": _number("True risk difference at which power is given."),
    "n_min": _whole("Smallest size looked at (5)."),
    "n_max": _whole("Largest size looked at (300)."),
    "n_experimental": _whole("Patients in the experimental arm of one given size."),
    "n_control": _whole("Patients in the control arm of one given size."),
    "allocation": _number("Experimental patients per control (1)."),
    "control_rate": _rates("True control rate; repeat for several."),
    "rate": _rates("True rate; repeat for several."),
    "look": Annotated[
        list[int] | None,
        typer.Option(metavar="N", min=1, help="Patients at a look; repeat for several."),
    ],
    "futility": _number("Predictive probability of success below which to stop."),
    "efficacy": _number("Predictive probability of success above which to stop."),
    "boundary": _word("posterior, or sprt.", "KIND"),
    "events_so_far": _whole("Events seen so far."),
    "n_so_far": _whole("Patients seen so far."),
    "analysis_prior": _word(
        f"Prior of the trial's own analysis (beta(1,1)): {_MIXTURE}; of a fit: map or robust-map. "
        "In single-arm, safety and monitor also full: the trial is analysed beside all old "
        "studies.",
        "PRIOR",
    ),
    "analysis_prior_experimental": _word("The same, experimental arm.", "PRIOR"),
    "analysis_prior_control": _word("The same, control arm.", "PRIOR"),
    "design_prior": _word(f"What is believed of the true rate: {_BELIEF}", "PRIOR"),
    "design_prior_experimental": _word("The same, experimental arm.", "PRIOR"),
    "design_prior_control": _word("The same, control arm.", "PRIOR"),
    "discount": _number("Optimism of the design prior, on the log-odds (0)."),
    "prior": _word(f"{_MIXTURE}; of a fit: map, robust-map, new-study or rate.", "PRIOR"),
}

_PRIORS = ("analysis_prior", "design_prior", "discount")
_DECISION = ("null", "target", "power_at", "rule", "level", "direction", "type1")

SUBCOMMANDS = (
    Subcommand(
        "single-arm",
        "trial.design",
        "single_arm",
        "Size a single-arm trial.",
        (*_DECISION, "power", "assurance", "coverage", "n_min", "n_max", *_PRIORS),
    ),
    Subcommand(
        "two-arm",
        "trial.design",
        "two_arm",
        "Size a trial of an experimental arm against control.",
        (
            *("margin", "effect", "control_rate", "level", "direction", "type1", "power"),
            *("assurance", "n_min", "n_max", "allocation", "n_experimental", "n_control"),
            *("analysis_prior", "analysis_prior_experimental", "analysis_prior_control"),
            *("design_prior", "design_prior_experimental", "design_prior_control", "discount"),
        ),
    ),
    Subcommand(
        "precision",
        "trial.design",
        "precision",
        "Size a trial for a wanted width of the interval.",
        ("width", "coverage", "n_min", "n_max", "analysis_prior", "design_prior"),
    ),
    Subcommand(
        "safety",
        "trial.monitoring",
        "safety",
        "Watch for harm: detection, zero events, stopping boundary.",
        (
            *("null", "target", "rate", "power_at", "level", "type1", "power", "assurance"),
            *("boundary", "n_min", "n_max", "look", "n_so_far", *_PRIORS),
        ),
    ),
    Subcommand(
        "monitor",
        "trial.monitoring",
        "monitor",
        "Set boundaries for interim looks.",
        (
            *("null", "look", "target", "power_at", "rate", "rule", "level", "direction"),
            *("type1", "futility", "efficacy", "events_so_far", "n_so_far", *_PRIORS),
        ),
    ),
    Subcommand(
        "two-stage",
        "trial.design",
        "two_stage",
        "Give Simon's optimal and minimax two-stage designs.",
        ("null", "target", "type1", "power", "n_max"),
    ),
    Subcommand(
        "ess", "trial.design", "ess", "Tell how many patients a prior is worth.", ("prior",)
    ),
)

FIT_OPTIONS: dict[str, tuple[Any, Any]] = {
    "path": (PathArgument, None),
    "folder": (
        Annotated[Path, typer.Option("--fit", metavar="DIR", help="Folder of a stored fit.")],
        Path("results"),
    ),
    "disease": (_word("Disease of the fit.", "DISEASE"), None),
    "outcome": (_word("Outcome of the fit.", "OUTCOME"), None),
    "robust_weight": (
        Annotated[float, typer.Option(metavar="X", help="Weight of the vague part (robust-map).")],
        0.2,
    ),
}
