"""Prior sets compared by the exact engine: no draws, and a marginal likelihood for every set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...models.exact.outcomes import ExactFit, ExactModel, exact_model
from ...models.exact.predictions import leave_studies_out
from ...models.exact.prior_scan import scan_above
from ...models.outcomes import outcome
from ...models.priors.sets import PriorSet
from ..fitting.fit import terms_of
from . import prior_conflict as conflict
from .flips import flips, grid_priors, map_table, prior_grid
from .power_scaling import COLUMNS as SCALING_COLUMNS
from .quantities import RATE_QUANTITIES, run_of, split_quantities
from .questions import Question
from .result import PriorComparison
from .sets import ERRORS, prior_table, spread_of_sum
from .weighted_statistics import STATISTICS, log_odds_nodes


def compare_exactly(
    evidence,
    sets: Sequence[PriorSet],
    pooling: str,
    asked: Mapping[str, Question],
    confidence: float,
    seed: int,
    progress,
) -> PriorComparison:
    """Compare prior sets for every outcome that can be integrated.

    Parameters
    ----------
    evidence, sets, pooling, confidence, seed, progress
        As in `compare.compare_priors`; the seed is of the prior's replicated data.
    asked : mapping of str to Question
        The conclusion of each outcome; empty for none.

    Returns
    -------
    PriorComparison
        Of these outcomes; errors are numerical, and messages name the outcomes left out.

    Raises
    ------
    NotExact
        An outcome asked for by name that only the sampler can fit.
    """
    named = evidence.selection.outcomes or None
    model = exact_model(evidence, pooling, named)
    fitted = []
    for i, priors in enumerate(sets):
        if progress is not None:
            progress("comparing priors", i, len(sets))
        fitted.append(model.fit(priors, verify=i == 0))
    terms = terms_of(evidence)
    reported = [name for name in (named or terms.names) if name in model.hierarchies]
    masses = [_masses(each, reported) for each in fitted]
    table = _quantities(fitted, masses, reported)
    methods = _methods(sets, reported)
    rates, hyper = split_quantities(table, methods, terms)
    before, prior_densities = prior_table(terms, pooling, sets, seed)
    asked = {name: question for name, question in asked.items() if name in reported}
    by_set, grid_map = _flip_tables(fitted, asked)
    conflicts = conflict.prior_conflicts(terms, pooling, sets[0], seed)
    return PriorComparison(
        reference=sets[0].name,
        sets=tuple(sets),
        rates=rates,
        hyper=hyper,
        before=before[before["outcome"].isin(reported)].reset_index(drop=True),
        methods=methods,
        scores=_scores(fitted, reported),
        densities=_densities(sets, masses, prior_densities, terms.names),
        power_scaling=pd.DataFrame(columns=["outcome", *SCALING_COLUMNS]),
        conflicts=conflicts[conflicts["outcome"].isin(reported)].reset_index(drop=True),
        flips=flips(grid_map, by_set, asked, confidence),
        flip_map=grid_map,
        run=run_of(evidence, pooling, "exact", seed),
        messages=_messages(model),
    )


def _messages(model: ExactModel) -> tuple[str, ...]:
    """Name the outcomes left out, and the parents that their rows would have told of."""
    said = [str(problem) for problem in model.refused.values()]
    for child in model.refused:
        parent = outcome(child).parent
        if parent in model.hierarchies:
            said.append(
                f"{parent} is taken by itself: rows of {child} tell of it too, in the sampler only"
            )
    return tuple(said)


def _labels(fit: ExactFit, name: str) -> list[tuple[str | None, str]]:
    """Disease (or None) and quantity of everything that is known of an outcome."""
    posterior = fit.posteriors[name]
    present = ["mu"] if posterior.hierarchy.structure != "none" else []
    present += (["tau"] if posterior.hierarchy.has_tau else []) + ["sigma"]
    return [*posterior.quantities, *((None, parameter) for parameter in present)]


def _masses(fit: ExactFit, reported: Sequence[str]) -> dict[tuple, np.ndarray]:
    """Mass of every rate between the nodes of the log-odds, by outcome, disease and quantity."""
    level = log_odds_nodes()
    ends = 1 / (1 + np.exp(-(level + (level[1] - level[0]) / 2)))
    found = {}
    for name in reported:
        for disease, quantity in fit.posteriors[name].quantities:
            below = 1 - fit.distribution(name, quantity, disease).above(ends)
            found[name, disease, quantity] = np.maximum(np.diff(below, prepend=0.0), 0.0)
    return found


def _quantities(fitted, masses, reported) -> pd.DataFrame:
    """Lay out every quantity of every set as `comparison.quantities_table` does."""
    base: dict[tuple, np.ndarray] = {}
    rows = []
    for fit, mass in zip(fitted, masses, strict=True):
        missing = _without_moments(fit)
        for name in reported:
            for disease, quantity in _labels(fit, name):
                key = (name, disease, quantity)
                values, errors = _statistics(fit, key)
                reference = base.setdefault(key, np.concatenate([values, errors]))
                shift = (values[0] - reference[0]) / reference[1]
                shift_error = np.hypot(errors[0], reference[5]) / reference[1]
                known = quantity in RATE_QUANTITIES
                common = np.minimum(mass[key], masses[0][key]).sum() if known else np.nan
                values[missing.get(key, [])] = np.nan
                errors[missing.get(key, [])] = np.nan
                rows.append(
                    {
                        "set": fit.priors.name,
                        "outcome": name,
                        "disease": disease,
                        "quantity": quantity,
                        **dict(zip(STATISTICS, values, strict=True)),
                        **dict(zip(ERRORS, errors, strict=True)),
                        "ess": np.nan,
                        "shift": np.nan if np.isnan(values[0]) else shift,
                        "shift_mcse": np.nan if np.isnan(values[0]) else shift_error,
                        "overlap": common,
                        "overlap_mcse": 0.0 if known else np.nan,
                        "method": "exact",
                        "pareto_k": np.nan,
                    }
                )
    return pd.DataFrame(rows)


def _statistics(fit: ExactFit, key: tuple) -> tuple[np.ndarray, np.ndarray]:
    name, disease, quantity = key
    main = fit.distribution(name, quantity, disease).statistics()
    coarser = fit.distribution(name, quantity, disease, coarser=True).statistics()
    return main, np.abs(main - coarser)


def _without_moments(fit: ExactFit) -> dict[tuple, list[int]]:
    """Positions in `STATISTICS` of means and standard deviations that do not exist."""
    table = fit.hyper()
    found = {}
    for row in table.to_dict("records"):
        absent = [i for i, moment in enumerate(("mean", "sd")) if pd.isna(row[moment])]
        found[row["outcome"], None, row["parameter"]] = absent
    return found


def _methods(sets: Sequence[PriorSet], reported: Sequence[str]) -> pd.DataFrame:
    columns = {
        "method": "exact", "from_set": None, "pareto_k": np.nan, "ess": np.nan, "draws": 0,
        "divergences": np.nan, "max_r_hat": np.nan,
    }  # fmt: skip
    rows = [{"set": s.name, "outcome": name, **columns} for s in sets for name in reported]
    return pd.DataFrame(rows)


def _scores(fitted: Sequence[ExactFit], reported: Sequence[str]) -> pd.DataFrame:
    """Exact leave-one-study-out scores and marginal likelihoods, as `comparison.scores_table`."""
    rows = []
    base: dict[str | None, np.ndarray] = {}
    for fit in fitted:
        elpd = {n: leave_studies_out(fit.posteriors[n]).scores for n in reported}
        marginal = fit.log_marginal_likelihood
        for part in [*([name] for name in reported), list(reported)]:
            name = part[0] if part != list(reported) or len(reported) == 1 else None
            mine = np.concatenate([elpd[n]["elpd"].to_numpy() for n in part])
            difference = mine - base.setdefault(name, mine)
            rows.append(
                {
                    "set": fit.priors.name,
                    "outcome": name,
                    "elpd": mine.sum(),
                    "elpd_se": spread_of_sum(mine),
                    "elpd_mcse": float(sum(elpd[n]["error"].sum() for n in part)),
                    "elpd_diff": difference.sum(),
                    "elpd_diff_se": spread_of_sum(difference),
                    "elpd_pareto_k": np.nan,
                    "studies": len(mine),
                    "log_marginal_likelihood": sum(marginal[n] for n in part),
                }
            )
        if len(reported) == 1:
            rows[-1] = rows[-1] | {"outcome": None}
    return pd.DataFrame(rows)


def _densities(sets, masses, before: dict[str, np.ndarray], names) -> pd.DataFrame:
    """Prior and posterior densities of rates, as `comparison.densities_table`."""
    level = log_odds_nodes()
    shown = np.abs(level) < 9
    rate = 1 / (1 + np.exp(-level[shown]))
    per_rate = 1 / ((level[1] - level[0]) * rate * (1 - rate))
    frames = [
        pd.DataFrame(
            {
                "set": priors.name,
                "outcome": name,
                "disease": disease,
                "rate": rate,
                "prior": before[priors.name][names.index(name), shown] * per_rate,
                "posterior": mass[shown] * per_rate,
            }
        )
        for priors, found in zip(sets, masses, strict=True)
        for (name, disease, quantity), mass in found.items()
        if quantity == "rate"
    ]
    return pd.concat(frames, ignore_index=True)


def _flip_tables(fitted: Sequence[ExactFit], asked: Mapping[str, Question]):
    """Probabilities under every set and, at full resolution, under every prior of the grids."""
    if not asked:
        return pd.DataFrame(), pd.DataFrame()
    by_set = [
        {"set": f.priors.name, "outcome": n, "disease": d, "probability": p, "mcse": 0.0}
        for n, question in asked.items()
        for f in fitted
        for d, p in zip(
            f.model.evidence.diseases,
            question.direction.probability(f.probability_above(n, question.threshold).to_numpy()),
            strict=True,
        )
    ]
    maps = [_map(fitted[0], name, question) for name, question in asked.items()]
    return pd.DataFrame(by_set), pd.concat(maps, ignore_index=True)


def _map(reference: ExactFit, name: str, question: Question) -> pd.DataFrame:
    """Probability of a conclusion under every prior of an outcome's grid."""
    model, priors = reference.model, reference.priors
    grid = prior_grid(priors, name, model.hierarchies[name].has_tau, finer=True)
    above = scan_above(reference, name, question.threshold, *grid_priors(grid))
    shape = above.shape[:2]
    nothing, from_set = np.full(shape, np.nan), np.full(shape, "exact", object)
    found = question.direction.probability(above)
    diseases = list(model.evidence.diseases)
    return map_table(grid, diseases, found, np.zeros_like(found), nothing, from_set)
