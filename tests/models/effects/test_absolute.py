"""Rates, differences and ratios from an effect and a control rate: by draws, in closed form."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import norm

from mscpool.models.effects.absolute import (
    RATE_STATISTICS,
    Needed,
    absolute_effects,
    difference_statistics,
    number_needed,
)
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import normal_likelihoods

from .trials import priors


def level(mean, sd):
    """A posterior of one level, normal with this mean and about this SD."""
    likelihoods = normal_likelihoods([mean], [sd], ["d"])
    wide = priors(mu=200.0, sigma=1e-3)
    return ExactHierarchy(likelihoods).posterior(wide).distribution("theta", "d")


@pytest.fixture(scope="module")
def effect():
    return level(0.8, 0.6)


@pytest.fixture(scope="module")
def control():
    return level(-0.9, 0.5)


def test_at_a_given_control_rate_quantiles_follow_those_of_the_effect(effect):
    found = absolute_effects(effect, 0.3)
    treated = expit(logit(0.3) + norm.ppf([0.025, 0.5, 0.975], 0.8, 0.6))
    assert found["control_rate"].tolist() == [0.3] * 4
    assert found["treated_rate"][1:] == pytest.approx(treated, abs=2e-4)
    assert found["risk_difference"][1:] == pytest.approx(treated - 0.3, abs=2e-4)
    assert found["risk_ratio"][1:] == pytest.approx(treated / 0.3, abs=1e-3)
    points = np.linspace(-5, 6, 4001)
    mean = np.average(expit(logit(0.3) + points), weights=norm.pdf(points, 0.8, 0.6))
    assert found["treated_rate"][0] == pytest.approx(mean, abs=1e-4)


def test_a_hazard_ratio_acts_on_the_hazard(effect):
    found = absolute_effects(effect, 0.2, "cloglog")
    ratios = np.exp(norm.ppf([0.025, 0.5, 0.975], 0.8, 0.6))
    assert found["treated_rate"][1:] == pytest.approx(1 - 0.8**ratios, abs=2e-4)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_a_control_rate_with_a_distribution_is_averaged_over(effect, control, link):
    rng = np.random.default_rng(1)
    delta, base = rng.normal(0.8, 0.6, 400_000), rng.normal(-0.9, 0.5, 400_000)
    inverse = expit if link == "logit" else lambda x: -np.expm1(-np.exp(x))
    rates, treated = inverse(base), inverse(base + delta)
    drawn = {
        "control_rate": rates,
        "treated_rate": treated,
        "risk_difference": treated - rates,
        "risk_ratio": treated / rates,
    }
    found = absolute_effects(effect, control, link)
    for name, values in drawn.items():
        wanted = [values.mean(), *np.quantile(values, [0.025, 0.5, 0.975])]
        # Four Monte-Carlo errors of the extreme quantiles of 400,000 draws.
        assert found[name] == pytest.approx(wanted, abs=0.008 * max(1, np.std(values) / 0.2)), name
    assert len(RATE_STATISTICS) == 4


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, 1.5])
def test_a_control_rate_outside_0_to_1_is_refused(effect, rate):
    with pytest.raises(ValueError, match="control rate must lie between 0 and 1, not"):
        absolute_effects(effect, rate)


@pytest.mark.parametrize(
    ("low", "high", "benefit_is_more", "needed"),
    [
        (0.1, 0.5, True, Needed((2.0, 10.0), None)),
        (0.1, 0.5, False, Needed(None, (2.0, 10.0))),
        (-0.25, -0.05, False, Needed((4.0, 20.0), None)),
        (-0.25, -0.05, True, Needed(None, (4.0, 20.0))),
        (-0.1, 0.3, True, Needed()),
        (0.0, 0.3, True, Needed()),
    ],
)
def test_numbers_needed_follow_the_limits_of_the_difference(low, high, benefit_is_more, needed):
    assert number_needed(low, high, benefit_is_more) == needed


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_difference_of_two_levels_is_normal_where_both_are(effect, control, bias):
    found, above = difference_statistics(effect, control, bias)
    mean, sd = 1.7, np.sqrt(0.6**2 + 0.5**2 + bias**2)
    assert found[:2] == pytest.approx([mean, sd], abs=1e-3)
    assert found[2:] == pytest.approx(norm.ppf([0.025, 0.5, 0.975], mean, sd), abs=4e-3)
    assert above == pytest.approx(norm.cdf(mean / sd), abs=1e-3)
