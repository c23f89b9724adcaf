"""Pages of the manual that follow from the code: the commands, the functions, the references."""

import inspect
import json
from pathlib import Path

import typer
from typer.testing import CliRunner

import mscpool
from mscpool.analysis.terminal.cli import app

REFERENCES = Path(__file__).parents[1] / "tests" / "reference"


def write(folder):
    """Write the generated pages into a folder; one that has not changed is left alone."""
    pages = {"commands.md": commands(), "functions.md": functions(), "checked.md": checked()}
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
                    parts.append(_documented("function", value, f"mp.{name}.{inner}"))
        else:
            kind = "class" if inspect.isclass(public) else "function"
            parts.append(_documented(kind, public, f"mp.{name}"))
    return "\n\n".join(parts) + "\n"


def _documented(kind, value, called):
    place = f"{value.__module__}.{value.__qualname__}"
    return f"## {called}\n\n```{{eval-rst}}\n.. auto{kind}:: {place}\n   :no-index:\n```"


def checked():
    """List the published numbers that the tests hold the code to, with their sources."""
    rows = []
    for path in sorted(REFERENCES.glob("*.json")):
        told = json.loads(path.read_text("utf-8"))
        title = told.get("title") or path.stem.replace("_", " ").capitalize()
        source = told.get("source") or told.get("about") or "see the file"
        rows.append(
            f"| {title} | {' '.join(str(source).split())} | `{path.name}` |".replace("$", "")
        )
    head = "| what | source | file |\n|---|---|---|"
    return "\n".join(["# Published numbers that are reproduced", "", head, *rows]) + "\n"
