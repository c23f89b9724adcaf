"""``mscpool design two-arm``: the effect and the control rate of the next controlled trial."""

import json

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from mscpool.analysis.effects.results import contrasts, load_effects
from mscpool.analysis.terminal import cli

TABLE = """study,disease,arm,events,n
A,first,msc,12,20
A,first,control,5,21
B,first,msc,10,15
B,first,control,5,16
C,second,msc,8,12
D,third,msc,9,12
D,third,control,4,12
"""
SIZES = ("--n-experimental", 20, "--n-control", 10)


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "arms.csv"
    path.write_text(TABLE)
    done = run("effects", path, "--out", path.parent / "out")
    assert done.exit_code == 0, done.output
    return path.parent / "out"


def design(folder, tmp_path, *words):
    return run("design", "two-arm", "--fit", folder, "--out", tmp_path, *words, "--json")


def answer(folder, tmp_path, *words):
    done = design(folder, tmp_path, *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_named_disease_gets_its_effect_and_its_control_arms(folder, tmp_path):
    words = ("--disease", "first", "--outcome", "response", "--allocation", 2, "--n-max", 40)
    found = answer(folder, tmp_path, *words)
    assert found["request"]["effect_prior"].startswith("the next study's log odds ratio")
    evidence = found["fit"]["evidence"]
    assert evidence["effect"] == {"evidence": "direct", "studies": 2, "patients": 72}
    assert evidence["control"] == {"evidence": "direct", "studies": 2, "patients": 37}
    # Of the effect alone whether the difference is above none.
    made = contrasts(load_effects(folder)).set_index(["disease", "quantity"])
    benefit = made.loc[("first", "new_study"), "probability_benefit"]
    assert found["highest_attainable_assurance"] == pytest.approx(benefit, abs=1e-6)
    assert 0 < found["attainable_alone"] < 1
    assert found["attainable_alone"] != found["highest_attainable_assurance"]
    assert f"alone it would be {found['attainable_alone']:.3f}" in found["paragraph"]
    size = found["table"][-1]
    assert (size["n_experimental"], size["n_control"]) == (27, 13)
    pictures = {path.name for path in tmp_path.glob("design_two_arm*")}
    assert any("priors" in name for name in pictures)


def test_control_arms_are_not_treated_arms(folder, tmp_path):
    """The control rate's prior centres on 10 of 37, not on 22 of 35."""
    words = ("--disease", "first", "--outcome", "response", "--analysis-prior-control", "map")
    found = answer(folder, tmp_path, *words, *SIZES)
    text = found["request"]["analysis_prior_control"]
    parts = (
        [
            [
                float(x)
                for x in part.replace("beta(", "").replace(")", "").replace("*", ",").split(",")
            ]
            for part in text.rpartition(", ")[2].split("+")
        ]
        if "*" in text
        else None
    )
    assert parts is not None
    weights, a, b = np.array(parts).T
    median = stats.beta.cdf(0.45, a, b) @ weights
    assert median > 0.9


def test_a_borrowed_effect_is_said_to_be_one(folder, tmp_path):
    words = ("--disease", "second", "--effect-prior", "effect", "--design-prior-control")
    found = answer(folder, tmp_path, *words, "beta(4,16)", *SIZES)
    assert found["fit"]["evidence"] == {
        "effect": {"evidence": "borrowed", "studies": 0, "patients": 0}
    }
    assert "borrowed from other diseases" in found["paragraph"]
    assert "attainable_alone" not in found


def test_effects_are_integrated_where_none_are_stored(folder, tmp_path):
    data = folder.parent / "arms.csv"
    words = ("--disease", "first", "--outcome", "response", *SIZES)
    stored = answer(folder, tmp_path, *words)
    anew = run("design", "two-arm", data, "--fit", tmp_path / "none", "--out", tmp_path, *words,
               "--json")  # fmt: skip
    assert anew.exit_code == 0, anew.output
    assert json.loads(anew.stdout)["table"] == stored["table"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--disease", "second"), "Second has no control arm of response: give design_prior_con"),
        (
            ("--disease", "second", "--design-prior-control", "0.2", "--effect-prior", "effect",
             "--analysis-prior-control", "robust-map"),
            "Second has no control arm of response: give",
        ),
        (
            ("--disease", "first", "--design-prior", "new-study"),
            "control patients are not those of treated arms; give design_prior_control",
        ),
        (
            ("--analysis-prior", "map", "--disease", "first"),
            "control patients are not those of treated arms; give analysis_prior_control",
        ),
        (("--effect-prior", "new-study", "--disease", "first"), "give design_prior_control"),
        (("--disease", "fourth"), "unknown disease"),
        (("--disease", "first", "--months", 6), "whose risk grows with time"),
        (("--analysis-prior-control", "full"), "full re-analysis"),
    ],
)  # fmt: skip
def test_what_cannot_be_had_gets_one_line(folder, tmp_path, words, said):
    done = design(folder, tmp_path, *words, *SIZES)
    assert done.exit_code == 2
    assert said in done.stderr
    assert done.stderr.strip().count("\n") == 0
    assert len(json.loads(done.stdout)["problems"]) == 1


def test_stored_effects_of_other_data_are_refused(folder, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text(TABLE.replace("12,20", "13,20"))
    done = run("design", "two-arm", other, "--fit", folder, "--disease", "first", *SIZES)
    assert done.exit_code == 2
    assert "effects of other data than" in done.stderr


def test_deaths_need_months_and_are_risks_over_them(tmp_path):
    data = tmp_path / "deaths.csv"
    data.write_text(
        "study,outcome,arm,months,events,n\nA,death,msc,12,4,30\nA,death,control,12,9,30\n"
        "B,death,msc,24,5,20\nB,death,control,24,8,21\n"
    )
    words = ("two-arm", data, "--fit", tmp_path / "none", "--out", tmp_path, "--disease", "all",
             "--direction", "below", *SIZES, "--json")  # fmt: skip
    refused = run("design", *words)
    assert refused.exit_code == 2
    assert "give months of follow-up" in refused.stderr
    year, half = (
        json.loads(run("design", *words, "--months", months).stdout) for months in (12, 6)
    )
    assert "log hazard ratio" in year["paragraph"]
    assert "as a risk over 6 months" in half["paragraph"]
    # In half the time fewer die: the same hazard ratio is harder to see.
    assert half["table"][0]["assurance"] < year["table"][0]["assurance"]


def test_a_fit_of_private_data_never_gets_the_effects_of_the_shipped_ones(folder, tmp_path):
    fit = tmp_path / "fit"
    done = run("fit", folder.parent / "arms.csv", "--engine", "exact", "--no-check", "--out", fit)
    assert done.exit_code == 0, done.output
    words = ("--disease", "first", "--outcome", "response")
    refused = design(fit, tmp_path / "out", *words, *SIZES)
    assert refused.exit_code == 2
    assert "no stored effects here, and a fit of other data" in refused.stderr


def test_a_watched_trial_writes_its_boundaries_and_its_protocol(tmp_path):
    words = ("--look", 10, "--look", 20, "--futility", 0.1, "--efficacy", 0.9, "--type1", 0.1)
    done = run("design", "two-arm", *words, "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [row["n_control"] for row in found["looks"]] == [5, 10]
    assert found["request"]["look"] == [10, 20]
    table = (tmp_path / "design_two_arm.csv").read_text().splitlines()
    assert len(table) == 1 + 6 + 11
    protocol = (tmp_path / "design_two_arm_protocol.md").read_text("utf-8")
    assert "Counts that end the trial, by look" in protocol
    assert "10 experimental patients and 10 control patients" in protocol
