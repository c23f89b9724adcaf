"""Single-arm trials: how large must the next one be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ...data.names import numbered
from ...models.direction import Direction
from ...models.rates.prior import moves_error
from .beliefs import Discounted, Priors, by_discount, priors_of, under_discounts
from .by_set import BySet, SetRow, sets_picture
from .error_rate import ErrorRate
from .operating import (
    Analysis,
    Rule,
    averaging_error,
    predictive_moves,
    predictives,
)
from .pictures import operating_picture, size_picture
from .request import answers
from .requests import SingleArm
from .result import DesignResult, Picture, best_of, error_in, smallest_lasting
from .single_arm_answer import Assured, BinomialTest, SingleArmAnswer, SizeRow, paragraph
from .sizing import choose_size

# Power of the frequentist counterpart where none is asked for.
USUAL_POWER = 0.8


@answers(SingleArm)
def single_arm(request: SingleArm) -> DesignResult:
    """Size a single-arm trial whose success is decided by a posterior probability.

    Parameters
    ----------
    null, target : float
        Rate to beat, and rate hoped for, where power is given (probability scale).
    power_at : float or sequence of float
        Further true rates of the operating characteristics: power is given there.
    rule : {"single", "dual"}
        `dual` also wants the posterior median beyond `target`.
    level : float
        Posterior probability that decides: it counts as success.
    direction : {"above", "below"}
        `below` for harms.
    type1 : float, optional
        Bound on the type I error, exact; the level is raised until it holds, and the critical count
        with it.
    power, assurance : float, optional
        Wanted power at `target`, and wanted probability of success under the design prior. An
        assurance is required where one is named (``"none"``: never), or where no power is wanted:
        then 0.8.
    coverage : float
        Coverage of the interval, the central posterior one whose expected width is given.
    n_min, n_max : int
        Range of sample sizes.
    analysis_prior : str, prior or Analysis
        What the trial's own analysis will use.
    design_prior : str or prior, optional
        What is believed of the true rate; without it there is no assurance.
    discount : float
        Optimism of the design prior on the log-odds: subtracted, for harms added.
    sets : str or sequence of str, optional
        Prior sets under which what a fit says is integrated again: names of the catalogue, files,
        or ``all``.

    Returns
    -------
    DesignResult
        `answer` holds `recommended_n` and `table`.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.

    References
    ----------
    Assurance: O'Hagan et al. 2005, doi:10.1002/pst.175.

    Examples
    --------
    >>> mp.design.single_arm(null=0.3, design_prior="beta(8,4)", n_max=40)
    <design single-arm: 15 patients recommended; .table, .figure(), .protocol()>
    """
    plan = _planned(request)
    priors, table = plan.priors, _table(plan)
    answer = replace(_answer(plan, table), by_set=_by_set(request))
    words = f"success when {plan.decision.words_with(request.type1)}"
    n = answer.recommended_n or request.n_max

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        success = plan.decision.probability(plan.critical[n], n, rates)
        return pd.DataFrame({"rate": rates, f"success, {numbered(n, 'patient')}": success})

    return DesignResult(
        request, priors.said, words, answer, table, paragraph(request, priors, words, answer),
        curve=curve, priors=priors.used, draw=_pictures,
    )  # fmt: skip


def _planned(request: SingleArm) -> _Plan:
    direction = Direction(request.direction)
    priors = priors_of(request.analysis_prior, request.design_prior, request.discount, direction)
    rule = Rule(request.null, request.target, request.rule, request.level, direction)
    return _Plan(request, priors, rule)


def _by_set(request: SingleArm) -> BySet | None:
    """Answer the request again under each prior set."""
    if not isinstance(request.sets, Mapping):
        return None
    rows = []
    for name, priors in request.sets.items():
        plan = _planned(replace(request, sets=None, **priors))
        answer = _answer(plan, _table(plan))
        chosen, believed = answer.chosen, plan.priors.believed
        rows.append(
            SetRow(
                name,
                answer.recommended_n,
                chosen and chosen.critical,
                chosen and chosen.type1,
                chosen and chosen.assurance,
                None if believed is None else plan.decision.beyond(believed, plan.decision.null),
                answer.discounted.discounts if answer.discounted else (),
            )
        )
    return BySet(tuple(rows))


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is asked, believed and decided."""

    request: SingleArm
    priors: Priors[Analysis]
    decision: Rule

    @cached_property
    def critical(self) -> dict[int, int | None]:
        """The critical count of every size."""
        decision, analysis = self.decision, self.priors.analysis
        return {n: decision.critical(analysis, n, self.request.type1) for n in self.request.sizes}

    @property
    def power_column(self) -> str:
        """Where the power at the target stands in the table."""
        return "power" if self.request.target is None else f"power_{self.request.target:g}"

    def powered(self, table: pd.DataFrame) -> np.ndarray:
        """Whether each size has the wanted power; all have where none is wanted."""
        power = self.request.wanted.power
        if power is None:
            return np.ones(len(table), bool)
        return table[self.power_column].to_numpy() >= power


