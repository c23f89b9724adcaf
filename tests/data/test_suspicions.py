"""What people's own tables hold: totals, one study twice, slips of names, counts not known."""

import unicodedata
from itertools import combinations, product

import pytest

from mscpool.data.evidence import EvidenceError, load_evidence
from mscpool.data.suspicions import likely_outcome


@pytest.fixture
def table(tmp_path):
    """Write a table as it stands, and give its path."""

    def write(text):
        path = tmp_path / "own.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def cautions_of(path):
    evidence = load_evidence(path)
    assert set(evidence.suspicions) <= set(evidence.messages), "whoever fits is told too"
    return evidence.cautions()


SUM = "study,events,n\nA 2019,3,10\nB 2020,5,12\nC 2021,0,8\nSum,8,30\n"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        (SUM, "Sum, response: 8 of 30 are the sums of the 3 other rows"),
        ("study,events,n\nA 2019,3,10\nB 2020,5,12\nTotal,8,22\n", "Total, response: 8 of 22"),
        (SUM.replace("Sum", "D 2022"), "D 2022, response: 8 of 30"),
        (
            "study,disease,events,n\nA,RA,3,10\nB,RA,5,12\nC,SLE,0,8\nD,SLE,7,7\nTotal,RA,15,37\n",
            "Total, response: 15 of 37",
        ),
        (
            "study,disease,events,n\nA,RA,3,10\nB,RA,5,12\nPooled,RA,8,22\nC,SLE,0,8\nD,SLE,7,7\n",
            "Pooled, response: 8 of 22",
        ),
        (
            "study,events_min,events_max,n\nA,3,4,10\nB,5,5,12\nall studies,8,9,22\n",
            "all studies, response: 8 to 9 of 22",
        ),
    ],
)
def test_a_totals_row_is_named_and_kept(table, text, row):
    path = table(text)
    [caution] = [told for told in cautions_of(path) if "are the sums of" in told]
    assert caution.startswith(row)
    assert len(load_evidence(path).rows) == text.count("\n") - 1


@pytest.mark.parametrize(
    "text",
    [
        # Two studies whose counts happen to add up to those of a third.
        "study,events,n\nA 2019,3,10\nB 2020,5,12\nC 2021,8,22\n",
        # Nothing happened anywhere: only the patients add up.
        "study,events,n\nz1,0,20\nz2,0,30\nz3,0,100\nz4,0,50\n",
        "study,events,n\nA 2019,3,10\nTotal,3,10\n",
        "study,events,n\nA,3,10\nB,5,12\nC,0,8\nTotal,8,31\n",
        "study,outcome,events,n\nA,a,3,10\nB,a,5,12\nTotal,b,8,22\n",
    ],
)
def test_counts_that_add_up_by_chance_are_no_totals(table, text):
    assert not [told for told in cautions_of(table(text)) if "are the sums of" in told]


def test_a_dropped_totals_row_is_told_of_no_more(table):
    assert not load_evidence(table(SUM), drop="Sum").suspicions


def test_an_unnamed_totals_row_is_said_to_be_one(table):
    with pytest.raises(EvidenceError) as caught:
        load_evidence(table(SUM.replace("Sum", "")))
    assert [(each.line, each.column) for each in caught.value.problems] == [(5, "study")] * 2
    assert "the sums of the other rows: leave out a row of totals" in str(caught.value)


@pytest.mark.parametrize(
    ("one", "other", "counts", "said"),
    [
        ("Alpha 2019", "alpha 2019", "4,9", "differ in nothing but letters"),
        ("Müller 2019", unicodedata.normalize("NFD", "Müller 2019"), "4,9", "in two encodings"),
        ("Smith et al. 2019", "Smith 2019", "3,10", "have the same counts"),
        ("Smith et al. 2019", "Smith et al 2019", "3,10", "have the same counts"),
        ("Müller 2019", "Muller 2019", "3,10", "have the same counts"),
    ],
)
def test_one_study_under_two_names_is_asked_about(table, one, other, counts, said):
    [caution] = cautions_of(table(f"study,events,n\n{one},3,10\n{other},{counts}\n"))
    assert said in caution
    assert one in caution
    assert other in caution
    assert caution.endswith("are they the same?")


@pytest.mark.parametrize(
    ("one", "other", "counts"),
    [
        ("Smith et al. 2019", "Smith 2019", "4,10"),
        ("Smith 2019", "Smith 2020", "3,10"),
        ("Smith 2019", "Smyth 2019", "3,10"),
        ("Smith 2019", "Smith 2019b", "3,10"),
    ],
)
def test_studies_that_differ_are_not_asked_about(table, one, other, counts):
    assert not cautions_of(table(f"study,events,n\n{one},3,10\n{other},{counts}\n"))


