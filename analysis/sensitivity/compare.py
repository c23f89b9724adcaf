"""Which conclusions hang on which prior: every prior set side by side, in one comparison."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from ...data.mistakes import unknown_name
from ...models.priors.catalogue import CATALOGUE
from ...models.priors.files import prior_set
from ...models.priors.sets import PriorSet
from ..fitting.fit import ENGINES, SEED, terms_of
from ..fitting.progress import Progress
from ..fitting.store import check_same_data, run_config
from . import power_scaling as scaling
from . import prior_conflict as conflict
from .compare_exactly import compare_exactly
from .flips import bridge, flips, prior_grid, reweighted_map, set_probabilities
from .quantities import run_of, split_quantities
from .questions import CONFIDENCE, Question, questions
from .result import PriorComparison
from .reweight import Source, blocks_of, sampled_source, stored_source
from .sets import (
    SetResult,
    compare_sets,
    densities_table,
    methods_table,
    prior_table,
    quantities_table,
    same_priors,
    scores_table,
)

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence
    from ...models.terms import Terms


def compare_priors(
    evidence: Evidence | None = None,
    sets: Sequence[str | PriorSet] | None = None,
    pooling: str | None = None,
    fits: DataTree | list[DataTree] | tuple[DataTree, ...] | None = None,
    threshold: float | Literal["usual"] | None = None,
    confidence: float = CONFIDENCE,
    engine: str = "nuts",
    refit: bool = False,
    draws: int = 750,
    tune: int = 500,
    chains: int = 4,
    seed: int = SEED,
    progress: Progress | None = None,
) -> PriorComparison:
    """Compare what is believed under several prior sets.

    Parameters
    ----------
    evidence : Evidence, optional
        The analysis set; the shipped one where left out.
    sets : sequence of str or PriorSet, optional
        Names of the catalogue, or sets; the first is the reference. The whole catalogue by default.
    pooling : str, optional
        How diseases inform each other; that of the fits, else ``partial``.
    fits : DataTree or sequence of DataTree, optional
        Stored fits of the same evidence, whose draws are re-weighted.
    threshold : float or "usual", optional
        A rate; asks at which prior "the rate exceeds it" changes. ``usual`` asks of each outcome
        what `questions.USUAL` says: of harms whether they stay below one.
    confidence : float
        Probability that this conclusion wants.
    engine : {"nuts", "exact"}
        Re-weight and refit draws, or integrate every outcome that can be.
    refit : bool
        Refit every set, also where its draws could be had by re-weighting.
    draws, tune, chains, seed : int
        Of the fits that have to be made; shorter than `fit`'s, since every error is stated.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    PriorComparison
        Frames, sentences, and the JSON shape.

    Raises
    ------
    ValueError
        An unknown set or engine, two sets of one name, a threshold or confidence outside 0 to 1, or
        fits of other data or pooling; one line.
    """
    from ...data.evidence import load_evidence

    evidence = load_evidence() if evidence is None else evidence
    chosen = _chosen(sets)
    asked = questions(threshold, evidence.selection.outcomes or evidence.outcome_names)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, not {confidence:g}")
    if engine not in ENGINES:
        raise ValueError(unknown_name(engine, ENGINES, "engine"))
    stored = [] if fits is None else list(fits) if isinstance(fits, (list, tuple)) else [fits]
    check_same_data(evidence, stored)
    pooling = _pooling(pooling, stored)
    if engine == "exact":
        return compare_exactly(evidence, chosen, pooling, asked, confidence, seed, progress)
    settings = {"draws": draws, "tune": tune, "chains": chains}
    return _compare_draws(
        evidence, chosen, pooling, stored, asked, confidence, refit, seed, progress, settings
    )


def _chosen(sets: Sequence[str | PriorSet] | None) -> tuple[PriorSet, ...]:
    wanted = list(CATALOGUE) if sets is None else [sets] if isinstance(sets, str) else list(sets)
    found = tuple(prior_set(each) for each in wanted)
    if not found:
        raise ValueError("no prior sets to compare: name at least one, or leave sets out for all")
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two prior sets are called {name!r}: give each its own name")
    return found


def _pooling(pooling: str | None, fits: Sequence[DataTree]) -> str:
    found = {run_config(each)["pooling"] for each in fits} | ({pooling} if pooling else set())
    if len(found) > 1:
        raise ValueError(
            f"pooling differs ({' and '.join(sorted(found))}): compare priors under one pooling"
        )
    return found.pop() if found else "partial"


def _compare_draws(
    evidence, sets, pooling, fits, asked, confidence, refit, seed, progress, settings
) -> PriorComparison:
    """Compare by draws: those of stored fits, re-weighted, and of refits."""
    terms = terms_of(evidence)
    sources = _sources(terms, pooling, fits, sets[0], seed, settings)
    results = compare_sets(sources, sets, seed, refit, progress, **settings)
    reported = evidence.selection.outcomes or terms.names
    table = quantities_table(results)
    table = table[table["outcome"].isin(reported)]
    methods, scores = methods_table(results), scores_table(results)
    rates, hyper = split_quantities(table, methods, terms)
    before, prior_densities = prior_table(terms, pooling, sets, seed)
    densities = densities_table(results, prior_densities, terms)
    found, grid_map = _flips(results, sources, asked, confidence, seed, settings)
    conflicts = conflict.prior_conflicts(terms, pooling, sets[0], seed)
    return PriorComparison(
        reference=sets[0].name,
        sets=tuple(sets),
        rates=rates,
        hyper=hyper,
        before=_only(before, reported),
        methods=_only(methods, reported),
        scores=scores.assign(log_marginal_likelihood=None),
        densities=_only(densities, reported),
        power_scaling=_only(reference_scaling(results[0]), reported),
        conflicts=_only(conflicts, reported),
        flips=found,
        flip_map=grid_map,
        run=run_of(evidence, pooling, "nuts", seed),
        messages=_messages(results, scores),
    )


def _only(table: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    return table[table["outcome"].isin(outcomes)].reset_index(drop=True)


def _sources(
    terms: Terms, pooling: str, fits, reference: PriorSet, seed: int, settings
) -> list[Source]:
    """Read the stored fits that hold draws; first in the list are the reference's own."""
    sources = []
    for each in fits:
        config = run_config(each)
        if config["engine"] == "nuts":
            priors = PriorSet.from_dict(config["priors"])
            sources.append(stored_source(each, terms, priors, pooling))
    own = next((s for s in sources if same_priors(s.priors, reference, terms)), None)
    if own is None:
        own = sampled_source(terms, pooling, reference, seed, **settings)
        return [own, *sources]
    return [own, *(each for each in sources if each is not own)]


