"""Which rows effects are computed from."""

import pandas as pd
import pytest

from mscpool import load_evidence
from mscpool.data.controlled import controlled_rows
from mscpool.data.errors import SelectionError

STUDIES = """\
study_id,label,year,title,journal,doi,pmid,registration,disease,design,country,\
cell_source,donor,route,n_msc,n_control,comparator,follow_up_months,cohort,role,note
a,A,2020,,,,,,first,randomised_trial,,umbilical_cord,allogeneic,intravenous,10,10,,6,,core,
b,B,2020,,,,,,first,prospective_cohort,,umbilical_cord,allogeneic,intravenous,10,10,,6,,core,
c,C,2020,,,,,,second,single_arm_trial,,umbilical_cord,allogeneic,intravenous,10,10,,6,,core,
"""
HEAD = (
    "study_id,arm,outcome,events_min,events_max,n,definition,months,"
    "certainty,locator,primary,note\n"
)


@pytest.fixture
def folder(tmp_path):
    """Write a folder of tables with these rows of outcomes."""

    def write(*rows):
        (tmp_path / "studies.csv").write_text(
            STUDIES.replace("second,,,", "second,single_arm_trial,,")
        )
        (tmp_path / "outcomes.csv").write_text(HEAD + "\n".join(rows) + "\n")
        return tmp_path

    return write


def row(study, arm, low, high, definition, primary, outcome="improvement", certainty="reported"):
    primary = str(primary).lower()
    return f"{study},{arm},{outcome},{low},{high},10,{definition},6,{certainty},table,{primary},"


def chosen(table):
    return list(zip(table["study"], table["arm"], table["definition"], strict=True))


def test_of_several_definitions_the_narrowest_in_both_arms_is_taken(folder):
    path = folder(
        row("a", "msc", 2, 8, "wide", True), row("a", "control", 1, 9, "wide", True),
        row("a", "msc", 4, 4, "narrow", False), row("a", "control", 2, 3, "narrow", False),
        row("b", "msc", 5, 5, "first", True), row("b", "control", 2, 2, "first", True),
        row("b", "msc", 4, 4, "other", False), row("b", "control", 1, 1, "other", False),
    )  # fmt: skip
    found = controlled_rows(load_evidence(path)).rows
    assert chosen(found) == [
        ("a", "msc", "narrow"), ("a", "control", "narrow"),
        ("b", "msc", "first"), ("b", "control", "first"),
    ]  # fmt: skip
    other = controlled_rows(load_evidence(path, definitions="alternative")).rows
    assert chosen(other)[2:] == [("b", "msc", "other"), ("b", "control", "other")]


def test_a_definition_of_one_arm_alone_is_not_compared(folder):
    path = folder(
        row("a", "msc", 2, 2, "exact", True), row("a", "control", 1, 9, "wide", True),
        row("a", "msc", 1, 9, "wide", False),
        row("b", "msc", 5, 5, "first", True), row("b", "control", 2, 2, "first", True),
    )  # fmt: skip
    found = controlled_rows(load_evidence(path)).rows
    assert chosen(found)[:2] == [("a", "control", "wide"), ("a", "msc", "wide")]


def test_randomised_studies_are_told_from_others_and_from_unknown_ones(folder):
    rows = [row(study, arm, 3, 3, "d", True) for study in ("a", "b") for arm in ("msc", "control")]
    found = controlled_rows(load_evidence(folder(*rows)))
    assert dict(zip(found.rows["study"], found.rows["randomised"], strict=True)) == {
        "a": True,
        "b": False,
    }
    assert set(found.randomised().rows["study"]) == {"a"}


def test_certainty_filters_act_before_a_definition_is_chosen(folder):
    path = folder(
        row("a", "msc", 2, 2, "exact", True, certainty="derived"),
        row("a", "control", 1, 1, "exact", True, certainty="derived"),
        row("a", "msc", 1, 4, "read", False), row("a", "control", 1, 2, "read", False),
        row("b", "msc", 5, 5, "first", True), row("b", "control", 2, 2, "first", True),
    )  # fmt: skip
    found = controlled_rows(load_evidence(path, analysis_set="reported")).rows
    assert chosen(found)[:2] == [("a", "msc", "read"), ("a", "control", "read")]


SINGLE = "study,arm,events,n\nA,msc,3,10\nA,control,2,9\nB,control,1,8\nC,msc,4,9\n"


def test_a_control_arm_alone_is_named_and_left_out(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text(SINGLE)
    found = controlled_rows(load_evidence(path))
    assert set(found.rows["study"]) == {"A"}
    assert found.rows["randomised"].tolist() == [None, None]
    assert len(found.left_out) == 1
    assert found.left_out[0].startswith("B: its control arm has no treated arm")


def test_no_control_arm_at_all_is_refused_in_one_line(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("study,events,n\nA,3,10\n")
    with pytest.raises(SelectionError, match="no outcome has rows of a control arm") as wrong:
        controlled_rows(load_evidence(path))
    assert "\n" not in str(wrong.value)


def test_shipped_evidence_compares_the_arms_of_its_controlled_trials():
    found = controlled_rows(load_evidence(outcomes="remission"))
    assert set(found.rows["outcome"]) == {"remission"}
    arms = found.rows.groupby(["study", "outcome"])["arm"].agg(set)
    assert all("control" in each and len(each) > 1 for each in arms)
    assert isinstance(found.rows, pd.DataFrame)


MEANS = (
    "study_id,arm,outcome,measure,months,n,kind,baseline_mean,baseline_sd,mean,sd,direction,"
    "threshold_min,threshold_max,percent,locator,primary,note\n"
)


def mean(study, arm, measure, direction="lower"):
    scores = "level,20,4,12,5" if arm == "msc" else "change,,,-6,7"
    return f"{study},{arm},improvement,{measure},6,10,{scores},{direction},3,4,false,table,true,\n"


def test_means_are_compared_where_both_arms_have_the_same_measure(folder):
    path = folder(row("a", "msc", 4, 4, "x", True), row("a", "control", 2, 2, "x", True))
    both = mean("b", "msc", "score") + mean("b", "control", "score")
    (path / "means.csv").write_text(MEANS + both)
    assert set(controlled_rows(load_evidence(path)).rows["study"]) == {"a"}
    found = controlled_rows(load_evidence(path, means=True)).rows.set_index(["study", "arm"])
    assert found.loc["a", "improvement"].isna().all()
    assert list(found.loc[("b", "msc"), ["improvement", "sd_least"]]) == pytest.approx(
        [8, (16 + 25 - 36) ** 0.5]
    )
    assert list(found.loc[("b", "control"), ["improvement", "sd_least", "sd_most"]]) == [6, 7, 7]
    assert set(found.loc["b", "certainty"]) == {"modelled"}


@pytest.mark.parametrize("control", [("other", "lower"), ("score", "higher")])
def test_means_of_different_measures_are_not_compared(folder, control):
    path = folder(row("a", "msc", 4, 4, "x", True), row("a", "control", 2, 2, "x", True))
    apart = mean("b", "msc", "score") + mean("b", "control", *control)
    (path / "means.csv").write_text(MEANS + apart)
    found = controlled_rows(load_evidence(path, means=True))
    assert set(found.rows["study"]) == {"a"}
    assert found.left_out[0].startswith("B: its control arm has no treated arm")
