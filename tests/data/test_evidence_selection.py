"""A selection holds the rows that it names, and no patient twice."""

import re
import subprocess
import sys
import time

import pandas as pd
import pytest

from mscpool.data.evidence import EvidenceError, load_evidence, summary
from mscpool.data.outcomes import OUTCOMES, PARENTS


@pytest.fixture(scope="module")
def shipped():
    return load_evidence()


def cells(frame, study=None):
    """Return study, arm, outcome and counts of a frame's rows."""
    rows = frame if study is None else frame[frame["study"] == study]
    return {
        (row.study, row.arm, row.outcome): (row.events_min, row.events_max, row.n)
        for row in rows.itertuples()
    }


def test_the_shipped_core_is_24_studies_of_which_20_have_rows(shipped):
    assert (shipped.studies["role"] == "core").sum() == 24
    assert shipped.rows["study"].nunique() == 20
    assert set(shipped.rows["arm"]) == {"msc", "msc_low", "msc_high"}
    assert shipped.outcome_names == tuple(n for n in OUTCOMES if n in set(shipped.rows["outcome"]))
    assert shipped.diseases == (
        "psoriasis",
        "atopic_dermatitis",
        "chronic_spontaneous_urticaria",
        "alopecia_areata",
        "systemic_sclerosis",
        "systemic_lupus_erythematosus",
    )
    assert shipped.messages == ()
    assert len(shipped.review) == 12
    assert list(shipped.rows.index) == list(range(len(shipped.rows)))


def test_the_summary_counts_what_was_read(shipped):
    core = shipped.studies[shipped.studies["role"] == "core"]
    assert summary(shipped) == {
        "studies": 37,
        "patients": sum(core["n_msc"]),
        "rows": 114,
        "studies_analysed": 20,
        "rows_analysed": 73,
    }


def test_an_evidence_shows_in_a_line_what_it_is(shipped):
    shown = repr(shipped.select(outcomes="death"))
    assert shown == (
        "<Evidence: 16 rows of 16 studies; "
        "the analysis set core, primary definitions, outcomes death>"
    )


def test_controls_are_the_control_arms_of_the_selected_studies(shipped):
    assert set(shipped.controls["study"]) == {"deng2017"}
    everything = shipped.select(analysis_set="everything")
    assert set(everything.controls["study"]) == {
        "deng2017",
        "delpapa2019",
        "seok2025",
        "furestem2019",
    }
    assert cells(everything.controls)["delpapa2019", "control", "remission"] == (1, 1, 13)
    assert shipped.select(drop="deng2017").controls.empty


def test_each_analysis_set_holds_its_roles_and_certainties(shipped):
    rows = shipped.outcomes[shipped.outcomes["primary"] & (shipped.outcomes["arm"] != "control")]
    core = rows[rows["role"] == "core"]
    assert cells(shipped.rows) == cells(core)
    reported = shipped.select(analysis_set="reported").rows
    assert cells(reported) == cells(core[core["certainty"] == "reported"])
    counted = shipped.select(analysis_set="counted").rows
    assert cells(counted) == cells(core[core["events_min"] == core["events_max"]])
    everything = shipped.select(analysis_set="everything").rows
    assert cells(everything) == cells(rows[rows["role"] != "overlap"])
    assert len(reported) < len(counted) < len(core) < len(everything)


@pytest.mark.parametrize("analysis_set", ["core", "reported", "counted", "current", "everything"])
@pytest.mark.parametrize("definitions", ["primary", "alternative"])
def test_no_study_arm_and_outcome_is_there_twice(shipped, analysis_set, definitions):
    rows = shipped.select(analysis_set=analysis_set, definitions=definitions).rows
    assert not rows.duplicated(["study", "arm", "outcome"]).any()


