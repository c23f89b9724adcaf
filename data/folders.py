"""A folder that a run writes to: its own while it runs, and filled with all its files or none."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import FolderInUseError, InputError

#: Begins the names of what a run has in a folder only while it runs.
_ASIDE = ".mscpool-"
_LOCK = f"{_ASIDE}lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder while this one writes to it.

    Parameters
    ----------
    folder : Path
        Made where it is missing, and removed again where nothing was written into it.

    Raises
    ------
    FolderInUseError
        Another run has the folder.
    OSError
        The folder cannot be written to.
    """
    from filelock import FileLock, Timeout

    with _made(folder):
        place = folder / _LOCK
        lock = FileLock(place, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            raise FolderInUseError(
                f"{folder}: another run is writing here; wait for it, or name another folder"
            ) from None
        try:
            _remove_leftovers(folder)
            yield
        finally:
            with undisturbed():
                with suppress(OSError):  # Windows removes no open file
                    place.unlink()
                lock.release()


@contextmanager
def writing_to(*folders: Path) -> Iterator[None]:
    """Refuse folders that cannot be written to before any work is done; then keep others out.

    Raises
    ------
    InputError
        A place that is a file, or may not be written to.
    FolderInUseError
        Another run has a folder.
    """
    for folder in folders:
        _refuse_place(folder)
    with ExitStack() as held:
        for folder in folders:
            held.enter_context(locked(folder))
        yield


def _refuse_place(folder: Path) -> None:
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        raise InputError(f"{existing}: is a file; name a folder to write to")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise InputError(f"{existing}: may not be written to; name another folder")


@contextmanager
def file_set(folder: Path, of_set: Iterable[str] = ()) -> Iterator[Path]:
    """Put a set of files in place at once: where one cannot be written, all old ones stay.

    Parameters
    ----------
    folder : Path
        Of the files; made where it is missing.
    of_set : iterable of str
        Every name that a file of such a set may have: what an earlier set left under one of them,
        and this one has not, is removed.

    Yields
    ------
    Path
        An empty folder: files written into it appear in ``folder``, under the same names, when the
        block ends, and not at all where it ends by an error or an interrupt.

    Raises
    ------
    OSError
        A file cannot be written; it bears the name that the file would have had.
    """
    with _made(folder):
        aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=folder))
        try:
            yield aside
            _put_in_place(aside, folder, of_set)
        except OSError as wrong:
            raise _named_as_wanted(wrong, aside, folder) from wrong
        finally:
            with undisturbed():
                shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a short block."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    caught: list[tuple[Any, ...]] = []
    usual = signal.signal(signal.SIGINT, lambda *received: caught.append(received))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if caught and callable(usual):
            usual(*caught[0])


def _put_in_place(aside: Path, folder: Path, of_set: Iterable[str]) -> None:
    names = [path.relative_to(aside) for path in sorted(aside.rglob("*")) if path.is_file()]
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (folder / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(folder / name))
    with undisturbed():
        for name in names:
            (aside / name).replace(folder / name)
        for stale in set(of_set) - set(map(str, names)):
            (folder / stale).unlink(missing_ok=True)


def _named_as_wanted(wrong: OSError, aside: Path, folder: Path) -> OSError:
    """Name in an error the file that was wanted, not the one that was written aside."""
    if wrong.filename is None or not Path(wrong.filename).is_relative_to(aside):
        return wrong
    wanted = folder / Path(wrong.filename).relative_to(aside)
    return OSError(wrong.errno, wrong.strerror, str(wanted))


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make a folder, and remove it again, with its parents, where nothing is in it at the end."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        for each in missing:
            with suppress(OSError):  # it is not empty
                each.rmdir()


def _remove_leftovers(folder: Path) -> None:
    """Remove what a run left that was killed in the middle."""
    for path in folder.glob(f"{_ASIDE}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
