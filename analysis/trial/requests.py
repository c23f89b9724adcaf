"""What may be asked of the trial designer: a frozen value a design, refused where it is senseless.

The command line offers a subcommand for each of `REQUESTS` and an option for each of its fields,
and starts without waiting for numerical libraries.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from ...data.errors import InputError
from .checks import (
    DIRECTIONS,
    LARGEST_SIZE,
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

if TYPE_CHECKING:
    from ...models.rates.prior import AnyPrior
    from .operating import Analysis

Several = float | Sequence[float]
# Fields that take one rate or several.
RATES = ("power_at", "rate", "control_rate")
# Looks of a safety watch where none are named: after every cohort of a usual trial.
COHORT, USUAL_PATIENTS = 5, 40
USUAL_TYPE1 = 0.05
BOUNDARIES = ("posterior", "sprt")


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What was asked: the keywords of a design as they were given."""

    design: ClassVar[str]
    sentence: ClassVar[str]
    #: Whether the trial may be analysed otherwise than with a prior on its one rate.
    any_analysis: ClassVar[bool] = False

    @classmethod
    def keywords(cls) -> tuple[str, ...]:
        """Names of what may be given."""
        return tuple(each.name for each in fields(cls))

    @classmethod
    def priors(cls) -> tuple[str, ...]:
        """Names of the priors on a rate among them."""
        return tuple(name for name in cls.keywords() if "prior" in name)

    @classmethod
    def needed(cls) -> tuple[str, ...]:
        """Names of what must be given."""
        return tuple(each.name for each in fields(cls) if each.default is MISSING)

    def to_dict(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON-ready values.

        Parameters
        ----------
        said : mapping
            By field, what to say in the place of its value: priors are said in words.
        """
        told = {name: getattr(self, name) for name in self.keywords()}
        told |= {name: list(several(told[name])) for name in RATES if name in told}
        return {"design": self.design, **told, **said}


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
    assurance: float | None = 0.8
    coverage: float = 0.95
    n_min: int = 5
    n_max: int = 300
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)"
    design_prior: str | AnyPrior | None = None
    discount: float = 0.0

    def __post_init__(self) -> None:
        check_decision(self.rule, self.direction, self.null, self.target, several(self.power_at))
        if self.power is not None and self.target is None:
            raise InputError(f"power {self.power:g} is wanted at the target: give target")
        check_discount(self.discount, self.design_prior is not None)
        check_rates(
            level=self.level, type1=self.type1, power=self.power, assurance=self.assurance,
            coverage=self.coverage,
        )  # fmt: skip
        check_sizes(self.n_min, self.n_max)

    @property
    def sizes(self) -> range:
        """Numbers of patients in question."""
        return range(self.n_min, self.n_max + 1)

    @property
    def rates(self) -> tuple[float, ...]:
        """True rates at which power is given."""
        return tuple(dict.fromkeys((*several(self.target), *several(self.power_at))))


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoArm(Request):
    """A trial of an experimental arm against control."""

    design = "two-arm"
    sentence = "Size a trial of an experimental arm against control."

    margin: float = 0.0
    effect: float | None = None
    control_rate: Several | None = None
    level: float = 0.95
    direction: str = "above"
    type1: float | None = None
    power: float | None = None
    assurance: float | None = 0.8
    n_min: int = 5
    n_max: int = 300
    allocation: float = 1.0
    n_experimental: int | None = None
    n_control: int | None = None
    analysis_prior: str | AnyPrior = "beta(1,1)"
    analysis_prior_experimental: str | AnyPrior | None = None
    analysis_prior_control: str | AnyPrior | None = None
    design_prior: str | AnyPrior | None = None
    design_prior_experimental: str | AnyPrior | None = None
    design_prior_control: str | AnyPrior | None = None
    discount: float = 0.0

    def __post_init__(self) -> None:
        check_choice("direction", self.direction, DIRECTIONS)
        self._check_differences()
        check_rates(level=self.level, type1=self.type1, power=self.power, assurance=self.assurance)
        self._check_sizes()
        believed = self.believed
        if (believed[0] is None) != (believed[1] is None):
            missing = "experimental" if believed[0] is None else "control"
            raise InputError(
                f"assurance needs a design prior for both arms: give design_prior_{missing}"
            )
        check_discount(self.discount, believed[0] is not None)

    def _check_differences(self) -> None:
        for name, difference in (("margin", self.margin), ("effect", self.effect)):
            if difference is not None and not -1 < difference < 1:
                raise InputError(f"{name} {difference:g}: a risk difference lies between -1 and 1")
        check_beyond("effect", self.effect, "margin", self.margin, self.direction)
        if self.effect is not None and not self.rates:
            raise InputError(
                f"effect {self.effect:g} is added to a control rate: give control_rate"
            )
        check_rates(control_rate=self.rates)
        for rate in self.rates:
            if self.effect is not None and not 0 <= rate + self.effect <= 1:
                raise InputError(
                    f"effect {self.effect:g} leads from control_rate {rate:g} to "
                    f"{rate + self.effect:g}: choose them so that the experimental rate is from 0 "
                    "to 1"
                )
        if self.power is not None and self.effect is None:
            raise InputError(
                f"power {self.power:g} needs a true difference: give effect and control_rate"
            )

    def _check_sizes(self) -> None:
        if not math.isfinite(self.allocation) or self.allocation <= 0:
            raise InputError(
                f"allocation {self.allocation:g}: give experimental patients per control, > 0"
            )
        if (self.n_experimental is None) != (self.n_control is None):
            raise InputError("n_experimental and n_control belong together: give both")
        check_count("n_experimental", self.n_experimental, least=1, most=LARGEST_SIZE)
        check_count("n_control", self.n_control, least=1, most=LARGEST_SIZE)
        if not self.sized:
            check_sizes(self.n_min, self.n_max)
            if self.n_max < 2:
                raise InputError(f"n_max {self.n_max}: two arms need at least 2 patients")

    def to_dict(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON-ready values; the arms' own priors stand for what both share."""
        told = super().to_dict(said)
        return {k: v for k, v in told.items() if k not in ("analysis_prior", "design_prior")}

    @property
    def sized(self) -> bool:
        """Whether one size is given instead of a range."""
        return self.n_experimental is not None

    @property
    def rates(self) -> tuple[float, ...]:
        """True control rates at which power is given."""
        return several(self.control_rate)

    @property
    def believed(self) -> tuple[str | AnyPrior | None, str | AnyPrior | None]:
        """Design priors of the experimental and of the control rate."""
        return (
            self.design_prior_experimental or self.design_prior,
            self.design_prior_control or self.design_prior,
        )

    @property
    def sizes(self) -> list[tuple[int, int]]:
        """Experimental and control patients of every size in question."""
        if self.n_experimental is not None and self.n_control is not None:
            return [(self.n_experimental, self.n_control)]
        sizes = []
        for total in range(max(self.n_min, 2), self.n_max + 1):
            experimental = round(total * self.allocation / (1 + self.allocation))
            experimental = min(max(experimental, 1), total - 1)
            sizes.append((experimental, total - experimental))
        return sizes


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
        check_rates(level=self.level, type1=self.type1, power=self.power, assurance=self.assurance)
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

    prior: str | AnyPrior


REQUESTS = (SingleArm, TwoArm, Precision, Safety, Monitor, TwoStage, Ess)


def answers[**P, R, A](request: Callable[P, R]) -> Callable[[Callable[[R], A]], Callable[P, A]]:
    """Let a design be asked by keywords, which become its request at once.

    Parameters
    ----------
    request : type
        A frozen dataclass.

    Returns
    -------
    callable
        Decorator of a function of that value.
    """

    def decorate(answer: Callable[[R], A]) -> Callable[P, A]:
        @functools.wraps(answer)
        def ask(*args: P.args, **kwargs: P.kwargs) -> A:
            return answer(request(*args, **kwargs))

        del ask.__wrapped__
        ask.__dict__["__signature__"] = inspect.signature(request).replace(
            return_annotation=inspect.signature(answer).return_annotation
        )
        return ask

    return decorate
