"""Interim looks: when should the trial stop, and will it succeed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.names import numbered
from ...models.direction import Direction
from ...models.rates.beta_mixture import binomial_mass, log_choose
from .beliefs import Priors, priors_of
from .error_rate import ErrorRate, raised_level, strictest_needed
from .monitor_answer import Ending, HarmLook, Look, MonitorAnswer, OneLook, Outlook, paragraph
from .operating import (
    Analysis,
    ConjugateAnalysis,
    Rule,
    averaging_error,
    crossing_probabilities,
)
from .pictures import stopping_pictures
from .request import answers
from .result import DesignResult, rows_of
from .safety import safety
from .watch_requests import Monitor

__all__ = ["monitor", "predictive_probability", "safety"]


@answers(Monitor)
def monitor(request: Monitor) -> DesignResult:
    """Stop a single-arm trial by the predictive probability of final success.

    Parameters
    ----------
    null, target, power_at, rule, level, direction, analysis_prior, design_prior, discount
        As in `single_arm`, whose rule decides at the last look.
    type1 : float, optional
        Bound on the type I error: on the exact probability of success at the null over all looks,
        stops for futility not counted on; the level is raised until it holds.
    look : int or sequence of int
        Patients at a look, increasing; the last is the final analysis.
    rate : float or sequence of float, optional
        Further true rates of the operating characteristics.
    futility, efficacy : float, optional
        The trial stops at an interim look when the predictive probability of final success (under
        the analysis prior) is below `futility` or above `efficacy`; without one it does not stop
        for that reason.
    events_so_far, n_so_far : int, optional
        Events seen so far, and patients seen so far. The probability of final success is under the
        design prior, or where there is none the analysis prior, both updated by them.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.

    References
    ----------
    Lee and Liu 2008, doi:10.1177/1740774508089279.

    Examples
    --------
    >>> mp.design.monitor(null=0.3, look=[20, 40], futility=0.05).table
        n  futility_at_most  efficacy_at_least
    0  20                 5               <NA>
    1  40                16                 17
    """
    direction = Direction(request.direction)
    priors = priors_of(request.analysis_prior, request.design_prior, request.discount, direction)
    decision = Rule(request.null, request.target, request.rule, request.level, direction)
    plan = _planned(request, priors.analysis, decision)
    operating = plan.operating(request.rates)
    answer = MonitorAnswer(
        looks=plan.looks,
        operating=rows_of(Ending, operating),
        error_rate=plan.error_rate,
        outlook=_outlook(plan, priors),
        frequentist=_frequentist(plan),
    )
    words = (
        f"final success with {numbered(plan.n_final, 'patient')} when {plan.decision.words}"
        f"{plan.error_rate.words}"
    )
    return DesignResult(
        request, priors.said, words, answer, _table(plan),
        paragraph(request, priors, words, answer), operating, plan.operating, priors.used,
        stopping_pictures,
    )  # fmt: skip


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


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is asked and decided, with the counts at which every look ends the trial."""

    request: Monitor
    analysis: Analysis
    decision: Rule
    critical: int | None

    @property
    def n_final(self) -> int:
        """Patients at the last look."""
        return self.request.looks[-1]

    @cached_property
    def success(self) -> np.ndarray:
        """Whether each final count is a success, shape (n_final + 1,)."""
        counts = np.arange(self.n_final + 1)
        if self.critical is None:
            return np.zeros(counts.shape)
        return self.decision.direction.success(counts, self.critical).astype(float)

    @cached_property
    def bounds(self) -> list[tuple[int | None, int | None]]:
        """The counts at which the trial stops low and high at each interim look."""
        return [self._interim(n) for n in self.request.looks[:-1]]

    def _interim(self, n: int) -> tuple[int | None, int | None]:
        futility, efficacy = self.request.futility, self.request.efficacy
        now, final = self.analysis.predictive(n), self.analysis.predictive(self.n_final)
        chance = predictive_probability(self.success, now, final)
        hopeless = np.zeros(n + 1, bool) if futility is None else chance < futility
        certain = np.zeros(n + 1, bool) if efficacy is None else chance > efficacy
        low, high = self._low_and_high(hopeless, certain)
        # The probability is monotone in the count: each region is one end of the range.
        return (
            int(low.sum()) - 1 if low.any() else None,
            n + 1 - int(high.sum()) if high.any() else None,
        )

    def _low_and_high[T](self, futility: T, efficacy: T) -> tuple[T, T]:
        """Return what goes with few events, then what goes with many; and back."""
        above = self.decision.direction is Direction.ABOVE
        return (futility, efficacy) if above else (efficacy, futility)

    @property
    def looks(self) -> tuple[Look, ...]:
        """The boundaries; for harms the sides change places."""
        critical, n_final = self.critical, self.n_final
        if self.decision.direction is Direction.ABOVE:
            last = (n_final, None) if critical is None else (critical - 1, critical)
        else:
            last = (None, 0) if critical is None else (critical, critical + 1)
        low, high = (v if v is not None and 0 <= v <= n_final else None for v in last)
        pairs = zip(self.request.looks, [*self.bounds, (low, high)], strict=True)
        if self.decision.direction is Direction.ABOVE:
            return tuple(Look(n, low, high) for n, (low, high) in pairs)
        return tuple(
            HarmLook(n, efficacy_at_most=low, futility_at_least=high) for n, (low, high) in pairs
        )

    def operating(
        self,
        rates: Sequence[float] | np.ndarray,
        start: tuple[int, int] = (0, 0),
        binding: bool = True,
    ) -> pd.DataFrame:
        """Return the exact chances of each ending at the true rates, given the data so far.

        Where it is not binding, no stop for futility is made.
        """
        ahead = [
            (n, low, high)
            for n, (low, high) in zip(self.request.looks, [*self.bounds, (None, None)], strict=True)
            if n > start[1] or (n == self.n_final and n == start[1])
        ]
        numbers, low, high = (list(column) for column in zip(*ahead, strict=True))
        if not binding:
            low, high = self._low_and_high([None] * len(ahead), self._low_and_high(low, high)[1])
        crossing = crossing_probabilities(rates, numbers, low, high, start)
        futility, efficacy = self._low_and_high(crossing.lower, crossing.upper)
        return pd.DataFrame(
            {
                "rate": np.asarray(rates, float),
                "futility": futility,
                "efficacy": efficacy,
                "success": np.clip(efficacy + crossing.path @ self.success, 0, 1),
                "expected_n": crossing.expected_n,
            }
        )

    def error(self, binding: bool) -> float:
        """Return the exact probability of success at the null, over all looks."""
        return float(self.operating([self.request.null], binding=binding)["success"].iloc[0])

    @property
    def error_rate(self) -> ErrorRate:
        """How often the trial succeeds falsely, and what set the threshold."""
        level = self.decision.level
        return ErrorRate(
            self.request.null, self.request.type1, self.error(False), self.error(True), level,
            "level" if level == self.request.level else "type1",
            f"at a true rate of {self.request.null:g}, over all looks",
        )  # fmt: skip


