import json
import sys

import pytest

from mscpool.analysis.terminal import stages
from mscpool.analysis.terminal.stages import stopwatch


@pytest.fixture
def clock(monkeypatch, tmp_path):
    """A clock that is set by hand, an empty cache, and a command that was typed."""
    monkeypatch.setenv("MSCPOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "argv", ["mscpool", "fit", "--refit"])
    now = [100.0]
    monkeypatch.setattr(stages.time, "monotonic", lambda: now[0])
    return now


def run(clock, *durations):
    """Go through stages; give the words of each."""
    said = []
    with stopwatch() as watch:
        for stage, seconds in durations:
            said.append(watch.enter(stage))
            clock[0] += seconds
    return said


def test_a_stage_is_told_with_its_last_time_and_never_with_an_older_one(clock):
    first = ("compiling", 15.2), ("sampling", 3.0), ("sampling, 2 divergent", 1.0), ("drawing", 0.2)
    assert run(clock, *first) == [stage for stage, _ in first]
    said = run(clock, ("compiling", 0.9), ("sampling", 5.0), ("checking", 2.0), ("drawing", 0.1))
    assert said == ["compiling (15 s last time)", "sampling (4 s last time)", "checking", "drawing"]
    assert run(clock, ("compiling", 1), ("sampling", 1), ("checking", 1)) == [
        "compiling",
        "sampling (5 s last time)",
        "checking (2 s last time)",
    ]


def test_another_command_or_folder_has_times_of_its_own(clock, monkeypatch, tmp_path):
    run(clock, ("sampling", 9.0))
    monkeypatch.setattr(sys, "argv", ["mscpool", "fit", "other.csv"])
    assert run(clock, ("sampling", 2.0)) == ["sampling"]
    monkeypatch.setattr(sys, "argv", ["mscpool", "fit", "--refit"])
    assert run(clock, ("sampling", 9.0)) == ["sampling (9 s last time)"]
    monkeypatch.chdir(tmp_path)
    assert run(clock, ("sampling", 2.0)) == ["sampling"]


def test_a_run_that_breaks_off_leaves_the_times_of_the_last_whole_one(clock):
    run(clock, ("sampling", 9.0))
    with pytest.raises(TypeError):
        run(clock, ("sampling", "broken off"))
    assert run(clock, ("sampling", 9.0)) == ["sampling (9 s last time)"]


@pytest.mark.parametrize("content", ["", "[1, 2]", '{"a": 3}', '{"a": {"b": "c"}}'])
def test_a_damaged_file_is_as_good_as_none(clock, tmp_path, content):
    path = tmp_path / "cache" / "stages.json"
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    assert run(clock, ("sampling", 9.0)) == ["sampling"]
    assert run(clock, ("sampling", 9.0)) == ["sampling (9 s last time)"]


def test_a_folder_that_cannot_be_written_is_passed_over(clock, tmp_path):
    (tmp_path / "cache").write_text("a file", "utf-8")
    assert run(clock, ("sampling", 9.0)) == ["sampling"]


def test_a_hundred_commands_are_remembered(clock, monkeypatch, tmp_path):
    for number in range(105):
        monkeypatch.setattr(sys, "argv", ["mscpool", "fit", str(number)])
        run(clock, ("sampling", 2.0))
    assert len(json.loads((tmp_path / "cache" / "stages.json").read_text("utf-8"))) == 100
    assert run(clock, ("sampling", 2.0)) == ["sampling (2 s last time)"]
