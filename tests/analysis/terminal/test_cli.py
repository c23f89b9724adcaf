"""The command line keeps the contract that users' scripts rely on."""

import inspect
import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib import import_module

import pytest
from typer.testing import CliRunner

from mscpool.analysis.guard.result import Check, CheckResult, OutcomeVerdict
from mscpool.analysis.terminal import cli, options

SMALL = """study,disease,outcome,events,n
A <script>alert(1)</script>,first,improvement,3,10
B [red]b[/red],first,improvement,5,12
=C,second,improvement,7,9
D,second,improvement,2,10
"""
HEAVY = {
    *("numpy", "pandas", "scipy", "pymc", "pytensor", "numba", "nutpie", "arviz", "xarray"),
    *("matplotlib", "jinja2", "rich", "statsmodels", "preliz", "great_tables"),
}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "small.csv"
    path.write_text(SMALL, "utf-8")
    return path


@pytest.fixture(scope="module")
def stored(table, tmp_path_factory):
    """Folder of a fit of the small table, integrated and unchecked."""
    out = tmp_path_factory.mktemp("results")
    done = run("fit", table, "--engine", "exact", "--no-check", "--out", out)
    assert done.exit_code == 0, done.output
    return out


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


def test_fit_says_where_a_spread_is_nothing_but_its_prior(tmp_path):
    alone = tmp_path / "alone.csv"
    alone.write_text("study,disease,events,n\nA,first,3,10\nB,second,5,12\n", "utf-8")
    done = run("fit", alone, "--engine", "exact", "--no-check", "--out", tmp_path / "out")
    assert done.exit_code == 0
    assert "Response: Every disease has one study only" in done.stderr


def judged(verdict):
    """A guard that always says the same."""

    outcomes = (OutcomeVerdict("improvement", verdict, "Because."),)
    sampling = Check("sampling", "pass", reason="Integrated.")
    return lambda fit, evidence=None: CheckResult(verdict, outcomes, sampling)


@pytest.fixture
def guard(monkeypatch):
    check = import_module("mscpool.analysis.guard.check")
    return lambda verdict: monkeypatch.setattr(check, "check", judged(verdict))


def constant(name):
    raise AssertionError(f"{name} is no JSON")


def strict_json(text):
    return json.loads(text, parse_constant=constant)


def test_help_is_fast_and_imports_nothing_heavy():
    code = (
        "import sys, time; sys.argv = ['mscpool', '--help']; start = time.perf_counter()\n"
        "from mscpool.analysis.terminal.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: print(end.code)\n"
        "print(time.perf_counter() - start); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, env=os.environ
    )
    *said, status, seconds, modules = done.stdout.splitlines()
    assert said[0].startswith("Usage: mscpool")
    assert status == "0"
    # Half a second on an idle core; a busy one gets four times that.
    assert float(seconds) < 2
    assert not HEAVY & set(modules.split())


def test_every_command_of_the_design_is_there():
    listed = run("--help").stdout
    for name in ("validate", "fit", "check", "priors", "design", "figures", "report"):
        assert f"\n  {name} " in listed
    listed = run("design", "--help").stdout
    for name in ("single-arm", "two-arm", "precision", "safety", "monitor", "two-stage", "ess"):
        assert f"\n  {name} " in listed


@pytest.mark.parametrize("command", ["fit", "report"])
def test_fitting_commands_take_every_option_of_the_design(command):
    listed = run(command, "--help").stdout
    for name in (
        *("set", "definitions", "outcome", "disease", "drop", "use", "pooling", "priors"),
        *("engine", "draws", "tune", "chains", "seed", "out", "refit", "no-check", "json"),
    ):
        assert f"--{name} " in listed


def test_defaults_of_the_options_are_those_of_the_functions():
    from mscpool.analysis.fitting.fit import fit
    from mscpool.data.evidence import Selection

    asked, selected = options.FitOptions(), Selection()
    parameters = inspect.signature(fit).parameters
    given = asdict(asked.sampling) | {"pooling": asked.pooling, "refit": asked.refit}
    assert given == {name: parameters[name].default for name in given}
    assert asked.analysis_set == selected.analysis_set
    assert asked.definitions == selected.definitions


