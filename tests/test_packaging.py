"""The wheel holds what the repository's four folders hold, and works on its own."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOMS = ("data", "models", "analysis", "figures")


@pytest.fixture(scope="module")
def wheel(root, tracked, tmp_path_factory) -> Path:
    """Build the wheel from a copy of the tracked files, without a network."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for path in tracked:
        if path.parts[0] != "tests":
            (source / path.parent).mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, source / path)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built)]
    run = subprocess.run([*command, str(source)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return next(built.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Folder of the unpacked wheel, as site-packages would hold it."""
    folder = tmp_path_factory.mktemp("site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_wheel_holds_every_file_of_the_code_folders(installed, tracked):
    inside = {path.relative_to(installed) for path in installed.rglob("*") if path.is_file()}
    shown = {Path("figures/README.md"), Path("figures/gallery")}
    wanted = {
        Path("mscpool") / path
        for path in tracked
        if path in (Path("__init__.py"), Path("py.typed"))
        or (path.parts[0] in ROOMS and path not in shown and path.parent not in shown)
    }
    package = {path for path in inside if path.parts[0] == "mscpool"}
    assert package == wanted
    assert Path("mscpool/data/outcomes.csv") in package


def test_wheel_offers_the_command(installed):
    entry_points = next(installed.glob("mscpool-*.dist-info/entry_points.txt"))
    assert "mscpool = mscpool.analysis.terminal.cli:main" in entry_points.read_text("utf-8")


def test_wheel_reads_its_own_evidence(installed, tmp_path):
    code = (
        "import mscpool; print(mscpool.__file__); "
        "evidence = mscpool.load_evidence(); print(len(evidence.diseases))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
    )
    place, diseases = run.stdout.split("\n")[:2]
    assert Path(place).is_relative_to(installed)
    assert diseases == "6"
