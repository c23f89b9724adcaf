"""``mscpool effects`` keeps its contract."""

import json

import pytest
from typer.testing import CliRunner

from mscpool.analysis.terminal import cli

TABLE = """study,disease,arm,events,n
A,first,msc,9,20
A,first,control,4,21
B,first,msc,7,15
B,first,control,5,16
C,second,msc,8,12
"""


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "arms.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture(scope="module")
def answer(table, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    done = run("effects", table, "--json", "--unanchored", "--out", out)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout), out


def test_json_has_the_keys_of_the_contract(answer):
    found, _ = answer
    assert set(found) == {
        *("verdict", "effects", "hyper", "studies", "absolute", "randomised_only"),
        *("unanchored", "check", "messages", "run"),
    }
    effect = found["effects"][0]
    assert set(effect["ratio"]) == {"q2.5", "q50", "q97.5"}
    assert {
        *("outcome", "disease", "quantity", "scale", "mean", "sd", "q2.5", "q50", "q97.5"),
        *("probability_benefit", "studies", "patients", "evidence"),
    } <= set(effect)
    assert {one["quantity"] for one in found["effects"]} == {"effect", "new_study", "new_disease"}
    study = found["studies"][0]
    assert (study["treated"], study["control"]) == ([9, 9, 20], [4, 4, 21])
    means = found["absolute"][0]
    assert means["control_evidence"] == "direct"
    assert set(means["risk_ratio"]) == {"mean", "q2.5", "q50", "q97.5"}
    assert set(means["nnt"]) == {"benefit", "harm"}
    assert found["randomised_only"] is None
    assert found["unanchored"][0]["disease"] == "second"
    assert found["check"]["verdict"] == found["verdict"]
    assert found["run"]["engine"] == "exact"


def test_files_are_written(answer):
    _, out = answer
    assert {path.name for path in out.iterdir()} == {"effects.nc", "effects.csv", "check.json"}
    assert (out / "effects.csv").read_text("utf-8").splitlines()[0].startswith("outcome,disease,")


def test_the_table_is_printed(table, tmp_path):
    done = run("effects", table, "--no-check", "--control-rate", "0.3", "--out", tmp_path)
    assert done.exit_code == 0
    assert "Odds ratio (95 %)" in done.stdout
    assert "borrowed" in done.stdout
    assert "guard: unchecked" in done.stdout
    assert not (tmp_path / "check.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--control-rate", "1.5"), "the control rate must lie between 0 and 1, not 1.5"),
        (("--control-rate", "0"), "the control rate must lie between 0 and 1, not 0"),
        (("--priors", "flat"), "unknown prior set for effects 'flat'"),
        (("--engine", "vi"), "unknown engine 'vi'"),
        (("--randomised",), "no controlled study is known to be randomised"),
        (("--pooling", "some"), "unknown pooling"),
        (("--disease", "second"), "no outcome has rows of a control arm"),
    ],
)
def test_bad_requests_get_one_line_and_status_2(table, tmp_path, words, said):
    done = run("effects", table, "--out", tmp_path, *words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len([line for line in done.stderr.splitlines() if said in line]) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("study,events,n\nA,3,10\n", "no outcome has rows of a control arm"),
        ("study,arm,events,n\nA,msc,0,0\nA,control,1,4\n", "n"),
    ],
)
def test_bad_data_get_status_2(tmp_path, text, said):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    done = run("effects", path, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_prior_file_with_a_baseline_is_taken(table, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\n[baseline]\ndist = "Normal"\nmu = 0\nsigma = 3\n')
    words = ("--priors", file, "--json", "--no-check", "--out", tmp_path / "out")
    done = run("effects", table, *words)
    assert done.exit_code == 0, done.output
    priors = json.loads(done.stdout)["run"]["priors"]
    assert (priors["name"], priors["baseline"]["sigma"]) == ("mine", 3.0)


def test_a_control_arm_alone_is_named(tmp_path):
    path = tmp_path / "alone.csv"
    path.write_text(TABLE + "D,second,control,3,12\n")
    done = run("effects", path, "--no-check", "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "study D: its control arm has no treated arm to be compared with" in done.stderr
