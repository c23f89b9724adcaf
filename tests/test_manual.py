"""The manual builds without a warning; `make docs` also runs its blocks."""

import os
import re
import shlex
import subprocess
import sys
import tomllib

import typer

from mscpool.analysis.terminal import cli


def test_the_manual_builds_without_a_warning_and_lists_every_command(root, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "MSCPOOL_RUN_BLOCKS"}
    words = ["-W", "--keep-going", "-q", "-b", "html", "-d", tmp_path / "trees"]
    built = subprocess.run(
        [sys.executable, "-m", "sphinx", *words, root / "docs", tmp_path / "html"],
        capture_output=True, text=True, env=environment, check=False,
    )  # fmt: skip
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    commands = (tmp_path / "html" / "reference" / "commands.html").read_text("utf-8")
    for name in ("validate", "fit", "effects", "design single-arm", "design next"):
        assert f"mscpool {name}" in commands
    functions = (tmp_path / "html" / "reference" / "functions.html").read_text("utf-8")
    assert "mp.design.two_arm" in functions


def rows_of_tables(page):
    lines = page.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1] for row in cells if len(row) > 1}


def test_the_speeds_of_the_readme_are_those_of_the_manual(root):
    told = rows_of_tables(root / "README.md")
    assert len(told) > 5
    assert told.items() <= rows_of_tables(root / "docs/speed.md").items()


def test_benches_fail_by_the_speeds_that_the_manual_states(root):
    stated = tomllib.loads((root / "tests/benchmarks/stated.toml").read_text("utf-8"))
    told = rows_of_tables(root / "docs/speed.md")
    assert stated == {what: float(told[what].split()[-1]) for what in stated}


def commands_in(page):
    """Give the commands that a page tells a reader to type, without comments and line breaks."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    lines = re.findall(r"^(?:    |!)?(mscpool .*)$", text, flags=re.MULTILINE)
    quoted = re.findall(r"`(mscpool [^`]+)`", text)
    return [shlex.split(line, comments=True) for line in (*lines, *quoted)]


def test_every_command_of_the_manual_is_one_that_the_command_line_takes(root):
    app = typer.main.get_command(cli.app)
    pages = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    typed = {tuple(words[1:]) for page in pages for words in commands_in(page)}
    assert len(typed) > 30
    for words in sorted(typed):
        command, rest = app, list(words)
        while rest and rest[0] in getattr(command, "commands", ()):
            command = command.commands[rest.pop(0)]
        if not {"--help", "…"} & {*rest} and rest:
            command.make_context("mscpool", rest)
