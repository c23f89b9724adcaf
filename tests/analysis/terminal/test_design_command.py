"""The designs on the command line: priors of a fit, senseless requests, shapes of the answers."""

import inspect
import json
import re

import pytest
from typer.testing import CliRunner

from mscpool.analysis.guard.result import CheckResult, OutcomeVerdict
from mscpool.analysis.terminal import cli
from mscpool.analysis.terminal.design_options import OPTIONS
from mscpool.analysis.trial import design
from mscpool.analysis.trial.requests import REQUESTS

TABLE = """study,disease,outcome,events,n
A,first,improvement,3,10
A,first,serious,0,10
B,first,improvement,5,12
B,first,serious,1,12
C,second,improvement,7,9
D,second,improvement,2,10
D,second,any_ae,2,10
D,second,moderate_severe_ae,1,10
E,second,moderate_severe_ae,2,10
"""
ASKED = ("--disease", "first", "--outcome", "improvement")


def run(*words):
    return CliRunner().invoke(cli.app, ["design", *(str(word) for word in words)])


def answered(*words, out):
    done = run(*words, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "small.csv"
    path.write_text(TABLE, "utf-8")
    return path


@pytest.fixture(scope="module")
def stored(table, tmp_path_factory):
    """Folder of an integrated, unchecked fit of the small table."""
    out = tmp_path_factory.mktemp("results")
    words = ["fit", str(table), "--engine", "exact", "--no-check", "--out", str(out)]
    assert CliRunner().invoke(cli.app, words).exit_code == 0
    return out


@pytest.mark.parametrize(
    "words",
    [
        ("single-arm", "--null", "0.3", "--n-max", "20"),
        ("safety", "--null", "0.1", "--n-max", "20"),
        ("monitor", "--null", "0.3", "--look", "8", "--look", "16", "--futility", "0.1"),
    ],
    ids=lambda words: words[0],
)
def test_a_trial_may_be_analysed_beside_all_studies(stored, tmp_path, words):
    found = answered(*words, "--fit", stored, *ASKED, "--analysis-prior", "full", out=tmp_path)
    assert "the full re-analysis with all studies, as a trial in first" in found["paragraph"]
    assert "guard: unchecked" in found["paragraph"]
    assert found["fit"] == {
        "outcome": "improvement", "disease": "first", "verdict": "unchecked", "map": None
    }  # fmt: skip
    assert (tmp_path / f"design_{words[0].replace('-', '_')}_priors.svg").is_file()
    assert (tmp_path / "design.csv").read_text("utf-8").splitlines()[1].endswith(",unchecked")


def test_the_mixture_of_a_map_prior_is_told_with_its_distance(stored, tmp_path):
    words = ("single-arm", "--null", "0.3", "--n-max", "20", "--fit", stored, *ASKED)
    found = answered(*words, "--analysis-prior", "robust-map", out=tmp_path)
    told = found["fit"]["map"]
    assert set(told) == {"prior", "distance", "total_variation", "criterion"}
    assert f"within {told['distance']:.2g} of the distribution" in found["paragraph"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("two-arm", "--analysis-prior", "full"), "in two-arm use map or robust-map"),
        (("two-arm", "--analysis-prior-control", "full"), "in two-arm use map or robust-map"),
        (("precision", "--width", "0.3", "--analysis-prior", "full"), "in precision use map"),
        (("ess", "--prior", "full"), "is an analysis, not a prior; use new-study or map"),
        (("single-arm", "--null", "0.3", "--design-prior", "full"), "use new-study or map"),
        (("single-arm", "--null", "0.3", "--robust-weight", "2"), "robust_weight 2: give a weight"),
        (("single-arm", "--null", "0.3", "--analysis-prior", "new-study"), "map or robust-map"),
    ],
)  # fmt: skip
def test_priors_out_of_place_are_refused_in_a_line(stored, tmp_path, words, said):
    refused(*words, "--fit", stored, *ASKED, said=said, out=tmp_path / "out")


def refused(*words, said, out):
    done = run(*words, "--out", out)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


