"""An effect joined with a control rate, against an average over a grid of both."""

import numpy as np
import pytest
from scipy import special, stats

from mscpool.analysis.trial.design import two_arm
from mscpool.models.rates.prior import sampled_rate

from ...builders import gauss


def wins(sizes, margin=0.0, level=0.95, direction="above"):
    """Pairs of counts that are a success under flat priors, by Gauss-Legendre."""
    control, weights = gauss(1200)
    y, z = np.arange(sizes[0] + 1), np.arange(sizes[1] + 1)
    above = stats.beta.sf(control + margin, 1 + y[:, None], 1 + sizes[0] - y[:, None])
    density = stats.beta.pdf(control, 1 + z[:, None], 1 + sizes[1] - z[:, None])
    chance = above @ (density * weights).T
    return (chance if direction == "above" else 1 - chance) > level


def averaged(success, control, effect, treated):
    """Average over both densities, by Gauss-Legendre between their outermost quantiles."""
    n, m = success.shape[0] - 1, success.shape[1] - 1
    rates, shares = points(control, 80)
    deltas, masses = points(effect, 600)
    total = 0.0
    for rate, share in zip(rates, shares, strict=True):
        y = masses @ stats.binom.pmf(np.arange(n + 1), n, treated(rate, deltas)[:, None])
        total += share * (y @ success @ stats.binom.pmf(np.arange(m + 1), m, rate))
    return total


def points(own, number):
    shares, weights = gauss(number)
    low, high = own.ppf([1e-7, 1 - 1e-7])
    x = low + shares * (high - low)
    return x, own.pdf(x) * weights * (high - low)


def by_odds(rate, delta):
    return special.expit(special.logit(rate) + delta)


def by_hazard(rate, delta):
    return 1 - (1 - rate) ** np.exp(delta)


@pytest.mark.parametrize("sizes", [(20, 10)])
@pytest.mark.parametrize(
    ("text", "effect", "discount"),
    [
        ("normal(0.9,0.5)", stats.norm(0.9, 0.5), 0.0),
        ("normal(0.9,0.5)", stats.norm(0.6, 0.5), 0.3),
        ("t(4,0.6,0.4)", stats.t(4, 0.6, 0.4), 0.0),
    ],
)
def test_assurance_is_the_average_over_control_rate_and_effect(sizes, text, effect, discount):
    answer = two_arm(
        effect_prior=text, design_prior_control="beta(6,9)", discount=discount,
        n_experimental=sizes[0], n_control=sizes[1],
    ).to_dict()  # fmt: skip
    wanted = averaged(wins(sizes), stats.beta(6, 9), effect, by_odds)
    assert answer["table"][0]["assurance"] == pytest.approx(wanted, abs=1e-6)
    assert answer["highest_attainable_assurance"] == pytest.approx(effect.sf(0), abs=1e-9)
    assert answer["request"]["effect_prior"].startswith(text[:6])
    assert answer["request"]["design_prior_experimental"] is None


def test_an_effect_on_deaths_is_one_on_the_hazard():
    answer = two_arm(
        effect_prior="normal(-0.8,0.4)", design_prior_control="beta(8,12)", months=24,
        direction="below", n_experimental=20, n_control=15,
    )  # fmt: skip
    success = wins((20, 15), direction="below")
    wanted = averaged(success, stats.beta(8, 12), stats.norm(-0.8, 0.4), by_hazard)
    assert answer.to_dict()["table"][0]["assurance"] == pytest.approx(wanted, abs=1e-6)
    assert "log hazard ratio" in answer.paragraph
    odds = two_arm(
        effect_prior="normal(-0.8,0.4)", design_prior_control="beta(8,12)", direction="below",
        n_experimental=20, n_control=15,
    ).to_dict()  # fmt: skip
    assert abs(odds["table"][0]["assurance"] - wanted) > 0.02


def test_a_certain_effect_on_a_certain_control_rate_makes_assurance_power():
    odds = special.expit(special.logit(0.3) + 0.9)
    row = two_arm(
        effect_prior=0.9, design_prior_control="0.3", control_rate=0.3, effect=odds - 0.3,
        n_experimental=24, n_control=12,
    ).to_dict()["table"][0]  # fmt: skip
    assert row["assurance"] == pytest.approx(row["power"], abs=1e-9)


def test_an_attainable_assurance_below_the_wanted_one_is_said_to_be_so():
    result = two_arm(
        effect_prior="normal(0,1)", design_prior_control="beta(4,16)", allocation=2, n_max=60
    )
    answer = result.to_dict()
    assert answer["recommended_n"] is None
    assert answer["highest_attainable_assurance"] == pytest.approx(0.5, abs=1e-9)
    assert "below the wanted 0.8: no number of patients, however large" in result.paragraph
    assert answer["table"][-1]["n_experimental"] == 2 * answer["table"][-1]["n_control"]
    # A discount for optimism takes from the effect.
    assert [row["recommended_n"] for row in answer["discounts"]] == [None] * 5
    strong = two_arm(effect_prior=2.0, design_prior_control="0.3", n_max=60).to_dict()
    sizes = [row["recommended_n"] for row in strong["discounts"] if row["recommended_n"]]
    assert sizes == sorted(sizes)
    assert len(sizes) > 1


def test_a_drawn_control_rate_brings_its_error():
    draws = np.random.default_rng(4).beta(6, 9, (16, 200))
    plan = {"effect_prior": "normal(0.9,0.5)", "n_experimental": 20, "n_control": 10}
    found = [two_arm(design_prior_control=sampled_rate(own), **plan).to_dict() for own in draws]
    spread = np.std([each["table"][0]["assurance"] for each in found], ddof=1)
    stated = np.mean([each["assurance_mcse"] for each in found])
    # The spread of sixteen is itself known to a sixth.
    assert stated == pytest.approx(spread, rel=0.5)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "moves a control rate: give design_prior_control"),
        ({"design_prior": "beta(1,1)"}, "leave out design_prior"),
        ({"design_prior_control": "0.3", "design_prior_experimental": "0.4"}, "leave out design"),
        ({"design_prior_control": "0.3", "months": 0}, "months 0: give the length"),
        ({"design_prior_control": "0.3", "effect_prior": "often"}, "effect prior 'often': not"),
    ],
)
def test_an_effect_without_its_control_rate_is_refused(asked, said):
    with pytest.raises(ValueError, match=said):
        two_arm(**{"effect_prior": "normal(0,1)", "n_max": 20, **asked})


def test_months_are_of_an_effect():
    with pytest.raises(ValueError, match="months are of an effect on deaths"):
        two_arm(design_prior="beta(1,1)", months=6)
