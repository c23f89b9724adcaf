"""What may be asked of a trial of an experimental arm against control."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from .checks import (
    DIRECTIONS,
    LARGEST_SIZE,
    check_assurance,
    check_beyond,
    check_choice,
    check_count,
    check_discount,
    check_looks,
    check_range,
    check_rates,
    check_sizes,
    check_stopping,
    several,
)
from .request import Request, Sets, Several, Wanted, wanted

# What an interim look goes by.
STOPS = ("predictive", "posterior")

if TYPE_CHECKING:
    from ...models.effects.belief import EffectBelief
    from ...models.rates.prior import AnyPrior


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
    control_range: Sequence[float] | None = None
    power: float | None = None
    assurance: float | str | None = None
    n_min: int = 5
    n_max: int = 300
    allocation: float = 1.0
    n_experimental: int | None = None
    n_control: int | None = None
    look: Several | None = None
    futility: float | None = None
    efficacy: float | None = None
    stop_by: str = "predictive"
    analysis_prior: str | AnyPrior = "beta(1,1)"
    analysis_prior_experimental: str | AnyPrior | None = None
    analysis_prior_control: str | AnyPrior | None = None
    design_prior: str | AnyPrior | None = None
    design_prior_experimental: str | AnyPrior | None = None
    design_prior_control: str | AnyPrior | None = None
    effect_prior: str | float | EffectBelief | None = None
    months: float | None = None
    discount: float = 0.0
    sets: Sets = None

    def __post_init__(self) -> None:
        check_choice("direction", self.direction, DIRECTIONS)
        self._check_differences()
        check_rates(level=self.level, type1=self.type1, power=self.power)
        self._check_sizes()
        self._check_effect()
        self._check_looks()
        if self.sets is not None and (not isinstance(self.sets, Mapping) or self.sized):
            raise InputError(
                "sets compare sizes under an effect that is taken from stored effects: give "
                "effect_prior new-study, and no size"
            )
        believed = self.believed
        if (believed[0] is None) != (believed[1] is None):
            missing = "experimental" if believed[0] is None else "control"
            raise InputError(
                f"assurance needs a design prior for both arms: give design_prior_{missing}"
            )
        check_discount(self.discount, believed[0] is not None)
        check_assurance(self.assurance, believed[0] is not None)

    def _check_looks(self) -> None:
        check_choice("stop_by", self.stop_by, STOPS)
        check_stopping(self.futility, self.efficacy)
        if self.look is None:
            if self.futility is not None or self.efficacy is not None:
                raise InputError("futility and efficacy are of interim looks: give look")
            return
        check_looks(several(self.look))
        if self.n_experimental is not None:
            raise InputError(
                "look gives the patients of both arms, and its last all of them: leave out "
                "n_experimental and n_control"
            )
        if self.rest_of_looks:
            raise InputError(f"look {self.rest_of_looks}: two arms need at least 2 patients")

    @property
    def looks(self) -> tuple[int, ...]:
        """Patients of both arms at each look; none where the trial is not watched."""
        return tuple(int(n) for n in several(self.look))

    @property
    def rest_of_looks(self) -> int | None:
        """A look with fewer patients than arms; None where there is none."""
        return next((n for n in self.looks if n < 2), None)

    def _check_effect(self) -> None:
        if self.months is not None and not (math.isfinite(self.months) and self.months > 0):
            raise InputError(f"months {self.months:g}: give the length of follow-up, above 0")
        if self.effect_prior is None:
            if self.months is not None:
                raise InputError("months are of an effect on deaths: give effect_prior")
            return
        if self.design_prior is not None or self.design_prior_experimental is not None:
            raise InputError(
                "effect_prior with design_prior_control stands for the design priors of both arms: "
                "leave out design_prior and design_prior_experimental"
            )
        if self.design_prior_control is None:
            raise InputError(
                "effect_prior moves a control rate: give design_prior_control, such as beta(4,16)"
            )

    def _check_differences(self) -> None:
        for name, difference in (("margin", self.margin), ("effect", self.effect)):
            if difference is not None and not -1 < difference < 1:
                raise InputError(f"{name} {difference:g}: a risk difference lies between -1 and 1")
        check_range("control_range", self.control_range)
        low, high = self.controls
        if low > high:
            raise InputError(
                f"control_range: no control rate there lets the true difference be the margin "
                f"{self.margin:g}; widen it"
            )
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
        told["sets"] = self.sets and list(self.sets)
        told["look"] = list(self.looks) or None
        told["control_range"] = self.control_range and list(several(self.control_range))
        return {k: v for k, v in told.items() if k not in ("analysis_prior", "design_prior")}

    @property
    def wanted(self) -> Wanted:
        """What a size must reach."""
        return wanted(self.assurance, self.power, self.believed[0] is not None)

    @property
    def controls(self) -> tuple[float, float]:
        """Ends of the control rates at which a false success is counted."""
        low, high = (0.0, 1.0) if self.control_range is None else several(self.control_range)
        return max(low, -self.margin), min(high, 1 - self.margin)

    @property
    def range_words(self) -> str:
        """Over which control rates the type I error is the largest, in words."""
        if self.control_range is None:
            return "over all control rates"
        low, high = several(self.control_range)
        return f"over control rates from {low:g} to {high:g}"

    @property
    def allowed_type1(self) -> float:
        """The type I error that is not to be passed: as bounded, or what the level leaves."""
        return round(1 - self.level, 12) if self.type1 is None else self.type1

    @property
    def sized(self) -> bool:
        """Whether one size is given instead of a range."""
        return self.n_experimental is not None or self.look is not None

    @property
    def rates(self) -> tuple[float, ...]:
        """True control rates at which power is given."""
        return several(self.control_rate)

    @property
    def believed(self) -> tuple[Any, str | AnyPrior | None]:
        """Design priors of the experimental rate (or of the effect) and of the control rate."""
        if self.effect_prior is not None:
            return self.effect_prior, self.design_prior_control
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
        totals = range(max(self.n_min, 2), self.n_max + 1)
        for total in self.looks or totals:
            experimental = round(total * self.allocation / (1 + self.allocation))
            experimental = min(max(experimental, 1), total - 1)
            sizes.append((experimental, total - experimental))
        return sizes
