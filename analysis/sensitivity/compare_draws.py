"""Prior sets compared by draws: those of stored fits, re-weighted, and those of new fits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data.names import numbered, outcome_in_text, prior_set_words
from ...models.exact.outcomes import ExactFit, exact_model
from ...models.priors.sets import PriorSet
from ..fitting.progress import Progress
from ..fitting.store import run_config
from .assemble import EngineResults, assemble
from .compare_exactly import (
    exact_map,
    exact_probabilities,
    integrable_blocks,
    integrate_sets,
    set_scores,
)
from .flips import set_probabilities
from .power_scaling import power_scaling
from .prior_map import bridge, prior_grid, reweighted_map
from .questions import Question
from .request import ComparisonRequest
from .result import PriorComparison
from .reweight import Block, Source, blocks_of, sampled_source, stored_source
from .scores import importance_scores, scores_table
from .sets import (
    SetResult,
    compare_sets,
    methods_table,
    quantities_table,
    rate_masses,
    same_priors,
)

if TYPE_CHECKING:
    from xarray import DataTree


def compare_draws(
    request: ComparisonRequest,
    fits: Sequence[DataTree],
    refit: bool,
    progress: Progress | None,
) -> PriorComparison:
    """Compare prior sets by draws.

    Parameters
    ----------
    request : ComparisonRequest
        What is asked for.
    fits : sequence of DataTree
        Stored fits of the same evidence and pooling, whose draws are re-weighted.
    refit : bool
        Refit every set, also where re-weighted draws would do.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    PriorComparison
        Of every outcome.
    """
    sources = _sources(request, fits)
    results = compare_sets(sources, request.sets, request.sampling, refit, progress)
    blocks = integrable_blocks(request.evidence, request.terms, request.pooling)
    model = exact_model(request.evidence, request.pooling, [n for block in blocks for n in block])
    integrated = integrate_sets(model, request.sets, None)
    scores = _scores(results, integrated, blocks)
    exact = {name for block in blocks for name in block}
    by_integral = {n: each for n, each in request.questions.items() if n in exact}
    by_draws = {n: each for n, each in request.questions.items() if n not in exact}
    maps = [exact_map(integrated[0], name, question) for name, question in by_integral.items()]
    maps += _reweighted_maps(request, by_draws, sources)
    answer = EngineResults(
        engine="nuts",
        outcomes=request.reported,
        quantities=quantities_table(results),
        methods=methods_table(results),
        scores=scores,
        masses=rate_masses(results),
        power_scaling=_reference_scaling(results[0]),
        probabilities=pd.concat(
            [
                exact_probabilities(integrated, by_integral),
                set_probabilities(results, by_draws),
            ],
            ignore_index=True,
        ),
        flip_map=pd.concat(maps, ignore_index=True) if maps else pd.DataFrame(),
        messages=_messages(results, scores),
    )
    return assemble(request, answer)


def _scores(
    results: Sequence[SetResult], integrated: Sequence[ExactFit], blocks: Sequence[Block]
) -> pd.DataFrame:
    """Score every set: exactly where the outcome was integrated, else by importance sampling."""
    by_set = {
        result.priors.name: {
            block[0]: importance_scores(weights, block)
            for block, weights in result.weights.items()
            if block not in blocks
        }
        for result in results
    }
    for name, scores in set_scores(integrated, blocks).items():
        by_set[name] = scores | by_set[name]
    return scores_table(by_set)


def _sources(request: ComparisonRequest, fits: Sequence[DataTree]) -> list[Source]:
    """Read the stored fits that hold draws, the reference's own first; sample that if missing."""
    terms, pooling = request.terms, request.pooling
    sources = []
    for fit in fits:
        config = run_config(fit)
        if config["engine"] == "nuts":
            priors = PriorSet.from_dict(config["priors"])
            sources.append(stored_source(fit, terms, priors, pooling))
    source = next((s for s in sources if same_priors(s.priors, request.reference, terms)), None)
    if source is None:
        source = sampled_source(terms, pooling, request.reference, request.sampling)
        return [source, *sources]
    return [source, *(each for each in sources if each is not source)]


