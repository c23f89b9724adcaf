"""What the report says of priors is derived, with the error of what it rests on."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from mscpool.analysis.paper.report.sections_sensitivity import sensitivity_blocks
from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.data.evidence import load_evidence
from mscpool.data.means import MODELLED_SIGN


@pytest.fixture(scope="module")
def evidence():
    return load_evidence(outcomes=("serious_ae",))


@pytest.fixture(scope="module")
def comparison(evidence):
    return compare_priors(
        evidence, ["default", "sceptical", "enthusiastic"], engine="exact", threshold="usual"
    )


def said(evidence, comparison):
    """Everything that the section says in text and lists, and its tables by name."""
    results = SimpleNamespace(
        evidence=evidence,
        comparison=comparison,
        borrowed=None,
        outcomes=("serious_ae",),
        not_integrated="",
        missing=SimpleNamespace(rates=(), effects=()),
    )
    blocks = sensitivity_blocks(results)
    texts = [b.content for b in blocks if b.kind == "text"]
    texts += [line for b in blocks if b.kind == "list" for line in b.content]
    return " ".join(texts), {b.content.name: b.content for b in blocks if b.kind == "table"}


def with_verdicts(comparison, verdicts):
    return replace(comparison, flips=comparison.flips.assign(verdict=verdicts))


def test_conclusions_that_a_prior_changes_are_counted_and_named(evidence, comparison):
    text, _ = said(evidence, comparison)
    changed = comparison.flips[comparison.flips["verdict"] == "changed"]
    assert "chronic_spontaneous_urticaria" in set(changed["disease"])
    assert f"{6 - len(changed)} are the same under every prior compared" in text
    assert f"Some prior changes {len(changed)}: serious adverse event in" in text
    assert "too few draws" not in text


def test_undecided_conclusions_are_not_among_the_same(evidence, comparison):
    verdicts = ["unchanged"] * 2 + ["undecided"] * 3 + ["changed"]
    text, _ = said(evidence, with_verdicts(comparison, verdicts))
    assert "2 are the same under every prior compared" in text
    assert "Some prior changes 1:" in text
    assert "There are too few draws to say so of 3:" in text


def test_an_undecided_conflict_is_no_agreement(evidence, comparison):
    clear, _ = said(evidence, comparison)
    assert "no outcome and no study is far from what it allows" in clear
    verdicts = ["undecided", *comparison.conflicts["verdict"][1:]]
    open_one = replace(comparison, conflicts=comparison.conflicts.assign(verdict=verdicts))
    text, _ = said(evidence, open_one)
    assert "no outcome and no study" not in text
    assert "too few draws to say of 1." in text
    assert not any("No outcome and no study" in each for each in open_one.sentences())


def test_shifts_within_their_error_of_little_are_told_apart_from_little(evidence, comparison):
    rates = comparison.rates.assign(shift=0.45, shift_mcse=0.001)
    text, _ = said(evidence, replace(comparison, rates=rates))
    within = "stay within half a standard deviation of this report's under every prior."
    assert f"Of 6 mean rates, 6 {within}" in text
    rates = rates.assign(shift_mcse=0.04)
    text, _ = said(evidence, replace(comparison, rates=rates))
    assert "Of 6 mean rates, of 6 the error leaves it open." in text


def test_a_rate_that_rests_on_means_is_marked_under_every_set(comparison):
    with_means = load_evidence().select(means=True)
    (_, disease), *_ = with_means.from_means
    rates = comparison.rates.assign(outcome="improvement")
    _, tables = said(with_means, replace(comparison, rates=rates))
    named = with_means.about.words(disease)
    for row in tables["prior_rates"].rows:
        assert all((MODELLED_SIGN in cell) == (row[1] == named) for cell in row[2:5])
    assert MODELLED_SIGN in tables["prior_rates"].caption


def test_the_largest_shift_is_named_with_those_too_close_to_rank(evidence, comparison):
    rates = comparison.rates.copy()
    changed = (rates["set"] == "sceptical") & (rates["quantity"] == "rate")
    rates["shift"] = 0.0
    rates.loc[changed, "shift"] = [2.0, 1.9, 0.1, 0.1, 0.1, 0.1]
    for error, together in ((0.2, True), (0.001, False)):
        noisy = replace(comparison, rates=rates.assign(shift_mcse=error))
        text = said(evidence, noisy)[0]
        line = text[text.index("The prior matters most") : text.index("Of 6 mean rates")]
        assert ("serious adverse event in atopic dermatitis" in line) == together
        assert ("too close to rank" in line) == together
        assert "serious adverse event in psoriasis" in line


def test_the_rule_of_predictions_stands_beside_a_difference_that_it_does_not_tell(
    evidence, comparison
):
    text, _ = said(evidence, comparison)
    whole = comparison.scores[comparison.scores["outcome"].isna()].set_index("set")
    largest = whole["elpd_diff"].iloc[1:].abs().idxmax()
    assert abs(whole.loc[largest, "elpd_diff"]) < 4
    assert "does not tell the prior sets apart" in text
    assert "above 4 in log density and beyond 2 of its standard errors" in text
    assert "10.48550/arXiv.2008.10296" in text
    assert f"the largest is {whole.loc[largest, 'elpd_diff']:+.1f}".replace("-", "−") in text
    unknown = comparison.scores.assign(
        elpd=comparison.scores["elpd"].where(comparison.scores["outcome"].isna())
    )
    text, _ = said(evidence, replace(comparison, scores=unknown))
    assert "Of serious adverse event no prediction is known" in text


def test_marginal_likelihoods_stand_beside_the_prediction_with_their_warning(evidence, comparison):
    text, tables = said(evidence, comparison)
    assert "most likely under Enthusiastic" in text
    assert "punishes vague priors" in text
    table = tables["prior_sets"]
    scores = comparison.scores[comparison.scores["outcome"].isna()]
    shown = [row[-1].replace("\u2212", "-") for row in table.rows]
    assert shown == [f"{value:.1f}" for value in scores["log_marginal_likelihood"]]
    assert "punishes vague priors" in table.caption


def test_a_score_that_is_not_known_is_said_so(evidence, comparison):
    missing = comparison.scores.assign(elpd=float("nan"), elpd_diff=float("nan"))
    text, tables = said(evidence, replace(comparison, scores=missing))
    assert "is not known" in text
    assert [row[-2] for row in tables["prior_sets"].rows] == ["reference", *["not known"] * 2]
    assert "importance sampling cannot leave each of their studies out" in (
        tables["prior_sets"].caption
    )


def test_one_set_alone_is_compared_with_nothing(evidence):
    alone = compare_priors(evidence, ["default"], engine="exact", threshold="usual")
    text, _ = said(evidence, alone)
    assert "No other prior set was compared by its predictions." in text
    assert "most likely" not in text
