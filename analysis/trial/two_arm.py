"""Two-arm trials: how large must the next one be, and what does borrowing cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ...models.direction import Direction
from .beliefs import DISCOUNTS, Discounted, by_discount
from .by_set import BySet, SetRow, sets_picture
from .design_frames import type1_frame
from .error_rate import ErrorRate
from .pictures import size_picture
from .request import answers
from .result import DesignResult, Picture, best_of, error_in, rows_of
from .sizing import Size, choose_size
from .two_arm_answer import NormalTest, SizeRow, Success, TwoArmAnswer, paragraph
from .two_arm_belief import ApartBelief, EffectOnControl
from .two_arm_plan import Plan
from .two_arm_request import TwoArm
from .two_arm_watched import watched
from .type1_search import success_probability

SHOWN = tuple(round(rate, 3) for rate in np.arange(0.025, 1.0, 0.025))
USUAL_POWER = 0.8


@answers(TwoArm)
def two_arm(request: TwoArm) -> DesignResult:
    """Size a trial of an experimental arm against control.

    Parameters
    ----------
    margin, effect : float
        Risk difference to exceed (for harms: to stay below), and true risk difference at which
        power is given; experimental minus control.
    control_rate : float or sequence of float, optional
        True control rates at which power is given; the table shows the smallest power of them.
    level : float
        Posterior probability that decides: it counts as success.
    direction : {"above", "below"}
        `below` for harms: success when the difference is below the margin.
    type1 : float, optional
        Bound on the type I error over all control rates; the level is raised until it holds.
    control_range : (float, float), optional
        Ends of the control rates over which the type I error is kept; by default 0 and 1.
    power, assurance : float, optional
        Wanted power at `control_rate` and `effect`, and wanted probability of success. An
        assurance is required where one is named (``"none"``: never), or where no power is wanted:
        then 0.8.
    n_min, n_max : int
        Range of sample sizes, both arms together.
    allocation : float
        Experimental patients per control patient.
    n_experimental, n_control : int, optional
        One given size instead of the range.
    look : int or sequence of int, optional
        Patients at a look, in both arms together, increasing; the last is the final analysis.
    futility, efficacy : float, optional
        The trial stops at an interim look when what it goes by (the predictive probability of final
        success, unless `stop_by` says otherwise) is below `futility` or above `efficacy`; without
        one it does not stop for that reason.
    stop_by : {"predictive", "posterior"}
        What the trial goes by at interim looks: the predictive probability of final success (under
        the analysis priors), or the posterior probability that the rule is about, for which an
        efficacy below the level is the level.
    analysis_prior, analysis_prior_experimental, analysis_prior_control : str or RatePrior
        What the trial's own analysis will use; the arms' own ones come first.
    design_prior, design_prior_experimental, design_prior_control : str or prior, optional
        What is believed of the true rate of each arm, independently; the arms' own ones come first.
    effect_prior : str, float or EffectBelief, optional
        What is believed of the log odds ratio of experimental to control patients (of deaths the
        log hazard ratio): ``normal(m,s)``, ``t(df,m,s)`` or a point. With `design_prior_control`,
        of which it is independent, it stands for the design priors of both arms.
    months : float, optional
        Follow-up of the trial, for deaths, whose risk grows with time: `effect_prior` is then of
        the log hazard ratio, and all rates are risks over these months.
    discount : float
        Optimism of the design prior on the log-odds, of the experimental arm's: subtracted, for
        harms added.
    sets : str or sequence of str, optional
        Prior sets under which what a fit says is integrated again, here stored effects: names,
        texts of files, or ``all``.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.

    Examples
    --------
    >>> mp.design.two_arm(
    ...     effect_prior="normal(1.5,0.3)", design_prior_control="beta(6,14)", n_max=100
    ... )
    <design two-arm: 57 patients recommended; .table, .figure(), .protocol()>
    """
    plan = Plan(request)
    # Products of matrices this small are ten times slower where threads share them.
    with threadpool_limits(1, "blas"):
        if request.look is not None:
            return watched(plan)
        return _answered(plan, _by_set(plan))


def _by_set(plan: Plan) -> BySet | None:
    """Answer the request again under each prior set."""
    if not isinstance(plan.request.sets, Mapping):
        return None
    rows = []
    for name, priors in plan.request.sets.items():
        answer = _answered(plan.believing(priors), None).answer
        chosen = None if answer.recommended_n is None else answer.shown
        rows.append(
            SetRow(
                name, answer.recommended_n, None, chosen and chosen.type1_max,
                chosen and chosen.assurance, answer.highest_attainable_assurance,
                answer.discounted.discounts if answer.discounted else (),
            )
        )  # fmt: skip
    return BySet(tuple(rows))


def _answered(plan: Plan, by_set: BySet | None) -> DesignResult:
    request = plan.request
    found = _search(plan)
    columns = {"assurance": "assurance", "power": "power", "type1": "type1_max"}
    size = choose_size(plan.totals, found.table, columns, request.wanted, request.allowed_type1)
    recommended = size.recommended_n
    # Operating characteristics are given of the recommended size, or the largest.
    place = len(found.table) - 1 if recommended is None else plan.totals.index(recommended)
    shown = found.table.iloc[place]
    operating = _operating(plan, shown, sorted({*SHOWN, *request.rates}), request.effect)
    answer = replace(_answer(plan, found, size, place, operating), by_set=by_set)
    words = _words(request)

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        return _operating(plan, shown, rates, None)[["control", "success"]]

    return DesignResult(
        request, plan.said, words, answer, found.table,
        paragraph(request, plan.arms, plan.belief_words, words, answer), operating, curve,
        plan.used, _pictures,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found of every size.

    `assured` holds the assurance of each under the other discounts, and `last` which pairs of
    counts are a success at the largest.
    """

    table: pd.DataFrame
    assured: dict[float, np.ndarray]
    last: np.ndarray


