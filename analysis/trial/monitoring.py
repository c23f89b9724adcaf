"""Interim looks: when should the trial stop, and will it succeed."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...models.rates.beta_mixture import binomial_mass, log_choose
from ...models.rates.prior import AnyPrior, as_prior
from . import protocol_monitoring
from .discounts import discounted
from .operating import (
    Analysis,
    ConjugateAnalysis,
    Rule,
    as_analysis,
    averaging_error,
    crossing_probabilities,
    exact_tails,
    used,
)
from .requests import (
    DIRECTIONS,
    RULES,
    DesignResult,
    check_choice,
    check_data_so_far,
    check_discount,
    check_rate,
    check_rates,
    check_target,
    several,
)
from .safety import check_looks, safety

__all__ = ["monitor", "predictive_probability", "safety"]


def monitor(
    *,
    null: float,
    look: int | Sequence[int],
    target: float | None = None,
    power_at: float | Sequence[float] = (),
    rate: float | Sequence[float] | None = None,
    rule: str = "single",
    level: float = 0.95,
    direction: str = "above",
    type1: float | None = None,
    futility: float | None = None,
    efficacy: float | None = None,
    events_so_far: int | None = None,
    n_so_far: int | None = None,
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)",
    design_prior: str | AnyPrior | None = None,
    discount: float = 0.0,
) -> DesignResult:
    """Stop a single-arm trial by the predictive probability of final success.

    Parameters
    ----------
    null, target, power_at, rule, level, direction, type1, analysis_prior, design_prior, discount
        As in `single_arm`, whose rule decides at the last look.
    look : int or sequence of int
        Increasing numbers of patients; the last is the final analysis.
    rate : float or sequence of float, optional
        Further true rates of the operating characteristics.
    futility, efficacy : float, optional
        The trial stops at an interim look when the predictive probability of final success (under
        the analysis prior) is below `futility` or above `efficacy`; without one it does not stop
        for that reason.
    events_so_far, n_so_far : int, optional
        Data so far. The probability of final success is under the design prior, or where there is
        none the analysis prior, both updated by them.

    Raises
    ------
    ValueError
        When the request makes no sense, with what to change.

    References
    ----------
    Lee and Liu 2008, doi:10.1177/1740774508089279.
    """
    rates = (*several(target), *several(power_at), *several(rate))
    check_choice("rule", rule, RULES)
    check_choice("direction", direction, DIRECTIONS)
    check_rates(null=null, target=target, level=level, type1=type1)
    for value in rates:
        check_rate("rate", value)
    check_target(null, target, direction)
    _check_stopping(rule, target, futility, efficacy)
    looks = check_looks(look)
    check_data_so_far(events_so_far, n_so_far)
    check_discount(discount, design_prior is not None)
    if n_so_far is not None and n_so_far > looks[-1]:
        raise ValueError(f"n_so_far {n_so_far} is beyond the last look {looks[-1]}: add a look")
    analysis = as_analysis(analysis_prior)
    prior = None if design_prior is None else as_prior(design_prior)
    believed = None if prior is None else discounted(prior, discount, direction)
    decision = Rule(null, target, rule, level, direction)
    critical = decision.critical(analysis, looks[-1], type1)
    bounds = [
        _interim(decision, critical, analysis, n, looks[-1], futility, efficacy) for n in looks[:-1]
    ]
    shown = sorted({null, *rates})
    operating = _operating(decision, critical, looks, bounds, shown)
    answer = {
        "looks": _looks(decision, critical, looks, bounds),
        "operating": operating.to_dict("records"),
        **_outlook(
            decision, critical, looks, bounds, believed or analysis,
            (events_so_far or 0, n_so_far or 0),
        ),
        "frequentist": _frequentist(decision, looks[-1], type1),
    }  # fmt: skip
    request = {
        "design": "monitor", "null": null, "target": target, "look": list(looks),
        "power_at": list(several(power_at)), "rate": list(several(rate)), "rule": rule,
        "level": level, "direction": direction, "type1": type1, "futility": futility,
        "efficacy": efficacy, "events_so_far": events_so_far, "n_so_far": n_so_far,
        "analysis_prior": analysis.words,
        "design_prior": None if prior is None else prior.words,
        "discount": discount,
    }  # fmt: skip
    words = f"final success with {looks[-1]} patients when {decision.words_with(type1)}"
    table = pd.DataFrame(answer["looks"])
    table = table.astype({name: "Int64" for name in table.columns if name != "n"})
    if direction == "below":
        table = table.drop(columns=["futility_at_most", "efficacy_at_least"])
    paragraph = protocol_monitoring.monitor(request, words, answer)

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        return _operating(decision, critical, looks, bounds, rates)

    return DesignResult(
        request, words, answer, table, paragraph, operating, curve, used(believed, analysis)
    )


def _check_stopping(
    rule: str, target: float | None, futility: float | None, efficacy: float | None
) -> None:
    if rule == "dual" and target is None:
        raise ValueError("rule dual compares the posterior median with a target: give target")
    for name, value in (("futility", futility), ("efficacy", efficacy)):
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{name} {value:g}: a predictive probability is from 0 to 1")
    if futility is not None and efficacy is not None and futility >= efficacy:
        raise ValueError(
            f"futility {futility:g} is not below efficacy {efficacy:g}: lower it, or the trial "
            "always stops"
        )


def predictive_probability(success: np.ndarray, now: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Probability of final success for each count so far.

    Parameters
    ----------
    success : array, shape (n_final + 1,)
        Whether each final count is a success.
    now, final : array, shapes (n + 1,) and (n_final + 1,)
        Predictive masses of the counts before the trial. Given the final count, patients are
        exchangeable, so that any prior needs no more than these two.

    Returns
    -------
    array, shape (n + 1,)
        Not a number where the count so far is impossible.
    """
    n, n_final = now.size - 1, final.size - 1
    events, later = np.arange(n + 1)[:, None], np.arange(n_final - n + 1)
    log_ways = log_choose(n, events) + log_choose(n_final - n, later)
    log_ways = log_ways - log_choose(n_final, events + later)
    joint = np.exp(log_ways) * final[events + later]
    with np.errstate(invalid="ignore"):
        # The row sums are `now` but for rounding.
        return np.sum(joint * success[events + later], axis=1) / joint.sum(axis=1)


