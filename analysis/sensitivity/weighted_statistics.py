"""Statistics of weighted draws, each with its Monte-Carlo standard error.

Errors come from batch means of an estimator's influence on every draw: the same rule serves plain
and re-weighted draws, and takes the dependence between successive draws into account.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

QUANTILES = (0.025, 0.5, 0.975)
STATISTICS = ("mean", "sd", "q2.5", "q50", "q97.5")

#: Batches of a chain; long enough to outlast the dependence of draws, many enough to tell a spread.
BATCHES = 20

#: The log-odds on which densities of rates are estimated, and the parts of the draws left out in
#: turn for their errors.
_NODES = np.linspace(-16.0, 16.0, 513)
_PARTS = 8


@dataclass(frozen=True, eq=False)
class Sample:
    """Draws of several quantities, chains one after the other.

    Attributes
    ----------
    values : numpy.ndarray, shape (draw, quantity)
        The draws.
    chains : int
        Number of chains in them.
    """

    values: np.ndarray
    chains: int

    @cached_property
    def order(self) -> np.ndarray:
        """Order of each quantity's draws; shape (draw, quantity)."""
        return np.argsort(self.values, axis=0)

    @cached_property
    def cells(self) -> np.ndarray:
        """Node of the log-odds that each draw of a rate is nearest to; shape (draw, quantity)."""
        inside = np.clip(self.values, 1e-7, 1 - 1e-7)
        step = _NODES[1] - _NODES[0]
        level = np.log(inside) - np.log1p(-inside)
        return np.clip(np.rint((level - _NODES[0]) / step), 0, len(_NODES) - 1).astype(int)


@dataclass(frozen=True, eq=False)
class Summary:
    """Statistics of weighted draws.

    Attributes
    ----------
    values, errors : numpy.ndarray, shape (quantity, 5)
        `STATISTICS`, and their Monte-Carlo standard errors.
    influence : numpy.ndarray, shape (draw, quantity)
        Influence of every draw on the mean: its average over draws is the error's source.
    """

    values: np.ndarray
    errors: np.ndarray
    influence: np.ndarray


def batch_error(influence: np.ndarray, chains: int) -> np.ndarray:
    """Monte-Carlo standard error of the mean of an influence.

    Parameters
    ----------
    influence : numpy.ndarray, shape (draw, ...)
        Influence of each draw, chains one after the other.
    chains : int
        Number of chains.

    Returns
    -------
    numpy.ndarray
        Shape (...).

    References
    ----------
    Flegal and Jones 2010, doi 10.1214/09-AOS735 (batch means).
    """
    each = len(influence) // chains
    batches = min(BATCHES, each)
    length = each // batches
    folded = influence[: chains * each].reshape(chains, each, *influence.shape[1:])
    folded = folded[:, : batches * length].reshape(-1, length, *influence.shape[1:])
    means = folded.mean(axis=1)
    return means.std(axis=0, ddof=1) / np.sqrt(len(means))


def summarise(sample: Sample, weights: np.ndarray) -> Summary:
    """Summarise weighted draws.

    Parameters
    ----------
    sample : Sample
        The draws.
    weights : numpy.ndarray, shape (draw,)
        Weights that sum to one.

    Returns
    -------
    Summary
        Means, standard deviations and quantiles with their errors.
    """
    x, scaled = sample.values, weights[:, None] * len(weights)
    mean = weights @ x
    deviation = x - mean
    variance = weights @ deviation**2
    sd = np.sqrt(variance)
    influence = scaled * deviation
    with np.errstate(invalid="ignore", divide="ignore"):
        of_sd = scaled * (deviation**2 - variance) / (2 * sd)
    quantiles, errors = _quantiles(sample, weights)
    error_mean = batch_error(influence, sample.chains)
    error_sd = np.nan_to_num(batch_error(of_sd, sample.chains))
    return Summary(
        np.column_stack([mean, sd, quantiles]),
        np.column_stack([error_mean, error_sd, errors]),
        influence,
    )