class _Averages:
    """Averages over the design priors of what a success table gives, at every discount wanted."""

    def __init__(self, plan: Plan, belief: ApartBelief | EffectOnControl) -> None:
        self._own = belief.averages(plan.sizes)
        self._others = {}
        if plan.discounts and plan.undiscounted is not None:
            at = plan.undiscounted.quadrature.discounted
            asked = sorted({*DISCOUNTS, plan.request.discount})
            self._others = {value: at(value).averages(plan.sizes) for value in asked}

    def of(self, success: np.ndarray) -> tuple[float, float | None, dict[float, float]]:
        """Return the assurance, its error, and the assurance at the other discounts."""
        others = {value: each.assurance(success) for value, each in self._others.items()}
        return self._own.assurance(success), self._own.error(success), others


def _search(plan: Plan) -> _Found:
    """Return one row a size, with the error of its assurance where a design prior is drawn."""
    request = plan.request
    averages = None if plan.belief is None else _Averages(plan, plan.belief)
    control = np.array(request.rates)
    rows, others, success = [], [], np.zeros((1, 1))
    for n_experimental, n_control in plan.sizes:
        success, level, type1 = plan.decided(n_experimental, n_control)
        assurance = power = np.nan
        error = None
        if averages is not None:
            assurance, error, discounted = averages.of(success)
            others.append(discounted)
        if request.effect is not None:
            power = float(success_probability(success, control + request.effect, control).min())
        rows.append((n_experimental, n_control, assurance, power, type1, level, error))
    names = ("n_experimental", "n_control", "assurance", "power", "type1_max", "level")
    table = pd.DataFrame(rows, columns=[*names, "assurance_mcse"])
    if table["assurance_mcse"].isna().all():
        table = table.drop(columns="assurance_mcse")
    assured = (
        {value: np.array([row[value] for row in others]) for value in others[0]} if others else {}
    )
    return _Found(table, assured, success)


def _answer(
    plan: Plan, found: _Found, size: Size, place: int, operating: pd.DataFrame
) -> TwoArmAnswer:
    """Say what was found, and what surrounds the choice."""
    table = found.table
    level, error = (float(table[name].iloc[place]) for name in ("level", "type1_max"))
    attainable = attainable_error = None
    if plan.belief is not None:
        attainable, attainable_error = plan.belief.attainable(plan.request.margin)
    return TwoArmAnswer(
        size=size,
        table=rows_of(SizeRow, table.drop(columns=["level", "assurance_mcse"], errors="ignore")),
        operating=rows_of(Success, operating),
        level=level,
        error_rate=ErrorRate(
            plan.request.margin,
            plan.request.type1,
            error,
            error,
            level,
            "level" if level == plan.request.level else "type1",
            f"at a true difference of {plan.request.margin:g}, {plan.request.range_words}",
        ),
        highest_attainable_assurance=attainable,
        highest_attainable_assurance_mcse=attainable_error,
        attainable_alone=_attainable_alone(plan),
        assurance_mcse=error_in(table, place, "assurance"),
        best_assurance=best_of(plan.totals, table, "assurance"),
        best_power=best_of(plan.totals, table, "power"),
        frequentist=_frequentist(plan),
        discounted=_discounts(plan, found),
    )


