"""What the guard says of p-values that are computed from draws."""

import pytest

from mscpool.analysis.guard import surprise
from mscpool.analysis.guard.monte_carlo import p_words, why_stricter


@pytest.mark.parametrize(
    ("p", "error", "said", "why"),
    [
        (0.0512, 0.004, "mid-p 0.051 ± 0.004", True),
        (0.0512, 0.0001, "mid-p 0.051", False),
        (0.26, 0.01, "mid-p 0.260 ± 0.010", False),
        (0.049, 0.0, "mid-p 0.049", False),
    ],
)
def test_a_verdict_that_hangs_on_an_error_says_so_and_shows_it(p, error, said, why):
    assert p_words(p, error) == said
    assert bool(why_stricter(p, error, surprise.judge)) == why
