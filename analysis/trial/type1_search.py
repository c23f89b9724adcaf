"""The type I error of a two-arm decision: its largest over all control rates, and its bound."""

from collections.abc import Sequence

import numpy as np

from ...models.rates.beta_mixture import binomial_mass

# The type I error over the control rate is searched on this many points, evenly on the arcsine
# scale, where a binomial's spread is the same everywhere; then finer around the highest ones.
POINTS = 151
FINER, TOPS = 9, 3
NEGLIGIBLE = 1e-25
# Posterior probabilities no further apart are the same but for the rounding of who computes them.
TIE = 1e-10


def decide(
    probability: np.ndarray,
    margin: float,
    level: float,
    bound: float | None,
    controls: tuple[float, float] = (0.0, 1.0),
) -> tuple[np.ndarray, float, float]:
    """Call counts a success, at a level raised until the type I error keeps its bound.

    Parameters
    ----------
    probability : array, shape (n_experimental + 1, n_control + 1)
        Posterior probability that the difference is beyond the margin.
    margin : float
        Risk difference at which the error is made.
    level : float
        Posterior probability that counts as success.
    bound : float or None
        Of the error over the control rates.
    controls : (float, float)
        Ends of the control rates; those that the margin does not allow are left out.

    Returns
    -------
    tuple
        The success table (0 or 1), the level it holds at, and its largest type I error.
    """
    success = (probability > level).astype(float)
    largest = largest_type1([success], margin, controls)
    if bound is None or largest <= bound:
        return success, level, largest
    # The levels at which the table changes; the error falls from one to the next.
    levels = np.unique(probability[probability > level])
    angles = _angles(margin, controls)
    masses = _masses(success.shape, margin, angles)
    low, high = -1, levels.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        success = (probability > levels[middle]).astype(float)
        low, high = (low, middle) if _errors(success, *masses).max() <= bound else (middle, high)
    # The points may have missed the top by a little.
    for place in range(high, levels.size):
        level = level_above(levels, place)
        success = (probability > level).astype(float)
        largest = largest_type1([success], margin, controls)
        if largest <= bound:
            break
    return success, level, largest


def level_above(levels: np.ndarray, place: int) -> float:
    """Return a level above the one at `place` and below the next, with as few digits as can be.

    A protocol may copy it, and an analysis with other rounding decides the same.
    """
    low = levels[place] + TIE
    higher = levels[levels > low + TIE]
    high = (higher[0] if higher.size else 1.0) - TIE
    for digits in range(4, 10):
        level = np.ceil(low * 10**digits) / 10**digits
        if low < level < high:
            return float(level)
    return float((low + high) / 2)


def success_probability(success: np.ndarray, experimental, control) -> np.ndarray:
    """Exact probability of success at pairs of true rates, shape (pairs,).

    Parameters
    ----------
    success : array, shape (n_experimental + 1, n_control + 1)
        1 where the two counts are a success.
    experimental, control : array, shape (pairs,)
        True rates.
    """
    mass_experimental = binomial_mass(success.shape[0] - 1, np.clip(experimental, 0, 1))
    mass_control = binomial_mass(success.shape[1] - 1, np.clip(control, 0, 1))
    return _errors(success, mass_experimental, mass_control)


def _errors(success: np.ndarray, mass_experimental, mass_control) -> np.ndarray:
    return np.clip(np.sum((mass_experimental @ success) * mass_control, axis=1), 0, 1)


def _over_looks(tables: Sequence[np.ndarray], margin: float, angles: np.ndarray) -> np.ndarray:
    parts = [_errors(table, *_masses(table.shape, margin, angles)) for table in tables]
    return np.minimum(np.sum(parts, axis=0), 1.0)


def _angles(margin: float, controls: tuple[float, float]) -> np.ndarray:
    """Points of the control rate (arcsine scale) that the margin allows."""
    low, high = controls
    ends = np.arcsin(np.sqrt([max(low, -margin, 0.0), min(high, 1.0 - margin, 1.0)]))
    return np.linspace(ends[0], ends[1], POINTS)


def _masses(shape: tuple[int, ...], margin: float, angles: np.ndarray) -> tuple:
    control = np.sin(angles) ** 2
    experimental = np.clip(control + margin, 0, 1)
    masses = binomial_mass(shape[0] - 1, experimental), binomial_mass(shape[1] - 1, control)
    # Products of tiny masses are denormal numbers, on which matrix products are ten times slower.
    return tuple(np.where(mass < NEGLIGIBLE, 0, mass) for mass in masses)


def largest_type1(
    tables: Sequence[np.ndarray], margin: float, controls: tuple[float, float]
) -> float:
    """Largest probability of success where the true difference is the margin.

    Parameters
    ----------
    tables : sequence of array, shape (n_experimental + 1, n_control + 1)
        By look, the share of paths that succeed at each pair of counts; of one look alone 1 where
        the counts are a success.
    margin : float
        The risk difference.
    controls : (float, float)
        Ends of the control rates.
    """
    angles = _angles(margin, controls)
    ends, step = (angles[0], angles[-1]), angles[1] - angles[0]
    errors = _over_looks(tables, margin, angles)
    largest = errors.max()
    for _ in range(2):
        tops = angles[np.argsort(-errors)[:TOPS]]
        offsets = np.linspace(-step, step, FINER)
        angles = np.clip((tops[:, None] + offsets).ravel(), *ends)
        errors = _over_looks(tables, margin, angles)
        largest, step = max(largest, errors.max()), offsets[1] - offsets[0]
    return float(largest)
