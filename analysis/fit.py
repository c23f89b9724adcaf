"""Fit the model: sample it, predict from it, summarise it, keep it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..models.hierarchy import Pooling, hierarchy, model_data, structure
from ..models.priors import DEFAULT, PriorSet, one_of
from ..models.terms import Terms, build_terms
from . import predict, store, summary
from .store import load as load_fit
from .store import run_config
from .summary import diagnostics, hyper, rates

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

    from ..data.evidence import Evidence

__all__ = ["diagnostics", "fit", "hyper", "load_fit", "rates", "run_config", "terms_of"]

Engine = Literal["nuts", "exact"]
ENGINES = ("nuts", "exact")
SEED = 20250101

#: Fewest effective draws, bulk and tail, and largest R-hat, that every reported quantity must reach.
LEAST_EFFECTIVE_DRAWS, LARGEST_R_HAT = 400, 1.01

_PRIOR_DRAWS = 4000
#: Scaling by the spread of draws rather than of gradients doubles the effective draws of mu and tau.
_SAMPLER = {"target_accept": 0.9, "adaptation": "draw_diag"}


def terms_of(evidence: Evidence) -> Terms:
    """Give the likelihood's terms of an analysis set."""
    return build_terms(evidence.rows, evidence.outcome_names, evidence.diseases)


