"""What came since, how knowledge grew and what could be missing, as the report tells it."""

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.effects.effects import effects
from mscpool.analysis.effects.results import contrasts
from mscpool.analysis.fitting.fit import fit
from mscpool.analysis.fitting.summary import rates
from mscpool.analysis.paper.frames.cumulative import asked_of
from mscpool.analysis.paper.frames.effects import Comparison
from mscpool.analysis.paper.frames.results import Results
from mscpool.analysis.paper.frames.unseen import missing
from mscpool.analysis.paper.publish.exhibits import exhibits
from mscpool.analysis.paper.report.sections_cumulative import cumulative_section
from mscpool.analysis.paper.report.sections_later import later_section
from mscpool.analysis.paper.report.sections_limits import limits_section
from mscpool.analysis.paper.report.sections_means import means_section
from mscpool.analysis.paper.report.sections_unseen import unseen_blocks
from mscpool.analysis.paper.words.captions_cumulative import CUMULATIVE, CUMULATIVE_EFFECTS
from mscpool.analysis.paper.words.captions_later import LATER
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.data.evidence import load_evidence
from mscpool.models.effects.priors import DEFAULT_EFFECTS, effect_priors
from mscpool.models.priors.files import prior_set

FAR = """
name = "far"
mu = {dist = "Normal", mu = 30, sigma = 0.01}
tau = {dist = "HalfNormal", sigma = 0.01}
sigma = {dist = "HalfNormal", sigma = 0.01}
"""
AD = "atopic_dermatitis"


def results_of(evidence, comparison=None):
    return Results(
        fit(evidence, engine="exact", draws=200, seed=1), evidence, comparison=comparison
    )


@pytest.fixture(scope="module")
def results():
    evidence = load_evidence(outcomes="improvement")
    comparison = compare_priors(evidence, ["default"], engine="exact", threshold=0.35)
    return results_of(evidence, comparison)


def said(section):
    parts = [block.content for block in section.blocks if block.kind in ("text", "list")]
    return " ".join(part if isinstance(part, str) else " ".join(part) for part in parts)


def test_each_later_count_stands_beside_its_prediction(results):
    section = later_section(results)
    counts, ratios = section.tables
    assert list(counts.frame["study"]) == ["seo2024", "seok2025"]
    assert list(counts.frame["method"]) == ["integrated"] * 2
    assert [row[3] for row in counts.rows] == ["13 of 19", "14 to 59 of 59"]
    assert list(ratios.frame["study"]) == ["seok2025"]
    assert not ratios.of_fit
    assert "Of 2 later counts, 2 may lie in their predicted intervals." in said(section)


def test_nothing_is_tuned_to_what_came_since(results):
    """The fit of the report, and so its predictions, are those without the later studies."""
    config = results.config["selection"]
    assert config["analysis_set"] == "core"
    assert not {"seo2024", "seok2025"} & set(results.evidence.rows["study"])
    without = load_evidence(outcomes="improvement", drop=("seo2024", "seok2025"))
    assert without.sha256 == results.evidence.sha256


def test_a_count_outside_its_interval_is_named(results):
    frame = results.later.counts.assign(inside=[False, True])
    made = Results(results.fit, results.evidence)
    vars(made)["later"] = type(results.later)(frame, results.later.effects)
    told = said(later_section(made))
    assert "1 may lie in its predicted interval. Outside: Seo 2024 (improvement, 13 of 19" in told


def test_a_fit_that_has_the_later_studies_predicts_none():
    evidence = load_evidence(outcomes="improvement", analysis_set="current")
    assert later_section(results_of(evidence)) is None


def test_knowledge_ends_with_the_studies_since_and_the_conclusions_that_were_asked(results):
    grown = results.grown
    last = grown.rates[grown.rates["year"] == 2025].set_index("disease")
    current = rates(results_of(results.evidence.select(analysis_set="current")).fit)
    wanted = current[current["quantity"] == "rate"].set_index("disease")["q50"]
    for disease, value in wanted.items():
        assert last.loc[disease, "q50"] == pytest.approx(value, abs=2e-4)
    assert set(grown.rates["threshold"]) == {0.35}
    assert grown.later_from == 2024
    section = cumulative_section(results)
    assert "From 2024 on with studies published since the review." in said(section)
    table = section.tables[0]
    assert [row[1] for row in table.rows] == [results.disease(name) for name in last.index]
    since = grown.conclusions.set_index("disease")["since"]
    own = grown.rates[grown.rates["disease"] == AD]
    drawn = own.loc[own["year"] >= since[AD], "probability"]
    assert (drawn >= 0.95).all()
    before = own.loc[own["year"] < since[AD], "probability"]
    assert before.iloc[-1] < 0.95


def test_effects_by_year_end_with_those_of_the_command(results):
    table = results.grown.effects
    row = table[(table["disease"] == AD) & (table["year"] == 2025)].iloc[0]
    current = contrasts(effects(results.evidence.select(analysis_set="current"), check=False))
    wanted = current[(current["disease"] == AD) & (current["quantity"] == "effect")].iloc[0]
    assert row["ratio_q50"] == pytest.approx(wanted["ratio_q50"], rel=1e-3)
    assert "could be concluded in no year" in said(cumulative_section(results))


