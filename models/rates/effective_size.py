"""How many patients a prior on a rate is worth, by three definitions."""

import numpy as np
from scipy import optimize

from .beta_mixture import log_beta_density
from .prior import RatePrior, WeightedRates

# Morita's nearly empty prior has the mean of the prior's mode and shapes of this sum.
EMPTY_SIZE = 0.01


def expected_local_information_ratio(prior_information, unit_information, weights) -> float:
    """Average the prior's information over that of one patient, under the prior.

    Parameters
    ----------
    prior_information : array, shape (points,)
        Minus the second derivative of the log prior density at the points of a quadrature rule.
    unit_information : array, shape (points,)
        Fisher information of one patient there, on the same scale as the derivative.
    weights : array, shape (points,)
        The rule's weights, of sum 1 (density times width).

    References
    ----------
    Neuenschwander et al. 2020, doi:10.1111/biom.13252.
    """
    return float(np.dot(weights, np.asarray(prior_information) / unit_information))


def elir(prior: RatePrior) -> float | None:
    """Effective sample size by the expected local-information ratio.

    A single beta(a, b) is worth a + b. A mixture with a shape below 1 has no finite value: None.
    """
    if len(prior.weights) == 1:
        return prior.a[0] + prior.b[0]
    if min(*prior.a, *prior.b) < 1:
        return None
    log_rate, log_rest, widths = _double_exponential()
    weights, a, b = (np.array(value) for value in (prior.weights, prior.a, prior.b))
    log_parts = np.log(weights) + log_beta_density(log_rate[:, None], log_rest[:, None], a, b)
    density = np.exp(log_parts).sum(axis=1)
    rate, rest = np.exp(log_rate), np.exp(log_rest)
    # In units of 1 / (rate · rest), so that nothing overflows next to 0 and 1.
    share = np.exp(log_parts - log_parts.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    scaled = _scaled_information(share, a, b, rate[:, None], rest[:, None])
    return expected_local_information_ratio(scaled, 1.0, density * widths)


def moment(prior: RatePrior | WeightedRates) -> float:
    """Effective sample size of the beta with the prior's mean and variance."""
    return float(prior.mean * (1 - prior.mean) / prior.sd**2 - 1)


def morita(prior: RatePrior) -> float:
    """Effective sample size by matching the information at the mode.

    The prior's curvature at its highest mode is set equal to that of a nearly empty beta updated by
    m patients drawn from the prior predictive; the curvature is linear in m, so m is exact.

    References
    ----------
    Morita et al. 2008, doi:10.1111/j.1541-0420.2007.00888.x.
    """
    weights, a, b = (np.array(value) for value in (prior.weights, prior.a, prior.b))
    rate = _mode(prior)
    rest = 1 - rate
    density = weights * np.exp(log_beta_density(np.log(rate), np.log(rest), a, b))
    scaled = _scaled_information(density[None, :] / density.sum(), a, b, rate, rest)[0]
    information = scaled / (rate * rest)
    empty = (rate * EMPTY_SIZE - 1) / rate**2 + (rest * EMPTY_SIZE - 1) / rest**2
    one_patient = prior.mean / rate**2 + (1 - prior.mean) / rest**2
    return float((information - empty) / one_patient)


def _scaled_information(share, a, b, rate, rest) -> np.ndarray:
    """Minus the second derivative of the log density, times rate · rest; components last."""
    slope = (a - 1) * rest - (b - 1) * rate  # times rate · rest
    curve = (a - 1) * rest / rate + (b - 1) * rate / rest  # times rate · rest
    mean_slope = np.sum(share * slope, axis=-1, keepdims=True)
    spread = np.sum(share * (slope - mean_slope) ** 2, axis=-1)
    return np.sum(share * curve, axis=-1) - spread / np.squeeze(rate * rest)


def _double_exponential() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log rates, log of one minus them, and widths of a rule that bears any power at the ends."""
    place = np.linspace(-5.2, 5.2, 8001)
    log_odds = np.pi * np.sinh(place)
    log_rate, log_rest = -np.logaddexp(0, -log_odds), -np.logaddexp(0, log_odds)
    widths = np.pi * np.cosh(place) * np.exp(log_rate + log_rest) * (place[1] - place[0])
    return log_rate, log_rest, widths


def _mode(prior: RatePrior) -> float:
    grid = np.linspace(0, 1, 4001)[1:-1]
    density = prior.density(grid)
    if np.ptp(density) < 1e-9 * density.max():
        return prior.mean
    best = grid[np.argmax(density)]
    optimum = optimize.minimize_scalar(
        lambda rate: -float(prior.density(rate)),
        bounds=(best - grid[0] / 2, best + grid[0] / 2),
        method="bounded",
        options={"xatol": 1e-12},
    )
    return float(optimum.x)
