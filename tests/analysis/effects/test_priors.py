"""Prior sets of effects compared, against integrals that share no code with them."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp
from scipy.stats import binom, halfnorm, lognorm, norm

import mscpool as mp
from mscpool.analysis.effects.priors import compare_effect_priors
from mscpool.models.effects.priors import EFFECT_SETS

#: Set, and SciPy's prior of sigma; Turner's logarithm of the square has mean -2.56 and SD 1.74.
SIGMAS = {"default": halfnorm(scale=0.5), "turner_marginal": lognorm(1.74 / 2, scale=np.exp(-1.28))}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "one.csv"
    path.write_text("study,arm,events,n\nA,msc,9,20\nA,control,4,21\n")
    evidence = mp.load_evidence(path)
    return compare_effect_priors(evidence, [EFFECT_SETS[name] for name in SIGMAS])[0]


@pytest.mark.parametrize("name", list(SIGMAS))
def test_evidence_and_ratio_are_those_of_a_dense_sum(table, name):
    delta = np.linspace(-12, 12, 1201)
    baseline = np.linspace(-45, 45, 3601)[:, None]
    logs = norm(0, 10).logpdf(baseline) + binom(20, expit(baseline + delta / 2)).logpmf(9)
    logs = logs + binom(21, expit(baseline - delta / 2)).logpmf(4)
    likelihood = np.exp(logsumexp(logs, axis=0)) * (90 / 3600)
    # One disease: the effect of a study is normal about mu, and mu is N(0, 2).
    share = (np.arange(2000) + 0.5) / 2000
    sigma = SIGMAS[name].ppf(share)
    step = delta[1] - delta[0]
    marginal = norm(0, np.hypot(2, sigma)[:, None]).pdf(delta).mean(axis=0)
    row = table[table["set"] == name].iloc[0]
    evidence = np.log((likelihood * marginal).sum() * step)
    assert row["log_marginal_likelihood"] == pytest.approx(evidence, abs=2e-3)
    # The mean of mu given delta and sigma is delta 4 / (4 + sigma^2).
    shrunk = (norm(0, np.hypot(2, sigma)[:, None]).pdf(delta) * 4 / (4 + sigma**2)[:, None]).mean(0)
    mean = (likelihood * shrunk * delta).sum() / (likelihood * marginal).sum()
    assert np.log(row["ratio_q50"]) == pytest.approx(mean, abs=0.05)


def test_the_reference_gains_nothing_over_itself(table):
    assert list(table["log_bayes_factor"].iloc[:1]) == [0]
    both = table["log_marginal_likelihood"]
    assert table["log_bayes_factor"].iloc[1] == both.iloc[1] - both.iloc[0]
    assert table["tau_q50"].isna().all()  # one disease has no tau
    assert (table["log_marginal_likelihood_error"] < 1e-3).all()
