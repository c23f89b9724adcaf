"""Adverse events: how many patients show one, what none of them says, and when to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ...models.direction import Direction
from ...models.rates.prior import AnyPrior, RatePrior, WeightedRates
from .beliefs import Priors, priors_of
from .checks import several
from .error_rate import ErrorRate, raised_level, strictest_needed
from .operating import Analysis, averaging_error, crossing_probabilities
from .pictures import stopping_pictures
from .request import answers
from .result import DesignResult, rows_of
from .safety_answer import (
    AverageEnding,
    Detection,
    Ending,
    ExactBounds,
    Look,
    SafetyAnswer,
    ZeroEvents,
    paragraph,
)
from .watch_requests import Safety

# Nominal type I errors of the sequential test that are tried.
NOMINAL = 200
# No trial treats more; a rate that needs more is not detected.
MOST_PATIENTS = 1_000_000


@answers(Safety)
def safety(request: Safety) -> DesignResult:
    """Plan the watch over an adverse event.

    Parameters
    ----------
    null, target : float, optional
        Of two rates the acceptable one and the unacceptable one; without `null` there is no
        boundary.
    rate : float or sequence of float, optional
        True rates; the first is the one to detect.
    power_at : float or sequence of float
        Further true rates of the operating characteristics.
    level : float
        Posterior probability that decides: of a rate above `null`, it stops; also of the upper
        bound that no events would leave.
    type1 : float, optional
        Bound on the type I error: on the exact probability of stopping at the acceptable rate, over
        all looks; the level is raised until it holds. Without it the sequential test takes 0.05.
    power : float
        Wanted power, of the sequential probability ratio test.
    assurance : float
        Wanted probability of success, which is here to see at least one event.
    boundary : {"posterior", "sprt"}
        Which boundary stops the trial.
    n_min, n_max : int, optional
        Range of sample sizes at which the boundary is looked at; by default from a cohort to
        `n_so_far` or else 40.
    cohort : int
        Patients from one look to the next.
    look : int or sequence of int, optional
        Patients at a look, instead of one each `cohort`.
    n_so_far : int, optional
        Patients seen so far, of the zero-events statement; by default those needed to detect.
    analysis_prior : str, prior or Analysis
        What the trial's own analysis will use: gives the posterior.
    design_prior : str or prior, optional
        What is believed of the true rate.
    discount : float
        Optimism of the design prior on the log-odds, added.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.

    References
    ----------
    Wald 1945, doi:10.1214/aoms/1177731118. Rule of three: Hanley and Lippman-Hand 1983,
    doi:10.1001/jama.1983.03330370053031.

    Examples
    --------
    >>> mp.design.safety(null=0.05, target=0.2, type1=0.1).table[["n", "stop_at"]].head(3)
        n  stop_at
    0   5        2
    1  10        3
    2  15        3
    """
    # Harm is always feared above the null.
    priors = priors_of(
        request.analysis_prior, request.design_prior, request.discount, Direction.BELOW
    )
    believed = priors.believed
    detection = _detection(request, believed)
    watch, ratio_test = _watches(request, priors.analysis)
    operating = None if watch is None else watch.at(request.rates)
    ratio = None
    if ratio_test is not None:
        ratio = rows_of(Ending, ratio_test.at([*several(request.null), *several(request.target)]))
    n_zero = request.n_so_far or detection[0].n or request.last
    answer = SafetyAnswer(
        n_to_detect=detection[0].n,
        detection=detection,
        zero_events=_zero_events(priors, n_zero, request.level),
        boundary=() if watch is None else watch.rows,
        operating=() if operating is None else rows_of(Ending, operating),
        error_rate=_error_rate(request, watch),
        frequentist=ExactBounds(float(-np.expm1(np.log1p(-request.level) / n_zero)), ratio),
        operating_design_prior=watch and believed and watch.averaged(believed),
    )
    words = _words(request, answer.error_rate)
    return DesignResult(
        request, priors.said, words, answer, _table(answer.boundary),
        paragraph(request, priors, words, answer), operating, watch and watch.at, priors.used,
        stopping_pictures,
    )  # fmt: skip


def _table(boundary: tuple[Look, ...]) -> pd.DataFrame:
    if not boundary:
        return pd.DataFrame(columns=["n", "stop_at", "clear_at"])
    return pd.DataFrame(boundary).astype({"stop_at": "Int64", "clear_at": "Int64"})


def _watches(request: Safety, analysis: Analysis) -> tuple[_Watch | None, _Watch | None]:
    """Return the watch that was asked for, and that of the sequential test."""
    if request.null is None:
        return None, None
    ratio_test = None if request.target is None else _sequential(request, request.tested_type1)
    if request.boundary == "posterior":
        return _posterior(request, request.null, analysis), ratio_test
    if request.type1 is None:
        return ratio_test, ratio_test
    # Wald's thresholds keep the error of an open-ended test, and only nearly.
    null, nominal = request.null, request.type1 * np.geomspace(1, 1e-3, NOMINAL)
    step = strictest_needed(
        lambda step: _sequential(request, nominal[step]).error(null, False), NOMINAL, request.type1
    )
    return _sequential(request, nominal[step]), ratio_test


def _sequential(request: Safety, type1: float) -> _Watch:
    """Return the watch of Wald's test at a nominal type I error."""
    assert request.null is not None
    assert request.target is not None
    bounds = sprt_bounds(request.null, request.target, type1, request.power, request.looks)
    return _Watch(request.looks, *bounds, level=1 - type1)


