"""Throughput of calibration: by this machine's processors, and by a hundred workers."""

import heapq
import time
from functools import partial

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.calibration.calibrate import Settings, run, tasks
from mscpool.analysis.workers.workers import LOCAL, results

from .bench_processes import cost_of

#: Data sets of a run (``--sets``, ``--sims``), and of the certificate.
FEW, CERTIFICATE = 10, 1000
#: By what share two runs of the same differ on a quiet machine.
NOISE = 0.05


def finished(durations, workers, start, handing):
    """Give when the last task ends: each goes to the worker that is free first.

    Workers take ``start`` seconds to begin with, and whoever hands tasks out ``handing`` for each.
    """
    free, handed = [start] * workers, 0.0
    for duration in durations:
        handed = max(heapq.heappop(free), handed) + handing
        heapq.heappush(free, handed + duration)
    return max(free)


def seconds_of(listed):
    """Run tasks one after another, and give the seconds of one processor of each by its shape.

    A process that is alone samples its chains on several processors: a worker has one.
    """
    ends = [time.process_time()]
    judge = partial(run, settings=Settings())
    ends.extend(time.process_time() for _ in results(judge, listed, workers=1))
    return pd.Series(np.diff(ends), [task.shape for task in listed])


@pytest.fixture(scope="module")
def took():
    """Seconds of tasks by their shapes, and what the first of each take more: a worker's start."""
    first, times = seconds_of(tasks(1, 2)), seconds_of(tasks(FEW, FEW))
    usual = times.groupby(level=0).mean()
    return times, float(first.sum() - usual[first.index].sum())


def seconds_to_hand_out(count=2000):
    """Seconds that a Dask scheduler and this process spend on a task that takes no time."""
    coming = results(abs, range(count), LOCAL, 2)
    next(coming)
    start = time.perf_counter()
    rest = len(list(coming))
    return (time.perf_counter() - start) / rest


def test_throughput_grows_with_workers_and_time_no_faster_than_data_sets(
    benchmark, tmp_path, took, capsys
):
    def whole(count, workers, folder):
        words = ("--sets", count, "--sims", count, "--workers", workers, "--out", tmp_path / folder)
        return cost_of("calibrate", *words).seconds

    one, two = whole(FEW, 1, "one"), whole(FEW, 2, "two")
    twice = benchmark.pedantic(whole, (2 * FEW, 2, "twice"), rounds=1, iterations=1)
    (times, start), handing = took, seconds_to_hand_out()
    by_shape, rng = times.groupby(level=0), np.random.default_rng(1)
    wanted = [task.shape for task in tasks(CERTIFICATE, CERTIFICATE)]
    durations = [rng.choice(by_shape.get_group(shape)) for shape in wanted]
    with capsys.disabled():
        print(f"\n{len(times)} data sets: {one:.0f} s by one worker, {two:.0f} s by two", end="")
        print(f" ({one / two:.2f} times as fast; {finished(times, 2, start, handing):.0f} s by the")
        print(f"schedule); {len(tasks(2 * FEW, 2 * FEW))} by two: {twice:.0f} s")
        print(by_shape.agg(["size", "mean", "max"]).round(2).to_string())
        print(f"a worker's start {start:.0f} s, handing out {1000 * handing:.1f} ms a task")
        print(f"{len(wanted):,} data sets of the certificate, by the schedule:")
        for workers in (1, 2, 10, 100, 1000):
            print(f"  {workers:5,} {finished(durations, workers, start, handing):8,.0f} s")
    assert twice < 2 * two * (1 + NOISE)
    # One worker alone samples on both processors already.
    assert one > 1.3 * two
    # Four runs lie between the two numbers: of tasks, of the start, of one and of two workers.
    assert abs(finished(times, 2, start, handing) / two - 1) < 4 * NOISE
