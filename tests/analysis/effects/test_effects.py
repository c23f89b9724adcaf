"""Effects: tables, what is kept of them, and what a user is told."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

import mscpool as mp
from mscpool.analysis.effects import effects as room
from mscpool.analysis.effects import results
from mscpool.analysis.effects.model import arm_rates
from mscpool.data.errors import InputError, StoredFitError
from mscpool.models.effects.priors import EffectPriors, effect_priors
from mscpool.models.exact.draws import draw

from ...builders import evidence_of

TABLE = """study,disease,outcome,arm,events,n,months
A,first,improvement,msc,9,20,6
A,first,improvement,control,4,21,6
B,first,improvement,msc,7,15,6
B,first,improvement,control,5,16,6
C,second,improvement,msc_low,6,12,6
C,second,improvement,msc_high,8,11,6
C,second,improvement,control,3,12,6
N,second,improvement,msc,0,12,6
N,second,improvement,control,0,12,6
D,third,improvement,msc,8,12,6
A,first,death,msc,1,20,6
A,first,death,control,2,21,12
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    return evidence_of(tmp_path_factory.mktemp("data"), TABLE)


@pytest.fixture(scope="module")
def made(evidence):
    return mp.effects(evidence, unanchored=True)


def test_every_disease_has_an_effect_and_a_next_trial(made):
    table = mp.contrasts(made)
    own = table[table["outcome"] == "improvement"]
    assert list(own["quantity"]) == ["effect"] * 3 + ["new_study"] * 3 + ["new_disease"]
    effect = own[own["quantity"] == "effect"].set_index("disease")
    assert effect["studies"].to_dict() == {"first": 2, "second": 1, "third": 0}
    assert effect["patients"].to_dict() == {"first": 72, "second": 35, "third": 0}
    assert effect["evidence"].to_dict() == {
        "first": "direct",
        "second": "direct",
        "third": "borrowed",
    }
    assert own["ratio_q50"].to_numpy() == pytest.approx(np.exp(own["q50"].to_numpy()))
    assert own["disease"].iloc[-1] is None
    assert set(table["scale"]) == {"log_odds_ratio", "log_hazard_ratio"}


def test_benefit_is_more_of_a_benefit_and_less_of_a_harm(made):
    table = mp.contrasts(made).set_index(["outcome", "disease", "quantity"])
    better = table.loc[("improvement", "first", "effect")]
    assert (better["q50"] > 0) == (better["probability_benefit"] > 0.5)
    worse = table.loc[("death", "first", "effect")]
    assert (worse["q50"] < 0) == (worse["probability_benefit"] > 0.5)


def test_studies_state_both_arms_and_shrink_towards_each_other(made):
    table = results.study_effects(made).set_index(["study", "outcome"])
    dose = table.loc[("C", "improvement")]
    assert list(dose[["treated_min", "treated_max", "treated_n"]]) == [14, 14, 23]
    assert list(dose[["control_min", "control_max", "control_n"]]) == [3, 3, 12]
    a = table.loc[("A", "improvement")]
    assert a["raw"] == pytest.approx(np.log((9 / 11) / (4 / 17)))
    error = np.sqrt(1 / 9 + 1 / 11 + 1 / 4 + 1 / 17)
    assert a["raw_high"] - a["raw"] == pytest.approx(1.959964 * error)
    death = table.loc[("A", "death")]
    hazards = -np.log1p(-1 / 20) / 0.5, -np.log1p(-2 / 21)
    assert death["raw"] == pytest.approx(np.log(hazards[0] / hazards[1]))
    assert table.loc[("N", "improvement"), "informs"] is False
    following = mp.contrasts(made).set_index(["outcome", "disease", "quantity"])
    following = following.loc[("improvement", "second", "new_study")]
    assert table.loc[("N", "improvement"), "q97.5"] == pytest.approx(following["q97.5"])
    assert dose["sd"] < (dose["raw_high"] - dose["raw_low"]) / 3.92
    assert a["randomised"] is None