def _posterior(request: Safety, null: float, analysis: Analysis) -> _Watch:
    """Return the watch by posterior probability, its level raised until the error is kept."""
    condemned = [analysis.probability_above(null, n) for n in request.looks]
    everything = np.concatenate(condemned)
    # A step excludes one more of the probabilities that can be; the last leaves the highest.
    levels = np.append(request.level, np.unique(everything[everything > request.level])[:-1])

    def watch(level: float) -> _Watch:
        stop = [_first(probability > level) for probability in condemned]
        return _Watch(request.looks, stop, [None] * len(stop), level)

    if request.type1 is None:
        return watch(request.level)
    step = strictest_needed(
        lambda step: watch(levels[step]).error(null, False), len(levels), request.type1
    )
    if step == 0:
        return watch(request.level)
    return watch(raised_level(everything, request.level, levels[step]))


def _first(condemned: np.ndarray) -> int | None:
    """Return the smallest count that is condemned."""
    counts = np.flatnonzero(condemned)
    return int(counts[0]) if counts.size else None


def _error_rate(request: Safety, watch: _Watch | None) -> ErrorRate | None:
    """How often the watch stops a trial with the acceptable rate."""
    if watch is None or request.null is None:
        return None
    asked = request.level if request.boundary == "posterior" else 1 - request.tested_type1
    return ErrorRate(
        request.null, request.type1, watch.error(request.null, False),
        watch.error(request.null, True), watch.level,
        "level" if watch.level == asked else "type1",
        f"at the acceptable rate of {request.null:g}, over all looks",
    )  # fmt: skip


