"""Weighted statistics and their Monte-Carlo errors, against closed forms and repetition."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from mscpool.analysis.sensitivity.weighted_statistics import (
    Sample,
    batch_error,
    overlap,
    probability_above,
    rate_densities,
    summarise,
)

from ...builders import ROUNDING

DRAWS, CHAINS = 4000, 4


def _even(count=DRAWS):
    return np.full(count, 1 / count)


def test_error_of_independent_draws_is_the_textbook_one():
    values = np.random.default_rng(1).normal(3, 2, (DRAWS, 40))
    # 80 batches: the error of one error is 8 %, of the mean of 40 about 1 %.
    assert batch_error(values, CHAINS).mean() == pytest.approx(2 / np.sqrt(DRAWS), rel=0.05)


def test_error_of_dependent_draws_takes_their_dependence_into_account():
    """An autoregression of 0.5 triples the variance of a mean."""
    rng = np.random.default_rng(2)
    values = rng.normal(size=(DRAWS, 40))
    for i in range(1, DRAWS):
        values[i] = 0.5 * values[i - 1] + np.sqrt(0.75) * values[i]
    expected = np.sqrt(3 / DRAWS)
    # Batches of fifty draws miss a few per cent of the dependence.
    assert batch_error(values, CHAINS).mean() == pytest.approx(expected, rel=0.08)


@pytest.fixture(scope="module")
def repeated():
    """Statistics of N(0.4, 1) from draws of N(0, 1.5), sixty times over."""
    found = []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(0, 1.5, DRAWS)
        weights = stats.norm.pdf(x, 0.4, 1) / stats.norm.pdf(x, 0, 1.5)
        found.append(summarise(Sample(x[:, None], CHAINS), weights / weights.sum()))
    return found


@pytest.mark.parametrize("place", range(5), ids=["mean", "sd", "q2.5", "q50", "q97.5"])
def test_weighted_statistics_find_the_other_distribution_within_their_stated_error(repeated, place):
    truth = [0.4, 1.0, *stats.norm.ppf([0.025, 0.5, 0.975], 0.4, 1)][place]
    score = np.array([(s.values[0, place] - truth) / s.errors[0, place] for s in repeated])
    # Sixty standard scores: their mean has an error of 0.13, their spread one of 0.09.
    assert abs(score.mean()) < 0.5
    assert 0.75 < score.std() < 1.3


def test_equal_weights_give_the_quantiles_that_fits_state():
    x = np.random.default_rng(3).exponential(size=(DRAWS, 1))
    found = summarise(Sample(x, CHAINS), _even()).values[0, 2:]
    np.testing.assert_allclose(found, np.quantile(x, [0.025, 0.5, 0.975]), rtol=1e-12)


def test_probability_of_exceeding_is_weighted():
    x = np.random.default_rng(3).normal(0, 1.5, (DRAWS, 1))
    weights = (stats.norm.pdf(x, 0.4, 1) / stats.norm.pdf(x, 0, 1.5))[:, 0]
    found, error = probability_above(Sample(x, CHAINS), weights / weights.sum(), 1.0)
    assert abs(found[0] - stats.norm.sf(1, 0.4, 1)) < 4 * error[0]


def test_a_probability_that_all_draws_agree_on_is_not_without_error():
    x = np.random.default_rng(3).normal(0, 1, (DRAWS, 1))
    found, error = probability_above(Sample(x, CHAINS), _even(), -9.0)
    assert found[0] == pytest.approx(1)
    # Half a draw of four thousand.
    assert error[0] == pytest.approx(1 / (DRAWS * np.sqrt(2)), rel=1e-3)


def test_overlap_of_two_normals_is_the_closed_form():
    """Two normals of one SD at distance d share 2 Phi(-d / 2) of their mass."""
    rng = np.random.default_rng(4)
    one, other = (
        rate_densities(Sample(expit(rng.normal(mean, 1, (DRAWS, 1))), CHAINS), _even())
        for mean in (0.0, 1.0)
    )
    found, error = overlap(one, other)
    # Smoothing widens both densities by a few per cent.
    assert found[0] == pytest.approx(2 * stats.norm.cdf(-0.5), abs=0.03)
    assert 0 < error[0] < 0.03


def test_a_distribution_overlaps_with_itself_wholly():
    draws = Sample(np.random.default_rng(5).beta(2, 8, (DRAWS, 2)), CHAINS)
    density = rate_densities(draws, _even())
    found, error = overlap(density, density)
    assert found == pytest.approx([1, 1], abs=ROUNDING)
    assert error == pytest.approx([0, 0], abs=ROUNDING)
