"""The likelihood of a contrast, against a dense quadrature that shares no code with it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from scipy.stats import binom

from mscpool.models.effects.contrast import contrast_likelihoods, informative_studies

from .trials import arm, normal, trials

CONTRASTS = np.array([-9.0, -2.5, -0.2, 0.0, 0.7, 4.0, 12.0])

STUDIES = {
    "known counts": [arm("s", "control", 4, 11), arm("s", "msc", 9, 13)],
    "one arm empty of events": [arm("s", "control", 1, 12), arm("s", "msc", 0, 13)],
    "one arm full": [arm("s", "control", 0, 6), arm("s", "msc", 8, 8)],
    "bounded": [arm("s", "control", 2, 6, 6), arm("s", "msc", 1, 12, 7)],
    "bounded to nothing": [arm("s", "control", 0, 9, 3), arm("s", "msc", 0, 12, 4)],
    "hardly bounded": [arm("s", "control", 2, 6, 6), arm("s", "msc", 2, 12, 12)],
    "dose arms": [
        arm("s", "control", 2, 10), arm("s", "msc_low", 5, 11), arm("s", "msc_high", 9, 12),
    ],
    "arms of 50,000": [arm("s", "control", 30_000, 50_000), arm("s", "msc", 27_500, 50_000)],
    "rare in 50,000": [arm("s", "control", 3, 50_000), arm("s", "msc", 0, 50_000)],
    "bounded in 50,000": [arm("s", "control", 900, 50_000, 930), arm("s", "msc", 1000, 40_000)],
}  # fmt: skip


def dense(rows, contrasts, link, sd=10.0):
    """Log likelihood by a trapezoid rule of fixed steps, from SciPy's binomial distribution."""
    found = []
    for contrast in contrasts:
        centre = np.linspace(-90, 90, 1801)
        for _ in range(2):
            logs = _integrand(rows, contrast, centre, link, sd)
            inside = centre[logs > logs.max() - 45]
            step = centre[1] - centre[0]
            centre = np.linspace(inside[0] - step, inside[-1] + step, 1201)
        logs = _integrand(rows, contrast, centre, link, sd)
        found.append(logsumexp(logs) + np.log(centre[1] - centre[0]))
    return np.array(found)


def _integrand(rows, contrast, baseline, link, sd):
    total = -0.5 * (baseline / sd) ** 2 - np.log(sd * np.sqrt(2 * np.pi))
    for row in rows:
        level = baseline + (0.5 if row["arm"] != "control" else -0.5) * contrast
        counts = np.arange(row["events_min"], row["events_max"] + 1)[:, None]
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            if link == "logit":
                event, none = -np.logaddexp(0, -level), -np.logaddexp(0, level)
            else:
                hazard = np.exp(level) * row["months"] / 12
                event, none = np.log(-np.expm1(-hazard)), -hazard
            chosen = binom(row["n"], 0.5).logpmf(counts) + row["n"] * np.log(2)
            failures = row["n"] - counts
            parts = np.where(counts > 0, counts * event, 0) + np.where(failures, failures * none, 0)
        total = total + logsumexp(chosen + parts, axis=0)
    return total


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("name", list(STUDIES))
def test_likelihood_equals_dense_quadrature(name, link):
    rows = [{**row, "months": 3.0 * (1 + i)} for i, row in enumerate(STUDIES[name])]
    found = contrast_likelihoods(pd.DataFrame(rows), link).evaluate(CONTRASTS, slice(None))[:, 0]
    wanted = dense(rows, CONTRASTS, link)
    kept = wanted > wanted.max() - 600  # what is rarer is never looked at
    assert kept.any()
    assert np.abs(found - wanted)[kept].max() < 1e-8


