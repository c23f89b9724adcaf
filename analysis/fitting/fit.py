"""Fit the model: sample it, predict from it, summarise it, keep it."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.evidence import Evidence, as_evidence
from ...models.pooling import Pooling, structure
from ...models.priors.files import prior_set
from ...models.priors.sets import DEFAULT, PriorSet
from ...models.terms import Terms, build_terms
from . import moderated, predict, store, summary
from .answer import Fit
from .diagnostics import (
    LARGEST_R_HAT,
    LEAST_EFFECTIVE_DRAWS,
    diagnostics,
    worst_diagnostics,
)
from .exact_fit import NotIntegrated, exact_tree, left_to_the_sampler, limits
from .progress import Progress, silent
from .sampler import sample
from .sampling import SEED, Engine, Sampling
from .store import run_config
from .summary import hyper, rates
from .tree import groups_of_draws, log_likelihood_group

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from xarray import DataTree

__all__ = [
    "diagnostics",
    "fit",
    "hyper",
    "load_fit",
    "rates",
    "run_config",
    "sample",
    "terms_of",
]


def terms_of(evidence: Evidence) -> Terms:
    """Give the likelihood's terms of an analysis set."""
    return build_terms(
        evidence.rows, evidence.outcome_names, evidence.diseases, evidence.moderators
    )


def fit(
    evidence: Evidence | str | Path | pd.DataFrame,
    pooling: Pooling | str = "partial",
    priors: PriorSet | str | Path = DEFAULT,
    engine: Engine = "nuts",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    path: str | Path | None = None,
    refit: bool = False,
    aside: str | Path | None = None,
    progress: Progress | None = None,
) -> Fit:
    """Fit the hierarchical model to an analysis set.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame
        The analysis set; a path or a table is read as `load_evidence` does.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : PriorSet, str or Path
        Priors of mu, tau and sigma: a set, its name, a prior file or the text of one.
    engine : {"nuts", "exact"}
        Sample all outcomes together, or integrate each outcome numerically.
    draws, tune, chains : int
        Draws kept of each chain, tuning steps of each chain, and chains.
    seed : int
        Makes a run repeatable.
    path : str or Path, optional
        Where the fit is kept; a fit there that answers the same request is read back.
    refit : bool
        Fit even where the same request is stored.
    aside : str or Path, optional
        Where a new fit is written instead of ``path``, for who puts it in place with other files.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior``, ``sample_stats``, ``prior``, ``posterior_predictive`` (the same
        studies), ``mixed_predictive`` (their effects drawn anew), ``log_likelihood`` (integrated
        over study effects), ``observed_data``, ``constant_data``, and the tables ``rates`` and
        ``hyper``, with moderators also ``moderators`` and ``heterogeneity``. Where too few draws
        were effective it was sampled once more, twice as long.

    Raises
    ------
    InputError
        An unknown pooling or engine, an impossible prior, a number of draws or a seed that is none,
        or a file at ``path`` that is damaged or not a fit (unless ``refit``).

    Warns
    -----
    NotIntegrated
        What the exact engine left to the sampler: everything, where there are moderators.

    Examples
    --------
    >>> table = pd.DataFrame({"study": ["A", "B", "C"], "events": [3, 5, 8], "n": [10, 12, 11]})
    >>> mp.fit(table, engine="exact")
    <fit of response: partial pooling, priors default, engine exact; mp.check(fit),
    mp.rates(fit), mp.plot.forest(fit), .children>
    """
    sampling = Sampling(engine, draws, tune, chains, seed)
    evidence, priors = as_evidence(evidence), prior_set(priors)
    structure(pooling, evidence.diseases)
    instead = {}
    if evidence.moderators and sampling.engine == "exact":
        sampling = replace(sampling, engine="nuts")
        instead["sampled"] = "moderators are for the sampler: every outcome was sampled"
    left_out = limits(evidence) if sampling.engine == "exact" else {}
    config = store.request(evidence, pooling, priors, **asdict(sampling), **left_out, **instead)
    made = None if path is None or refit else store.read_back(config, path)
    if made is None:
        if sampling.engine == "exact":
            made = exact_tree(evidence, pooling, priors, (chains, draws), seed, progress)
        else:
            made = _sampled(evidence, pooling, priors, sampling, progress)
        made.attrs["run_config"] = store.canonical(config)
        if path is not None:
            store.save(made, aside or path)
    for line in left_to_the_sampler(made):
        warnings.warn(line, NotIntegrated, stacklevel=2)
    return Fit.of(made)


