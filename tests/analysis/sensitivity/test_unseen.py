"""The smallest study that undoes a conclusion, by adding studies to the evidence one by one."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.analysis.sensitivity import unseen
from mscpool.analysis.sensitivity.questions import Question, questions
from mscpool.analysis.sensitivity.unseen import EXTREME, MOST, NULL, against, unseen_studies
from mscpool.data.evidence import load_evidence
from mscpool.models.direction import Direction
from mscpool.models.exact.outcomes import exact_outcomes

FRAME = pd.DataFrame(
    {
        "study": ["a", "b", "c", "d"],
        "disease": ["x", "x", "y", "y"],
        "outcome": ["improvement"] * 4,
        "events": [9, 8, 6, 9],
        "n": [11, 10, 14, 12],
    }
)


THRESHOLD = 0.4


def asked(frame, threshold=0.3, **more):
    fit = exact_outcomes(load_evidence(frame))
    return unseen_studies(fit, questions(threshold, ("improvement",)), 0.95, **more)


def probability_with(frame, disease, events, n, threshold=THRESHOLD):
    """Integrate again with the study among the evidence."""
    study = {"study": "new", "disease": disease, "outcome": "improvement"}
    more = pd.concat([frame, pd.DataFrame([study | {"events": events, "n": n}])])
    fit = exact_outcomes(load_evidence(more.reset_index(drop=True)))
    return fit.probability_above("improvement", threshold)[disease]


def share_of(n):
    """Fewest patients that are no smaller a share than the threshold."""
    return next(y for y in range(n + 1) if y >= THRESHOLD * n - 1e-9)


def test_the_smallest_study_undoes_and_one_of_a_patient_less_does_not():
    table = asked(FRAME, THRESHOLD)
    for row in table[table["n"].notna()].to_dict("records"):
        n, events, disease = int(row["n"]), int(row["events"]), row["disease"]
        assert events == (0 if row["kind"] == EXTREME else share_of(n))
        after = probability_with(FRAME, disease, events, n)
        assert after < 0.95
        assert row["probability_after"] == pytest.approx(after, abs=2e-4)
        if n > 1:
            less = 0 if row["kind"] == EXTREME else share_of(n - 1)
            assert probability_with(FRAME, disease, less, n - 1) >= 0.95
    assert set(table.loc[table["n"].notna(), "kind"]) == {EXTREME, NULL}


def test_no_size_hangs_on_the_error_of_the_integral():
    """Of a confidence that a study reaches within that error the next larger one is given."""
    fit = exact_outcomes(load_evidence(FRAME))
    question = questions(THRESHOLD, ("improvement",))
    first = unseen_studies(fit, question, 0.95).iloc[0]
    error = first["mcse_after"]
    assert 0 < error < 1e-4
    for away, n in ((2 * error, first["n"] + 1), (8 * error, first["n"])):
        again = unseen_studies(fit, question, first["probability_after"] + away).iloc[0]
        assert again["concluded"] == "yes"
        assert again["n"] == n


def by_sums(events, patients, threshold):
    """Probability above a threshold in one disease, summed over mu, sigma and study effects."""
    mu, z = np.linspace(-9, 9, 401), np.linspace(-7, 7, 71)
    total = np.zeros(len(mu))
    for sigma in (np.arange(60) + 0.5) * 3.2 / 60:
        p = special.expit(mu[:, None] + sigma * z)
        own = stats.norm.pdf(mu, 0, 1.5) * stats.halfnorm.pdf(sigma, 0, 0.5)
        for y, n in zip(events, patients, strict=True):
            own = own * ((p**y * (1 - p) ** (n - y)) @ stats.norm.pdf(z))
        total += own
    return total[mu > special.logit(threshold)].sum() / total.sum()


def test_of_one_disease_the_smallest_study_is_that_of_plain_sums():
    frame = FRAME.assign(disease="x")
    threshold = float(special.expit(-0.5175))  # midway between two nodes of the sums
    row = asked(frame, threshold).iloc[0]
    assert row["kind"] == EXTREME
    events, patients = list(frame["events"]), list(frame["n"])
    n = int(row["n"])
    before, after = (by_sums([*events, 0], [*patients, k], threshold) for k in (n - 1, n))
    assert before >= 0.95 > after
    assert row["probability_after"] == pytest.approx(after, abs=5e-4)


def test_of_a_harm_the_worst_study_has_it_in_every_patient():
    frame = FRAME.assign(outcome="any_ae", events=[1, 0, 2, 1])
    fit = exact_outcomes(load_evidence(frame))
    table = unseen_studies(fit, questions("usual", ("any_ae",)), 0.95)
    worst = table[(table["kind"] == EXTREME) & table["n"].notna()]
    assert len(worst) == 2
    assert (worst["events"] == worst["n"]).all()
    null = table[(table["kind"] == NULL) & table["n"].notna()]
    assert (null["events"] == null["n"] // 2).all()


def test_what_is_not_concluded_and_what_no_study_undoes_has_no_size():
    table = asked(FRAME, 0.8)
    assert (table["concluded"] == "no").all()
    assert table["n"].isna().all()
    assert asked(FRAME, most=1).query("kind == 'null'")["n"].isna().all()


def test_counts_at_the_threshold_are_never_on_the_far_side_of_it():
    n = np.arange(1, 200)
    above = against(n, Question(0.3))
    below = against(n, Question(0.1, Direction.BELOW))
    assert (above[NULL] >= 0.3 * n - 1e-9).all()
    assert (above[NULL] < 0.3 * n + 1).all()
    assert above[NULL][9] == 3
    assert (below[NULL] <= 0.1 * n + 1e-9).all()
    assert below[NULL][29] == 3
    assert (above[EXTREME] == 0).all()
    assert (below[EXTREME] == n).all()


def test_the_worst_study_is_the_smaller_the_nearer_the_threshold_comes():
    """The probability after none of n had it falls with the threshold, whatever n."""
    fit = exact_outcomes(load_evidence(FRAME))
    sizes = [
        unseen_studies(fit, questions(threshold, ("improvement",)), 0.95).query("kind == 'extreme'")
        for threshold in (0.26, 0.3, 0.31, 0.37, 0.4)
    ]
    for frame in sizes:
        assert (frame["concluded"] == "yes").all()
    by_threshold = np.array([frame["n"].to_numpy(int) for frame in sizes])
    assert (np.diff(by_threshold, axis=0) <= 0).all()
    assert len(np.unique(by_threshold)) > 4


@pytest.fixture(scope="module")
def nested():
    own = FRAME.assign(disease="x")
    inner = own.assign(outcome="remission", events=[7, 7, 5, 6])
    harms = own.assign(outcome="any_ae", events=[2, 1, 3, 2])
    graded = harms.assign(outcome="moderate_severe_ae", events=[0, 0, 1, 0])
    return exact_outcomes(load_evidence(pd.concat([own, inner, harms, graded], ignore_index=True)))


def test_of_a_nested_outcome_the_smallest_study_counts_it_alone(nested):
    """The rate within its parent is tested in the engine; here sizes, counts and questions."""
    fit = nested
    assert fit.model.parents == {"remission": "improvement", "moderate_severe_ae": "any_ae"}
    asked_of = questions("usual", ("improvement", "remission", "moderate_severe_ae"))
    table = unseen_studies(fit, asked_of, 0.95, most=100)
    for name in ("remission", "moderate_severe_ae"):
        own = table[(table["outcome"] == name) & (table["disease"] == "x")].set_index("kind")
        before = fit.probability_above(name, asked_of[name].threshold)["x"]
        assert own["probability"].iloc[0] == asked_of[name].direction.probability(before)
        worst = own.loc[EXTREME]
        assert worst["concluded"] == "yes"
        assert worst["events"] == (0 if name == "remission" else worst["n"])
        assert worst["probability_after"] + 4 * worst["mcse_after"] < 0.95
        assert pd.isna(own.loc[NULL, "n"]) or worst["n"] <= own.loc[NULL, "n"]


@pytest.mark.parametrize(("share", "threshold"), [(0.0, 0.3), (0.3, 0.4), (0.5, 0.4)])
def test_of_a_nested_outcome_the_stated_error_is_no_smaller_than_that_of_levels_left_out(
    share, threshold, monkeypatch
):
    own = pd.DataFrame({"study": list("abcd"), "disease": "x", "outcome": "improvement", "n": 100})
    parts = own.assign(events=[70, 60, 75, 66]), own.assign(events=[45, 38, 50, 41])
    frame = pd.concat([parts[0], parts[1].assign(outcome="remission")], ignore_index=True)
    fit, n = exact_outcomes(load_evidence(frame)), np.array([1, 20, 100, 500, MOST])

    def after(coarser):
        made = unseen._after(fit, "remission", ["x"], threshold, coarser)["x"]
        return made((share * n).astype(int), n)

    taken, coarser = after(False), after(True)
    monkeypatch.setattr(unseen, "_EVERY", 1)
    assert np.abs(taken - after(False)).mean() <= np.abs(taken - coarser).mean()