def test_alternative_definitions_stand_in_where_there_are_any(shipped):
    primary = cells(shipped.rows)
    alternative = cells(shipped.select(definitions="alternative").rows)
    changed = {cell: alternative[cell] for cell in primary if primary[cell] != alternative[cell]}
    assert primary.keys() == alternative.keys()
    assert changed == {
        ("shin2021", "msc", "improvement"): (2, 2, 5),
        ("wang2018", "msc", "improvement"): (28, 28, 81),
        ("wang2018", "msc", "remission"): (22, 22, 81),
        ("kamen2022", "msc", "moderate_severe_ae"): (6, 6, 6),
        ("deng2017", "msc", "improvement"): (8, 9, 12),
        ("deng2017", "msc", "remission"): (3, 4, 12),
    }


def test_a_used_study_replaces_what_it_supplies_with_parent_and_child(shipped):
    used = shipped.select(use="wen2019")
    assert cells(used.rows, "wen2019") == {
        ("wen2019", "msc", "improvement"): (40, 40, 69),
        ("wen2019", "msc", "remission"): (16, 16, 69),
    }
    assert set(cells(used.rows, "wang2018")) == {("wang2018", "msc", "death")}
    rest = ~used.rows["study"].isin(["wen2019", "wang2018"])
    before = shipped.rows[shipped.rows["study"] != "wang2018"]
    assert cells(used.rows[rest]) == cells(before)


def test_a_used_study_that_supplies_a_parent_replaces_the_child_too(tmp_path):
    (tmp_path / "studies.csv").write_text(
        "study_id,label,year,disease,design,n_msc,n_control,follow_up_months,cohort,role\n"
        "a,A,2020,d,t,9,0,,c,core\nb,B,2020,d,t,9,0,,c,overlap\nz,Z,2020,d,t,9,0,,,core\n",
        encoding="utf-8",
    )
    row = "{},msc,{},1,1,9,,6,reported,,true\n"
    (tmp_path / "outcomes.csv").write_text(
        "study_id,arm,outcome,events_min,events_max,n,definition,months,certainty,locator,primary\n"
        + "".join(row.format("a", outcome) for outcome in (*PARENTS, *PARENTS.values(), "death"))
        + row.format("b", "improvement")
        + row.format("b", "moderate_severe_ae")
        + row.format("z", "remission"),
        encoding="utf-8",
    )
    evidence = load_evidence(tmp_path, use="b")
    assert [(r.study, r.outcome) for r in evidence.rows.itertuples()] == [
        ("a", "death"),
        ("b", "improvement"),
        ("b", "moderate_severe_ae"),
        ("z", "remission"),
    ]
    assert any("Remission is analysed by itself" in message for message in evidence.messages)


@pytest.mark.parametrize("analysis_set", ["core", "reported", "counted", "current", "everything"])
def test_a_used_study_enters_any_set(shipped, analysis_set):
    rows = shipped.select(analysis_set=analysis_set, use=("wen2019", "wang2017")).rows
    assert "wen2019" in set(rows["study"])
    assert not (cells(rows).keys() & {("wang2018", "msc", "improvement")})


def test_a_child_alone_brings_its_parent(shipped):
    evidence = shipped.select(outcomes="remission")
    assert evidence.selection.outcomes == ("remission",)
    assert evidence.outcome_names == ("improvement", "remission")
    assert set(shipped.select(outcomes="improvement").rows["outcome"]) == {"improvement"}
    assert set(PARENTS) <= set(OUTCOMES)


def test_diseases_and_outcomes_keep_the_order_of_the_data(shipped):
    one = shipped.select(diseases=["systemic_sclerosis", "psoriasis"], outcomes=["death", "any_ae"])
    other = shipped.select(
        diseases=("psoriasis", "systemic_sclerosis"), outcomes=("any_ae", "death")
    )
    assert one.diseases == ("psoriasis", "systemic_sclerosis")
    assert one.selection == other.selection
    assert one.sha256 == other.sha256
    assert set(one.rows["disease"]) == {"psoriasis", "systemic_sclerosis"}


