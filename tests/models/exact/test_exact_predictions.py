"""What the exact engine predicts, against posteriors of the other data and of more data."""

import numpy as np
import pytest
from scipy import stats

from mscpool.models.exact.draws import draw
from mscpool.models.exact.predictions import leave_diseases_out, leave_studies_out, study_rates
from mscpool.models.outcomes import inverse_link

from .hierarchies import half_normal, hierarchy, hyper, priors


def next_counts(posterior, disease, n):
    """Probability of each count in the next study of a disease."""
    rates, masses = posterior.distribution("new_study", disease).nodes
    return stats.binom.pmf(np.arange(n + 1), n, rates[:, None]).T @ masses


def test_leaving_a_study_out_agrees_with_refitting_without_it():
    data = {"events": [2, 5, 9, 0], "n": [10, 12, 30, 8], "diseases": ["a", "b", "b", "c"]}
    for pooling in ("partial", "complete", "none", "exnex", "robust"):
        full = hierarchy(**data, pooling=pooling, names=["a", "b", "c"]).posterior(priors())
        predictions = leave_studies_out(full)
        for out in range(4):
            rest = {k: [x for i, x in enumerate(v) if i != out] for k, v in data.items()}
            without = hierarchy(**rest, pooling=pooling, names=["a", "b", "c"]).posterior(priors())
            expected = full.log_marginal_likelihood - without.log_marginal_likelihood
            assert predictions.scores["elpd"][out] == pytest.approx(expected, abs=1e-4)
            counts = next_counts(without, data["diseases"][out], data["n"][out])
            np.testing.assert_allclose(predictions.counts[out], counts, atol=1e-4)
            assert predictions.counts[out].sum() == pytest.approx(1.0, abs=1e-9)
            assert np.log(predictions.counts[out][data["events"][out]]) == pytest.approx(
                expected, abs=1e-4
            )


@pytest.mark.parametrize("pooling", ["partial", "complete", "none", "exnex", "robust"])
def test_a_study_that_contradicts_all_others_is_left_out_as_exactly(pooling):
    data = {
        "events": [1, 2, 3, 1, 58],
        "n": [50, 55, 52, 60, 60],
        "diseases": ["a", "b", "b", "c", "b"],
    }
    spreads = priors(tau=half_normal(0.15), sigma=half_normal(0.1))
    full = hierarchy(**data, pooling=pooling, names=["a", "b", "c"]).posterior(spreads)
    rest = {name: values[:-1] for name, values in data.items()}
    without = hierarchy(**rest, pooling=pooling, names=["a", "b", "c"]).posterior(spreads)
    predictions = leave_studies_out(full)
    expected = full.log_marginal_likelihood - without.log_marginal_likelihood
    # Its own data all but exclude where the others put it.
    assert expected < -35
    assert predictions.scores["elpd"].iloc[-1] == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(predictions.counts[-1], next_counts(without, "b", 60), atol=1e-4)


def test_leaving_a_disease_out_agrees_with_refitting_without_it():
    data = {"events": [2, 5, 9, 0], "n": [10, 12, 30, 8], "diseases": ["a", "b", "b", "c"]}
    full = hierarchy(**data).posterior(priors())
    predictions = leave_diseases_out(full)
    rest = {k: [v[0], v[3]] for k, v in data.items()}
    without = hierarchy(**rest, names=["a", "b", "c"]).posterior(priors())
    expected = full.log_marginal_likelihood - without.log_marginal_likelihood
    assert predictions.scores["elpd"][1] == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(predictions.counts[1], next_counts(without, "b", 12), atol=1e-4)


def test_evidence_of_every_possible_data_set_sums_to_one():
    total = sum(
        np.exp(hierarchy([a, b], [2, 3], ["a", "b"]).posterior(priors()).log_marginal_likelihood)
        for a in range(3)
        for b in range(4)
    )
    assert total == pytest.approx(1.0, abs=1e-6)


def test_draws_have_the_moments_of_the_posterior():
    data = ([2, 5, 9, 0], [10, 12, 30, 8], ["a", "b", "b", "c"])
    for pooling in ("partial", "complete", "none", "exnex", "robust"):
        posterior = hierarchy(*data, pooling=pooling).posterior(priors())
        draws = draw(posterior, 4000, np.random.default_rng(3))
        levels = posterior.theta()
        error = 4 * levels["sd"] / np.sqrt(4000)
        assert np.all(np.abs(draws.theta.mean(axis=0) - levels["mean"]) < error)
        studies = study_rates(posterior)
        error = 4 * studies["sd"] / np.sqrt(4000)
        rates = inverse_link(draws.eta, "logit").mean(axis=0)
        assert np.all(np.abs(rates - studies["mean"]) < error)
        sigma = hyper(posterior).loc["sigma"]
        assert abs(draws.sigma.mean() - sigma["mean"]) < 4 * sigma["sd"] / np.sqrt(4000)
