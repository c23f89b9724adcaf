"""Which grids and axes the data ask for: where their likelihoods lie and how narrow they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .likelihood_table import CHUNK, SKEWED, StudyLikelihoods, likelihood_table
from .quadrature import LevelGrid, ScaleAxis, level_grid, scale_axis

#: A standard deviation this much below the greatest log likelihood is left out.
_EXCLUDED = 35.0
#: Steps of an axis of a standard deviation, in units of how well the data know it.
_STEP, _LOWEST = 0.75, 0.4
#: A likelihood whose curvature says that it is this many times wider than its steeper side does is
#: nearly flat on the other; a normal one has 2.8.
_SKEW = 6.0
#: An axis of a standard deviation is never laid for likelihoods wider than this, in units of a
#: study's: flatter ones say nothing, and their prior wants nodes of its own.
_FLATTEST = 4.0


@dataclass(frozen=True)
class Extent:
    """What a grid must cover: the key under which tables are kept."""

    refinement: int
    lower: float
    upper: float
    tau: float
    tau_fixed: bool
    sigma: float
    sigma_fixed: bool
    sigma_bottom: float
    tau_bottom: float = 0.0
    narrow: tuple[tuple[float, float], ...] = ()


def adapted_grid(
    likelihoods: StudyLikelihoods,
    points: float,
    extent: tuple[float, float],
    sigma_floor: float = 0.0,
    extra: Sequence[tuple[float, float]] = (),
) -> tuple[LevelGrid, float]:
    """Lay a grid that resolves studies, diseases and all studies together.

    Parameters
    ----------
    likelihoods : StudyLikelihoods
        The studies.
    points : float
        Nodes for each standard deviation of a likelihood.
    extent : tuple of float
        Range to be covered.
    sigma_floor : float
        Least sigma that the data allow, below which nothing need be resolved.
    extra : sequence of (float, float)
        Further centres and standard deviations to be resolved.

    Returns
    -------
    grid : LevelGrid
        The grid.
    pooled : float
        Standard deviation of the likelihood of all studies together.
    """
    centres, scales = likelihoods.centres, likelihoods.scales
    if not len(centres):
        centres, scales = np.zeros(1), np.ones(1)
    features = peaks(likelihoods, sigma_floor)
    pooled = min(features[-1][1] if features else np.inf, _FLATTEST * float(np.median(scales)))
    wanted = [*features, *extra]
    every_centre = np.concatenate([centres, [c for c, _ in wanted]])
    every_scale = np.concatenate([scales, [s for _, s in wanted]])
    return level_grid(every_centre, every_scale, *extent, points=points), float(pooled)


def peaks(likelihoods: StudyLikelihoods, sigma: float = 0.0) -> list[tuple[float, float]]:
    """Find where the diseases' likelihoods and that of all together lie, and how wide they are.

    Parameters
    ----------
    likelihoods : StudyLikelihoods
        The studies.
    sigma : float
        Standard deviation between studies, which widens them.

    Returns
    -------
    list of (float, float)
        Centre and standard deviation of each disease with studies, and last of all together.
    """
    if not len(likelihoods.studies) or not len(likelihoods.centres):
        return []
    own, counts = _unwidened_peaks(likelihoods)
    return [
        (c, float(np.hypot(s, sigma / np.sqrt(k)))) for (c, s), k in zip(own, counts, strict=True)
    ]


@lru_cache(maxsize=16)
def _unwidened_peaks(
    likelihoods: StudyLikelihoods,
) -> tuple[list[tuple[float, float]], list[float]]:
    """Give the peaks without a spread between studies, and how many studies each is of.

    They are asked for again with every table of the same studies.
    """
    count, diseases = len(likelihoods.studies), len(likelihoods.diseases)
    reach = 200 * float(np.median(likelihoods.scales))
    coarse = level_grid(likelihoods.centres, likelihoods.scales, -reach, reach, points=2.0)
    groups = np.zeros((len(coarse), diseases))
    membership = np.eye(diseases)[likelihoods.disease]
    for start in range(0, count, CHUNK):
        part = slice(start, min(start + CHUNK, count))
        groups += likelihoods.evaluate(coarse.nodes, part) @ membership[part]
    sizes = membership.sum(axis=0)
    columns = [groups[:, d] for d in range(diseases) if sizes[d] > 0] + [groups.sum(axis=1)]
    return [_peak(coarse.nodes, values) for values in columns], [*sizes[sizes > 0], count]


def least_spread(features: Sequence[tuple[float, float]]) -> float:
    """Spread between diseases below which their normal approximations are all but impossible.

    Parameters
    ----------
    features : sequence of (float, float)
        Centres and standard deviations of the diseases' likelihoods.

    Returns
    -------
    float
        Zero, unless every smaller spread has a log likelihood `_EXCLUDED` below the greatest.
    """
    centres, scales = (np.array(v) for v in zip(*features, strict=True))
    spread = np.exp(np.linspace(np.log(scales.min() / 10), np.log(np.ptp(centres) + 1e-9), 200))
    precision = 1 / (scales**2 + spread[:, None] ** 2)
    mean = (precision * centres).sum(axis=1) / precision.sum(axis=1)
    logs = 0.5 * np.log(precision).sum(axis=1) - 0.5 * np.log(precision.sum(axis=1))
    logs -= 0.5 * (precision * (centres - mean[:, None]) ** 2).sum(axis=1)
    first = int(np.argmax(logs > logs.max() - _EXCLUDED))
    return float(spread[first - 1]) if first > 0 else 0.0


def _peak(levels: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """Where a log likelihood is greatest, and its standard deviation there.

    One without an inner maximum, or nearly flat on one side of it, has its centre where it has
    fallen by one.
    """
    slope = np.gradient(values, levels)
    best = int(np.argmax(values))
    fallen = np.flatnonzero(values > values[best] - 1)
    flat = len(fallen) > 0 and (fallen[0] == 0 or fallen[-1] == len(levels) - 1)
    if flat and not (fallen[0] == 0 and fallen[-1] == len(levels) - 1):
        edge = fallen[-1] if fallen[0] == 0 else fallen[0]
        return float(levels[edge]), float(SKEWED / max(abs(slope[edge]), 1e-8))
    curvature = -np.gradient(slope, levels)[max(best - 1, 0) : best + 2].max()
    width = float(1 / np.sqrt(curvature)) if curvature > 0 else float(np.ptp(levels))
    edge = max(fallen[[0, -1]], key=lambda end: abs(slope[end]))
    steep = float(SKEWED / max(abs(slope[edge]), 1e-8))
    return (float(levels[edge]), steep) if width > _SKEW * steep else (float(levels[best]), width)


def variance_axis(
    pooled: float, units: int, inner: int, points: float, top: float, bottom: float = 0.0
) -> ScaleAxis:
    """Lay an axis of the standard deviation between studies, or between diseases.

    Parameters
    ----------
    pooled : float
        Standard deviation of the likelihood of all together, of `adapted_grid`.
    units, inner : int
        How many studies or diseases; how many have a likelihood that vanishes at both ends.
    points : float
        Nodes for each standard deviation.
    top, bottom : float
        Range to be covered.

    Returns
    -------
    ScaleAxis
        Near zero a likelihood varies with the square of the standard deviation, on the scale that
        this square is known with; far above, it falls by one power for each inner unit.
    """
    step = _STEP / points / np.sqrt(inner + 2)
    lowest = pooled * (2 * max(units, 1)) ** 0.25 * _LOWEST / points
    unit = float(lowest / np.sinh(step))
    if bottom > 0:
        # Many data: the likelihood is narrow against its distance from zero.
        return scale_axis(min(unit, bottom), float(0.8 * step), top, bottom)
    return scale_axis(unit, float(step), top)


def sigma_range(likelihoods: StudyLikelihoods) -> tuple[float, float]:
    """Values of sigma that the data of many studies leave possible.

    Parameters
    ----------
    likelihoods : StudyLikelihoods
        The studies.

    Returns
    -------
    tuple of float
        Least (zero where it is not excluded) and greatest sigma whose profile log likelihood is
        within `_EXCLUDED` of its maximum.
    """
    unit = float(np.median(likelihoods.scales)) if len(likelihoods.scales) else 1.0
    sigma = scale_axis(unit / 4, 0.2, 16 * unit)
    grid = level_grid(likelihoods.centres, likelihoods.scales, -200 * unit, 200 * unit, points=1.5)
    table = likelihood_table(likelihoods, grid, sigma, 1.5, keep=0)
    profile = table.groups.max(axis=1).sum(axis=1)
    near = np.flatnonzero(profile > profile.max() - 60 - 0.5 * len(likelihoods.diseases))
    index = np.linspace(max(near[0] - 1, 0), min(near[-1] + 1, len(sigma) - 1), 400)
    # The log likelihood is smooth in the index, however sharp the likelihood.
    smooth = _cubic(index, profile)
    possible = index[smooth > smooth.max() - _EXCLUDED]
    ends = sigma.unit * np.sinh(sigma.step * np.array([possible[0], possible[-1]]))
    low, high = float(ends[0]), float(ends[1])
    return (0.0 if low < 0.05 * unit else 0.95 * low), 1.05 * high


def _cubic(index: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Cubic interpolation of values at whole indices."""
    first = np.clip(np.floor(index).astype(int) - 1, 0, len(values) - 4)
    t = (index - first)[:, None]
    nodes = np.arange(4)
    weights = np.stack(
        [np.prod((t - nodes[nodes != k]) / (k - nodes[nodes != k]), axis=1) for k in range(4)],
        axis=1,
    )
    return (weights * values[first[:, None] + nodes]).sum(axis=1)