def test_what_an_effect_means_at_a_given_control_rate(evidence):
    given = mp.effects(evidence, control_rate=0.3, check=False)
    effect = mp.contrasts(given).set_index(["outcome", "disease", "quantity"])
    table = mp.absolute_effects(given).set_index(["outcome", "disease", "quantity"])
    row, own = (t.loc[("improvement", "second", "new_study")] for t in (table, effect))
    assert row["control_evidence"] == "given"
    assert row["treated_rate_q97.5"] == pytest.approx(expit(logit(0.3) + own["q97.5"]), abs=1e-6)
    assert row["risk_difference_q2.5"] == pytest.approx(row["treated_rate_q2.5"] - 0.3, abs=1e-6)
    death = ("death", "first", "effect")
    hazard = np.exp(effect.loc[death, "q50"])
    assert table.loc[death, "treated_rate_q50"] == pytest.approx(1 - 0.7**hazard, abs=1e-6)


def test_numbers_needed_stand_where_the_difference_excludes_none(tmp_path):
    rows = "A,msc,150,200\nA,control,40,200\nB,msc,160,200\nB,control,50,200\n"
    evidence = evidence_of(tmp_path, "study,arm,events,n\n" + rows)
    table = mp.absolute_effects(mp.effects(evidence, control_rate=0.22, check=False))
    row = table[table["quantity"] == "effect"].iloc[0]
    limits = (1 / row["risk_difference_q97.5"], 1 / row["risk_difference_q2.5"])
    assert (row["nnt_benefit_from"], row["nnt_benefit_to"]) == pytest.approx(limits)
    assert np.isnan(row["nnt_harm_from"])


def test_by_default_the_control_rate_is_that_of_the_next_control_arm(made):
    table = mp.absolute_effects(made).set_index(["outcome", "disease", "quantity"])
    found = table["control_evidence"]
    assert found[("improvement", "first", "effect")] == "direct"
    assert found[("improvement", "third", "effect")] == "borrowed"
    # 9 of 37 and 3 of 24 controls improved.
    assert 0.1 < table.loc[("improvement", "first", "effect"), "control_rate_q50"] < 0.4


def test_an_unanchored_comparison_stands_only_where_no_study_is_controlled(made, evidence):
    table = results.unanchored_effects(made)
    assert list(zip(table["outcome"], table["disease"], strict=True)) == [("improvement", "third")]
    assert table["treated_studies"].iloc[0] == 1
    assert results.unanchored_effects(mp.effects(evidence, check=False)).empty


@pytest.mark.slow
def test_tipping_bias_is_where_the_interval_reaches_none(tmp_path):
    evidence = evidence_of(
        tmp_path,
        "study,disease,arm,events,n\nA,first,msc,30,60\nA,first,control,9,60\n"
        "B,first,msc,31,60\nB,first,control,10,60\nT,second,msc,58,60\nU,second,msc,57,60\n",
    )
    table = results.unanchored_effects(mp.effects(evidence, unanchored=True, check=False))
    rng = np.random.default_rng(5)
    drawn = {}
    for arm in ("treated", "control"):
        rows = evidence.rows if arm == "treated" else evidence.controls
        rates = arm_rates(rows, ["response"], evidence.diseases, "partial")
        drawn[arm] = draw(rates["response"], 100_000, rng).theta[:, 1]
    difference = drawn["treated"] - drawn["control"]
    assert table["tipping_bias"].iloc[0] == pytest.approx(np.quantile(difference, 0.025), abs=0.03)
    wanted = np.mean(difference + rng.standard_normal(len(difference)) > 0)
    assert table["probability_benefit"].iloc[0] == pytest.approx(wanted, abs=0.005)


def test_messages_name_what_says_nothing(made):
    told = results.messages(made)
    assert any("N had the outcome in none or in all of both arms" in line for line in told)