def test_help_names_every_choice():
    from mscpool.analysis.fitting.sampling import ENGINES
    from mscpool.data.evidence import ANALYSIS_SETS, DEFINITIONS
    from mscpool.models.pooling import POOLINGS

    listed = run("fit", "--help").stdout
    for name in (*ENGINES, *ANALYSIS_SETS, *DEFINITIONS, *POOLINGS):
        assert name in listed


def test_validate_counts_the_shipped_evidence():
    found = strict_json(run("validate", "--json").stdout)
    assert list(found) == ["valid", "studies", "patients", "rows", "problems", "cautions"]
    assert found["valid"] is True
    assert (found["studies"], found["rows"]) == (37, 114)
    assert found["problems"] == []
    assert len(found["cautions"]) > 3


@pytest.mark.parametrize(
    ("rows", "line", "column"),
    [
        ("A,11,10\nB,1,5\n", 2, "events"),
        ("A,1,10\nB,1.5,5\n", 3, "events"),
        ("A,1,10\nB,-1,5\n", 3, "events"),
        ("A,1,10\nB,0,0\n", 3, "n"),
        ("A,1,10\nA,1,10\n", 3, "row"),
    ],
)
@pytest.mark.parametrize("command", ["validate", "fit", "report", "priors"])
def test_bad_tables_are_named_by_line_and_nothing_is_written(tmp_path, command, rows, line, column):
    path, out = tmp_path / "bad.csv", tmp_path / "out"
    path.write_text("study,events,n\n" + rows, "utf-8")
    done = run(command, path, *(() if command == "validate" else ("--out", out)))
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith(f"{path}:{line}: {column}: ")
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()


def test_every_problem_of_a_table_is_told_at_once(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("study,events,n\nA,11,10\nB,x,5\nC,1,0\n", "utf-8")
    done = run("validate", path, "--json")
    found = strict_json(done.stdout)
    assert done.exit_code == 2
    assert found["valid"] is False
    assert [each["line"] for each in found["problems"]] == [2, 3, 4]
    assert set(found["problems"][0]) == {"file", "line", "column", "message"}
    assert len(done.stderr.splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing command"),
        (("fitt",), "No such command"),
        (("fit", "--poling", "none"), "No such option: --poling"),
        (("fit", "--draws", "many"), "--draws"),
        (("fit", "--draws", "0"), "--draws"),
        (("fit", "--pooling", "nix"), "unknown pooling 'nix'"),
        (("fit", "--engine", "nix"), "unknown engine 'nix'"),
        (("fit", "--set", "nix"), "unknown analysis set"),
        (("fit", "--priors", "nix"), "unknown prior set 'nix'"),
        (("fit", "--priors", "nix.toml"), "nix.toml:1: file: there is no such file"),
        (("fit", "--outcome", "remision"), "did you mean remission"),
        (("fit", "--drop", "nobody2020"), "nobody2020"),
        (("fit", "nowhere"), "nowhere:1: file: there is no such file or folder"),
        (("check", "nowhere"), "nowhere: no stored fit here"),
        (("figures", "nowhere"), "nowhere: no stored fit here"),
        (("design", "single-arm"), "needs --null"),
        (("design", "single-arm", "--null", "1.2"), "null 1.2"),
        (("design", "ess", "--prior", "map", "--fit", "nowhere"), "nowhere: no stored fit here"),
        (("priors", "--threshold", "2", "--engine", "exact"), "threshold"),
    ],
)
def test_bad_usage_is_one_line_and_status_two(words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tau\n", "not TOML"),
        ('[tau]\ndist = "HalfNormal"\nsigma = -1\n', "sigma must be positive"),
        ('[outcome.improvment.mu]\ndist = "Normal"\n', "did you mean improvement"),
        (b"name = '\xff'", "is not encoded as UTF-8"),
    ],
)
def test_bad_prior_files_are_one_line(text, said, tmp_path, table):
    path = tmp_path / "mine.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = run("fit", table, "--priors", path, "--out", tmp_path / "out")
    assert done.exit_code == 2
    assert done.stderr.startswith(str(path))
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_in_the_place_of_the_folder_is_refused(table):
    done = run("fit", table, "--out", table)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"{table}: is a file; name a folder to write to\n"


