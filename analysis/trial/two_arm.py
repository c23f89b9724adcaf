"""Two-arm trials: how large must the next one be, and what does borrowing cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...models.rates.difference import probability_difference_above
from ...models.rates.prior import AnyPrior, RatePrior, WeightedRates, as_prior, moves_error
from . import protocol
from .discounts import by_discount, discounted, under_discounts
from .operating import as_mixture, predictive_moves, predictives
from .requests import (
    DIRECTIONS,
    LARGEST_SIZE,
    DesignResult,
    best_of,
    check_choice,
    check_count,
    check_discount,
    check_rate,
    check_rates,
    check_sizes,
    error_in,
    several,
    smallest_lasting,
)
from .type1_search import decide, success_probability

SHOWN = tuple(round(rate, 3) for rate in np.arange(0.025, 1.0, 0.025))
USUAL_POWER = 0.8


@dataclass(frozen=True)
class _Comparison:
    """Who is compared with whom, and when the experimental arm wins."""

    experimental: RatePrior
    control: RatePrior
    margin: float
    level: float
    direction: str
    type1: float | None

    def probability(self, n_experimental: int, n_control: int) -> np.ndarray:
        above = probability_difference_above(
            self.experimental, self.control, n_experimental, n_control, self.margin
        )
        return above if self.direction == "above" else 1 - above


def two_arm(
    *,
    margin: float = 0.0,
    effect: float | None = None,
    control_rate: float | Sequence[float] | None = None,
    level: float = 0.95,
    direction: str = "above",
    type1: float | None = None,
    power: float | None = None,
    assurance: float | None = 0.8,
    n_min: int = 5,
    n_max: int = 300,
    allocation: float = 1.0,
    n_experimental: int | None = None,
    n_control: int | None = None,
    analysis_prior: str | AnyPrior = "beta(1,1)",
    analysis_prior_experimental: str | AnyPrior | None = None,
    analysis_prior_control: str | AnyPrior | None = None,
    design_prior: str | AnyPrior | None = None,
    design_prior_experimental: str | AnyPrior | None = None,
    design_prior_control: str | AnyPrior | None = None,
    discount: float = 0.0,
) -> DesignResult:
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
    power, assurance : float, optional
        Wanted power at `control_rate` and `effect`, and wanted probability of success.
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
    ValueError
        When the request makes no sense, with what to change.
    """
    rates = several(control_rate)
    _check(margin, effect, rates, direction, power, allocation)
    check_rates(level=level, type1=type1, power=power, assurance=assurance)
    sizes = _sizes(n_min, n_max, allocation, n_experimental, n_control)
    ratio = allocation if n_experimental is None else sizes[0][0] / sizes[0][1]
    comparison = _Comparison(
        as_mixture(analysis_prior_experimental or analysis_prior, "two arms"),
        as_mixture(analysis_prior_control or analysis_prior, "two arms"),
        margin, level, direction, type1,
    )  # fmt: skip
    believed = _design_priors(
        design_prior_experimental or design_prior, design_prior_control or design_prior
    )
    check_discount(discount, believed is not None)
    moved, others, at = believed, {}, None
    if believed is not None:
        moved = discounted(believed[0], discount, direction), believed[1]
        if assurance is not None and n_experimental is None:
            others, at = under_discounts(believed[0], direction, discount)
    table, assured, last = _table(comparison, sizes, rates, effect, moved, others)
    lasts = _sufficient(table, power, assurance)
    totals = [sum(size) for size in sizes]
    recommended = None if lasts is None else smallest_lasting(totals, lasts)
    # Operating characteristics are given of the recommended size, or the largest.
    place = len(sizes) - 1 if recommended is None else totals.index(recommended)
    shown = table.iloc[place]
    level_shown = float(shown["level"])
    operating = _operating(comparison, shown, level_shown, sorted({*SHOWN, *rates}), effect)
    answer = {
        "recommended_n": recommended,
        "table": _records(table.drop(columns=["level", "assurance_mcse"], errors="ignore")),
        "operating": _records(operating),
        "level": level_shown,
        "highest_attainable_assurance": None if moved is None else _limit(comparison, *moved),
        "highest_attainable_assurance_mcse": moved and _limit_error(comparison, *moved),
        "assurance_mcse": error_in(table, place, "assurance"),
        "best_assurance": best_of(totals, table, "assurance"),
        "best_power": best_of(totals, table, "power"),
        "frequentist": _frequentist(comparison, rates, effect, power, ratio),
    }
    if believed is not None and assurance is not None and at is not None:
        powered = np.ones(len(sizes), bool) if power is None else table["power"].to_numpy() >= power
        suffices = {value: powered & (own >= assurance) for value, own in assured.items()}

        def spare(value: float) -> float:
            first = at(value).predictive(sizes[-1][0])
            won = float(first @ last @ believed[1].predictive(sizes[-1][1]))
            return won - assurance if powered[-1] else -np.inf

        answer |= by_discount(totals, suffices, spare)
    request = {
        "design": "two-arm", "margin": margin, "effect": effect, "control_rate": list(rates),
        "level": level, "direction": direction, "type1": type1, "power": power,
        "assurance": assurance, "n_min": n_min, "n_max": n_max, "allocation": allocation,
        "n_experimental": n_experimental, "n_control": n_control,
        "analysis_prior_experimental": comparison.experimental.words,
        "analysis_prior_control": comparison.control.words,
        "design_prior_experimental": None if believed is None else believed[0].words,
        "design_prior_control": None if believed is None else believed[1].words,
        "discount": discount,
    }  # fmt: skip
    sign = ">" if direction == "above" else "<"
    words = f"success when P(experimental − control rate {sign} {margin:g} | data) > {level:g}"
    if type1 is not None:
        words += (
            f", the level raised until the type I error is at most {type1:g} for every control rate"
        )
    paragraph = protocol.two_arm(request, words, answer)
    priors = {
        f"{name}, {arm}": prior
        for name, both in (
            ("design prior", moved or ()),
            ("analysis prior", (comparison.experimental, comparison.control)),
        )
        for arm, prior in zip(("experimental", "control"), both, strict=False)
    }

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        found = _operating(comparison, shown, level_shown, rates, None)
        return found[["control", "success"]]

    return DesignResult(request, words, answer, table, paragraph, operating, curve, priors)


