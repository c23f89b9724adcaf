"""What may be asked of the trial designer on the command line: each option once, with one meaning.

A design takes the options that its request has fields for.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from ..trial.checks import NO_ASSURANCE
from .options import PathArgument, SheetOption


@dataclass(frozen=True)
class FromFit:
    """Which posterior of which stored fit a prior is taken from."""

    folder: Path | None = None
    path: Path | None = None
    sheet: str | None = None
    disease: str | None = None
    outcome: str | None = None
    robust_weight: float = 0.2
    analysis_set: str | None = None

    @property
    def place(self) -> Path:
        """The folder of the fit, named or not."""
        return self.folder or Path("results")


def _number(sentence: str, metavar: str = "X") -> Any:
    return Annotated[float | None, typer.Option(metavar=metavar, help=sentence)]


def _whole(sentence: str) -> Any:
    return Annotated[int | None, typer.Option(metavar="N", min=0, help=sentence)]


def _word(sentence: str, metavar: str) -> Any:
    return Annotated[str | None, typer.Option(metavar=metavar, help=sentence)]


def _rates(sentence: str) -> Any:
    return Annotated[list[float] | None, typer.Option(metavar="RATE", help=sentence)]


def _number_or_none(text: str) -> float | str:
    try:
        return text if text == NO_ASSURANCE else float(text)
    except ValueError:
        raise typer.BadParameter(f"'{text}': give a number, or none") from None


_MIXTURE = "beta(a,b), a mixture 0.8*beta(4,16)+0.2*beta(1,1)"
_BELIEF = f"{_MIXTURE}, a rate 0.3; of a fit: map, robust-map, new-study or rate."

DropoutOption = _number("Share of patients that will not be evaluable: the number is raised by it.")
PresetOption = Annotated[
    str,
    typer.Option(
        metavar="PAGE",
        help="Page of the pictures: single, double, slide, or one of them with -dark.",
    ),
]
OPTIONS: dict[str, Any] = {
    "null": _number("Rate to beat; in safety the acceptable one.", "RATE"),
    "target": _number(
        "Rate hoped for (where power is given); in safety the unacceptable one.", "RATE"
    ),
    "power_at": _rates("Further true rates of the operating characteristics; repeat for several."),
    "rule": _word("single, or dual; dual also wants the posterior median beyond --target.", "RULE"),
    "level": _number("Posterior probability that decides (0.95)."),
    "direction": _word("above, or below; below for harms.", "WAY"),
    "type1": _number(
        "Bound on the type I error (exact, over all looks); the level is raised until it holds."
    ),
    "power": _number("Wanted power; at --target, in two-arm at --control-rate and --effect."),
    "assurance": Annotated[
        float | None,
        typer.Option(
            metavar="X",
            parser=_number_or_none,
            help="Wanted probability of success; or none (0.8, where no power is wanted).",
        ),
    ],
    "coverage": _number("Coverage of the interval (0.95)."),
    "n": _whole("Patients of the trial that is told of in words (40)."),
    "gain": _number("Wanted gain as a share of the variance now: gives the patients needed."),
    "threshold": _number("Rate that a conclusion is about; by default what is usual.", "RATE"),
    "months": _number(
        "Follow-up of the trial, for deaths (in next: 12; in two-arm the effect is then a log "
        "hazard ratio and rates are risks over it)."
    ),
    "width": _number("Wanted total width of the interval."),
    "margin": _number("Risk difference to exceed (0)."),
    "effect": _number("True risk difference at which power is given."),
    "n_min": _whole("Range of sample sizes: from this (5)."),
    "n_max": _whole("Range of sample sizes: up to this (300)."),
    "n_experimental": _whole(
        "One given size instead of the range: patients in the experimental arm."
    ),
    "n_control": _whole("One given size instead of the range: patients in the control arm."),
    "allocation": _number("Experimental patients per control (1)."),
    "control_rate": _rates("True control rate; repeat for several."),
    "control_range": _rates(
        "Ends of the control rates over which the type I error is kept (0 and 1); give both."
    ),
    "rate": _rates("True rate; repeat for several."),
    "cohort": _whole("Patients from one look to the next (5)."),
    "look": Annotated[
        list[int] | None,
        typer.Option(metavar="N", min=1, help="Patients at a look; repeat for several."),
    ],
    "futility": _number("Predictive probability of final success; below this the trial stops."),
    "efficacy": _number("Predictive probability of final success; above this the trial stops."),
    "stop_by": _word("What the trial goes by at interim looks: predictive or posterior.", "KIND"),
    "boundary": _word("Which boundary stops the trial: posterior or sprt.", "KIND"),
    "events_so_far": _whole("Events seen so far."),
    "n_so_far": _whole("Patients seen so far."),
    "analysis_prior": _word(
        f"What the trial's own analysis will use (beta(1,1)): {_MIXTURE}; of a fit: map, "
        "robust-map or map-unconstrained (shapes below 1 allowed). "
        "In single-arm, safety and monitor also full: the trial is analysed beside all old "
        "studies.",
        "PRIOR",
    ),
    "analysis_prior_experimental": _word(
        "The same of the experimental arm; the arms' own ones come first.", "PRIOR"
    ),
    "analysis_prior_control": _word(
        "The same of the control arm; the arms' own ones come first.", "PRIOR"
    ),
    "design_prior": _word(f"What is believed of the true rate: {_BELIEF}", "PRIOR"),
    "design_prior_experimental": _word(
        "The same of the experimental arm; the arms' own ones come first.", "PRIOR"
    ),
    "design_prior_control": _word(
        "The same of the control arm; the arms' own ones come first.", "PRIOR"
    ),
    "effect_prior": _word(
        "What is believed of the log odds ratio of experimental to control patients: "
        "normal(0.5,0.3), t(3,0.5,0.3), 0.6; of stored effects: new-study or effect. With "
        "--design-prior-control.",
        "PRIOR",
    ),
    "discount": _number("Optimism of the design prior on the log-odds (0)."),
    "sets": Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE.toml",
            help="Prior sets under which what a fit says is integrated again: names with commas, "
            "files, or all.",
        ),
    ],
    "prior": _word(
        f"Prior whose worth is told: {_MIXTURE}; of a fit: map, robust-map, new-study or rate.",
        "PRIOR",
    ),
}

FIT_OPTIONS: dict[str, tuple[Any, Any]] = {
    "path": (PathArgument, None),
    "sheet": (SheetOption, None),
    "folder": (
        Annotated[
            Path | None,
            typer.Option("--fit", metavar="DIR", help="Folder of a stored fit; else results."),
        ],
        None,
    ),
    "disease": (_word("Disease of the fit.", "DISEASE"), None),
    "outcome": (_word("Outcome of the fit.", "OUTCOME"), None),
    "robust_weight": (
        Annotated[float, typer.Option(metavar="X", help="Weight of the vague part (robust-map).")],
        0.2,
    ),
}

# Of effects, where none are stored in the folder.
EFFECT_OPTIONS: dict[str, tuple[Any, Any]] = {
    "analysis_set": (
        Annotated[
            str | None,
            typer.Option(
                "--set", metavar="SET", help="Integrate the effects of this analysis set anew."
            ),
        ],
        None,
    ),
}
