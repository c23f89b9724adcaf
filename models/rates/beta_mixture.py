"""Beta mixtures in numbers, vectorised over posteriors: the last axis is the components."""

import numpy as np
from scipy import special
from scipy.linalg import eigvalsh_tridiagonal


def log_choose(n, events) -> np.ndarray:
    """Return the logarithm of the binomial coefficient."""
    return -special.betaln(n - events + 1, events + 1) - np.log1p(n)


def binomial_mass(n: int, rates: np.ndarray) -> np.ndarray:
    """Probability of 0 … n events at each of `rates`, shape (rates, n + 1)."""
    events = np.arange(n + 1)
    rates = np.asarray(rates, float)[:, None]
    log_mass = special.xlogy(events, rates) + special.xlog1py(n - events, -rates)
    return np.exp(log_choose(n, events) + log_mass)


def posterior_mixture(weights, a, b, events, n) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights and shapes after `events` of `n`: arrays (*events.shape, components)."""
    events = np.asarray(events)[..., None]
    n = np.asarray(n)[..., None] if np.ndim(n) else n
    a_after, b_after = a + events, b + n - events
    if weights.size == 1:
        return np.ones(a_after.shape), a_after, b_after
    evidence = np.log(weights) + special.betaln(a_after, b_after) - special.betaln(a, b)
    return special.softmax(evidence, axis=-1), a_after, b_after


def mixture_below(x, weights, a, b) -> np.ndarray:
    """Distribution function at `x` of mixtures whose components lie on the last axis."""
    inside = np.clip(x, 0.0, 1.0)[..., None]
    return np.sum(weights * special.betainc(a, b, inside), axis=-1)


def mixture_density(x, weights, a, b) -> np.ndarray:
    """Density at `x` of mixtures whose components lie on the last axis."""
    x = x[..., None]
    # Not by logarithms of x: 0 · log(0) must be 0 where a shape is 1.
    log_density = special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b)
    return np.sum(weights * np.exp(log_density), axis=-1)


def log_beta_density(log_rate, log_rest, a, b) -> np.ndarray:
    """Log density of beta(a, b) where the logarithms of the rate and of one minus it are given."""
    return (a - 1) * log_rate + (b - 1) * log_rest - special.betaln(a, b)


def survival_table(weights, a, b, n: int, log_rate, log_rest) -> np.ndarray:
    """Posterior probability above given rates after 0 … n events of n, shape (n + 1, rates).

    The rates come as logarithms of themselves and of one minus them. One more event adds one
    positive term to a beta's survival function, so that the incomplete beta function is wanted for
    no events only.
    """
    events = np.arange(n)
    after, _, _ = posterior_mixture(weights, a, b, np.arange(n + 1), n)
    total = np.zeros((n + 1, log_rate.size))
    for part, (own_a, own_b) in enumerate(zip(a, b, strict=True)):
        scale = special.gammaln(own_a + own_b + n) - special.gammaln(own_a + events + 1)
        scale -= special.gammaln(own_b + n - events)
        survival = np.empty_like(total)
        survival[0] = special.betainc(own_b + n, own_a, np.exp(log_rest))
        added = np.exp(
            (own_a + events)[:, None] * log_rate
            + (own_b + n - events - 1)[:, None] * log_rest
            + scale[:, None]
        )
        survival[1:] = survival[0] + np.cumsum(added, axis=0)
        total += after[:, part, None] * survival
    return total


def mixture_quantile(probabilities, weights, a, b) -> np.ndarray:
    """Quantiles of mixtures: safeguarded Halley steps from the beta of equal mean and variance."""
    weights, a, b = np.broadcast_arrays(weights, a, b)
    shape = np.broadcast_shapes(np.shape(probabilities), weights.shape[:-1])
    wanted = np.broadcast_to(probabilities, shape).ravel()
    parts = weights.shape[-1]
    weights, a, b = (
        np.broadcast_to(value, (*shape, parts)).reshape(-1, parts) for value in (weights, a, b)
    )
    if parts == 1:
        return special.betaincinv(a[:, 0], b[:, 0], wanted).reshape(shape)
    lower, upper = np.zeros(wanted.size), np.ones(wanted.size)
    x = _moment_quantile(wanted, weights, a, b)
    x[wanted <= 0], x[wanted >= 1] = 0.0, 1.0
    scale = np.log(np.maximum(weights, 1e-300)) - special.betaln(a, b)
    before = np.full(wanted.size, np.inf)
    todo = np.flatnonzero((wanted > 0) & (wanted < 1))
    for _ in range(200):
        if not todo.size:
            break
        here = x[todo]
        excess = mixture_below(here, weights[todo], a[todo], b[todo]) - wanted[todo]
        lower[todo] = np.where(excess < 0, here, lower[todo])
        upper[todo] = np.where(excess < 0, upper[todo], here)
        step = here - _halley_step(here, excess, scale[todo], a[todo], b[todo])
        inside = (step >= lower[todo]) & (step <= upper[todo])
        # Far out in a tail the steps crawl; halving the bracket does not.
        inside &= np.abs(excess) <= before[todo] / 2
        before[todo] = np.abs(excess)
        x[todo] = np.where(inside, step, (lower[todo] + upper[todo]) / 2)
        # Each step cubes the relative error, so one from nearby is the last.
        near = np.abs(excess) < 1e-3 * np.minimum(wanted[todo], 1 - wanted[todo])
        stuck = upper[todo] - lower[todo] < 1e-15
        todo = todo[~(near & inside) & ~stuck]
    return x.reshape(shape)


def _halley_step(x, excess, scale, a, b) -> np.ndarray:
    x = x[:, None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore", under="ignore"):
        parts = np.exp(scale + (a - 1) * np.log(x) + (b - 1) * np.log1p(-x))
        density = parts.sum(axis=1)
        slope = np.sum(parts * ((a - 1) / x - (b - 1) / (1 - x)), axis=1)
        newton = excess / density
        return newton / np.maximum(1 - newton * slope / (2 * density), 0.5)


def _moment_quantile(wanted, weights, a, b) -> np.ndarray:
    size = a + b
    mean = np.sum(weights * a / size, axis=-1)
    square = np.sum(weights * a * (a + 1) / (size * (size + 1)), axis=-1)
    joint = np.maximum(mean * (1 - mean) / np.maximum(square - mean**2, 1e-300) - 1, 1e-3)
    return np.clip(special.betaincinv(mean * joint, (1 - mean) * joint, wanted), 1e-12, 1 - 1e-12)


def gauss_jacobi(points: int, a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Gauss quadrature for beta(a, b): rates and weights, exact to degree 2 · points − 1.

    The rates are eigenvalues of the Jacobi matrix (Golub and Welsch 1969,
    doi:10.1090/S0025-5718-69-99647-1). A weight is one over the sum of squares of the orthonormal
    polynomials there: their recurrence takes a fraction of the time of eigenvectors, and no gamma
    function overflows for large shapes.
    """
    p, q = b - 1.0, a - 1.0
    k = np.arange(points, dtype=float)
    total = 2 * k + p + q
    with np.errstate(divide="ignore", invalid="ignore"):
        diagonal = (q * q - p * p) / (total * (total + 2))
    diagonal[0] = (q - p) / (p + q + 2)
    k, total = k[1:], total[1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = 4 * k * (k + p) * (k + q) * (k + p + q) / (total**2 * (total + 1) * (total - 1))
    if points > 1:
        squares[0] = 4 * (1 + p) * (1 + q) / ((2 + p + q) ** 2 * (3 + p + q))
    beside = np.sqrt(squares)
    nodes = eigvalsh_tridiagonal(diagonal, beside)
    weights = 1 / _sum_of_squares(nodes, diagonal, beside)
    return np.clip((nodes + 1) / 2, 0, 1), weights / weights.sum()


def _sum_of_squares(x: np.ndarray, diagonal: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Sum of the squared orthonormal polynomials of a Jacobi matrix at points; shape of ``x``."""
    before, now, total = np.zeros_like(x), np.ones_like(x), np.ones_like(x)
    with np.errstate(over="ignore", invalid="ignore"):
        for k, step in enumerate(beside):
            back = beside[k - 1] * before if k else 0.0
            before, now = now, ((x - diagonal[k]) * now - back) / step
            total += now**2
    return np.where(np.isnan(total), np.inf, total)  # beyond the range of numbers: no weight
