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
    "figures",
    "models",
    "pyproject.toml",
    "requirements.lock",
    "tests",
}
ROOF = {
    "analysis.publish",
    "analysis.paper.publish_design",
    "analysis.paper.rendering",
    "analysis.report",
    "analysis.cli",
}
MAY_IMPORT = {
    "data": {"data"},
    "models": {"data", "models"},
    "analysis": {"data", "models", "analysis"},
    "figures": {"data", "models", "figures"},
    "words": {"data", "models", "analysis", "figures", "words"},
    "roof": {"data", "models", "analysis", "figures", "words", "roof"},
}
# What tells results on paper and on a terminal stands above the analysis, and knows its figures.
WORDS = ("analysis.paper.", "analysis.terminal.")
# Where files are opened, besides the reading of the evidence in data/: the store of fits, the
# calibration's progress (it resumes), and the roof.
TOUCH_FILES = ROOF | {"analysis.fitting.store", "analysis.calibrate"}
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


def floor(module: str) -> str:
    """Name the room of a module, the words above it, or the roof."""
    if module in ROOF:
        return "roof"
    return "words" if module.startswith(WORDS) else module.split(".")[0]


def imported(module: str, tree: ast.Module, modules) -> set[str]:
    """Modules of the project that a module imports anywhere, lazily or not."""
    is_package = any(name.startswith(f"{module}.") for name in modules)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            found |= {".".join(name[1:]) for name in names if name[0] == "mscpool"}
        elif isinstance(node, ast.ImportFrom):
            source = (node.module or "").split(".") if node.module else []
            if node.level:
                parts = module.split(".")
                base = parts[: len(parts) - node.level + is_package]
            elif source[0] == "mscpool":
                base, source = [], source[1:]
            else:
                continue
            origin = ".".join([*base, *source])
            for alias in node.names:
                whole = f"{origin}.{alias.name}".strip(".")
                found.add(whole if whole in modules else origin)
    return found - {""}


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


def test_nothing_imports_upwards(modules):
    upwards = [
        f"{module} imports {other}"
        for module, tree in modules.items()
        if module
        for other in sorted(imported(module, tree, modules))
        if floor(other) not in MAY_IMPORT[floor(module)]
    ]
    assert not upwards


@pytest.mark.parametrize(
    ("module", "statement", "found"),
    [
        ("models.exact", "from ..data.evidence import Evidence", {"data.evidence"}),
        ("models.exact", "from . import priors", {"models.priors"}),
        ("models.exact", "def f():\n    from ..analysis import fit", {"analysis.fit"}),
        ("models.exact", "import mscpool.analysis.fitting.fit", {"analysis.fit"}),
        ("models.exact", "from mscpool.analysis.fitting.fit import fit", {"analysis.fit"}),
        ("models.exact", "import numpy as np\nfrom scipy import stats", set()),
        ("models", "from .priors import Prior", {"models.priors"}),
    ],
)
def test_import_rule_sees_every_form_of_import(module, statement, found):
    known = {"data.evidence", "models", "models.priors", "models.exact", "analysis.fit"}
    assert imported(module, ast.parse(statement), known) == found


def test_files_are_opened_only_where_the_design_says(modules):
    elsewhere = {
        module: calls
        for module, tree in modules.items()
        if module not in TOUCH_FILES and floor(module) != "data" and (calls := file_calls(tree))
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
