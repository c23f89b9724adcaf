"""Columns are read as numbers or as levels, and what cannot explain anything is refused."""

import numpy as np
import pytest

from mscpool.data.errors import SelectionError
from mscpool.data.evidence import load_evidence
from mscpool.data.moderators import between_share, warnings_of

HEADER = "study,disease,events,n,dose,route,lab,once"
ROWS = [
    "A,d,3,10,1,vein,x,same",
    "B,d,5,12,2,skin,y,same",
    "C,d,7,9,3,skin,z,same",
    "D,e,2,10,4,vein,w,same",
    "E,e,4,10,6,skin,v,same",
    "F,e,6,10,8,skin,u,same",
]


@pytest.fixture
def table(tmp_path):
    def write(rows=ROWS, header=HEADER):
        path = tmp_path / "table.csv"
        path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
        return path

    return write


def refusal(path, *moderators, at=()):
    with pytest.raises(SelectionError) as refused:
        load_evidence(path, moderators=moderators, at=at)
    return str(refused.value)


def test_a_column_of_numbers_is_a_number_reported_at_its_mean(table):
    (dose,) = load_evidence(table(), moderators="dose").moderators
    assert dose.is_number
    assert dose.at == pytest.approx(4.0)
    assert dose.values["F"] == 8.0


def test_a_text_is_reported_at_its_most_frequent_level_or_at_the_reference_named(table):
    route = load_evidence(table(), moderators="route").moderators[0]
    assert (route.levels, route.reference, route.at) == (("vein", "skin"), "skin", "skin")
    other = load_evidence(table(), moderators="route=vein").moderators[0]
    assert (other.reference, other.at) == ("vein", "vein")
    assert other.values == route.values


def test_rates_are_reported_where_it_is_asked(table):
    evidence = load_evidence(table(), moderators=("dose", "route"), at={"dose": 2, "route": "vein"})
    assert [each.at for each in evidence.moderators] == [2.0, "vein"]
    assert not any("extrapolation" in line for line in evidence.messages)


def test_moderators_are_asked_for_again_as_they_are(table):
    once = load_evidence(table(), moderators=("dose", "route=vein"), at="route=skin").moderators
    at = [f"{each.name}={each.at}" for each in once]
    again = load_evidence(table(), moderators=[each.asked for each in once], at=at)
    assert again.moderators == once


def test_a_value_outside_of_what_was_seen_is_an_extrapolation(table):
    told = load_evidence(table(), moderators="dose", at="dose=9").messages
    assert "dose=9 is an extrapolation: studies have 1 to 8" in told


@pytest.mark.parametrize(
    ("moderators", "at", "wanted"),
    [
        (["dosage"], [], "unknown moderator 'dosage'"),
        (["disease"], [], "moderator disease: the model has it already"),
        (["lab"], [], "moderator lab: a text with as many values as studies (6) explains nothing"),
        (["route=vien"], [], "unknown reference of moderator route: 'vien'; did you mean vein?"),
        (["dose=1"], [], "moderator dose: numbers have no reference"),
        (["dose", "dose"], [], "a moderator is named twice"),
        (["dose"], ["dose=many"], "at dose=many: not a number"),
        (["dose"], ["dose"], "at 'dose' has no value: write COLUMN=VALUE"),
        (["dose"], ["dose=1", "dose=2"], "at dose is given twice"),
        (["dose"], ["route=vein"], "unknown moderator to report rates at 'route'"),
        (["route"], ["route=oral"], "unknown level of moderator route: 'oral'"),
        ([], ["dose=1"], "at dose: no moderator is chosen; choose 'dose' as one"),
    ],
)
def test_what_cannot_be_analysed_is_refused_in_a_line(table, moderators, at, wanted):
    said = refusal(table(), *moderators, at=at)
    assert said.startswith(wanted)
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("empty", ["", "NA", "?", "not reported"])
def test_a_missing_value_names_its_study(table, empty):
    rows = [ROWS[0], ROWS[1].replace(",2,skin", f",{empty},skin"), *ROWS[2:]]
    assert "moderator dose: no value of study B;" in refusal(table(rows), "dose")
    # A study that is left out needs none.
    assert load_evidence(table(rows), moderators="dose", drop="B").moderators[0].at == 4.4


