import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from mscpool.analysis.calibration import calibrate
from mscpool.analysis.calibration.calibrate import CORE, POSTERIOR, Task
from mscpool.analysis.terminal.cli import app
from mscpool.data.evidence import load_evidence


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
    assert list(answer) == ["guard", "sbc", "seconds", "workers"]
    assert measured == {"sets": 3, "sims": 50, "seed": 7, "scheduler": "none", "workers": None}
    assert [(row["data"], row["fail"], row["sets"]) for row in answer["guard"]] == [
        (CORE, 0.0, 3), (POSTERIOR, 0.0, 3)
    ]  # fmt: skip
    assert answer["guard"][0]["coverage"] is None
    assert list(answer["sbc"][0]) == [
        *("engine", "data", "parameter", "sims", "p_uniform", "inside_band")
    ]
    inside = {row["parameter"]: row["inside_band"] for row in answer["sbc"]}
    assert {inside[name] for name in inside if name.endswith("mu")} == {True}
    assert {inside[name] for name in inside if name.endswith("tau")} == {False}
    assert len(pd.read_csv(tmp_path / "calibration.csv")) == 2
    assert len(pd.read_csv(tmp_path / "sbc.csv")) == len(answer["sbc"])


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
    assert "up to 50 simulations (exact) and up to 0 simulations (nuts)" in page
    assert "6 data sets that the guard judged" in page
    assert "**That is less than the 1,000 simulations of each engine" in page
    assert "| exact | integrated, death | 50 | 2 | 1 |" in page
    assert "- integrated, death (exact): tau" in page
    assert "| core evidence | none | nuts | partial | 3 | 0.0% |" in page


def test_a_stopped_run_is_written_as_far_as_it_came(tmp_path):
    done = run("--stored-only", "--certificate", "--out", tmp_path)
    assert done.exit_code == 2
    assert "holds no data set judged so" in done.stderr
    task = {"shape": "integrated, death", "defect": "none", "number": 0}
    result = {"places": {"mu": 0.5}}
    line = {"settings": asdict(calibrate.Settings()), "task": task, "result": result}
    effects = {"shape": "effects, 3 x 4 x (40 + 40)", "defect": "none", "number": 0}
    other = {"verdict": "fail", "coverage": 1.0, "places": None}
    path = tmp_path / calibrate.FILE
    path.write_text(
        f"{json.dumps(line)}\n{json.dumps(line | {'task': effects, 'result': other})}\n"
    )
    done = run("--stored-only", "--certificate", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    assert "1 data set that the guard judged" in (tmp_path / "certificate.md").read_text("utf-8")
