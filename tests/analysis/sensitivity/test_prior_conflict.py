"""How surprising data are to their prior, against closed forms."""

import numpy as np
import pytest
from scipy import stats

from mscpool.analysis.sensitivity.prior_conflict import judge, mid_p_value


def test_mid_p_of_binomial_predictions_is_the_closed_form():
    n, p, seen = 30, 0.3, 14
    draws = np.random.default_rng(1).binomial(n, p, 200_000)
    upper = stats.binom.sf(seen, n, p) + stats.binom.pmf(seen, n, p) / 2
    found, error, direction = mid_p_value(draws, seen, seen)
    assert direction == "more"
    assert abs(found - 2 * upper) < 4 * error


def test_a_count_known_within_wide_bounds_is_no_surprise():
    draws = np.random.default_rng(1).binomial(30, 0.3, 1000)
    assert mid_p_value(draws, 0, 30)[0] == pytest.approx(1)


def test_a_conflict_within_its_error_is_left_open():
    assert judge(0.04, 0.01, 0.05) == "undecided"
    assert judge(0.01, 0.002, 0.05) == "conflict"
    assert judge(0.40, 0.01, 0.05) == "ok"
