"""Every way in which a data set can be wrong is named by file, line and column."""

import csv
import shutil
from pathlib import Path

import pytest

import mscpool.data.evidence as evidence_module
from mscpool.data.evidence import EvidenceError, Problem, load_evidence

SHIPPED = Path(evidence_module.__file__).parent

STUDIES = """\
study_id,label,year,disease,design,n_msc,n_control,follow_up_months,cohort,role,note
one,One 2020,2020,psoriasis,single_arm_trial,20,0,12,,core,
two,Two 2021,2021,lupus,randomised_trial,30,10,24,city,core,
three,Three 2022,2022,lupus,single_arm_trial,15,0,6,city,overlap,
four,Four 2022,2022,lupus,single_arm_trial,15,0,6,city,core,
"""
OUTCOMES = """\
study_id,arm,outcome,events_min,events_max,n,definition,months,certainty,locator,primary,note
one,msc,improvement,8,8,17,PASI 50,6,reported,abstract,true,
one,msc,remission,3,4,17,PGA clear,6,reported,abstract,true,
one,msc,any_ae,2,5,17,any event,6,derived,abstract,true,
one,msc,moderate_severe_ae,1,1,17,grade 2,6,derived,abstract,true,
two,msc,death,1,1,30,any cause,12,reported,table 1,true,
two,control,death,0,0,10,any cause,12,reported,table 1,true,
four,msc_low,serious_ae,1,1,7,any,6,reported,table 2,true,
four,msc_high,serious_ae,0,0,8,any,6,reported,table 2,true,
"""
REVIEW = """\
disease,outcome,statistic,value,wording
all,studies,count,23,"trials, and others"
lupus,death,count,6,deaths
psoriasis,remission,rate,0.5,rate
"""


@pytest.fixture
def folder(tmp_path):
    """Write a right data set to a folder."""
    (tmp_path / "studies.csv").write_text(STUDIES, encoding="utf-8")
    (tmp_path / "outcomes.csv").write_text(OUTCOMES, encoding="utf-8")
    (tmp_path / "review.csv").write_text(REVIEW, encoding="utf-8")
    return tmp_path


def problems_of(path):
    """Return the problems of a data set that must not load."""
    with pytest.raises(EvidenceError) as caught:
        load_evidence(path)
    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    assert list(caught.value.problems) == sorted(caught.value.problems)
    return caught.value.problems


def test_the_right_data_set_loads(folder):
    assert len(load_evidence(folder).rows) == 7


def test_a_problem_reads_as_file_line_column_message():
    assert str(Problem("a/b.csv", 3, "n", "is empty")) == "a/b.csv:3: n: is empty"


