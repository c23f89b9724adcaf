"""A table to fill in, one as it was understood, and a workbook of several sheets, as typed."""

import openpyxl
import pytest
from typer.testing import CliRunner

from mscpool.analysis.terminal import cli
from mscpool.data.evidence import load_evidence


def run(*words):
    return CliRunner().invoke(cli.app, [str(word) for word in words])


@pytest.mark.parametrize("name", ["own.xlsx", "own.csv"])
def test_a_template_is_written_once(tmp_path, name):
    path = tmp_path / name
    done = run("template", path, "--outcome", "response")
    assert done.exit_code == 0
    assert f"mscpool validate {path}" in done.stdout
    before = path.read_bytes()
    again = run("template", path)
    assert (again.exit_code, again.stderr) == (
        2,
        f"{path}: is there already; name another file\n",
    )
    assert path.read_bytes() == before


def test_a_template_of_an_unknown_kind_is_refused(tmp_path):
    done = run("template", tmp_path / "own.ods")
    assert done.exit_code == 2
    assert "ends with .xlsx or .csv" in done.stderr


def test_validate_writes_what_it_understood_and_never_over_the_original(tmp_path):
    path, fixed = tmp_path / "own.csv", tmp_path / "fixed.csv"
    path.write_text("Author;r;N\nA;3;10\n", "utf-8")
    assert run("validate", path, "--fix", path).exit_code == 2
    assert path.read_text("utf-8").startswith("Author;r")
    assert run("validate", path, "--fix", fixed).exit_code == 0
    assert load_evidence(fixed).sha256 == load_evidence(path).sha256
    assert run("validate", "--fix", tmp_path / "other.csv").exit_code == 2
    path.write_text("Author;r;N\nA;30;10\n", "utf-8")
    assert run("validate", path, "--fix", tmp_path / "none.csv").exit_code == 2
    assert not (tmp_path / "none.csv").exists()


def test_a_sheet_is_named_on_the_command_line(tmp_path):
    book = openpyxl.Workbook()
    for title in ("first", "second"):
        sheet = book.create_sheet(title)
        sheet.append(["study", "events", "n"])
        sheet.append([title, 1, 9])
    book.save(tmp_path / "own.xlsx")
    done = run("validate", tmp_path / "own.xlsx")
    assert done.exit_code == 2
    assert "name one with --sheet: first, second" in done.stderr
    assert run("validate", tmp_path / "own.xlsx", "--sheet", "second").exit_code == 0
