"""A table is read with the counts that it shows, or refused, however it was written down."""

import io

import openpyxl
import pandas as pd
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from mscpool.data.evidence import EvidenceError, load_evidence

SEPARATORS = (",", ";", "\t")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1")
NAMES = ("Müller 2020", 'A "quoted" one', "Smith, Jones; and others", "O'Neill", "1999", "x" * 30)
HEADERS = {
    "study": ("study", "Study", " author ", "TRIAL"),
    "events": ("events", "Events", "r", "responders"),
    "n": ("n", "N", "total", " sample_size "),
    "months": ("months", "follow_up"),
}
#: Ways in which people and spreadsheets write a whole number.
WHOLE = (
    str,
    lambda value: f"{value}.0",
    lambda value: f"{value},0",
    lambda value: f" {value} ",
    lambda value: f"{value}\u00a0",
    lambda value: f"{value:,}",
    lambda value: f"{value:,}".replace(",", "."),
    lambda value: f"{value:,}".replace(",", " "),
    lambda value: f"{value:,}".replace(",", "'"),
    lambda value: f"0{value}",
    lambda value: f"+{value}",
    lambda value: f"{value}e0",
)


@st.composite
def tables(draw):
    """Rows as they are meant: study, events, n, months."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    rows = []
    for name in names:
        n = draw(st.integers(1, 40) | st.integers(990, 12000))
        rows.append((name, draw(st.integers(0, n)), n, draw(st.sampled_from(["", "6", "6.5"]))))
    return rows


def read(folder, raw, name):
    """Read a file; None where it is refused."""
    (folder / name).write_bytes(raw)
    try:
        rows = load_evidence(folder / name).rows
    except EvidenceError:
        return None
    counts = zip(rows["study"], rows["events_min"], rows["events_max"], rows["n"], strict=True)
    return sorted(counts)


def meant(table):
    return sorted((study, events, events, n) for study, events, n, _ in table)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80)
@given(data=st.data())
def test_a_text_is_read_with_the_counts_that_it_shows_or_refused(tmp_path, data):
    draw, table = data.draw, data.draw(tables())
    separator, quoting = draw(st.sampled_from(SEPARATORS)), draw(st.sampled_from(range(4)))
    columns = draw(st.permutations(list(HEADERS)))
    ways = draw(st.lists(st.sampled_from(WHOLE), min_size=len(table) * 2, max_size=len(table) * 2))
    if draw(st.booleans()):  # most files are written in one way throughout
        ways = [ways[0]] * len(ways)
    comma = draw(st.booleans())
    written = [
        (
            study,
            ways[2 * i](events),
            ways[2 * i + 1](n),
            months.replace(".", ",") if comma else months,
        )
        for i, (study, events, n, months) in enumerate(table)
    ]
    frame = pd.DataFrame(written, columns=list(HEADERS))[columns]
    frame.columns = [draw(st.sampled_from(HEADERS[name])) for name in columns]
    ends = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = {2: 0}.get(quoting, quoting)  # 2 leaves texts bare that look like numbers
    text = frame.to_csv(
        sep=separator, index=False, quoting=quoting, escapechar="\\", lineterminator=ends
    )
    text = draw(st.sampled_from(["", ends])) + text + draw(st.sampled_from(["", ends, ends * 3]))
    encoding = draw(st.sampled_from(ENCODINGS))
    name = draw(st.sampled_from(["a.csv", "a.tsv"]))
    found = read(tmp_path, text.encode(encoding, "replace"), name)
    event("refused" if found is None else "read")
    if found is not None:  # names may lack letters that the encoding has not
        counts = [sorted(row[1:] for row in rows) for rows in (found, meant(table))]
        assert counts[0] == counts[1]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(data=st.data())
def test_a_workbook_is_read_with_the_counts_that_it_shows_or_refused(tmp_path, data):
    draw, table = data.draw, data.draw(tables())
    book = openpyxl.Workbook()
    sheet = book.active
    columns = draw(st.permutations(list(HEADERS)))
    for _ in range(draw(st.integers(0, 2))):
        sheet.append([])
    sheet.append([draw(st.sampled_from(HEADERS[name])) for name in columns])
    shown = draw(st.sampled_from(["General", "0", "#,##0", "0.00", "@"]))
    for study, events, n, months in table:
        way = draw(st.sampled_from([int, float, *WHOLE]))
        cells = {"study": study, "events": way(events), "n": way(n), "months": months or None}
        sheet.append([cells[name] for name in columns])
        for cell in sheet[sheet.max_row]:
            cell.number_format = shown
    stream = io.BytesIO()
    book.save(stream)
    found = read(tmp_path, stream.getvalue(), "a.xlsx")
    assert found in (None, meant(table))


@given(table=tables())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=10)
def test_a_plain_table_is_not_refused(tmp_path, table):
    frame = pd.DataFrame(table, columns=list(HEADERS))
    for separator in SEPARATORS:
        text = frame.to_csv(sep=separator, index=False)
        assert read(tmp_path, text.encode(), "a.csv") == meant(table)