def _discounts(plan: Plan, found: _Found) -> Discounted | None:
    """Return the recommended size under several discounts, and the first that leaves none."""
    wanted, belief = plan.request.wanted.assurance, plan.undiscounted
    if not plan.discounts or wanted is None or belief is None:
        return None
    powered = plan.powered(found.table)
    suffices = {value: powered & (own >= wanted) for value, own in found.assured.items()}
    at = belief.quadrature.discounted

    def spare(value: float) -> float:
        assurance = at(value).averages(plan.sizes[-1:]).assurance(found.last)
        return assurance - wanted if powered[-1] else -np.inf

    return by_discount(plan.totals, suffices, spare)


def _words(request: TwoArm) -> str:
    sign = Direction(request.direction).symbol
    words = (
        f"success when P(experimental − control rate {sign} {request.margin:g} | data) > "
        f"{request.level:g}"
    )
    if request.type1 is not None:
        words += (
            f", the level raised until the type I error is at most {request.type1:g}, "
            f"{request.range_words}"
        )
    return words


def _operating(
    plan: Plan,
    row: pd.Series,
    rates: Sequence[float] | np.ndarray,
    effect: float | None,
) -> pd.DataFrame:
    """Return success over the control rates, at the margin and at the effect."""
    sizes = int(row["n_experimental"]), int(row["n_control"])
    success = (plan.probability(*sizes) > float(row["level"])).astype(float)
    control, margin = np.asarray(rates, float), plan.request.margin
    differences = [margin] if effect is None else [margin, effect]
    parts = []
    for difference in differences:
        own = control[(control + difference >= 0) & (control + difference <= 1)]
        parts.append(
            pd.DataFrame(
                {
                    "n_experimental": sizes[0],
                    "n_control": sizes[1],
                    "control": own,
                    "experimental": np.round(own + difference, 12),
                    "success": success_probability(success, own + difference, own),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _attainable_alone(plan: Plan) -> float | None:
    """Return the attainable assurance by the disease's own studies of the effect alone."""
    belief = plan.belief
    if not isinstance(belief, EffectOnControl) or belief.alone is None:
        return None
    return belief.alone.attainable(plan.request.margin)[0]


def _frequentist(plan: Plan) -> NormalTest | None:
    """Return the usual sample size of a one-sided test of two proportions, at each control rate."""
    request, effect = plan.request, plan.request.effect
    if effect is None:
        return None
    from statsmodels.stats.power import normal_sample_size_one_tail
    from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

    allocation = plan.sizes[0][0] / plan.sizes[0][1] if request.sized else request.allocation
    type1 = request.allowed_type1
    power = USUAL_POWER if request.power is None else request.power
    sizes = []
    for control in request.rates:
        experimental = control + effect
        if request.margin == 0:
            side = "larger" if plan.direction is Direction.ABOVE else "smaller"
            arm = samplesize_proportions_2indep_onetail(
                effect, control, power, ratio=1 / allocation, alpha=type1, alternative=side
            )
        else:
            spread = np.sqrt(
                experimental * (1 - experimental) + control * (1 - control) * allocation
            )
            arm = normal_sample_size_one_tail(
                abs(effect - request.margin), power, type1, spread, spread
            )
        sizes.append((int(np.ceil(arm)), int(np.ceil(arm / allocation))))
    test = "one-sided normal test of two proportions"
    return NormalTest(test, type1, power, *max(sizes, key=sum))


def _pictures(result: DesignResult) -> Iterator[Picture]:
    from ...figures.design_operating import draw_design_type1

    yield from size_picture(result)
    yield from sets_picture(result)
    errors, asked = type1_frame(result), result.request
    nominal = asked.allowed_type1
    if len(errors) > 1:
        yield Picture(
            "type1",
            "Type I error over the control rate",
            "Exact probability of success where the true difference is the margin; level line: "
            "the nominal error.",
            errors,
            partial(draw_design_type1, wanted=nominal),
        )
