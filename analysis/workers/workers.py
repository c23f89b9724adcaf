"""A function of independent tasks, run in processes of this machine or on a Dask cluster.

A task holds all that its result depends on, its seed too: where it runs, and after which others,
changes nothing.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib import import_module, metadata
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from threadpoolctl import threadpool_limits

from ...data.errors import InputError
from ...data.names import numbered

NONE, LOCAL = "none", "local"
#: What a scheduler's address begins with.
_ADDRESS = ("tcp://", "tls://")
#: Seconds within which a scheduler must answer.
_PATIENCE = 2.5
#: How often workers may die one after another without a result between.
_DEATHS = 3
#: What numbers depend on: the version of each is asked of every worker, and kept with results.
VERSIONED = ("mscpool", "numpy", "scipy", "numba", "pytensor", "pymc", "nutpie", "arviz-stats")


class SchedulerError(InputError):
    """No scheduler answers, its workers do not fit, or it went away."""


def refuse_scheduler(scheduler: str) -> None:
    """Refuse what is neither ``none`` nor ``local`` nor an address where something answers.

    Raises
    ------
    SchedulerError
    """
    if scheduler not in (NONE, LOCAL) and not scheduler.startswith(_ADDRESS):
        raise SchedulerError(
            f"--scheduler {scheduler}: neither none, local, nor an address such as "
            "tcp://192.168.0.7:8786"
        )
    if scheduler not in (NONE, LOCAL):
        try:
            place = urlsplit(scheduler)
            socket.create_connection((place.hostname or "", place.port or 0), _PATIENCE).close()
        except (OSError, ValueError):
            raise SchedulerError(_silent(scheduler)) from None


def _silent(scheduler: str) -> str:
    return f"{scheduler}: no Dask scheduler answers there; start one with 'dask scheduler'"


def processes() -> int:
    """Give the number of processes that this machine has processors for."""
    from joblib import cpu_count

    return cpu_count()


def results[Task, Result](
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    scheduler: str = NONE,
    workers: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> Iterator[tuple[Task, Result]]:
    """Run a function on every task, wherever there is a worker for it.

    Parameters
    ----------
    function : callable
        At the top of a module, or a `functools.partial` of one that is.
    tasks : sequence
        What it is run on, each independent of the others.
    scheduler : str
        ``none`` for processes of this machine, ``local`` for a Dask cluster on it, or the address
        of a Dask scheduler that runs.
    workers : int, optional
        Processes of this machine; as many as it has processors by default. A cluster has its own.
    say : callable
        Told in a line where workers have another kind of processor than this machine.

    Yields
    ------
    tuple
        A task and its result, in the order in which they are done. Tasks of a worker that dies run
        again.

    Raises
    ------
    SchedulerError
        No scheduler answers, its workers have other versions, or it goes away.
    """
    refuse_scheduler(scheduler)
    workers = workers or processes()
    if scheduler != NONE:
        yield from _on_cluster(function, tasks, scheduler, workers, say)
    elif workers == 1 or len(tasks) < 2:
        yield from ((task, alone(function, task)) for task in tasks)
    else:
        yield from _in_processes(function, tasks, workers)


def alone[Task, Result](function: Callable[[Task], Result], task: Task) -> Result:
    """Run one task with one thread of linear algebra: sums come out alike on every machine.

    An exception that it ends in names the task: with it the same can be run again.
    """
    try:
        with threadpool_limits(limits=1):
            return function(task)
    except Exception as wrong:
        wrong.add_note(f"while running {task}")
        raise


def _in_processes(
    function: Callable[..., Any], tasks: Sequence[Any], workers: int
) -> Iterator[tuple[Any, Any]]:
    """Run tasks in processes, each of which compiles a model once."""
    missing, deaths = dict(enumerate(tasks)), 0
    while missing:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            waiting = {pool.submit(alone, function, each): key for key, each in missing.items()}
            try:
                for future in as_completed(waiting):
                    result, deaths = future.result(), 0
                    yield missing.pop(waiting[future]), result
            except BrokenProcessPool:
                deaths += 1
                if deaths > _DEATHS:
                    raise SchedulerError(_killed(deaths)) from None
            finally:
                pool.shutdown(cancel_futures=True)


def _killed(deaths: int) -> str:
    return (
        f"worker processes ended {numbered(deaths, 'time')} without a result: is there memory for "
        "them? Fewer take less"
    )


def _on_cluster(
    function: Callable[..., Any],
    tasks: Sequence[Any],
    scheduler: str,
    workers: int,
    say: Callable[[str], None],
) -> Iterator[tuple[Any, Any]]:
    """Run tasks on a Dask cluster."""
    with _client(scheduler, workers) as client:
        _name_processors(client, say)
        from distributed import KilledWorker
        from distributed import as_completed as as_they_come

        futures = client.map(partial(alone, function), tasks, pure=False)
        of_future = {future.key: task for future, task in zip(futures, tasks, strict=True)}
        coming = as_they_come(futures, loop=client.loop)
        del futures
        try:
            for future in coming:
                yield of_future[future.key], future.result()
        except KilledWorker:
            raise SchedulerError(_killed(_DEATHS + 1)) from None
        except (CancelledError, OSError):
            raise SchedulerError(
                f"{scheduler}: the scheduler went away; start it again, then the same command"
            ) from None


@contextmanager
def _client(scheduler: str, workers: int) -> Iterator[Any]:
    """Connect to a cluster, or make one here, whose workers have our versions."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise SchedulerError(
            f"--scheduler {scheduler} needs Dask: install the extra with 'mscpool[scale]'"
        ) from None
    for name in ("distributed", "distributed.client", "distributed.nanny", "tornado"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with ExitStack() as held:
        address: Any = scheduler
        if scheduler == LOCAL:
            folder = held.enter_context(TemporaryDirectory())
            held.enter_context(import_module("dask").config.set({"temporary-directory": folder}))
            address = held.enter_context(
                distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            )
        yield held.enter_context(_connected(distributed, address, scheduler))


@contextmanager
def _connected(distributed: Any, address: Any, scheduler: str) -> Iterator[Any]:
    """Connect to a scheduler whose workers have our versions."""
    try:
        client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
    except (OSError, ValueError):
        raise SchedulerError(_silent(scheduler)) from None
    try:
        _refuse_workers(client, scheduler)
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=_PATIENCE)