def _successes(decision: Rule, critical: int | None, n: int) -> np.ndarray:
    counts = np.arange(n + 1)
    if critical is None:
        return np.zeros(n + 1)
    beyond = counts >= critical if decision.direction == "above" else counts <= critical
    return beyond.astype(float)


def _interim(
    decision: Rule,
    critical: int | None,
    analysis: Analysis,
    n: int,
    n_final: int,
    futility: float | None,
    efficacy: float | None,
) -> tuple[int | None, int | None]:
    """Return the counts at which the trial stops low and high at an interim look."""
    success = _successes(decision, critical, n_final)
    chance = predictive_probability(success, analysis.predictive(n), analysis.predictive(n_final))
    hopeless = np.zeros(n + 1, bool) if futility is None else chance < futility
    certain = np.zeros(n + 1, bool) if efficacy is None else chance > efficacy
    low, high = (hopeless, certain) if decision.direction == "above" else (certain, hopeless)
    # The probability is monotone in the count: each region is one end of the range.
    return (
        int(low.sum()) - 1 if low.any() else None,
        n + 1 - int(high.sum()) if high.any() else None,
    )


def _looks(decision: Rule, critical: int | None, looks: Sequence[int], bounds: list) -> list[dict]:
    """Return the boundaries in the JSON shape; for harms the sides change places."""
    n_final = looks[-1]
    if decision.direction == "above":
        last = (n_final, None) if critical is None else (critical - 1, critical)
        names = ("futility_at_most", "efficacy_at_least")
        other = ()
    else:
        last = (None, 0) if critical is None else (critical, critical + 1)
        names = ("efficacy_at_most", "futility_at_least")
        other = ("futility_at_most", "efficacy_at_least")
    last = tuple(value if value is not None and 0 <= value <= n_final else None for value in last)
    return [
        {"n": n} | dict.fromkeys(other) | dict(zip(names, pair, strict=True))
        for n, pair in zip(looks, [*bounds, last], strict=True)
    ]


