"""Prior sets compared by the exact engine: no draws, and a marginal likelihood for every set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...data.evidence import Evidence
from ...data.names import counted_in_text, counted_words
from ...data.outcomes import outcome
from ...models.exact.hierarchy import TOLERANCE
from ...models.exact.outcomes import ExactFit, ExactModel, NotExact, exact_model
from ...models.exact.prior_scan import scan_above
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting.progress import Progress
from .assemble import EngineResults, assemble
from .flips import PROBABILITY_COLUMNS
from .power_scaling import COLUMNS as SCALING_COLUMNS
from .prior_map import grid_priors, map_table, prior_grid
from .quantities import RATE_QUANTITIES
from .questions import Question
from .request import ComparisonRequest
from .result import PriorComparison
from .reweight import Block, blocks_of
from .scores import exact_scores, scores_table
from .sets import ERRORS
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
    fits = integrate_sets(model, request.sets, progress)
    outcomes = [name for name in request.reported if name in model.hierarchies]
    asked = {name: each for name, each in request.questions.items() if name in outcomes}
    masses = [_masses(fit, outcomes) for fit in fits]
    maps = [exact_map(fits[0], name, question) for name, question in asked.items()]
    answer = EngineResults(
        engine="exact",
        outcomes=outcomes,
        quantities=_quantities(fits, masses, outcomes),
        methods=_methods(request.sets, outcomes),
        scores=scores_table(set_scores(fits, [[name] for name in outcomes])),
        masses=_rate_masses(fits, masses),
        power_scaling=pd.DataFrame(columns=["outcome", *SCALING_COLUMNS]),
        probabilities=exact_probabilities(fits, asked),
        flip_map=pd.concat(maps, ignore_index=True) if maps else pd.DataFrame(),
        messages=_messages(model),
    )
    return assemble(request, answer)


def integrable_blocks(evidence: Evidence, terms: Terms, pooling: str) -> list[Block]:
    """Name the outcomes whose exact posterior is that of the whole model, each with its child.

    An outcome with a child that only the sampler can fit is not among them: the child's rows tell
    of the parent too.
    """
    blocks = []
    for block in () if terms.design else blocks_of(terms):
        try:
            exact_model(evidence, pooling, block)
        except NotExact:
            continue
        blocks.append(block)
    return blocks


def integrate_sets(
    model: ExactModel, sets: Sequence[PriorSet], progress: Progress | None
) -> list[ExactFit]:
    """Integrate a model under every prior set; the reference's error is verified."""
    fits = []
    for i, priors in enumerate(sets):
        if progress is not None:
            progress("comparing priors", i, len(sets))
        fits.append(model.fit(priors, verify=i == 0))
    return fits


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
                f"{counted_words(str(parent))} is taken by itself: rows of "
                f"{counted_in_text(child)} tell of it too, in the sampler only"
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
    positions = {}
    for row in table.to_dict("records"):
        absent = [i for i, moment in enumerate(("mean", "sd")) if pd.isna(row[moment])]
        positions[row["outcome"], None, row["parameter"]] = absent
    return positions


def _methods(sets: Sequence[PriorSet], reported: Sequence[str]) -> pd.DataFrame:
    columns = {
        "method": "exact", "from_set": None, "pareto_k": np.nan, "ess": np.nan, "draws": 0,
        "divergences": np.nan, "max_r_hat": np.nan,
    }  # fmt: skip
    rows = [{"set": s.name, "outcome": name, **columns} for s in sets for name in reported]
    return pd.DataFrame(rows)


def set_scores(fits: Sequence[ExactFit], blocks: Sequence[Sequence[str]]):
    """Score the studies of every outcome under every set; by set and first outcome of a block."""
    return {
        fit.priors.name: {block[0]: exact_scores(fit, block) for block in blocks} for fit in fits
    }


def exact_probabilities(fits: Sequence[ExactFit], asked: Mapping[str, Question]) -> pd.DataFrame:
    """Give the probability of every conclusion under every set, with its numerical error.

    Returns
    -------
    pandas.DataFrame
        As `flips.set_probabilities`.
    """
    rows = []
    for name, question in asked.items():
        for fit in fits:
            for disease in fit.model.evidence.diseases:
                above, coarser = (
                    float(fit.distribution(name, "rate", disease, c).above(question.threshold))
                    for c in (False, True)
                )
                probability = question.direction.probability(above)
                rows.append((fit.priors.name, name, disease, probability, abs(above - coarser)))
    return pd.DataFrame(rows, columns=list(PROBABILITY_COLUMNS))


def exact_map(reference: ExactFit, name: str, question: Question) -> pd.DataFrame:
    """Give the probability of a conclusion under every prior of an outcome's grid.

    Returns
    -------
    pandas.DataFrame
        As `prior_map.reweighted_map`, on a finer grid; the error is the numerical one aimed at.
    """
    model, priors = reference.model, reference.priors
    grid = prior_grid(priors, name, model.hierarchies[name].has_tau, finer=True)
    above = scan_above(reference, name, question.threshold, *grid_priors(grid))
    shape = above.shape[:2]
    nothing, from_set = np.full(shape, np.nan), np.full(shape, "exact", object)
    probability = question.direction.probability(above)
    error = np.full_like(probability, TOLERANCE)
    diseases = list(model.evidence.diseases)
    return map_table(grid, diseases, probability, error, nothing, from_set)