def _refuse_workers(client: Any, scheduler: str) -> None:
    """Refuse a cluster without workers, or whose workers have other versions than this machine."""
    try:
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise SchedulerError(
            f"{scheduler}: has no worker; start some with 'dask worker {scheduler}'"
        ) from None
    for name in VERSIONED:
        # A function of the standard library: a worker without ours can still answer.
        told = client.run(metadata.version, name, on_error="return")
        here = metadata.version(name)
        others = {each if isinstance(each, str) else "no version" for each in told.values()}
        if others - {here}:
            raise SchedulerError(
                f"{scheduler}: workers have {name} {', '.join(sorted(others - {here}))}, and this "
                f"machine {here}; install the same on both"
            )


def _name_processors(client: Any, say: Callable[[str], None]) -> None:
    """Name the workers' kinds of processor where they are not all this machine's."""
    from llvmlite.binding import get_host_cpu_name

    here = get_host_cpu_name()
    others = sorted({str(each) for each in client.run(get_host_cpu_name).values()} - {here})
    if others:
        say(
            f"workers have processors of another kind ({', '.join(others)}; here {here}): numbers "
            "agree to rounding where they are integrated, within Monte-Carlo error where sampled"
        )


def time_left(done: int, total: int, seconds: float) -> str:
    """Say how long the rest takes, if it goes on as fast as it went.

    Parameters
    ----------
    done, total : int
        Tasks.
    seconds : float
        Since the first began.
    """
    left = seconds * (total - done) / done
    return f"about {left / 60:.0f} min left" if left >= 90 else f"about {left:.0f} s left"