def load_fit(path: str | Path, groups: Collection[str] | None = None) -> Fit:
    """Read a stored fit.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds ``fit.nc``.
    groups : collection of str, optional
        Names of the groups to read, of those that the fit has; all by default.

    Returns
    -------
    xarray.DataTree
        As `fit` gives it, wholly in memory: the file is closed.

    Raises
    ------
    StoredFitError
        No file, a damaged file, or one that mscpool did not write; says which.

    Examples
    --------
    >>> made = mp.fit(evidence, engine="exact", path="results/fit.nc")
    >>> mp.load_fit("results")
    <fit of improvement: partial pooling, priors default, engine exact; mp.check(fit),
    mp.rates(fit), mp.plot.forest(fit), .children>
    """
    return Fit.of(store.load(path, groups))


def _sampled(
    evidence: Evidence, pooling: str, priors: PriorSet, sampling: Sampling, progress
) -> DataTree:
    """Sample, and once more, twice as long, where too few draws were effective."""
    import xarray as xr

    terms = terms_of(evidence)
    for run in (sampling, sampling.scaled(2, 2)):
        sampled, stats = sample(
            terms, pooling, priors, run.draws, run.tune, run.chains, run.seed, progress
        )
        (progress or silent)("predicting", 0, 0)
        tree = _assemble(evidence, terms, pooling, priors, sampled, stats, run.seed)
        worst = tree["hyper"].attrs
        fewest = min(worst["min_ess_bulk"], worst["min_ess_tail"])
        disagree = worst["max_r_hat"] >= LARGEST_R_HAT  # false of one chain, which has no R-hat
        if fewest > LEAST_EFFECTIVE_DRAWS and not disagree:
            break
    if terms.design is not None:
        plain = replace(terms, design=None)
        settings = sampling.draws, sampling.tune, sampling.chains, sampling.seed
        without, _ = sample(plain, pooling, priors, *settings, progress)
        reported = {name: terms.names.index(name) for name in _reported(evidence, terms)}
        table = moderated.spread_table(without, sampled, reported)
        tree["heterogeneity"] = xr.DataTree(summary.to_dataset(table))
    return tree


def _reported(evidence: Evidence, terms: Terms) -> tuple[str, ...]:
    asked = evidence.selection.outcomes or terms.names
    return tuple(name for name in asked if name in terms.names)


def _assemble(
    evidence: Evidence, terms: Terms, pooling: str, priors: PriorSet, sampled, stats, seed: int
) -> DataTree:
    """Gather draws, predictions and tables into the tree of a fit."""
    import xarray as xr

    rng = np.random.default_rng(seed)
    shape = sampled["sigma"].shape[:2]
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in sampled.items()}
    levels = predict.levels_of(flat, terms, rng)
    groups = groups_of_draws(levels, terms, pooling, priors, shape, rng)
    groups["sample_stats"] = stats
    groups["log_likelihood"] = log_likelihood_group(levels, terms, shape)
    groups |= _tables(groups["posterior"], stats, terms, _reported(evidence, terms))
    return xr.DataTree.from_dict(groups)


def _tables(
    posterior: xr.Dataset, stats: xr.Dataset, terms: Terms, reported: tuple[str, ...]
) -> dict[str, xr.Dataset]:
    import pandas as pd

    rate, hyper_table, tails = summary.summarise(posterior, terms, reported)
    tables = {"rates": rate, "hyper": hyper_table}
    if terms.design is not None:
        tables["moderators"], more = moderated.coefficient_table(posterior, terms, reported)
        tails = pd.concat([tails, more])
    every = pd.concat([table[["r_hat", "ess_bulk"]] for table in tables.values() if len(table)])
    kept = {name: summary.to_dataset(table) for name, table in tables.items()}
    kept["hyper"].attrs.update(worst_diagnostics(every, tails, stats))
    return kept
