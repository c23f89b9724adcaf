"""Means become bounded counts by a rule that simulation agrees with, and enter only when asked."""

import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import mscpool.data.evidence as evidence_module
from mscpool.data.evidence import EvidenceError, load_evidence
from mscpool.data.means import (
    CORRELATIONS,
    Means,
    improvement,
    responders,
    share_beyond,
    standardised,
)

from ..builders import ROUNDING

SHIPPED = Path(evidence_module.__file__).parent
LEVEL = Means(
    n=20,
    kind="level",
    mean=14.0,
    sd=6.0,
    direction="lower",
    threshold_min=3.2,
    threshold_max=5.3,
    baseline_mean=20.0,
    baseline_sd=5.0,
)
CHANGE = Means(
    n=20,
    kind="change",
    mean=-6.0,
    sd=6.0,
    direction="lower",
    threshold_min=3.2,
    threshold_max=5.3,
)


def middle(means):
    low, high = responders(means)
    return (low + high) / 2


# Sign of improvement, correlation, threshold, whether it is in percent, patients.
TRIALS = [
    (-1, 0.3, 4.0, False, 14),
    (-1, 0.6, 4.0, False, 40),
    (-1, 0.9, 10.0, False, 14),
    (1, 0.6, 4.0, False, 25),
    (-1, 0.6, 30.0, True, 14),
    (1, 0.6, 30.0, True, 25),
]


@pytest.mark.parametrize(("sign", "correlation", "threshold", "percent", "n"), TRIALS)
def test_bounds_hold_the_true_count_of_simulated_studies(sign, correlation, threshold, percent, n):
    rng = np.random.default_rng(7)
    held = []
    for _ in range(400):
        covariance = [[25, correlation * 30], [correlation * 30, 36]]
        before, after = rng.multivariate_normal([30, 30 + sign * 7], covariance, n).T
        wanted = threshold / 100 * before if percent else threshold
        count = int(np.sum(sign * (after - before) >= wanted))
        means = Means(
            n=n,
            kind="level",
            mean=float(after.mean()),
            sd=float(after.std(ddof=1)),
            direction="lower" if sign < 0 else "higher",
            threshold_min=threshold,
            threshold_max=threshold,
            percent=percent,
            baseline_mean=float(before.mean()),
            baseline_sd=float(before.std(ddof=1)),
        )
        low, high = responders(means)
        held.append(low <= count <= high)
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("percent", [False, True])
def test_bounds_hold_the_true_count_where_changes_are_reported(percent):
    rng = np.random.default_rng(8)
    held = []
    for _ in range(400):
        change = rng.normal(-8, 12, 20)
        means = replace(
            CHANGE,
            mean=float(change.mean()),
            sd=float(change.std(ddof=1)),
            threshold_min=4,
            threshold_max=4,
            percent=percent,
        )
        low, high = responders(means)
        held.append(low <= np.sum(change <= -4) <= high)
    assert np.mean(held) >= 0.95


@pytest.mark.parametrize("z", [-1.5, -0.5, 0.0, 0.4, 1.2])
def test_the_share_of_a_sample_varies_as_durbin_says(z):
    n, rng = 14, np.random.default_rng(9)
    samples = rng.normal(size=(40_000, n))
    own = samples.mean(axis=1, keepdims=True), samples.std(axis=1, ddof=1, keepdims=True)
    shares = np.mean((samples - own[0]) / own[1] < z, axis=1)
    share, deviation = share_beyond(np.array([z]), n)
    assert share[0] == pytest.approx(stats.norm.cdf(z), abs=ROUNDING)
    # 40,000 samples of 14: the rule is right to 2 % there, the simulation to less than 1 %.
    assert shares.std() == pytest.approx(deviation[0], rel=0.03)


@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_the_standardised_distance_is_that_of_the_difference_of_two_normals(correlation):
    variance = 6.0**2 + 5.0**2 - 2 * correlation * 6.0 * 5.0
    ends = [(6.0 - threshold) / math.sqrt(variance) for threshold in (3.2, 5.3)]
    low, high = standardised(LEVEL)
    assert low <= min(ends)
    assert max(ends) <= high
    assert low == pytest.approx((6 - 5.3) / math.sqrt(61 - 18))
    assert high == pytest.approx((6 - 3.2) / math.sqrt(61 - 54))