@dataclass(frozen=True)
class _Watch:
    """Counts at which the trial stops for harm, or clears, at each look."""

    looks: tuple[int, ...]
    stop: list[int | None]
    clear: list[int | None]
    level: float

    def error(self, null: float, binding: bool) -> float:
        """Exact probability of a stop for harm at the acceptable rate; nothing clears if free."""
        clear = self.clear if binding else [None] * len(self.looks)
        return float(crossing_probabilities([null], self.looks, clear, self.stop).upper[0])

    @property
    def rows(self) -> tuple[Look, ...]:
        """The boundary, look by look."""
        return tuple(map(Look, self.looks, self.stop, self.clear))

    def at(self, rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        """Return the exact chances of each ending at true rates."""
        crossing = crossing_probabilities(rates, self.looks, self.clear, self.stop)
        return pd.DataFrame(
            {
                "rate": np.asarray(rates, float),
                "stop": crossing.upper,
                "clear": crossing.lower,
                "expected_n": crossing.expected_n,
            }
        )

    def averaged(self, prior: AnyPrior) -> AverageEnding:
        """Return the same, averaged over a prior, with the errors of a drawn one."""
        rates, weights = prior.quadrature(self.looks[-1])
        found: dict[str, float | None] = {}
        for name, values in self.at(rates).drop(columns="rate").items():
            found[str(name)] = float(weights @ values)
            found[f"{name}_mcse"] = averaging_error(prior, lambda _, own=values: own.to_numpy())
        return AverageEnding(**found)  # pyright: ignore[reportArgumentType]


def _detection(request: Safety, believed: AnyPrior | None) -> tuple[Detection, ...]:
    """Return the patients needed to see an event; first the ones that were asked for."""
    wanted, asked = request.assurance, several(request.rate)
    averaged = []
    if believed is not None:
        n = patients_to_detect(believed, wanted)
        seen = error = None
        if n is not None:
            seen = _seen(believed, n)
            error = averaging_error(believed, lambda rates: 1 - (1 - rates) ** n)
        averaged = [Detection(None, n, seen, error)]
    usual = (*several(request.target), *several(request.null))[: 0 if asked else 1]
    named = []
    for value in (*asked, *usual):
        n = int(np.ceil(np.log1p(-wanted) / np.log1p(-value) - 1e-12))
        named.append(Detection(value, n, float(-np.expm1(n * np.log1p(-value))), None))
    return (*named, *averaged) if asked else (*averaged, *named)


def patients_to_detect(prior: AnyPrior, wanted: float) -> int | None:
    """Patients among whom an event is seen with probability `wanted`, averaged over the prior."""
    above = 1
    while _seen(prior, above) < wanted:
        if above >= MOST_PATIENTS:
            return None
        above *= 2
    below = above // 2
    while above - below > 1:
        middle = (above + below) // 2
        below, above = (below, middle) if _seen(prior, middle) >= wanted else (middle, above)
    return above


def _seen(prior: AnyPrior, n: int) -> float:
    """Probability of at least one event among `n`, averaged over the prior."""
    if isinstance(prior, RatePrior):
        weights, a, b = (np.array(value) for value in (prior.weights, prior.a, prior.b))
        return float(1 - weights @ np.exp(special.betaln(a, b + n) - special.betaln(a, b)))
    return float(np.dot(prior.weights, 1 - (1 - np.array(prior.rates)) ** n))


def _zero_events(priors: Priors[Analysis], n: int, level: float) -> ZeroEvents:
    """Return the upper bounds that no event in `n` leaves."""
    bound = error = None
    if priors.believed is not None:
        after = priors.believed.update(0, n)
        bound = float(after.quantile(level))
        error = after.quantile_error(level) if isinstance(after, WeightedRates) else None
    return ZeroEvents(n, float(priors.analysis.quantile(level, n)[0]), bound, error, 3 / n)


def sprt_bounds(
    null: float, target: float, type1: float, power: float, looks: Sequence[int]
) -> tuple[list[int | None], list[int | None]]:
    """Return the counts at which Wald's test stops for harm, and clears, at each look."""
    event = np.log(target / null)
    no_event = np.log1p(-target) - np.log1p(-null)
    harm, harmless = np.log(power / type1), np.log((1 - power) / (1 - type1))
    stop: list[int | None] = []
    clear: list[int | None] = []
    for n in looks:
        # The tolerance keeps a count that lies on the threshold but for rounding.
        high = int(np.ceil((harm - n * no_event) / (event - no_event) - 1e-9))
        low = int(np.floor((harmless - n * no_event) / (event - no_event) + 1e-9))
        stop.append(max(high, 0) if high <= n else None)
        clear.append(min(low, n) if low >= 0 else None)
    return stop, clear


def _words(request: Safety, error: ErrorRate | None) -> str:
    if request.null is None or error is None:
        return "no stopping boundary"
    if request.boundary == "posterior":
        rule = f"stop for harm when P(rate > {request.null:g} | data) > {error.level:.12g}"
        return rule + error.words
    return (
        f"truncated sequential probability ratio test of {request.null:g} against "
        f"{request.target:g}: stop for harm when the log likelihood ratio reaches "
        "log(power / (1 − level)), clear when it falls to log((1 − power) / level), with power "
        f"{request.power:g} and level {error.level:.4g}"
    )
