"""What the guard would notice in data like a user's own."""

import json

import numpy as np
import pytest
from scipy.special import expit, logit
from statsmodels.stats.proportion import proportion_confint
from typer.testing import CliRunner

import mscpool as mp
from mscpool.analysis.calibration import own_data
from mscpool.analysis.calibration.own_data import OwnTask, own_rates, own_sentences, own_tasks
from mscpool.analysis.terminal.cli import app

TABLE = "study,disease,events,n\na,x,10,40\nb,x,12,40\nc,x,14,40\nd,y,20,40\ne,y,18,40\n"


def test_rates_have_wilson_intervals_and_a_sentence_each():
    found = {OwnTask("response", 2.0, i): "fail" if i < 31 else "pass" for i in range(100)}
    found |= {OwnTask("response", 0.0, i): "warn" if i < 5 else "pass" for i in range(100)}
    rates = own_rates(found)
    low, high = proportion_confint(31, 100, method="wilson")
    moved, sound = rates.to_dict("records")
    assert (moved["fail"], moved["warn_or_fail"]) == (0.31, 0.31)
    assert (moved["fail_low"], moved["fail_high"]) == pytest.approx((low, high))
    assert (sound["fail"], sound["warn_or_fail"]) == (0.0, 0.05)
    said = own_sentences(rates)
    assert said == [
        "Response: of data sets like yours with nothing wrong the guard would fail 0 % (0 to 4 %) "
        "and remark on 5 % (2 to 11 %).",
        "Response: the guard would notice a study moved by two log-odds in 31 % (23 to 41 %) of "
        "data sets like yours, and fail 31 % (23 to 41 %).",
    ]


def test_a_run_on_own_data_goes_on_where_it_was_stopped(monkeypatch, tmp_path):
    path, asked = tmp_path / "mine.csv", []
    path.write_text(TABLE)

    def judge(task, evidence, seed):
        asked.append(task)
        return "warn"

    monkeypatch.setattr(own_data, "judge_own", judge)
    evidence = mp.load_evidence(path)
    first = own_data.judge_each(evidence, 1, tmp_path, 1, workers=1)
    assert asked == own_tasks(evidence, 1) == list(first)
    again = own_data.judge_each(evidence, 2, tmp_path, 1, workers=1)
    assert asked == [*own_tasks(evidence, 1), *own_tasks(evidence, 2)[4:]]
    assert list(again) == own_tasks(evidence, 2)
    path.write_text(TABLE.replace("10,40", "11,40"))
    asked.clear()
    own_data.judge_each(mp.load_evidence(path), 1, tmp_path, 1, workers=1)
    own_data.judge_each(evidence, 1, tmp_path, 2, workers=1)
    assert len(asked) == 8  # another table, another seed: nothing of the first is theirs


def test_one_study_is_moved_by_as_much_as_is_said(monkeypatch, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(TABLE.replace("40", "400000"))
    evidence, made = mp.load_evidence(path), []

    class Passed:
        verdict = "pass"

    monkeypatch.setattr(own_data, "judge_integrated", lambda p, t, *_: made.append(t) or Passed)
    monkeypatch.setattr(own_data, "posterior_of", lambda terms, pooling: None)
    level = own_data.Levels.of_diseases(np.full((1, 1), 1e-3), np.array([[[-1.0, -1.0]]]))
    monkeypatch.setattr(own_data, "levels_of_posterior", lambda *_: level)
    for number in range(4):
        own_data.judge_own(OwnTask("response", 2.0, number), evidence, 1)
        counts = made[-1].rows["events_min"].to_numpy()
        eta = np.sort(logit(counts / 400_000))
        # Counts of 400,000 tell log-odds to 0.005.
        assert eta == pytest.approx([-1, -1, -1, -1, 1], abs=0.03)
        assert counts.max() == pytest.approx(400_000 * expit(1.0), rel=0.01)


def test_a_users_table_is_asked_for_on_the_command_line(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(TABLE)
    words = ["calibrate", str(path), "--sets", "1", "--workers", "1", "--out", str(tmp_path / "o")]
    done = CliRunner().invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["guard"]
    assert [(row["outcome"], row["move"], row["sets"]) for row in rows] == [
        ("response", move, 1) for move in own_data.MOVES
    ]
    assert (tmp_path / "o" / "own_data.csv").is_file()
    assert len(own_tasks(mp.load_evidence(path), 3)) == 12
