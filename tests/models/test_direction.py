"""The two directions of a conclusion mirror each other."""

import json

import numpy as np
import pytest
from scipy import stats

from mscpool.models.direction import Direction


class Tails:
    """A beta distribution by SciPy, with the tails that a direction asks for."""

    def above(self, value):
        return stats.beta.sf(value, 3, 7)

    def below(self, value):
        return stats.beta.cdf(value, 3, 7)


def test_a_direction_is_its_word():
    assert Direction("above") == "above"
    assert json.dumps({"direction": Direction.BELOW}) == '{"direction": "below"}'
    assert f"{Direction.BELOW} 0.3" == "below 0.3"
    with pytest.raises(ValueError, match="sideways"):
        Direction("sideways")


def test_what_is_on_one_side_is_not_on_the_other():
    above, below = Direction.ABOVE, Direction.BELOW
    values = np.array([0.1, 0.3, 0.5])
    assert above.beyond(values, 0.3).tolist() == [False, False, True]
    assert below.beyond(values, 0.3).tolist() == [True, False, False]
    assert (above.symbol, below.symbol) == (">", "<")
    assert above.sign == -below.sign == 1
    assert above.probability(0.2) == 0.2
    assert below.probability(0.2) == 0.8


def test_tails_are_those_of_the_distribution():
    found = [direction.tail(Tails(), 0.25) for direction in Direction]
    assert found == pytest.approx([stats.beta.sf(0.25, 3, 7), stats.beta.cdf(0.25, 3, 7)])
    assert sum(found) == pytest.approx(1)


def test_success_of_counts_includes_the_critical_one():
    events = np.arange(5)
    up, down = (events[each.success(events, 3)] for each in Direction)
    assert up.tolist() == [3, 4]
    assert down.tolist() == [0, 1, 2, 3]
    assert Direction.ABOVE.weakest(up) == Direction.BELOW.weakest(down) == 3
