"""Tasks on processes and clusters: the same numbers anywhere, and one line where it cannot be."""

import os
import signal
import socket
import time
from functools import partial
from importlib import metadata
from pathlib import Path

import dask
import numpy as np
import pytest
from distributed import LocalCluster

from mscpool.analysis.workers import workers
from mscpool.analysis.workers.workers import LOCAL, NONE, SchedulerError, results

TASKS = list(range(12))


def drawn(task: int, shared: int = 0) -> float:
    """A sum of what the task's own seed gives."""
    matrix = np.random.default_rng([7, task]).standard_normal((60, 60))
    return float((matrix @ matrix.T).sum()) + shared


def ends_its_worker_once(task: int, folder: str) -> float:
    """Kill the process in the middle of the tasks, the first time that it comes there."""
    mark = Path(folder) / "was here"
    if task == 5 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return drawn(task)


def ends_every_worker(task: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def slow(task: int) -> int:
    time.sleep(30 if task else 0)
    return task


def test_seeds_belong_to_tasks_whether_one_process_runs_them_or_two():
    one = dict(results(partial(drawn, shared=1), TASKS, workers=1))
    two = dict(results(partial(drawn, shared=1), TASKS, workers=2))
    assert one == two
    assert sorted(one) == TASKS


@pytest.mark.parametrize("scheduler", [pytest.param(NONE, marks=pytest.mark.slow), LOCAL])
def test_tasks_of_a_worker_that_ends_run_again_and_give_the_same(scheduler, tmp_path):
    alone = {task: drawn(task) for task in TASKS}
    found = list(results(partial(ends_its_worker_once, folder=str(tmp_path)), TASKS, scheduler, 2))
    assert (tmp_path / "was here").exists()
    assert dict(found) == alone
    assert len(found) == len(TASKS)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_names_the_task_that_it_ended(workers):
    with pytest.raises(ValueError, match="invalid literal") as found:
        dict(results(int, ["4", "four"], workers=workers))
    assert "while running four" in found.value.__notes__


def test_a_task_that_ends_every_worker_ends_the_run_with_one_line():
    with pytest.raises(SchedulerError, match="is there memory") as told:
        list(results(ends_every_worker, TASKS, NONE, 2))
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_a_scheduler_that_goes_away_ends_the_run_with_one_line(tmp_path):
    with (
        dask.config.set({"temporary-directory": str(tmp_path)}),
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        coming = results(slow, [0, 1], cluster.scheduler_address)
        assert next(coming) == (0, 0)
        cluster.close()
        with pytest.raises(SchedulerError, match="went away; start it again") as told:
            next(coming)
    assert "\n" not in str(told.value)


def test_an_address_where_nothing_answers_is_told_within_five_seconds():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(SchedulerError, match=f"^{address}: no Dask scheduler answers"):
            list(results(drawn, TASKS, address))
        assert time.monotonic() - start < 5


def test_workers_of_other_versions_are_refused_with_both_named(monkeypatch):
    class Cluster:
        def wait_for_workers(self, *_, **__):
            pass

        def run(self, function, name, on_error):
            found = {"tcp://a": metadata.version(name), "tcp://b": metadata.version(name)}
            return found | ({"tcp://b": "0.0.9"} if name == "mscpool" else {})

    with pytest.raises(SchedulerError) as told:
        workers._refuse_workers(Cluster(), "tcp://c")
    own = metadata.version("mscpool")
    assert f"workers have mscpool 0.0.9, and this machine {own}" in str(told.value)


def test_a_cluster_without_workers_is_told_in_one_line():
    class Cluster:
        def wait_for_workers(self, *_, **__):
            raise TimeoutError

    with pytest.raises(SchedulerError, match="has no worker; start some with 'dask worker"):
        workers._refuse_workers(Cluster(), "tcp://c")


@pytest.mark.parametrize("scheduler", ["", "8786", "http://here:8786", "Local"])
def test_a_scheduler_that_is_none_is_refused(scheduler):
    with pytest.raises(SchedulerError, match="neither none, local, nor an address"):
        list(results(drawn, TASKS, scheduler))


def test_time_left_is_that_of_the_tasks_to_come():
    assert workers.time_left(10, 40, 20.0) == "about 60 s left"
    assert workers.time_left(10, 110, 60.0) == "about 10 min left"
