"""However a table is formatted it says the same; however it is damaged the answer is a problem."""

import csv
import io
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mscpool.data.evidence as evidence_module
from mscpool.data.evidence import EvidenceError, load_evidence

SHIPPED = Path(evidence_module.__file__).parent
# The folder is written anew for each example.
SAME_FOLDER = {"suppress_health_check": [HealthCheck.function_scoped_fixture]}

names = st.text(
    st.characters(codec="utf-8", categories=["L", "N", "P", "Sm", "Zs"]), min_size=1, max_size=12
).map(lambda name: " ".join(name.split()))


@st.composite
def counts(draw):
    """Draw the rows of a right single table, for free outcomes."""
    rows = []
    studies = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    for study in studies:
        disease = draw(st.sampled_from(["lichen, oral", "vitiligo", "Sjögren"]))
        for outcome in draw(st.lists(st.sampled_from(["a", "b", '"c"']), min_size=1, unique=True)):
            n = draw(st.integers(1, 500))
            low, high = sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n))))
            months = draw(st.sampled_from(["", "6", "3.5"]))
            rows.append([study, disease, outcome, str(low), str(high), str(n), months])
    return rows


def plain(rows):
    """Write rows as a table without any noise."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["study", "disease", "outcome", "events_min", "events_max", "n", "months"])
    writer.writerows(rows)
    return stream.getvalue().encode()


@st.composite
def noisy(draw, rows):
    """Write rows with mark, line ends, blank lines, spaces, quotes and columns as they come."""
    header = ["study", "disease", "outcome", "events_min", "events_max", "n", "months"]
    order = draw(st.permutations(range(len(header) + 1)))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    space = st.sampled_from(["", " ", "  ", "\t"])
    lines = []
    for row in [[*header, "remark"], *([*row, "a, b"] for row in rows)]:
        cells = []
        for cell in (row[i] for i in order):
            quoted = draw(st.booleans()) or any(c in cell for c in ',"')
            inner = '"' + cell.replace('"', '""') + '"' if quoted else cell
            # A tab before a quote belongs to the cell; spaces there are skipped.
            before = draw(st.sampled_from(["", " "])) if quoted else draw(space)
            cells.append(before + inner + draw(space))
        lines.append(",".join(cells))
        lines += draw(st.lists(st.sampled_from(["", "  ", ",,,,,,,"]), max_size=2))
    mark = draw(st.sampled_from([b"", b"\xef\xbb\xbf"]))
    return mark + end.join(lines).encode() + draw(st.sampled_from([b"", end.encode()]))


@settings(max_examples=25, **SAME_FOLDER)
@given(data=st.data())
def test_formatting_does_not_change_the_hash(tmp_path, data):
    rows = data.draw(counts())
    (tmp_path / "plain.csv").write_bytes(plain(rows))
    (tmp_path / "noisy.csv").write_bytes(data.draw(noisy(rows)))
    one, other = load_evidence(tmp_path / "plain.csv"), load_evidence(tmp_path / "noisy.csv")
    assert one.sha256 == other.sha256
    assert [list(map(str, row)) for row in one.rows[["study", "n"]].to_numpy()] == [
        [row[0], row[5]] for row in rows
    ]


@settings(max_examples=25, **SAME_FOLDER)
@given(data=st.data())
def test_another_count_changes_the_hash(tmp_path, data):
    rows = data.draw(counts())
    (tmp_path / "one.csv").write_bytes(plain(rows))
    rows[0][5] = str(int(rows[0][5]) + 1)
    (tmp_path / "other.csv").write_bytes(plain(rows))
    hashes = {load_evidence(tmp_path / f"{name}.csv").sha256 for name in ("one", "other")}
    assert len(hashes) == 2


snippets = st.sampled_from(
    [b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"-", b"1e9", b"=", b"\xe2\x80\xa8", b"nan", b"0.5"]
)


@st.composite
def damaged(draw, raw):
    """Cut, insert or replace a few bytes."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(raw)))
        stop = min(len(raw), start + draw(st.sampled_from([0, 0, 1, 5, 200, len(raw)])))
        raw = raw[:start] + draw(snippets | st.binary(max_size=4)) + raw[stop:]
    return raw


def problems_if_any(path):
    """Load a damaged data set; no exception but one that names lines is let through."""
    try:
        load_evidence(path).cautions()
    except EvidenceError as error:
        return error.problems
    return ()


def are_named(problems):
    """Tell whether each problem has a line, a column, and one line of text."""
    return all(p.line >= 1 and p.column and len(str(p).splitlines()) == 1 for p in problems)


@settings(max_examples=40, **SAME_FOLDER)
@given(data=st.data())
@pytest.mark.parametrize("table", ["studies.csv", "outcomes.csv", "review.csv"])
def test_a_damaged_folder_never_ends_in_another_exception(tmp_path, table, data):
    for file in SHIPPED.glob("*.csv"):
        shutil.copyfile(file, tmp_path / file.name)
    (tmp_path / table).write_bytes(data.draw(damaged((SHIPPED / table).read_bytes())))
    assert are_named(problems_if_any(tmp_path))


@settings(max_examples=150, **SAME_FOLDER)
@given(data=st.data())
def test_a_damaged_single_table_never_ends_in_another_exception(tmp_path, data):
    raw = plain(
        [["a", "d", "death", "0", "1", "9", "6"], ["b", "e", "remission", "1", "1", "4", ""]]
    )
    (tmp_path / "own.csv").write_bytes(data.draw(damaged(raw)))
    assert are_named(problems_if_any(tmp_path / "own.csv"))
