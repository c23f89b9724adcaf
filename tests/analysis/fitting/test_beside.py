"""Processes beside the first one leave it to that to answer Ctrl-C."""

import signal
import subprocess
import sys

import pytest

CODE = """
import os, signal, sys, time
from joblib import Parallel, delayed
from joblib.externals.loky.backend import get_context
from mscpool.analysis.fitting.beside import unheard

def asked():
    for each in range(2):
        with unheard():
            yield each

def hearing(_=0):
    return signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])

def alone():
    os._exit(hearing())

if __name__ == "__main__":
    both = Parallel(2, return_as="generator", pre_dispatch="all")
    deaf = list(both(map(delayed(hearing), asked())))
    worker = get_context("loky").Process(target=alone)
    with unheard():
        worker.start()
    worker.join()
    print(*deaf, bool(worker.exitcode), hearing())
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be held here")
def test_processes_that_begin_unheard_never_hear_an_interrupt_and_the_first_does():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "True", "True", "False"], done.stderr
