"""Prior sets side by side: what each concludes, how it was computed, and how well it predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting import predict
from ..fitting.progress import Progress
from ..fitting.sampling import Sampling
from .quantities import RATE_QUANTITIES
from .reweight import Block, Source, Weights, blocks_of, sampled_source, weights
from .weighted_statistics import (
    STATISTICS,
    Sample,
    Summary,
    batch_error,
    overlap,
    rate_densities,
    summarise,
)

ERRORS = tuple(f"mcse_{name}" for name in STATISTICS)

_PRIOR_DRAWS = 4000


@dataclass(frozen=True, eq=False)
class SetResult:
    """The posterior of every block under one prior set.

    Attributes
    ----------
    priors : PriorSet
        The set.
    method : {"refit", "reweighted"}
        Whether its draws are its own.
    weights : dict of Block to Weights
        The draws in use, and how they are weighted.
    pareto_k : dict of Block to float
        Best Pareto k of re-weighting, also where it was too large and the set was refitted.
    """

    priors: PriorSet
    method: str
    weights: dict[Block, Weights]
    pareto_k: dict[Block, float]

    @cached_property
    def summaries(self) -> dict[Block, Summary]:
        """Statistics of every quantity of each block, in the order of `Source.sample`."""
        return {
            block: summarise(each.source.sample(block)[1], each.values)
            for block, each in self.weights.items()
        }

    @cached_property
    def densities(self) -> dict[Block, np.ndarray]:
        """Smooth densities of every rate of each block, as `weighted.rate_densities`."""
        densities = {}
        for block, each in self.weights.items():
            labels, sample = each.source.sample(block)
            columns = rate_columns(labels)
            rates = Sample(sample.values[:, columns], sample.chains)
            densities[block] = rate_densities(rates, each.values)
        return densities


def rate_columns(labels: Sequence[tuple[str, str | None, str]]) -> list[int]:
    """Positions of a block's quantities that are rates."""
    return [i for i, label in enumerate(labels) if label[2] in RATE_QUANTITIES]


def compare_sets(
    sources: list[Source],
    sets: Sequence[PriorSet],
    sampling: Sampling,
    refit: bool = False,
    progress: Progress | None = None,
) -> list[SetResult]:
    """Find the posterior under every prior set, re-weighting where that can be believed.

    A set is refitted as a whole where any block of it cannot be re-weighted from any source; its
    draws then serve as a source for the sets that follow.

    Parameters
    ----------
    sources : list of Source
        Draws that exist already; refits are added to it.
    sets : sequence of PriorSet
        The sets.
    sampling : Sampling
        Of the refits, each with a seed of its own.
    refit : bool
        Refit every set that has no draws of its own.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    list of SetResult
        In the order of the sets.
    """
    terms, pooling = sources[0].terms, sources[0].pooling
    results = []
    for i, priors in enumerate(sets):
        if progress is not None:
            progress("comparing priors", i, len(sets))
        source = next((s for s in sources if same_priors(s.priors, priors, terms)), None)
        best = {block: _best(sources, priors, block) for block in blocks_of(terms)}
        pareto_k = {block: each.pareto_k for block, each in best.items()}
        again = refit and source is None
        if source is None and (again or not all(each.usable for each in best.values())):
            source = sampled_source(terms, pooling, priors, sampling.another(len(sources)))
            sources.append(source)
        fresh = source is not None and source.priors.name == priors.name
        if source is not None:
            best = {block: weights(source, priors, block) for block in best}
        results.append(SetResult(priors, "refit" if fresh else "reweighted", best, pareto_k))
    return results


def same_priors(one: PriorSet, other: PriorSet, terms: Terms) -> bool:
    """Whether two sets say the same of every outcome, whatever their names."""
    return all(one.of(name) == other.of(name) for name in terms.names)


def _best(sources: Sequence[Source], priors: PriorSet, block: Block) -> Weights:
    """Weigh the source that serves best: its own draws, else the smallest Pareto k."""
    candidates = [weights(source, priors, block) for source in sources]
    return min(candidates, key=lambda each: -np.inf if np.isnan(each.pareto_k) else each.pareto_k)