def test_randomised_studies_alone_stand_beside_all(evidence):
    designs = {"A": "randomised_trial", "B": "randomised_trial", "C": "prospective_cohort"}
    studies = evidence.studies.assign(design=evidence.studies["study"].map(designs).fillna(""))
    known = dataclasses.replace(evidence, studies=studies)
    every = mp.effects(known, check=False)
    alone = mp.effects(known, randomised=True, check=False)
    pd.testing.assert_frame_equal(mp.contrasts(every, randomised_only=True), mp.contrasts(alone))
    assert mp.contrasts(alone, randomised_only=True).empty
    direct = mp.contrasts(alone).set_index(["outcome", "disease", "quantity"])["evidence"]
    assert direct[("improvement", "second", "effect")] == "borrowed"
    told = results.messages(every)
    assert "not randomised: C; the answer without stands beside" in told


def test_no_randomised_study_is_refused(evidence):
    with pytest.raises(InputError, match="no controlled study is known to be randomised"):
        mp.effects(evidence, randomised=True)


@pytest.mark.parametrize("rate", [0, 1, -0.2, 1.1])
def test_an_impossible_control_rate_is_refused(evidence, rate):
    with pytest.raises(InputError, match="the control rate must lie between 0 and 1"):
        mp.effects(evidence, control_rate=rate)


def test_effects_are_kept_and_read_back(evidence, tmp_path, monkeypatch):
    first = mp.effects(evidence, path=tmp_path)
    monkeypatch.setattr(room, "fit_effects", None)
    again = mp.effects(evidence, path=tmp_path)
    for read in (mp.contrasts, mp.absolute_effects, results.study_effects, results.effect_hyper):
        pd.testing.assert_frame_equal(read(first), read(again))
    stored = results.load_effects(tmp_path)
    assert room.checked(stored).to_dict() == room.checked(first).to_dict()
    with pytest.raises(TypeError):
        mp.effects(evidence, path=tmp_path, control_rate=0.2)
    with pytest.raises(StoredFitError, match="no stored effects here"):
        results.load_effects(tmp_path / "elsewhere")


def test_densities_belong_to_the_effects(made):
    table = mp.contrasts(made)
    density = made["densities"]
    assert density["value"].shape[0] == len(table)
    middle = density["value"].to_numpy()[:, density["probability"].to_numpy().searchsorted(0.5)]
    assert middle == pytest.approx(table["q50"].to_numpy(), abs=0.01)


def test_rates_that_cannot_hold_together_are_flagged(tmp_path):
    evidence = evidence_of(
        tmp_path,
        "study,outcome,arm,events,n\nA,improvement,msc,5,20\nA,improvement,control,9,20\n"
        "A,remission,msc,4,20\nA,remission,control,2,20\n",
    )
    told = results.messages(mp.effects(evidence, control_rate=0.4, check=False))
    assert [line.split(" (")[0] for line in told] == ["All: the treated rate of remission"]
    assert "above that of improvement" in told[0]


def test_means_of_both_arms_enter_where_they_are_asked_for(root):
    core, with_means = (
        mp.load_evidence(root / "data", outcomes="improvement", means=means)
        for means in (False, True)
    )
    plain, modelled = (mp.effects(each, check=False) for each in (core, with_means))
    assert not results.study_effects(plain)["modelled"].any()
    studies = results.study_effects(modelled).set_index("study")
    assert studies.index[studies["modelled"]].tolist() == ["khanna2022", "daumas2022"]
    # Khanna 2022: changes of 11.0 (12.5) in 48 and 8.9 (10.5) in 40 patients.
    pooled = np.sqrt((47 * 12.5**2 + 39 * 10.5**2) / 86)
    wanted = 2.1 / pooled * (1 - 3 / (4 * 86 - 1)) * np.pi / np.sqrt(3)
    assert studies.loc["khanna2022", "raw"] == pytest.approx(wanted, rel=1e-4)
    effect = mp.contrasts(modelled).set_index(["quantity", "disease"])
    assert effect.loc[("effect", "systemic_sclerosis"), "evidence"] == "direct"
    assert effect.loc[("effect", "systemic_sclerosis"), "studies"] == 2
    told = "Khanna 2022, Daumas 2022: effects that follow from means by a model, not from counts"
    assert told in results.messages(modelled)
    assert told not in results.messages(plain)


