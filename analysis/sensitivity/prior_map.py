"""Maps of priors: the probability of a conclusion over a grid of priors around the reference's.

For every prior of a family, mu ~ Normal(location, the reference's own spread) and
tau ~ HalfNormal(scale), over a grid of locations and scales of one outcome at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ...models.priors.prior import Prior
from ...models.priors.sets import PriorSet
from ..fitting.diagnostics import LARGEST_PARETO_K
from .questions import Question
from .reweight import Block, Source, log_ratio, smooth
from .weighted_statistics import Sample, probability_above

#: Steps of the grid: of mu's location from the reference's, in standard deviations of its prior,
#: and the scales of tau.
MU_STEPS = np.linspace(-2.5, 2.5, 11)
TAU_SCALES = 2.0 ** np.arange(-3, 2.01, 0.5)
_STEPS = (MU_STEPS, TAU_SCALES)

_MEDIAN_OF_HALF_NORMAL = 0.6744897501960817


@dataclass(frozen=True, eq=False)
class PriorGrid:
    """Priors of one outcome around the reference's.

    Attributes
    ----------
    outcome : str
        The outcome.
    mu : numpy.ndarray, shape (location,)
        Locations of mu's prior, linear scale.
    tau_scale : numpy.ndarray, shape (scale,)
        Scales of tau's half-normal prior; of length one and nan where there is no tau.
    spread : float
        Standard deviation of mu's prior: that of the reference, or half its central 68 %.
    centre : tuple of float
        Where the reference lies: the median of its mu, and the scale of the half-normal prior with
        the median of its tau.
    """

    outcome: str
    mu: np.ndarray
    tau_scale: np.ndarray
    spread: float
    centre: tuple[float, float]

    def distance(self) -> np.ndarray:
        """Distance of every prior of the grid from the reference; shape (location, scale).

        One unit is a shift of mu by one standard deviation of its prior, or a doubling (or halving)
        of the scale of tau; the two are combined as sides of a right angle.
        """
        across = (self.mu - self.centre[0]) / self.spread
        with np.errstate(divide="ignore"):
            up = np.nan_to_num(np.log2(self.tau_scale / self.centre[1]))
        return np.hypot(across[:, None], up)


def prior_grid(priors: PriorSet, outcome: str, has_tau: bool, finer: bool = False) -> PriorGrid:
    """Lay a grid around the priors of an outcome.

    Parameters
    ----------
    priors : PriorSet
        The reference.
    outcome : str
        The outcome.
    has_tau : bool
        Whether the pooling knows a standard deviation between diseases.
    finer : bool
        Twice as many steps each way, for an engine that can afford them.

    Returns
    -------
    PriorGrid
        Locations and scales.
    """
    mine = priors.of(outcome)
    low, middle, high = mine.mu.ppf(np.array([0.15865525393145707, 0.5, 0.8413447460685429]))
    spread = float(high - low) / 2 or 1.0
    median = float(mine.tau.ppf(0.5))
    scale = max(median, TAU_SCALES[0] * _MEDIAN_OF_HALF_NORMAL) / _MEDIAN_OF_HALF_NORMAL
    steps, scales = (_halved(MU_STEPS), 2 ** _halved(np.log2(TAU_SCALES))) if finer else _STEPS
    scales = scales if has_tau else np.array([np.nan])
    return PriorGrid(
        outcome, middle + spread * steps, scales, spread, (float(middle), float(scale))
    )


def _halved(steps: np.ndarray) -> np.ndarray:
    """Put a step between every two."""
    return np.linspace(steps[0], steps[-1], 2 * len(steps) - 1)


def grid_priors(grid: PriorGrid) -> tuple[list[Prior], list[Prior]]:
    """Give the priors of mu at every location and, where there is tau, of tau at every scale."""
    levels = [Prior.make("Normal", mu=float(m), sigma=grid.spread) for m in grid.mu]
    scales = grid.tau_scale[np.isfinite(grid.tau_scale)]
    return levels, [Prior.make("HalfNormal", sigma=float(s)) for s in scales]


def bridge(priors: PriorSet, grids: Sequence[PriorGrid], grid_map: pd.DataFrame) -> PriorSet | None:
    """Give a set whose draws may serve where no source did: of each outcome the nearest such prior.

    Parameters
    ----------
    priors : PriorSet
        The reference.
    grids : sequence of PriorGrid
        One an outcome.
    grid_map : pandas.DataFrame
        As `reweighted_map`, of these outcomes.

    Returns
    -------
    PriorSet or None
        None where every prior of the grids could be judged.
    """
    missing = grid_map[grid_map["probability"].isna()].sort_values("distance")
    if missing.empty:
        return None
    spreads = {grid.outcome: grid.spread for grid in grids}
    for row in missing.drop_duplicates("outcome").to_dict("records"):
        name = row["outcome"]
        moved = {"mu": Prior.make("Normal", mu=row["mu"], sigma=spreads[name])}
        if np.isfinite(row["tau_scale"]):
            moved["tau"] = Prior.make("HalfNormal", sigma=row["tau_scale"])
        priors = priors.with_outcome(name, **moved)
    return replace(priors, name="a prior of the map")


def reweighted_map(
    sources: Sequence[Source], priors: PriorSet, block: Block, grid: PriorGrid, question: Question
) -> pd.DataFrame:
    """Probability of a conclusion about each disease's rate under every prior of a grid.

    Parameters
    ----------
    sources : sequence of Source
        Draws under any prior sets, the reference's first; every prior takes the first that serves.
    priors : PriorSet
        The reference.
    block : tuple of str
        The block of the grid's outcome.
    grid : PriorGrid
        The priors.
    question : Question
        The conclusion.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``disease``, ``mu``, ``tau_scale``, ``distance``, ``probability`` and ``mcse``
        (nan where no source's Pareto k is below `LARGEST_PARETO_K`), ``pareto_k``, ``from_set``.
    """
    parts = [_ratio_parts(source, priors, block, grid) for source in sources]
    columns = {id(source): _rates_of(source, block, grid.outcome) for source in sources}
    diseases = list(sources[0].terms.diseases)
    shape = (len(grid.mu), len(grid.tau_scale), len(diseases))
    probability, error = np.full((2, *shape), np.nan)
    pareto_k, from_set = np.empty(shape[:2]), np.empty(shape[:2], object)
    for i, j in np.ndindex(*shape[:2]):
        source, weights, pareto_k[i, j] = _first_that_serves(sources, parts, i, j)
        from_set[i, j] = source.priors.name
        if not pareto_k[i, j] >= LARGEST_PARETO_K:
            rates = columns[id(source)]
            above, error[i, j] = probability_above(rates, weights, question.threshold)
            probability[i, j] = question.direction.probability(above)
    return map_table(grid, diseases, probability, error, pareto_k, from_set)


def map_table(grid: PriorGrid, diseases, probability, error, pareto_k, from_set) -> pd.DataFrame:
    """Lay out a map: arrays of shape (location, scale, disease), or without diseases."""
    shape, count = np.shape(pareto_k), len(diseases)
    return pd.DataFrame(
        {
            "outcome": grid.outcome,
            "disease": np.tile(np.array(diseases, object), shape[0] * shape[1]),
            "mu": np.repeat(grid.mu, shape[1] * count),
            "tau_scale": np.tile(np.repeat(grid.tau_scale, count), shape[0]),
            "distance": np.repeat(grid.distance().ravel(), count),
            "probability": np.ravel(probability),
            "mcse": np.ravel(error),
            "pareto_k": np.repeat(np.ravel(pareto_k), count),
            "from_set": np.repeat(np.ravel(from_set), count),
        }
    )


def _rates_of(source: Source, block: Block, outcome: str) -> Sample:
    """Draws of every disease's rate of an outcome."""
    labels, sample = source.sample(block)
    columns = [c for c, label in enumerate(labels) if label[0] == outcome and label[2] == "rate"]
    return replace(sample, values=sample.values[:, columns])


def _ratio_parts(source: Source, priors: PriorSet, block: Block, grid: PriorGrid):
    """Log ratios of a grid's priors to a source's, in the parts that do not depend on each other.

    Returns the part of everything but this outcome's mu and tau (None where draws cannot be
    re-weighted), those of mu, shape (location, draw), and those of tau, shape (scale, draw).
    """
    own = source.priors.of(grid.outcome)
    kept = priors.with_outcome(
        grid.outcome, mu=own.mu, tau=own.tau, sigma=priors.of(grid.outcome).sigma
    )
    rest = log_ratio(source, kept, block)
    rest = np.zeros(len(source)) if rest is None else rest
    moves_tau = np.isfinite(grid.tau_scale).all()
    steps = {"mu": _steps_of_mu(source, grid)}
    steps["tau"] = _steps_of_tau(source, grid) if moves_tau else np.zeros((1, len(source)))
    blocked = any(part is None for part in steps.values()) or not np.isfinite(rest.max())
    return None if blocked else (rest, steps["mu"], steps["tau"])


def _steps_of_mu(source: Source, grid: PriorGrid) -> np.ndarray | None:
    k, own = source.terms.names.index(grid.outcome), source.priors.of(grid.outcome).mu
    values = source.draws["mu" if "mu" in source.draws else "theta"][:, k].reshape(len(source), -1)
    if own.fixed is not None:
        return None
    old = own.logpdf(values)
    return np.stack([(p.logpdf(values) - old).sum(axis=1) for p in grid_priors(grid)[0]])


def _steps_of_tau(source: Source, grid: PriorGrid) -> np.ndarray | None:
    k, own = source.terms.names.index(grid.outcome), source.priors.of(grid.outcome).tau
    if own.fixed is not None or float(own.ppf(1.0)) < 6 * grid.tau_scale.max():
        return None
    values = source.draws["tau"][:, k]
    old = own.logpdf(values)
    return np.stack([each.logpdf(values) - old for each in grid_priors(grid)[1]])


def _first_that_serves(sources: Sequence[Source], parts, i: int, j: int):
    """Weigh the first source whose Pareto k can be believed, else the best."""
    best = (sources[0], np.full(len(sources[0]), 1 / len(sources[0])), np.inf)
    for source, part in zip(sources, parts, strict=True):
        if part is None:
            continue
        rest, mu, tau = part
        weights, pareto_k = smooth(rest + mu[i] + tau[j])
        if not pareto_k >= LARGEST_PARETO_K:
            return source, weights, pareto_k
        if pareto_k < best[2]:
            best = (source, weights, pareto_k)
    return best
