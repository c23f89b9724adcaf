"""What priors imply for rates before any data, integrated."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.signal import fftconvolve
from scipy.special import ndtr, stdtr

from ...data.outcomes import Outcome, outcome
from ..pooling import ROBUST_DEGREES, structure
from ..priors.prior import Prior
from ..priors.sets import OutcomePriors, PriorSet
from .distribution import STATISTICS, Distribution, Distributions, product

#: Levels farther than this from the middle are rates of none or all.
_FARTHEST = 64.0
_STEPS = 4096
#: Values of a standard deviation by which its prior is represented.
_DEVIATIONS = 256
_CHUNK = 32


def implied_rates(
    priors: PriorSet, described: Outcome, pooling: str = "partial", diseases: Sequence[str] = "ab"
) -> pd.DataFrame:
    """Say what a prior set implies for the rates of one outcome, before any data.

    The prior of a level is convolved with the normal (or Student-t) deviations of diseases and of
    studies, whose standard deviations are averaged over their priors.

    Parameters
    ----------
    priors : PriorSet
        The set.
    described : Outcome
        The outcome. Where it is nested its rate is the product of its own and its parent's.
    pooling : str
        How diseases inform each other.
    diseases : sequence of str
        The diseases: of a single one the level is mu itself.

    Returns
    -------
    pandas.DataFrame
        Rows ``typical`` (of the overall level), ``new_disease`` (a typical study of a disease) and
        ``new_study`` (one study of a disease); columns ``outcome``, ``quantity``, ``mean``, ``sd``,
        ``q2.5``, ``q50``, ``q97.5`` and the numerical errors ``mcse_…`` of each. Probabilities
        (12-month risks for ``death``).

    Raises
    ------
    InputError
        An unknown pooling.
    """
    values, coarser = (
        [each.statistics() for each in _implied(priors, described, pooling, diseases, steps)]
        for steps in (_STEPS, _STEPS // 2)
    )
    table = pd.DataFrame(values, columns=list(STATISTICS))
    errors = np.abs(np.array(values) - coarser)
    table[[f"mcse_{name}" for name in STATISTICS]] = errors
    table.insert(0, "outcome", described.name)
    table.insert(1, "quantity", ["typical", "new_disease", "new_study"])
    return table


def implied_for_a_disease(
    priors: PriorSet, described: Outcome, pooling: str, diseases: Sequence[str]
) -> Distribution:
    """Give the rate in a typical study of a disease as a prior set has it; as `implied_rates`."""
    return _implied(priors, described, pooling, diseases, _STEPS)[1]


def _implied(
    priors: PriorSet, described: Outcome, pooling: str, diseases: Sequence[str], steps: int
) -> list[Distribution]:
    kind = structure(pooling, diseases)
    family = [described] + ([outcome(described.parent)] if described.parent else [])
    each = [_distributions(priors.of(one.name), kind, one, steps) for one in family]
    return [_together(parts) for parts in zip(*each, strict=True)]


def _together(parts: Sequence[Distribution]) -> Distribution:
    return parts[0] if len(parts) == 1 else product(parts[1], parts[0])


def _distributions(
    priors: OutcomePriors, kind: str, described: Outcome, steps: int
) -> list[Distribution]:
    """Give the rates of the overall level, of a disease and of a study of it."""
    reach = _reach(priors)
    middle = float(priors.mu.ppf(0.5))
    level = _masses(priors.mu, middle, reach, steps)
    disease = level
    if kind in ("partial", "robust", "exnex"):
        disease = _spread(level, priors.tau, kind == "robust", reach, steps)
    if kind == "exnex":
        own = _masses(priors.exnex.level or priors.mu, middle, reach, steps)
        disease = priors.exnex.weight * disease + (1 - priors.exnex.weight) * own
    study = _spread(disease, priors.sigma, False, reach, steps)
    nodes = middle + _grid(reach, steps)
    return [_distribution(nodes, masses, described) for masses in (level, disease, study)]


def _reach(priors: OutcomePriors) -> float:
    """Give half the range of levels, the same for similar priors."""
    levels = [priors.mu, *([priors.exnex.level] if priors.exnex.level else [])]
    ends = np.concatenate([each.ppf(np.array([1e-7, 0.5, 1 - 1e-7])) for each in levels])
    wanted = min(max(_FARTHEST, float(np.ptp(ends))), 2.0**20)
    return 2.0 ** np.ceil(np.log2(wanted))


def _grid(reach: float, steps: int) -> np.ndarray:
    return np.linspace(-reach, reach, 2 * steps + 1)


def _masses(prior: Prior, middle: float, reach: float, steps: int) -> np.ndarray:
    """Give a prior's masses about the nodes, those beyond the grid at its ends."""
    edges = middle + _grid(reach, steps)[:-1] + reach / steps / 2
    return np.diff(prior.cdf(edges), prepend=0.0, append=1.0)


def _spread(
    masses: np.ndarray, deviation: Prior, student: bool, reach: float, steps: int
) -> np.ndarray:
    """Add a random deviation to levels; what leaves the grid stays at its ends."""
    noise = _noise(deviation, student, reach, steps)
    whole = fftconvolve(masses, noise)
    whole[whole < 1e-15] = 0.0  # what the transform leaves where there is nothing
    # Noise reaches twice as far as levels: what goes beyond the one end never comes from the other.
    cut = (len(whole) - len(masses)) // 2
    inside = whole[cut : len(whole) - cut]
    inside[0] += whole[:cut].sum()
    inside[-1] += whole[len(whole) - cut :].sum()
    return inside / inside.sum()


@lru_cache(maxsize=64)
def _noise(deviation: Prior, student: bool, reach: float, steps: int) -> np.ndarray:
    """Give the masses of a deviation whose standard deviation is drawn from its prior."""
    edges = (np.arange(2 * steps) + 0.5) * reach / steps
    below = np.zeros(len(edges))
    place = (np.arange(_DEVIATIONS) + 0.5) / _DEVIATIONS
    # Closer in the tails, as the distribution of a standard deviation is wide there.
    scale = np.maximum(deviation.ppf(place**2 * (3 - 2 * place)), 1e-300)
    weights = 6 * place * (1 - place)
    weights = weights / weights.sum()
    for start in range(0, _DEVIATIONS, _CHUNK):
        part = slice(start, start + _CHUNK)
        with np.errstate(over="ignore"):
            score = edges[:, None] / scale[part]
        above = stdtr(ROBUST_DEGREES, -score) if student else ndtr(-score)
        below += (1 - above) @ weights[part]
    half = np.diff(below, append=1.0)
    return np.concatenate([half[::-1], [2 * below[0] - 1], half])


def _distribution(nodes: np.ndarray, masses: np.ndarray, described: Outcome) -> Distribution:
    if masses.max() > 1 - 1e-12:
        value = nodes[masses.argmax()]
        point = np.array([value, value]), np.array([[0.0], [1.0]]), np.zeros((2, 1))
        source = Distributions(*point, nodes, masses[:, None])
        return Distribution(source, described.link)
    cumulative = np.cumsum(masses) - masses / 2
    density = masses / (nodes[1] - nodes[0])
    source = Distributions(nodes, cumulative[:, None], density[:, None], nodes, masses[:, None])
    return Distribution(source, described.link)