def test_the_improvement_is_positive_where_patients_got_better():
    mean, least, most = improvement(LEVEL)
    assert (mean, least**2, most**2) == pytest.approx((6, 61 - 54, 61 - 18))
    assert improvement(replace(LEVEL, direction="higher"))[0] == -6
    assert improvement(CHANGE) == (6.0, 6.0, 6.0)
    percent = improvement(replace(LEVEL, percent=True))
    assert percent == pytest.approx((30, 5 * math.sqrt(7), 5 * math.sqrt(43)))


def test_a_change_needs_no_correlation():
    assert standardised(CHANGE) == pytest.approx((0.7 / 6, 2.8 / 6))


def test_without_spread_everybody_or_nobody_reached_the_threshold():
    assert responders(replace(CHANGE, sd=1e-6)) == (20, 20)
    assert responders(replace(CHANGE, mean=-1.0, sd=1e-6)) == (0, 0)


@pytest.mark.parametrize("means", [LEVEL, CHANGE])
def test_a_threshold_far_away_is_reached_by_nobody_and_one_of_none_by_most(means):
    assert responders(replace(means, threshold_min=80, threshold_max=80)) == (0, 0)
    assert responders(replace(means, threshold_min=0, threshold_max=0))[0] > 10


def test_scores_of_which_more_is_better_are_the_mirror_image():
    up = replace(CHANGE, direction="higher", mean=6.0)
    assert responders(up) == responders(CHANGE)
    level = replace(LEVEL, direction="higher", baseline_mean=20.0, mean=26.0)
    assert responders(level) == responders(LEVEL)


@pytest.mark.parametrize("direction", ["lower", "higher"])
def test_percent_of_a_fixed_baseline_is_the_same_as_points(direction):
    sign = -1 if direction == "lower" else 1
    points = replace(
        LEVEL,
        direction=direction,
        mean=20.0 + sign * 6,
        baseline_sd=1e-9,
        threshold_min=5.0,
        threshold_max=5.0,
    )
    percent = replace(points, percent=True, threshold_min=25.0, threshold_max=25.0)
    assert responders(percent) == responders(points)


@pytest.mark.parametrize("means", [LEVEL, CHANGE])
def test_bounds_move_with_the_mean_and_against_the_threshold(means):
    better = [middle(replace(means, mean=mean)) for mean in np.linspace(20, -20, 15)]
    assert better == sorted(better)
    harder = [
        middle(replace(means, threshold_min=end, threshold_max=end)) for end in np.arange(0, 20, 2)
    ]
    assert harder == sorted(harder, reverse=True)


def test_bounds_widen_with_the_range_of_thresholds():
    low, high = responders(LEVEL)
    for end in (3.2, 4.0, 5.3):
        own = responders(replace(LEVEL, threshold_min=end, threshold_max=end))
        assert low <= own[0] <= own[1] <= high


@pytest.fixture
def folder(tmp_path):
    """Copy the shipped tables."""
    for path in (*SHIPPED.glob("*.csv"), SHIPPED / "about.toml"):
        shutil.copy(path, tmp_path / path.name)
    return tmp_path


HEADER, *ROWS = (SHIPPED / "means.csv").read_text("utf-8").splitlines()

# What is replaced on which line by what, and the problem: column, message.
WRONG = [
    (2, "zhang2017", "zhang2018", "study_id", "did you mean zhang2017?"),
    (2, ",level,", ",levels,", "kind", "did you mean level?"),
    (4, ",12.5,", ",0,", "sd", "0 is no standard deviation"),
    (2, ",3.1,", ",0,", "baseline_sd", "0 is no standard deviation"),
    (2, ",3.1,", ",-3.1,", "baseline_sd", "is negative"),
    (2, ",20.1,", ",,", "baseline_mean", "is empty"),
    (2, ",20.1,", ",twenty,", "baseline_mean", "'twenty' is not a number"),
    (4, ",change,,", ",change,40,", "baseline_mean", "a change needs no baseline"),
    (2, ",12,14,", ",12,1,", "n", "1 is too small: at least 2"),
    (2, ",12,14,", ",12,15,", "n", "15 patients are more than the 14 in n_msc"),
    (2, ",lower,", ",down,", "direction", "unknown direction 'down'"),
    (2, ",3.2,5.3,", ",5.3,3.2,", "threshold_min", "5.3 is above threshold_max, 3.2"),
    (2, ",3.2,5.3,", ",-3.2,5.3,", "threshold_min", "is negative"),
    (2, "5.3,false", "5.3,maybe", "percent", "'maybe' is neither true nor false"),
    (2, "3.2,5.3,false", "3.2,150,true", "threshold_max", "falls by 100 % at most"),
    (2, ",20.1,", ",-20.1,", "baseline_mean", None),
    (2, "improvement", "any_ae", "outcome", "any_ae is a harm"),
    (2, "improvement", "better", "outcome", "unknown outcome 'better'"),
    (2, ",mRSS,", ",,", "measure", "is empty"),
    (2, ",false,", ",true,", "study_id", "both supply improvement"),
]