def test_a_defect_of_ours_is_no_answer(monkeypatch, table, tmp_path):
    def broken(*args, **kwargs):
        raise RuntimeError("ours")

    monkeypatch.setattr(import_module("mscpool.analysis.fitting.fit"), "fit", broken)
    done = run("fit", table, "--out", tmp_path / "out")
    assert done.exit_code == 70
    assert "RuntimeError: ours" in done.stderr


def test_fit_writes_the_shapes_of_the_design(stored, table):
    done = run("fit", table, "--engine", "exact", "--no-check", "--out", stored, "--json")
    found = strict_json(done.stdout)
    assert list(found) == ["verdict", "rates", "hyper", "diagnostics", "run"]
    assert found["verdict"] is None
    assert {
        *("outcome", "disease", "quantity", "mean", "sd", "q2.5", "q50", "q97.5", "mcse_mean"),
        *(
            "mcse_sd",
            "mcse_q2.5",
            "mcse_q50",
            "mcse_q97.5",
            "r_hat",
            "ess_bulk",
            "studies",
            "patients",
            "evidence",
        ),
    } == set(found["rates"][0])
    unseen = [row for row in found["rates"] if row["quantity"] == "new_disease"]
    assert [row["disease"] for row in unseen] == [None]
    assert unseen[0]["studies"] is None
    assert {row["parameter"] for row in found["hyper"]} == {"mu", "tau", "sigma"}
    assert {"data_sha256", "pooling", "priors", "engine", "seed", "versions", "seconds"} <= set(
        found["run"]
    )


def test_text_of_a_table_is_never_markup(stored, table):
    text = SMALL.replace("first", "[red]first[/red]")
    other = table.with_name("markup.csv")
    other.write_text(text, "utf-8")
    done = run("fit", other, "--engine", "exact", "--no-check", "--out", stored / "markup")
    assert done.exit_code == 0, done.stderr
    assert "[red]first[/red]" in done.stdout


def test_what_a_terminal_would_obey_is_shown_as_an_escape(capsys):
    from mscpool.analysis.terminal import console

    console.say("a\x1b[31mb\x9bc\u202ed")
    console.print_table("t\x1b", ["h\x1b"], [["c\x1b[2J"]])
    said = capsys.readouterr()
    assert said.err == "a\\x1b[31mb\\x9bc\\u202ed\n"
    assert "\x1b" not in said.out
    assert "c\\x1b[2J" in said.out


def test_unchecked_is_said_everywhere(stored, table):
    done = run("fit", table, "--engine", "exact", "--no-check", "--out", stored)
    assert "Improvement: unchecked" in done.stdout
    assert "guard: unchecked" in done.stdout
    header, *lines = (stored / "rates.csv").read_text("utf-8").splitlines()
    assert header.endswith(",verdict")
    assert all(line.endswith(",unchecked") for line in lines)
    assert not (stored / "check.json").exists()


@pytest.mark.parametrize(("verdict", "status"), [("pass", 0), ("warn", 0), ("fail", 1)])
def test_the_verdict_is_the_status_and_stamped(stored, table, guard, verdict, status):
    guard(verdict)
    done = run("fit", table, "--engine", "exact", "--out", stored)
    assert done.exit_code == status
    assert f"guard: {verdict}" in done.stdout
    assert json.loads((stored / "check.json").read_text("utf-8"))["verdict"] == verdict
    assert f",{verdict}\n" in (stored / "rates.csv").read_text("utf-8")
    assert run("check", stored, table, "--json").exit_code == status
    # A fit that is not checked leaves no verdict of an earlier one behind.
    run("fit", table, "--engine", "exact", "--no-check", "--out", stored)
    assert not (stored / "check.json").exists()


