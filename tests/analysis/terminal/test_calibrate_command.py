import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from mscpool.analysis.calibration import calibrate
from mscpool.analysis.calibration.calibrate import CORE, POSTERIOR, Task
from mscpool.analysis.terminal.cli import app
from mscpool.data.evidence import load_evidence
from mscpool.data.names import numbered


@pytest.fixture
def measured(monkeypatch):
    """A calibration that judges nothing: what it is asked for is kept."""
    asked = {}

    def guard(sets, folder, settings, sims, scheduler, workers, say):
        asked.update(sets=sets, sims=sims, seed=settings.seed)
        asked.update(scheduler=scheduler, workers=workers)
        sampling = dict.fromkeys(("max_r_hat", "min_ess_bulk", "min_ess_tail", "e_bfmi"))
        result = {
            "checks": {"improvement": {"total events": (0.5, 0.0)}},
            "sampling": {**sampling, "divergences": None, "draws": 10},
            "coverage": None,
            "places": None,
        }
        found = {Task(shape, "none", i): result for shape in (CORE, POSTERIOR) for i in range(sets)}
        even = (np.arange(sims) + 0.5) / sims
        placed = [{"places": {"mu": place, "tau": place**4}} for place in even]
        return found | {Task("integrated, death", "none", i): r for i, r in enumerate(placed)}

    monkeypatch.setattr(calibrate, "calibrate", guard)
    return asked


def run(*words):
    return CliRunner().invoke(app, ["calibrate", *map(str, words)])


def test_calibrate_states_rates_and_uniformity_as_json_and_csv(measured, tmp_path):
    done = run("--sets", 3, "--sims", 50, "--seed", 7, "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert list(answer) == ["guard", "sbc", "faults", "seconds", "workers"]
    assert measured == {"sets": 3, "sims": 50, "seed": 7, "scheduler": "none", "workers": None}
    assert [(row["data"], row["fail"], row["sets"]) for row in answer["guard"]] == [
        (CORE, 0.0, 3), (POSTERIOR, 0.0, 3)
    ]  # fmt: skip
    assert answer["guard"][0]["coverage"] is None
    assert list(answer["sbc"][0]) == [
        *("engine", "data", "parameter", "sims", "p_uniform", "inside_band", "tells")
    ]
    inside = {row["parameter"]: row["inside_band"] for row in answer["sbc"]}
    assert {inside[name] for name in inside if name.endswith("mu")} == {True}
    assert {inside[name] for name in inside if name.endswith("tau")} == {False}
    assert len(pd.read_csv(tmp_path / "calibration.csv")) == 2
    assert len(pd.read_csv(tmp_path / "sbc.csv")) == len(answer["sbc"])
    with Image.open(tmp_path / "sbc.png") as picture:
        assert picture.width > picture.height


def test_calibrate_names_what_is_outside_its_band(measured, tmp_path):
    done = run("--sets", 2, "--sims", 50, "--out", tmp_path)
    assert done.exit_code == 0
    assert "| core evidence, its posterior | none | nuts | partial | 2 | 0.0% |" in done.stdout
    assert "integrated, death, tau (exact): p " in done.stdout


@pytest.mark.parametrize("option", ["--sims", "--sets", "--workers"])
def test_no_data_sets_are_a_mistake_of_one_line(measured, tmp_path, option):
    done = run(option, 0, "--out", tmp_path)
    assert done.exit_code == 2
    assert option in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_scheduler_that_is_none_is_a_mistake_of_one_line(measured, tmp_path):
    done = run("--scheduler", "8786", "--out", tmp_path / "new")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert "neither none, local, nor an address" in done.stderr
    assert not (tmp_path / "new").exists()


def test_the_certificate_says_how_little_it_rests_on_and_names_what_is_outside(measured, tmp_path):
    done = run("--sets", 3, "--sims", 50, "--seed", 7, "--certificate", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    page = (tmp_path / "certificate.md").read_text("utf-8")
    assert "from seed 7" in page
    assert f"`{load_evidence().sha256}`" in page
    assert "The guard judged 6 data sets" in page
    assert "Too few are those of 1 of 1 kind, and those that were judged.**" in page
    assert "| exact | integrated, death | 50 | 2 | 1 |" in page
    assert "- integrated, death (exact): tau" in page
    assert "| core evidence | none | nuts | partial | 3 | 0.0% |" in page


def test_a_stopped_run_is_written_as_far_as_it_came(tmp_path):
    done = run("--stored-only", "--certificate", "--out", tmp_path)
    assert done.exit_code == 2
    assert "holds no data set judged so" in done.stderr
    task = {"shape": "integrated, death", "defect": "none", "number": 0}
    result = {"places": {"mu": 0.5}}
    made_with = calibrate.kept_in(tmp_path, calibrate.Settings()).made_with
    line = made_with | {"task": task, "result": result}
    effects = {"shape": "effects, 3 x 4 x (40 + 40)", "defect": "none", "number": 0}
    other = {"verdict": "fail", "coverage": 1.0, "places": None}
    path = tmp_path / calibrate.FILE
    of_old = line | {"versions": {"mscpool": "0"}}, line | {"evidence": "other"}
    gone = line | {"task": task | {"shape": "integrated, gone"}}
    no_records = ("3", '{"a": 1}', "{")
    path.write_text("\n".join([*map(json.dumps, (*of_old, gone)), *no_records]) + "\n")
    assert run("--stored-only", "--out", tmp_path).exit_code == 2
    judged = line | {"task": effects, "result": other}
    for kept, counted in (([line], 0), ([judged], 1), ([line, judged], 1)):
        path.write_text("\n".join(map(json.dumps, kept)) + "\n")
        done = run("--stored-only", "--certificate", "--out", tmp_path)
        assert done.exit_code == 0, done.output
        told = (tmp_path / "certificate.md").read_text("utf-8")
        assert f"The guard judged {numbered(counted, 'data set')};" in told


@pytest.mark.parametrize("option", ["--certificate", "--stored-only"])
def test_what_is_of_the_shipped_evidence_is_refused_with_a_table(tmp_path, option):
    done = run(tmp_path / "mine.csv", option, "--out", tmp_path / "new")
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert f"{option} is of the shipped evidence" in done.stderr