# file, line (None: a line added at the end), what is replaced there by what, column, message
WRONG_CELLS = [
    ("outcomes.csv", 2, ",8,8,17", ",8,18,17", "events_max", "18 events are more than the 17"),
    ("outcomes.csv", 3, ",3,4,17", ",5,4,17", "events_min", "5 is above events_max, 4"),
    ("outcomes.csv", 3, ",3,4,17", ",9,9,17", "events_min", "always among improvement"),
    ("outcomes.csv", 5, ",1,1,17", ",6,6,17", "events_min", "always among any_ae"),
    ("outcomes.csv", 2, ",8,8,", ",8.5,8,", "events_min", "'8.5' is not a whole number"),
    ("outcomes.csv", 2, ",8,8,", ",0.5,8,", "events_min", "'0.5' is not a whole number"),
    ("outcomes.csv", 2, ",8,8,", ",8,1e1,", "events_max", "'1e1' is not a whole number"),
    ("outcomes.csv", 2, ",8,8,", ",8,٨,", "events_max", "'٨' is not a whole number"),
    ("outcomes.csv", 2, ",8,8,", ",8,+8,", "events_max", "'+8' is not a whole number"),
    ("outcomes.csv", 2, ",8,8,", ",-8,8,", "events_min", "-8 is negative"),
    ("outcomes.csv", 2, ",8,8,", ",,8,", "events_min", "is empty"),
    ("outcomes.csv", 2, ",8,8,17", ",0,0,0", "n", "0 is too small: at least 1"),
    ("outcomes.csv", 2, ",17,", ",9" + "9" * 5000 + ",", "n", "is too large: at most 1000000"),
    ("outcomes.csv", 2, ",17,", ",21,", "n", "21 patients are more than the 20 in n_msc"),
    ("outcomes.csv", 7, ",10,", ",11,", "n", "11 patients are more than the 10 in n_control"),
    ("outcomes.csv", 2, ",6,rep", ",0,rep", "months", "write a positive number"),
    ("outcomes.csv", 2, ",6,rep", ',"6,5",rep', "months", "'6,5' is not a number"),
    ("outcomes.csv", 2, ",6,rep", ",inf,rep", "months", "'inf' is not a number"),
    ("outcomes.csv", 2, ",6,rep", ",-6,rep", "months", "-6 is negative"),
    ("outcomes.csv", 2, ",6,rep", ",1201,rep", "months", "at most 1200"),
    ("outcomes.csv", 6, ",12,rep", ",,rep", "months", "write how many months"),
    ("outcomes.csv", 2, "one,", "onne,", "study_id", "unknown study 'onne'; did you mean one?"),
    ("outcomes.csv", 2, "one,", ",", "study_id", "is empty"),
    ("studies.csv", 2, "psoriasis", "psor\u200biasis", "disease", "cannot be seen"),
    ("outcomes.csv", 2, "msc", "mcs", "arm", "unknown arm 'mcs'; did you mean msc? valid: msc,"),
    ("outcomes.csv", 2, "improvement", "Improvement", "outcome", "did you mean improvement?"),
    ("outcomes.csv", 2, "improvement", "relapse", "outcome", "unknown outcome 'relapse'"),
    ("outcomes.csv", 2, "reported", "certain", "certainty", "unknown certainty 'certain'"),
    ("outcomes.csv", 2, "true", "yes", "primary", "'yes' is neither true nor false"),
    ("outcomes.csv", 2, ",true,", ",true,,", "row", "has 13 cells where the header has 12"),
    ("outcomes.csv", 2, ",true,", ",true", "row", "has 11 cells where the header has 12"),
    ("outcomes.csv", 9, "table 2", '"table', "row", "never closed"),
    ("outcomes.csv", 2, "abstract", '"abs"tract', "row", "text after a closing quote"),
    ("studies.csv", 2, "one,", ",", "study_id", "is empty"),
    ("studies.csv", 3, "two,", "one,", "study_id", "study 'one' is already on line 2"),
    ("studies.csv", 2, ",2020,", ",202,", "year", "202 is too small"),
    ("studies.csv", 2, ",2020,", ",,", "year", "is empty"),
    ("studies.csv", 2, "psoriasis", "", "disease", "every row needs a disease"),
    ("studies.csv", 2, ",20,0,", ",0,0,", "n_msc", "at least 1"),
    ("studies.csv", 2, ",20,0,", ",20,-1,", "n_control", "-1 is negative"),
    ("studies.csv", 2, ",12,,", ",twelve,,", "follow_up_months", "'twelve' is not a number"),
    ("studies.csv", 2, "core", "cores", "role", "unknown role 'cores'; did you mean core?"),
    ("studies.csv", 4, ",city,", ",,", "cohort", "names the cohort whose patients it shares"),
    ("review.csv", 3, "lupus", "lupsu", "disease", "unknown disease 'lupsu'; did you mean lupus?"),
    ("review.csv", 3, "death", "deaths", "outcome", "unknown outcome 'deaths'"),
    ("review.csv", 3, "count", "number", "statistic", "unknown statistic 'number'"),
    ("review.csv", 2, "count,23", "rate,0.3", "statistic", "is a count, not a rate"),
    ("review.csv", 3, ",6,", ",6.5,", "value", "'6.5' is not a whole number"),
    ("review.csv", 4, "0.5", "50%", "value", "'50%' is not a number"),
    ("review.csv", 4, "0.5", "1.5", "value", "1.5 is too large: at most 1"),
]