def test_a_selection_changes_only_what_it_names(shipped):
    twice = shipped.select(drop="wang2018").select(outcomes="death")
    assert twice.selection == shipped.select(drop="wang2018", outcomes="death").selection
    assert "wang2018" not in set(twice.rows["study"])
    assert twice.select(drop=(), outcomes=()).sha256 == shipped.sha256


def test_the_hash_is_that_of_what_the_model_sees(shipped):
    hashes = [
        shipped.sha256,
        shipped.select(definitions="alternative").sha256,
        shipped.select(drop="wang2018").sha256,
        shipped.select(diseases=shipped.diseases[:5]).sha256,
    ]
    assert len(set(hashes)) == 4
    assert shipped.select(drop="farge2022").sha256 == shipped.sha256


WRONG = [
    (
        {"analysis_set": "cor"},
        "did you mean core? valid: core, reported, counted, current, everything",
    ),
    ({"definitions": "both"}, "valid: primary, alternative"),
    ({"outcomes": "remision"}, "did you mean remission? valid: improvement, remission,"),
    ({"diseases": "psoriasiss"}, "did you mean psoriasis? valid: psoriasis,"),
    ({"drop": "wang2081"}, "unknown study to drop 'wang2081'; did you mean wang2018?"),
    ({"use": "wen"}, "unknown study to use 'wen'"),
    ({"use": "wang2018"}, "has the role core; only overlapping studies can be swapped in: wen2019"),
    ({"use": ("wen2019", "yuan2019")}, "of cohort nanjing_sle both supply improvement: use one"),
    ({"use": "wen2019", "drop": "wen2019"}, "both to be used and to be dropped"),
    ({"diseases": "alopecia_areata", "outcomes": "remission"}, "no rows are left by"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_a_wrong_selection_says_what_would_be_right(shipped, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        shipped.select(**changes)
    assert not isinstance(caught.value, EvidenceError)


def test_all_unknown_names_are_told_at_once(shipped):
    with pytest.raises(ValueError, match="unknown") as caught:
        shipped.select(drop=("x", "y"), outcomes="z", analysis_set="w")
    assert len(str(caught.value).splitlines()) == 4


def test_the_cautions_of_the_shipped_core_are_these(shipped):
    assert shipped.cautions() == (
        "Yao 2021: moderate or severe adverse event and any adverse event are of 12 and 3 months",
        "Kim 2017: improvement, remission known for 25 of 34 treated patients",
        "Alip 2024: 3 deaths but 0 patients with serious adverse events "
        "(adverse event attributed to the cells)",
        "Park 2020: any adverse event, serious adverse event, death known for 18 of 20 treated "
        "patients",
        "Guillaume-Jugnot 2016: any adverse event, serious adverse event at 30 months, beyond the "
        "study's follow-up of 12",
        "Kamen 2022: moderate or severe adverse event and any adverse event differ in attribution: "
        "only moderate or severe adverse event counts events by their cause",
    )
    alternative = shipped.select(definitions="alternative").cautions()
    assert not any("attribution" in caution for caution in alternative)


def test_a_single_table_needs_three_columns(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text("study,events,n\nb,3,10\na,0,20\n", encoding="utf-8")
    evidence = load_evidence(path)
    assert evidence.diseases == ("all",)
    assert evidence.outcome_names == ("response",)
    assert [tuple(row) for row in evidence.rows.iloc[:, :7].to_numpy()] == [
        ("b", "all", "msc", "response", 3, 3, 10),
        ("a", "all", "msc", "response", 0, 0, 20),
    ]
    assert evidence.rows["months"].isna().all()
    assert len(evidence.messages) == 1
    assert "outcome response is none of those known here (improvement, " in evidence.messages[0]
    assert evidence.review.empty
    assert summary(evidence)["patients"] == 30
    assert len(evidence.select(analysis_set="reported", outcomes="response").rows) == 2
    with pytest.raises(ValueError, match="valid: response"):
        evidence.select(outcomes="death")


def test_a_single_table_may_name_diseases_outcomes_arms_bounds_and_months(tmp_path):
    path = tmp_path / "own.csv"
    path.write_text(
        "study,disease,outcome,arm,events_min,events_max,n,months\n"
        "a,vitiligo,repigmented,msc,1,3,10,\n"
        "a,vitiligo,death,msc_low,0,0,4,12\n"
        "a,vitiligo,death,msc_high,0,0,7,12.5\n"
        "a,vitiligo,death,control,0,0,9,12\n"
        "b,Vitiligo,any_ae,msc,1,1,5,6\n",
        encoding="utf-8",
    )
    evidence = load_evidence(path)
    assert evidence.outcome_names == ("any_ae", "death", "repigmented")
    assert evidence.diseases == ("vitiligo", "Vitiligo")
    assert len(evidence.controls) == 1
    # Dose arms are the same patients as the whole arm: 11, not 21.
    assert summary(evidence)["patients"] == 16
    assert any("vitiligo and Vitiligo differ by little" in told for told in evidence.messages)


def test_ten_thousand_rows_load_in_about_a_second(tmp_path):
    path = tmp_path / "own.csv"
    lines = [f"s{i},d{i % 6},{i % 40},40" for i in range(10_000)]
    path.write_text("\n".join(["study,disease,events,n", *lines]), encoding="utf-8")
    started = time.process_time()
    assert len(load_evidence(path).rows) == 10_000
    # 0.3 s alone; the rest is room for a slower machine, and far below what rows x rows would take.
    assert time.process_time() - started < 2


def test_reading_imports_nothing_heavier_than_pandas():
    heavy = "pymc arviz nutpie matplotlib preliz statsmodels xarray pandera scipy"
    program = (
        "import sys, mscpool.data.evidence, mscpool.data.export\n"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[]\n", answer.stderr


CORE = "b142814670bfdc7be423e93087963394d5eb5b18593723905b9ce7c5be96e415"


def test_no_later_or_unpublished_study_moves_the_core(shipped):
    since = shipped.studies.loc[shipped.studies["role"].isin(["later", "unpublished"]), "study"]
    assert set(since) == {"seo2024", "seok2025", "furestem2019"}
    # The hash of the core before they were added: a fit of it is still the same fit.
    assert shipped.sha256 == CORE
    for analysis_set in ("core", "reported", "counted"):
        chosen = shipped.select(analysis_set=analysis_set)
        assert not set(since) & {*chosen.rows["study"], *chosen.controls["study"]}
        assert chosen.select(drop=tuple(since)).sha256 == chosen.sha256


def test_the_current_set_adds_what_was_published_since(shipped):
    current = shipped.select(analysis_set="current")
    added = cells(current.rows).keys() - cells(shipped.rows).keys()
    assert {study for study, *_ in added} == {"seo2024", "seok2025"}
    assert set(current.controls["study"]) == {"deng2017", "seok2025"}
    everything = shipped.select(analysis_set="everything")
    assert cells(current.rows).keys() < cells(everything.rows).keys()
    assert "furestem2019" in set(everything.rows["study"])


def test_the_control_arm_of_each_outcome_stands_beside_the_treated_one(shipped):
    own = shipped.controls
    deng = shipped.rows[shipped.rows["study"] == "deng2017"]
    assert set(own.loc[own["study"] == "deng2017", "outcome"]) == set(deng["outcome"])
    alternative = shipped.select(definitions="alternative")
    both = pd.concat([alternative.rows, alternative.controls])
    both = both[(both["study"] == "deng2017") & both["outcome"].isin(["improvement", "remission"])]
    assert sorted(zip(both["arm"], both["events_min"], both["events_max"], strict=True)) == [
        ("control", 1, 1),
        ("control", 2, 2),
        ("msc", 3, 4),
        ("msc", 8, 9),
    ]
