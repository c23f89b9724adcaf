"""The difference of two independent rates, each with a beta-mixture distribution."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from .beta_mixture import log_beta_density, posterior_mixture, survival_table
from .prior import RatePrior

NEGLIGIBLE = 1e-30


@dataclass(frozen=True, eq=False)
class _Nodes:
    """Points x of the control's rate and x + margin of the other's, by logarithms; their widths."""

    log_x: np.ndarray
    log_rest: np.ndarray
    log_moved: np.ndarray
    log_moved_rest: np.ndarray
    width: np.ndarray


def probability_difference_above(
    experimental: RatePrior, control: RatePrior, n_experimental: int, n_control: int, margin: float
) -> np.ndarray:
    """Posterior probability that experimental − control rate is above `margin`, for all counts.

    Parameters
    ----------
    experimental, control : RatePrior
        Analysis priors.
    n_experimental, n_control : int
        Patients; 0 and 0 gives the probability under the priors themselves.
    margin : float
        Risk difference, between −1 and 1.

    Returns
    -------
    array, shape (n_experimental + 1, n_control + 1)
        By trapezoid after a double-exponential substitution, which bears any power at the ends;
        the error is below 1e-9.
    """
    shapes = (*experimental.a, *experimental.b, *control.a, *control.b)
    size = max(
        max(a + b + n for a, b in zip(prior.a, prior.b, strict=True))
        for prior, n in ((experimental, n_experimental), (control, n_control))
    )
    nodes = _nodes(margin, min(shapes), size)
    survival = survival_table(
        *_arrays(experimental), n_experimental, nodes.log_moved, nodes.log_moved_rest
    )
    mass = _density(control, n_control, nodes) * nodes.width
    # Products of tiny numbers are denormal, on which matrix products are ten times slower.
    survival[survival < NEGLIGIBLE], mass[mass < NEGLIGIBLE] = 0, 0
    probability = survival @ mass.T
    if margin < 0:
        # Below −margin the other rate exceeds the control's in any case.
        events = np.arange(n_control + 1)
        weights, a, b = posterior_mixture(*_arrays(control), events, n_control)
        probability += np.sum(weights * special.betainc(a, b, -margin), axis=1)
    return np.clip(probability, 0, 1)


def difference_quantile(first: RatePrior, second: RatePrior, probability: float) -> float:
    """Quantile of the first rate minus the second."""
    return float(
        optimize.brentq(
            lambda bound: (
                1 - probability_difference_above(first, second, 0, 0, bound)[0, 0] - probability
            ),
            -1 + 1e-12,
            1 - 1e-12,
            xtol=1e-10,
        )
    )


def _arrays(prior: RatePrior) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array(prior.weights), np.array(prior.a), np.array(prior.b)


def _nodes(margin: float, smallest_shape: float, size: float) -> _Nodes:
    reach = np.arcsinh(36 / (np.pi * min(1.0, smallest_shape)))
    # On log-odds no posterior is narrower than 2 / sqrt(size); a step of a quarter of that leaves
    # an error below 1e-9 for the product of a density and a distribution function.
    step = min(0.02, 0.5 / np.pi / np.sqrt(size))
    place = np.linspace(-reach, reach, 2 * int(np.ceil(reach / step)) + 1)
    log_odds = np.pi * np.sinh(place)
    span = 1 - abs(margin)
    log_share, log_remainder = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
    share, remainder = span * np.exp(log_share), span * np.exp(log_remainder)
    jacobian = np.pi * np.cosh(place) * np.exp(log_share + log_remainder) * span
    with np.errstate(divide="ignore"):
        logs = [
            np.log(near + part)
            for near, part in (
                (max(0.0, -margin), share),
                (max(0.0, margin), remainder),
                (max(0.0, margin), share),
                (max(0.0, -margin), remainder),
            )
        ]
    smallest = np.log(np.finfo(float).tiny)
    log_x, log_rest, moved, moved_rest = (np.maximum(value, smallest) for value in logs)
    return _Nodes(log_x, log_rest, moved, moved_rest, jacobian * (place[1] - place[0]))


def _density(prior: RatePrior, n: int, nodes: _Nodes) -> np.ndarray:
    """Posterior densities at the points, shape (n + 1, points)."""
    events = np.arange(n + 1)
    weights, a, b = (value[..., None] for value in posterior_mixture(*_arrays(prior), events, n))
    log_parts = log_beta_density(nodes.log_x, nodes.log_rest, a, b)
    return np.sum(weights * np.exp(log_parts), axis=1)
