"""What may be asked of a fit on the command line, once for every command that fits."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from ...models.pooling import POOLINGS
from ..fitting.sampling import SEED, Sampling

if TYPE_CHECKING:
    from ...data.evidence import Evidence

PathArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="PATH",
        help="Folder of tables, CSV or workbook; the shipped evidence if left out.",
    ),
]
SheetOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Sheet of a workbook that has several.")
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, and nothing else, on stdout.")
]
FolderArgument = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of a stored fit; results if left out.")
]
OutOption = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write to.")]
PoolingOption = Annotated[
    str,
    typer.Option(
        metavar="HOW",
        help=f"How diseases inform each other: {', '.join([*POOLINGS][:-1])} or {[*POOLINGS][-1]}.",
    ),
]
PriorsOption = Annotated[
    str,
    typer.Option(
        metavar="NAME|FILE.toml", help="Priors of mu, tau and sigma: a named set or a prior file."
    ),
]
DrawsOption = Annotated[int, typer.Option(metavar="N", min=1, help="Draws kept of each chain.")]
TuneOption = Annotated[int, typer.Option(metavar="N", min=1, help="Tuning steps of each chain.")]
ChainsOption = Annotated[int, typer.Option(metavar="N", min=1, help="Chains.")]
SeedOption = Annotated[int, typer.Option(metavar="N", min=0, help="Makes a run repeatable.")]
RefitOption = Annotated[
    bool, typer.Option("--refit", help="Fit even where the same request is stored.")
]
NoCheckOption = Annotated[
    bool, typer.Option("--no-check", help="Skip the guard; all that is written says so.")
]
ModeratorOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN[=LEVEL]",
        help="Columns that may explain why studies differ; a text's levels are compared with "
        "LEVEL. Repeat for several.",
    ),
]
AtOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE",
        help="Values of moderators to report at; at their mean or reference if left out. Repeat "
        "for several.",
    ),
]


@dataclass(frozen=True)
class SelectionOptions:
    """What part of which data set is asked for."""

    path: PathArgument = None
    sheet: SheetOption = None
    analysis_set: Annotated[
        str,
        typer.Option(
            "--set",
            metavar="SET",
            help="Analysis set: core, reported, counted, current or everything.",
        ),
    ] = "core"
    definitions: Annotated[
        str,
        typer.Option(
            metavar="WHICH",
            help="Which definition of an outcome counts where a study has several: primary or "
            "alternative.",
        ),
    ] = "primary"
    outcome: Annotated[
        list[str] | None,
        typer.Option(metavar="OUTCOME", help="Only these outcomes; repeat for several."),
    ] = None
    disease: Annotated[
        list[str] | None,
        typer.Option(metavar="DISEASE", help="Only these diseases; repeat for several."),
    ] = None
    drop: Annotated[
        list[str] | None,
        typer.Option(metavar="STUDY", help="Studies left out; repeat for several."),
    ] = None
    use: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STUDY",
            help="Overlapping studies used in place of their cohort's rows; repeat for several.",
        ),
    ] = None

    means: Annotated[
        bool,
        typer.Option("--means", help="Let in counts that follow from means, where nobody counted."),
    ] = False

    def evidence(self) -> Evidence:
        """Read and check the data set and select what is asked for."""
        from ...data.evidence import load_evidence

        return load_evidence(
            self.path,
            sheet=self.sheet,
            analysis_set=self.analysis_set,
            definitions=self.definitions,
            outcomes=tuple(self.outcome or ()),
            diseases=tuple(self.disease or ()),
            drop=tuple(self.drop or ()),
            use=tuple(self.use or ()),
            means=self.means,
        )


@dataclass(frozen=True)
class SamplingOptions(SelectionOptions):
    """How the model is fitted, and where the results go."""

    pooling: PoolingOption = "partial"
    engine: Annotated[
        str,
        typer.Option(
            metavar="ENGINE",
            help="Sample all outcomes together, or integrate each outcome numerically: nuts or "
            "exact.",
        ),
    ] = "nuts"
    draws: DrawsOption = 1000
    tune: TuneOption = 1000
    chains: ChainsOption = 4
    seed: SeedOption = SEED
    out: OutOption = Path("results")
    refit: RefitOption = False

    @property
    def sampling(self) -> Sampling:
        """By which engine, with how many draws and from which seed."""
        return Sampling(self.engine, self.draws, self.tune, self.chains, self.seed)


@dataclass(frozen=True)
class FitOptions(SamplingOptions):
    """A request for a fit, as it is typed."""

    priors: PriorsOption = "default"
    no_check: NoCheckOption = False


@dataclass(frozen=True)
class ModeratorOptions(SamplingOptions):
    """What may explain why studies differ."""

    moderator: ModeratorOption = None
    at: AtOption = None

    def evidence(self) -> Evidence:
        """Read and check the data set and select what is asked for, with its moderators."""
        moderators, at = tuple(self.moderator or ()), tuple(self.at or ())
        return super().evidence().select(moderators=moderators, at=at)


@dataclass(frozen=True)
class ModeratedFitOptions(FitOptions, ModeratorOptions):
    """A request for a fit, perhaps with moderators, as it is typed."""


def takes(options: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let a command take every field of a dataclass as an option, gathered in one value.

    Parameters
    ----------
    options : type
        A frozen dataclass whose annotations are typer's.

    Returns
    -------
    callable
        Decorator of a command whose first parameter is that value.
    """
    hints = get_type_hints(options, include_extras=True)
    gathered = {field.name: field.default for field in fields(options)}

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(command)
        def run(**given: Any) -> Any:
            request = options(**{name: given.pop(name) for name in gathered})
            return command(request, **given)

        own = list(inspect.signature(command, eval_str=True).parameters.values())[1:]
        shared = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[name]
            )
            for name, default in gathered.items()
        ]
        own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
        del run.__wrapped__
        run.__dict__["__signature__"] = inspect.Signature([*shared, *own])
        run.__annotations__ = {each.name: each.annotation for each in (*shared, *own)}
        return run

    return decorate