@pytest.mark.parametrize(("file", "line", "old", "new", "column", "message"), WRONG_CELLS)
def test_a_wrong_cell_is_named(folder, file, line, old, new, column, message):
    lines = (folder / file).read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    (folder / file).write_text("\n".join(lines), encoding="utf-8")
    found = [
        problem
        for problem in problems_of(folder)
        if (problem.file, problem.line, problem.column) == (f"{folder}/{file}", line, column)
    ]
    assert len(found) == 1
    assert message in found[0].message
    assert len(str(found[0])) < 400


# a row added to outcomes.csv on line 10, column, message
WRONG_ROWS = [
    ("one,msc,improvement,8,8,17,PASI 50,6,reported,a,true,", "row", "is given twice"),
    ("one,msc,improvement,7,7,17,PASI 50,6,reported,a,false,", "row", "is given twice"),
    ("one,msc,improvement,7,7,17,PASI 75,6,reported,a,true,", "primary", "a second primary row"),
    ("one,msc,improvement,7,7,17,PASI 50,9,reported,a,true,", "primary", "a second primary row"),
    ("one,msc_low,improvement,3,3,9,PASI 50,6,reported,a,true,", "arm", "would count twice"),
    ("one,msc_high,improvement,3,3,9,PASI 75,6,reported,a,false,", "arm", "would count twice"),
    ("four,msc,serious_ae,1,1,15,any,6,reported,a,true,", None, "would count twice"),
    ("four,msc,death,0,0,15,any cause,6,reported,a,true,", "study_id", "both supply death"),
    ("one,msc,remission,9,9,17,PGA 1,6,reported,a,false,", "events_min", "always among"),
    ("one,msc,improvement,2,2,17,PASI 75,6,reported,a,false,", None, "always among improvement"),
]


@pytest.mark.parametrize(("row", "column", "message"), WRONG_ROWS)
def test_a_row_that_contradicts_another_is_named(folder, row, column, message):
    with (folder / "outcomes.csv").open("a", encoding="utf-8") as stream:
        stream.write(row + "\n")
    found = problems_of(folder)
    assert all(message in problem.message for problem in found)
    if column is not None:
        assert [(problem.line, problem.column) for problem in found] == [(10, column)]


RIGHT_ROWS = [
    pytest.param("one,msc,improvement,7,7,17,PASI 75,6,derived,a,false,", id="alternative"),
    pytest.param("four,msc_low,any_ae,0,0,7,any,6,reported,a,false,", id="no primary row"),
    pytest.param("three,msc,death,0,0,15,any cause,6,reported,a,true,", id="overlap may repeat"),
    pytest.param("one,msc,death,0,0,9,any cause,6,reported,a,TRUE,", id="TRUE by a spreadsheet"),
]


@pytest.mark.parametrize("row", RIGHT_ROWS)
def test_a_row_that_only_looks_alike_is_no_problem(folder, row):
    with (folder / "outcomes.csv").open("a", encoding="utf-8") as stream:
        stream.write(row + "\n")
    load_evidence(folder)


def test_a_pair_that_only_one_analysis_set_makes_is_compared_too(folder):
    rows = [
        # Of the known counts the alternative remission meets the primary improvement.
        "one,msc,improvement,8,12,17,PASI 25,6,reported,a,false,",
        "one,msc,remission,10,10,17,PGA 2,6,reported,a,false,",
    ]
    (folder / "outcomes.csv").write_text(OUTCOMES + "\n".join(rows), encoding="utf-8")
    (problem,) = problems_of(folder)
    assert (problem.line, problem.column) == (11, "events_min")
    assert "more than the 8 with improvement on line 2" in problem.message


DOSES = "study,arm,outcome,events,n\n"


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        (["msc,improvement,2,8", "msc_low,remission,3,4", "msc_high,remission,0,4"], [3]),
        (["msc_low,improvement,1,4", "msc_high,improvement,0,4", "msc,remission,2,8"], [4]),
        (["msc,improvement,3,8", "msc_low,remission,3,4", "msc_high,remission,0,4"], []),
        # Not the same patients, or not all of them.
        (["msc,improvement,2,9", "msc_low,remission,3,4", "msc_high,remission,0,4"], []),
        (["msc,improvement,2,8", "msc_low,remission,3,4"], []),
    ],
)
def test_dose_arms_together_are_compared_with_the_whole(tmp_path, rows, where):
    path = tmp_path / "own.csv"
    path.write_text(DOSES + "".join(f"a,{row}\n" for row in rows), encoding="utf-8")
    if not where:
        load_evidence(path)
        return
    found = problems_of(path)
    assert [(p.line, p.column) for p in found] == [(line, "events") for line in where]
    assert "of both dose arms" in found[0].message


