"""Sample the model: compiled once for a structure, then fed any counts and any priors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ...models.pooling import structure
from ...models.priors.quantile_table import SCORES
from ...models.priors.sets import DEFAULT, PriorSet
from ...models.sampled.hierarchy import hierarchy, model_data
from ...models.sampled.variables import variables_of_scores
from ...models.terms import Terms
from .compiled_code import compile_model, nutpie_without_plots
from .progress import Progress, silent
from .sampling import SEED

if TYPE_CHECKING:
    import xarray as xr

#: Scaling by the spread of draws, not of gradients, doubles the effective draws of mu and tau.
_SAMPLER = {"target_accept": 0.9, "adaptation": "draw_diag"}


def sample(
    terms: Terms,
    pooling: str,
    priors: PriorSet,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    seed: int = SEED,
    progress: Progress | None = None,
) -> tuple[dict[str, np.ndarray], xr.Dataset]:
    """Sample the model, compiling it only where no model of this structure was compiled before.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling, priors, draws, tune, chains, seed, progress
        As in `fit.fit`.

    Returns
    -------
    draws : dict of str to numpy.ndarray
        The model's variables but its rates, shape (chain, draw, ...).
    stats : xarray.Dataset
        The sampler's statistics.
    """
    tell = progress or silent
    tell("importing", 0, 0)
    nutpie = nutpie_without_plots()

    def report(states) -> None:
        done = sum(state.finished_draws for state in states)
        divergent = sum(state.divergences for state in states)
        said = f"sampling, {divergent} divergent" if divergent else "sampling"
        tell(said, done, chains * (draws + tune))

    tell("compiling", 0, 0)
    data = model_data(terms, pooling, priors)
    model = compiled(terms, pooling).with_data(**data)
    model = replace(model, initial_point_func=_start(model, data))
    raw = nutpie.sample(
        model,
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
    if posterior.sizes["draw"] < draws:
        raise KeyboardInterrupt  # nutpie returns what it has when it is interrupted
    stats = raw["sample_stats"].to_dataset().drop_vars("divergence_message", errors="ignore")
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    scores = {
        str(name): values.to_numpy().reshape(-1, *values.shape[2:])
        for name, values in posterior.data_vars.items()
    }
    variables = variables_of_scores(scores, terms, pooling, priors, data)
    return {
        name: values.reshape(*shape, *values.shape[1:]) for name, values in variables.items()
    }, stats


def compiled(terms: Terms, pooling: str) -> Any:
    """Compile the model, or find it compiled for other counts and priors; a nutpie model."""
    return _compiled(_Structure(terms, pooling))


def _start(model: Any, data: dict[str, np.ndarray]) -> Callable[[int], np.ndarray]:
    """Start chains where standard deviations are at most one, whatever the prior.

    A prior that puts most of its mass on deviations of thousands would start them where counts no
    longer tell deviations apart, and they would stay there.
    """
    names, places, _ = model.shape_info
    highest = np.full(model.n_dim, np.inf)
    for name in ("sigma", "tau"):
        if f"{name}_quantiles" in data:
            place = places[names.index(f"{name}_score")]
            tables = data[f"{name}_quantiles"][:, 0]
            highest[place] = [_highest_score(table) for table in tables]

    def point(seed: int) -> np.ndarray:
        return np.minimum(model.initial_point_func(seed), highest)

    return point


def _highest_score(table: np.ndarray) -> float:
    """Score at which a tabulated standard deviation reaches one, infinite where it never does."""
    return max(float(np.append(SCORES, np.inf)[np.searchsorted(table, 0.0)]), -4.0)


class _Structure:
    """What a compiled model depends on; counts and priors are its data."""

    def __init__(self, terms: Terms, pooling: str) -> None:
        self.terms, self.pooling = terms, pooling
        codes = terms.effects[["outcome", "disease"]].to_numpy(np.int64)
        timed = tuple(each.timed for each in terms.outcomes)
        parents = tuple(terms.parents)
        kind = structure(pooling, terms.diseases)
        moderated = 0 if terms.design is None else terms.design.width
        self.key = (kind, timed, parents, len(terms.diseases), codes.tobytes(), moderated)

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Structure) and self.key == other.key


@lru_cache(maxsize=8)
def _compiled(structure: _Structure) -> Any:
    from pytensor.configdefaults import config

    model = hierarchy(structure.terms, structure.pooling, DEFAULT)
    # Sums in any order come out in another one where stored parts of the code are linked instead
    # of compiled with the rest: the same seed would give other draws the second time.
    with config.change_flags(numba__fastmath=False):
        return compile_model(model)
