"""A table to fill in is one that reads; a table as it was understood says the same."""

import openpyxl
import pytest

from mscpool.data.evidence import EvidenceError, load_evidence
from mscpool.data.outcomes import OUTCOMES
from mscpool.data.template import template_columns, write_template, write_understood


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize("bounds", [False, True])
def test_an_empty_template_lacks_rows_and_nothing_else(tmp_path, ending, bounds):
    path = tmp_path / f"own.{ending}"
    write_template(path, OUTCOMES, bounds)
    with pytest.raises(EvidenceError) as caught:
        load_evidence(path)
    (problem,) = caught.value.problems
    assert "has a header alone" in problem.message


def test_a_filled_template_reads_as_what_was_filled_in(tmp_path):
    path = tmp_path / "own.xlsx"
    write_template(path, ("improvement", "death"))
    book = openpyxl.load_workbook(path)
    book.active.append(["one", "lupus", "msc", "improvement", 3, 9, 6])
    book.active.append(["one", "lupus", "control", "death", 0, 4, 12])
    book.save(path)
    evidence = load_evidence(path)
    assert not evidence.reading
    assert evidence.rows[["study", "events_min", "n"]].to_numpy().tolist() == [["one", 3, 9]]
    assert list(evidence.controls["months"]) == [12]


def test_a_template_lists_what_its_cells_may_hold(tmp_path):
    path = tmp_path / "own.xlsx"
    write_template(path, ("response",))
    sheet = openpyxl.load_workbook(path).active
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    by_column = {cell.value: rules.get(f"{cell.column_letter}2") for cell in sheet[1]}
    assert by_column["arm"].formula1 == '"msc,msc_low,msc_high,control"'
    assert by_column["outcome"].formula1 == '"response"'
    assert (by_column["events"].formula1, by_column["events"].formula2) == ("0", "F2")
    assert sheet["F1"].value == "n"
    assert all(cell.comment.text for cell in sheet[1])


@pytest.mark.parametrize(
    ("outcomes", "bounds", "columns"),
    [
        (("response",), False, "study disease arm outcome events n"),
        (("death",), False, "study disease arm outcome events n months"),
        (("response",), True, "study disease arm outcome events_min events_max n"),
    ],
)
def test_a_template_has_the_columns_that_its_outcomes_need(outcomes, bounds, columns):
    assert template_columns(outcomes, bounds) == columns.split()


@pytest.mark.parametrize(
    "text",
    [
        "Author;r;N\nMüller;3;10\n",
        "study;events_min;events_max;n;months\na;1;3;10;6,5\nb;0;0;9;\n",
        "study\toutcome\tarm\tevents\tn\na\tx\tmsc\t1\t2\na\tx\tcontrol\t0\t2\n",
    ],
)
def test_a_table_as_understood_says_the_same_in_plain_words(tmp_path, text):
    (tmp_path / "own.csv").write_bytes(text.encode("cp1252"))
    read = load_evidence(tmp_path / "own.csv")
    write_understood(read, tmp_path / "fixed.csv")
    again = load_evidence(tmp_path / "fixed.csv")
    assert read.reading
    assert not again.reading
    assert again.sha256 == read.sha256
    assert again.controls.equals(read.controls)
