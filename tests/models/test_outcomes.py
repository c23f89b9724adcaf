"""Outcomes: links, time scales and nesting."""

import numpy as np
import pytest

from mscpool.data.outcomes import outcome
from mscpool.models.outcomes import inverse_link, link_function

from ..builders import ROUNDING


def test_dictionary_says_what_nests_and_what_is_timed():
    assert outcome("remission").parent == "improvement"
    assert outcome("moderate_severe_ae").parent == "any_ae"
    assert outcome("improvement").parent is None
    assert [outcome(n).timed for n in ("death", "serious_ae")] == [True, False]
    assert (outcome("response").parent, outcome("response").link) == (None, "logit")


def test_log_hazard_is_a_constant_hazard_over_follow_up():
    years = np.array([0.25, 1.0, 5.0])
    risk = inverse_link(np.log(0.3), "cloglog", years)
    np.testing.assert_allclose(risk, 1 - np.exp(-0.3 * years), rtol=1e-14)


@pytest.mark.parametrize(("link", "years"), [("logit", 1.0), ("cloglog", 0.4)])
def test_link_undoes_its_inverse(link, years):
    theta = np.linspace(-12, 2, 29)
    back = link_function(inverse_link(theta, link, years), link, years)
    # The largest rate is within 1e-3 of one, where a rounding error grows a thousandfold.
    np.testing.assert_allclose(back, theta, rtol=ROUNDING, atol=ROUNDING)


def test_extreme_levels_give_rates_of_zero_and_one():
    for link in ("logit", "cloglog"):
        np.testing.assert_array_equal(inverse_link(np.array([-800.0, 800.0]), link), [0, 1])
