"""The band of a uniform ECDF, against every possible outcome and against simulation."""

import itertools
from math import factorial, prod

import numpy as np
import pytest

from mscpool.analysis.calibration.band import band, held

POINTS = np.array([0.2, 0.5, 0.6])


def test_how_often_bounds_hold_is_the_sum_over_all_outcomes():
    low, high, sims = np.array([0, 2, 2]), np.array([2, 3, 5]), 5
    widths, total = np.diff([0, *POINTS, 1]), 0.0
    for cells in itertools.product(range(sims + 1), repeat=4):
        counts = np.cumsum(cells[:3])
        if sum(cells) == sims and ((counts >= low) & (counts <= high)).all():
            ways = factorial(sims) / prod(map(factorial, cells))
            total += ways * prod(widths**cells)
    assert held(low, high, POINTS, sims) == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("probability", [0.95, 1 - 0.05 / 259])
@pytest.mark.parametrize("sims", [100, 1000])
def test_a_band_holds_as_often_as_it_promises_and_hardly_more(sims, probability):
    points, low, high = band(sims, probability, 99)
    counts = np.rint(low * sims).astype(int), np.rint(high * sims).astype(int)
    outside = 1 - held(*counts, points, sims)
    assert 0.9 * (1 - probability) < outside <= 1 - probability


def test_places_that_are_uniform_leave_the_band_as_often_as_is_promised():
    rng, runs = np.random.default_rng(1), 4000
    points, low, high = band(100, 0.95, 99)
    places = rng.random((runs, 100))
    ecdf = np.mean(places[:, :, None] <= points, axis=1)
    outside = 1 - np.mean(((ecdf >= low) & (ecdf <= high)).all(axis=1))
    assert abs(outside - 0.05) < 3 * np.sqrt(0.05 * 0.95 / runs)
