"""A table says the same in every format it comes in, and nothing else than it shows."""

import datetime
import gzip
import io

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mscpool.data.evidence import EvidenceError, load_evidence

HEADER = ("study", "disease", "events", "n", "months")
ROWS = [("Müller 2020", "lupus", 3, 10, 6.5), ("Ångström", "psoriasis, nails", 0, 12, 12)]


def delimited(separator=",", decimal="."):
    """Write the rows as text, quoting what holds the separator."""
    frame = pd.DataFrame(ROWS, columns=list(HEADER))
    return frame.to_csv(sep=separator, decimal=decimal, index=False)


def workbook(rows=(HEADER, *ROWS), change=None, **sheets):
    """Write a workbook whose first sheet, Counts, has the rows; `change` edits that sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Counts"
    for row in rows:
        sheet.append(row)
    if change is not None:
        change(sheet)
    for title, cells in sheets.items():
        book.create_sheet(title).append(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


FORMATS = {
    "commas.csv": delimited().encode(),
    "semicolons.csv": delimited(";", ",").encode(),
    "semicolons and points.csv": delimited(";").encode(),
    "tabs.tsv": delimited("\t").encode(),
    "mark.csv": delimited().encode("utf-8-sig"),
    "utf-16.txt": delimited("\t").encode("utf-16"),
    "western.csv": delimited(";", ",").encode("cp1252"),
    "packed.csv.gz": gzip.compress(delimited().encode()),
    "book.xlsx": workbook(),
    "book with an empty sheet.xlsx": workbook(Empty=[]),
    "book with a margin.xlsx": workbook(
        [(), (), *((None, *row) for row in (HEADER, *ROWS))],
    ),
}


def read(tmp_path, raw, name="own.csv", **options):
    (tmp_path / name).write_bytes(raw)
    return load_evidence(tmp_path / name, **options)


def problems(tmp_path, raw, name="own.csv", **options):
    with pytest.raises(EvidenceError) as caught:
        read(tmp_path, raw, name, **options)
    return [str(problem).removeprefix(f"{tmp_path}/") for problem in caught.value.problems]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same(tmp_path, name):
    evidence = read(tmp_path, FORMATS[name], name)
    shown = evidence.rows[["study", "disease", "events_min", "n", "months"]]
    assert [tuple(row) for row in shown.to_numpy().tolist()] == ROWS


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(ROWS, columns=list(HEADER)),
        pd.DataFrame(ROWS, columns=list(HEADER)).convert_dtypes(),
        pd.DataFrame(ROWS, columns=list(HEADER)).astype({"events": float, "disease": "category"}),
        pd.DataFrame(ROWS, columns=list(HEADER)).set_index("study"),
        pd.DataFrame(ROWS, columns=list(HEADER)).set_index(["study", "disease"]),
        pd.DataFrame(ROWS, columns=list(HEADER)).astype(str),
    ],
    ids=["plain", "nullable", "floats", "index", "two indices", "texts"],
)
def test_a_data_frame_says_the_same(tmp_path, frame):
    expected = read(tmp_path, FORMATS["commas.csv"])
    evidence = load_evidence(frame)
    assert evidence.sha256 == expected.sha256
    assert list(evidence.studies["study"]) == list(expected.studies["study"])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("commas.csv", []),
        ("mark.csv", []),
        ("packed.csv.gz", []),
        ("book.xlsx", []),
        ("semicolons.csv", ["separated by semicolons"]),
        ("utf-16.txt", ["as UTF-16", "separated by tabs"]),
        ("western.csv", ["Windows-1252", "separated by semicolons"]),
    ],
)
def test_what_is_unusual_of_a_file_is_said(tmp_path, name, told):
    messages = read(tmp_path, FORMATS[name], name).reading
    assert len(messages) == len(told)
    assert all(part in message for part, message in zip(told, messages, strict=True))


def test_other_words_for_columns_are_read_and_said_once_each(tmp_path):
    evidence = read(
        tmp_path, b"Author,Indication,Responders,Sample size\na,lupus,1,9\nb,gout,0,4\n"
    )
    told = [message.split(": ")[1] for message in evidence.reading]
    assert told == [
        "column 'Author' is read as study",
        "column 'Indication' is read as disease",
        "column 'Responders' is read as events",
        "column 'Sample size' is read as n",
    ]
    assert evidence.diseases == ("lupus", "gout")


def test_a_column_that_is_there_needs_no_other_word(tmp_path):
    plain = read(tmp_path, b"study,events,n\na,1,9\n")
    beside = read(tmp_path, b"study,trial,x,events,N,n\na,t,7,1,8,9\n")
    bounded = read(tmp_path, b"study,x,events_min,events_max,n\na,7,1,1,9\n")
    assert plain.sha256 == beside.sha256 == bounded.sha256
    assert not beside.reading
    assert not bounded.reading


def test_two_words_for_one_column_are_a_question(tmp_path):
    (problem,) = problems(tmp_path, b"trial,author,events,n\na,b,1,9\n")
    assert problem == "own.csv:1: study: may be 'trial' or 'author': call one of them study"


WRITTEN = [
    ("38%", "write 8"),
    ("38.5 %", "write 8"),
    ("0.38", "write 8"),
    (".38", "write 8"),
    ('"0,38"', "write 8"),
    ('"1,234"', "write 1234"),
    ("1 234", "write 1234"),
    ("1'234", "write 1234"),
    ("3.000", "write 3000"),
    ("3/21", "write 3 here, and 21 in n"),
    ("3 of 21", "write 3 here, and 21 in n"),
    ("3 (14%)", "write 3 alone"),
    ("2024-03-05", "made a date"),
    ("5-Mar", "made a date"),
    ("three", "write digits"),
]


@pytest.mark.parametrize(("written", "meant"), WRITTEN)
def test_what_is_no_count_is_refused_with_what_was_probably_meant(tmp_path, written, meant):
    (problem,) = problems(tmp_path, f"study,events,n\na,{written},21\n".encode())
    assert problem.startswith("own.csv:2: events: ")
    assert meant in problem


@pytest.mark.parametrize(
    ("raw", "column"),
    [
        (b"study;events;n\na;1;1.234\n", "n"),
        (b"study;events;n\na;1;3,000\n", "n"),
        (b"study;events;n;months\na;1;9;1.234\n", "months"),
        (b'study,events,n,months\na,1,9,"1,234"\n', "months"),
        (b'study,events,n,months\na,1,9,"6,5"\n', "months"),
    ],
)
def test_a_point_that_may_be_a_separator_of_thousands_is_a_question(tmp_path, raw, column):
    (problem,) = problems(tmp_path, raw)
    assert problem.startswith(f"own.csv:2: {column}: ")


def set_cell(place, value, number_format="General"):
    def change(sheet):
        sheet[place] = value
        sheet[place].number_format = number_format

    return change


WRONG_CELLS = [
    (set_cell("C2", 3.5), "Counts!C2: events: '3.5' is not"),
    (
        set_cell("C2", 0.3, "0%"),
        "Counts!C2: events: '30%' is not",
    ),
    (set_cell("C2", 1, "0%"), "Counts!C2: events: '100%' is not"),
    (set_cell("D3", 12, "0,"), "Counts!D3: n: '12 (shown in thousands)' is not"),
    (
        set_cell("C2", datetime.date(2024, 3, 5), "yyyy-mm-dd"),
        "Counts!C2: events: '2024-03-05' is not",
    ),
    (set_cell("C2", True), "Counts!C2: events: 'TRUE' is not"),
    (set_cell("C2", "=1+2"), "Counts!C2: row: holds a formula without its value"),
    (set_cell("C2", "#DIV/0!"), "Counts!C2: events: '#DIV/0!' is not"),
    (set_cell("C3", 13), "Counts!C3: events: 13 events are more than the 12 patients"),
    (set_cell("A3", None), "Counts!A3: study: is empty"),
    (set_cell("C1", "evnts"), "Counts!A1: events: this column is missing"),
    (lambda sheet: sheet.merge_cells("A2:A3"), "Counts!A2: row: the cells A2:A3 are merged"),
]


@pytest.mark.parametrize(("change", "told"), WRONG_CELLS)
def test_a_wrong_cell_of_a_workbook_is_named_by_sheet_and_cell(tmp_path, change, told):
    found = problems(tmp_path, workbook(change=change), "own.xlsx")
    assert any(problem.startswith(f"own.xlsx:{told}") for problem in found), found


def test_cells_keep_their_names_under_a_margin(tmp_path):
    rows = [(), (None, "study", "events", "n"), (None, "a", 3.5, 9)]
    (problem,) = problems(tmp_path, workbook(rows), "own.xlsx")
    assert problem.startswith("own.xlsx:Counts!C3: events: ")


def test_of_several_sheets_one_must_be_named(tmp_path):
    raw = workbook(Notes=["see the protocol"])
    (problem,) = problems(tmp_path, raw, "own.xlsx")
    assert "name one with --sheet: Counts, Notes" in problem
    assert len(read(tmp_path, raw, "own.xlsx", sheet="Counts").rows) == 2
    (problem,) = problems(tmp_path, raw, "own.xlsx", sheet="Count")
    assert "has no sheet 'Count'; its sheets: Counts, Notes" in problem
    (problem,) = problems(tmp_path, FORMATS["commas.csv"], sheet="Counts")
    assert "has no sheet 'Counts'" in problem


def test_hidden_rows_and_columns_are_read_and_said(tmp_path):
    def hide(sheet):
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["D"].hidden = True

    evidence = read(tmp_path, workbook(change=hide), "own.xlsx")
    assert len(evidence.rows) == 2
    assert "hidden rows of Counts are read too: 3" in evidence.reading[0]
    assert "hidden columns of Counts are read too: D" in evidence.reading[1]


def test_a_sheet_with_a_cell_far_out_is_refused_at_once(tmp_path):
    (problem,) = problems(tmp_path, workbook(change=set_cell("XFD1048576", 1)), "own.xlsx")
    assert "has cells as far as Counts!XFD1048576" in problem


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"events": [1, 2.5]}, "DataFrame:row v: events: '2.5' is not a whole number"),
        ({"events": [1, np.nan]}, "DataFrame:row v: events: is empty"),
        ({"events": [1, [2]]}, "DataFrame:row v: events: '[2]' is not a whole number"),
        ({"events": [pd.Timestamp(2024, 3, 5), 2]}, "DataFrame:row u: events: '2024-03-05'"),
        ({"study": ["a", None]}, "DataFrame:row v: study: is empty"),
        ({"study": ["a", "a"]}, "DataFrame:row v: row: is given twice"),
    ],
)
def test_a_wrong_value_of_a_data_frame_names_row_and_column(frame, told):
    right = {"study": ["a", "b"], "events": [1, 2], "n": [9, 9]}
    with pytest.raises(EvidenceError) as caught:
        load_evidence(pd.DataFrame(right | frame, index=["u", "v"]))
    assert str(caught.value).startswith(told)


numbers_as_written = st.one_of(
    st.integers(0, 5000).map(str),
    st.decimals(0, 5000, places=3).map(str),
    st.from_regex(r"[0-9]{1,3}[., ][0-9]{1,3}[%]?", fullmatch=True),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=numbers_as_written, separator=st.sampled_from([",", ";", "\t"]))
def test_no_count_is_read_that_the_table_does_not_show(tmp_path, written, separator):
    lines = [["study", "events", "n"], ["a", f'"{written}"', "9999"]]
    raw = "\n".join(separator.join(line) for line in lines).encode()
    try:
        (count,) = read(tmp_path, raw).rows["events_min"]
    except EvidenceError:
        return
    # Digits alone, or digits and decimals that are zeros, and fewer than the three of thousands.
    whole, _, decimals = written.replace(",", ".").partition(".")
    assert (int(whole), decimals.strip("0")) == (count, "")
    assert len(decimals) != 3
