"""What every test shares: pictures without a screen, repeatable examples, the tracked files."""

import os
import subprocess
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"  # before anything imports matplotlib, subprocesses included

import hypothesis
import pytest

hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("repeatable")


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
