"""The house rules that a reader would otherwise have to police."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mscpool

ROOMS = ("data", "models", "analysis", "figures")
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    ".python-version",
    "CHANGELOG.md",
    "CITATION.cff",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "__init__.py",
    "analysis",
    "data",
    "docs",
    "figures",
    "models",
    "py.typed",
    "pyproject.toml",
    "requirements.lock",
    "tests",
}
#: Where files are opened, besides data/: the stores of fits and of comparisons, the calibration's
#: progress (it resumes) and rates, and what writes a paper, the report and the answers of the
#: command line.
TOUCH_FILES = {
    "analysis.fitting.compiled_code",
    "analysis.fitting.store",
    "analysis.calibration.kept",
    "analysis.guard.measured",
    "analysis.paper.publish.publish",
    "analysis.paper.publish.design",
    "analysis.paper.publish.rendering",
    "analysis.paper.report.report",
    "analysis.paper.report.files",
    "analysis.paper.report.findings",
    "analysis.terminal.exits",
    "analysis.terminal.design",
    "analysis.terminal.stages",
}
FILE_CALLS = {
    "open",
    "read_csv",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "to_netcdf",
    "open_datatree",
    "from_netcdf",
    "savefig",
    "mkdir",
    "unlink",
    "replace_file",
    "NamedTemporaryFile",
    "mkstemp",
}


@pytest.fixture(scope="module")
def modules(root) -> dict[str, ast.Module]:
    """Syntax trees of the code, by dotted name within the package."""
    paths = [root / "__init__.py"]
    for room in ROOMS:
        paths += sorted((root / room).rglob("*.py"))
    return {dotted(path.relative_to(root)): ast.parse(path.read_text("utf-8")) for path in paths}


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix("__init__").removesuffix(".")


def file_calls(tree: ast.Module) -> set[str]:
    """Names of the calls in a module that open, make or remove files."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = {
        call.attr if isinstance(call, ast.Attribute) else call.id
        for call in calls
        if isinstance(call, ast.Attribute | ast.Name)
    }
    return names & FILE_CALLS


def test_packages_list_equals_folders_of_code(root, project):
    folders = {
        path.parent.relative_to(root) for room in ROOMS for path in (root / room).rglob("*.py")
    }
    expected = {"mscpool", *(".".join(["mscpool", *folder.parts]) for folder in folders)}
    assert set(project["tool"]["setuptools"]["packages"]) == expected


def test_files_are_opened_only_where_the_design_says(modules):
    elsewhere = {
        module: calls
        for module, tree in modules.items()
        if module not in TOUCH_FILES
        and not module.startswith("data.")
        and (calls := file_calls(tree))
    }
    assert not elsewhere


def test_modules_and_folders_say_their_purpose(modules):
    silent = [module for module, tree in modules.items() if not ast.get_docstring(tree)]
    assert not silent


def test_top_level_holds_nothing_unknown(tracked):
    assert {path.parts[0] for path in tracked} <= TOP_LEVEL


def test_no_registry_address_is_tracked(root, tracked):
    address = re.compile(
        rb"https?://[^\s\"']*/(simple|packages)([/\s\"']|$)"
        rb"|(pypi|pythonhosted|npmjs)\.(org|com)",
        re.IGNORECASE,
    )
    own = Path(__file__).relative_to(root)
    named = [path for path in tracked if path != own and address.search((root / path).read_bytes())]
    assert not named
    assert Path("uv.lock") not in tracked, "uv.lock records addresses"


def test_version_is_the_same_everywhere(root, project):
    version = project["project"]["version"]
    citation = re.search(r"^version: (\S+)$", (root / "CITATION.cff").read_text("utf-8"), re.M)
    assert citation
    assert (mscpool.__version__, citation[1]) == (version, version)
    assert f"## [{version}]" in (root / "CHANGELOG.md").read_text("utf-8")


def test_lock_satisfies_every_dependency_with_hashes(root, project):
    lock = (root / "requirements.lock").read_text("utf-8")
    blocks = re.findall(
        r"^([a-z0-9-]+)(?:\[\S+\])?==([^\s;]+).*\n((?:    --hash.*\n)*)", lock, re.M
    )
    pinned = {name: version for name, version, _ in blocks}
    assert not [name for name, _, hashes in blocks if "--hash=sha256:" not in hashes]
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)])


def test_public_names_are_found_and_unknown_ones_are_not():
    for name in dir(mscpool):
        assert getattr(mscpool, name) is not None
    with pytest.raises(AttributeError, match="'mscpool' has no attribute 'rate_of_return'"):
        mscpool.rate_of_return  # noqa: B018


def test_public_names_known_to_type_checkers_are_those_that_load(modules):
    block = next(node for node in modules[""].body if isinstance(node, ast.If))
    typed = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert typed == mscpool._ROOM


def test_importing_the_package_imports_nothing_heavy():
    code = "import sys, mscpool; dir(mscpool); print(*sorted(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert not {"numpy", "pandas", "pymc", "arviz", "matplotlib"} & set(run.stdout.split())