def test_outcomes_near_the_dictionary_are_answered_with_the_likely_name(table):
    path = table(
        "study,outcome,events,n\nA,improvment,4,9\nA,Any AE,1,9\nB,any ae,2,9\n"
        "B,serious ae,0,9\nC,Death,0,9\nC,CR/PR,0,9\n"
    )
    cautions = cautions_of(path)
    for name, likely in (
        ("improvment", "improvement"),
        ("Any AE", "any_ae"),
        ("any ae", "any_ae"),
        ("serious ae", "serious_ae"),
        ("Death", "death"),
    ):
        assert f"outcome {name} is none of those known here: did you mean {likely}?" in cautions
    assert "outcomes Any AE and any ae differ by little: are they the same?" in cautions
    assert not any("CR/PR" in told for told in cautions)


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("Serious adverse event", "serious_ae"),
        ("grade >= 2 AE", "moderate_severe_ae"),
        ("remissions", "remission"),
        ("response", None),
        ("pain", None),
    ],
)
def test_likely_outcomes(name, likely):
    assert likely_outcome(name) == likely


def test_whole_numbers_may_be_written_as_other_programs_do(table):
    [row] = load_evidence(table("study,events,n\nA,3.0,10.00\n")).rows.itertuples()
    assert (row.events_min, row.events_max, row.n) == (3, 3, 10)
    with pytest.raises(EvidenceError, match=r"'3\.1' is not a whole number"):
        load_evidence(table("study,events,n\nA,3.1,10\n"))


@pytest.mark.parametrize("cell", ["NA", ".", "NR", "n/a", "?", "-", "not reported", "nan"])
def test_a_count_that_is_not_known_may_be_left_out(table, cell):
    with pytest.raises(EvidenceError) as caught:
        load_evidence(table(f"study,events,n\nA,{cell},10\n"))
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (2, "events")
    assert "where a count is not known, leave the row out" in problem.message


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("A 2019,3,10\nB 2020,5,12\n", 1, "has no header: its first line is a row"),
        ("Table 1. Responders,,\nstudy,events,n\nA,3,10\n", 1, "the header is on line 2"),
        ("Responders\n\nstudy,events,n\nA,3,10\n", 1, "the header is on line 3"),
    ],
)
def test_a_header_that_is_missing_or_comes_late_is_told(table, text, line, said):
    with pytest.raises(EvidenceError) as caught:
        load_evidence(table(text))
    [problem] = caught.value.problems
    assert problem.line == line
    assert said in problem.message


def test_tables_of_a_folder_have_headers_too(tmp_path):
    (tmp_path / "studies.csv").write_text("one,One,2020,x,trial,20,0,12,,core\n", encoding="utf-8")
    (tmp_path / "outcomes.csv").write_text("Outcomes\nstudy_id,arm,outcome\n", encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        load_evidence(tmp_path)
    told = {each.file.rsplit("/")[-1]: each.message for each in caught.value.problems}
    assert "has no header" in told["studies.csv"]
    assert "the header is on line 2" in told["outcomes.csv"]


@pytest.mark.parametrize(
    ("rows", "nothing"),
    [
        ("A,x,0,10,10\nB,x,0,12,12\n", ("x",)),
        ("A,x,0,10,10\nB,x,0,11,12\n", ()),
        ("A,x,0,10,10\nB,x,1,12,12\n", ()),
        ("A,x,0,10,10\nB,y,3,3,12\n", ("x",)),
    ],
)
def test_outcomes_without_information_are_known(table, rows, nothing):
    evidence = load_evidence(table(f"study,outcome,events_min,events_max,n\n{rows}"))
    assert evidence.without_information == nothing
    assert sum("no information" in told for told in evidence.cautions()) == len(nothing)


PAIR = "study,outcome,events,n\nA,improvement,{},{}\nA,remission,{},{}\n"


@pytest.mark.parametrize("counts", [(3, 10, 5, 11), (0, 4, 5, 8), (3, 10, 5, 10), (0, 5, 1, 5)])
def test_counts_of_a_pair_that_no_patients_can_have_are_an_error(table, counts):
    with pytest.raises(EvidenceError) as caught:
        load_evidence(table(PAIR.format(*counts)))
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (3, "events")
    assert (
        f"{counts[2]} with remission are more than the {counts[0]} with improvement on line 2"
        in (problem.message)
    )


def possible(improved, of, remitted, among):
    """Try every state of every patient of the arm, and every choice of those counted second."""
    patients = range(max(of, among))
    return any(
        sum(state > 0 for state in states[:of]) == improved
        and any(
            sum(states[i] == 2 for i in counted) == remitted
            for counted in combinations(patients, among)
        )
        for states in product((0, 1, 2), repeat=len(patients))
    )


@pytest.mark.parametrize("of", [1, 3, 4])
@pytest.mark.parametrize("among", [1, 3, 4])
def test_a_pair_is_an_error_just_where_no_joint_table_holds(table, of, among):
    for improved in range(of + 1):
        for remitted in range(among + 1):
            path = table(PAIR.format(improved, of, remitted, among))
            if possible(improved, of, remitted, among):
                cautions = load_evidence(path).cautions()
                dependent = [told for told in cautions if "taken as independent" in told]
                assert len(dependent) == (of != among)
            else:
                with pytest.raises(EvidenceError, match="always among improvement"):
                    load_evidence(path)
