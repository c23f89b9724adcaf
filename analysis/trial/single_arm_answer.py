"""What a single-arm design answers, and its paragraph."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...data.names import numbered
from .beliefs import Discounted, Priors
from .by_set import BySet
from .error_rate import ErrorRate
from .operating import Analysis
from .phrases import chance, listed, noise
from .requests import SingleArm
from .result import BESIDE, IF_ANY, Best
from .size_words import error_sentence, out_of_reach, size_sentences, under_discounts
from .sizing import Size


@dataclass(frozen=True)
class SizeRow:
    """One number of patients: critical count, error rates, power by true rate, assurance, width."""

    n: int
    critical: int | None
    type1: float
    power: dict[str, float]
    assurance: float | None
    width: float


@dataclass(frozen=True)
class Assured:
    """What the design prior allows, with Monte-Carlo errors of drawn priors.

    Attainable at most: its own probability of a rate beyond the null, and beyond what endless data
    must show. The errors without a number beside them are those of the recommended size.
    """

    highest_attainable_assurance: float
    highest_attainable_assurance_mcse: float | None
    limiting_assurance: float
    limiting_assurance_mcse: float | None
    best_assurance: Best | None
    assurance_mcse: float | None
    width_mcse: float | None


@dataclass(frozen=True)
class BinomialTest:
    """The exact test of the same size and power; no `n` where none in range suffices."""

    test: str
    type1_wanted: float
    power_wanted: float
    n: int | None = None
    critical: int | None = None
    type1: float | None = None
    power: float | None = None


@dataclass(frozen=True)
class SingleArmAnswer:
    """The recommended size, and what every size gives."""

    size: Size = field(metadata=BESIDE)
    table: tuple[SizeRow, ...]
    type1_above: tuple[int, ...]
    error_rate: ErrorRate
    best_power: Best | None = field(metadata=IF_ANY)
    assured: Assured | None = field(metadata=BESIDE)
    discounted: Discounted | None = field(metadata=BESIDE)
    frequentist: BinomialTest | None
    by_set: BySet | None = field(default=None, metadata=IF_ANY)

    @property
    def recommended_n(self) -> int | None:
        """The recommended number of patients."""
        return self.size.recommended_n

    @property
    def chosen(self) -> SizeRow | None:
        """The row of the recommended size."""
        return next((row for row in self.table if row.n == self.recommended_n), None)


def paragraph(
    request: SingleArm, priors: Priors[Analysis], rule: str, answer: SingleArmAnswer
) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    believed = priors.believed is not None
    error = answer.error_rate
    parts = [error.warning] if error.warning else []
    parts += [
        "This is a single-arm trial with a binary outcome.",
        f"The trial is declared a {rule}.",
        f"The analysis prior is {priors.analysis.words}.",
    ]
    if believed:
        parts.append(f"The design prior (the belief about the true rate) is {priors.belief}.")
    chosen, assured = answer.chosen, answer.assured
    best = (assured and assured.best_assurance, answer.best_power)
    parts += size_sentences(answer.size, "patients", request.n_max, best, believed)
    if chosen is not None:
        parts += _size(request, chosen, answer)
    if assured is not None:
        parts += [_attainable(request, assured), *under_discounts(answer.discounted)]
    if answer.by_set is not None:
        parts.append(answer.by_set.words(request.n_max))
    if answer.frequentist is not None:
        parts.append(_binomial_test(answer.frequentist, request.n_max))
    return " ".join(parts)


def _size(request: SingleArm, row: SizeRow, answer: SingleArmAnswer) -> list[str]:
    least = "at least" if request.direction == "above" else "at most"
    allowed = request.allowed_type1
    above = row.n in answer.type1_above
    assured, set_by = answer.assured, ""
    if request.type1 is not None:
        stricter = "level" if answer.error_rate.set_by == "level" else "type I error"
        set_by = f", a count set by the {stricter}, the stricter of the two"
    text = [
        f"With {numbered(row.n, 'patient')} the trial succeeds with {least} "
        f"{numbered(row.critical, 'event')}{set_by}.",
        f"The exact type I error at a true rate of {request.null:g} is {chance(row.type1)}"
        + (f", above one minus the level of {request.level:g}." if above else "."),
        *error_sentence(answer.size, request.n_max, row.type1, allowed),
    ]
    if row.power:
        at = listed(f"{power:.3f} at {rate}" for rate, power in row.power.items())
        text.append(f"The exact power is {at}.")
    if row.assurance is not None and assured is not None:
        text.append(f"The assurance is {row.assurance:.3f}{noise(assured.assurance_mcse)}.")
    text.append(
        f"The expected width of the central posterior interval of {request.coverage:g} "
        f"coverage is {row.width:.3f}{noise(assured and assured.width_mcse)}."
    )
    return text


def _attainable(request: SingleArm, assured: Assured) -> str:
    text = (
        "The highest attainable assurance, the design prior's own probability that the true rate "
        f"is {request.direction} {request.null:g}, is "
        f"{assured.highest_attainable_assurance:.3f}"
        f"{noise(assured.highest_attainable_assurance_mcse)}"
        f"{out_of_reach(request.wanted.assurance, assured.limiting_assurance)}"
    )
    if request.rule == "dual":
        text += (
            "; under the dual rule the assurance tends to "
            f"{assured.limiting_assurance:.3f}{noise(assured.limiting_assurance_mcse)} as "
            "the trial grows"
        )
    return text + "."


def _binomial_test(test: BinomialTest, n_max: int) -> str:
    asked = (
        f"The {test.test} test with type I error at most {test.type1_wanted:g} and power "
        f"{test.power_wanted:g} at the target"
    )
    if test.n is None:
        return f"{asked} needs more than {numbered(n_max, 'patient')}."
    return (
        f"{asked} needs {numbered(test.n, 'patient')} (critical count {test.critical}, type I "
        "error "
        f"{test.type1:.3f}, power {test.power:.3f})."
    )
