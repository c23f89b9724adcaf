"""Beliefs about rates become priors that say the same."""

import math

import pytest
from scipy import stats
from scipy.special import logit

from mscpool.models.priors.elicit import elicit, elicit_mu, elicit_tau
from mscpool.models.priors.sets import DEFAULT


def test_an_interval_of_a_rate_becomes_the_normal_with_that_central_probability():
    """Closed form: of all normals with 90 % between two ends the centred one is the widest."""
    prior = dict(elicit_mu(0.2, 0.6).parameters)
    ends = logit([0.2, 0.6])
    # PreliZ optimises to about four digits.
    assert prior["mu"] == pytest.approx(ends.mean(), abs=2e-3)
    assert prior["sigma"] == pytest.approx((ends[1] - ends[0]) / 2 / stats.norm.ppf(0.95), rel=2e-3)


def test_elicited_mu_puts_the_wanted_probability_between_the_ends():
    prior = elicit_mu(0.05, 0.3, probability=0.8)
    below = prior.cdf(logit([0.05, 0.3]))
    assert below[1] - below[0] == pytest.approx(0.8, abs=2e-3)


def test_death_is_elicited_on_the_log_hazard():
    prior = elicit_mu(0.01, 0.1, outcome_name="death")
    ends = [math.log(-math.log1p(-risk)) for risk in (0.01, 0.1)]
    assert prior.cdf(ends[1]) - prior.cdf(ends[0]) == pytest.approx(0.9, abs=2e-3)


def test_a_factor_of_odds_becomes_the_half_normal_that_stays_below_it():
    """95 % of normal levels lie within 1.96 tau: odds within a factor of three say tau <= 0.56."""
    prior = elicit_tau(3)
    assert prior.dist == "HalfNormal"
    largest = math.log(3) / stats.norm.ppf(0.975)
    assert prior.cdf(largest) == pytest.approx(0.9, abs=2e-3)


def test_a_set_says_in_words_what_it_was_made_of():
    made = elicit(0.2, 0.6, factor=3)
    assert "between 0.2 and 0.6" in made.sentence
    assert "odds of 95 % of diseases lie within a factor of 3" in made.sentence
    assert made.of("improvement").sigma == DEFAULT.of("improvement").sigma


def test_a_belief_of_one_outcome_leaves_the_others_alone():
    made = elicit(0.2, 0.6, outcome_name="improvement")
    assert made.of("improvement").mu != DEFAULT.of("improvement").mu
    assert made.of("any_ae") == DEFAULT.of("any_ae")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "nothing to elicit from"),
        ({"lower": 0.2}, "both its ends"),
        ({"lower": 0.6, "upper": 0.2}, "0 < lower < upper < 1, not 0.6 to 0.2"),
        ({"lower": 0.0, "upper": 0.2}, "0 < lower < upper < 1, not 0 to 0.2"),
        ({"lower": 0.1, "upper": 0.2, "probability": 1.0}, "strictly between 0 and 1, not 1"),
        ({"factor": 1.0}, "factor must be above 1, not 1"),
        ({"factor": math.nan}, "factor must be above 1"),
    ],
)
def test_an_impossible_belief_is_refused_in_one_line(arguments, said):
    with pytest.raises(ValueError, match=said) as refused:
        elicit(**arguments)
    assert "\n" not in str(refused.value)