def fit(
    evidence: Evidence,
    pooling: Pooling = "partial",
    priors: PriorSet = DEFAULT,
    engine: Engine = "nuts",
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    path: str | Path | None = None,
    refit: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> DataTree:
    """Fit the hierarchical model to an analysis set.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : PriorSet
        Priors of mu, tau and sigma.
    engine : {"nuts", "exact"}
        Sample all outcomes together, or integrate each outcome numerically.
    draws, tune, chains : int
        Draws kept and tuning steps a chain, and chains.
    seed : int
        Makes the run repeatable.
    path : str or Path, optional
        Where the fit is kept; a fit there that answers the same request is read back.
    refit : bool
        Fit even where the same request is stored.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior``, ``sample_stats``, ``prior``, ``posterior_predictive`` (the same
        studies), ``mixed_predictive`` (their effects drawn anew), ``log_likelihood`` (integrated over
        study effects), ``observed_data``, ``constant_data``, and the tables ``rates`` and ``hyper``.
        Where too few draws were effective it was sampled once more, twice as long.

    Raises
    ------
    ValueError
        An unknown pooling or engine, an impossible prior, or numbers of draws below one.
    """
    if engine not in ENGINES:
        raise ValueError(one_of("engine", engine, ENGINES))
    for name, value in (("draws", draws), ("tune", tune), ("chains", chains)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1, not {value}")
    terms = terms_of(evidence)
    structure(pooling, terms.diseases)
    settings = dict(engine=engine, draws=draws, tune=tune, chains=chains, seed=seed)
    config = store.request(evidence, terms, pooling, priors, **settings)
    if path is not None and not refit and (kept := store.read_back(config, path)) is not None:
        return kept
    made = _sampled(evidence, terms, pooling, priors, draws, tune, chains, seed, progress)
    made.attrs["run_config"] = store.canonical(config)
    if path is not None:
        store.save(made, path)
    return made


def _sampled(
    evidence, terms: Terms, pooling: str, priors: PriorSet, draws, tune, chains, seed, progress
) -> DataTree:
    """Sample, and once more, twice as long, where too few draws were effective."""
    for attempt in (1, 2):
        sampled, stats = sample(
            terms, pooling, priors, draws * attempt, tune * attempt, chains, seed, progress
        )
        tree = _assemble(evidence, terms, pooling, priors, sampled, stats, seed)
        found = tree["hyper"].attrs
        fewest = min(found["min_ess_bulk"], found["min_ess_tail"])
        if fewest > LEAST_EFFECTIVE_DRAWS and found["max_r_hat"] < LARGEST_R_HAT:
            break
    return tree


def sample(
    terms: Terms,
    pooling: str,
    priors: PriorSet,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[dict[str, np.ndarray], xr.Dataset]:
    """Sample the model, compiling it only where no model of this structure was compiled before.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling, priors, draws, tune, chains, seed, progress
        As in `fit`.

    Returns
    -------
    draws : dict of str to numpy.ndarray
        The model's variables, shape (chain, draw, ...).
    stats : xarray.Dataset
        The sampler's statistics.
    """
    import nutpie

    def report(states) -> None:
        if progress is not None:
            done = sum(state.finished_draws for state in states)
            progress("sampling", done, chains * (draws + tune))

    if progress is not None:
        progress("compiling", 0, 0)
    data = model_data(terms, pooling, priors)
    compiled = _compiled(_Structure(terms, pooling)).with_data(**data)
    raw = nutpie.sample(
        compiled,
        draws=draws,
        tune=tune,
        chains=chains,
        seed=seed,
        save_warmup=False,
        progress_bar=False,
        progress_callback=report,
        **_SAMPLER,
    )
    posterior = raw["posterior"].to_dataset()
    stats = raw["sample_stats"].to_dataset().drop_vars("divergence_message", errors="ignore")
    kept = [name for name in posterior.data_vars if not str(name).endswith("_score")]
    return {str(name): posterior[name].to_numpy() for name in kept}, stats


class _Structure:
    """What a compiled model depends on; counts and priors are its data."""

    def __init__(self, terms: Terms, pooling: str) -> None:
        self.terms, self.pooling = terms, pooling
        codes = terms.effects[["outcome", "disease"]].to_numpy(np.int64)
        timed = tuple(each.timed for each in terms.outcomes)
        parents = tuple(terms.parents)
        kind = structure(pooling, terms.diseases)
        self.key = (kind, timed, parents, len(terms.diseases), codes.tobytes())

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Structure) and self.key == other.key


@lru_cache(maxsize=8)
def _compiled(structure: _Structure) -> Any:
    import nutpie

    return nutpie.compile_pymc_model(hierarchy(structure.terms, structure.pooling, DEFAULT))


def _assemble(
    evidence: Evidence, terms: Terms, pooling: str, priors: PriorSet, sampled, stats, seed: int
) -> DataTree:
    """Gather draws, predictions and tables into the tree of a fit."""
    import xarray as xr

    rng = np.random.default_rng(seed)
    shape = sampled["sigma"].shape[:2]
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in sampled.items()}
    levels = predict.levels_of(flat, terms, rng)
    before = predict.prior_levels(terms, pooling, priors, _PRIOR_DRAWS, rng)
    posterior = _grouped(_quantities(levels, terms, pooling, priors, rng), terms, shape)
    prior = _quantities(before, terms, pooling, priors, rng)
    tables = _tables(posterior, stats, terms, evidence.selection.outcomes or terms.names)
    groups = {
        "posterior": posterior,
        "sample_stats": stats,
        "prior": _grouped(prior, terms, (1, _PRIOR_DRAWS)),
        **{
            name: _grouped(variables, terms, shape)
            for name, variables in _predictions(levels, terms, rng).items()
        },
        **_data_groups(terms),
        **tables,
    }
    return xr.DataTree.from_dict(groups)


def _quantities(
    levels: predict.Levels, terms: Terms, pooling: str, priors: PriorSet, rng
) -> dict[str, tuple]:
    """Everything reported of a hierarchy, each with its dims; draws first."""
    new_disease = predict.new_disease_rates(levels, terms, pooling, priors, rng)
    return {
        "mu": (("outcome",), levels.mu),
        "tau": (("outcome",), levels.tau),
        "sigma": (("outcome",), levels.sigma),
        "theta": (("outcome", "disease"), levels.theta),
        "rate": (("outcome", "disease"), predict.rates(levels.theta, terms)),
        "new_study": (("outcome", "disease"), predict.new_study_rates(levels, terms, rng)),
        "new_disease": (("outcome",), new_disease),
        "study_rate": (("effect",), predict.study_rates(levels, terms)),
    }


def _predictions(levels: predict.Levels, terms: Terms, rng) -> dict[str, dict[str, tuple]]:
    """Replicated counts, with and without the studies' own effects, and integrated likelihoods."""
    fresh = predict.renew_studies(levels, terms, rng)
    within = predict.counts_within_bounds(levels, terms, rng)
    replicated = {
        "events": (("row",), predict.replicate(levels, terms, rng)),
        "events_within_bounds": (("row",), within),
    }
    return {
        "posterior_predictive": replicated,
        "mixed_predictive": {"events": (("row",), predict.replicate(fresh, terms, rng))},
        "log_likelihood": {"events": (("unit",), predict.integrated_log_likelihood(levels, terms))},
    }


def _grouped(variables: dict[str, tuple], terms: Terms, shape: tuple[int, int]) -> xr.Dataset:
    """Name the dims of draws, folded back into chains."""
    import xarray as xr

    arrays = {
        name: (("chain", "draw", *dims), values.reshape(*shape, *values.shape[1:]))
        for name, (dims, values) in variables.items()
        if values is not None
    }
    used = {dim for dims, _ in arrays.values() for dim in dims}
    coords = {k: v for k, v in _coords(terms).items() if v[0] in used}
    coords |= {"chain": ("chain", range(shape[0])), "draw": ("draw", range(shape[1]))}
    return xr.Dataset(arrays, coords)


def _coords(terms: Terms) -> dict[str, tuple]:
    names, diseases = np.array(terms.names, object), np.array(terms.diseases, object)
    coords = {
        "outcome": ("outcome", names),
        "disease": ("disease", diseases),
        "row": ("row", _row_labels(terms)),
    }
    for dim, table in (("effect", terms.effects), ("unit", terms.units)):
        coords[dim] = (dim, table["label"].to_numpy(object))
        coords[f"{dim}_outcome"] = (dim, names[table["outcome"].to_numpy()])
        coords[f"{dim}_disease"] = (dim, diseases[table["disease"].to_numpy()])
        coords[f"{dim}_study"] = (dim, table["study"].to_numpy(object))
    return coords


def _row_labels(terms: Terms) -> np.ndarray:
    rows = terms.rows
    return (rows["outcome"] + "/" + rows["study"] + "/" + rows["arm"]).to_numpy(object)


def _data_groups(terms: Terms) -> dict[str, xr.Dataset]:
    """The rows that were fitted: counts observed, and what was given with them."""
    import xarray as xr

    rows, labels = terms.rows, {"row": ("row", _row_labels(terms))}
    observed = {name: ("row", rows[name].to_numpy()) for name in ("events_min", "events_max")}
    given = {
        name: ("row", rows[name].to_numpy(object if rows[name].dtype.kind in "OT" else None))
        for name in ("n", "months", "study", "disease", "arm", "outcome", "parent_row")
    }
    return {
        "observed_data": xr.Dataset(observed, labels),
        "constant_data": xr.Dataset(given, labels),
    }


def _tables(posterior: xr.Dataset, stats: xr.Dataset, terms: Terms, reported) -> dict:
    import pandas as pd

    rate, hyper_table, tails = summary.summarise(posterior, terms, tuple(reported))
    both = pd.concat([rate[["r_hat", "ess_bulk"]], hyper_table[["r_hat", "ess_bulk"]]])
    kept = {"rates": summary.to_dataset(rate), "hyper": summary.to_dataset(hyper_table)}
    kept["hyper"].attrs.update(summary.worst_diagnostics(both, tails, stats))
    return kept
