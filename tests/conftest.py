"""What every test shares: pictures without a screen, repeatable examples, the tracked files."""

import gc
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib, subprocesses included

import hypothesis
import pytest

# Figures and models are many objects, none of which is garbage for long: a twentieth of the time.
gc.set_threshold(100_000, 20, 50)

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_in_the_temporary_folder() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())  # pytest tidies its own
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield
        assert not list(Path(folder).iterdir())


@pytest.fixture(scope="session")
def root() -> Path:
    """Folder of the project, which is the package."""
    return Path(__file__).parents[1]


@pytest.fixture(scope="session")
def tracked(root) -> tuple[Path, ...]:
    """Files that the repository holds, relative to the root."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (Path(name) for name in listed.split("\0") if name)
    return tuple(path for path in paths if (root / path).is_file())


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """Folder on a disk of 64 kB; skipped where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    mounted = [mount or "", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if mount is None or subprocess.run(mounted, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)