def quantities_table(results: Sequence[SetResult]) -> pd.DataFrame:
    """Lay out every quantity of every set, with its shift and overlap against the first.

    Returns
    -------
    pandas.DataFrame
        ``set``, ``outcome``, ``disease``, ``quantity`` (rates, and ``mu``, ``tau``, ``sigma``),
        statistics and their Monte-Carlo errors, ``ess`` (effective draws), ``shift`` (difference of
        means in standard deviations of the reference's posterior) and ``overlap`` (share of mass in
        common; rates only), each with its error, ``method`` and ``pareto_k``.
    """
    rows = []
    for result in results:
        for block, summary in result.summaries.items():
            labels = result.weights[block].source.sample(block)[0]
            shift, shift_error = _shift(result, results[0], block)
            common, common_error = np.full((2, len(labels)), np.nan)
            columns = rate_columns(labels)
            common[columns], common_error[columns] = overlap(
                result.densities[block], results[0].densities[block]
            )
            for i, (outcome, disease, quantity) in enumerate(labels):
                mean_error, sd = summary.errors[i, 0], summary.values[i, 1]
                rows.append(
                    {
                        "set": result.priors.name,
                        "outcome": outcome,
                        "disease": disease,
                        "quantity": quantity,
                        **dict(zip(STATISTICS, summary.values[i], strict=True)),
                        **dict(zip(ERRORS, summary.errors[i], strict=True)),
                        "ess": (sd / mean_error) ** 2 if mean_error > 0 else np.nan,
                        "shift": shift[i],
                        "shift_mcse": shift_error[i],
                        "overlap": common[i],
                        "overlap_mcse": common_error[i],
                        "method": result.method,
                        "pareto_k": result.pareto_k[block],
                    }
                )
    return pd.DataFrame(rows)


def _shift(one: SetResult, reference: SetResult, block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Difference of means in the reference's standard deviations, and its error.

    Where both stand on the same draws most of their errors cancel.
    """
    mine, base = one.summaries[block], reference.summaries[block]
    sd = base.values[:, 1]
    difference = mine.values[:, 0] - base.values[:, 0]
    source = one.weights[block].source
    if source is reference.weights[block].source:
        error = batch_error(mine.influence - base.influence, source.chains)
    else:
        error = np.hypot(mine.errors[:, 0], base.errors[:, 0])
    with np.errstate(invalid="ignore", divide="ignore"):
        shift = difference / sd
        return shift, np.hypot(error / sd, shift * base.errors[:, 1] / sd)


def methods_table(results: Sequence[SetResult]) -> pd.DataFrame:
    """State how each set's blocks were computed, and how well.

    Returns
    -------
    pandas.DataFrame
        ``set``, ``outcome`` (one row each, a child as its parent), ``method``, ``from_set`` (whose
        draws), ``pareto_k`` of re-weighting, ``ess`` of the weights, and of the draws ``draws``,
        ``divergences`` and ``max_r_hat``.
    """
    rows = []
    for result in results:
        for block, weighted in result.weights.items():
            for outcome in block:
                rows.append(
                    {
                        "set": result.priors.name,
                        "outcome": outcome,
                        "method": result.method,
                        "from_set": weighted.source.priors.name,
                        "pareto_k": result.pareto_k[block],
                        "ess": 1 / np.sum(weighted.values**2),
                        "draws": len(weighted.values),
                        **weighted.source.diagnostics,
                    }
                )
    return pd.DataFrame(rows)


def prior_table(
    terms: Terms, pooling: str, sets: Sequence[PriorSet], seed: int
) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Say what each set believes of the rates before the data.

    Returns
    -------
    table : pandas.DataFrame
        ``set``, ``outcome``, ``quantity`` (``rate`` of any one disease, ``new_study``,
        ``new_disease``), statistics and their Monte-Carlo errors.
    densities : dict of str to numpy.ndarray
        By set, masses of each outcome's rate over `weighted.log_odds_nodes`; shape (outcome, node).
    """
    rows, densities = [], {}
    for priors in sets:
        rng = np.random.default_rng(seed)
        levels = predict.where_reported(
            predict.prior_levels(terms, pooling, priors, _PRIOR_DRAWS, rng), terms
        )
        # Before the data diseases are alike: the first stands for any.
        drawn = {
            "rate": predict.rates(levels.theta, terms)[:, :, 0],
            "new_study": predict.new_study_rates(levels, terms, rng)[:, :, 0],
            "new_disease": predict.new_disease_rates(levels, terms, pooling, priors, rng),
        }
        even = np.full(_PRIOR_DRAWS, 1 / _PRIOR_DRAWS)
        for quantity, values in drawn.items():
            if values is None:
                continue
            sample = Sample(values, 1)
            summary = summarise(sample, even)
            if quantity == "rate":
                densities[priors.name] = rate_densities(sample, even)[0]
            for k, outcome in enumerate(terms.names):
                rows.append(
                    {
                        "set": priors.name,
                        "outcome": outcome,
                        "quantity": quantity,
                        **dict(zip(STATISTICS, summary.values[k], strict=True)),
                        **dict(zip(ERRORS, summary.errors[k], strict=True)),
                    }
                )
    return pd.DataFrame(rows), densities


def rate_masses(results: Sequence[SetResult]) -> dict[tuple[str, str, str], np.ndarray]:
    """Give the posterior masses of every disease's rate over `weighted_statistics.log_odds_nodes`.

    Returns
    -------
    dict of (set, outcome, disease) to numpy.ndarray
        Each sums to one.
    """
    masses = {}
    for result in results:
        for block, densities in result.densities.items():
            labels = result.weights[block].source.sample(block)[0]
            for i, column in enumerate(rate_columns(labels)):
                outcome, disease, quantity = labels[column]
                if quantity == "rate":
                    masses[result.priors.name, outcome, str(disease)] = densities[0, i]
    return masses
