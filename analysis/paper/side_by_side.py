"""Like jobs done on two cores: some in this process, the others in a second one."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Companion:
    """A second process, and the thread that brings it jobs and fetches what it made."""

    process: subprocess.Popen[bytes]
    courier: ThreadPoolExecutor


@dataclass(frozen=True)
class Shared:
    """A job begun on many items, and the answers that are awaited from the companion."""

    job: Callable[[Any], Any]
    items: Sequence[Any]
    awaited: Sequence[Future]


class _Lost(Exception):
    """The companion gave no answer."""


@contextmanager
def companion(modules: Sequence[str]) -> Iterator[Companion | None]:
    """Start a second process, which imports modules at once; None where there is one core.

    It is Python anew and not a fork, which would share the sampler's threads in a broken state; and
    not a process of `multiprocessing`, which would run the script that called for it once more.

    Parameters
    ----------
    modules : sequence of str
        Full names of what its jobs will need.

    Yields
    ------
    Companion or None
        It ends with the context: after an interrupt it only finishes the job in hand.
    """
    if (os.cpu_count() or 1) < 2 or not sys.executable:
        yield None
        return
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import _serve; _serve()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with ThreadPoolExecutor(1) as courier, process:
        try:
            yield Companion(process, courier)
        finally:
            courier.shutdown(cancel_futures=True)
            with suppress(OSError):
                _ends(process)[0].close()


def begin(job: Callable, items: Sequence, other: Companion | None) -> Shared:
    """Let the companion begin a job on many items, from the first.

    Parameters
    ----------
    job : callable
        Of one item; both and its result can be pickled.
    items : sequence
        What it is done on.
    other : Companion or None
        Without one all is left to `finish`.

    Returns
    -------
    Shared
    """
    if other is None:
        return Shared(job, items, [])
    return Shared(job, items, [other.courier.submit(_ask, other, job, each) for each in items])


def finish(shared: Shared) -> list:
    """Do from the last item what the companion has not come to yet; give all results in order.

    Raises
    ------
    Exception
        What the job raised, in either process.
    """
    made: dict[int, Any] = {}
    for place in reversed(range(len(shared.items))):
        if not shared.awaited or shared.awaited[place].cancel():
            made[place] = shared.job(shared.items[place])
    for place, answer in enumerate(shared.awaited):
        if place not in made:
            try:
                made[place] = answer.result()
            except _Lost:
                made[place] = shared.job(shared.items[place])
    return [made[place] for place in range(len(shared.items))]


def _ask(other: Companion, job: Callable, item: Any) -> Any:
    """Have a job done by the companion, within the courier's thread."""
    into, out = _ends(other.process)
    try:
        pickle.dump((job, item), into)
        into.flush()
        done, answer = pickle.load(out)
    except (OSError, EOFError) as error:
        raise _Lost from error
    if not done:
        raise answer
    return answer


def _ends(process: subprocess.Popen[bytes]) -> tuple[Any, Any]:
    """Give the pipes into and out of a process."""
    return process.stdin, process.stdout


def _serve() -> None:
    """Do the jobs that come in until there are no more: what the companion runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process ends this one
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)  # what a library prints must not stand among the answers
        for name in sys.argv[1:]:
            import_module(name)
        with suppress(EOFError):
            while True:
                job, item = pickle.load(sys.stdin.buffer)
                try:
                    answer = True, job(item)
                except Exception as error:
                    answer = False, error
                answers.write(pickle.dumps(answer))
                answers.flush()
