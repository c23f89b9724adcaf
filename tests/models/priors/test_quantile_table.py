"""Tabulated quantile functions against the distributions that they stand for."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from mscpool.models.priors.prior import Prior
from mscpool.models.priors.quantile_table import (
    HIGHEST,
    LARGEST_DEVIATION,
    LEAST_DEVIATION,
    LOWEST,
    quantile_table,
)
from mscpool.models.sampled.operations import quantile_op


def read(prior, scores, positive):
    """Values and slopes of the table at scores."""
    storage = [[None], [None]]
    scores = np.atleast_1d(scores).astype(float)
    tables = np.repeat(quantile_table(prior, positive)[None], len(scores), axis=0)
    quantile_op.perform(None, [tables, scores], storage)
    return storage[0][0], storage[1][0]


LEVELS = {
    "Normal": (Prior.make("Normal", mu=-1.5, sigma=1.5), stats.norm(-1.5, 1.5)),
    "StudentT": (Prior.make("StudentT", nu=4, mu=1, sigma=2), stats.t(4, 1, 2)),
    "Logistic": (Prior.make("Logistic", mu=0.5, s=0.7), stats.logistic(0.5, 0.7)),
    "Uniform": (Prior.make("Uniform", lower=-5, upper=3), stats.uniform(-5, 8)),
}
DEVIATIONS = {
    "HalfNormal": (Prior.make("HalfNormal", sigma=0.5), stats.halfnorm(0, 0.5)),
    "HalfCauchy": (Prior.make("HalfCauchy", beta=0.4), stats.halfcauchy(0, 0.4)),
    "HalfStudentT": (Prior.make("HalfStudentT", nu=3, sigma=1), stats.foldnorm(0)),
    "Exponential": (Prior.make("Exponential", lam=2), stats.expon(0, 0.5)),
    "LogNormal": (Prior.make("LogNormal", mu=-1, sigma=1.2), stats.lognorm(1.2, 0, np.exp(-1))),
    "Uniform": (Prior.make("Uniform", lower=0, upper=2), stats.uniform(0, 2)),
    "Gamma": (Prior.make("Gamma", alpha=2, beta=3), stats.gamma(2, 0, 1 / 3)),
    "InverseGamma": (Prior.make("InverseGamma", alpha=2, beta=1), stats.invgamma(2)),
}


@pytest.mark.parametrize("family", LEVELS)
def test_level_is_read_at_the_probability_of_its_score(family):
    prior, distribution = LEVELS[family]
    scores = np.random.default_rng(1).uniform(-7.9, 7.9, 400)
    value, _ = read(prior, scores, positive=False)
    expected = np.where(scores < 0, distribution.ppf(ndtr(scores)), distribution.isf(ndtr(-scores)))
    # Between nodes 1/32 apart a cubic is off by slope'''' / 384 / 32**4, below 1e-6 of the level.
    np.testing.assert_allclose(value, expected, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("family", [f for f in DEVIATIONS if f != "HalfStudentT"])
def test_deviation_is_read_at_the_probability_of_its_score(family):
    prior, distribution = DEVIATIONS[family]
    # SciPy's half normal cancels below a score of -6: both tails are tested where it is exact.
    scores = np.random.default_rng(1).uniform(-5, 7.5, 400)
    value, _ = read(prior, scores, positive=True)
    expected = np.where(scores < 0, distribution.ppf(ndtr(scores)), distribution.isf(ndtr(-scores)))
    inside = expected < LARGEST_DEVIATION / 10
    np.testing.assert_allclose(np.exp(value[inside]), expected[inside], rtol=1e-6)


@pytest.mark.parametrize(("dist", "parameters"), [("HalfNormal", {}), ("HalfStudentT", {"nu": 3})])
def test_half_distribution_is_linear_in_probability_near_zero(dist, parameters):
    prior = Prior.make(dist, sigma=0.7, **parameters)
    # Lower still, below 1e-12, the table is held.
    at_zero = np.exp(prior.logpdf(0.0))
    scores = np.linspace(-6.9, -5.5, 41)
    value, _ = read(prior, scores, positive=True)
    np.testing.assert_allclose(np.exp(value), ndtr(scores) / at_zero, rtol=1e-5)


def test_vague_inverse_gamma_on_the_variance_is_read_where_deviations_are_finite():
    prior = Prior.make("InverseGamma", on="variance", alpha=0.001, beta=0.001)
    precision = stats.gamma(0.001, 0, 1000)
    deviation = np.geomspace(0.01, 1e4, 60)
    scores = stats.norm.ppf(precision.sf(deviation**-2.0))
    value, _ = read(prior, scores, positive=True)
    # A score carries half a thousandth of a unit of log deviation here: 2e-4 of a deviation.
    np.testing.assert_allclose(np.exp(value), deviation, rtol=2e-4)
    assert read(prior, [8.0], positive=True)[0][0] == pytest.approx(np.log(LARGEST_DEVIATION))


def test_fixed_parameters_do_not_move():
    for prior, positive, expected in (
        (Prior.make("DiracDelta", c=-2), False, -2),
        (Prior.make("DiracDelta", c=0.3), True, np.log(0.3)),
        (Prior.make("DiracDelta", on="variance", c=4), True, np.log(2)),
        (Prior.make("DiracDelta", c=0), True, np.log(LEAST_DEVIATION)),
    ):
        value, slope = read(prior, [-9, -1.3, 0, 2, 9], positive)
        np.testing.assert_allclose(value, expected, rtol=1e-14)
        assert (slope == 0).all()


@pytest.mark.parametrize("positive", [False, True])
def test_slope_is_that_of_the_value(positive):
    scores = np.linspace(-8.4, 8.4, 200)
    for prior, _ in (DEVIATIONS if positive else LEVELS).values():
        value, slope = read(prior, scores, positive)
        up, down = (read(prior, scores + step, positive)[0] for step in (1e-6, -1e-6))
        # The largest value, near 1e3, is rounded at 1e-13 and divided by 2e-6.
        np.testing.assert_allclose(slope, (up - down) / 2e-6, rtol=1e-5, atol=1e-5)
        assert np.isfinite(value).all()
        assert (slope >= 0).all()


def test_straight_beyond_the_outermost_nodes():
    prior = LEVELS["Normal"][0]
    value, slope = read(prior, [HIGHEST, HIGHEST + 3, LOWEST, LOWEST - 3], positive=False)
    np.testing.assert_allclose(slope, 1.5, rtol=1e-6)
    np.testing.assert_allclose(value, [10.5, 15.0, -13.5, -18.0], rtol=1e-6)