def test_what_only_the_sampler_can_fit_is_named_and_not_replaced():
    frame = pd.DataFrame(
        {
            "study": ["a", "a", "b", "c"],
            "outcome": ["improvement", "remission", "improvement", "remission"],
            "events": [6, 2, 9, 4], "n": [10, 10, 12, 11], "year": [2001, 2001, 2004, 2003],
        }
    )  # fmt: skip
    with pytest.warns(UserWarning, match="cannot be integrated|is fitted without"):
        made = results_of(load_evidence(frame))
    vars(made)["outcomes"] = ["improvement", "remission"]
    told = said(cumulative_section(made))
    assert "Remission cannot be integrated exactly: c: no row of improvement" in told
    assert "Improvement is fitted without what rows of remission say of it" in told
    assert set(made.grown.rates["outcome"]) == {"improvement"}
    unseen = " ".join(str(block.content) for block in unseen_blocks(made) if block.kind == "text")
    assert "This cannot be asked of remission. Remission cannot be integrated exactly: c: " in (
        unseen
    )
    assert "Improvement is fitted without" in unseen


def test_unseen_studies_stand_beside_the_flips_of_the_same_conclusions(results):
    text, table, effect_text, effect_table = unseen_blocks(results)
    frame = table.content.frame
    flips = results.comparison.flips.set_index("disease")
    for row in frame.to_dict("records"):
        flip = flips.loc[row["disease"]]
        assert (row["threshold"], row["confidence"]) == (flip["threshold"], flip["confidence"])
        assert row["probability"] == pytest.approx(flip["probability"], abs=1e-4)
        assert row["concluded"] == flip["concluded"]
    drawn = int((flips["concluded"] == "yes").sum())
    assert len(table.content.rows) == drawn
    assert f"Of {drawn} conclusions that are drawn" in text.content
    trials = effect_table.content.frame
    assert list(dict.fromkeys(zip(trials["disease"], trials["added"], strict=True))) == [
        (AD, "later"),
        ("systemic_sclerosis", "means"),
        (AD, "unpublished"),
    ]
    # 88 and 81 patients of the unpublished trial, the largest of the disease.
    assert set(trials.loc[trials["disease"] == AD, "like_n"]) == {85}
    assert "one more trial of 85 patients an arm" in effect_text.content
    assert "No benefit reaches 0.95" in effect_text.content


def test_the_frailest_conclusions_are_named_in_the_right_number(results):
    rates = results.missing.rates
    for n, said_of in (([2, 2], "are those on improvement in"), ([2, 3], "is that on improvement")):
        drawn = rates[rates["concluded"] == "yes"].groupby("kind").head(2).copy()
        drawn.loc[drawn["kind"] == "extreme", "n"] = n
        made = Results(results.fit, results.evidence)
        vars(made)["missing"] = type(results.missing)(drawn, pd.DataFrame())
        assert f"the frailest, by 2 patients, {said_of}" in unseen_blocks(made)[0].content


def test_what_is_not_asked_is_named_without_a_conclusion_too():
    frame = pd.DataFrame(
        {
            "study": ["a", "a", "b", "c"], "outcome": ["improvement", "remission"] * 2,
            "events": [1, 0, 2, 1], "n": [10, 10, 12, 11],
        }
    )  # fmt: skip
    with pytest.warns(UserWarning, match="cannot be integrated|is fitted without"):
        made = results_of(load_evidence(frame))
    vars(made)["outcomes"] = ["improvement", "remission"]
    (text,) = unseen_blocks(made)
    assert "No conclusion about a rate is drawn" in text.content
    assert "This cannot be asked of remission." in text.content


def test_a_nested_outcome_that_is_integrated_stands_among_the_conclusions():
    frame = pd.DataFrame(
        {
            "study": ["a", "a", "b", "b"], "outcome": ["improvement", "remission"] * 2,
            "events": [9, 8, 11, 9], "n": [10, 10, 12, 12],
        }
    )  # fmt: skip
    text, table = unseen_blocks(results_of(load_evidence(frame)))
    assert "This cannot be asked" not in text.content
    assert [row[0] for row in table.content.rows] == ["Improvement", "Remission"]
    assert "within another has counted it alone" in table.content.caption