def _table(plan: _Plan) -> pd.DataFrame:
    """Return one row a size: n, critical, type1, a column a rate, assurance, width.

    Of a drawn prior also the Monte-Carlo errors of the last two.
    """
    decision, prior, analysis = plan.decision, plan.priors.believed, plan.priors.analysis
    believed = None if prior is None else predictives(prior, list(plan.critical))
    moves = None if prior is None else predictive_moves(prior, list(plan.critical))
    tails, rates = (1 - plan.request.coverage) / 2, plan.request.rates
    rows = []
    for n, count in plan.critical.items():
        mass = believed[n] if believed is not None else analysis.predictive(n)
        width = analysis.quantile(1 - tails, n) - analysis.quantile(tails, n)
        power = decision.probability(count, n, rates)
        row = {
            "n": n,
            "critical": count,
            "type1": float(decision.probability(count, n, decision.null)),
            **{f"power_{rate:g}": float(p) for rate, p in zip(rates, power, strict=True)},
            "assurance": None if believed is None else decision.share(count, mass),
            "width": float(mass @ width),
        }
        if moves is not None:
            row["assurance_mcse"] = moves_error(decision.part(count, moves[n]))
            row["width_mcse"] = moves_error(moves[n] @ width)
        rows.append(row)
    table = pd.DataFrame(rows)
    table["critical"] = table["critical"].astype("Int64")
    table["type1_above"] = table["type1"] > plan.request.allowed_type1
    return table.astype({"assurance": float})


def _answer(plan: _Plan, table: pd.DataFrame) -> SingleArmAnswer:
    """Choose a size, and say what surrounds the choice."""
    request, sizes = plan.request, plan.request.sizes
    columns = {"assurance": "assurance", "power": plan.power_column, "type1": "type1"}
    size = choose_size(sizes, table, columns, request.wanted, plan.request.allowed_type1)
    recommended = size.recommended_n
    best_power = None
    if request.power is not None:
        best_power = best_of(sizes, table, "power", plan.power_column)
    return SingleArmAnswer(
        size,
        _rows(plan, table),
        tuple(table.loc[table["type1_above"], "n"].tolist()),
        _error_rate(plan, table, recommended or request.n_max),
        best_power,
        _assured(plan, table, recommended),
        _discounts(plan, table),
        _frequentist(plan),
    )


def _error_rate(plan: _Plan, table: pd.DataFrame, n: int) -> ErrorRate:
    """How often a trial of this size succeeds falsely, and what set its critical count."""
    error = float(table["type1"].iloc[n - plan.request.n_min])
    free = plan.decision.critical(plan.priors.analysis, n)
    return ErrorRate(
        plan.request.null, plan.request.type1, error, error, plan.request.level,
        "level" if free == plan.critical[n] else "type1",
        f"at a true rate of {plan.request.null:g}",
    )  # fmt: skip


def _rows(plan: _Plan, table: pd.DataFrame) -> tuple[SizeRow, ...]:
    """Return the table as values."""
    return tuple(
        SizeRow(
            n=int(row["n"]),
            critical=plan.critical[int(row["n"])],
            type1=row["type1"],
            power={f"{rate:g}": row[f"power_{rate:g}"] for rate in plan.request.rates},
            assurance=None if np.isnan(row["assurance"]) else row["assurance"],
            width=row["width"],
        )
        for row in table.to_dict("records")
    )


def _assured(plan: _Plan, table: pd.DataFrame, recommended: int | None) -> Assured | None:
    """Return the attainable and the best assurance; None without a design prior."""
    prior, decision = plan.priors.believed, plan.decision
    if prior is None:
        return None
    best = best_of(plan.request.sizes, table, "assurance")
    n = recommended or (best.n if best else plan.request.n_max)
    place = n - plan.request.n_min

    def beyond(threshold: float) -> float | None:
        return averaging_error(prior, lambda rates: decision.direction.beyond(rates, threshold))

    return Assured(
        decision.beyond(prior, decision.null),
        beyond(decision.null),
        decision.beyond(prior, decision.hardest),
        beyond(decision.hardest),
        best,
        error_in(table, place, "assurance"),
        error_in(table, place, "width"),
    )


def _discounts(plan: _Plan, table: pd.DataFrame) -> Discounted | None:
    """Return the recommended size under several discounts, and the first that leaves none."""
    prior, decision = plan.priors.design, plan.decision
    assurance = plan.request.wanted.assurance
    if prior is None or assurance is None:
        return None
    sizes, powered = plan.request.sizes, plan.powered(table)
    priors, at = under_discounts(prior, decision.direction, plan.request.discount)
    suffices = {}
    for value, moved in priors.items():
        mass = predictives(moved, sizes)
        assured = np.array([decision.share(plan.critical[n], mass[n]) for n in sizes])
        suffices[value] = powered & (assured >= assurance)
    largest = sizes[-1]

    def spare(value: float) -> float:
        moved = at(value)
        success = decision.probability(plan.critical[largest], largest, moved.rates)
        return float(np.dot(moved.weights, success)) - assurance if powered[-1] else -np.inf

    return by_discount(sizes, suffices, spare)


def _frequentist(plan: _Plan) -> BinomialTest | None:
    """Return the exact one-sided binomial test of the same size and power."""
    decision, sizes = plan.decision, plan.request.sizes
    if decision.target is None:
        return None
    power = USUAL_POWER if plan.request.power is None else plan.request.power
    found = []
    for n in sizes:
        critical = decision.tested(n, plan.request.allowed_type1)
        found.append((critical, float(decision.probability(critical, n, decision.target))))
    chosen = smallest_lasting(sizes, np.array([p for _, p in found]) >= power)
    wanted = "exact one-sided binomial", plan.request.allowed_type1, power
    if chosen is None:
        return BinomialTest(*wanted)
    critical, reached = found[chosen - sizes[0]]
    error = float(decision.probability(critical, chosen, decision.null))
    return BinomialTest(*wanted, chosen, critical, error, reached)


def _pictures(result: DesignResult) -> Iterator[Picture]:
    yield from size_picture(result)
    yield operating_picture(result)
    yield from sets_picture(result)
