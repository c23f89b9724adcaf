"""What a randomised trial with interim looks answers, and its paragraph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .error_rate import ErrorRate
from .phrases import chance, listed, noise
from .two_arm_request import TwoArm


@dataclass(frozen=True)
class LookRow:
    """One look: patients in each arm, and by control count where the experimental count ends it."""

    n_experimental: int
    n_control: int
    boundary: tuple[dict[str, int | None], ...]


@dataclass(frozen=True)
class Ending:
    """The exact chance of each ending at a truth, and the mean number of patients.

    `truth` is null (the margin), target (the effect) or design prior, of which rates are None and
    whose success has a Monte-Carlo error where the prior is drawn.
    """

    truth: str
    control: float | None
    experimental: float | None
    futility: float
    efficacy: float
    success: float
    expected_n: float
    success_mcse: float | None


@dataclass(frozen=True)
class WatchedAnswer:
    """When a randomised trial stops, how often it does, and with how many patients."""

    looks: tuple[LookRow, ...]
    operating: tuple[Ending, ...]
    error_rate: ErrorRate
    level: float
    highest_attainable_assurance: float | None

    @property
    def power(self) -> float | None:
        """The smallest probability of success at the effect; None where none is named."""
        return min((row.success for row in self.operating if row.truth == "target"), default=None)

    @property
    def assurance(self) -> Ending | None:
        """The average over the design prior; None without one."""
        return next((row for row in self.operating if row.truth == "design prior"), None)


def paragraph(request: TwoArm, priors: Any, belief: str, rule: str, answer: WatchedAnswer) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    error = answer.error_rate
    looks = listed(
        f"{row.n_experimental} experimental and {row.n_control} control" for row in answer.looks
    )
    parts = [error.warning] if error.warning else []
    parts += [
        "This is a randomised two-arm trial with a binary outcome, experimental against control, "
        f"looked at after {looks} patients.",
        f"It is declared a {rule}.",
        *_stops(request),
        f"The analysis prior is {priors['experimental'].analysis.words} for the experimental and "
        f"{priors['control'].analysis.words} for the control rate.",
    ]
    if belief:
        parts.append(belief)
    parts.append(
        f"The exact type I error over all looks at a true difference of {request.margin:g}, "
        f"{request.range_words}, is at most {chance(error.overall)} where a stop for futility is "
        f"not counted on, and {chance(error.overall_binding)} where it binds."
    )
    parts += [_ending(row) for row in answer.operating]
    parts += _reached(request, answer)
    return " ".join(parts)


def _stops(request: TwoArm) -> list[str]:
    bounds = (("futility", "below", request.futility), ("efficacy", "above", request.efficacy))
    stops = [f"for {name} when it is {side} {v:g}" for name, side, v in bounds if v is not None]
    if not stops:
        return ["No interim look stops it."]
    what = "predictive probability of final success"
    if request.stop_by == "posterior":
        what = "posterior probability of the rule"
    return [f"At each interim look the {what} is computed; the trial stops {' and '.join(stops)}."]


def _ending(row: Ending) -> str:
    where = "Averaged over the design priors"
    if row.control is not None:
        where = f"At true rates of {row.experimental:g} (experimental, control {row.control:g})"
    return (
        f"{where} the trial succeeds with probability {chance(row.success)}"
        f"{noise(row.success_mcse)} (stops early for futility {chance(row.futility)}, for efficacy "
        f"{chance(row.efficacy)}) and treats {row.expected_n:.1f} patients on average."
    )


def _reached(request: TwoArm, answer: WatchedAnswer) -> list[str]:
    """Say whether the trial has what is wanted."""
    assurance = answer.assurance
    has = {"power": answer.power, "assurance": assurance and assurance.success}
    found = []
    for name, wanted in request.wanted.named.items():
        value = has[name]
        if value is not None:
            does = "reaches" if value >= wanted else "does not reach"
            found.append(f"It {does} the wanted {name} of {wanted:g}.")
    return found
