"""Made studies with two arms: intervals hold the truth, and a reversed study is made as it says."""

import numpy as np
import pytest
from scipy.stats import binomtest

from mscpool.analysis.calibration import effects
from mscpool.analysis.calibration.calibrate import Settings, Task, run, tasks, verdict
from mscpool.analysis.calibration.error_rates import error_rates
from mscpool.analysis.effects.model import fit_effects
from mscpool.models.effects.priors import EffectPriors
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import PriorSet

SHAPE, STUDIES = next(iter(effects.SHAPES.items()))
SMALL = effects.Studies(2, 3, 25, 15)


def held(sets, priors=effects.PRIORS, studies=SMALL):
    """How many intervals of the next study hold it, of so many sound data sets."""
    found = 0
    for number in range(sets):
        made = effects.simulate(studies, effects.SOUND, np.random.default_rng([7, number]))
        diseases = tuple(dict.fromkeys(made.rows["disease"]))
        fit = fit_effects(made.rows, diseases, "partial", priors)
        low, high = fit.distribution("improvement", "new_study", "d0").quantile([0.025, 0.975])
        found += low <= made.next_study <= high
    return found


def test_intervals_of_the_next_study_hold_it():
    assert binomtest(held(20), 20, 0.95).pvalue > 0.001


@pytest.mark.slow
def test_intervals_of_the_next_study_hold_it_in_95_percent():
    assert binomtest(held(400), 400, 0.95).pvalue > 0.005


@pytest.mark.slow
def test_intervals_under_a_prior_that_knows_too_much_do_not():
    certain = PriorSet(
        "certain",
        tau=Prior.make("HalfNormal", sigma=0.01),
        sigma=Prior.make("HalfNormal", sigma=0.01),
    )
    count = held(100, EffectPriors(certain, effects.PRIORS.baseline))
    assert binomtest(count, 100, 0.95, alternative="less").pvalue < 0.001


def test_made_studies_have_the_truth_that_they_state():
    """With arms so large that rates are known, effects differ about mu as tau and sigma say."""
    large = effects.Studies(1, 1500, 40_000, 40_000)
    made = effects.simulate(large, effects.REVERSED, np.random.default_rng(3))
    rates = made.rows.pivot(index="study", columns="arm", values="events_min") / 40_000
    effect = np.log(rates["msc"] / (1 - rates["msc"]))
    effect -= np.log(rates["control"] / (1 - rates["control"]))
    others = effect.drop("d0s0")
    assert effect["d0s0"] < 0 < others.median()
    # One disease: sigma alone is seen within it; 1,499 studies, rates known to about 0.03.
    assert others.std() == pytest.approx(0.25, rel=0.08)
    assert others.mean() == pytest.approx(np.log(5), abs=4 * 0.25)


def test_data_sets_of_effects_are_judged_and_counted_with_the_others():
    listed = [task for task in tasks(40) if task.shape == SHAPE]
    counts = {d: sum(task.defect == d for task in listed) for d in effects.DEFECTS}
    assert counts == {effects.SOUND: 40, effects.REVERSED: 4}
    task = Task(SHAPE, effects.REVERSED, 0)
    result = run(task, Settings())
    assert result == run(task, Settings())
    assert verdict(result)[0] in ("pass", "warn", "fail")
    other = {Task(SHAPE, effects.REVERSED, 1): {"verdict": "fail", "coverage": 0.0}}
    (row,) = error_rates({task: result} | other).to_dict("records")
    assert (row["data"], row["defect"], row["pooling"]) == (SHAPE, effects.REVERSED, "partial")
    assert row["sets"] == 2
    assert row["fail"] == ((result["verdict"] == "fail") + 1) / 2
    assert row["coverage"] == result["coverage"] / 2
