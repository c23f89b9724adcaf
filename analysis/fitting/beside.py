"""Processes that work beside the first one, which alone hears Ctrl-C and ends them."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running


@contextmanager
def unheard() -> Iterator[None]:
    """Begin processes that never hear Ctrl-C, though a terminal sends it to all of a run.

    A process that is still loading would answer it with a traceback. Here it waits until the block
    is left, unless a thread that began before hears it.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    ensure_running()  # a tracker that begins only with the first process would let Ctrl-C in again
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)