def test_a_benefit_that_is_concluded_names_the_trial_that_would_undo_it():
    arms = [("C", "msc", 33, 231), ("C", "control", 7, 220)]
    columns = ["study", "arm", "events", "n"]
    frame = pd.DataFrame(arms, columns=columns).assign(outcome="improvement")
    rate_text, text, table = unseen_blocks(results_of(load_evidence(frame)))
    assert "No conclusion about a rate is drawn that one could undo." in rate_text.content
    row = table.content.frame.query("kind == 'null'").iloc[0]
    assert row["concluded"] == "yes"
    new = pd.DataFrame(
        [
            ("new", "msc", row["treated_events"], row["n"]),
            ("new", "control", row["control_events"], row["n"]),
        ],
        columns=columns,
    ).assign(outcome="improvement")
    again = contrasts(effects(pd.concat([frame, new], ignore_index=True), check=False))
    after = again.query("quantity == 'effect'")["probability_benefit"].iloc[0]
    assert after < 0.95
    assert row["probability_after"] == pytest.approx(after, abs=4e-4)
    assert f"The smallest such trial that would undo that it does has {row['n']} an arm." in (
        text.content
    )


def test_figures_of_what_came_and_what_grew_are_of_the_same_numbers(results):
    shown = {each.name: each for each in exhibits(results)}
    drawn = {name: each.frame for name, each in shown.items()}
    # Each caption names the data that it is of.
    for name, analysis_set in (("later", "core"), ("cumulative", "current")):
        data = results.evidence.select(analysis_set=analysis_set).sha256[:12]
        assert f"Analysis set {analysis_set}, primary definitions; data {data}" in (
            shown[name].words.caption
        )
    assert "Analysis set current" in shown["effects_by_year"].words.caption
    later = drawn["later"]
    assert list(later["kind"]) == ["rate", "rate", "effect"]
    assert later["seen"].isna().tolist() == [False, True, False]
    assert later.loc[2, "seen"] == pytest.approx(14 * 51 / (45 * 4))
    assert np.all(later["low"] <= later["high"])
    assert len(drawn["cumulative"]) == len(results.grown.rates)
    assert set(drawn["effects_by_year"]["label"]) == {"2017: 1 study", "2025: 1 study"}
    assert "labbe_means" not in drawn
    modelled = shown["effects_forest_improvement_means"].words.caption
    assert "Where a study reports means its effect follows from these" in modelled
    assert "Analysis set current with studies that report means" in modelled
    assert "reports means" not in shown["effects_forest_improvement_later"].words.caption


def test_with_moderators_neither_is_told_and_the_page_says_so(results):
    evidence = results.evidence.select(moderators="year")
    made = Results(results.fit, evidence)
    for section in (later_section(made), cumulative_section(made)):
        assert [block.kind for block in section.blocks] == ["text"]
        assert "with moderators" in section.blocks[0].content
    for kind in (LATER, CUMULATIVE, CUMULATIVE_EFFECTS):
        assert not list(kind.exhibits(made))


def test_studies_without_years_have_no_section(tmp_path):
    frame = pd.DataFrame({"study": list("abc"), "events": [3, 7, 9], "n": [9, 10, 14]})
    made = results_of(load_evidence(frame))
    assert cumulative_section(made) is None
    assert later_section(made) is None
    assert [block.kind for block in unseen_blocks(made)] == ["text", "table"]
    some = results_of(load_evidence(frame.assign(year=[2001, None, 2009])))
    told = said(cumulative_section(some))
    assert told == "This is not told: no year is known of b."
    assert not list(CUMULATIVE.exhibits(some))


def test_a_conclusion_without_a_comparison_of_priors_is_the_usual_one():
    asked = asked_of(None, ("improvement", "death"))
    assert {name: each.threshold for name, each in asked.questions.items()} == {
        "improvement": 0.3,
        "death": 0.1,
    }


def test_where_priors_exclude_the_data_each_section_says_so(results):
    made = Results(results.fit, results.evidence, comparison=results.comparison)
    vars(made)["priors"] = prior_set(FAR)
    why = "the data are impossible under mu Normal(mu=30, sigma=0.01)"
    told = unseen_blocks(made)[0].content
    assert told.startswith("What if a study was done that nobody has seen? This cannot be asked")
    for text in (told, said(cumulative_section(made)), said(means_section(made))):
        assert why in text
    assert "Effects by the controlled studies" in cumulative_section(made).tables[0].caption
    limits_section(made)


def test_with_moderators_it_is_said_that_no_unseen_study_is_asked_of(results):
    made = Results(results.fit, results.evidence.select(moderators="year"))
    vars(made)["compared"] = []  # else they are sampled
    assert "of rates: a fit with moderators can only be sampled." in unseen_blocks(made)[0].content


def test_unseen_trials_have_the_priors_of_the_effects_they_are_added_to(results):
    narrow = effect_priors("turner_marginal")
    for each in results.compared:
        assert each.priors == DEFAULT_EFFECTS
    own = results.evidence.select(analysis_set="current")
    other = Comparison("later", own, effects(own, priors=narrow, shares=True, check=False))
    table = missing(results.integrated, [other], results.asked).effects
    kept = contrasts(other.tree).query("quantity == 'effect'").set_index("disease")
    assert table["probability_benefit"].iloc[0] == pytest.approx(
        kept.loc[AD, "probability_benefit"], abs=1e-4
    )
    usual = results.missing.effects.query("added == 'later'").iloc[0]
    assert abs(usual["probability_benefit"] - table["probability_benefit"].iloc[0]) > 1e-3