def _check(margin, effect, rates, direction, power, allocation) -> None:
    check_choice("direction", direction, DIRECTIONS)
    for name, difference in (("margin", margin), ("effect", effect)):
        if difference is not None and not -1 < difference < 1:
            raise ValueError(f"{name} {difference:g}: a risk difference lies between -1 and 1")
    if effect is not None:
        check_effect(margin, effect, direction)
        if not rates:
            raise ValueError(f"effect {effect:g} is added to a control rate: give control_rate")
    for rate in rates:
        check_rate("control_rate", rate)
        if effect is not None and not 0 <= rate + effect <= 1:
            raise ValueError(
                f"effect {effect:g} leads from control_rate {rate:g} to {rate + effect:g}: "
                "choose them so that the experimental rate is from 0 to 1"
            )
    if power is not None and effect is None:
        raise ValueError(f"power {power:g} needs a true difference: give effect and control_rate")
    if not np.isfinite(allocation) or allocation <= 0:
        raise ValueError(f"allocation {allocation:g}: give experimental patients per control, > 0")


def check_effect(margin: float, effect: float, direction: str) -> None:
    """Refuse an effect that does not pass the margin."""
    if direction == "above" and effect <= margin:
        raise ValueError(
            f"effect {effect:g} is not above margin {margin:g}: raise it, or ask for direction "
            "below"
        )
    if direction == "below" and effect >= margin:
        raise ValueError(
            f"effect {effect:g} is not below margin {margin:g}: lower it, or ask for direction "
            "above"
        )


def _sizes(
    n_min: int, n_max: int, allocation: float, n_experimental: int | None, n_control: int | None
) -> list[tuple[int, int]]:
    """Return experimental and control patients of every size in question."""
    if (n_experimental is None) != (n_control is None):
        raise ValueError("n_experimental and n_control belong together: give both")
    check_count("n_experimental", n_experimental, least=1, most=LARGEST_SIZE)
    check_count("n_control", n_control, least=1, most=LARGEST_SIZE)
    if n_experimental is not None and n_control is not None:
        return [(n_experimental, n_control)]
    check_sizes(n_min, n_max)
    sizes = []
    for total in range(max(n_min, 2), n_max + 1):
        experimental = round(total * allocation / (1 + allocation))
        experimental = min(max(experimental, 1), total - 1)
        sizes.append((experimental, total - experimental))
    if not sizes:
        raise ValueError(f"n_max {n_max}: two arms need at least 2 patients")
    return sizes


def _design_priors(
    experimental: str | AnyPrior | None, control: str | AnyPrior | None
) -> tuple[AnyPrior, AnyPrior] | None:
    if experimental is None and control is None:
        return None
    if experimental is None or control is None:
        missing = "experimental" if experimental is None else "control"
        raise ValueError(
            f"assurance needs a design prior for both arms: give design_prior_{missing}"
        )
    return as_prior(experimental), as_prior(control)


