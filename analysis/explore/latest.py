"""Long work beside the page: in a thread, the latest request only, so that no queue builds up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

#: Threads of the whole page, whoever looks at it.
_POOL = ThreadPoolExecutor(2, thread_name_prefix="explore")


@dataclass(frozen=True, eq=False)
class Done[Request, Result]:
    """The end of one piece of work: a value, or what went wrong."""

    request: Request
    value: Result | None = None
    wrong: Exception | None = None


class Latest[Request, Result]:
    """Works on one request at a time; of those that arrive meanwhile only the last is taken up.

    Parameters
    ----------
    work : callable
        Request to result; runs in a thread.
    tell : callable
        Awaited with each `Done`, in the event loop.
    pause : float
        Seconds of quiet before work begins.
    """

    def __init__(
        self,
        work: Callable[[Request], Result],
        tell: Callable[[Done[Request, Result]], Awaitable[None]],
        pause: float = 0.0,
    ) -> None:
        self._work, self._tell, self._pause = work, tell, pause
        self._next: list[Request] = []
        self._running: asyncio.Task | None = None
        self.dropped = 0

    @property
    def busy(self) -> bool:
        """Whether something is being worked on."""
        return self._running is not None and not self._running.done()

    @property
    def waiting(self) -> bool:
        """Whether a later request stands behind the one that is worked on."""
        return bool(self._next)

    def drop(self) -> None:
        """Drop what has not begun."""
        self._next = []

    def ask(self, request: Request) -> None:
        """Ask for a result; an earlier request that has not begun is dropped."""
        self.dropped += len(self._next)
        self._next = [request]
        if not self.busy:
            self._running = asyncio.get_running_loop().create_task(self._run())

    def forget(self) -> None:
        """Drop what has not begun, and tell nothing of what has."""
        self._next = []
        if self._running is not None:
            self._running.cancel()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._next:
            if self._pause:
                await asyncio.sleep(self._pause)
            if not self._next:  # dropped meanwhile
                return
            request = self._next.pop()
            try:
                done = Done(request, await loop.run_in_executor(_POOL, self._work, request))
            except Exception as wrong:  # told by the page, which must not end by it
                done = Done(request, None, wrong)
            await self._tell(done)
