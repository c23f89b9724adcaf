"""The share of a level that comes from its own data, where the answer is known."""

import numpy as np
import pytest

from mscpool.analysis.sensitivity.own_share import sampled_shares
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods, normal_likelihoods
from mscpool.models.exact.outcomes import exact_model
from mscpool.models.exact.predictions import own_shares
from mscpool.models.priors.prior import Prior

from ...models.exact.hierarchies import counts, fixed, normal, priors
from .test_reweight import BLOCK, exact_source

ESTIMATES, ERRORS = [0.3, 1.1, -0.5, 2.0], np.array([0.4, 0.8, 0.3, 0.5])
TAU, MU = 0.7, 2.0


def shares_of(likelihoods, pooling, *of_priors):
    posterior = ExactHierarchy(likelihoods, pooling).posterior(priors(*of_priors))
    return own_shares(posterior)["own_share"].to_numpy()


def test_normal_levels_have_their_precision_weights():
    """Own variance s², and v of what the others predict: v / (v + s²)."""
    found = shares_of(
        normal_likelihoods(ESTIMATES, ERRORS), "partial", normal(MU), fixed(TAU), fixed(0.0)
    )
    precision = 1 / (ERRORS**2 + TAU**2)
    predicted = TAU**2 + 1 / (precision.sum() - precision + MU**-2)
    assert found == pytest.approx(predicted / (predicted + ERRORS**2), abs=1e-5)


def test_normal_estimates_of_one_level_have_their_precision_weights():
    found = shares_of(
        normal_likelihoods(ESTIMATES, ERRORS), "complete", normal(MU), fixed(TAU), fixed(0.0)
    )
    assert found == pytest.approx(ERRORS**-2 / (np.sum(ERRORS**-2) + MU**-2), abs=1e-5)


def test_counts_under_a_beta_prior_have_n_of_n_and_its_sizes():
    """A logistic level is a uniform rate: n / (n + 2), also where all or none had the event."""
    n = np.array([10, 4, 50, 24])
    rows = counts([9, 0, 5, 24], n, ["a", "b", "c", "d"])
    found = shares_of(
        count_likelihoods(rows), "none", Prior.make("Logistic", mu=0, s=1), fixed(1.0), fixed(0.0)
    )
    assert found == pytest.approx(n / (n + 2), abs=1e-3)


def test_no_data_share_nothing_and_much_data_everything():
    rows = counts([3, 20_000], [10, 50_000], ["a", "b"])
    likelihoods = count_likelihoods(rows, diseases=("a", "b", "none"))
    found = shares_of(likelihoods, "partial", normal(1.5), fixed(1.0), fixed(0.0))
    assert found[2] == 0
    assert 0 < found[0] < 1
    assert found[1] == pytest.approx(1, abs=1e-3)


def test_risks_over_time_have_shares_too():
    """Deaths: no events among few leave most to the others, events among many little."""
    posterior = exact_model(load_evidence(outcomes=("death",))).fit(verify=False).posteriors
    table = own_shares(posterior["death"]).set_index("disease")
    assert table["own_share"].between(0, 1).all()
    assert (table["error"] < 0.01).all()
    assert table.loc["chronic_spontaneous_urticaria", "own_share"] < 0.2
    assert table.loc["systemic_lupus_erythematosus", "own_share"] > 0.7


def test_draws_give_the_exact_shares_within_their_error():
    evidence = load_evidence(outcomes=BLOCK)
    table = sampled_shares(exact_source(evidence, "partial"), [BLOCK])
    exact = own_shares(exact_model(evidence).fit(verify=False).posteriors["serious_ae"])
    for row, wanted in zip(table, exact.to_dict("records"), strict=True):
        assert row["disease"] == wanted["disease"]
        assert abs(row["own_share"] - wanted["own_share"]) < 4 * row["own_share_mcse"] + 1e-9
        assert row["own_share_mcse"] < 0.1
