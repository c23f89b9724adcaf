"""What the default priors of effects say of themselves, against draws from them."""

import re

import numpy as np
import pytest

from mscpool.models.effects.priors import DEFAULT_EFFECTS


def test_the_factors_that_the_default_states_hold_for_the_shares_it_states():
    sentence = DEFAULT_EFFECTS.priors.sentence
    overall, pair = map(float, re.findall(r"(?:1/|a factor of )([\d.]+)", sentence))
    rng = np.random.default_rng(1)
    mu = rng.normal(0, 2, 400_000)
    assert np.mean(np.abs(mu) < np.log(overall)) == pytest.approx(0.95, abs=0.003)
    # Two digits of the factor are worth 0.001 of the share; three errors of the draws as much.
    spread = np.abs(rng.normal(0, 0.5, mu.size))
    apart = spread * (rng.normal(size=mu.size) - rng.normal(size=mu.size))
    assert np.mean(np.abs(apart) < np.log(pair)) == pytest.approx(0.95, abs=0.003)
    assert "of each other in 95 % of pairs" in sentence
