"""Designs as they are asked from Python: priors of a fit by name; results that show themselves."""

import html
import inspect
import warnings

import pandas as pd
import pytest
from matplotlib.figure import Figure

import mscpool as mp
from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.guard.result import CheckResult, OutcomeVerdict
from mscpool.analysis.trial.fit_priors import FitPriors
from mscpool.data.errors import InputError
from mscpool.models.effects.priors import EFFECT_SETS

ROWS = """study,disease,outcome,events,n
s1,first <b>,improvement,3,10
s2,first <b>,improvement,5,12
s3,second,improvement,7,9
s1,first <b>,serious,1,10
s3,second,serious,0,9
"""
WHERE = {"disease": "second", "outcome": "improvement"}


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    path = tmp_path_factory.mktemp("of_fit") / "rows.csv"
    path.write_text(ROWS, "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotIntegrated)
        return mp.fit(mp.load_evidence(path), engine="exact")


ASKED = {
    "single_arm": {"null": 0.3, "n_max": 30},
    "monitor": {"null": 0.3, "look": [10, 20], "futility": 0.1},
}


@pytest.mark.parametrize("name", ASKED)
def test_priors_named_for_a_fit_are_those_that_it_gives(fit, name):
    design, words = getattr(mp.design, name), ASKED[name]
    priors = FitPriors(fit, WHERE["outcome"], WHERE["disease"])
    given = {"design_prior": priors.new_study, "analysis_prior": priors.map_prior}
    by_hand = design(**words, **given).to_dict()
    # Who names a disease means what the fit says of its next trial.
    assert design(fit=fit, **WHERE, **words, analysis_prior="map").to_dict() == by_hand


def test_the_worth_of_a_prior_of_a_fit_is_told(fit):
    found = mp.design.ess(fit=fit, prior="map", **WHERE)
    assert found.answer.distance is not None
    assert found.behind.disease == "second"


def test_the_verdict_of_the_guard_is_stated_where_it_is_handed_in(fit):
    said = {"fit": fit, **WHERE, "null": 0.3, "n_max": 10, "design_prior": "new-study"}
    assert "(guard: unchecked)" in mp.design.single_arm(**said).paragraph
    checked = CheckResult("warn", (OutcomeVerdict("improvement", "warn", "Reason.", ()),))
    found = mp.design.single_arm(**said, checked=checked)
    assert "(guard: warn)" in found.paragraph
    assert found.behind.verdict == "warn"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"design_prior": "new-study"}, "design_prior new-study is taken from a fit: give fit"),
        ({"fit": True, **WHERE, "design_prior": "beta(1,1)"}, "nothing is taken from a fit"),
        ({"disease": "second"}, "nothing is taken from a fit"),
        ({"fit": True, "disease": "secnd", "outcome": "improvement"}, "unknown disease 'secnd'"),
        ({"fit": True, "outcome": "improvement"}, "a prior of a fit needs a disease"),
        ({"fit": True, **WHERE, "design_prior": "full"}, "design_prior full: the full re-analysis"),
        ({"fit": True, **WHERE, "robust_weight": 2}, "robust weight 2"),
    ],
)
def test_what_cannot_be_had_from_a_fit_is_refused_in_a_line(fit, words, message):
    asked = words | ({"fit": fit} if "fit" in words else {})
    with pytest.raises(InputError) as refused:
        mp.design.single_arm(null=0.3, n_max=10, **asked)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


ALL = {
    "single_arm": {"null": 0.3, "n_max": 40, "design_prior": "beta(8,4)"},
    "two_arm": {"n_experimental": 5, "n_control": 5},
    "precision": {"width": 0.4, "n_max": 60},
    "safety": {"null": 0.1},
    "monitor": {"null": 0.3, "look": [10, 20], "futility": 0.1},
    "two_stage": {"null": 0.2, "target": 0.5, "n_max": 25},
    "ess": {"prior": "beta(3,7)"},
    "next": {"outcome": "improvement", "n_max": 20},
}


@pytest.mark.parametrize("name", ALL)
def test_a_result_shows_itself_in_a_line_as_a_page_and_as_a_picture(fit, name):
    words = ALL[name] | ({"fit": fit} if name == "next" else {})
    result = getattr(mp.design, name)(**words)
    line = repr(result)
    assert len(line) < 120
    assert "\n" not in line
    assert name.replace("_", "-") in line
    page = result._repr_html_()
    assert page.count("<table") == 1
    assert "<b>" not in page
    assert html.escape(result.paragraph.splitlines()[0]) in page
    assert len(result.table)
    figure = result.figure()
    assert isinstance(figure, Figure)
    last = result.pictures[-1]
    assert isinstance(result.figure(last, preset="slide"), Figure)
    with pytest.raises(InputError, match="unknown picture 'none'"):
        result.figure("none")


