"""Whole runs in processes of their own leave nothing behind but what was asked for."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.mcmc

MAIN = "from mscpool.analysis.terminal.cli import main; main()"
TABLE = """study,disease,events,n
A,first,3,10
B,first,5,12
C,second,7,9
D,second,2,10
"""


@pytest.fixture
def start(tmp_path):
    """Start a fit with few draws; what it may leave in the temporary folder stands in ``temp``."""
    temp, table = tmp_path / "temp", tmp_path / "table.csv"
    temp.mkdir()
    table.write_text(TABLE, "utf-8")

    def process(*words):
        command = ["fit", table, "--no-check", "--out", tmp_path / "out", *words]
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, *map(str, command)],
            env={**os.environ, "TMPDIR": str(temp)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    return process


def test_a_fit_leaves_nothing_in_the_temporary_folder(start, tmp_path):
    run = start("--draws", "20", "--tune", "20", "--chains", "1")
    _, said = run.communicate(timeout=300)
    assert run.returncode == 0, said
    assert (tmp_path / "out" / "fit.nc").is_file()
    assert not list((tmp_path / "temp").iterdir())


def assert_ended(run, number, tmp_path):
    """Send a signal to a run; it ends at once, says so, and leaves nothing."""
    sent = time.monotonic()
    run.send_signal(number)
    _, said = run.communicate(timeout=300)
    assert run.returncode == 128 + number, said
    assert said.splitlines()[-1] == "interrupted; every file is whole, old or new"
    assert "Traceback" not in said
    # Two seconds, or the step that cannot be left, said in a line.
    assert time.monotonic() - sent < 2 or len(said.splitlines()) == 2
    assert not list((tmp_path / "temp").iterdir())
    assert not (tmp_path / "out").exists()


def test_an_interrupted_fit_leaves_nothing_at_all(start, tmp_path):
    run = start("--draws", "100000", "--chains", "1")
    time.sleep(4)
    assert_ended(run, signal.SIGINT, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("tenths", [*range(5, 40, 5), *range(40, 200, 4)])
def test_a_fit_ends_whenever_it_is_interrupted(start, tmp_path, monkeypatch, number, tenths):
    monkeypatch.setenv("MSCPOOL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTENSOR_FLAGS", f"base_compiledir={tmp_path / 'compiled'}")
    run = start("--draws", "100000", "--chains", "1")
    time.sleep(tenths / 10)
    assert_ended(run, number, tmp_path)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
@pytest.mark.parametrize("words", [(), ("--json",)])
def test_an_output_that_takes_no_more_is_one_line(words):
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-c", MAIN, "validate", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert run.returncode == 2
    assert run.stderr == "standard output, or a temporary file: no space left on device\n"
