"""The server of the page: on this machine only, behind its gate, until Ctrl-C."""

from __future__ import annotations

import errno
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.errors import InputError
from ...data.evidence import Evidence, as_evidence, load_evidence

if TYPE_CHECKING:
    from types import FrameType

    import pandas as pd
    import uvicorn

HOST, PORT = "127.0.0.1", 8321
#: Ports tried from the wanted one on.
_TRIED = 20
#: Seconds that connections are given to end after Ctrl-C.
_PATIENCE = 1


def explore(
    evidence: Evidence | str | Path | pd.DataFrame | None = None,
    *,
    state: str = "",
    port: int = PORT,
    browser: bool = True,
) -> None:
    """Open the page on a data set in the browser, and serve it until Ctrl-C.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame, optional
        The data set, read as `load_evidence` does; the shipped evidence by default.
    state : str
        The query of a page's address, to be shown first.
    port : int
        Where it is served, on 127.0.0.1 only; the next one that is free where it is taken.
    browser : bool
        Whether the browser is opened.

    Returns
    -------
    None
        When it has been ended.

    Raises
    ------
    InputError
        As `serve` and `load_evidence`.
    """
    read = load_evidence() if evidence is None else as_evidence(evidence)
    path = str(evidence) if isinstance(evidence, str | Path) else ""
    serve(read, path, state, port, browser, _say)


def serve(
    evidence: Evidence,
    path: str,
    state: str,
    port: int,
    browser: bool,
    say: Callable[[str], None],
) -> None:
    """Serve the page of a data set until Ctrl-C.

    Parameters
    ----------
    evidence : Evidence
        The data set, in any selection.
    path : str
        How a command names it; empty for the shipped evidence.
    state, port, browser
        As in `explore`.
    say : callable
        Takes what is said, the address among it, line by line.

    Raises
    ------
    InputError
        Shiny is not installed, no port is free, or a state that cannot be shown.
    """
    try:
        import uvicorn

        from .gate import Gate
        from .page import first_state, make_app
        from .state import read_state
    except ModuleNotFoundError as missing:
        raise InputError(
            f"the page needs {missing.name}: install mscpool with its extra 'explore'"
        ) from None
    query = read_state(state, first_state(evidence)).query if state else ""
    with _folder_of_uploads(), _bound(port, say) as listening:
        served = listening.getsockname()[1]
        token = secrets.token_urlsafe(32)
        app = make_app(evidence, path)
        config = uvicorn.Config(
            Gate(app, served, token),
            log_level="error",
            access_log=False,
            timeout_graceful_shutdown=_PATIENCE,
            ws_max_size=2**20,
            server_header=False,
        )
        address = f"http://{HOST}:{served}/?token={token}" + (f"&{query}" if query else "")
        say(f"Explore at {address}")
        say("Only this machine can open it. Ctrl-C ends it; nothing is kept.")
        if browser:
            _open(address)
        _server(config).run(sockets=[listening])


def _server(config: uvicorn.Config) -> uvicorn.Server:
    """Make a server that Ctrl-C ends as it is meant to end, and a second one at once."""
    import uvicorn

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if sig == signal.SIGINT:  # else it would be raised once more at the end
                self.force_exit, self.should_exit = self.should_exit, True
            else:
                super().handle_exit(sig, frame)

    return Server(config)


@contextmanager
def _folder_of_uploads() -> Iterator[None]:
    """Let what is uploaded lie in one folder, which is gone when the server has ended."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix="mscpool-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def _bound(port: int, say: Callable[[str], None]) -> socket.socket:
    """Listen at a port, or at the next that is free."""
    if not 0 <= port <= 65535:
        raise InputError(f"port must lie between 0 and 65535, not {port}")
    for each in range(port, min(port + _TRIED, 65536)):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, each))
            listening.listen()
        except OSError as taken:
            listening.close()
            if taken.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            continue
        if each != port:
            say(f"Port {port} is taken: serving at {each}.")
        return listening
    raise InputError(f"no port from {port} on is free: give another with --port")


def _open(address: str) -> None:
    import threading
    import webbrowser

    threading.Timer(0.5, webbrowser.open, [address]).start()


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
