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
    assert {path.name for path in out.iterdir()} == {
        "effects.nc",
        "effects.csv",
        "effects_check.json",
    }
    assert (out / "effects.csv").read_text("utf-8").splitlines()[0].startswith("outcome,disease,")


def test_the_table_is_printed(table, tmp_path):
    done = run("effects", table, "--no-check", "--control-rate", "0.3", "--out", tmp_path)
    assert done.exit_code == 0
    assert "Odds ratio (95 %)" in done.stdout
    assert "borrowed" in done.stdout
    assert "guard: unchecked" in done.stdout
    assert not (tmp_path / "effects_check.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--control-rate", "1.5"), "the control rate must lie between 0 and 1, not 1.5"),
        (("--control-rate", "0"), "the control rate must lie between 0 and 1, not 0"),
        (("--control-rate", "1"), "the control rate must lie between 0 and 1, not 1"),
        (("--control-rate", "nan"), "the control rate must lie between 0 and 1, not nan"),
        (("--priors", "none.toml"), "none.toml:1: file: there is no such file"),
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
        ("study,arm,events,n\nA,msc,0,0\nA,control,1,4\n", "2: n: 0 is too small"),
        ("study,arm,events,n\nA,msc,1,4\nA,control,0,0\n", "3: n: 0 is too small"),
        ("study,arm,events,n\nB,control,1,9\n", "at least one treated arm is needed"),
        ("study,arm,events,n\nA,msc,5,4\nA,control,0,2\n", "5 events are more than the 4"),
    ],
)
def test_bad_data_get_status_2(tmp_path, text, said):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    done = run("effects", path, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[sigma]\ndist = "HalfNormal"\nsigma = -1\n', "sigma must be positive, not -1"),
        ('[sigma]\ndist = "Normal"\nmu = 0\nsigma = 1\n', "sigma is a standard deviation"),
        ('[tau]\ndist = "Flat"\n', "unknown distribution 'Flat'"),
        ('[baseline]\ndist = "StudentT"\nnu = 3\nmu = 0\nsigma = 1\n', "must be Normal"),
        ('baseline = "wide"\n', "[baseline] must be a table"),
        ('[outcome.cure.mu]\ndist = "Normal"\nmu = 0\nsigma = 1\n', "unknown outcome 'cure'"),
        ("sigma = = 3\n", "not TOML"),
    ],
)
def test_effect_priors_that_are_none_are_named_in_a_line(table, tmp_path, text, said):
    file = tmp_path / "mine.toml"
    file.write_text(text)
    done = run("effects", table, "--priors", file, "--out", tmp_path / "out")
    assert done.exit_code == 2
    [line] = [line for line in done.stderr.splitlines() if "mine.toml" in line]
    assert said in line
    assert not (tmp_path / "out").exists()


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
    assert "D: its control arm has no treated arm to be compared with" in done.stderr


def test_effects_and_fit_keep_their_findings_apart(table, tmp_path):
    assert run("fit", table, "--engine", "exact", "--out", tmp_path).exit_code in (0, 1)
    of_fit = (tmp_path / "check.json").read_text("utf-8")
    assert run("effects", table, "--out", tmp_path).exit_code in (0, 1)
    assert (tmp_path / "check.json").read_text("utf-8") == of_fit
    of_effects = json.loads((tmp_path / "effects_check.json").read_text("utf-8"))
    assert {one["check"] for one in of_effects["outcomes"][0]["checks"]} >= {"spread of effects"}


def test_stored_effects_are_checked_again(answer, table):
    found, out = answer
    (out / "effects_check.json").unlink()
    done = run("check", out, table, "--effects", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told == found["check"]
    assert json.loads((out / "effects_check.json").read_text("utf-8")) == told


def test_effects_that_were_not_checked_can_be(table, tmp_path):
    run("effects", table, "--no-check", "--out", tmp_path)
    done = run("check", tmp_path, table, "--effects", "--json")
    assert json.loads(done.stdout)["verdict"] in ("pass", "warn")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "effects of other data than the shipped"),
        (("other.csv",), "of other data than"),
    ],
)
def test_a_check_of_effects_wants_their_data(answer, tmp_path, words, said):
    _, out = answer
    (tmp_path / "other.csv").write_text(TABLE.replace("9,20", "8,20"))
    done = run("check", out, *(tmp_path / word for word in words), "--effects")
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_check_of_effects_that_are_not_there_is_a_line(tmp_path):
    done = run("check", tmp_path, "--effects")
    assert done.exit_code == 2
    assert "mscpool effects" in done.stderr


def test_priors_of_effects_are_compared(table, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text('name = "own"\n[sigma]\ndist = "HalfNormal"\nsigma = 0.1\n')
    words = ("--sets", "default", "--sets", "turner_marginal", "--sets", own)
    done = run("priors", table, "--effects", *words, "--json", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["reference"] == "default"
    assert [one["name"] for one in told["sets"]] == ["default", "turner_marginal", "own"]
    rows = [one["effects"] for one in told["sets"]]
    assert all([row["disease"] for row in own] == ["first"] for own in rows)
    assert rows[0][0]["log_bayes_factor"] == 0
    assert (tmp_path / "effects_priors.csv").is_file()


def test_effects_under_each_set_are_those_that_effects_gives(table, tmp_path):
    done = run("priors", table, "--effects", "--sets", "turner_marginal", "--json",
               "--out", tmp_path)  # fmt: skip
    [row] = json.loads(done.stdout)["sets"][0]["effects"]
    alone = run("effects", table, "--priors", "turner_marginal", "--json", "--out", tmp_path)
    effect = json.loads(alone.stdout)["effects"][0]
    assert row["ratio_q50"] == pytest.approx(effect["ratio"]["q50"], rel=1e-6)


def test_named_sets_of_effects_are_listed():
    told = json.loads(run("priors", "--effects", "--list", "--json").stdout)["sets"]
    assert {"default", "turner_marginal", "turner_outcomes"} <= {one["name"] for one in told}
    assert "10.1002/sim.6381" in run("priors", "--effects", "--list").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sets", "sceptical"), "unknown prior set for effects 'sceptical'"),
        (("--outcome", "remission"), "remission"),
    ],
)
def test_a_senseless_comparison_of_effects_is_a_line(table, tmp_path, words, said):
    done = run("priors", table, "--effects", *words, "--out", tmp_path)
    assert done.exit_code == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not any(tmp_path.iterdir())


def test_unanchored_comparisons_are_printed_with_the_bias_that_undoes_them(tmp_path):
    path = tmp_path / "apart.csv"
    path.write_text(
        "study,disease,arm,events,n\nA,first,msc,30,60\nA,first,control,9,60\n"
        "B,first,msc,31,60\nB,first,control,10,60\nT,second,msc,58,60\nU,second,msc,57,60\n"
    )
    words = ("effects", path, "--no-check", "--out", tmp_path / "out")
    plain, offered = run(*words), run(*words, "--unanchored")
    assert plain.exit_code == offered.exit_code == 0
    assert "unanchored" not in plain.stdout
    assert "response: unanchored, arms of different studies, unchecked" in offered.stdout.lower()
    assert "Undone by" in offered.stdout
