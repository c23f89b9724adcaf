"""Scores of prior sets are compared with the error of the computation, or said not to be known."""

from dataclasses import replace

import numpy as np
import pytest

from mscpool.analysis.sensitivity.compare import compare_priors
from mscpool.analysis.sensitivity.scores import Scores, scores_table, spread_of_sum
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.outcomes import exact_model

ONE = Scores(np.array([-2.0, -3.0, -1.0]), 0.3, 0.4)
OTHER = Scores(np.array([-1.5, -2.9, -1.1]), 0.4, 0.5)


def whole(table):
    return table[table["outcome"].isna()].set_index("set")


def test_the_error_of_a_difference_holds_that_of_the_computation():
    row = whole(scores_table({"a": {"o": ONE}, "b": {"o": OTHER}})).loc["b"]
    assert row["elpd_diff"] == pytest.approx(0.5)
    assert row["elpd_diff_mcse"] == pytest.approx(0.5)
    over_studies = spread_of_sum(np.array([0.5, 0.1, -0.1]))
    assert row["elpd_diff_se"] == pytest.approx(np.hypot(over_studies, 0.5))


def test_a_score_that_importance_sampling_cannot_give_is_not_known():
    bad = replace(OTHER, pareto_k=1.48)
    table = scores_table({"a": {"o": ONE, "p": bad}, "b": {"o": OTHER, "p": OTHER}})
    of_outcome = table[table["outcome"] == "p"]
    assert of_outcome["elpd_diff"].isna().all()
    assert of_outcome["elpd_pareto_k"].tolist() == [1.48, 0.5]
    # What is known under the reference is still compared.
    assert whole(table).loc["b", "elpd_diff"] == pytest.approx(0.5)
    table = scores_table({"a": {"o": ONE}, "b": {"o": bad}})
    assert np.isnan(whole(table).loc["b", "elpd_diff"])


def test_marginal_likelihoods_of_a_part_are_not_given_as_of_the_whole():
    exact = replace(ONE, pareto_k=np.nan, log_marginal_likelihood=-7.0)
    table = scores_table({"a": {"o": exact, "p": OTHER}})
    assert table["log_marginal_likelihood"].tolist()[0] == -7
    assert np.isnan(whole(table)["log_marginal_likelihood"].item())


def test_a_small_difference_is_no_better_prediction():
    """Improvement, serious events and deaths: 1.08 better under a uniform tau, exactly."""
    total = 0.0
    for name in ("improvement", "serious_ae", "death"):
        evidence = load_evidence(outcomes=(name,))
        found = compare_priors(evidence, ["default", "tau_uniform"], engine="exact")
        total += whole(found.scores).loc["tau_uniform", "elpd_diff"]
        assert "does not tell the prior sets apart" in found.prediction()
    assert total == pytest.approx(1.08, abs=0.01)


def test_a_set_whose_score_is_not_known_is_named():
    evidence = load_evidence(outcomes=("serious_ae",))
    found = compare_priors(evidence, ["default", "sceptical"], engine="exact")
    scores = found.scores.assign(
        elpd_diff=found.scores["elpd_diff"].where(found.scores["set"] == "default")
    )
    said = replace(found, scores=scores).prediction()
    assert said == "How well the other prior sets predict studies left out is not known."
    assert exact_model(evidence).refused == {}
