"""What a two-arm design answers, and its paragraph."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...data.names import numbered
from .beliefs import Discounted, Priors
from .by_set import BySet
from .error_rate import ErrorRate
from .phrases import chance, listed, noise
from .result import BESIDE, IF_ANY, Best
from .size_words import error_sentence, out_of_reach, size_sentences, under_discounts
from .sizing import Size
from .two_arm_request import TwoArm


@dataclass(frozen=True)
class SizeRow:
    """One size: assurance, smallest power over the control rates, largest type I error."""

    n_experimental: int
    n_control: int
    assurance: float | None
    power: float | None
    type1_max: float


@dataclass(frozen=True)
class Success:
    """The exact probability of success at a pair of true rates, of one size."""

    n_experimental: int
    n_control: int
    control: float
    experimental: float
    success: float


@dataclass(frozen=True)
class NormalTest:
    """The usual sizes of a one-sided test of two proportions."""

    test: str
    type1_wanted: float
    power_wanted: float
    n_experimental: int
    n_control: int


@dataclass(frozen=True)
class TwoArmAnswer:
    """The recommended size, and what every size gives.

    `level`, `operating` and the error of the assurance are those of `shown`: the recommended size,
    or else the largest.
    """

    size: Size = field(metadata=BESIDE)
    table: tuple[SizeRow, ...]
    operating: tuple[Success, ...]
    level: float
    error_rate: ErrorRate
    highest_attainable_assurance: float | None
    highest_attainable_assurance_mcse: float | None
    attainable_alone: float | None = field(metadata=IF_ANY)
    assurance_mcse: float | None
    best_assurance: Best | None
    best_power: Best | None
    frequentist: NormalTest | None
    discounted: Discounted | None = field(metadata=BESIDE)
    by_set: BySet | None = field(default=None, metadata=IF_ANY)

    @property
    def recommended_n(self) -> int | None:
        """The recommended number of patients, both arms."""
        return self.size.recommended_n

    @property
    def shown(self) -> SizeRow:
        """The row of the size whose operating characteristics are given."""
        size = self.operating[0].n_experimental, self.operating[0].n_control
        return next(row for row in self.table if (row.n_experimental, row.n_control) == size)


def paragraph(
    request: TwoArm, arms: dict[str, Priors], belief: str, rule: str, answer: TwoArmAnswer
) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    experimental, control = arms["experimental"], arms["control"]
    believed = experimental.believed is not None
    error = answer.error_rate
    parts = [error.warning] if error.warning else []
    parts += [
        "This is a randomised two-arm trial with a binary outcome, experimental against control.",
        f"The trial is declared a {rule}.",
        f"The analysis prior is {experimental.analysis.words} for the experimental and "
        f"{control.analysis.words} for the control rate.",
    ]
    if belief:
        parts.append(belief)
    if not request.sized:
        best = (answer.best_assurance, answer.best_power)
        parts += size_sentences(answer.size, "patients in total", request.n_max, best, believed)
    parts.append(_shown(request, answer))
    if not request.sized:
        largest = answer.shown.type1_max
        parts += error_sentence(answer.size, request.n_max, largest, request.allowed_type1)
    if answer.highest_attainable_assurance is not None:
        parts.append(
            "The highest attainable assurance, the design priors' own probability that the true "
            f"difference is {request.direction} {request.margin:g}, is "
            f"{answer.highest_attainable_assurance:.3f}"
            f"{noise(answer.highest_attainable_assurance_mcse)}"
            f"{out_of_reach(request.wanted.assurance, answer.highest_attainable_assurance)}"
            f"{_alone(answer.attainable_alone)}."
        )
        parts += under_discounts(answer.discounted)
    if answer.by_set is not None:
        parts.append(answer.by_set.words(request.n_max))
    test = answer.frequentist
    if test is not None:
        parts.append(
            f"A {test.test} with type I error {test.type1_wanted:g} and power "
            f"{test.power_wanted:g} needs {test.n_experimental} experimental and "
            f"{numbered(test.n_control, 'control patient')}."
        )
    return " ".join(parts)


def _alone(attainable: float | None) -> str:
    """Say what of the attainable assurance is the disease's own."""
    if attainable is None:
        return ""
    return (
        f"; by the effects in this disease's own studies alone it would be {attainable:.3f}, and "
        "the difference is borrowed from other diseases"
    )


def _shown(request: TwoArm, answer: TwoArmAnswer) -> str:
    row = answer.shown
    text = (
        f"With {row.n_experimental} experimental and {numbered(row.n_control, 'control patient')}"
    )
    if request.type1 is not None:
        by = "level" if answer.error_rate.set_by == "level" else "type I error"
        text += (
            f" success needs a posterior probability above {answer.level:.12g} (set by the {by}), "
            "and"
        )
    text += (
        f" the type I error is at most {chance(row.type1_max)} at a true difference of "
        f"{request.margin:g}, {request.range_words}"
    )
    if row.power is not None:
        rates = listed(f"{rate:g}" for rate in request.rates)
        least = "smallest " if len(request.rates) > 1 else ""
        text += (
            f"; the {least}power at a true difference of {request.effect:g} and a control rate "
            f"of {rates} is {row.power:.3f}"
        )
    if row.assurance is not None:
        text += f"; the assurance is {row.assurance:.3f}{noise(answer.assurance_mcse)}"
    return text + "."
