"""What a data set says of itself: read like its tables, optional, and known to no module."""

import re
import shutil
from pathlib import Path

import pytest

import mscpool.data.evidence as evidence_module
from mscpool.data.about import About, Disease, shipped_about
from mscpool.data.evidence import EvidenceError, load_evidence
from mscpool.data.names import study_sources

SHIPPED = Path(evidence_module.__file__).parent
STUDIES = """\
study_id,label,year,disease,design,n_msc,n_control,follow_up_months,cohort,role,note
one,One 2020,2020,gout,single_arm_trial,20,0,12,,core,
two,Two 2021,2021,IgA_nephropathy,single_arm_trial,30,0,24,,core,
"""
OUTCOMES = """\
study_id,arm,outcome,events_min,events_max,n,definition,months,certainty,locator,primary,note
one,msc,improvement,8,8,17,better,6,reported,abstract,true,
two,msc,improvement,9,9,30,better,6,reported,abstract,true,
"""
ABOUT = """\
title = "Cells in two diseases"
question = "Do they help?"
cautions = [
  "Few studies.",
]

[review]
authors = "Doe, Roe"
title = "A review"
journal = "A journal"
year = 2024
doi = "10.1000/182"

[[disease]]
name = "IgA_nephropathy"
label = "IgA nephropathy"
short = "IgAN"

[[disease]]
name = "gout"
"""


