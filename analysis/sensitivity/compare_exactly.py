"""Prior sets compared by the exact engine: no draws, and a marginal likelihood for every set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...data.outcomes import outcome
from ...models.exact.outcomes import ExactFit, ExactModel, exact_model
from ...models.exact.predictions import leave_studies_out
from ...models.exact.prior_scan import scan_above
from ...models.priors.sets import PriorSet
from ..fitting.progress import Progress
from .assemble import EngineResults, assemble
from .flips import grid_priors, map_table, prior_grid
from .power_scaling import COLUMNS as SCALING_COLUMNS
from .quantities import RATE_QUANTITIES
from .questions import Question
from .request import ComparisonRequest
from .result import PriorComparison
from .sets import ERRORS, spread_of_sum
from .weighted_statistics import STATISTICS, log_odds_nodes


def compare_exactly(request: ComparisonRequest, progress: Progress | None) -> PriorComparison:
    """Compare prior sets for every outcome that can be integrated.

    Parameters
    ----------
    request : ComparisonRequest
        What is asked for.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    PriorComparison
        Of these outcomes; errors are numerical, and messages name the outcomes left out.

    Raises
    ------
    NotExact
        An outcome asked for by name that only the sampler can fit.
    """
    named = request.evidence.selection.outcomes or None
    model = exact_model(request.evidence, request.pooling, named)
    fits = []
    for i, priors in enumerate(request.sets):
        if progress is not None:
            progress("comparing priors", i, len(request.sets))
        fits.append(model.fit(priors, verify=i == 0))
    outcomes = [name for name in request.reported if name in model.hierarchies]
    asked = {name: each for name, each in request.questions.items() if name in outcomes}
    masses = [_masses(fit, outcomes) for fit in fits]
    probabilities, flip_map = _flip_tables(fits, asked)
    found = EngineResults(
        engine="exact",
        outcomes=outcomes,
        quantities=_quantities(fits, masses, outcomes),
        methods=_methods(request.sets, outcomes),
        scores=_scores(fits, outcomes),
        masses=_rate_masses(fits, masses),
        power_scaling=pd.DataFrame(columns=["outcome", *SCALING_COLUMNS]),
        probabilities=probabilities,
        flip_map=flip_map,
        messages=_messages(model),
    )
    return assemble(request, found)


def _rate_masses(fits: Sequence[ExactFit], masses) -> dict[tuple[str, str, str], np.ndarray]:
    return {
        (fit.priors.name, outcome, disease): mass
        for fit, by_quantity in zip(fits, masses, strict=True)
        for (outcome, disease, quantity), mass in by_quantity.items()
        if quantity == "rate"
    }


def _messages(model: ExactModel) -> tuple[str, ...]:
    """Name the outcomes left out, and the parents that their rows would have told of."""
    messages = [str(problem) for problem in model.refused.values()]
    for child in model.refused:
        parent = outcome(child).parent
        if parent in model.hierarchies:
            messages.append(
                f"{parent} is taken by itself: rows of {child} tell of it too, in the sampler only"
            )
    return tuple(messages)


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
    masses = {}
    for name in reported:
        for disease, quantity in fit.posteriors[name].quantities:
            below = 1 - fit.distribution(name, quantity, disease).above(ends)
            masses[name, disease, quantity] = np.maximum(np.diff(below, prepend=0.0), 0.0)
    return masses


def _quantities(fitted, masses, reported) -> pd.DataFrame:
    """Lay out every quantity of every set as `sets.quantities_table` does."""
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
    """Exact leave-one-study-out scores and marginal likelihoods, as `sets.scores_table`."""
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
