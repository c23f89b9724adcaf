"""Where the next patients would teach most, against fits made again after every count."""

import numpy as np
import pandas as pd
import pytest

import mscpool as mp
from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.trial.pictures import pictures
from mscpool.data.errors import InputError
from mscpool.models.exact.outcomes import exact_outcomes

ROWS = """study,disease,outcome,events,n,months
s1,first,improvement,3,10,6
s1,first,death,0,10,6
s2,first,improvement,5,12,6
s2,first,death,1,12,6
s3,second,improvement,7,9,12
s3,second,remission,2,9,12
s3,second,death,0,9,12
"""


def fitted(path, text=ROWS, **settings):
    path.write_text(text, "utf-8")
    return mp.fit(mp.load_evidence(path), engine="exact", **settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("next")


@pytest.fixture(scope="module")
def fit(folder):
    return fitted(folder / "rows.csv")


@pytest.fixture(scope="module")
def result(fit):
    return mp.design.next(fit=fit, n=5, n_min=1, n_max=30, gain=0.3, threshold=0.5)


def again(folder, disease="", counts=None, n=0, outcomes=("improvement",)):
    """Integrate the rows with those of a trial that was run and counted."""
    rows = [f"new,{disease},{name},{y},{n},12\n" for name, y in (counts or {}).items()]
    path = folder / "again.csv"
    path.write_text(ROWS + "".join(rows), "utf-8")
    return exact_outcomes(mp.load_evidence(path), outcomes=outcomes)


def rate(found, outcome, disease):
    table = found.rates().query("quantity == 'rate'").set_index(["outcome", "disease"])
    return table.loc[(outcome, disease)]


def test_a_trial_teaches_what_integrating_again_after_each_count_says(folder, result):
    n, disease, now = 5, "first", again(folder)
    row = result.table.query("outcome == 'improvement' and disease == @disease and n == @n").iloc[0]
    after = [again(folder, disease, {"improvement": y}, n) for y in range(n + 1)]
    chances = chances_of(after, now)
    gain, width = learnt(after, now, chances, "improvement", disease)
    # Both integrals are exact to 1e-4.
    assert row["variance_gain"] == pytest.approx(gain, abs=2e-4)
    assert row["width_expected"] == pytest.approx(width, abs=5e-4)
    ends = rate(now, "improvement", disease)
    assert row["width_now"] == pytest.approx(ends["q97.5"] - ends["q2.5"], abs=5e-4)
    other, _ = learnt(after, now, chances, "improvement", "second")
    assert row["variance_gain_all"] == pytest.approx((gain + other) / 2, abs=2e-4)
    sure = np.array([each.probability_above("improvement", 0.5)[disease] for each in after])
    settled = chances @ ((sure >= 0.95) | (sure <= 0.05))
    assert row["settled"] == pytest.approx(settled, abs=1e-3)


def test_a_nested_outcome_is_counted_together_with_its_parent(fit, folder):
    n, disease, names = 2, "second", ("improvement", "remission")
    result = mp.design.next(
        fit=fit, outcome="remission", disease=disease, n=n, n_min=n, n_max=n, threshold=0.4
    )
    (row,) = result.table.to_dict("records")
    now = again(folder, outcomes=names)
    above = now.probability_above("remission", 0.4)[disease]
    assert result.answer.places[0].above_now == pytest.approx(above, abs=5e-4)
    pairs = [(y, z) for y in range(n + 1) for z in range(y + 1)]
    after = [
        again(folder, disease, dict(zip(names, pair, strict=True)), n, names) for pair in pairs
    ]
    gain, width = learnt(after, now, chances_of(after, now), "remission", disease)
    assert row["variance_gain"] == pytest.approx(gain, abs=3e-4)
    assert row["width_expected"] == pytest.approx(width, abs=2e-3)


def chances_of(after, now):
    """Probability of each count, as the ratio of the evidence with it and without."""
    logs = [sum(each.log_marginal_likelihood.values()) for each in (*after, now)]
    chances = np.exp(np.array(logs[:-1]) - logs[-1])
    assert chances.sum() == pytest.approx(1, abs=1e-3)
    return chances


def learnt(after, now, chances, outcome, disease):
    """Fall of the variance, and expected width, over every count."""
    found = [rate(each, outcome, disease) for each in after]
    left = chances @ [each["sd"] ** 2 for each in found]
    width = chances @ [each["q97.5"] - each["q2.5"] for each in found]
    return rate(now, outcome, disease)["sd"] ** 2 - left, width


def test_gains_grow_with_the_trial_up_to_what_one_trial_can_teach(result):
    for (outcome, disease), rows in result.table.groupby(["outcome", "disease"]):
        gains = rows.sort_values("n")[["variance_gain", "variance_gain_all"]].to_numpy()
        assert np.all(gains >= 0)
        assert np.all(np.diff(gains, axis=0) >= 0)
        (place,) = [
            each
            for each in result.answer.places
            if (each.outcome, each.disease) == (outcome, disease)
        ]
        assert rows["share"].max() <= place.most <= 1
        assert rows["share_all"].max() <= place.most_all <= 1


def test_patients_needed_are_the_fewest(fit, result):
    for place in result.answer.places:
        if place.needed is None:
            largest = result.table.query("outcome == @place.outcome and disease == @place.disease")
            assert largest["share"].max() < 0.3
            continue
        sizes = {"n_min": max(place.needed - 1, 1), "n_max": place.needed, "n": place.needed}
        asked = {"fit": fit, "outcome": place.outcome, "disease": place.disease}
        shares = mp.design.next(**asked, **sizes).table.set_index("n")["share"]
        assert shares[place.needed] >= 0.3
        assert place.needed == 1 or shares[place.needed - 1] < 0.3


def test_deaths_are_watched_as_long_as_the_trial_lasts(fit):
    asked = {"fit": fit, "outcome": "death", "n": 20, "n_min": 20, "n_max": 20}
    short, long = (mp.design.next(**asked, months=months).table for months in (1, 36))
    assert np.all(long["variance_gain"] > 1.5 * short["variance_gain"])
    assert np.allclose(long["sd_now"], short["sd_now"])


def test_two_sentences_an_outcome_say_numbers_of_the_table(result):
    told = result.paragraph.splitlines()
    assert len(told) == result.table["outcome"].nunique()
    for line, (outcome, rows) in zip(
        told, result.table.groupby("outcome", sort=False), strict=True
    ):
        rows = rows[rows["n"] == 5]
        best, wide = (
            rows.loc[rows[name].idxmax()] for name in ("variance_gain", "variance_gain_all")
        )
        assert f"about their own disease in {best['disease']}" in line, outcome
        assert f"fall by {100 * best['share']:.0f} %" in line
        assert f"fall by {100 * wide['share_all']:.2g} %" in line
        assert line.count(". ") == 1


def test_one_disease_is_not_compared_with_others(fit):
    told = mp.design.next(fit=fit, outcome="improvement", disease="first", n=5, n_max=10).paragraph
    assert "most" not in told
    assert told.startswith("Improvement: 5 further patients in first: the variance of its rate")
    assert "Averaged over the 2 diseases the variances are expected to fall by" in told


def test_wishes_beyond_one_trial_are_told_so(fit):
    result = mp.design.next(fit=fit, outcome="improvement", gain=0.99, n_max=40)
    assert "beyond any one trial, however large (at most" in result.paragraph
    assert all(place.needed is None for place in result.answer.places)
    some = max(place.most for place in result.answer.places)
    slow = mp.design.next(fit=fit, outcome="improvement", gain=0.999 * some, n_max=40)
    assert "needs more than 40 patients" in slow.paragraph


def test_a_conclusion_that_is_settled_is_not_settled_again(fit):
    result = mp.design.next(fit=fit, outcome="improvement", threshold=0.01, n_max=40)
    assert result.table["settled"].isna().all()
    assert "is settled already (it does, probability above 0.99)" in result.paragraph


def test_a_line_a_disease_and_a_panel_an_outcome_are_drawn(result):
    drawn = {picture.name: picture.frame for picture in pictures(result)}
    assert set(drawn) == {"gain", "gain_all"}
    for frame in drawn.values():
        assert list(frame["panel"].unique()) == [
            "Improvement", "Remission", "Death within 12 months",
        ]  # fmt: skip
        assert set(frame["series"]) == {"First", "Second"}
        assert np.all(frame.query("x == 0")["value"] == 0)
        assert np.all(frame.groupby(["panel", "series"])["value"].diff().dropna() >= 0)


@pytest.mark.parametrize("pooling", ["complete", "exnex"])
def test_every_pooling_is_asked(folder, pooling):
    made = fitted(folder / "rows.csv", pooling=pooling)
    table = mp.design.next(fit=made, outcome="improvement", n=10, n_max=10).table
    spills = table["variance_gain_all"] / table["variance_gain"]
    expected = 1 if pooling == "complete" else 0.5
    assert np.all(spills >= expected - 1e-9)
    assert np.all(spills <= 1.5)


def test_outcomes_that_cannot_be_integrated_are_named(folder):
    text = ROWS + "alone,first,remission,2,8,12\n"
    with pytest.warns(NotIntegrated):
        made = fitted(folder / "alone.csv", text)
    result = mp.design.next(fit=made)
    assert "remission" not in set(result.table["outcome"])
    note = "Note: Remission cannot be integrated exactly: alone: no row of improvement."
    assert note in result.paragraph
    assert result.to_dict()["left_out"][0] == note
    assert result.to_dict()["not_integrated"] == ["remission"]
    # Asked for by name or not, improvement says that it is not what the fit of both would say.
    unread = "Note: Improvement is integrated without what rows of remission say of it"
    for asked in (result, mp.design.next(fit=made, outcome="improvement")):
        assert asked.to_dict()["without_nested"] == {"improvement": "remission"}
        assert unread in asked.paragraph


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"disease": "frist"}, "unknown disease 'frist'"),
        ({"outcome": "improvment"}, "unknown outcome 'improvment'"),
        ({"gain": 1.2}, "gain 1.2: give a value between 0 and 1"),
        ({"threshold": 0}, "threshold 0: give a value between 0 and 1"),
        ({"level": 0.4}, "level 0.4 settles nothing"),
        ({"n_min": 50, "n_max": 20}, "n_max 20 is below n_min 50"),
        ({"n": 0}, "n 0: give a whole number of at least 1"),
        ({"n_max": 3000}, "n_max 3000: give at most 2000 patients"),
        ({"months": 0}, "months 0: give a follow-up above 0"),
    ],
)
def test_senseless_requests_are_refused_in_a_line(fit, words, message):
    with pytest.raises(InputError) as refused:
        mp.design.next(fit=fit, **words)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_values_are_json_ready(result):
    told = result.to_dict()
    assert set(told["table"][0]) >= {
        "outcome", "disease", "n", "sd_now", "variance_gain", "variance_gain_all", "width_now",
        "width_expected", "settled",
    }  # fmt: skip
    assert "fit" not in told["request"]
    assert told["numerical_error"] < 1e-3
    assert pd.DataFrame(told["table"]).shape[0] == len(result.table)