@pytest.fixture
def folder(tmp_path):
    """Write a right data set that says what it is about."""
    for name, text in (("studies", STUDIES), ("outcomes", OUTCOMES)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    (tmp_path / "about.toml").write_text(ABOUT, encoding="utf-8")
    return tmp_path


def test_what_is_said_is_read(folder):
    evidence = load_evidence(folder)
    about = evidence.about
    assert (about.title, about.question) == ("Cells in two diseases", "Do they help?")
    assert about.cautions == ("Few studies.",)
    assert about.review.citation == "Doe, Roe. A review. A journal 2024, doi 10.1000/182."
    assert about.diseases == (
        Disease("IgA_nephropathy", "IgA nephropathy", "IgAN"),
        Disease("gout", "Gout"),
    )


def test_diseases_stand_in_the_order_in_which_they_are_described(folder):
    assert load_evidence(folder).diseases == ("IgA_nephropathy", "gout")
    (folder / "about.toml").unlink()
    assert load_evidence(folder).diseases == ("gout", "IgA_nephropathy")


def test_a_disease_is_called_as_described_else_by_its_own_name(folder):
    about = load_evidence(folder).about
    assert about.words("IgA_nephropathy") == "IgA nephropathy"
    assert about.in_text("IgA_nephropathy") == "IgA nephropathy"
    assert about.in_text("gout") == "gout"
    assert about.words("acne_inversa") == "Acne inversa"
    assert about.shorts(("acne_inversa", "IgA_nephropathy")) == {
        "acne_inversa": "AI",
        "IgA_nephropathy": "IgAN",
    }


def test_a_data_set_need_not_say_what_it_is_about(folder, tmp_path):
    (folder / "about.toml").unlink()
    table = tmp_path / "own.csv"
    table.write_text("study,events,n\na,1,5\n", encoding="utf-8")
    for path in (folder, table):
        assert load_evidence(path).about == About()


# What is replaced in about.toml by what, and the problem: line, column, message.
WRONG = [
    ('"Do they help?"', '"Do they help?', 2, "file", "is not TOML: Illegal character"),
    ('title = "Cells', 'titel = "Cells', 1, "titel", "unknown key 'titel'; did you mean title?"),
    ('"Cells in two diseases"', "3", 1, "title", "'3' is not a text: put it in double quotes"),
    ('"Cells in two diseases"', '" "', 1, "title", "is empty"),
    ('"Do they help?"', '"a\\u0007b"', 2, "question", "a character that cannot be seen"),
    ('[\n  "Few studies.",\n]', '"Few studies."', 3, "cautions", "is not a list"),
    ('"Few studies."', "7", 3, "cautions", "'7' is not a text"),
    ('journal = "A journal"\n', "", 7, "review.journal", "is missing"),
    ("year = 2024", "year = 24", 11, "review.year", "'24' is no year"),
    ("10.1000/182", "doi.org/10.1000/182", 12, "review.doi", "is no DOI"),
    ("[[disease]]", "[[diseases]]", 14, "diseases", "did you mean disease?"),
    ('short = "IgAN"', 'shorts = "IgAN"', 17, "disease.shorts", "did you mean short?"),
    ('short = "IgAN"', 'short = "IgA-nephr"', 17, "disease.short", "at most 8 fit a figure"),
    ('name = "gout"', 'name = "goute"', 20, "disease.name", "did you mean gout?"),
    ('name = "gout"', 'label = "Gout"', 19, "disease.name", "is missing"),
    ('name = "gout"', 'name = "IgA_nephropathy"', 20, "disease.name", "is already that of"),
]


@pytest.mark.parametrize(("old", "new", "line", "column", "message"), WRONG)
def test_what_is_wrong_is_named_by_line_and_key(folder, old, new, line, column, message):
    assert old in ABOUT
    (folder / "about.toml").write_text(ABOUT.replace(old, new), encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        load_evidence(folder)
    assert [
        (each.file, each.line, each.column)
        for each in caught.value.problems
        if message in each.message
    ] == [(f"{folder}/about.toml", line, column)]


def test_all_that_is_wrong_is_said_at_once(folder):
    wrong = ABOUT.replace("year = 2024", "year = 24").replace('"Few studies."', "7")
    (folder / "about.toml").write_text(wrong, encoding="utf-8")
    (folder / "outcomes.csv").write_text(OUTCOMES.replace("8,8,17", "8,18,17"), encoding="utf-8")
    with pytest.raises(EvidenceError) as caught:
        load_evidence(folder)
    columns = [each.column for each in caught.value.problems]
    assert columns == ["cautions", "review.year", "events_max"]


def test_the_shipped_evidence_describes_each_of_its_diseases():
    evidence = load_evidence()
    assert evidence.about == shipped_about()
    assert tuple(each.name for each in evidence.about.diseases) == evidence.diseases
    assert evidence.about.shorts(evidence.diseases) == {
        each.name: each.short for each in evidence.about.diseases
    }


def test_a_copy_of_the_shipped_evidence_is_called_as_the_shipped(tmp_path):
    copy = shutil.copytree(SHIPPED, tmp_path / "copy", ignore=shutil.ignore_patterns("*.py"))
    assert load_evidence(copy).about == shipped_about()


def test_no_module_names_a_disease(root):
    names = {
        name.casefold() for each in shipped_about().diseases for name in (each.name, each.label)
    }
    rooms = [root / room for room in ("data", "models", "figures", "analysis")]
    sources = [path for room in rooms for end in ("py", "j2") for path in room.rglob(f"*.{end}")]
    assert len(sources) > 100
    example = re.compile(r"^ *>>>.*\n(?:.*\S.*\n)*", re.MULTILINE)  # asks the shipped evidence
    naming = {
        f"{path.relative_to(root)}: {name}"
        for path in [root / "__init__.py", *sources]
        for name in names
        if name in example.sub("", path.read_text("utf-8")).casefold()
    }
    assert not naming


def test_each_study_is_given_its_source():
    studies = load_evidence().studies
    sources = study_sources(studies)
    given = studies[(studies[["journal", "doi", "registration"]] != "").any(axis=1)]
    assert len(sources) == len(given)
    assert sources[0] == (
        "Cheng 2022: Signal Transduct Target Ther 7:263, doi 10.1038/s41392-022-01059-y, "
        "registration NCT03765957"
    )


def test_what_is_said_of_control_arms_is_recomputed():
    """Ratios from the numbers beside them, and these from the table of means where it has them."""
    (said,) = [each for each in shipped_about().cautions if "Control arms improve" in each]
    triples = re.findall(r"(\d+) % [^(]*?\((\w+), ([\d.]+) against ([\d.]+)", said)
    assert len(triples) == 3 == said.count(" % ")
    for share, _, control, treated in triples:
        assert int(share) == round(100 * float(control) / float(treated))
    means = load_evidence().means
    means = means[means["measure"] == "CHFS"].set_index(["study", "arm"])["mean"]
    told = [tuple(map(float, pair)) for _, score, *pair in triples if score == "CHFS"]
    studies = ("khanna2022", "daumas2022")
    assert told == [tuple(-means[name, arm] for arm in ("control", "msc")) for name in studies]
