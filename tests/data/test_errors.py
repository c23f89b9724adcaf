"""Only errors meant for users are told in a line or caught: they are one family."""

import ast
import re

import pytest

from mscpool.data import errors

#: Where a foreign ValueError is an answer: a text is no number, JSON, TOML, path or address, or
#: a library says that there is no tail to smooth.
READERS = {
    ("models/effects/belief.py", "parse_effect"),
    ("data/data_set.py", "is_folder"),
    ("data/moderators.py", "_number"),
    ("data/text_files.py", "read_bytes"),
    ("models/rates/prior.py", "parse_prior"),
    ("analysis/terminal/stages.py", "_read"),
    ("analysis/terminal/design_options.py", "_number_or_none"),
    ("models/priors/files.py", "_parsed"),
    ("analysis/paper/report/findings.py", "kept_check"),
    ("analysis/calibration/kept.py", "read"),
    ("analysis/guard/importance.py", "importance_weights"),
    ("analysis/fitting/store.py", "load"),
    ("analysis/fitting/store.py", "_unlike_written"),
    ("analysis/sensitivity/cumulative.py", "_whole"),
    ("analysis/workers/workers.py", "refuse_scheduler"),
    ("analysis/workers/workers.py", "_connected"),
    ("analysis/explore/state.py", "_prior"),
    ("analysis/explore/state.py", "read_state"),
}


@pytest.fixture(scope="module")
def sources(root):
    folders = ("data", "models", "figures", "analysis")
    paths = [path for folder in folders for path in (root / folder).rglob("*.py")]
    return {path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


def test_the_family_is_the_tree_of_its_docstring(sources):
    parents = {
        node.name: base.id
        for tree in sources.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
        if isinstance(base, ast.Name)
    }

    def is_of_the_family(name):
        return name == "InputError" or (name in parents and is_of_the_family(parents[name]))

    shown = re.findall(r"^ {4}(?:.*─ )?([A-Z]\w+)", errors.__doc__ or "", re.M)
    assert set(shown) == {name for name in parents if is_of_the_family(name)}
    assert issubclass(errors.InputError, ValueError)


def test_no_sentence_for_users_is_a_plain_value_error(sources):
    plain = [
        f"{name}:{node.lineno}"
        for name, tree in sources.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and ast.unparse(node).startswith("raise ValueError")
    ]
    assert not plain


def test_only_readers_of_foreign_text_take_a_value_error_for_an_answer(sources):
    taken = {
        (name, function.name)
        for name, tree in sources.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and "ValueError" in ast.unparse(node.type)
    }
    assert taken == READERS
