"""The recommended number under each prior set: that of a fit under that set, made by itself."""

import numpy as np
import pytest

import mscpool as mp
from mscpool.analysis.trial.set_priors import chosen_sets
from mscpool.data.errors import InputError
from mscpool.figures.design_sets import draw_design_sets
from mscpool.figures.style import make_style
from mscpool.models.priors.catalogue import CATALOGUE

ROWS = {
    "study": ["s1", "s2", "s3", "s4"],
    "disease": ["first", "first", "second", "second"],
    "events": [9, 11, 14, 12],
    "n": [16, 20, 22, 25],
}
SETS = ("default", "sceptical", "near_complete_pooling", "tau_uniform")
PLAN = {"null": 0.35, "n_max": 120, "disease": "first", "assurance": 0.82}


@pytest.fixture(scope="module")
def evidence():
    import pandas as pd

    return mp.load_evidence(pd.DataFrame(ROWS))


def fitted(evidence, name):
    return mp.fit(evidence, priors=name, engine="exact")


@pytest.fixture(scope="module")
def compared(evidence):
    return mp.design.single_arm(fit=fitted(evidence, "default"), sets=",".join(SETS), **PLAN)


@pytest.mark.parametrize("name", SETS)
def test_each_row_is_the_answer_of_a_fit_under_its_set(evidence, compared, name):
    alone = mp.design.single_arm(fit=fitted(evidence, name), **PLAN).to_dict()
    row = next(each for each in compared.to_dict()["by_set"] if each["set"] == name)
    assert row["recommended_n"] == alone["recommended_n"]
    assert [dict(each) for each in row["discounts"]] == alone["discounts"]
    # Both read the same density, at other points.
    assert row["highest_attainable_assurance"] == pytest.approx(
        alone["highest_attainable_assurance"], abs=2e-3
    )
    if row["recommended_n"] is not None:
        size = next(each for each in alone["table"] if each["n"] == row["recommended_n"])
        assert (row["critical"], row["type1"]) == (size["critical"], size["type1"])
        assert row["assurance"] == pytest.approx(size["assurance"], abs=1e-3)


def test_the_paragraph_says_between_which_numbers(compared):
    rows = {row["set"]: row["recommended_n"] for row in compared.to_dict()["by_set"]}
    known = {name: n for name, n in rows.items() if n is not None}
    assert len(set(known.values())) > 1
    low, high = min(known, key=known.get), max(known, key=known.get)
    said = f"between {known[low]} and {known[high]}: the smallest under {low}, the largest under"
    assert f"Under the 4 prior sets compared the number is {said} {high}" in compared.paragraph
    for name in set(rows) - set(known):
        assert name in compared.paragraph.partition("; under")[2]
    assert compared.asked["sets"] == list(SETS)
    table = compared.answer.by_set.table
    assert table["set"].tolist() == list(SETS)
    assert "n at discount 0.5" in table


def test_an_analysis_prior_of_the_fit_follows_the_set(evidence):
    fit = fitted(evidence, "default")
    asked = {**PLAN, "n_max": 60, "analysis_prior": "full"}
    found = mp.design.single_arm(fit=fit, sets=["near_complete_pooling"], **asked).to_dict()
    alone = mp.design.single_arm(fit=fitted(evidence, "near_complete_pooling"), **asked).to_dict()
    row = found["by_set"][0]
    assert row["recommended_n"] == alone["recommended_n"]
    assert row["recommended_n"] is not None
    size = next(each for each in alone["table"] if each["n"] == row["recommended_n"])
    assert row["critical"] == size["critical"]


def test_the_picture_has_a_mark_for_every_number(compared):
    frame = compared.answer.by_set.frame
    figure = draw_design_sets(frame, make_style("single"), 120)
    axes = figure.axes[0]
    marks = sorted(
        float(x) for line in axes.lines if line.get_marker() == "o" for x in line.get_xdata()
    )
    np.testing.assert_array_equal(marks, sorted(frame["value"].dropna()))
    alone = frame[(frame["x"] == 0) & frame["value"].isna()]
    assert [t.get_text() for t in axes.texts].count("none up to 120") == len(alone) > 0
    assert "sets" in compared.pictures


def test_sets_are_named_with_commas_again_or_all():
    assert [each.name for each in chosen_sets("all")] == list(CATALOGUE)
    assert [each.name for each in chosen_sets(["sceptical, default", "default"])] == [
        "sceptical",
        "default",
    ]
    with pytest.raises(InputError, match="unknown prior set 'scptical'"):
        chosen_sets("scptical")
    mine = 'name = "mine"\n[mu]\ndist = "Normal"\nmu = 0\nsigma = 3\n'
    with pytest.raises(InputError, match="two are called mine"):
        chosen_sets([mine, mine.replace("3", "4")])


def test_sets_want_priors_of_a_fit():
    with pytest.raises(InputError, match="taken from a fit: name a disease and an outcome"):
        mp.design.single_arm(null=0.3, sets="all")