@pytest.mark.parametrize(
    ("design", "option"),
    [("single-arm", "analysis_prior"), ("single-arm", "design_prior"), ("ess", "prior")],
)
def test_every_kind_of_prior_that_the_help_offers_is_taken(stored, tmp_path, design, option):
    (described,) = OPTIONS[option].__metadata__
    rest = () if design == "ess" else ("--null", "0.2", "--n-max", "12")
    for prior in ("0.3", "new-study", "rate", "full"):
        offered = re.search(rf"(?<![\w-]){re.escape(prior)}(?![\w-])", described.help)
        named = f"--{option.replace('_', '-')}"
        done = run(design, named, prior, *rest, "--fit", stored, *ASKED, "--out", tmp_path)
        assert (done.exit_code == 0) == bool(offered), (prior, done.output)


def test_an_outcome_that_cannot_be_integrated_is_refused_with_its_rows(stored, tmp_path):
    words = ("single-arm", "--null", "0.3", "--fit", stored, "--disease", "second")
    refused(
        *(*words, "--outcome", "moderate_severe_ae", "--analysis-prior", "full"),
        said="E: no row of any adverse event",
        out=tmp_path / "out",
    )


@pytest.mark.parametrize(
    "words",
    [
        ("ess", "--prior", "map"),
        ("single-arm", "--null", "0.3", "--n-max", "20", "--analysis-prior", "robust-map"),
        ("precision", "--width", "0.5", "--n-max", "40", "--analysis-prior", "map"),
        ("two-arm", "--n-max", "8", "--analysis-prior-experimental", "map"),
        ("safety", "--null", "0.3", "--n-max", "20", "--analysis-prior", "map"),
        ("monitor", "--null", "0.3", "--look", "10", "--analysis-prior", "map"),
    ],
)
def test_no_answer_drowns_its_reader_in_digits(stored, tmp_path, words):
    done = run(*words, "--fit", stored, *ASKED, "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "beta(" in done.stdout
    assert not re.search(r"\d\.\d{6}", done.stdout)


def test_sizes_under_discounts_are_in_table_answer_and_paragraph(tmp_path):
    words = ("single-arm", "--null", "0.2", "--design-prior", "beta(12,18)", "--n-max", "60")
    found = answered(*words, out=tmp_path)
    printed = run(*words, "--out", tmp_path).stdout
    assert "Recommended number under discounts for optimism" in printed
    assert [row["discount"] for row in found["discounts"]] == [0.0, 0.25, 0.5, 0.75, 1.0]
    for row in found["discounts"]:
        size = "none" if row["recommended_n"] is None else row["recommended_n"]
        assert f"{size} at {row['discount']:g}" in found["paragraph"]
    assert f"From a discount of {found['discount_limit']:.2f} on" in found["paragraph"]


def test_a_fit_named_by_its_file_keeps_its_verdict(stored, table, tmp_path, monkeypatch):
    from mscpool.analysis.fitting.store import load, run_config

    outcomes = (OutcomeVerdict("improvement", "warn", "Because."),)
    whole = CheckResult("warn", outcomes, run=run_config(load(stored)))
    (stored / "check.json").write_text(json.dumps(whole.to_dict()), "utf-8")
    try:
        for place in (stored, stored / "fit.nc"):
            words = ("single-arm", "--null", "0.3", "--n-max", "12", "--fit", place, *ASKED)
            assert answered(*words, out=tmp_path)["fit"]["verdict"] == "warn"
    finally:
        (stored / "check.json").unlink()


def test_designs_in_one_folder_keep_each_others_files(tmp_path):
    answered("safety", "--null", "0.1", "--n-max", "20", out=tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.iterdir()}
    answered("two-stage", "--null", "0.2", "--target", "0.5", out=tmp_path)
    assert (tmp_path / "design_two_stage.csv").is_file()
    table = first.pop(tmp_path / "design.csv")
    assert first[tmp_path / "design_safety.csv"] == table
    assert {path: path.read_bytes() for path in first} == first


def test_a_range_without_a_two_stage_design_is_said_in_words(tmp_path):
    words = ("two-stage", "--null", "0.2", "--target", "0.25", "--n-max", "20")
    said = " ".join(run(*words, "--out", tmp_path).stdout.split())
    assert "No two-stage design with up to 20 patients tests a response rate of 0.2" in said
    assert "Allow more patients" in said


@pytest.mark.parametrize(
    "words",
    [
        ("single-arm", "--null", "0"),
        ("two-arm", "--control-rate", "0", "--effect", "0.2"),
        ("safety", "--null", "1", "--target", "0.5"),
        ("monitor", "--null", "0.2", "--rate", "0", "--look", "10"),
    ],
    ids=lambda words: words[0],
)
def test_a_rate_of_zero_is_refused_with_its_reason(tmp_path, words):
    refused(*words, said="one patient can refute", out=tmp_path / "out")


def test_the_only_disease_and_outcome_of_a_fit_need_not_be_named(tmp_path):
    (tmp_path / "one.csv").write_text("study,events,n\nA,3,10\nB,5,12\n", "utf-8")
    fit = ["fit", str(tmp_path / "one.csv"), "--engine", "exact", "--no-check"]
    assert CliRunner().invoke(cli.app, [*fit, "--out", str(tmp_path)]).exit_code == 0
    words = ("ess", "--prior", "robust-map", "--fit", tmp_path)
    found = answered(*words, out=tmp_path)
    assert (found["fit"]["disease"], found["fit"]["outcome"]) == ("all", "response")
    assert answered(*words, "--disease", "all", out=tmp_path)["fit"] == found["fit"]


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request.design)
def test_a_design_takes_the_keywords_and_options_of_its_request(request_):
    function = getattr(design, request_.design.replace("-", "_"))
    keywords = inspect.signature(function).parameters
    assert set(keywords) >= set(request_.keywords())
    shown = run(request_.design, "--help").stdout
    for name in request_.keywords():
        assert f"--{name.replace('_', '-')} " in shown, name
    documented = re.findall(r"^([a-z_0-9, ]+) : ", inspect.getdoc(function), re.M)
    assert set(keywords) <= {name for names in documented for name in names.split(", ")} | {
        # As in single_arm, says the docstring of monitor.
        *single_arm_keywords(function)
    }


def single_arm_keywords(function):
    line = re.search(r"^(null, .*)\n    As in `single_arm`", inspect.getdoc(function), re.M)
    return line[1].split(", ") if line else ()


def test_the_next_patients_are_asked_of_a_stored_fit(stored, tmp_path):
    words = ("next", "--fit", stored, "--n", "10", "--n-max", "20", "--gain", "0.2")
    found = answered(*words, out=tmp_path)
    assert {row["outcome"] for row in found["table"]} == {"improvement", "serious", "any_ae"}
    assert found["fit"]["verdict"] == "unchecked"
    one = answered(*words, *ASKED, out=tmp_path)["table"]
    assert one == [
        row
        for row in found["table"]
        if (row["outcome"], row["disease"]) == ("improvement", "first")
    ]
    written = {path.name for path in tmp_path.iterdir()}
    assert written >= {"design.csv", "design_next.csv", "design_next_gain.svg"}
    refused("next", "--fit", stored, "--outcome", "nothing", said="unknown", out=tmp_path / "no")
    shown = run(*words, "--out", tmp_path).stdout
    assert "would teach most about their own disease" in " ".join(shown.split())


def test_a_protocol_stands_beside_the_table(tmp_path, monkeypatch):
    monkeypatch.undo()  # every format
    words = ("monitor", "--null", "0.3", "--look", "10", "--look", "20", "--dropout", "0.2")
    found = answered(*words, "--preset", "slide", out=tmp_path)
    assert found["enrolment"] == {"dropout": 0.2, "patients": 25}
    text = (tmp_path / "design_monitor_protocol.md").read_text("utf-8")
    assert "With a drop-out of 20 %, the trial enrols 25 patients." in text
    assert (tmp_path / "design_monitor_protocol.docx").read_bytes()[:2] == b"PK"
    for end in ("pdf", "svg", "png", "tiff"):
        assert (tmp_path / f"design_monitor_operating.{end}").stat().st_size > 1000
    refused(*words[:-1], "1", said="dropout 1: give a share", out=tmp_path / "no")
    refused(*words, "--preset", "poster", said="preset 'poster'", out=tmp_path / "no")
    # What plans no trial takes no drop-out.
    assert run("ess", "--prior", "beta(1,1)", "--dropout", "0.1").exit_code == 2
