"""What may be asked of the trial designer: a frozen value a design, refused where it is senseless.

The command line offers a subcommand for each of `REQUESTS` and an option for each of its fields,
and starts without waiting for numerical libraries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from .checks import (
    check_assurance,
    check_beyond,
    check_decision,
    check_discount,
    check_power,
    check_rates,
    check_sizes,
    several,
)
from .next_request import Next
from .request import Request, Sets, Several, Wanted, wanted
from .two_arm_request import TwoArm
from .watch_requests import Monitor, Safety

if TYPE_CHECKING:
    from ...models.rates.prior import AnyPrior
    from .operating import Analysis


@dataclass(frozen=True, kw_only=True, eq=False)
class SingleArm(Request):
    """A trial of one arm."""

    design = "single-arm"
    sentence = "Size a single-arm trial."
    any_analysis = True

    null: float
    target: float | None = None
    power_at: Several = ()
    rule: str = "single"
    level: float = 0.95
    direction: str = "above"
    type1: float | None = None
    power: float | None = None
    assurance: float | str | None = None
    coverage: float = 0.95
    n_min: int = 5
    n_max: int = 300
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)"
    design_prior: str | AnyPrior | None = None
    discount: float = 0.0
    sets: Sets = None

    def __post_init__(self) -> None:
        if self.sets is not None and not isinstance(self.sets, Mapping):
            raise InputError(
                "sets compare priors that are taken from a fit: name a disease and an outcome, or "
                "design_prior new-study"
            )
        check_decision(self.rule, self.direction, self.null, self.target, several(self.power_at))
        if self.power is not None and self.target is None:
            raise InputError(f"power {self.power:g} is wanted at the target: give target")
        check_discount(self.discount, self.design_prior is not None)
        check_rates(level=self.level, type1=self.type1, power=self.power, coverage=self.coverage)
        check_assurance(self.assurance, self.design_prior is not None)
        check_sizes(self.n_min, self.n_max)

    def to_dict(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON-ready values; prior sets by their names."""
        return super().to_dict({"sets": self.sets and list(self.sets), **said})

    @property
    def wanted(self) -> Wanted:
        """What a size must reach."""
        return wanted(self.assurance, self.power, self.design_prior is not None)

    @property
    def allowed_type1(self) -> float:
        """The type I error that is not to be passed: as bounded, or what the level leaves."""
        return round(1 - self.level, 12) if self.type1 is None else self.type1

    @property
    def sizes(self) -> range:
        """Numbers of patients in question."""
        return range(self.n_min, self.n_max + 1)

    @property
    def rates(self) -> tuple[float, ...]:
        """True rates at which power is given."""
        return tuple(dict.fromkeys((*several(self.target), *several(self.power_at))))


@dataclass(frozen=True, kw_only=True, eq=False)
class Precision(Request):
    """A trial for an interval's width."""

    design = "precision"
    sentence = "Size a trial for a wanted width of the interval."

    width: float
    coverage: float = 0.95
    n_min: int = 5
    n_max: int = 300
    analysis_prior: str | AnyPrior = "beta(1,1)"
    design_prior: str | AnyPrior | None = None

    def __post_init__(self) -> None:
        check_rates(width=self.width, coverage=self.coverage)
        check_sizes(self.n_min, self.n_max)


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoStage(Request):
    """A trial of one arm in two stages."""

    design = "two-stage"
    sentence = "Give Simon's optimal and minimax two-stage designs."

    null: float
    target: float
    type1: float = 0.05
    power: float = 0.8
    n_max: int = 300

    def __post_init__(self) -> None:
        check_rates(null=self.null, target=self.target, type1=self.type1, power=self.power)
        check_beyond("target", self.target, "null", self.null, None)
        check_power(self.power, self.type1)
        check_sizes(2, self.n_max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Ess(Request):
    """What a prior is worth."""

    design = "ess"
    sentence = "Tell how many patients a prior is worth."
    plans_trial = False

    prior: str | AnyPrior


REQUESTS = (SingleArm, TwoArm, Precision, Safety, Monitor, TwoStage, Ess, Next)
