"""Adverse events: how many patients show one, what none of them says, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from ...models.rates.prior import AnyPrior, RatePrior, WeightedRates, as_prior
from . import protocol_monitoring
from .discounts import discounted
from .operating import Analysis, as_analysis, averaging_error, crossing_probabilities, used
from .requests import (
    LARGEST_SIZE,
    DesignResult,
    check_choice,
    check_count,
    check_discount,
    check_power,
    check_rate,
    check_rates,
    check_sizes,
    check_target,
    several,
)

BOUNDARIES = ("posterior", "sprt")
# No trial treats more; a rate that needs more is not detected.
MOST_PATIENTS = 1_000_000


def safety(
    *,
    null: float | None = None,
    target: float | None = None,
    rate: float | Sequence[float] | None = None,
    power_at: float | Sequence[float] = (),
    level: float = 0.95,
    type1: float = 0.05,
    power: float = 0.8,
    assurance: float = 0.8,
    boundary: str = "posterior",
    n_min: int = 5,
    n_max: int = 300,
    look: int | Sequence[int] | None = None,
    n_so_far: int | None = None,
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)",
    design_prior: str | AnyPrior | None = None,
    discount: float = 0.0,
) -> DesignResult:
    """Plan the watch over an adverse event.

    Parameters
    ----------
    null, target : float, optional
        Acceptable and unacceptable rate; without `null` there is no boundary.
    rate : float or sequence of float, optional
        True rates; the first is the one to detect.
    power_at : float or sequence of float
        Further true rates of the operating characteristics.
    level : float
        Posterior probability of a rate above `null` that stops; also of the upper bound that no
        events would leave.
    type1, power : float
        Of the sequential probability ratio test.
    assurance : float
        Wanted probability of seeing at least one event.
    boundary : {"posterior", "sprt"}
        Which boundary stops the trial.
    n_min, n_max : int
        First and last number of patients at which the boundary is looked at.
    look : int or sequence of int, optional
        Numbers of patients at which it is looked at; by default after every patient.
    n_so_far : int, optional
        Patients of the zero-events statement; by default those needed to detect.
    analysis_prior : str, prior or Analysis
        Gives the posterior.
    design_prior : str or prior, optional
        What is believed about the true rate.
    discount : float
        Optimism of the design prior on the log-odds, added.

    Raises
    ------
    ValueError
        When the request makes no sense, with what to change.

    References
    ----------
    Wald 1945, doi:10.1214/aoms/1177731118. Rule of three: Hanley and Lippman-Hand 1983,
    doi:10.1001/jama.1983.03330370053031.
    """
    rates, further = several(rate), several(power_at)
    _check(null, target, rates, further, design_prior, boundary)
    check_rates(level=level, type1=type1, power=power, assurance=assurance)
    check_sizes(n_min, n_max)
    check_power(power, type1)
    check_discount(discount, design_prior is not None)
    check_count("n_so_far", n_so_far, least=1)
    looks = check_looks(look) if look is not None else tuple(range(n_min, n_max + 1))
    analysis = as_analysis(analysis_prior)
    prior = None if design_prior is None else as_prior(design_prior)
    # Harm is always feared above the null.
    believed = None if prior is None else discounted(prior, discount, "below")

    detection = _detection(rates, target, null, believed, assurance)
    n_to_detect = detection[0]["n"]
    n_zero = n_so_far or n_to_detect or n_max
    answer: dict = {
        "n_to_detect": n_to_detect,
        "detection": detection,
        "zero_events": {
            "n": n_zero,
            "upper": float(analysis.quantile(level, n_zero)[0]),
            **_bound_believed(believed, n_zero, level),
            "rule_of_three": 3 / n_zero,
        },
        "boundary": [],
        "operating": [],
        "frequentist": {"exact_upper": float(-np.expm1(np.log1p(-level) / n_zero))},
    }
    watch = None
    if null is not None:
        sequential = None
        if target is not None:
            sequential = _Watch(looks, *sprt_bounds(null, target, type1, power, looks))
            answer["frequentist"]["sprt"] = sequential.at([null, target]).to_dict("records")
        watch = _Watch(looks, *_posterior_bounds(analysis, null, level, looks))
        if boundary == "sprt":
            watch = sequential
    if watch is not None:
        operating = watch.at(sorted({*several(null), *several(target), *rates, *further}))
        answer |= {"boundary": watch.rows, "operating": operating.to_dict("records")}
        if believed is not None:
            answer["operating_design_prior"] = watch.averaged(believed)
    request = {
        "design": "safety", "null": null, "target": target, "rate": list(rates),
        "power_at": list(further), "level": level, "type1": type1, "power": power,
        "assurance": assurance, "boundary": boundary, "n_min": looks[0], "n_max": looks[-1],
        "look": None if look is None else list(looks), "n_so_far": n_so_far,
        "analysis_prior": analysis.words,
        "design_prior": None if prior is None else prior.words,
        "discount": discount,
    }  # fmt: skip
    words = _words(request)
    paragraph = protocol_monitoring.safety(request, words, answer)
    priors = used(believed, analysis)
    if watch is None:
        empty = pd.DataFrame(columns=["n", "stop_at", "clear_at"])
        return DesignResult(request, words, answer, empty, paragraph, priors=priors)
    table = pd.DataFrame(watch.rows).astype({"stop_at": "Int64", "clear_at": "Int64"})
    return DesignResult(request, words, answer, table, paragraph, operating, watch.at, priors)


def _check(null, target, rates, further, design_prior, boundary) -> None:
    check_choice("boundary", boundary, BOUNDARIES)
    check_rates(null=null, target=target)
    for value in rates:
        check_rate("rate", value)
    for value in further:
        check_rate("power_at", value)
    if null is not None:
        check_target(null, target)
    if boundary == "sprt" and (null is None or target is None):
        raise ValueError("boundary sprt compares two rates: give null (acceptable) and target")
    if null is None and not rates and target is None and design_prior is None:
        raise ValueError("nothing to plan for: give null, rate or a design prior")


@dataclass(frozen=True)
class _Watch:
    """Counts at which the trial stops for harm, or clears, at each look."""

    looks: tuple[int, ...]
    stop: list[int | None]
    clear: list[int | None]

    @property
    def rows(self) -> list[dict]:
        """The boundary in the JSON shape."""
        return [
            {"n": n, "stop_at": high, "clear_at": low}
            for n, high, low in zip(self.looks, self.stop, self.clear, strict=True)
        ]

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

    def averaged(self, prior: AnyPrior) -> dict[str, float | None]:
        """Return the same, averaged over a prior, with the errors of a drawn one."""
        rates, weights = prior.quadrature(self.looks[-1])
        table = self.at(rates).drop(columns="rate")
        found: dict[str, float | None] = {}
        for name, values in table.items():
            found[str(name)] = float(weights @ values)
            found[f"{name}_mcse"] = averaging_error(prior, lambda _, own=values: own.to_numpy())
        return found


def check_looks(look: int | Sequence[int]) -> tuple[int, ...]:
    """Return the looks; refuse them when they do not increase."""
    looks = several(look)
    for value in looks:
        check_count("look", value, least=1, most=LARGEST_SIZE)
    whole = tuple(int(value) for value in looks)
    for earlier, later in zip(whole, whole[1:], strict=False):
        if later <= earlier:
            raise ValueError(f"look {later} comes after look {earlier}: give looks that increase")
    if not whole:
        raise ValueError("no looks: give at least one")
    return whole


def _detection(
    rates: tuple[float, ...],
    target: float | None,
    null: float | None,
    believed: AnyPrior | None,
    wanted: float,
) -> list[dict]:
    """Return the patients needed to see an event; first the ones that were asked for."""
    averaged = []
    if believed is not None:
        n = patients_to_detect(believed, wanted)
        seen = error = None
        if n is not None:
            seen = _seen(believed, n)
            error = averaging_error(believed, lambda rates: 1 - (1 - rates) ** n)
        averaged = [{"rate": None, "n": n, "seen": seen, "seen_mcse": error}]
    usual = [value for value in (target, null) if value is not None][: 0 if rates else 1]
    named = []
    for value in (*rates, *usual):
        n = int(np.ceil(np.log1p(-wanted) / np.log1p(-value) - 1e-12))
        seen = float(-np.expm1(n * np.log1p(-value)))
        named.append({"rate": value, "n": n, "seen": seen, "seen_mcse": None})
    return [*named, *averaged] if rates else [*averaged, *named]


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


def _bound_believed(believed: AnyPrior | None, n: int, level: float) -> dict[str, float | None]:
    """Return the upper bound that no event in `n` leaves under the design prior."""
    bound = error = None
    if believed is not None:
        after = believed.update(0, n)
        bound = float(after.quantile(level))
        error = after.quantile_error(level) if isinstance(after, WeightedRates) else None
    return {"upper_design_prior": bound, "upper_design_prior_mcse": error}


def _posterior_bounds(
    analysis: Analysis, null: float, level: float, looks: Sequence[int]
) -> tuple[list[int | None], list[int | None]]:
    """Return the smallest count whose posterior condemns at each look; nothing clears."""
    stop: list[int | None] = []
    for n in looks:
        condemned = np.flatnonzero(analysis.probability_above(null, n) > level)
        stop.append(int(condemned[0]) if condemned.size else None)
    return stop, [None] * len(stop)


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


def _words(request: dict) -> str:
    if request["null"] is None:
        return "no stopping boundary"
    if request["boundary"] == "posterior":
        return f"stop for harm when P(rate > {request['null']:g} | data) > {request['level']:g}"
    return (
        f"truncated sequential probability ratio test of {request['null']:g} against "
        f"{request['target']:g}: stop for harm when the log likelihood ratio reaches "
        "log(power / type I error), clear when it falls to "
        "log((1 − power) / (1 − type I error))"
    )