def _planned(request: Monitor, analysis: Analysis, decision: Rule) -> _Plan:
    """Raise the threshold of the last look until the error over all looks keeps its bound.

    The interim looks predict final success, so that they become stricter with it.
    """
    n = request.looks[-1]
    first = decision.critical(analysis, n)
    if request.type1 is None or first is None:
        return _Plan(request, analysis, decision, first)
    above = decision.direction is Direction.ABOVE
    counts = range(first, n + 1) if above else range(first, -1, -1)
    errors = lambda step: _Plan(request, analysis, decision, counts[step]).error(False)  # noqa: E731
    critical = counts[strictest_needed(errors, len(counts), request.type1)]
    if critical != first:
        beyond = decision.direction.probability(analysis.probability_above(decision.null, n))
        excluded = beyond[critical - decision.direction.sign]
        decision = replace(decision, level=raised_level(beyond, decision.level, excluded))
    return _Plan(request, analysis, decision, critical)


def _table(plan: _Plan) -> pd.DataFrame:
    """Return one row a look, with the sides that the direction has."""
    table = pd.DataFrame(plan.looks)
    table = table.astype({name: "Int64" for name in table.columns if name != "n"})
    if plan.decision.direction is Direction.BELOW:
        table = table.drop(columns=["futility_at_most", "efficacy_at_least"])
    return table


def _outlook(plan: _Plan, priors: Priors[Analysis]) -> Outlook:
    """Return the probability of final success given the data so far."""
    believed = priors.believed or priors.analysis
    events, n = plan.request.so_far
    n_final = plan.n_final
    now, final = believed.predictive(n), believed.predictive(n_final)
    if now[events] == 0:
        raise InputError(
            f"design prior ({believed.words}): it does not allow {numbered(events, 'event')} in "
            f"{numbered(n, 'patient')}"
        )
    here = [look for look in plan.looks if look.n == n]
    chance = float(predictive_probability(plan.success, now, final)[events])
    decision = here[0].ending(events) if here else None
    prior = believed.prior if isinstance(believed, ConjugateAnalysis) else believed
    if isinstance(prior, Analysis):
        return Outlook(chance, decision_now=decision)
    after = prior.update(events, n)
    rates, weights = after.quadrature(n_final)
    won = plan.operating(rates, (events, n))["success"].to_numpy()
    ahead = plan.success[events : events + n_final - n + 1]
    return Outlook(
        chance,
        averaging_error(after, lambda rates: binomial_mass(n_final - n, rates) @ ahead),
        float(weights @ won),
        averaging_error(after, lambda _: won),
        decision,
    )


def _frequentist(plan: _Plan) -> OneLook:
    """Return the exact binomial test at the last look, without interim looks."""
    decision, n, type1 = plan.decision, plan.n_final, plan.request.type1
    bound = round(1 - decision.level, 12) if type1 is None else type1
    critical = decision.tested(n, bound)
    power = None
    if decision.target is not None:
        power = float(decision.probability(critical, n, decision.target))
    error = float(decision.probability(critical, n, decision.null))
    return OneLook(
        "exact one-sided binomial, without interim looks", bound, n, critical, error, power
    )
