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


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("seconds", [3, 6, 12])
def test_nor_does_one_that_was_ended(start, tmp_path, number, seconds):
    run = start("--draws", "100000", "--chains", "1")
    time.sleep(seconds)
    run.send_signal(number)
    run.communicate(timeout=300)
    assert run.returncode != 0
    assert not list((tmp_path / "temp").iterdir())
