"""What is believed of an effect: read from text, averaged and moved, against SciPy."""

import numpy as np
import pytest
from scipy import special, stats

from mscpool.models.effects.belief import as_effect, known_effect, parse_effect

FAMILIES = {
    "normal(0.5,0.3)": stats.norm(0.5, 0.3),
    "normal(-1, 2)": stats.norm(-1, 2),
    "t(3,0.5,0.3)": stats.t(3, 0.5, 0.3),
    " T( 8 , -.5, 1e-1)": stats.t(8, -0.5, 0.1),
}


@pytest.mark.parametrize(("text", "own"), FAMILIES.items(), ids=FAMILIES)
def test_a_text_is_its_distribution(text, own):
    effect = parse_effect(text)
    values, weights = effect.nodes
    for function in (special.expit, np.tanh, lambda x: 1 / (1 + x**2)):
        assert weights @ function(values) == pytest.approx(own.expect(function), abs=2e-6)
    x = np.linspace(-3, 3, 13)
    assert effect.above(x) == pytest.approx(own.sf(x), abs=1e-12)
    moved = effect.shifted(-0.4)
    assert moved.above(x) == pytest.approx(own.sf(x + 0.4), abs=1e-12)
    assert moved.nodes[0] == pytest.approx(values - 0.4)


def test_quantiles_are_read_as_the_distribution_that_they_are_of():
    own = stats.gumbel_r(0.3, 0.5)
    p = np.concatenate([[1e-9, 1e-6, 1e-4], np.linspace(0.001, 0.999, 400), [0.9999, 1 - 1e-6]])
    effect = known_effect(p, own.ppf(p), "gumbel")
    x = np.linspace(-1, 3, 17)
    # Between the quantiles of 0.999 and 0.9999 it is interpolated.
    assert effect.above(x) == pytest.approx(own.sf(x), abs=5e-6)
    values, weights = effect.nodes
    assert weights @ special.expit(values) == pytest.approx(
        own.expect(special.expit, lb=-1.5, ub=12), abs=1e-6
    )


@pytest.mark.parametrize("timed", [False, True])
def test_rates_follow_from_odds_and_hazards(timed):
    effect = as_effect("normal(-0.7,0.4)", timed)
    control, margin = np.array([0.05, 0.4, 0.9]), -0.1
    rates, (values, _) = effect.treated(control), effect.nodes
    if timed:
        wanted = 1 - (1 - control[:, None]) ** np.exp(values)
    else:
        odds = control[:, None] / (1 - control[:, None]) * np.exp(values)
        wanted = odds / (1 + odds)
    assert rates == pytest.approx(wanted, abs=1e-12)
    draws = np.random.default_rng(3).normal(-0.7, 0.4, 400_000)
    if timed:
        treated = 1 - (1 - control[:, None]) ** np.exp(draws)
    else:
        treated = special.expit(special.logit(control)[:, None] + draws)
    share = (treated - control[:, None] > margin).mean(axis=1)
    # Four standard errors of a share of 400,000.
    assert effect.beyond(control, margin) == pytest.approx(share, abs=0.0032)
    assert effect.beyond(0.05, -0.1) == 1
    assert effect.beyond(0.95, 0.1) == 0


def test_a_point_is_certain():
    effect = parse_effect("0.6")
    assert effect.nodes[0].tolist() == [0.6]
    assert effect.above(np.array([0.5, 0.7])).tolist() == [1, 0]
    assert as_effect(-0.25, False).nodes[0].tolist() == [-0.25]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("normal(0.5)", "not understood; write normal"),
        ("beta(1,1)", "not understood; write normal"),
        ("normal(0,0)", "above 0"),
        ("t(-1,0,1)", "above 0"),
        ("inf", "give a number"),
    ],
)
def test_what_is_no_effect_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        parse_effect(text)


def test_an_effect_on_another_scale_is_refused():
    with pytest.raises(ValueError, match="give months of follow-up"):
        as_effect(as_effect("0.3", True), False)
    with pytest.raises(ValueError, match="leave out months"):
        as_effect(as_effect("0.3", False), True)
