import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

import mscpool as mp
from mscpool.analysis.calibration import sbc
from mscpool.analysis.calibration.calibrate import PLACED, Settings, Task, run
from mscpool.analysis.calibration.faults import FAULTS, FEW, first_study, lower_ends, power
from mscpool.analysis.calibration.sbc import Engine
from mscpool.analysis.calibration.uniformity import Places, uniformity
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.exact.predictions import study_rates
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
    wrong = sbc.places_in_posterior(shape(), 30, 2, Engine(priors=mp.prior_set(NARROW)))
    found = uniformity(wrong).set_index("parameter")
    assert not found.loc["sigma", "inside_band"]


def test_bounds_that_are_dropped_are_noticed():
    found = uniformity(sbc.places_in_posterior(shape(), 40, 3, Engine(bounds=lower_ends)))
    assert not found["inside_band"].all()


def test_an_old_study_effect_in_place_of_a_new_one_is_noticed():
    # Large studies of one disease that differ much: an old effect is known, and not the next one's.
    rows = shape().rows.query("disease == 'one'").assign(n=400, events_min=4, events_max=4)
    many = sbc.Shape(rows, "improvement", ("one",))
    wide = mp.prior_set('[sigma]\ndist = "HalfNormal"\nsigma = 0.5\n')
    old = sbc.places_in_posterior(many, 40, 3, Engine(wide, following=first_study))
    found = uniformity(old).set_index("parameter")
    assert not found.loc["new_study, one", "inside_band"]
    assert found.drop("new_study, one")["inside_band"].all()


def test_a_fault_is_what_its_words_say():
    for name in ("mu", "tau", "sigma"):
        _, engine = FAULTS[f"scale of {name}'s prior a fifth too small"]
        usual, told = DEFAULT.of(FEW), engine.priors.of(FEW)
        others = {"mu", "tau", "sigma"} - {name}
        assert all(getattr(told, other) == getattr(usual, other) for other in others)
        scale = dict(getattr(told, name).parameters)["sigma"]
        assert scale == pytest.approx(0.8 * dict(getattr(usual, name).parameters)["sigma"])
    rows, counts = shape().rows, np.array([4, 5, 6, 3, 3, 5, 1])
    made = lower_ends(counts, rows, np.random.default_rng(1))
    kept = sbc.within_stretches(counts, rows, np.random.default_rng(1))
    assert made["events_min"].tolist() == made["events_max"].tolist() == kept["events_min"].tolist()


def test_the_fault_of_an_old_study_tells_its_rate_and_is_sound_without_one():
    rows = shape().rows
    likelihoods = count_likelihoods(rows, "logit", DISEASES)
    posterior = ExactHierarchy(likelihoods, "partial", "improvement").posterior(
        DEFAULT.of("improvement"), verify=False
    )
    of_a = study_rates(posterior).set_index("study").loc["a", "mean"]
    assert first_study(posterior, "one").mean == pytest.approx(of_a)
    assert first_study(posterior, "three").mean == sbc.next_study(posterior, "three").mean


@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_a_task_is_fitted_by_the_engine_that_it_names(fault, monkeypatch):
    asked = []
    monkeypatch.setattr(sbc, "places", lambda *given: asked.append(given[-1]) or {})
    name, engine = FAULTS[fault] if fault else (FEW, sbc.SOUND)
    run(Task(PLACED + name, fault or "none", 0), Settings())
    assert asked == [engine]


def test_power_is_the_share_of_runs_in_which_a_quantity_is_outside():
    even = np.tile((np.arange(100) + 0.5) / 100, 10)
    spoilt = even.copy()
    spoilt[:200] **= 3
    found = [("two of ten", Places("exact", "data", pd.DataFrame({"a": even, "b": spoilt})))]
    table = power(found, 2).set_index("sims")
    assert table["runs"].tolist() == [10, 4, 2, 1]
    low, high = proportion_confint(2, 10, method="wilson")
    row = table.loc[100]
    assert (row["noticed"], row["noticed_low"], row["noticed_high"]) == pytest.approx(
        (0.2, low, high)
    )
    assert power(found[:0], 2).empty


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
@pytest.mark.parametrize("parameter", ["tau", "sigma"])
def test_a_prior_too_narrow_by_a_fifth_is_noticed(parameter):
    name, engine = FAULTS[f"scale of {parameter}'s prior a fifth too small"]
    found = uniformity(sbc.places_in_posterior(sbc.shapes()[name], 1000, 6, engine))
    assert not found["inside_band"].all()