@pytest.mark.parametrize(("line", "old", "new", "column", "message"), WRONG)
def test_a_wrong_cell_is_named(folder, line, old, new, column, message):
    rows = [HEADER, *ROWS]
    assert old in rows[line - 1]
    if column == "study_id" and message == "both supply improvement":
        rows[line - 1] = "true".join(rows[line - 1].rsplit("false", 1))
    else:
        rows[line - 1] = rows[line - 1].replace(old, new, 1)
    (folder / "means.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    if message is None:  # a score may be below 0 where no percentages are asked for
        assert len(load_evidence(folder).means) == 6
        return
    with pytest.raises(EvidenceError) as caught:
        load_evidence(folder)
    told = [(p.column, p.message) for p in caught.value.problems if p.file.endswith("means.csv")]
    assert [name for name, said in told if message in said] == [column], told


def test_a_missing_column_is_named(folder):
    rows = [line.replace(",kind,", ",sort,") for line in [HEADER, *ROWS]]
    (folder / "means.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    with pytest.raises(EvidenceError, match="kind: this column is missing"):
        load_evidence(folder)


def test_means_enter_only_when_asked_for_and_are_marked():
    evidence = load_evidence()
    assert len(evidence.means) == 6
    assert set(evidence.rows["certainty"]) == {"reported", "secondary", "derived"}
    with_means = evidence.select(means=True)
    modelled = with_means.rows[with_means.rows["certainty"] == "modelled"]
    assert list(modelled["study"]) == ["alip2024", "khanna2022", "daumas2022"]
    assert list(zip(modelled["events_min"], modelled["events_max"], strict=True)) == [
        (14, 31),
        (29, 39),
        (10, 17),
    ]
    assert set(with_means.controls["study"]) >= {"khanna2022", "daumas2022"}
    assert with_means.sha256 != evidence.sha256
    assert "3 of 76 counts follow from means" in with_means.messages[0]
    counts = with_means.rows[with_means.rows["certainty"] != "modelled"]
    assert counts.reset_index(drop=True).equals(evidence.rows)


@pytest.mark.parametrize("analysis_set", ["reported", "counted"])
def test_a_modelled_count_is_neither_reported_nor_counted(analysis_set):
    evidence = load_evidence(analysis_set=analysis_set)
    assert evidence.select(means=True).sha256 == evidence.sha256


def test_of_one_cohort_one_study_enters_and_the_other_by_use():
    used = load_evidence(means=True, use="zhang2017").rows
    modelled = used[used["certainty"] == "modelled"]
    assert list(modelled["study"]) == ["zhang2017", "khanna2022", "daumas2022"]
    # What the two supply of other outcomes stays.
    core = load_evidence().rows
    assert used[used["certainty"] != "modelled"].reset_index(drop=True).equals(core)
    with pytest.raises(ValueError, match="zhang2017 supplies means: let them in with --means"):
        load_evidence(use="zhang2017")


def test_a_modelled_count_never_stands_beside_a_counted_one(folder):
    row = "true".join(ROWS[0].replace("zhang2017", "cheng2022").rsplit("false", 1))
    (folder / "means.csv").write_text("\n".join([HEADER, row]) + "\n", encoding="utf-8")
    evidence = load_evidence(folder)
    assert ("cheng2022", "improvement") in set(
        zip(evidence.rows["study"], evidence.rows["outcome"], strict=True)
    )
    assert evidence.select(means=True).sha256 == evidence.sha256


def test_dropped_studies_lose_their_means_too():
    rows = load_evidence(means=True, drop="khanna2022").rows
    assert "khanna2022" not in set(rows["study"])


def test_the_current_set_takes_means_as_the_core_does():
    rows = load_evidence(means=True, analysis_set="current").rows
    assert (rows["certainty"] == "modelled").sum() == 3