def test_a_child_of_other_patients_than_its_parent_may_exceed_it(folder):
    text = OUTCOMES.replace("one,msc,remission,3,4,17", "one,msc,remission,9,9,18")
    (folder / "outcomes.csv").write_text(text, encoding="utf-8")
    load_evidence(folder)


@pytest.mark.parametrize(("remission", "is_wrong"), [("14,14,20", True), ("11,11,20", False)])
def test_a_child_above_its_parent_and_all_who_were_not_looked_at_is_named(
    folder, remission, is_wrong
):
    # 8 of 17 improved, and 20 were treated: with remission can be 8 and the other 3, no more.
    text = OUTCOMES.replace("one,msc,remission,3,4,17", f"one,msc,remission,{remission}")
    (folder / "outcomes.csv").write_text(text, encoding="utf-8")
    if not is_wrong:
        load_evidence(folder)
        return
    (problem,) = problems_of(folder)
    assert (problem.line, problem.column) == (3, "events_min")
    assert "14 with remission are more than the 8 with improvement on line 2" in problem.message
    assert "3 who were treated but not counted there" in problem.message


def test_a_wrong_lower_bound_does_not_hide_events_above_n(folder):
    text = OUTCOMES.replace("one,msc,improvement,8,8,17", "one,msc,improvement,30,25,17")
    (folder / "outcomes.csv").write_text(text, encoding="utf-8")
    found = [(p.line, p.column) for p in problems_of(folder)]
    assert found == [(2, "events_max"), (2, "events_min")]


@pytest.mark.parametrize(
    ("file", "column", "others"),
    [
        ("outcomes.csv", "n", [(3, "outcome"), (6, "months")]),
        ("outcomes.csv", "definition", [(3, "outcome"), (6, "months")]),
        ("outcomes.csv", "study_id", [(3, "outcome"), (6, "months")]),
        ("outcomes.csv", "outcome", []),
        ("studies.csv", "label", [(3, "n_msc")]),
        ("studies.csv", "study_id", [(3, "n_msc")]),
        ("review.csv", "wording", [(3, "value")]),
    ],
)
def test_a_missing_column_does_not_hide_what_is_wrong_in_the_others(folder, file, column, others):
    wrong = {
        "outcomes.csv": OUTCOMES.replace("remission", "remision").replace("cause,12", "cause,"),
        "studies.csv": STUDIES.replace("trial,30,", "trial,0,"),
        "review.csv": REVIEW.replace("count,6", "count,-6"),
    }[file]
    alternative = "one,msc,improvement,9,9,17,PASI 40,6,reported,abstract,false,\n"
    header, rest = (wrong + alternative * (file == "outcomes.csv")).split("\n", 1)
    names = ["spare" if name == column else name for name in header.split(",")]
    (folder / file).write_text(",".join(names) + "\n" + rest, encoding="utf-8")
    found = [(p.line, p.column) for p in problems_of(folder) if p.file.endswith(file)]
    doubled = [(7, "months")] if (6, "months") in others else []
    assert found == sorted([(1, column), *others, *doubled])


def test_a_misspelt_outcome_is_nobody_s_parent(folder):
    text = OUTCOMES.replace("remission", "remision")
    (folder / "outcomes.csv").write_text(text, encoding="utf-8")
    (problem,) = problems_of(folder)
    assert (problem.line, problem.column) == (3, "outcome")