@pytest.mark.parametrize("contrast", [-500.0, -200.0, -60.0, 60.0, 200.0, 500.0])
@pytest.mark.parametrize("name", ["known counts", "one arm empty of events", "bounded"])
def test_a_contrast_far_from_every_study_is_integrated_too(name, contrast):
    rows = [{**row, "months": 6.0} for row in STUDIES[name]]
    found = contrast_likelihoods(pd.DataFrame(rows), "cloglog").evaluate([contrast], slice(None))
    # A dense sum about the greatest value, which lies between the two arms.
    baseline = np.linspace(-abs(contrast), abs(contrast), 400_001)
    logs = _integrand(rows, contrast, baseline, "cloglog", 10.0)
    wanted = logsumexp(logs[np.isfinite(logs)]) + np.log(baseline[1] - baseline[0])
    assert found[0, 0] == pytest.approx(wanted, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("link", ["logit", "cloglog"])
def test_no_contrast_is_so_far_that_its_likelihood_is_no_number(link):
    rows = [{**row, "months": 6.0} for row in STUDIES["known counts"]]
    far = np.array([-5000.0, -1500.0, 1500.0, 5000.0])
    found = contrast_likelihoods(pd.DataFrame(rows), link).evaluate(far, slice(None))[:, 0]
    assert np.isfinite(found).all()
    assert found[0] < found[1] < -600
    assert found[3] < found[2] < -600


def test_a_baseline_known_to_the_last_bit_of_a_float_is_integrated_over():
    # With these counts and a contrast this large only the prior speaks of the baseline, and the
    # second step of Newton's method is too short to change it.
    rows = [arm("s", "control", 0, 40), arm("s", "msc", 40, 40)]
    contrasts = np.append(np.linspace(20, 150, 4001), [87.4209303623951, 100.0000000000002])
    found = contrast_likelihoods(pd.DataFrame(rows), baseline=normal(1.0, -0.5)).evaluate(
        contrasts
    )[:, 0]
    # Every count is certain there, but for as many terms of one failure as there are patients.
    failure = 40 * np.exp(-contrasts / 2) * (np.exp(0.5 + 0.5) + np.exp(-0.5 + 0.5))
    assert found == pytest.approx(-failure, rel=0.01, abs=1e-9)


def test_another_baseline_is_used():
    rows = STUDIES["one arm full"]
    found = contrast_likelihoods(pd.DataFrame(rows), baseline=normal(2.0))
    wanted = dense(rows, CONTRASTS, "logit", 2.0)
    assert found.evaluate(CONTRASTS, slice(None))[:, 0] == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("prior", [{"dist": "StudentT", "nu": 3}, {"dist": "Uniform"}])
def test_only_a_normal_baseline_is_taken(prior):
    from mscpool.models.priors.prior import Prior

    with pytest.raises(ValueError, match="the baseline's prior must be Normal, not"):
        contrast_likelihoods(trials([(1, 5, 2, 5)]), baseline=Prior.from_dict(prior))


def swapped(rows):
    """The same studies with treated and control exchanged."""
    return rows.assign(arm=np.where(rows["arm"] == "control", "msc", "control"))


def test_exchanging_arms_flips_the_sign():
    rows = trials([(1, 12, 0, 13), (3, 9, 7, 8), (40, 100, 22, 90)])
    for link in ("logit", "cloglog"):
        one = contrast_likelihoods(rows, link).evaluate(CONTRASTS, slice(None))
        other = contrast_likelihoods(swapped(rows), link).evaluate(-CONTRASTS, slice(None))
        assert one == pytest.approx(other, abs=1e-10)


def test_exchanging_events_and_others_flips_the_sign():
    rows = trials([(1, 12, 0, 13), (3, 9, 7, 8), (40, 100, 22, 90)])
    others = rows["n"] - rows["events_min"]
    turned = rows.assign(events_min=others, events_max=others)
    one = contrast_likelihoods(rows).evaluate(CONTRASTS, slice(None))
    other = contrast_likelihoods(turned).evaluate(-CONTRASTS, slice(None))
    assert one == pytest.approx(other, abs=1e-10)


def test_studies_that_say_nothing_are_left_out():
    rows = pd.DataFrame(
        [
            arm("none", "control", 0, 9), arm("none", "msc", 0, 8),
            arm("all", "control", 9, 9), arm("all", "msc", 8, 8),
            arm("perhaps", "control", 0, 9), arm("perhaps", "msc", 0, 8, 1),
            arm("apart", "control", 0, 9), arm("apart", "msc", 8, 8),
            arm("one side unknown", "control", 0, 9, 9), arm("one side unknown", "msc", 4, 8),
        ]
    )  # fmt: skip
    assert informative_studies(rows) == ["perhaps", "apart"]
    assert contrast_likelihoods(rows).studies == ("perhaps", "apart")


def test_likelihood_of_a_contrast_vanishes_where_counts_forbid():
    rows = pd.DataFrame(
        [
            arm("inner", "control", 2, 9), arm("inner", "msc", 3, 8),
            arm("upwards", "control", 0, 9), arm("upwards", "msc", 8, 8),
        ]
    )  # fmt: skip
    found = contrast_likelihoods(rows)
    assert found.falls_below.tolist() == [True, True]
    assert found.falls_above.tolist() == [True, False]


def test_deaths_need_months():
    rows = trials([(1, 5, 2, 5)], months=float("nan"))
    with pytest.raises(ValueError, match="study s0: a log hazard ratio needs months"):
        contrast_likelihoods(rows, "cloglog")
