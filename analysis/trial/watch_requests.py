"""What may be asked of a watched trial: the watch over an adverse event, and interim looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from .checks import (
    LARGEST_SIZE,
    check_assurance,
    check_beyond,
    check_choice,
    check_count,
    check_data_so_far,
    check_decision,
    check_discount,
    check_looks,
    check_power,
    check_rates,
    check_sizes,
    check_stopping,
    several,
)
from .request import Request, Several

if TYPE_CHECKING:
    from ...models.rates.prior import AnyPrior
    from .operating import Analysis

# Looks of a safety watch where none are named: after every cohort of a usual trial.
COHORT, USUAL_PATIENTS = 5, 40
USUAL_TYPE1 = 0.05
BOUNDARIES = ("posterior", "sprt")


@dataclass(frozen=True, kw_only=True, eq=False)
class Safety(Request):
    """The watch over an adverse event."""

    design = "safety"
    sentence = "Watch for harm: detection, zero events, stopping boundary."
    any_analysis = True

    null: float | None = None
    target: float | None = None
    rate: Several | None = None
    power_at: Several = ()
    level: float = 0.95
    type1: float | None = None
    power: float = 0.8
    assurance: float = 0.8
    boundary: str = "posterior"
    n_min: int | None = None
    n_max: int | None = None
    cohort: int = COHORT
    look: Several | None = None
    n_so_far: int | None = None
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)"
    design_prior: str | AnyPrior | None = None
    discount: float = 0.0

    def __post_init__(self) -> None:
        check_choice("boundary", self.boundary, BOUNDARIES)
        check_rates(null=self.null, target=self.target, rate=self.rate, power_at=self.power_at)
        if self.null is not None:
            check_beyond("target", self.target, "null", self.null, None)
        if self.boundary == "sprt" and (self.null is None or self.target is None):
            raise InputError("boundary sprt compares two rates: give null (acceptable) and target")
        planned = (self.null, self.target, self.design_prior)
        if not several(self.rate) and all(value is None for value in planned):
            raise InputError("nothing to plan for: give null, rate or a design prior")
        check_rates(level=self.level, type1=self.type1, power=self.power)
        check_assurance(self.assurance, True)
        if isinstance(self.assurance, str):
            raise InputError("assurance none: in safety it is that of seeing an event; give it")
        check_count("cohort", self.cohort, least=1, most=LARGEST_SIZE)
        check_count("n_so_far", self.n_so_far, least=1)
        check_sizes(self.first, self.last)
        check_power(self.power, self.tested_type1)
        check_discount(self.discount, self.design_prior is not None)
        if self.look is not None:
            check_looks(several(self.look))

    @property
    def tested_type1(self) -> float:
        """Type I error of the sequential test."""
        return USUAL_TYPE1 if self.type1 is None else self.type1

    @property
    def last(self) -> int:
        """The largest number of patients: as given, those so far, or those of a usual trial."""
        if self.n_max is not None:
            return self.n_max
        return max(self.n_so_far or USUAL_PATIENTS, self.n_min or 1)

    @property
    def first(self) -> int:
        """The smallest number of patients at which the boundary is looked at."""
        return min(self.cohort, self.last) if self.n_min is None else self.n_min

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of patients at which the boundary is looked at: after each cohort, and last."""
        if self.look is None:
            return (*range(self.first, self.last, self.cohort), self.last)
        return tuple(int(look) for look in several(self.look))

    def to_dict(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON-ready values; the range of sizes is that of the looks."""
        looks = None if self.look is None else list(self.looks)
        ends = {"n_min": self.looks[0], "n_max": self.looks[-1], "look": looks}
        return super().to_dict({**ends, **said})

    @property
    def rates(self) -> tuple[float, ...]:
        """True rates of the operating characteristics."""
        named = (*several(self.null), *several(self.target), *several(self.rate))
        return tuple(sorted({*named, *several(self.power_at)}))


@dataclass(frozen=True, kw_only=True, eq=False)
class Monitor(Request):
    """Interim looks of a trial of one arm."""

    design = "monitor"
    sentence = "Set boundaries for interim looks."
    any_analysis = True

    null: float
    look: Several
    target: float | None = None
    power_at: Several = ()
    rate: Several | None = None
    rule: str = "single"
    level: float = 0.95
    direction: str = "above"
    type1: float | None = None
    futility: float | None = None
    efficacy: float | None = None
    events_so_far: int | None = None
    n_so_far: int | None = None
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)"
    design_prior: str | AnyPrior | None = None
    discount: float = 0.0

    def __post_init__(self) -> None:
        check_decision(self.rule, self.direction, self.null, self.target, several(self.power_at))
        check_rates(level=self.level, type1=self.type1, rate=self.rate)
        check_stopping(self.futility, self.efficacy)
        check_looks(several(self.look))
        check_data_so_far(self.events_so_far, self.n_so_far, several(self.look)[-1])
        check_discount(self.discount, self.design_prior is not None)

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of patients at the looks; the last is the final analysis."""
        return tuple(int(look) for look in several(self.look))

    def to_dict(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON-ready values."""
        return super().to_dict({"look": list(self.looks), **said})

    @property
    def rates(self) -> tuple[float, ...]:
        """True rates of the operating characteristics."""
        further = (*several(self.target), *several(self.power_at), *several(self.rate))
        return tuple(sorted({self.null, *further}))

    @property
    def so_far(self) -> tuple[int, int]:
        """Events and patients so far."""
        return self.events_so_far or 0, self.n_so_far or 0
