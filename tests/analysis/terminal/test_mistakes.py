"""A mistake is told in a line, stated as JSON where that was asked for, and breaks no file."""

import json
from importlib import import_module

import pytest
from typer.testing import CliRunner

from mscpool.analysis.terminal import cli
from mscpool.data.folders import locked


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("study,outcome,events,n\nA,improvement,3,10\nB,improvement,5,12\n", "utf-8")
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "--poling", "none"),
        ("fit", "--draws", "many"),
        ("fit", "--pooling", "nix"),
        ("report", "--priors", "nix.toml"),
        ("priors", "--outcome", "remision"),
        ("validate", "nowhere"),
        ("fit", "nowhere"),
        ("check", "nowhere"),
        ("figures", "nowhere"),
        ("design", "single-arm"),
        ("design", "single-arm", "--null", "1.2"),
        ("design", "ess", "--prior", "map", "--fit", "nowhere"),
    ],
)
def test_every_command_states_its_problems_as_json(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words, "--json")
    assert done.exit_code == 2
    problems = json.loads(done.stdout)["problems"]
    assert [set(each) for each in problems] == [{"file", "line", "column", "message"}]
    assert problems[0]["message"] in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["validate", "fit", "report", "priors"])
def test_problems_of_a_table_are_stated_with_their_places(tmp_path, command):
    path = tmp_path / "bad.csv"
    path.write_text("study,events,n\nA,11,10\nB,x,5\n", "utf-8")
    done = run(command, path, "--json")
    problems = json.loads(done.stdout)["problems"]
    assert [(each["file"], each["line"], each["column"]) for each in problems] == [
        (str(path), 2, "events"),
        (str(path), 3, "events"),
    ]


@pytest.mark.parametrize("command", ["fit", "priors", "report"])
def test_a_folder_that_another_run_writes_to_is_refused(table, tmp_path, command):
    with locked(tmp_path):
        done = run(command, table, "--engine", "exact", "--out", tmp_path)
    assert done.exit_code == 2
    assert done.stderr == (
        f"{tmp_path}: another run is writing here; wait for it, or name another folder\n"
    )


def test_pages_and_pictures_on_a_full_disk_are_one_line_and_leave_the_old_files(
    table, tmp_path, small_disk
):
    asked = ("--engine", "exact", "--draws", "100", "--chains", "2")
    assert run("fit", table, *asked, "--no-check", "--out", tmp_path / "fit").exit_code == 0
    (small_disk / "report.html").write_text("old", "utf-8")
    for words in (
        ("report", table, *asked, "--no-check"),
        ("figures", tmp_path / "fit", table),
    ):
        done = run(*words, "--out", small_disk)
        assert done.exit_code == 2, done.stderr
        assert done.stderr.endswith(": no space left on device\n")
        assert "Traceback" not in done.stderr
        assert [path.name for path in small_disk.rglob("*")] == ["report.html"]
        assert (small_disk / "report.html").read_text("utf-8") == "old"


@pytest.mark.parametrize(
    "words",
    [
        ("fit", "--engine", "exact", "--no-check", "--refit"),
        ("design", "single-arm", "--null", "0.3", "--n-max", "20"),
    ],
)
def test_a_full_disk_is_one_line_and_leaves_the_old_files(table, tmp_path, small_disk, words):
    (small_disk / "rates.csv").write_text("old", "utf-8")
    (small_disk / "design.csv").write_text("old", "utf-8")
    words = (words[0], table, *words[1:]) if words[0] == "fit" else words
    done = run(*words, "--out", small_disk)
    assert done.exit_code == 2, done.stderr
    assert done.stderr.endswith(": no space left on device\n")
    assert done.stderr.startswith(str(small_disk))
    assert len(done.stderr.splitlines()) == 1
    assert {path.name: path.read_text("utf-8") for path in small_disk.iterdir()} == {
        "rates.csv": "old",
        "design.csv": "old",
    }


@pytest.mark.parametrize(
    "statement",
    [
        "np.zeros(2) + np.zeros(3)",
        "list(zip([1], [1, 2], strict=True))",
        "max([])",
        "int('x')",
        "one, two = [1]",
        "raise ValueError('ours')",
    ],
)
def test_a_foreign_value_error_in_our_code_is_a_defect(monkeypatch, statement):
    own = {"__name__": "mscpool.data.evidence", "np": import_module("numpy")}
    exec(f"def summary(evidence):\n    {statement}", own)
    monkeypatch.setattr(import_module("mscpool.data.evidence"), "summary", own["summary"])
    done = run("validate")
    assert done.exit_code == 70
    assert "Traceback" in done.stderr
    assert "ValueError" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("fit", "--pirors", "x"), "No such option: --pirors; did you mean --priors?"),
        (("design", "single-arm", "--width", "3"), "No such option: --width (see"),
        (("design", "ess", "--prior", "beta(1,1)", "--fit", "nowhere"), "nowhere: no stored fit"),
    ],
)
def test_a_misspelt_option_is_answered_with_a_near_one_and_a_folder_without_a_fit_refused(
    words, said, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.exit_code == 2
    assert done.stderr.startswith(said)
    assert not list(tmp_path.iterdir())


def test_the_version_is_told(root):
    import mscpool

    done = run("--version")
    assert (done.exit_code, done.stdout) == (0, f"mscpool {mscpool.__version__}\n")
