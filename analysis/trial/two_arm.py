"""Two-arm trials: how large must the next one be, and what does borrowing cost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from ...models.direction import Direction
from ...models.rates.difference import probability_difference_above
from ...models.rates.prior import AnyPrior, RatePrior, WeightedRates, as_prior, moves_error
from .beliefs import Discounted, Priors, by_discount, under_discounts
from .design_frames import type1_frame
from .error_rate import ErrorRate
from .operating import as_mixture, predictive_moves, predictives
from .pictures import size_picture
from .request import answers
from .result import DesignResult, Picture, best_of, error_in, rows_of
from .sizing import Size, choose_size
from .two_arm_answer import NormalTest, SizeRow, Success, TwoArmAnswer, paragraph
from .two_arm_request import TwoArm
from .type1_search import decide, success_probability

SHOWN = tuple(round(rate, 3) for rate in np.arange(0.025, 1.0, 0.025))
USUAL_POWER = 0.8


@answers(TwoArm)
def two_arm(request: TwoArm) -> DesignResult:
    """Size a trial of an experimental arm against control.

    Parameters
    ----------
    margin, effect : float
        Risk differences, experimental minus control: the one to exceed (for harms: to stay below),
        and the true one at which power is given.
    control_rate : float or sequence of float, optional
        True control rates at which power is given; the table shows the smallest power of them.
    level : float
        Posterior probability that counts as success.
    direction : {"above", "below"}
        `below` for harms: success when the difference is below the margin.
    type1 : float, optional
        Bound on the type I error over all control rates; the level is raised until it holds.
    control_range : (float, float), optional
        Control rates over which the type I error is the largest; by default from 0 to 1.
    power, assurance : float, optional
        Wanted power at `control_rate` and `effect`, and wanted probability of success. An
        assurance is required where one is named (``"none"``: never), or where no power is wanted:
        then 0.8.
    n_min, n_max : int
        Range of total sample sizes.
    allocation : float
        Experimental patients per control patient.
    n_experimental, n_control : int, optional
        One given size instead of the range.
    analysis_prior, analysis_prior_experimental, analysis_prior_control : str or RatePrior
        What the trial's own analysis will use; the arms' own ones come first.
    design_prior, design_prior_experimental, design_prior_control : str or prior, optional
        What is believed about the two true rates, independently of each other.
    discount : float
        Optimism of the experimental arm's design prior on the log-odds: subtracted, for harms
        added.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.
    """
    plan = _Plan(request)
    found = _search(plan)
    columns = {"assurance": "assurance", "power": "power", "type1": "type1_max"}
    size = choose_size(plan.totals, found.table, columns, request.wanted, request.allowed_type1)
    recommended = size.recommended_n
    # Operating characteristics are given of the recommended size, or the largest.
    place = len(found.table) - 1 if recommended is None else plan.totals.index(recommended)
    shown = found.table.iloc[place]
    operating = _operating(plan, shown, sorted({*SHOWN, *request.rates}), request.effect)
    answer = _answer(plan, found, size, place, operating)
    words = _words(request)

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        return _operating(plan, shown, rates, None)[["control", "success"]]

    return DesignResult(
        request, plan.said, words, answer, found.table,
        paragraph(request, plan.arms, words, answer), operating, curve, plan.used, _pictures,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Plan:
    """What is asked and believed, and when the experimental arm wins."""

    request: TwoArm

    @property
    def direction(self) -> Direction:
        """The side of the margin on which the experimental arm wins."""
        return Direction(self.request.direction)

    @cached_property
    def arms(self) -> dict[str, Priors[RatePrior]]:
        """The priors of both arms; the experimental one alone is discounted."""
        asked = self.request
        analyses = (asked.analysis_prior_experimental, asked.analysis_prior_control)
        return {
            arm: Priors(
                as_mixture(analysis or asked.analysis_prior, "two arms"),
                None if believed is None else as_prior(believed),
                discount,
                self.direction,
            )
            for arm, analysis, believed, discount in zip(
                ("experimental", "control"), analyses, asked.believed, (asked.discount, 0.0),
                strict=True,
            )
        }  # fmt: skip

    @cached_property
    def believed(self) -> tuple[AnyPrior, AnyPrior] | None:
        """Design priors of the experimental and of the control rate, discount included."""
        experimental, control = (arm.believed for arm in self.arms.values())
        return None if experimental is None or control is None else (experimental, control)

    @property
    def said(self) -> dict[str, str | None]:
        """The priors in words, by the names of the request."""
        words = {arm: priors.said for arm, priors in self.arms.items()}
        return {
            f"{name}_{arm}": words[arm][name]
            for name in ("analysis_prior", "design_prior")
            for arm in words
        }

    @property
    def used(self) -> dict[str, AnyPrior]:
        """The priors as used, by what they are."""
        named = {arm: priors.used for arm, priors in self.arms.items()}
        return {
            f"{name}, {arm}": used[name]
            for name in ("design prior", "analysis prior")
            for arm, used in named.items()
            if name in used
        }

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """Experimental and control patients of every size in question."""
        return self.request.sizes

    @property
    def totals(self) -> list[int]:
        """Patients of every size in question."""
        return [sum(size) for size in self.sizes]

    @property
    def discounts(self) -> bool:
        """Whether the size is also wanted under other discounts."""
        return (
            self.believed is not None
            and self.request.wanted.assurance is not None
            and not self.request.sized
        )

    def probability(self, n_experimental: int, n_control: int) -> np.ndarray:
        """Posterior probability of a difference beyond the margin, for each pair of counts."""
        above = probability_difference_above(
            self.arms["experimental"].analysis, self.arms["control"].analysis,
            n_experimental, n_control, self.request.margin,
        )  # fmt: skip
        return self.direction.probability(above)

    def powered(self, table: pd.DataFrame) -> np.ndarray:
        """Whether each size has the wanted power; all have where none is wanted."""
        if self.request.power is None:
            return np.ones(len(table), bool)
        return table["power"].to_numpy() >= self.request.power


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
    """Averages over the design priors of what a success table gives."""

    def __init__(self, plan: _Plan, experimental: AnyPrior, control: AnyPrior) -> None:
        arms, controls = zip(*plan.sizes, strict=True)
        self._masses = predictives(experimental, arms), predictives(control, controls)
        self._moves = predictive_moves(experimental, arms), predictive_moves(control, controls)
        others = {}
        if plan.discounts:
            asked, believed = plan.request, plan.arms["experimental"].design
            assert believed is not None
            others = under_discounts(believed, plan.direction, asked.discount)[0]
        self._others = {value: predictives(prior, arms) for value, prior in others.items()}

    @property
    def drawn(self) -> bool:
        """Whether an average has a Monte-Carlo error."""
        return self._moves != (None, None)

    def of(self, success: np.ndarray) -> tuple[float, float | None, dict[float, float]]:
        """Return the assurance, its error, and the assurance at the other discounts."""
        n_experimental, n_control = success.shape[0] - 1, success.shape[1] - 1
        own = self._masses[0][n_experimental]
        by_experimental, by_control = success @ self._masses[1][n_control], own @ success
        experimental, control = self._moves
        error = _joint_error(
            None if experimental is None else experimental[n_experimental] @ by_experimental,
            None if control is None else control[n_control] @ by_control,
        )
        others = {
            value: float(mass[n_experimental] @ by_experimental)
            for value, mass in self._others.items()
        }
        assurance = float(np.clip(own @ by_experimental, 0, 1))
        return assurance, error, others


def _search(plan: _Plan) -> _Found:
    """Return one row a size, with the error of its assurance where a design prior is drawn."""
    request = plan.request
    averages = None if plan.believed is None else _Averages(plan, *plan.believed)
    control = np.array(request.rates)
    rows, others, success = [], [], np.zeros((1, 1))
    for n_experimental, n_control in plan.sizes:
        success, level, type1 = decide(
            plan.probability(n_experimental, n_control),
            request.margin, request.level, request.type1, request.controls,
        )  # fmt: skip
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
    if averages is None or not averages.drawn:
        table = table.drop(columns="assurance_mcse")
    assured = (
        {value: np.array([row[value] for row in others]) for value in others[0]} if others else {}
    )
    return _Found(table, assured, success)


def _answer(
    plan: _Plan, found: _Found, size: Size, place: int, operating: pd.DataFrame
) -> TwoArmAnswer:
    """Say what was found, and what surrounds the choice."""
    table = found.table
    level, error = (float(table[name].iloc[place]) for name in ("level", "type1_max"))
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
        highest_attainable_assurance=plan.believed and _limit(plan, *plan.believed),
        highest_attainable_assurance_mcse=plan.believed and _limit_error(plan, *plan.believed),
        assurance_mcse=error_in(table, place, "assurance"),
        best_assurance=best_of(plan.totals, table, "assurance"),
        best_power=best_of(plan.totals, table, "power"),
        frequentist=_frequentist(plan),
        discounted=_discounts(plan, found),
    )


def _discounts(plan: _Plan, found: _Found) -> Discounted | None:
    """Return the recommended size under several discounts, and the first that leaves none."""
    wanted, (experimental, control) = plan.request.wanted.assurance, plan.arms.values()
    if not plan.discounts or wanted is None or not experimental.design or not control.design:
        return None
    powered = plan.powered(found.table)
    suffices = {value: powered & (own >= wanted) for value, own in found.assured.items()}
    at = under_discounts(experimental.design, plan.direction, plan.request.discount)[1]
    largest = plan.sizes[-1]
    won = found.last @ control.design.predictive(largest[1])

    def spare(value: float) -> float:
        assurance = float(at(value).predictive(largest[0]) @ won)
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
    plan: _Plan,
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


def _limit(plan: _Plan, experimental: AnyPrior, control: AnyPrior) -> float:
    """Probability under the design priors that the true difference is beyond the margin."""
    rates, weights = control.quadrature(200)
    sides = {Direction.ABOVE: experimental.above, Direction.BELOW: experimental.below}
    return float(np.clip(weights @ sides[plan.direction](rates + plan.request.margin), 0, 1))


def _limit_error(plan: _Plan, experimental: AnyPrior, control: AnyPrior) -> float | None:
    """Monte-Carlo standard error of that probability; None where no prior is drawn."""
    above = plan.direction is Direction.ABOVE
    moves = []
    for prior, other, margin, beyond in (
        (experimental, control, -plan.request.margin, not above),
        (control, experimental, plan.request.margin, above),
    ):
        own = None
        if isinstance(prior, WeightedRates):
            rates = np.array(prior.rates) + margin
            own = prior.moves(other.above(rates) if beyond else other.below(rates))
        moves.append(own)
    return _joint_error(*moves)


def _joint_error(experimental: np.ndarray | None, control: np.ndarray | None) -> float | None:
    """Monte-Carlo standard error of what the draws of both arms' design priors move.

    The two may be the same draws, or draws of one chain: batch by batch they move it together.
    """
    known = [moves for moves in (experimental, control) if moves is not None]
    if len({len(moves) for moves in known}) == 1:
        return moves_error(np.sum(known, axis=0))
    errors = [moves_error(moves) for moves in known]
    return float(np.hypot.reduce(np.array(errors, float))) if errors else None


def _frequentist(plan: _Plan) -> NormalTest | None:
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
