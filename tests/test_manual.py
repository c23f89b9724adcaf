"""The manual builds without a warning; `make docs` also runs its blocks."""

import os
import re
import shlex
import subprocess
import sys

import pandas as pd
import pytest
import typer

from mscpool.analysis.terminal import cli


def build(source, folder, *options, **environment):
    """Build a manual as the shipped one is, and give what ended the process."""
    words = ["-W", "--keep-going", "-q", "-b", "html", "-d", folder / "trees", *options]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words, source, folder / "html"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip


def test_the_manual_builds_without_a_warning_and_lists_every_command(root, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "MSCPOOL_RUN_BLOCKS"}
    built = build(root / "docs", tmp_path, **environment)
    assert (built.returncode, built.stdout + built.stderr) == (0, "")
    commands = (tmp_path / "html" / "reference" / "commands.html").read_text("utf-8")
    for name in ("validate", "fit", "effects", "design single-arm", "design next"):
        assert f"mscpool {name}" in commands
    functions = (tmp_path / "html" / "reference" / "functions.html").read_text("utf-8")
    assert "mp.design.two_arm" in functions


@pytest.mark.slow
def test_a_block_that_fails_fails_the_build_and_names_file_and_line(root, tmp_path):
    head = "---\nfile_format: mystnb\nkernelspec:\n  name: python3\n---\n\n# A page\n\nWords.\n\n"
    block = "```{code-cell} ipython3\nx = 1\nx = 2\nassert x == 3\n```\n"
    (tmp_path / "index.md").write_text(head + block + "\n" + block, "utf-8")
    built = build(tmp_path, tmp_path, "-c", root / "docs", MSCPOOL_RUN_BLOCKS="1", **os.environ)
    assert built.returncode == 1
    lines = (head + block).splitlines()
    place = f"index.md:{1 + lines.index('assert x == 3')}: WARNING: a block fails"
    assert place in built.stderr
    assert "AssertionError" in built.stderr


def test_the_speeds_of_the_readme_are_those_of_the_manual(root):
    lines = (root / "README.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    told = {row[0]: row[1] for row in rows if len(row) == 2}
    del told["what"], told["---"]
    assert len(told) > 4
    stated = pd.read_csv(root / "tests/benchmarks/stated.csv", index_col="what")["seconds"]
    assert told.items() <= stated.to_dict().items()


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