def test_a_fit_of_other_data_is_refused(stored, table):
    other = table.with_name("other.csv")
    other.write_text(SMALL.replace("3,10", "4,10"), "utf-8")
    for command in ("check", "figures"):
        done = run(command, stored, other)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"{stored}: holds a fit of other data than {other}")
        assert len(done.stderr.splitlines()) == 1
    done = run("figures", stored)
    assert done.exit_code == 2
    assert "other data than the shipped" in done.stderr


def test_an_interrupted_run_leaves_the_old_files(stored, table, monkeypatch):
    before = {path.name: path.read_bytes() for path in stored.iterdir() if path.is_file()}

    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(import_module("mscpool.analysis.fitting.fit"), "exact_tree", interrupted)
    done = run("fit", table, "--engine", "exact", "--refit", "--out", stored)
    assert done.exit_code == 130
    assert "interrupted" in done.stderr
    assert {p.name: p.read_bytes() for p in stored.iterdir() if p.is_file()} == before


def test_interrupted_while_writing_leaves_the_old_file(tmp_path, monkeypatch):
    from mscpool.analysis.paper.report import report

    path = tmp_path / "page.html"
    report.write_whole("old", path)
    monkeypatch.setattr(report.Path, "chmod", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        report.write_whole("new", path)
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_design_takes_its_prior_from_the_fit_and_states_its_verdict(stored, tmp_path):
    done = run(
        *("design", "single-arm", "--null", "0.3", "--n-max", "30", "--fit", stored),
        *("--disease", "first", "--outcome", "improvement", "--out", tmp_path, "--json"),
    )
    found = strict_json(done.stdout)
    assert done.exit_code == 0
    assert {"request", "rule", "paragraph", "recommended_n", "table"} <= set(found)
    assert "guard: unchecked" in found["paragraph"]
    assert "unchecked" in done.stderr
    assert (tmp_path / "design.csv").is_file()


@pytest.mark.parametrize("name", ["map", "robust-map", "new-study", "rate"])
def test_every_prior_of_a_fit_is_understood(stored, tmp_path, name):
    done = run(
        *("design", "precision", "--width", "0.4", "--n-max", "60", "--fit", stored),
        *("--disease", "first", "--outcome", "improvement", "--design-prior", name),
        *("--out", tmp_path, "--json"),
    )
    assert done.exit_code == 0, done.stderr
    assert strict_json(done.stdout)["acc"] is not None


def test_design_names_the_diseases_of_the_fit(stored, tmp_path):
    done = run(
        *("design", "ess", "--prior", "map", "--fit", stored, "--disease", "frst"),
        *("--outcome", "improvement", "--out", tmp_path),
    )
    assert done.exit_code == 2
    assert "did you mean first" in done.stderr


def test_prior_sets_are_listed():
    from mscpool.models.priors.catalogue import CATALOGUE

    said = run("priors", "--list").stdout
    assert all(name in said.splitlines() for name in CATALOGUE)
    found = strict_json(run("priors", "--list", "--json").stdout)
    assert [each["name"] for each in found["sets"]] == list(CATALOGUE)


def test_priors_compares_named_sets_and_files(table, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[tau]\ndist = "HalfNormal"\nsigma = 0.3\n', "utf-8")
    done = run(
        *("priors", table, "--engine", "exact", "--sets", "default", "--sets", path),
        *("--out", tmp_path, "--json"),
    )
    assert done.exit_code == 0, done.stderr
    found = strict_json(done.stdout)
    assert found["reference"] == "default"
    assert [each["name"] for each in found["sets"]] == ["default", "mine"]
    assert (tmp_path / "priors.csv").is_file()


def test_a_reader_that_leaves_is_no_failed_guard():
    code = "from mscpool.analysis.terminal.cli import main; main()"
    command = [sys.executable, "-c", code, "priors", "--list"]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert done.stdout is not None
    done.stdout.close()
    _, said = done.communicate()
    assert done.returncode == 0
    assert b"Traceback" not in said


def test_a_warning_is_one_line_without_a_place_in_the_code(tmp_path):
    code = (
        "import sys, warnings; from mscpool.analysis.terminal import cli;"
        "cli.app = lambda: warnings.warn('compiled code is not kept'); cli.main()"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stderr == "warning: compiled code is not kept\n"
