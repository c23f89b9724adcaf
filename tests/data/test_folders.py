"""A folder is one run's while it writes, and gets all files of a set or none."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mscpool.data.errors import FolderInUseError
from mscpool.data.export import write_whole
from mscpool.data.folders import file_set, locked


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in folder.rglob("*")
        if path.is_file()
    }


def write_two(folder):
    write_whole("new", folder / "a.txt")
    write_whole("new", folder / "deep" / "b.txt")


def write_too_much(folder):
    with file_set(folder) as aside:
        write_whole("new", aside / "a.txt")
        write_whole(b"0" * 100_000, aside / "b.txt")


@pytest.fixture
def old(tmp_path):
    write_whole("old", tmp_path / "a.txt")
    return tmp_path


def test_a_set_appears_when_it_is_complete(old):
    with file_set(old) as aside:
        write_two(aside)
        assert (old / "a.txt").read_text("utf-8") == "old"
    assert contents(old) == {"a.txt": "new", "deep/b.txt": "new"}


@pytest.mark.parametrize("kind", [KeyboardInterrupt, OSError, RuntimeError])
def test_a_set_that_ends_early_leaves_the_old_files(old, kind):
    def write():
        with file_set(old) as aside:
            write_two(aside)
            raise kind

    with pytest.raises(kind):
        write()
    assert contents(old) == {"a.txt": "old"}


def test_a_set_within_a_set_appears_with_it(old):
    with file_set(old) as aside:
        with file_set(aside / "figures") as inner:
            write_whole("new", inner / "c.txt")
        assert contents(aside) == {"figures/c.txt": "new"}
        assert contents(old).keys() == {"a.txt", f"{aside.name}/figures/c.txt"}
    assert contents(old) == {"a.txt": "old", "figures/c.txt": "new"}


def test_a_folder_in_the_place_of_a_file_is_named_and_nothing_changed(old):
    (old / "deep" / "b.txt").mkdir(parents=True)
    with pytest.raises(OSError, match=r"deep/b\.txt") as wrong, file_set(old) as aside:
        write_two(aside)
    assert wrong.value.errno == errno.EISDIR
    assert contents(old) == {"a.txt": "old"}


def test_what_cannot_be_written_is_named_as_it_was_wanted(old, monkeypatch):
    def full(descriptor, mode):
        os.close(descriptor)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("mscpool.data.export.os.fdopen", full)
    with pytest.raises(OSError, match="No space left") as wrong, file_set(old) as aside:
        write_two(aside)
    assert wrong.value.filename == str(old / "a.txt")
    assert contents(old) == {"a.txt": "old"}


def test_folders_made_for_nothing_are_removed(tmp_path):
    with pytest.raises(RuntimeError), file_set(tmp_path / "new" / "deep"):
        raise RuntimeError
    with locked(tmp_path / "new" / "deep"):
        pass
    assert not list(tmp_path.iterdir())


def test_an_interrupt_waits_until_the_set_is_in_place(old, monkeypatch):
    usual = Path.replace

    def interrupted(path, target):
        if path.name == "a.txt":
            signal.raise_signal(signal.SIGINT)
        return usual(path, target)

    def write():
        with file_set(old) as aside:
            write_two(aside)
            monkeypatch.setattr(Path, "replace", interrupted)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have ignored it
    try:
        with pytest.raises(KeyboardInterrupt):
            write()
    finally:
        signal.signal(signal.SIGINT, before)
    assert contents(old) == {"a.txt": "new", "deep/b.txt": "new"}


HOLD = """
import sys, time
from pathlib import Path
from mscpool.data.folders import file_set, locked
with locked(Path(sys.argv[1])), file_set(Path(sys.argv[1])) as aside:
    (aside / "half.txt").write_text("half")
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_folder_belongs_to_one_run_until_it_ends_however_it_ends(tmp_path):
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    assert other.stdout.readline() == "held\n"
    with pytest.raises(FolderInUseError, match="another run is writing here"), locked(tmp_path):
        pass
    other.kill()
    other.communicate()
    with locked(tmp_path):
        write_whole("new", tmp_path / "a.txt")
    assert contents(tmp_path) == {"a.txt": "new"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_full_disk_leaves_the_old_files(small_disk):
    write_whole("old", small_disk / "a.txt")
    with pytest.raises(OSError, match="No space left") as wrong:
        write_too_much(small_disk)
    assert wrong.value.filename == str(small_disk / "b.txt")
    assert contents(small_disk) == {"a.txt": "old"}


def test_a_set_replaces_the_former_set_and_nothing_else(tmp_path):
    for name in ("one_a.csv", "one_b.csv", "two_a.csv"):
        write_whole("old", tmp_path / name)
    with file_set(tmp_path, {"one_a.csv", "one_b.csv", "one_c.csv"}) as aside:
        write_whole("new", aside / "one_a.csv")
    assert contents(tmp_path) == {"one_a.csv": "new", "two_a.csv": "old"}
    with pytest.raises(OSError, match="broken"), file_set(tmp_path, {"one_a.csv"}):
        raise OSError("broken")
    assert contents(tmp_path) == {"one_a.csv": "new", "two_a.csv": "old"}
