"""What a further trial would teach: the answer's values, and its sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...data.names import numbered, outcome_words
from .next_request import Next
from .phrases import percent
from .result import IF_ANY

# Diseases without data teach the same but for rounding.
_ALIKE = 1e-6


@dataclass(frozen=True)
class Gain:
    """A trial of n patients in a disease: what it is expected to teach.

    Attributes
    ----------
    sd_now : float
        Standard deviation of the disease's rate (probability scale) before the trial.
    variance_gain, variance_gain_all : float
        Expected fall of the variance of that rate, and the mean of the falls over all diseases.
    share, share_all : float
        The same as shares of the variance now (and of its mean over all diseases).
    width_now, width_expected : float
        Width of the central interval of the rate, before the trial and expected after it.
    settled, settled_above, settled_below : float or None
        Probability that an open conclusion is settled, either way and each; None where it is
        settled now.
    """

    outcome: str
    disease: str
    n: int
    sd_now: float
    variance_gain: float
    variance_gain_all: float
    share: float
    share_all: float
    width_now: float
    width_expected: float
    settled: float | None
    settled_above: float | None
    settled_below: float | None


@dataclass(frozen=True)
class Place:
    """A disease's rate of an outcome as it stands, and how far one trial there can lead.

    Attributes
    ----------
    threshold, above_now : float
        Whether the rate exceeds it is the conclusion, and the probability of that now.
    most, most_all : float
        Shares of the variances that one trial takes at most, however large.
    needed, needed_all : int or None
        The smallest number of patients for the wanted gain, in this disease and averaged over all;
        None where none in range suffices.
    """

    outcome: str
    disease: str
    threshold: float
    above_now: float
    most: float
    most_all: float
    needed: int | None = field(default=None, metadata=IF_ANY)
    needed_all: int | None = field(default=None, metadata=IF_ANY)


@dataclass(frozen=True)
class NextAnswer:
    """Every trial in question, what limits it, which outcomes could not be asked, and why.

    ``without_nested`` names, by outcome, the nested one whose rows would tell of it too, but cannot
    be integrated: what is known now is then less than the sampled fit knows.
    """

    table: tuple[Gain, ...]
    places: tuple[Place, ...]
    not_integrated: tuple[str, ...]
    left_out: tuple[str, ...]
    without_nested: Mapping[str, str]
    numerical_error: float

    def of(self, outcome: str, n: int) -> list[tuple[Gain, Place]]:
        """Return the trials of a size for an outcome, one a disease."""
        rows = [row for row in self.table if (row.outcome, row.n) == (outcome, n)]
        return list(zip(rows, [p for p in self.places if p.outcome == outcome], strict=True))

    @property
    def outcomes(self) -> list[str]:
        """The outcomes, in order."""
        return list(dict.fromkeys(row.outcome for row in self.table))


def paragraph(request: Next, answer: NextAnswer, diseases: int) -> str:
    """Say for each outcome in two sentences where the next patients teach most.

    Parameters
    ----------
    request : Next
        What was asked.
    answer : NextAnswer
        What was found; every number is taken from it.
    diseases : int
        Number of diseases of the fit.
    """
    told = [
        " ".join(sentences(request, answer.of(outcome, request.n), diseases))
        for outcome in answer.outcomes
    ]
    return "\n".join([*told, *answer.left_out])


def sentences(request: Next, trials: Sequence[tuple[Gain, Place]], diseases: int) -> Iterator[str]:
    """Say of one outcome where a trial teaches most: of its own disease, and of all."""
    row, place, where = _best(trials, "variance_gain")
    many = f"{request.n} further patient{'s' if request.n > 1 else ''}"
    several = len(trials) > 1
    told = f"{many} would teach most about their own disease in {where}" if several else many
    if not several and diseases > 1:
        told += f" in {where}"
    yield (
        f"{outcome_words(row.outcome)}: {told}: the variance of its rate is expected to fall by "
        f"{percent(row.share)} (its {100 * request.coverage:g} % interval, "
        f"{_points(row.width_now)} wide, to an expected {_points(row.width_expected)}), and "
        f"{_settling(row, place)}{_needing(request, place.needed, place.most)}."
    )
    if diseases < 2:
        return
    row, place, where = _best(trials, "variance_gain_all")
    most = f" they would teach most in {where}, where" if several else ""
    yield (
        f"Averaged over the {diseases} diseases{most} the variances are expected to fall by "
        f"{percent(row.share_all)} of their mean"
        f"{_needing(request, place.needed_all, place.most_all)}."
    )


def _best(trials: Sequence[tuple[Gain, Place]], name: str) -> tuple[Gain, Place, str]:
    """Return the trial that teaches most, and in words where it is; others may teach as much."""
    row, place = max(trials, key=lambda each: getattr(each[0], name))
    least = getattr(row, name) * (1 - _ALIKE)
    alike = [each.disease.replace("_", " ") for each, _ in trials if getattr(each, name) >= least]
    return row, place, " or ".join(alike)


def _points(width: float) -> str:
    return f"{100 * width:.1f} points" if width < 0.1 else f"{100 * width:.0f} points"


def _settling(row: Gain, place: Place) -> str:
    question = f"whether it exceeds {100 * place.threshold:g} %"
    if row.settled is None:
        way = "it does" if place.above_now > 0.5 else "it does not"
        chance = max(place.above_now, 1 - place.above_now)
        return f"{question} is settled already ({way}, probability {_chance(chance)})"
    return (
        f"the open conclusion {question} (probability now {_chance(place.above_now)}) is settled "
        f"with probability {_chance(row.settled)}"
    )


def _chance(probability: float) -> str:
    """Write a probability in two decimals; never as if certain."""
    if probability < 0.01:
        return "below 0.01"
    return "above 0.99" if probability > 0.99 else f"{probability:.2f}"


def _needing(request: Next, needed: int | None, most: float) -> str:
    if request.gain is None:
        return ""
    wanted = f"a fall by {100 * request.gain:g} %"
    if needed is not None:
        return f"; {wanted} needs {numbered(needed, 'patient')}"
    if most < request.gain:
        return f"; {wanted} is beyond any one trial, however large (at most {percent(most)})"
    return f"; {wanted} needs more than {numbered(request.n_max, 'patient')}"
