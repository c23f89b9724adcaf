"""Single-arm trials: how large must the next one be."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ...models.rates.prior import AnyPrior, as_prior, moves_error
from . import protocol
from .discounts import by_discount, discounted, under_discounts
from .operating import (
    Analysis,
    Rule,
    as_analysis,
    averaging_error,
    exact_tails,
    predictive_moves,
    predictives,
    used,
)
from .requests import (
    DIRECTIONS,
    RULES,
    DesignResult,
    best_of,
    check_choice,
    check_discount,
    check_rate,
    check_rates,
    check_sizes,
    check_target,
    error_in,
    several,
    smallest_lasting,
)

# Power of the frequentist counterpart where none is asked for.
USUAL_POWER = 0.8


def single_arm(
    *,
    null: float,
    target: float | None = None,
    power_at: float | Sequence[float] = (),
    rule: str = "single",
    level: float = 0.95,
    direction: str = "above",
    type1: float | None = None,
    power: float | None = None,
    assurance: float | None = 0.8,
    coverage: float = 0.95,
    n_min: int = 5,
    n_max: int = 300,
    analysis_prior: str | AnyPrior | Analysis = "beta(1,1)",
    design_prior: str | AnyPrior | None = None,
    discount: float = 0.0,
) -> DesignResult:
    """Size a single-arm trial whose success is decided by a posterior probability.

    Parameters
    ----------
    null, target : float
        Rate to beat, and rate hoped for, where power is given (probability scale).
    power_at : float or sequence of float
        Further true rates at which power is given.
    rule : {"single", "dual"}
        `dual` also wants the posterior median beyond `target`.
    level : float
        Posterior probability that counts as success.
    direction : {"above", "below"}
        `below` for harms.
    type1 : float, optional
        Bound on the exact type I error; the critical count is raised until it holds.
    power, assurance : float, optional
        Wanted power at `target`, and wanted probability of success under the design prior.
    coverage : float
        Of the central posterior interval whose expected width is given.
    n_min, n_max : int
        Range of sample sizes.
    analysis_prior : str, prior or Analysis
        What the trial's own analysis will use.
    design_prior : str or prior, optional
        What is believed about the truth; without it there is no assurance.
    discount : float
        Optimism of the design prior on the log-odds: subtracted, for harms added.

    Returns
    -------
    DesignResult
        `answer` holds `recommended_n` and `table`; see design.md for the shape.

    Raises
    ------
    ValueError
        When the request makes no sense, with what to change.

    References
    ----------
    Assurance: O'Hagan et al. 2005, doi:10.1002/pst.175.
    """
    further = several(power_at)
    _check(null, target, further, rule, direction, power)
    check_discount(discount, design_prior is not None)
    check_rates(level=level, type1=type1, power=power, assurance=assurance, coverage=coverage)
    check_sizes(n_min, n_max)
    analysis = as_analysis(analysis_prior)
    prior = None if design_prior is None else as_prior(design_prior)
    decision = Rule(null, target, rule, level, direction)
    moved = None if prior is None else discounted(prior, discount, direction)
    sizes = range(n_min, n_max + 1)
    critical = {n: decision.critical(analysis, n, type1) for n in sizes}
    rates = tuple(dict.fromkeys((*several(target), *further)))
    table = _table(decision, critical, rates, moved, analysis, coverage)
    table["type1_above"] = table["type1"] > _allowed(type1, level)

    lasts = _sufficient(table, power if target is not None else None, target, assurance)
    answer = {
        "recommended_n": None if lasts is None else smallest_lasting(sizes, lasts),
        "table": _rows(table, critical, rates),
        "type1_above": table.loc[table["type1_above"], "n"].tolist(),
    }
    if power is not None:
        answer["best_power"] = best_of(sizes, table, "power", f"power_{target:g}")
    if prior is not None and moved is not None:
        answer |= _assured(decision, critical, moved, table, answer["recommended_n"])
        answer |= _discounts(decision, critical, prior, table, (discount, power, target, assurance))
    answer["frequentist"] = _frequentist(decision, sizes, type1, power)
    request = {
        "design": "single-arm", "null": null, "target": target, "power_at": list(further),
        "rule": rule, "level": level, "direction": direction, "type1": type1, "power": power,
        "assurance": assurance, "coverage": coverage, "n_min": n_min, "n_max": n_max,
        "analysis_prior": analysis.words, "design_prior": None if prior is None else prior.words,
        "discount": discount,
    }  # fmt: skip
    words = f"success when {decision.words_with(type1)}"
    paragraph = protocol.single_arm(request, words, answer)
    n = answer["recommended_n"] or n_max

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        success = decision.probability(critical[n], n, rates)
        return pd.DataFrame({"rate": rates, f"success, {n} patients": success})

    priors = used(moved, analysis)
    return DesignResult(request, words, answer, table, paragraph, curve=curve, priors=priors)


def _check(null, target, further, rule, direction, power) -> None:
    check_choice("rule", rule, RULES)
    check_choice("direction", direction, DIRECTIONS)
    check_rates(null=null, target=target)
    for rate in further:
        check_rate("power_at", rate)
    check_target(null, target, direction)
    if rule == "dual" and target is None:
        raise ValueError("rule dual compares the posterior median with a target: give target")
    if power is not None and target is None:
        raise ValueError(f"power {power:g} is wanted at the target: give target")


def _table(
    decision: Rule,
    critical: dict[int, int | None],
    rates: tuple[float, ...],
    prior: AnyPrior | None,
    analysis: Analysis,
    coverage: float,
) -> pd.DataFrame:
    """Return one row a size: n, critical, type1, a column a rate, assurance, width.

    Of a drawn prior also the Monte-Carlo errors of the last two.
    """
    believed = None if prior is None else predictives(prior, list(critical))
    moves = None if prior is None else predictive_moves(prior, list(critical))
    rows = []
    for n, count in critical.items():
        mass = believed[n] if believed is not None else analysis.predictive(n)
        tails = (1 - coverage) / 2
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
    return table.astype({"assurance": float})


def _rows(
    table: pd.DataFrame, critical: dict[int, int | None], rates: tuple[float, ...]
) -> list[dict]:
    """Return the table in the JSON shape."""
    rows = []
    for row in table.to_dict("records"):
        assurance = row["assurance"]
        rows.append(
            {
                "n": int(row["n"]),
                "critical": critical[int(row["n"])],
                "type1": row["type1"],
                "power": {f"{rate:g}": row[f"power_{rate:g}"] for rate in rates},
                "assurance": None if np.isnan(assurance) else assurance,
                "width": row["width"],
            }
        )
    return rows


def _allowed(type1: float | None, level: float) -> float:
    return round(1 - level, 12) if type1 is None else type1


def _sufficient(
    table: pd.DataFrame, power: float | None, target: float | None, assurance: float | None
) -> np.ndarray | None:
    """Whether each size reaches every wanted target; None when there is nothing to reach."""
    wanted = []
    if power is not None:
        wanted.append(table[f"power_{target:g}"].to_numpy() >= power)
    if assurance is not None and table["assurance"].notna().all():
        wanted.append(table["assurance"].to_numpy() >= assurance)
    return np.logical_and.reduce(wanted) if wanted else None


def _assured(
    decision: Rule,
    critical: dict[int, int | None],
    prior: AnyPrior,
    table: pd.DataFrame,
    recommended: int | None,
) -> dict:
    """Return the attainable and the best assurance, with Monte-Carlo errors of drawn priors."""
    best = best_of(list(critical), table, "assurance")
    n = recommended or (best["n"] if best else max(critical))

    def beyond(threshold: float) -> float | None:
        side = 1 if decision.direction == "above" else -1
        return averaging_error(prior, lambda rates: side * (rates - threshold) > 0)

    return {
        "highest_attainable_assurance": decision.beyond(prior, decision.null),
        "highest_attainable_assurance_mcse": beyond(decision.null),
        "limiting_assurance": decision.beyond(prior, decision.hardest),
        "limiting_assurance_mcse": beyond(decision.hardest),
        "best_assurance": best,
        "assurance_mcse": error_in(table, n - min(critical), "assurance"),
        "width_mcse": error_in(table, n - min(critical), "width"),
    }


def _discounts(
    decision: Rule,
    critical: dict[int, int | None],
    prior: AnyPrior,
    table: pd.DataFrame,
    wanted: tuple[float, float | None, float | None, float | None],
) -> dict:
    """Return the recommended size under several discounts, and the first that leaves none."""
    discount, power, target, assurance = wanted
    if assurance is None:
        return {}
    sizes = list(critical)
    powered = np.ones(len(sizes), bool)
    if power is not None:
        powered = table[f"power_{target:g}"].to_numpy() >= power
    priors, at = under_discounts(prior, decision.direction, discount)
    suffices = {}
    for value, moved in priors.items():
        mass = predictives(moved, sizes)
        assured = np.array([decision.share(critical[n], mass[n]) for n in sizes])
        suffices[value] = powered & (assured >= assurance)
    largest = sizes[-1]

    def spare(value: float) -> float:
        moved = at(value)
        success = decision.probability(critical[largest], largest, moved.rates)
        return float(np.dot(moved.weights, success)) - assurance if powered[-1] else -np.inf

    return by_discount(sizes, suffices, spare)


def _frequentist(
    decision: Rule, sizes: Sequence[int], type1: float | None, power: float | None
) -> dict | None:
    """Return the exact one-sided binomial test of the same size and power."""
    if decision.target is None:
        return None
    bound = _allowed(type1, decision.level)
    power = USUAL_POWER if power is None else power
    found = []
    for n in sizes:
        fits = np.flatnonzero(exact_tails(n, decision.null, decision.direction) <= bound)
        critical = None
        if fits.size:
            critical = int(fits[0] if decision.direction == "above" else fits[-1])
        found.append((critical, float(decision.probability(critical, n, decision.target))))
    chosen = smallest_lasting(sizes, np.array([p for _, p in found]) >= power)
    test = {"test": "exact one-sided binomial", "type1_wanted": bound, "power_wanted": power}
    if chosen is None:
        return test | {"n": None, "critical": None, "type1": None, "power": None}
    critical, reached = found[chosen - sizes[0]]
    error = float(decision.probability(critical, chosen, decision.null))
    return test | {"n": chosen, "critical": critical, "type1": error, "power": reached}