def _quantiles(sample: Sample, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted quantiles and, through the error of their probability, their errors."""
    x, order = sample.values, sample.order
    probabilities = np.array(QUANTILES)
    quantiles = np.empty((x.shape[1], len(QUANTILES)))
    errors = np.empty_like(quantiles)
    for j in range(x.shape[1]):
        mine = weights[order[:, j]]
        # Of equal weights the quantiles of NumPy: the least draw is at 0, the largest at 1.
        middle = np.cumsum(mine) - mine / 2
        middle = (middle - middle[0]) / max(middle[-1] - middle[0], np.finfo(float).tiny)
        ranked = x[order[:, j], j]
        quantiles[j] = np.interp(probabilities, middle, ranked)
        below = (x[:, j, None] <= quantiles[j]) - probabilities
        spread = batch_error(weights[:, None] * len(weights) * below, sample.chains)
        high = np.interp(np.minimum(probabilities + spread, 1), middle, ranked)
        low = np.interp(np.maximum(probabilities - spread, 0), middle, ranked)
        errors[j] = (high - low) / 2
    return quantiles, errors


def probability_above(
    sample: Sample, weights: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """Give the weighted probability of each quantity to exceed a threshold, and its error.

    Where all draws agree the error is that of half a draw, never zero.
    """
    above = sample.values > threshold
    probability = weights @ above
    influence = len(weights) * weights[:, None] * (above - probability)
    effective = 1 / np.sum(weights**2)
    least = np.sqrt(0.5 / effective * (1 - 0.5 / effective) / effective)
    return probability, np.maximum(batch_error(influence, sample.chains), least)


def rate_densities(sample: Sample, weights: np.ndarray) -> np.ndarray:
    """Smooth densities of rates over the log-odds, whole and with each part of the draws left out.

    Parameters
    ----------
    sample : Sample
        Draws of rates.
    weights : numpy.ndarray, shape (draw,)
        Weights that sum to one.

    Returns
    -------
    numpy.ndarray, shape (1 + part, quantity, node)
        Masses over the nodes of `log_odds_nodes`, rows summing to one; the first is of all draws.

    References
    ----------
    Silverman 1986, doi 10.1007/978-1-4899-3324-9 (the width of the kernel).
    """
    from scipy.ndimage import gaussian_filter1d

    draws, count = sample.cells.shape
    part = np.minimum(np.arange(draws) * _PARTS // draws, _PARTS - 1)
    place = (part[:, None] * count + np.arange(count)) * len(_NODES) + sample.cells
    heavy = np.broadcast_to(weights[:, None], place.shape)
    mass = np.bincount(place.ravel(), heavy.ravel(), _PARTS * count * len(_NODES))
    mass = mass.reshape(_PARTS, count, len(_NODES))
    whole = mass.sum(axis=0)
    every = np.concatenate([whole[None], whole - mass])
    effective = 1 / np.sum(weights**2)
    for j in range(count):
        centre = whole[j] @ _NODES
        spread = np.sqrt(whole[j] @ (_NODES - centre) ** 2)
        cumulative = np.cumsum(whole[j])
        low, high = np.interp((0.25, 0.75), cumulative, _NODES)
        width = 0.9 * min(spread, (high - low) / 1.34) * effective**-0.2
        step = _NODES[1] - _NODES[0]
        every[:, j] = gaussian_filter1d(every[:, j], max(width / step, 0.5), axis=-1)
    return every / every.sum(axis=-1, keepdims=True)


def log_odds_nodes() -> np.ndarray:
    """Log-odds at which `rate_densities` are given."""
    return _NODES


def overlap(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of mass that two densities have in common, and its error by leaving parts out.

    Parameters
    ----------
    one, other : numpy.ndarray, shape (1 + part, quantity, node)
        As `rate_densities` gives.

    Returns
    -------
    tuple of numpy.ndarray, shape (quantity,)
        The overlap, 0 to 1, and its jackknife standard error.

    References
    ----------
    Inman and Bradley 1989, doi 10.1080/03610928908830127 (the overlapping coefficient).
    """
    common = np.minimum(one, other).sum(axis=-1)
    parts = common[1:]
    spread = np.sum((parts - parts.mean(axis=0)) ** 2, axis=0)
    return common[0], np.sqrt((len(parts) - 1) / len(parts) * spread)
