"""What numba keeps between processes is never of another text than the one that runs."""

import ast

from mscpool.models.priors import quantile_table
from mscpool.models.sampled import operations


def uses_of_other_files(tree):
    """Names from other files of ours that a function uses whose compilation is kept."""
    foreign = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }
    kept = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("cache=True" in ast.unparse(each) for each in node.decorator_list)
    ]
    return {
        (function.name, name.id)
        for function in kept
        for name in ast.walk(function)
        if isinstance(name, ast.Name) and name.id in foreign
    }


def test_a_kept_compilation_depends_on_its_own_file_alone(root):
    # Numba compares the time of that file, and of no other that it took a constant from.
    paths = [
        p for room in ("data", "models", "figures", "analysis") for p in (root / room).rglob("*.py")
    ]
    trees = {
        path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths
    }
    assert not {path: found for path, tree in trees.items() if (found := uses_of_other_files(tree))}


def test_a_foreign_constant_is_noticed():
    text = "from .a import STEP\n@numba.njit(cache=True)\ndef f(x):\n    return x * STEP\n"
    assert uses_of_other_files(ast.parse(text)) == {("f", "STEP")}


def test_nodes_are_those_of_the_tables():
    for name in ("LOWEST", "HIGHEST", "STEP"):
        assert getattr(operations, name) == getattr(quantile_table, name)