def test_every_design_says_what_it_takes():
    for name in ("single_arm", "two_arm", "precision", "safety", "monitor", "ess"):
        design = getattr(mp.design, name)
        assert {"fit", "disease", "outcome", "checked"} <= set(inspect.signature(design).parameters)
        assert "fit : xarray.DataTree" in inspect.getdoc(design)
    assert "fit" not in inspect.signature(mp.design.two_stage).parameters


CONTROLLED = pd.DataFrame(
    {
        "study": ["A", "A", "B", "B", "C"],
        "disease": ["first", "first", "first", "first", "second"],
        "arm": ["msc", "control", "msc", "control", "msc"],
        "events": [9, 4, 7, 5, 8],
        "n": [20, 21, 15, 16, 12],
    }
)


@pytest.fixture(scope="module")
def effects():
    return mp.effects(mp.load_evidence(CONTROLLED), check=False)


def test_two_arms_take_effect_and_control_rate_from_effects(effects):
    sized = {"n_experimental": 8, "n_control": 4}
    found = mp.design.two_arm(fit=effects, disease="first", **sized)
    said = found.asked
    assert said["effect_prior"].startswith("the next study's log odds ratio for response in first")
    assert said["design_prior_control"].startswith("the rate of the next control arm")
    assert found.behind.verdict == "unchecked"
    by_map = mp.design.two_arm(fit=effects, disease="first", analysis_prior_control="map", **sized)
    assert by_map.asked["analysis_prior_control"].startswith("the MAP prior")


@pytest.mark.parametrize("prior", ["design_prior", "design_prior_control", "analysis_prior",
                                   "analysis_prior_control"])  # fmt: skip
def test_no_treated_rate_becomes_that_of_a_control_arm(fit, prior):
    asked = {prior: "map", "n_experimental": 5, "n_control": 5, "design_prior_experimental": "0.5"}
    with pytest.raises(InputError, match=r"control patients are not|are taken from effects"):
        mp.design.two_arm(fit=fit, **WHERE, **asked)


def test_an_effect_is_not_taken_from_a_fit_of_rates(fit, effects):
    sized = {"n_experimental": 5, "n_control": 5, "design_prior_control": "0.3"}
    with pytest.raises(InputError, match="give fit the effects that"):
        mp.design.two_arm(fit=fit, **WHERE, effect_prior="new-study", **sized)
    with pytest.raises(InputError, match="taken from a fit: give fit"):
        mp.design.two_arm(fit=effects, disease="first", design_prior_experimental="rate", **sized)


def test_the_size_of_two_arms_under_each_prior_set_is_that_of_effects_under_it(effects):
    asked = {"disease": "first", "n_min": 30, "n_max": 60, "assurance": 0.25}
    found = mp.design.two_arm(fit=effects, sets="default,turner_outcomes", **asked)
    rows = found.to_dict()["by_set"]
    assert [row["set"] for row in rows] == ["default", "turner_outcomes"]
    other = mp.effects(
        mp.load_evidence(CONTROLLED), priors=EFFECT_SETS["turner_outcomes"], check=False
    )
    for row, fit in zip(rows, (effects, other), strict=True):
        alone = mp.design.two_arm(fit=fit, **asked).to_dict()
        assert row["recommended_n"] == alone["recommended_n"] is not None
        size = alone["table"][row["recommended_n"] - 30]
        assert row["assurance"] == pytest.approx(size["assurance"], abs=1e-6)
        assert row["highest_attainable_assurance"] == pytest.approx(
            alone["highest_attainable_assurance"], abs=1e-6
        )
    assert rows[0]["highest_attainable_assurance"] != rows[1]["highest_attainable_assurance"]
    assert "Under the 2 prior sets compared" in found.paragraph
    assert "sets" in found.pictures
    with pytest.raises(InputError, match="unknown prior set for effects"):
        mp.design.two_arm(fit=effects, sets="sceptical", **asked)
    with pytest.raises(InputError, match="sets compare sizes under an effect"):
        mp.design.two_arm(effect_prior="0.3", design_prior_control="0.3", sets="all")
