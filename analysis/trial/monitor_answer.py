"""What a plan of interim looks answers, and its paragraph."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...data.names import numbered
from .beliefs import Priors
from .error_rate import ErrorRate
from .operating import Analysis
from .phrases import chance, listed, noise
from .result import BESIDE
from .watch_requests import Monitor


@dataclass(frozen=True)
class Look:
    """The counts at which the trial ends."""

    n: int
    futility_at_most: int | None = None
    efficacy_at_least: int | None = None

    @property
    def sides(self) -> dict[str, tuple[str, int | None]]:
        """Which side of which count ends the trial, by the ending."""
        return {
            "futility": ("at most", self.futility_at_most),
            "efficacy": ("at least", self.efficacy_at_least),
        }

    @property
    def ends(self) -> dict[str, tuple[str, int]]:
        """The same of the endings that there are."""
        return {
            ending: (side, count)
            for ending, (side, count) in self.sides.items()
            if count is not None
        }

    def ending(self, events: int) -> str:
        """Say what follows from a count here."""
        for ending, (side, count) in self.ends.items():
            if events <= count if side == "at most" else events >= count:
                return ending
        return "continue"


@dataclass(frozen=True)
class HarmLook(Look):
    """The counts at which a trial of a harm ends: few events are a success, many are futile."""

    efficacy_at_most: int | None = None
    futility_at_least: int | None = None

    @property
    def sides(self) -> dict[str, tuple[str, int | None]]:
        """Which side of which count ends the trial, by the ending."""
        return {
            "efficacy": ("at most", self.efficacy_at_most),
            "futility": ("at least", self.futility_at_least),
        }


@dataclass(frozen=True)
class Ending:
    """The exact chance of each ending at a true rate, and the mean number of patients."""

    rate: float
    futility: float
    efficacy: float
    success: float
    expected_n: float


@dataclass(frozen=True)
class Outlook:
    """Probability of final success given the data so far, and what they say now."""

    success_probability: float
    success_probability_mcse: float | None = None
    success_probability_with_looks: float | None = None
    success_probability_with_looks_mcse: float | None = None
    decision_now: str | None = None


@dataclass(frozen=True)
class OneLook:
    """The exact test at the last look alone."""

    test: str
    type1_wanted: float
    n: int
    critical: int | None
    type1: float
    power: float | None


@dataclass(frozen=True)
class MonitorAnswer:
    """When the trial stops, how often it does, and whether it will succeed."""

    looks: tuple[Look, ...]
    operating: tuple[Ending, ...]
    error_rate: ErrorRate
    outlook: Outlook = field(metadata=BESIDE)
    frequentist: OneLook


def paragraph(request: Monitor, priors: Priors[Analysis], rule: str, answer: MonitorAnswer) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    looks = listed(f"{n}" for n in request.looks)
    error = answer.error_rate
    parts = [error.warning] if error.warning else []
    parts.append(f"Looks are taken after {looks} patients; {rule}.")
    bounds = (("futility", "below", request.futility), ("efficacy", "above", request.efficacy))
    stops = [
        f"for {name} when it is {side} {value:g}"
        for name, side, value in bounds
        if value is not None
    ]
    if stops:
        parts.append(
            "At each interim look the predictive probability of final success is computed; the "
            f"trial stops {' and '.join(stops)}."
        )
    parts.append(f"The analysis prior is {priors.analysis.words}.")
    parts += [_ends(look, look is answer.looks[-1]) for look in answer.looks]
    parts.append(
        f"The exact type I error over all looks, at a true rate of {request.null:g}, is "
        f"{chance(error.overall)} where a stop for futility is not counted on, and "
        f"{chance(error.overall_binding)} where it binds."
    )
    for row in answer.operating:
        parts.append(
            f"At a true rate of {row.rate:g} the trial succeeds with probability "
            f"{chance(row.success)} (stops early for futility {chance(row.futility)}, for efficacy "
            f"{chance(row.efficacy)}) and treats {row.expected_n:.1f} patients on average."
        )
    if priors.believed is not None:
        parts.append(f"The design prior is {priors.belief}.")
    parts.append(_expected(request, priors, answer.outlook))
    if answer.outlook.decision_now is not None:
        parts.append(_decision(answer.outlook.decision_now, request.n_so_far == request.looks[-1]))
    test = answer.frequentist
    if test.critical is not None:
        power = "" if test.power is None else f", power {chance(test.power)}"
        parts.append(
            f"The exact one-sided binomial test without interim looks has the critical count "
            f"{test.critical} (type I error {chance(test.type1)}{power})."
        )
    return " ".join(parts)


def _ends(look: Look, final: bool) -> str:
    """Say at which counts a trial ends at a look."""
    ends = {
        name: f"with {side} {numbered(count, 'event')}" for name, (side, count) in look.ends.items()
    }
    if final:
        said = f"success {ends['efficacy']}" if "efficacy" in ends else "no count is a success"
    elif ends:
        said = "stop " + " and ".join(f"for {name} {count}" for name, count in ends.items())
    else:
        said = "no count stops it"
    return f"After {numbered(look.n, 'patient')}: {said}."


def _expected(request: Monitor, priors: Priors[Analysis], outlook: Outlook) -> str:
    """Say the probability of success, under which prior, and what the looks ahead make of it."""
    given = "Before the trial"
    if request.n_so_far is not None:
        given = (
            f"Given {numbered(request.events_so_far, 'event')} in "
            f"{numbered(request.n_so_far, 'patient')}"
        )
    text = (
        f"{given} the probability of success at the last look is "
        f"{outlook.success_probability:.3f}{noise(outlook.success_probability_mcse)} "
        f"under the {'analysis' if priors.believed is None else 'design'} prior"
    )
    with_looks = outlook.success_probability_with_looks
    ahead = [n for n in request.looks[:-1] if n > request.so_far[1]]
    stops = request.futility is not None or request.efficacy is not None
    if ahead and stops and with_looks is not None:
        error = noise(outlook.success_probability_with_looks_mcse)
        text += f"; with the stops of the looks ahead it is {with_looks:.3f}{error}"
    return text + "."


def _decision(decision: str, final: bool) -> str:
    if final:
        return f"The trial is {'a' if decision == 'efficacy' else 'no'} success."
    to = "continue" if decision == "continue" else f"stop for {decision}"
    return f"The decision now is to {to}."