def _reference_scaling(result: SetResult) -> pd.DataFrame:
    """Power-scaling of every outcome under the reference, whose draws are its own."""
    frames = []
    for block, weights in result.weights.items():
        source = weights.source
        scored = source.scored
        shape = (source.chains, len(scored) // source.chains)
        units = source.terms.units["outcome"] == source.terms.names.index(block[0])
        likelihood = source.log_likelihood[:, units].sum(axis=1)[: math.prod(shape)]
        for outcome in block:
            k, priors = source.terms.names.index(outcome), result.priors.of(outcome)
            draws, log_prior = {}, np.zeros(len(scored))
            for parameter in ("mu", "tau", "sigma"):
                prior = getattr(priors, parameter)
                where = parameter if parameter in source.draws else "theta"
                if prior.fixed is not None or (where == "theta" and parameter == "tau"):
                    continue
                values = source.draws[where][scored][:, k].reshape(len(scored), -1)
                # Without pooling every disease's level has the prior of mu, and there is no mu.
                log_prior = log_prior + prior.logpdf(values).sum(axis=1)
                if where == parameter:
                    draws[parameter] = values[: math.prod(shape), 0].reshape(shape)
            for name, values in source.coefficients(outcome).items():
                draws[name] = values[scored][: math.prod(shape)].reshape(shape)
            if "beta" in source.draws:
                told = source.draws["beta"][scored][:, k, _told(source, k)]
                log_prior = log_prior + priors.moderator.logpdf(told).sum(axis=1)
            table = power_scaling(
                draws, log_prior[: math.prod(shape)].reshape(shape), likelihood.reshape(shape)
            )
            table.insert(0, "outcome", outcome)
            frames.append(table)
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def _told(source: Source, code: int) -> np.ndarray:
    """Which coefficients the studies of an outcome tell of; of others there is the prior alone."""
    design = source.terms.design
    assert design is not None, "draws with coefficients have their design"
    own = source.terms.effects["outcome"].to_numpy() == code
    return (design.matrix[own] != 0).any(axis=0)


#: Refits that may be made so that re-weighting reaches more of the maps.
_BRIDGES = 2


def _reweighted_maps(
    request: ComparisonRequest, asked: Mapping[str, Question], sources: Sequence[Source]
) -> list[pd.DataFrame]:
    """Give the probability of each conclusion under every prior of its outcome's grid."""
    if not asked:
        return []
    reference, terms = request.reference, request.terms
    blocks = {name: block for block in blocks_of(terms) for name in block}
    grids = {name: prior_grid(reference, name, "tau" in sources[0].draws) for name in asked}
    maps: dict[str, pd.DataFrame] = {}
    for i in range(_BRIDGES + 1):
        for name, question in asked.items():
            if name not in maps or maps[name]["probability"].isna().any():
                maps[name] = reweighted_map(sources, reference, blocks[name], grids[name], question)
        between = bridge(reference, list(grids.values()), pd.concat(maps.values()))
        if between is None or i == _BRIDGES:
            break
        sampling = request.sampling.another(len(sources))
        more = sampled_source(terms, request.pooling, between, sampling, scored=False)
        sources = [*sources, more]
    return list(maps.values())


def _messages(results: Sequence[SetResult], scores: pd.DataFrame) -> tuple[str, ...]:
    messages = []
    for result in results:
        divergences = next(iter(result.weights.values())).source.diagnostics["divergences"]
        if result.method == "refit" and divergences > 0:
            name = prior_set_words(result.priors.name)
            messages.append(f"{name}: {numbered(divergences, 'draw')} diverged in its refit.")
    reference = scores[scores["set"] == results[0].priors.name]
    for row in reference[reference["outcome"].notna() & reference["elpd"].isna()].to_dict(
        "records"
    ):
        messages.append(
            f"How well the priors predict studies of {outcome_in_text(row['outcome'])} is not "
            "known: importance sampling cannot leave each of them out (Pareto k up to "
            f"{row['elpd_pareto_k']:.2f})."
        )
    return tuple(messages)
