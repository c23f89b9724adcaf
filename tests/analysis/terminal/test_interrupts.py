"""Ctrl-C ends a run also where the first one is swallowed."""

import signal
import subprocess
import sys
import time

import pytest

SWALLOWING = {
    "a bare except": "try: time.sleep(60)\n    except: pass",
    "a callback of C": "call()",
    "a destructor": "Slow()",
    "an error of its own": "try: time.sleep(60)\n    except BaseException: raise RuntimeError",
}
#: A wait in C that the signal does not end, as compiled code does not.
STEP = (
    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]); print('ready', flush=True); "
    "ctypes.CDLL(None).usleep(2_000_000)"
)
CODE = """
import ctypes, signal, sys, time
from mscpool.analysis.terminal.interrupts import Interrupted, watch

call = ctypes.CFUNCTYPE(None)(lambda: time.sleep(60))

class Slow:
    def __del__(self):
        time.sleep(60)

watch.install()
try:
    print("ready", flush=True)
    {statement}
    time.sleep(60)
except (Interrupted, RuntimeError):
    sys.exit(watch.end())
"""


@pytest.mark.parametrize("statement", SWALLOWING.values(), ids=SWALLOWING)
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_that_is_swallowed_comes_again(statement, number, status):
    code = CODE.format(statement=statement)
    run = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    time.sleep(0.1)  # into the statement
    sent = time.monotonic()
    run.send_signal(number)
    _, said = run.communicate(timeout=60)
    assert run.returncode == status
    assert time.monotonic() - sent < 2
    assert said == ""


def test_a_step_that_cannot_be_left_is_said():
    run = subprocess.Popen(
        [sys.executable, "-c", CODE.format(statement=STEP)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert [run.stdout.readline() for _ in range(2)] == ["ready\n", "ready\n"]
    time.sleep(0.1)  # into the step
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said == "interrupted: the run ends with the step that it is in\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_that_comes_while_a_run_ends_by_one_says_nothing(number, status):
    again = (
        "try: signal.raise_signal({0})\n    except Interrupted: watch.end()\n    time.sleep(0.5)"
    )
    statement = (
        f"{again.format(int(number))}; signal.raise_signal({int(number)}); sys.exit({status})"
    )
    run = subprocess.run(
        [sys.executable, "-c", CODE.format(statement=statement)], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (status, "")
