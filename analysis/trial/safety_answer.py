"""What the watch over an adverse event answers, and its paragraph."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...data.names import numbered
from .beliefs import Priors
from .error_rate import ErrorRate
from .operating import Analysis
from .phrases import chance, listed, noise
from .result import IF_ANY
from .watch_requests import Safety

# More stretches of counts than these are left to the table.
MOST_COUNTS = 12


@dataclass(frozen=True)
class Detection:
    """Patients among whom an event is seen, at a rate or (None) averaged over the design prior."""

    rate: float | None
    n: int | None
    seen: float | None
    seen_mcse: float | None


@dataclass(frozen=True)
class ZeroEvents:
    """Upper bounds that no event in `n` patients would leave."""

    n: int
    upper: float
    upper_design_prior: float | None
    upper_design_prior_mcse: float | None
    rule_of_three: float


@dataclass(frozen=True)
class Look:
    """The counts at which the trial stops for harm, or clears."""

    n: int
    stop_at: int | None
    clear_at: int | None


@dataclass(frozen=True)
class Ending:
    """The exact chance of each ending at a true rate, and the mean number of patients."""

    rate: float
    stop: float
    clear: float
    expected_n: float


@dataclass(frozen=True)
class AverageEnding:
    """The same averaged over the design prior, with the errors of a drawn one."""

    stop: float
    stop_mcse: float | None
    clear: float
    clear_mcse: float | None
    expected_n: float
    expected_n_mcse: float | None


@dataclass(frozen=True)
class ExactBounds:
    """The frequentist counterpart: a confidence bound, and the sequential test at both rates."""

    exact_upper: float
    sprt: tuple[Ending, ...] | None = field(default=None, metadata=IF_ANY)


@dataclass(frozen=True)
class SafetyAnswer:
    """How many patients show an event, and when the trial stops."""

    n_to_detect: int | None
    detection: tuple[Detection, ...]
    zero_events: ZeroEvents
    boundary: tuple[Look, ...]
    operating: tuple[Ending, ...]
    error_rate: ErrorRate | None
    frequentist: ExactBounds
    operating_design_prior: AverageEnding | None = field(default=None, metadata=IF_ANY)


def paragraph(request: Safety, priors: Priors[Analysis], rule: str, answer: SafetyAnswer) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    error = answer.error_rate
    parts = [error.warning] if error is not None and error.warning else []
    parts += [_detected(row, request.assurance) for row in answer.detection]
    if priors.believed is not None:
        parts.append(f"The design prior is {priors.belief}.")
    zero = answer.zero_events
    parts.append(
        f"No event among {numbered(zero.n, 'patient')} would leave an upper posterior bound of "
        f"{chance(zero.upper)} (probability {request.level:g}, analysis prior "
        f"{priors.analysis.words}){_under_design_prior(zero)}; the rule of three gives "
        f"{chance(zero.rule_of_three)}, the exact confidence bound is "
        f"{chance(answer.frequentist.exact_upper)}."
    )
    if not answer.boundary:
        return " ".join(parts)
    looks = f"from {request.looks[0]} to {request.looks[-1]}"
    if len(request.looks) <= MOST_COUNTS:
        looks = f"at {listed(f'{n}' for n in request.looks)}"
    parts.append(f"Stopping rule: {rule}, {looks} patients.")
    if error is not None:
        parts.append(
            f"The exact probability of a stop over all looks at the acceptable rate of "
            f"{request.null:g} is {chance(error.overall)}"
            + (
                f" where no trial is cleared, and {chance(error.overall_binding)} where one may be."
                if request.boundary == "sprt"
                else "."
            )
        )
    parts += _counts(answer.boundary, "stop_at", "stops", "least")
    parts += _counts(answer.boundary, "clear_at", "clears", "most")
    for row in answer.operating:
        cleared = f", is cleared with probability {chance(row.clear)}" if row.clear else ""
        parts.append(
            f"At a true rate of {row.rate:g} the trial stops for harm with probability "
            f"{chance(row.stop)}{cleared} and treats {row.expected_n:.1f} patients on average."
        )
    if answer.operating_design_prior is not None:
        parts.append(_stops_believed(answer.operating_design_prior))
    ratio = answer.frequentist.sprt
    if ratio is not None and request.boundary == "posterior":
        parts.append(
            f"The truncated sequential probability ratio test of {request.null:g} against "
            f"{request.target:g} at the same looks stops for harm with probability "
            f"{chance(ratio[0].stop)} and {chance(ratio[1].stop)} at these rates."
        )
    return " ".join(parts)


def _detected(row: Detection, wanted: float) -> str:
    where = "averaged over the design prior"
    if row.rate is not None:
        where = f"if the true rate is {row.rate:g}"
    n = "more patients than any trial treats" if row.n is None else f"{numbered(row.n, 'patient')}"
    reached = ""
    if row.seen is not None and row.seen_mcse is not None:
        reached = f", with which it is {row.seen:.3f}{noise(row.seen_mcse)}"
    return (
        f"To see at least one event with probability {wanted:g} {where}, {n} are needed{reached}."
    )


def _under_design_prior(zero: ZeroEvents) -> str:
    upper = zero.upper_design_prior
    if upper is None:
        return ""
    return f", and of {chance(upper)}{noise(zero.upper_design_prior_mcse)} under the design prior"


def _counts(boundary: tuple[Look, ...], side: str, does: str, least: str) -> list[str]:
    """Say the counts of a boundary, where they are few enough for a paragraph."""
    stretches: list[tuple[int, int, int]] = []
    for look in boundary:
        count = getattr(look, side)
        if count is None:
            continue
        if stretches and stretches[-1][0] == count:
            stretches[-1] = (count, stretches[-1][1], look.n)
        else:
            stretches.append((count, look.n, look.n))
    if not 0 < len(stretches) <= MOST_COUNTS:
        return []
    among = listed(
        f"{count} among {first}" + (f" to {last}" if last > first else "")
        for count, first, last in stretches
    )
    return [f"It {does} with at {least} {among} patients."]


def _stops_believed(row: AverageEnding) -> str:
    cleared = ""
    if row.clear:
        cleared = f", is cleared with probability {chance(row.clear)}{noise(row.clear_mcse)}"
    return (
        f"Averaged over the design prior it stops for harm with probability {chance(row.stop)}"
        f"{noise(row.stop_mcse)}{cleared} and treats {row.expected_n:.1f} patients"
        f"{noise(row.expected_n_mcse)} on average."
    )