def reference_scaling(result: SetResult) -> pd.DataFrame:
    """Power-scaling of every outcome under the reference, whose draws are its own.

    Returns
    -------
    pandas.DataFrame
        ``outcome`` and the columns of `power_scaling.power_scaling`.
    """
    frames = []
    for block, found in result.weights.items():
        source = found.source
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
            table = scaling.power_scaling(
                draws, log_prior[: math.prod(shape)].reshape(shape), likelihood.reshape(shape)
            )
            table.insert(0, "outcome", outcome)
            frames.append(table)
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


#: Refits that may be made so that re-weighting reaches more of the maps.
_BRIDGES = 2


def _flips(results, sources, asked: dict[str, Question], confidence: float, seed: int, settings):
    """Find where each conclusion changes, and lay out the map that it was looked for on."""
    if not asked:
        return pd.DataFrame(), pd.DataFrame()
    reference, terms, pooling = results[0].priors, sources[0].terms, sources[0].pooling
    blocks = {name: block for block in blocks_of(terms) for name in block}
    grids = {name: prior_grid(reference, name, "tau" in sources[0].draws) for name in asked}
    maps: dict[str, pd.DataFrame] = {}
    for i in range(_BRIDGES + 1):
        for name, question in asked.items():
            if name not in maps or maps[name]["probability"].isna().any():
                maps[name] = reweighted_map(sources, reference, blocks[name], grids[name], question)
        grid_map = pd.concat(maps.values(), ignore_index=True)
        between = bridge(reference, list(grids.values()), grid_map)
        if between is None or i == _BRIDGES:
            break
        number = seed + len(sources)
        more = sampled_source(terms, pooling, between, number, scored=False, **settings)
        sources = [*sources, more]
    return flips(grid_map, set_probabilities(results, asked), asked, confidence), grid_map


def _messages(results: Sequence[SetResult], scores: pd.DataFrame) -> tuple[str, ...]:
    said = []
    for result in results:
        divergences = next(iter(result.weights.values())).source.diagnostics["divergences"]
        if result.method == "refit" and divergences > 0:
            said.append(f"{result.priors.name}: {divergences:g} draws diverged in its refit.")
    whole = scores[scores["outcome"].isna() & (scores["elpd_pareto_k"] >= 0.7)]
    if len(whole):
        said.append(
            "The predictive scores rest on a study that importance sampling leaves out badly "
            f"(Pareto k up to {whole['elpd_pareto_k'].max():.2f}): read them with care."
        )
    return tuple(said)
