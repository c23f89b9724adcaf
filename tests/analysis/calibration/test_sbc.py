import numpy as np
import pandas as pd
import pytest

import mscpool as mp
from mscpool.analysis.calibration import sbc
from mscpool.analysis.calibration.uniformity import uniformity
from mscpool.models.priors.sets import DEFAULT

DISEASES = ("one", "two", "three")
NARROW = '[sigma]\ndist = "HalfNormal"\nsigma = 0.1\n'


def shape(outcome="improvement"):
    """Seven studies of three diseases: two arms of one study, one row known within bounds."""
    rows = [
        ("a", "one", "msc_low", 4, 4, 12, 6.0),
        ("a", "one", "msc_high", 5, 5, 9, 12.0),
        ("b", "one", "msc", 2, 6, 20, 6.0),
        ("c", "two", "msc", 3, 3, 15, 24.0),
        ("d", "two", "msc", 3, 3, 30, 12.0),
        ("e", "two", "msc", 0, 7, 8, 12.0),
        ("f", "one", "msc", 1, 1, 40, 6.0),
    ]
    columns = ("study", "disease", "arm", "events_min", "events_max", "n", "months")
    frame = pd.DataFrame(rows, columns=columns).assign(outcome=outcome)
    return sbc.Shape(frame, outcome, DISEASES)


@pytest.fixture(scope="module")
def places():
    return sbc.places_in_posterior(shape(), 60, seed=1)


def test_truth_lies_in_the_exact_posteriors_as_often_as_they_say(places):
    found = uniformity(places)
    assert set(found["parameter"]) >= {"mu", "tau", "sigma", "rate, three", "log_likelihood"}
    # All of them are inside together in 95 of 100 seeds; this is one of them.
    assert found["inside_band"].all(), found


def test_a_prior_that_is_not_the_one_drawn_from_is_noticed():
    wrong = sbc.places_in_posterior(shape(), 30, 2, fitted=mp.prior_set(NARROW))
    found = uniformity(wrong).set_index("parameter")
    assert not found.loc["sigma", "inside_band"]


def test_bounds_that_are_dropped_are_noticed(monkeypatch):
    def middle(counts, rows, rng):
        low = np.maximum(counts - (rows["events_max"] - rows["events_min"]), 0)
        return rows.assign(events_min=low, events_max=low)

    monkeypatch.setattr(sbc, "within_stretches", middle)
    found = uniformity(sbc.places_in_posterior(shape(), 40, 3))
    assert not found["inside_band"].all()


def test_an_old_study_effect_in_place_of_a_new_one_is_noticed(places):
    old = places.assign(**{"new_study, one": places["rate, one"] ** 2})
    found = uniformity(old).set_index("parameter")
    assert not found.loc["new_study, one", "inside_band"]


def test_a_band_holds_uniform_places_as_often_as_it_says():
    rng = np.random.default_rng(4)
    held = [
        uniformity(pd.DataFrame(rng.random((50, 3)), columns=list("abc")))["inside_band"].all()
        for _ in range(60)
    ]
    # Of 60 runs at 95 % fewer than 51 hold in two of a thousand.
    assert sum(held) >= 51


def test_stretches_hold_the_count_and_do_not_depend_on_it():
    rows = shape().rows
    n = rows["n"].to_numpy()
    for seed in range(20):
        counts = np.random.default_rng(seed).integers(0, n + 1)
        made = sbc.within_stretches(counts, rows, np.random.default_rng(7))
        assert ((made["events_min"] <= counts) & (counts <= made["events_max"])).all()
        again = sbc.within_stretches(made["events_min"].to_numpy(), rows, np.random.default_rng(7))
        pd.testing.assert_frame_equal(made, again, check_dtype=False)


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["improvement", "death"])
def test_truth_lies_in_the_exact_posteriors_of_the_shipped_shape(outcome):
    evidence = mp.load_evidence(outcomes=outcome)
    rows = evidence.rows[evidence.rows["outcome"] == outcome]
    shipped = sbc.Shape(rows, outcome, evidence.diseases)
    found = uniformity(sbc.places_in_posterior(shipped, 1000, seed=5))
    assert found["inside_band"].all(), found


@pytest.mark.slow
def test_a_prior_too_narrow_by_a_fifth_is_noticed():
    scale = '[mu]\ndist = "Normal"\nmu = 0.0\nsigma = 1.2\n'
    found = uniformity(
        sbc.places_in_posterior(shape(), 2000, 6, DEFAULT, mp.prior_set(scale))
    ).set_index("parameter")
    assert not found["inside_band"].all()
