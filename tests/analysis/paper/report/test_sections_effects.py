"""The section on controlled comparisons says what follows from the effects, and no more."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import mscpool as mp
from mscpool.analysis.guard.result import UNCHECKED, Check, CheckResult, OutcomeVerdict
from mscpool.analysis.paper.frames.effects import compared_sets, direction_of, treated_rates
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.report.controlled import risk_differences
from mscpool.analysis.paper.report.sections_effects import (
    effects_section,
    effects_table,
    how_sure,
    what_it_adds,
)
from mscpool.analysis.paper.words.captions_effects import ADDED
from mscpool.data.controlled import controlled_rows
from mscpool.data.evidence import load_evidence

from ....builders import evidence_of


@pytest.fixture(scope="module")
def shipped():
    return load_evidence()


@pytest.fixture(scope="module")
def results(shipped):
    made = Results(None, shipped, CheckResult("pass", (), Check("sampling", "pass")))
    vars(made)["config"] = {"pooling": "partial"}
    return made


@pytest.fixture(scope="module")
def section(results):
    return effects_section(results)


def row_of(low, middle, high, outcome="improvement", benefit=0.9, **more):
    quantiles = {"q2.5": low, "q50": middle, "q97.5": high}
    row = {"outcome": outcome, "disease": "d", "studies": 1, "patients": 40, "randomised": 1}
    row |= {"probability_benefit": benefit, "control_rate": 0.2, "own_share": 0.4, **quantiles}
    row |= {f"ratio_{name}": np.exp(value) for name, value in quantiles.items()}
    row |= treated_rates(row, 0.2)
    return row | {"direction": direction_of(row, 1e-4), "verdict": "pass", **more}


def comparison(rows, verdict="pass", reason="As predicted.", pooling="partial", alone=None):
    judged = OutcomeVerdict("improvement", verdict, reason)
    checked = CheckResult(verdict, (judged,), Check("sampling", "pass"))
    columns = ["outcome", "disease", "quantity"]
    return SimpleNamespace(
        rows=pd.DataFrame(rows), checked=checked, config={"pooling": pooling},
        randomised=pd.DataFrame(columns=columns) if alone is None else alone,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (0.1, 2.0, "improvement is more frequent"),
        (-2.0, -0.1, "improvement is less frequent"),
        (-0.1, 2.0, "No difference in improvement can be told"),
        # Limits nearer to no effect than their numerical error tell nothing.
        (0.00009, 2.0, "No difference in improvement can be told"),
        (-2.0, -0.00009, "No difference in improvement can be told"),
        (0.00011, 2.0, "improvement is more frequent"),
    ],
)
def test_a_difference_is_told_only_beyond_the_interval_and_its_error(low, high, said):
    assert said in what_it_adds(row_of(low, (low + high) / 2, high))


def test_the_treated_rate_is_that_of_the_ratio_at_the_control_rate():
    rates = treated_rates(row_of(-1.0, 0.5, 2.0), 0.2)
    assert rates["treated_q50"] == pytest.approx(expit(logit(0.2) + 0.5))
    assert rates["treated_q2.5"] == pytest.approx(0.25 * np.exp(-1) / (1 + 0.25 * np.exp(-1)))
    deaths = treated_rates(row_of(-1.0, 0.5, 2.0, "death"), 0.2)
    assert deaths["treated_q97.5"] == pytest.approx(1 - 0.8 ** np.exp(2.0))


def test_a_sentence_gives_ratio_interval_rates_and_probability():
    said = what_it_adds(row_of(-1.0, 0.5, 2.0))
    assert "its odds are 1.65 times those under control (95 % interval 0.37 to 7.39;" in said
    assert "probability that treatment helps 90 %)" in said
    assert "so that 29 % (8 to 65) of treated patients" in said
    assert "20 % of control patients" in said
    deaths = what_it_adds(row_of(-1.0, 0.5, 2.0, "death", benefit=0.001))
    assert "its hazard is 1.65 times that under control" in deaths
    assert "below 1 %" in deaths


def test_what_an_effect_rests_on_is_told_with_what_is_borrowed():
    row = row_of(-1.0, 0.5, 2.0)
    other = row | {"disease": "e", "studies": 3, "patients": 200}
    said = how_sure(row, comparison([row, other]))
    assert "1 randomised study with 40 patients: 40 % of the estimate comes from its counts" in said
    assert "the rest from the prior and from 3 studies with 200 patients in 1 other disease" in said
    assert said.endswith("the guard passes it.")
    apart = how_sure(row, comparison([row, other], pooling="none"))
    assert "the rest from the prior; " in apart
    warned = how_sure(row | {"verdict": "warn"}, comparison([row], "warn", "There is one study."))
    assert warned.endswith("the guard says warn (There is one study).")
    unchecked = comparison([row])
    unchecked.checked = UNCHECKED
    assert how_sure(row, unchecked).endswith("the guard has not seen it.")


def test_randomised_studies_alone_stand_beside_all():
    row = row_of(-1.0, 0.5, 2.0, studies=3, randomised=1)
    alone = pd.DataFrame([{**row, "quantity": "effect", "evidence": "direct"}])
    said = how_sure(row, comparison([row], alone=alone))
    assert "3 studies with 40 patients, 1 known to be randomised" in said
    assert "randomised studies alone give 1.65 (0.37 to 7.39);" in said
    none = how_sure(row | {"randomised": 0}, comparison([row]))
    assert "none known to be randomised" in none


def test_one_sentence_where_no_study_has_a_control_arm(tmp_path):
    made = Results(None, evidence_of(tmp_path, "study,events,n\nA,3,10\nB,4,12\n"))
    vars(made)["config"] = {"pooling": "partial"}
    section = effects_section(made)
    assert [block.kind for block in section.blocks] == ["text"]
    assert section.blocks[0].content.count(".") == 1
    assert "No study of this evidence has a control arm" in section.blocks[0].content
    assert risk_differences(made.evidence).empty


def test_wider_sets_are_compared_only_where_they_gain_a_controlled_study(results):
    compared = {each.added: each for each in results.compared}
    assert list(compared) == ["", "later", "means", "unpublished"]
    assert set(compared[""].rows["disease"]) == {"systemic_lupus_erythematosus"}
    assert len(compared[""].rows) == 6
    assert set(compared["means"].rows["disease"]) - set(compared["later"].rows["disease"]) == {
        "systemic_sclerosis"
    }
    for added in ("later", "means", "unpublished"):
        assert set(compared[added].rows["outcome"]) == {"improvement"}
        assert "delpapa2019" not in set(compared[added].studies["study"])  # a related product
    assert "furestem2019" in set(compared["unpublished"].studies["study"])
    assert "furestem2019" not in set(compared["means"].studies["study"])
    assert not {"khanna2022", "daumas2022"} & set(compared["unpublished"].studies["study"])
    # The set of the fit is the one that the command compares.
    core = mp.contrasts(mp.effects(results.evidence, check=False))
    pd.testing.assert_frame_equal(compared[""].contrasts, core)


def test_a_set_that_gains_nothing_is_not_compared(tmp_path):
    table = "study,arm,events,n\nA,msc,3,10\nA,control,2,10\nB,msc,4,12\n"
    compared = compared_sets(evidence_of(tmp_path, table), "partial")
    assert [each.added for each in compared] == [""]


def test_the_shipped_section_says_two_sentences_a_disease(section, results):
    [brief] = [block.content for block in section.blocks if block.kind == "brief"]
    assert [name.partition(",")[0] for name, _, _ in brief] == [
        "Atopic dermatitis",
        "Systemic sclerosis",
        "Systemic lupus erythematosus",
    ]
    core, current, means = results.compared[:3]
    for (name, said, verdict), each in zip(brief, (current, means, core), strict=True):
        assert ("published since the review" in name) == (each.added == "later")
        assert ("report means" in name) == (each.added == "means")
        assert said.count(". ") == 1
        assert said.endswith(".")
        title = name.partition(",")[0]
        own = each.rows[each.rows["disease"].map(results.disease) == title]
        disease = own[own["outcome"] == "improvement"].iloc[0]
        assert f"{disease['ratio_q50']:.2f} times" in said
        assert verdict == each.checked.verdict_of("improvement")
    told = " ".join(" ".join(b.content) for b in section.blocks if b.kind == "list")
    assert "In atopic dermatitis with the unpublished studies as well" in told


def test_the_table_has_every_compared_disease_and_what_is_borrowed(results):
    table = effects_table(results.compared, results)
    direct = sum(len(each.rows) for each in results.compared)
    borrowed = [row for row in table.rows if row[2] == "borrowed"]
    assert len(table.rows) == direct + len(borrowed)
    assert len(table.frame) == direct
    assert len(borrowed) == 9  # an outcome and set
    # The sets of an outcome stand together, from what is known most surely.
    improvement = [row[0] for row in table.rows if row[0].startswith("Improvement")]
    assert [row[0] for row in table.rows[: len(improvement)]] == improvement
    assert list(dict.fromkeys(improvement)) == [
        ", ".join(filter(None, ("Improvement", ADDED[each.added]))) for each in results.compared
    ]
    assert all(len(row) == len(table.header) for row in table.rows)


def test_each_studys_difference_uses_the_definition_of_its_effect(shipped):
    frame = risk_differences(shipped)
    rows = controlled_rows(shipped.select(analysis_set="everything")).rows
    assert set(zip(frame["study"], frame["definition"], strict=True)) == set(
        zip(rows["study"], rows["definition"], strict=True)
    )
    seok = frame[frame["study"] == "seok2025"].iloc[0]
    assert (seok["events_min"], seok["events_max"], seok["n"]) == (14, 14, 59)
    assert seok["difference"] == pytest.approx(14 / 59 - 4 / 55)


def test_an_unchecked_fit_has_unchecked_effects(shipped, results):
    lupus = shipped.select(outcomes="remission")
    made = replace(results, evidence=lupus, checked=UNCHECKED)
    vars(made)["config"] = {"pooling": "partial"}
    assert set(made.compared[0].rows["verdict"]) == {"unchecked"}
