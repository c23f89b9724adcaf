"""Whole processes: a first and a second fit, and the cost of many studies, in time and memory."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

MSCPOOL = str(Path(sys.executable).with_name("mscpool"))
#: Seconds that the manual states, in words; of several the longest counts.
STATED = pd.read_csv(Path(__file__).with_name("stated.csv"), index_col="what")["seconds"]
SECOND_FIT = "`mscpool fit`, shipped evidence, compiled before, with guard and files, whole process"
THOUSAND = "`mscpool fit`, 1,000 studies in six diseases, whole process, the other core busy"
#: Numbers of studies from the smallest pooling to the largest evidence that anyone may bring.
STUDIES = (10, 100, 1_000, 10_000)


class Cost(NamedTuple):
    """What a process took: seconds on the clock, seconds of processors, largest memory."""

    seconds: float
    processor: float
    megabytes: float


def cost_of(*words, **environment) -> Cost:
    """Run a command to its end, its output away."""
    start = time.perf_counter()
    run = subprocess.Popen(
        [MSCPOOL, *map(str, words)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | environment,
    )
    _, status, used = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode in (0, 1), words
    seconds = time.perf_counter() - start
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def as_fast_as_stated(what: str, seconds: float) -> None:
    """Fail where something takes a third longer than is stated of it."""
    stated = float(STATED[what].split()[-1])
    assert seconds < stated * 4 / 3, f"{what}: {seconds:.1f} s, stated {stated}"


def once(benchmark, *words, **environment) -> Cost:
    """Take the cost of one run within the bench."""
    return benchmark.pedantic(cost_of, words, environment, rounds=1, iterations=1)


def test_a_second_fit_beside_the_first_ever(benchmark, tmp_path, capsys):
    empty = {
        "PYTENSOR_FLAGS": f"base_compiledir={tmp_path / 'pytensor'}",
        "MSCPOOL_CACHE": str(tmp_path / "kept"),
        "NUMBA_CACHE_DIR": str(tmp_path / "numba"),
    }
    words = ("fit", "--refit", "--out", tmp_path / "out")
    first, second = cost_of(*words, **empty), once(benchmark, *words, **empty)
    with capsys.disabled():
        print(f"\nfirst fit {first.seconds:.1f} s ({first.processor:.1f} s of processors)", end="")
        print(f", second {second.seconds:.1f} s ({second.processor:.1f} s)", end="")
        print(f": {first.seconds / second.seconds:.1f} times as long")
    as_fast_as_stated(SECOND_FIT, second.seconds)


def many_studies(path: Path, count: int) -> Path:
    """Write so many made studies of six diseases."""
    rng = np.random.default_rng(1)
    disease = rng.integers(6, size=count)
    level = rng.normal(0.5, 1, 6)[disease] + rng.normal(0, 0.4, count)
    n = rng.integers(5, 120, count)
    table = {
        "study": [f"s{i}" for i in range(count)],
        "disease": [f"disease {d}" for d in disease],
        "events": rng.binomial(n, 1 / (1 + np.exp(-level))),
        "n": n,
    }
    pd.DataFrame(table).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def costs(pytestconfig):
    """Costs by engine and number of studies; at the end a table with the slope between each two."""
    found: dict[tuple[str, int], Cost] = {}
    yield found
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n\nengine   studies  seconds  processors  megabytes  log-log slope of seconds")
        before: dict[str, tuple[int, float]] = {}
        for (engine, count), cost in found.items():
            slope = ""
            if engine in before:
                fewer, shorter = before[engine]
                slope = f"{np.log(cost.seconds / shorter) / np.log(count / fewer):.2f}"
            before[engine] = count, cost.seconds
            numbers = f"{cost.seconds:9.1f}{cost.processor:12.1f}{cost.megabytes:11.0f}"
            print(f"{engine:6}{count:10,}{numbers}  {slope}")


@pytest.mark.parametrize("count", STUDIES)
@pytest.mark.parametrize("engine", ["nuts", "exact"])
def test_cost_of_many_studies(benchmark, tmp_path, costs, engine, count):
    table = many_studies(tmp_path / "many.csv", count)
    cost = once(benchmark, "fit", table, "--engine", engine, "--out", tmp_path / "out")
    costs[engine, count] = cost
    assert cost.megabytes < 24 * 1024
    if (engine, count) == ("nuts", 1_000):
        as_fast_as_stated(THOUSAND, cost.seconds)
