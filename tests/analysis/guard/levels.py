"""Studies, and draws of their levels, that tests of the guard are made of."""

import numpy as np
from scipy import stats
from scipy.special import expit, logsumexp

import mscpool as mp
from mscpool.analysis.fitting.predict import Levels, integrated_log_likelihood
from mscpool.analysis.guard.left_out import leave_out
from mscpool.models.terms import build_terms

from ...builders import rows_of, terms_of

DISEASES = ("one", "two")


NAMES = ("improvement", "remission", "death")


def nested_terms():
    rows = [
        ("a", "one", "msc", "improvement", 6, 6, 12, 6.0),
        ("a", "one", "msc", "remission", 2, 2, 12, 6.0),
        ("a", "one", "msc", "death", 0, 0, 12, 60.0),
        ("b", "one", "msc_low", "improvement", 3, 7, 10, 6.0),
        ("b", "one", "msc_high", "improvement", 5, 5, 9, 6.0),
        ("b", "one", "msc_low", "remission", 1, 2, 10, 6.0),
        ("c", "two", "msc", "remission", 4, 4, 8, 6.0),
        ("d", "two", "msc", "improvement", 7, 7, 8, 6.0),
        ("d", "two", "msc", "death", 1, 1, 8, 3.0),
    ]
    return build_terms(rows_of(rows), NAMES, DISEASES)


def some_levels(terms, draws=100, seed=1):
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 0.7, (draws, len(terms.names), len(terms.diseases)))
    sigma = rng.uniform(0.1, 0.6, (draws, len(terms.names)))
    return levels(theta, sigma)


def levels(theta, sigma):
    return Levels.of_diseases(sigma, theta)


def leave(terms, drawn, log_likelihood, refit=None):
    rng = np.random.default_rng(6)
    return leave_out(terms, drawn, log_likelihood, "complete", mp.named_set("default"), rng, refit)


def averaged(function, theta, sigma, points=80):
    """Average a function of a study's level over its effect, by a fine quadrature of its own."""
    nodes, weights = np.polynomial.hermite.hermgauss(points)
    return function(theta + sigma * np.sqrt(2) * nodes) @ weights / np.sqrt(np.pi)


def one_disease(counts, n):
    rows = [
        (f"s{i}", "one", "msc", "improvement", y, y, m, 6.0)
        for i, (y, m) in enumerate(zip(counts, n, strict=True))
    ]
    return terms_of(rows, ("one",))


def grid_posterior(terms, sigma, draws=4000):
    """Draws of one disease's level, N(0, 1.5) before, by inverting its tabulated distribution."""
    grid, rows = np.linspace(-6, 6, 1201), terms.rows
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    rate = expit(grid[:, None] + sigma * nodes)
    logs = stats.norm.logpdf(grid, 0, 1.5)
    for y, n in zip(rows["events_min"], rows["n"], strict=True):
        logs += np.log(stats.binom.pmf(y, n, rate) @ weights)
    mass = np.exp(logs - logsumexp(logs))
    theta = np.interp((np.arange(draws) + 0.5) / draws, mass.cumsum(), grid)
    theta = np.random.default_rng(1).permutation(theta)
    return levels(theta[:, None, None], np.full((draws, 1), sigma))


def integrated(terms, levels):
    return integrated_log_likelihood(levels, terms)