def _table(
    comparison: _Comparison,
    sizes: list[tuple[int, int]],
    rates: tuple[float, ...],
    effect: float | None,
    believed: tuple[AnyPrior, AnyPrior] | None,
    experimental: Mapping[float, AnyPrior],
) -> tuple[pd.DataFrame, dict[float, np.ndarray], np.ndarray]:
    """Return one row a size, the assurance of each under other priors, and the last success table.

    A row has the Monte-Carlo error of its assurance where a design prior is drawn.

    `experimental` holds those priors of the experimental rate, by discount.
    """
    arms = [size[0] for size in sizes]
    masses = {value: predictives(prior, arms) for value, prior in experimental.items()}
    assured: dict[float, list[float]] = {value: [] for value in experimental}
    moves_experimental = moves_control = None
    if believed is not None:
        controls = [size[1] for size in sizes]
        mass_experimental = predictives(believed[0], arms)
        mass_control = predictives(believed[1], controls)
        moves_experimental = predictive_moves(believed[0], arms)
        moves_control = predictive_moves(believed[1], controls)
    rows, errors, success = [], [], np.zeros((1, 1))
    for n_experimental, n_control in sizes:
        success, level, type1 = decide(
            comparison.probability(n_experimental, n_control),
            comparison.margin, comparison.level, comparison.type1,
        )  # fmt: skip
        assurance = power = np.nan
        if believed is not None:
            by_experimental = success @ mass_control[n_control]
            by_control = mass_experimental[n_experimental] @ success
            assurance = float(np.clip(mass_experimental[n_experimental] @ by_experimental, 0, 1))
            own = (
                None
                if moves_experimental is None
                else moves_experimental[n_experimental] @ by_experimental
            )
            other = None if moves_control is None else moves_control[n_control] @ by_control
            errors.append(_joint_error(own, other))
            for value, mass in masses.items():
                assured[value].append(float(mass[n_experimental] @ by_experimental))
        if effect is not None:
            control = np.array(rates)
            power = float(success_probability(success, control + effect, control).min())
        rows.append((n_experimental, n_control, assurance, power, type1, level))
    names = ["n_experimental", "n_control", "assurance", "power", "type1_max", "level"]
    table = pd.DataFrame(rows, columns=names)
    if moves_experimental is not None or moves_control is not None:
        table["assurance_mcse"] = errors
    return table, {value: np.array(own) for value, own in assured.items()}, success


def _sufficient(
    table: pd.DataFrame, power: float | None, assurance: float | None
) -> np.ndarray | None:
    wanted = []
    if power is not None:
        wanted.append(table["power"].to_numpy() >= power)
    if assurance is not None and table["assurance"].notna().all():
        wanted.append(table["assurance"].to_numpy() >= assurance)
    return np.logical_and.reduce(wanted) if wanted else None


def _operating(
    comparison: _Comparison,
    row: pd.Series,
    level: float,
    rates: Sequence[float] | np.ndarray,
    effect: float | None,
) -> pd.DataFrame:
    """Return success over the control rates, at the margin and at the effect."""
    sizes = int(row["n_experimental"]), int(row["n_control"])
    success = (comparison.probability(*sizes) > level).astype(float)
    control = np.asarray(rates, float)
    differences = [comparison.margin] if effect is None else [comparison.margin, effect]
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


def _limit(comparison: _Comparison, experimental: AnyPrior, control: AnyPrior) -> float:
    """Probability under the design priors that the true difference is beyond the margin."""
    rates, weights = control.quadrature(200)
    sides = experimental.above if comparison.direction == "above" else experimental.below
    return float(np.clip(weights @ sides(rates + comparison.margin), 0, 1))


def _limit_error(
    comparison: _Comparison, experimental: AnyPrior, control: AnyPrior
) -> float | None:
    """Monte-Carlo standard error of that probability; None where no prior is drawn."""
    above = comparison.direction == "above"
    moves = []
    for prior, other, margin, beyond in (
        (experimental, control, -comparison.margin, not above),
        (control, experimental, comparison.margin, above),
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


def _frequentist(
    comparison: _Comparison,
    rates: tuple[float, ...],
    effect: float | None,
    power: float | None,
    allocation: float,
) -> dict | None:
    """Return the usual sample size of a one-sided test of two proportions, at each control rate."""
    if effect is None:
        return None
    from statsmodels.stats.power import normal_sample_size_one_tail
    from statsmodels.stats.proportion import samplesize_proportions_2indep_onetail

    type1 = round(1 - comparison.level, 12) if comparison.type1 is None else comparison.type1
    power = USUAL_POWER if power is None else power
    sizes = []
    for control in rates:
        experimental = control + effect
        if comparison.margin == 0:
            side = "larger" if comparison.direction == "above" else "smaller"
            arm = samplesize_proportions_2indep_onetail(
                effect, control, power, ratio=1 / allocation, alpha=type1, alternative=side
            )
        else:
            spread = np.sqrt(
                experimental * (1 - experimental) + control * (1 - control) * allocation
            )
            arm = normal_sample_size_one_tail(
                abs(effect - comparison.margin), power, type1, spread, spread
            )
        sizes.append((int(np.ceil(arm)), int(np.ceil(arm / allocation))))
    n_experimental, n_control = max(sizes, key=sum)
    return {
        "test": "one-sided normal test of two proportions",
        "type1_wanted": type1,
        "power_wanted": power,
        "n_experimental": n_experimental,
        "n_control": n_control,
    }


def _records(table: pd.DataFrame) -> list[dict]:
    """Return rows as JSON-ready values; not-a-number is null."""
    return [
        {str(name): None if value != value else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