def test_a_quote_that_swallows_the_rows_is_told_as_that_alone(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text('study,events,n\n"a,1,2\nb,1,2\n', encoding="utf-8")
    (problem,) = problems_of(path)
    assert "never closed" in problem.message


def test_studies_without_rows_do_not_make_every_study_unknown(folder):
    (folder / "studies.csv").write_text(STUDIES.split("\n")[0] + "\n", encoding="utf-8")
    (problem,) = problems_of(folder)
    assert "header alone" in problem.message


def test_a_disease_in_the_outcomes_must_be_that_of_the_study(folder):
    rows = list(csv.reader(OUTCOMES.splitlines()))
    about = {"one": "psoriasis", "two": "lupus", "four": "Lupus"}
    lines = [
        ",".join([*row, about.get(row[0], "disease") if i else "disease"])
        for i, row in enumerate(rows)
    ]
    (folder / "outcomes.csv").write_text("\n".join(lines), encoding="utf-8")
    assert [(p.line, p.column) for p in problems_of(folder)] == [(8, "disease"), (9, "disease")]


@pytest.mark.parametrize(
    ("file", "column"),
    [
        *(("studies.csv", c) for c in STUDIES.split("\n")[0].split(",") if c != "note"),
        *(("outcomes.csv", c) for c in OUTCOMES.split("\n")[0].split(",") if c != "note"),
        *(("review.csv", c) for c in REVIEW.split("\n")[0].split(",")),
    ],
)
def test_a_missing_and_a_doubled_column_are_named(folder, file, column):
    header, rest = (folder / file).read_text(encoding="utf-8").split("\n", 1)
    names = header.split(",")
    renamed = ["spare" if name == column else name for name in names]
    (folder / file).write_text(",".join(renamed) + "\n" + rest, encoding="utf-8")
    missing = [p for p in problems_of(folder) if p.column == column]
    assert [(p.file, p.line) for p in missing] == [(f"{folder}/{file}", 1)]
    assert "is missing" in missing[0].message
    other = next(name for name in names if name != column)
    doubled = [column if name == other else name for name in names]
    (folder / file).write_text(",".join(doubled) + "\n" + rest, encoding="utf-8")
    assert any(p.column == column and "2 times" in p.message for p in problems_of(folder))


BYTES = [
    pytest.param(b"", 1, "is empty", id="empty"),
    pytest.param(b"\n \n,,\n", 1, "is empty", id="blank"),
    pytest.param(b"\xef\xbb\xbf", 1, "is empty", id="mark alone"),
    pytest.param(OUTCOMES.split("\n")[0].encode(), 1, "header alone", id="header alone"),
    pytest.param(OUTCOMES.encode("utf-16-le"), 1, "is binary", id="UTF-16 without mark"),
    pytest.param(OUTCOMES.encode().replace(b"PGA", b"\x81"), 3, "0x81", id="no encoding"),
    pytest.param(OUTCOMES.encode("utf-16")[:-1], 9, "no encoding", id="half a UTF-16"),
    pytest.param(b"\x1f\x8b\x08abc", 1, "damaged", id="damaged gzip"),
    pytest.param(b"\x89PNG\r\n\x1a\n\0\0", 1, "is binary", id="binary"),
    pytest.param(b"PK\x03\x04abc", 1, "damaged, or no workbook", id="damaged workbook"),
    pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 1, "has a password", id="password"),
    pytest.param(OUTCOMES.replace("PGA", "\x1b[1m").encode(), 3, "control character", id="escape"),
    pytest.param(b"import csv\ncsv.reader\n", 1, "is no table", id="a program"),
]


@pytest.mark.parametrize(("raw", "line", "message"), BYTES)
def test_a_file_that_is_no_table_is_named(folder, raw, line, message):
    (folder / "outcomes.csv").write_bytes(raw)
    (problem,) = problems_of(folder)
    assert (problem.file, problem.line) == (f"{folder}/outcomes.csv", line)
    assert message in problem.message


def test_a_folder_without_tables_and_a_missing_path_are_named(tmp_path):
    (problem,) = problems_of(tmp_path)
    assert "no tables: studies.csv and outcomes.csv are needed" in problem.message
    (problem,) = problems_of(tmp_path / "none.csv")
    assert str(problem) == f"{tmp_path}/none.csv:1: file: there is no such file or folder"
    assert "no such" in problems_of("")[0].message
    assert problems_of("a\0b")


def test_one_missing_table_does_not_hide_what_is_wrong_in_the_other(folder):
    (folder / "studies.csv").unlink()
    text = (folder / "outcomes.csv").read_text(encoding="utf-8").replace(",8,8,17", ",8,18,17")
    (folder / "outcomes.csv").write_text(text, encoding="utf-8")
    assert [(Path(p.file).name, p.line, p.column) for p in problems_of(folder)] == [
        ("outcomes.csv", 2, "events_max"),
        ("studies.csv", 1, "file"),
    ]


