"""How a fit is made: refused where senseless, and never scaled to nothing."""

import pytest

from mscpool.analysis.fitting.sampling import Sampling
from mscpool.data.errors import InputError


@pytest.mark.parametrize("draws", [1, 2, 3, 100, 101, 1000, 999_999_999_999_999])
def test_a_shorter_run_is_rounded_down_but_never_empty(draws):
    shorter = Sampling(draws=draws, tune=draws, chains=3, seed=5).scaled(draws=3 / 4, tune=1 / 2)
    assert shorter == Sampling("nuts", max(3 * draws // 4, 1), max(draws // 2, 1), 3, 5)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"engine": "nut"}, "unknown engine 'nut'; did you mean nuts?"),
        ({"draws": 0}, "draws must be a whole number from 1 on, not 0"),
        ({"tune": 1.5}, "tune must be a whole number from 1 on, not 1.5"),
        ({"chains": "4"}, "chains must be a whole number from 1 on, not 4"),
        ({"seed": -1}, "seed must be a whole number from 0 on, not -1"),
    ],
)
def test_what_cannot_be_sampled_is_refused_in_a_line(given, said):
    with pytest.raises(InputError) as refused:
        Sampling(**given)
    assert str(refused.value).startswith(said)
