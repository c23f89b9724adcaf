"""Ctrl-C ends a run whenever it comes: callbacks of compilers and samplers may swallow it once."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
import time
import weakref
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from . import console

#: Seconds after which a run that goes on says why, and between looks at it.
_PATIENCE, _PAUSE = 1.5, 0.1
#: Seconds after which an interrupt that is neither swallowed nor obeyed is repeated.
_HELD = 5.0
_ENDING = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The user ended the run; unlike KeyboardInterrupt no sampler takes it for a short one.

    Attributes
    ----------
    exit_status : int
        128 and the number of the signal: 130 for Ctrl-C.
    """

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__(number)
        self.exit_status = 128 + number


class _Watch:
    """Raises `Interrupted` in the main thread again until the run has ended by it."""

    def __init__(self) -> None:
        self.received = 0
        self._ended = threading.Event()
        self._raised: weakref.ref[Interrupted] | None = None

    def install(self) -> None:
        """Take over Ctrl-C and the request to terminate, for the rest of the process."""
        if threading.current_thread() is not threading.main_thread():
            return
        # A signal is seen here at once, also while the main thread is in compiled code.
        # Both ends stay open: a signal may still come when nobody follows any more.
        self._seen, self._woken = socket.socketpair()
        self._woken.setblocking(False)
        signal.set_wakeup_fd(self._woken.fileno(), warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, self._raise)
        usual = sys.unraisablehook

        def told(swallowed: Any) -> None:
            if not issubclass(swallowed.exc_type, Interrupted):
                usual(swallowed)

        sys.unraisablehook = told
        threading.Thread(target=self._follow, daemon=True).start()

    def end(self) -> int:
        """Stop following; give the exit status of the interrupt that came, 0 where none did."""
        self._ended.set()
        return 128 + self.received if self.received else 0

    def _raise(self, number: int, _: FrameType | None) -> None:
        if not self._ended.is_set():  # what is left takes no time
            raise self._remembered(number)

    def _remembered(self, number: int) -> Interrupted:
        # Nothing here may hold the interrupt: that it is gone shows that it was swallowed.
        self.received = number
        interrupt = Interrupted(number)
        self._raised = weakref.ref(interrupt)
        return interrupt

    def _follow(self) -> None:
        while (number := self._seen.recv(1)[0]) not in _ENDING:
            pass
        began = repeated = time.monotonic()
        told = False
        while not self._ended.wait(_PAUSE):
            now = time.monotonic()
            if not told and now - began > _PATIENCE:
                console.say("interrupted: the run ends with the step that it is in")
                told = True
            swallowed = self._raised is not None and self._raised() is None
            if swallowed or now - repeated > _HELD:
                repeated = now
                _send(number)


def _send(number: int) -> None:
    """Send the main thread a signal, which wakes it where it waits."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)
    else:
        signal.raise_signal(number)


watch = _Watch()


def leave(status: Any) -> NoReturn:
    """Leave at once: the interpreter would take seconds to clear compiled code away."""
    for number in _ENDING:  # nothing of ours is left to tell
        with suppress(ValueError):  # only the main thread may ask for that
            signal.signal(number, signal.SIG_DFL)
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(status)
