"""The results of an engine under every prior set, assembled into one comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .flips import flips
from .prior_conflict import prior_conflicts
from .quantities import run_of, split_quantities
from .request import ComparisonRequest
from .result import PriorComparison
from .sets import prior_table
from .weighted_statistics import log_odds_nodes


@dataclass(frozen=True, eq=False)
class EngineResults:
    """Results of an engine under every prior set.

    Attributes
    ----------
    engine : {"nuts", "exact"}
        The engine.
    outcomes : sequence of str
        The outcomes to report, of those asked for.
    quantities : pandas.DataFrame
        As `sets.quantities_table`.
    methods : pandas.DataFrame
        As `sets.methods_table`.
    scores : pandas.DataFrame
        As `sets.scores_table`, with ``log_marginal_likelihood``.
    masses : mapping of (set, outcome, disease) to numpy.ndarray
        Posterior masses of each rate over `weighted_statistics.log_odds_nodes`.
    power_scaling : pandas.DataFrame
        ``outcome``, and columns as `power_scaling.power_scaling`.
    probabilities : pandas.DataFrame
        As `flips.set_probabilities`.
    flip_map : pandas.DataFrame
        As `prior_map.reweighted_map`, of every outcome.
    messages : tuple of str
        What the reader should be told.
    """

    engine: str
    outcomes: Sequence[str]
    quantities: pd.DataFrame
    methods: pd.DataFrame
    scores: pd.DataFrame
    masses: Mapping[tuple[str, str, str], np.ndarray]
    power_scaling: pd.DataFrame
    probabilities: pd.DataFrame
    flip_map: pd.DataFrame
    messages: tuple[str, ...]


def assemble(request: ComparisonRequest, results: EngineResults) -> PriorComparison:
    """Join the results of an engine with what the priors say before the data.

    Parameters
    ----------
    request : ComparisonRequest
        What was asked for.
    results : EngineResults
        The results of the engine.

    Returns
    -------
    PriorComparison
        Of the outcomes to report.
    """
    terms, sets = request.terms, request.sets

    def reported(table: pd.DataFrame) -> pd.DataFrame:
        return table[table["outcome"].isin(results.outcomes)].reset_index(drop=True)

    quantities = results.quantities[results.quantities["outcome"].isin(results.outcomes)]
    rates, hyper = split_quantities(quantities, results.methods, terms)
    before, prior_masses = prior_table(terms, request.pooling, sets, request.seed)
    asked = {name: each for name, each in request.questions.items() if name in results.outcomes}
    return PriorComparison(
        reference=request.reference.name,
        sets=sets,
        rates=rates,
        hyper=hyper,
        before=reported(before),
        methods=reported(results.methods),
        scores=results.scores,
        densities=reported(_densities(results.masses, prior_masses, terms.names)),
        power_scaling=reported(results.power_scaling),
        conflicts=reported(
            prior_conflicts(terms, request.pooling, request.reference, request.seed)
        ),
        flips=flips(results.flip_map, results.probabilities, asked, request.confidence),
        flip_map=results.flip_map,
        run=run_of(request.evidence, request.pooling, results.engine, request.seed),
        messages=results.messages,
    )


def _densities(
    posterior: Mapping[tuple[str, str, str], np.ndarray],
    prior: Mapping[str, np.ndarray],
    outcomes: Sequence[str],
) -> pd.DataFrame:
    """Lay out prior and posterior densities of every disease's rate, on the probability scale."""
    level = log_odds_nodes()
    shown = np.abs(level) < 9
    rate = 1 / (1 + np.exp(-level[shown]))
    per_rate = 1 / ((level[1] - level[0]) * rate * (1 - rate))
    frames = [
        pd.DataFrame(
            {
                "set": name,
                "outcome": outcome,
                "disease": disease,
                "rate": rate,
                "prior": prior[name][outcomes.index(outcome), shown] * per_rate,
                "posterior": mass[shown] * per_rate,
            }
        )
        for (name, outcome, disease), mass in posterior.items()
    ]
    return pd.concat(frames, ignore_index=True)