def test_numbers_are_read_as_the_table_writes_them(tmp_path):
    path = tmp_path / "table.csv"
    rows = [row.replace(",", ";").replace(";1;vein", ";1,5;vein") for row in (HEADER, *ROWS)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    (dose,) = load_evidence(path, moderators="dose").moderators
    assert dose.values["A"] == 1.5


def test_none_may_be_a_level(table):
    rows = [row.replace("vein", "none") for row in ROWS]
    assert load_evidence(table(rows), moderators="route").moderators[0].levels == ("none", "skin")


def test_a_study_has_one_value_in_all_its_rows(table):
    rows = [*ROWS, "A,e,1,9,7,vein,x,same"]
    rows = [row.replace(",d,", ",improvement,").replace(",e,", ",death,") for row in rows]
    path = table([f"{row},12" for row in rows], HEADER.replace("disease", "outcome") + ",months")
    wanted = "moderator dose: study A has several values (1, 7): a moderator has one for each study"
    assert wanted in refusal(path, "dose").splitlines()


def test_more_coefficients_than_a_third_of_the_studies_are_refused(table):
    assert len(load_evidence(table(), moderators=("dose", "route")).moderators) == 2
    three = [row.replace(",vein", ",oral", 1) if row[0] == "A" else row for row in ROWS]
    said = refusal(table(three), "dose", "route")
    assert said.startswith("moderators: 3 coefficients are too many for the 6 studies of response")


def test_what_is_constant_is_said_and_costs_no_coefficient(table):
    evidence = load_evidence(table(), moderators=("once", "dose", "route"))
    wanted = "response: once is the same in all studies (same): it is left out"
    assert wanted in evidence.messages


def test_a_moderator_that_follows_the_disease_is_said_to_be_confounded(table):
    rows = [row.replace("skin", "vein") if ",d," in row else row.replace("vein", "skin")
            for row in ROWS]  # fmt: skip
    told = load_evidence(table(rows), moderators="route").messages
    wanted = "response: route is confounded with disease: in none of d, e do two studies differ"
    assert any(line.startswith(wanted) for line in told)


def test_a_level_of_one_study_is_named(table):
    rows = [ROWS[0].replace("vein", "oral"), *(row.replace("vein", "skin") for row in ROWS[1:])]
    assert (
        "response: route: one study alone has oral"
        in load_evidence(table(rows), moderators="route").messages
    )


def test_the_share_between_diseases_is_that_of_an_analysis_of_variance():
    diseases = dict(zip("ABCDEF", "dddeee", strict=True))
    values = dict(zip("ABCDEF", [1.0, 2, 3, 4, 6, 8], strict=True))
    within = 2 * 1**2 + 2 * 2**2  # squares about 2 and about 6
    total = np.var(list(values.values())) * 6
    assert between_share(values, diseases) == pytest.approx(1 - within / total * 5 / 4)
    # Dealt at random it is 0 on average, where the plain share would be 1/5.
    rng = np.random.default_rng(1)
    dealt = [
        between_share(dict(zip("ABCDEF", rng.permutation(6).astype(float), strict=True)), diseases)
        for _ in range(200)
    ]
    assert np.mean(np.array(dealt) > 0.5) < 0.15
    assert between_share(values, dict.fromkeys(values, "d")) == 0
    assert between_share(values, {study: study for study in values}) == 1


def test_partial_confounding_names_the_diseases_that_tell(table):
    (dose,) = load_evidence(table(), moderators="dose").moderators
    (said,) = warnings_of(dose, dict(zip("ABCDEF", "dddeee", strict=True)))
    assert said.startswith("dose is partly confounded with disease: ")
    assert said.endswith("studies of one disease differ in it in d, e alone")


def test_the_shipped_evidence_has_moderators_of_its_own_and_derived_ones():
    evidence = load_evidence(
        outcomes="improvement",
        moderators=("year", "randomised", "donor"),
        at="randomised=randomised",
    )
    year, randomised, donor = evidence.moderators
    assert year.is_number
    assert set(randomised.levels) == {"randomised", "not randomised"}
    assert [study for study, level in donor.values.items() if level == "autologous"] != []
    named = evidence.studies.set_index("study")
    for study, level in randomised.values.items():
        assert (level == "randomised") == (named.at[study, "design"] == "randomised_trial")


def test_moderators_are_part_of_the_data_and_their_wording_is_not(table):
    plain = load_evidence(table())
    dose = plain.select(moderators="dose")
    assert plain.sha256 != dose.sha256
    assert dose.sha256 == plain.select(moderators="dose", at="dose=2").sha256
    assert dose.select(moderators=()).sha256 == plain.sha256
    moved = [ROWS[0].replace(",1,vein", ",1.5,vein"), *ROWS[1:]]
    assert load_evidence(table(moved), moderators="dose").sha256 != dose.sha256
    assert load_evidence(table(moved)).sha256 == plain.sha256