def _operating(
    decision: Rule,
    critical: int | None,
    looks: Sequence[int],
    bounds: list,
    rates: Sequence[float] | np.ndarray,
    start: tuple[int, int] = (0, 0),
) -> pd.DataFrame:
    """Return the exact chances of each ending at the true rates."""
    ahead = [
        (n, low, high)
        for n, (low, high) in zip(looks, [*bounds, (None, None)], strict=True)
        if n > start[1] or (n == looks[-1] and n == start[1])
    ]
    numbers, low, high = (list(column) for column in zip(*ahead, strict=True))
    crossing = crossing_probabilities(rates, numbers, low, high, start)
    ends = crossing.lower, crossing.upper
    futility, efficacy = ends if decision.direction == "above" else ends[::-1]
    final = crossing.path @ _successes(decision, critical, looks[-1])
    return pd.DataFrame(
        {
            "rate": np.asarray(rates, float),
            "futility": futility,
            "efficacy": efficacy,
            "success": np.clip(efficacy + final, 0, 1),
            "expected_n": crossing.expected_n,
        }
    )


def _outlook(
    decision: Rule,
    critical: int | None,
    looks: Sequence[int],
    bounds: list,
    believed: AnyPrior | Analysis,
    so_far: tuple[int, int],
) -> dict:
    """Return the probability of final success given the data so far."""
    events, n = so_far
    n_final = looks[-1]
    now, final = believed.predictive(n), believed.predictive(n_final)
    if now[events] == 0:
        raise ValueError(
            f"design prior ({believed.words}): it does not allow {events} events in {n} patients"
        )
    success = _successes(decision, critical, n_final)
    outlook = {
        "success_probability": float(predictive_probability(success, now, final)[events]),
        "success_probability_mcse": None,
        "success_probability_with_looks": None,
        "success_probability_with_looks_mcse": None,
        "decision_now": None,
    }
    prior = believed.prior if isinstance(believed, ConjugateAnalysis) else believed
    if not isinstance(prior, Analysis):
        after = prior.update(events, n)
        rates, weights = after.quadrature(n_final)
        won = _operating(decision, critical, looks, bounds, rates, so_far)["success"].to_numpy()
        ahead = success[events : events + n_final - n + 1]
        outlook |= {
            "success_probability_mcse": averaging_error(
                after, lambda rates: binomial_mass(n_final - n, rates) @ ahead
            ),
            "success_probability_with_looks": float(weights @ won),
            "success_probability_with_looks_mcse": averaging_error(after, lambda _: won),
        }
    if n in looks:
        last = _looks(decision, critical, looks, bounds)[looks.index(n)]
        outlook["decision_now"] = _ending(last, events)
    return outlook


def _ending(look: dict, events: int) -> str:
    for name, count in look.items():
        if name == "n" or count is None:
            continue
        if (events <= count) if name.endswith("at_most") else (events >= count):
            return name.split("_")[0]
    return "continue"


def _frequentist(decision: Rule, n: int, type1: float | None) -> dict:
    """Return the exact binomial test at the last look, without interim looks."""
    bound = round(1 - decision.level, 12) if type1 is None else type1
    fits = np.flatnonzero(exact_tails(n, decision.null, decision.direction) <= bound)
    critical = None
    if fits.size:
        critical = int(fits[0] if decision.direction == "above" else fits[-1])
    power = None
    if decision.target is not None:
        power = float(decision.probability(critical, n, decision.target))
    return {
        "test": "exact one-sided binomial, without interim looks",
        "type1_wanted": bound,
        "n": n,
        "critical": critical,
        "type1": float(decision.probability(critical, n, decision.null)),
        "power": power,
    }
