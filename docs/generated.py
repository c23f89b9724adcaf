"""Pages and tables of the manual that follow from code and files: what was checked and measured."""

import inspect
import json
from pathlib import Path

import pandas as pd
import typer
from typer.testing import CliRunner

import mscpool
from mscpool.analysis.terminal.cli import app

TESTS = Path(__file__).parents[1] / "tests"


def write(folder):
    """Write the generated pages into a folder; one that has not changed is left alone."""
    pages = {
        "commands.md": commands(),
        "functions.md": functions(),
        "checked.md": checked(),
        "speeds.md": speeds(),
    }
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")


def commands():
    """Show the help of every command, as it is printed."""
    parts = ["# Commands", "Each page of help, as the command prints it."]
    for words in _commands(typer.main.get_command(app), ()):
        shown = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "90"}).stdout
        parts += [f"## mscpool {' '.join(words)}", f"```text\n{shown.strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def _commands(group, words):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        else:
            yield (*words, name)


def functions():
    """Document the package and every public name from its docstring."""
    parts = [
        "# Functions",
        "Everything that `import mscpool as mp` offers.",
        "```{eval-rst}\n.. automodule:: mscpool\n```",
    ]
    for name in mscpool.__all__:
        public = getattr(mscpool, name)
        if inspect.ismodule(public):
            for inner in public.__all__:
                value = getattr(public, inner)
                if inspect.isfunction(value):
                    place = f"{public.__name__}.{inner}"
                    parts.append(_documented("function", place, f"mp.{name}.{inner}"))
        else:
            kind = "class" if inspect.isclass(public) else "function"
            place = f"{public.__module__}.{public.__qualname__}"
            parts.append(_documented(kind, place, f"mp.{name}"))
    return "\n\n".join(parts) + "\n"


def _documented(kind, place, called):
    return f"## {called}\n\n```{{eval-rst}}\n.. auto{kind}:: {place}\n   :no-index:\n```"


def checked():
    """List the published numbers that the tests hold the code to, with sources and tests."""
    tests = {path: path.read_text("utf-8") for path in sorted(TESTS.rglob("test_*.py"))}
    rows = []
    for path in sorted((TESTS / "reference").glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        said = (f'{path.name}"', f'reference("{path.stem}")')
        met = [test for test, text in tests.items() if any(words in text for words in said)]
        places = ", ".join(f"`{test.relative_to(TESTS)}`" for test in met)
        cells = (told["title"], _source(told), f"`{path.name}`", places)
        rows.append([" ".join(cell.replace("$", "").split()) for cell in cells])
    head = (
        "what | source | numbers in `tests/reference/` | held to them in `tests/`",
        "---|---|---|---",
    )
    return f"# Published numbers that are reproduced\n\n{_table(head, rows)}"


def _source(told):
    """Where the numbers of a reference come from: said once, or of each part."""
    parts = [part for part in told.values() if isinstance(part, dict)]
    said = told.get("source") or told.get("about") or "; ".join(p["source"] for p in parts)
    return said.removeprefix("Source: ")


def speeds():
    """Lay out the seconds that the benches hold the code to."""
    stated = pd.read_csv(TESTS / "benchmarks" / "stated.csv", dtype=str, keep_default_na=False)
    return _table(("what | seconds | wanted", "---|---:|---:"), stated.to_numpy().tolist())


def _table(head, rows):
    lines = [*head, *(" | ".join(map(str, row)) for row in rows)]
    return "".join(f"| {line} |\n" for line in lines)
