"""The truth among draws of the sampler: ranks, and faults that must be noticed."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.calibration import calibrate, defects
from mscpool.analysis.calibration.calibrate import CORE, MODERATED, Settings, Task
from mscpool.analysis.calibration.sbc_sampled import places_among_draws
from mscpool.analysis.calibration.uniformity import RANKED, Places, judged, place, uniformity
from mscpool.analysis.fitting.predict import prior_levels
from mscpool.models.priors.sets import DEFAULT


def placed(truth_of, sims=60, draws=2000):
    """Places of truths among draws of the prior: what a sampler would say of no data at all."""
    made = defects.from_prior(np.random.default_rng(0), ("year",))
    rows = []
    for number in range(sims):
        rng = np.random.default_rng([1, number])
        truth = truth_of(prior_levels(made.terms, "partial", DEFAULT, 1, rng))
        levels = prior_levels(made.terms, "partial", DEFAULT, draws, rng)
        rows.append(places_among_draws(truth, levels, made.terms, "partial", DEFAULT, rng))
    return pd.DataFrame(rows)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Leave the integrals out, which cost a second a data set."""
    from mscpool.analysis.calibration import sbc_sampled

    def likelihood(levels, terms):
        return levels.sigma

    monkeypatch.setattr(sbc_sampled.predict, "integrated_log_likelihood", likelihood)


def test_a_rank_is_uniform_on_its_places():
    draws = np.arange(RANKED, dtype=float)
    places = [place(np.array(value), draws) for value in np.arange(-0.5, RANKED)]
    assert places == pytest.approx((np.arange(RANKED + 1) + 0.5) / (RANKED + 1))


def test_truth_of_the_prior_lies_anywhere_in_the_prior():
    places = placed(lambda truth: truth)
    assert {"improvement, mu", "death, rate, psoriasis", "improvement, beta, year"} <= set(places)
    found = uniformity(places)
    # All of them are inside together in 95 of 100 seeds; this is one of them.
    assert found["inside_band"].all(), found[~found["inside_band"]]


def test_truths_that_are_shifted_or_too_wide_are_noticed():
    found = uniformity(placed(lambda truth: replace(truth, sigma=2 * truth.sigma)))
    outside = set(found.loc[~found["inside_band"], "parameter"])
    assert {f"{name}, sigma" for name in ("improvement", "death")} <= outside
    assert not {name for name in outside if ", mu" in name}


def test_all_engines_are_judged_as_one_family():
    even = (np.arange(200) + 0.5) / 200
    # Ever more low places: somewhere on the way a family of forty still allows what five do not.
    frame = pd.DataFrame({f"q{i}": even ** (1 + 0.05 * i) for i in range(10)})
    each = [Places("nuts", f"data {i}", frame) for i in range(4)]
    alone, together = uniformity(frame), judged(each)
    assert len(together) == 40
    assert list(together.columns[:2]) == ["engine", "data"]
    assert together["inside_band"].sum() > 4 * alone["inside_band"].sum() > 0
    of_forty = uniformity(frame, 40)["inside_band"]
    assert together["inside_band"].tolist() == 4 * of_forty.tolist()


def test_a_band_that_a_few_sets_cannot_leave_says_that_it_tells_nothing():
    middle = pd.DataFrame({"a": np.full(10, 0.5)})
    found = uniformity(middle, 250)
    assert found["inside_band"].all()  # every place in the middle, and inside
    assert not found["tells"].any()
    many = uniformity(pd.DataFrame({"a": np.full(105, 0.5)}), 250)
    assert many["tells"].all()
    assert not many["inside_band"].any()


def test_of_nothing_there_are_tables_without_rows():
    some = judged([Places("nuts", "data", pd.DataFrame({"a": [0.5]}))])
    assert judged([]).empty
    assert list(judged([]).columns) == list(some.columns)


@pytest.mark.slow
@pytest.mark.mcmc
@pytest.mark.parametrize("shape", [CORE, MODERATED])
def test_a_fit_of_data_from_the_prior_keeps_the_places_of_its_truth(shape, monkeypatch):
    monkeypatch.undo()
    found = calibrate.run(Task(shape, "none", 0), Settings())
    assert all(0 < value < 1 for value in found["places"].values())
    assert ("improvement, beta, year" in found["places"]) == (shape == MODERATED)
