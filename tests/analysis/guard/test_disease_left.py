import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

import mscpool as mp
from mscpool.analysis.fitting.predict import Levels
from mscpool.analysis.guard.disease_left import level_prior, without_unit_in_disease
from mscpool.models.priors.files import prior_set

from ...builders import terms_of

MU, TAU, SIGMA = -0.4, 0.8, 0.35
DEFAULT = mp.named_set("default")
COUNTS = [("a", "one", 9, 12), ("b", "two", 3, 15), ("c", "two", 2, 20), ("d", "two", 9, 11)]
ROWS = [(s, d, "msc", "improvement", y, y, n, 6.0) for s, d, y, n in COUNTS]
TERMS = terms_of(ROWS, ("one", "two"))


def fixed_levels(draws=50):
    """Draws that differ in the diseases' levels only, from near the data."""
    rng = np.random.default_rng(1)
    theta = np.stack([rng.normal(0.6, 0.5, draws), rng.normal(-1, 0.4, draws)], axis=1)
    one = np.ones((draws, 1))
    return Levels.of_diseases(SIGMA * one, theta[:, None, :], MU * one, TAU * one)


NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(60)


def probability(y, n, theta):
    rate = expit(theta + SIGMA * NODES)
    return np.exp(stats.binom.logpmf(y, n, rate)) @ WEIGHTS / WEIGHTS.sum()


def exact(counts, left_out, density):
    """Log probability of a study given the disease's others, by adaptive quadrature."""
    disease = counts[left_out][1]
    others = [c for i, c in enumerate(counts) if c[1] == disease and i != left_out]

    def joint(theta, which):
        return density(theta) * np.prod([probability(y, n, theta) for *_, y, n in which])

    both = integrate.quad(lambda t: joint(t, [*others, counts[left_out]]), -9, 7, limit=80)[0]
    return np.log(both / integrate.quad(lambda t: joint(t, others), -9, 7, limit=80)[0])


@pytest.mark.parametrize("left_out", [0, 3])
@pytest.mark.parametrize("pooling", ["partial", "robust", "none"])
def test_probability_of_a_study_given_its_disease_agrees_with_quadrature(left_out, pooling):
    density = {
        "partial": lambda t: stats.norm.pdf(t, MU, TAU),
        "robust": lambda t: stats.t.pdf(t, 4, MU, TAU),
        "none": lambda t: stats.norm.pdf(t, 0, 1.5),
    }[pooling]
    found = without_unit_in_disease(
        TERMS, fixed_levels(), left_out, pooling, DEFAULT, np.random.default_rng(2)
    )
    wanted = exact(COUNTS, left_out, density)
    # Each draw tries two dozen stratified levels; their average is what is used.
    assert np.log(np.exp(found.log_predictive).mean()) == pytest.approx(wanted, abs=0.05)


def test_levels_drawn_without_a_diseases_only_study_are_the_priors():
    levels = fixed_levels(500)
    found = without_unit_in_disease(TERMS, levels, 0, "partial", DEFAULT, np.random.default_rng(2))
    even = np.full(500, -np.log(500))
    weights, theta = found.weights(even), found.levels.theta
    assert weights.sum() == pytest.approx(1)
    # Each of 500 draws tries two dozen levels, stratified: the error is below 0.01.
    mean = weights @ theta[:, 0, 0]
    assert mean == pytest.approx(MU, abs=0.04)
    assert np.sqrt(weights @ (theta[:, 0, 0] - mean) ** 2) == pytest.approx(TAU, abs=0.04)
    np.testing.assert_array_equal(theta[::24, 0, 1], levels.theta[:, 0, 1])


@pytest.mark.parametrize("pooling", ["partial", "robust", "exnex", "none"])
def test_quantiles_and_density_of_a_level_belong_together(pooling):
    priors = prior_set("[exnex]\nw = 0.3\nmean = 2.0\nsd = 0.6\n")
    prior = level_prior(fixed_levels(1), TERMS, pooling, priors, 0)
    grid = np.linspace(-40, 40, 160_001)
    mass = np.exp(prior.log_density(grid[None, :]))[0]
    cumulative = integrate.cumulative_trapezoid(mass, grid, initial=0)
    assert cumulative[-1] == pytest.approx(1, abs=1e-4)
    u = (np.arange(40_000) + 0.5) / 40_000
    drawn = prior.quantile(u[None, :])[0]
    # Exnex draws which part a level belongs to, so that its quantiles are not in order.
    share = (drawn[:, None] <= np.array([-2.0, -0.5, 0.3, 1.5, 2.5])).mean(axis=0)
    wanted = np.interp([-2.0, -0.5, 0.3, 1.5, 2.5], grid, cumulative)
    np.testing.assert_allclose(share, wanted, atol=1e-3)


@pytest.mark.parametrize("pooling", ["complete"])
def test_diseases_that_share_a_level_have_none_of_their_own(pooling):
    given = (TERMS, fixed_levels(), 0, pooling, DEFAULT, np.random.default_rng(2))
    assert without_unit_in_disease(*given) is None