def test_means_never_stand_beside_counts_of_the_same_arms(root):
    evidence = mp.load_evidence(root / "data", means=True)
    counted = evidence.outcomes.iloc[:2].assign(
        study="khanna2022", arm=["msc", "control"], outcome="improvement", primary=True,
        events_min=[9, 4], events_max=[9, 4], n=[48, 40], disease="systemic_sclerosis",
        definition="counted",
    )  # fmt: skip
    both = dataclasses.replace(evidence, outcomes=pd.concat([evidence.outcomes, counted]))
    rows = mp.effects(both, check=False)
    studies = results.study_effects(rows).query("outcome == 'improvement'").set_index("study")
    assert not studies.loc["khanna2022", "modelled"]
    assert studies.loc["khanna2022", "treated_max"] == 9
    assert studies.loc["daumas2022", "modelled"]


FILE = """name = "mine"
[mu]
dist = "Normal"
sigma = 1.0
[outcome.death.sigma]
dist = "HalfNormal"
sigma = 0.1
[baseline]
dist = "Normal"
mu = -1
sigma = 5
"""


def test_prior_files_of_effects_have_a_baseline():
    priors = effect_priors(FILE, "mine.toml", ("death", "improvement"))
    assert dict(priors.of("improvement").mu.parameters)["sigma"] == 1.0
    assert dict(priors.of("improvement").tau.parameters)["sigma"] == 0.5
    assert dict(priors.of("death").sigma.parameters)["sigma"] == 0.1
    assert dict(priors.baseline.parameters) == {"mu": -1.0, "sigma": 5.0}
    assert EffectPriors(priors.priors, priors.baseline) == priors


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tau]\ndist = 'Normal'", "tau is a standard deviation"),
        ("[baseline]\ndist = 'Uniform'", "the baseline's prior must be Normal"),
        ("[baseline]\nsigma = 3", r"\[baseline\]: a prior needs its distribution"),
        ("baseline = 3", r"\[baseline\] must be a table"),
        ("[mu", "not TOML"),
        ("[phi]\ndist = 'Normal'", "unknown table"),
        ("name = 'turner_marginal'", "is a named set of effects"),
    ],
)
def test_wrong_prior_files_are_told_in_a_line(text, said):
    with pytest.raises(InputError, match=said) as wrong:
        effect_priors(text, "mine.toml")
    assert str(wrong.value).startswith("mine.toml: ")
    assert "\n" not in str(wrong.value)


def test_unknown_prior_set_is_told_with_the_valid_ones():
    with pytest.raises(InputError, match="unknown prior set for effects 'turner'.*turner_marginal"):
        effect_priors("turner")


def test_named_heterogeneity_priors_are_those_published(root):
    published = json.loads(
        (root / "tests/reference/heterogeneity_prior_tables.json").read_text("utf-8")
    )
    outcomes = published["turner_outcomes"]
    column = 2  # treatments other than drugs against placebo or control
    wanted = {
        "improvement": "signs/symptoms (continuation or end of condition)",
        "serious_ae": "adverse events",
        "death": "all-cause mortality",
    }
    named = effect_priors("turner_outcomes")
    for name, kind in wanted.items():
        place = outcomes.index(kind)
        location = published["turner_mu"][column][place] / 2
        scale = published["turner_sigma"][column][place] / 2
        found = dict(named.of(name).sigma.parameters)
        assert found == pytest.approx({"mu": location, "sigma": scale})
    marginal = dict(effect_priors("turner_marginal").of("improvement").sigma.parameters)
    assert marginal == pytest.approx({"mu": -1.28, "sigma": 0.87})


def test_effects_load_only_what_integrates_them():
    code = "import sys, mscpool.analysis.effects.effects; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"numba", "pymc", "arviz_stats", "matplotlib"} & set(run.stdout.split())