def test_an_unreadable_file_is_named(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    found = problems_of(folder)
    assert {p.message for p in found} == {"cannot be read: Permission denied"}
    assert len(found) == 3


def test_all_problems_of_all_tables_are_told_at_once(folder):
    for file in ("studies.csv", "outcomes.csv", "review.csv"):
        path = folder / file
        path.write_text(path.read_text(encoding="utf-8") + "a,b\n", encoding="utf-8")
    text = (folder / "studies.csv").read_text(encoding="utf-8")
    (folder / "studies.csv").write_text(text.replace("core", "kore"), encoding="utf-8")
    text = (folder / "outcomes.csv").read_text(encoding="utf-8")
    (folder / "outcomes.csv").write_text(text.replace("msc,", "cms,"), encoding="utf-8")
    files = [Path(p.file).name for p in problems_of(folder)]
    assert files == ["outcomes.csv"] * 6 + ["review.csv"] + ["studies.csv"] * 4


def test_lines_are_those_of_the_file_also_after_blank_and_long_rows(folder):
    lines = OUTCOMES.split("\n")
    lines[1] = lines[1].replace("PASI 50", '"PASI\n50, or\n\nmore"')
    text = "\r\n\r\n" + "\r\n".join([lines[0], "", lines[1], " , ,", lines[2]])
    text = text.replace("remission,3,4", "remission,5,4")
    (folder / "outcomes.csv").write_bytes(text.encode())
    (problem,) = problems_of(folder)
    assert (problem.line, problem.column) == (10, "events_min")


def test_the_same_file_is_named_as_the_user_gave_it(folder, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "studies.csv").write_text("", encoding="utf-8")
    assert problems_of(".")[0].file == "./studies.csv"
    assert problems_of(f"../{folder.name}/")[0].file == f"../{folder.name}/studies.csv"


SINGLE = [
    pytest.param("study,n\na,3\n", [(1, "events")], id="no events"),
    pytest.param("study,events_min,n\na,1,3\n", [(1, "events_max")], id="one bound"),
    pytest.param("study,events,events_min,events_max,n\na,1,1,1,3\n", [(1, "events")], id="both"),
    pytest.param("study_id,events,n\na,1,3\n", [(1, "study")], id="outcomes.csv by itself"),
    pytest.param("study,events,n\na,4,3\n", [(2, "events")], id="above n"),
    pytest.param("study,events,n\na,1,3\na,2,3\n", [(3, "row")], id="twice"),
    pytest.param("study,events,n,months\na,1,3,1\na,2,3,2\n", [(3, "row")], id="two times"),
    pytest.param("study,events,n,arm\na,1,3,drug\n", [(2, "arm")], id="arm"),
    pytest.param("study,events,n,arm\na,1,3,control\n", [(2, "arm")], id="control alone"),
    pytest.param("study,events,n,disease\na,1,3,\n", [(2, "disease")], id="empty disease"),
    pytest.param("study,events,n,outcome\na,1,3,\n", [(2, "outcome")], id="empty outcome"),
    pytest.param("study,events,n,outcome\na,1,3,death\n", [(2, "months")], id="death"),
    pytest.param(
        "study,events,n,outcome,disease\na,1,3,x,p\na,1,3,y,q\n", [(3, "disease")], id="diseases"
    ),
    pytest.param(
        "study,events,n,outcome\na,2,3,remission\na,1,3,improvement\n", [(2, "events")], id="nest"
    ),
]


@pytest.mark.parametrize(("text", "where"), SINGLE)
def test_a_wrong_single_table_is_named(tmp_path, text, where):
    path = tmp_path / "own.csv"
    path.write_text(text, encoding="utf-8")
    found = problems_of(path)
    assert [(p.file, p.line, p.column) for p in found] == [(str(path), *w) for w in where]


def test_the_shipped_tables_break_no_rule(tmp_path):
    for file in SHIPPED.glob("*.csv"):
        shutil.copy(file, tmp_path)
    assert load_evidence(tmp_path).sha256 == load_evidence().sha256
