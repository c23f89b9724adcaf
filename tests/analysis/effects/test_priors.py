"""Prior sets of effects compared, against integrals that share no code with them."""

import numpy as np
import pytest
from scipy.special import gammaln, log_expit, logsumexp
from scipy.stats import halfnorm, lognorm, norm

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


def log_binomial(events, n, level):
    """Log probability of a count, by the log-odds of its rate."""
    ways = gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1)
    return ways + events * log_expit(level) + (n - events) * log_expit(-level)


@pytest.fixture(scope="module")
def dense():
    """Log odds ratios, and their likelihood summed over a control arm of any level."""
    delta = np.linspace(-12, 12, 601)
    baseline = np.linspace(-45, 45, 1801)[:, None]
    logs = norm(0, 10).logpdf(baseline) + log_binomial(9, 20, baseline + delta / 2)
    logs = logs + log_binomial(4, 21, baseline - delta / 2)
    return delta, np.exp(logsumexp(logs, axis=0)) * (90 / 1800)


@pytest.mark.parametrize("name", list(SIGMAS))
def test_evidence_and_ratio_are_those_of_a_dense_sum(table, dense, name):
    delta, likelihood = dense
    # One disease: the effect of a study is normal about mu, and mu is N(0, 2).
    share = (np.arange(2000) + 0.5) / 2000
    sigma = SIGMAS[name].ppf(share)
    step = delta[1] - delta[0]
    given = norm(0, np.hypot(2, sigma)[:, None]).pdf(delta)
    marginal = given.mean(axis=0)
    row = table[table["set"] == name].iloc[0]
    evidence = np.log((likelihood * marginal).sum() * step)
    assert row["log_marginal_likelihood"] == pytest.approx(evidence, abs=2e-3)
    # The mean of mu given delta and sigma is delta 4 / (4 + sigma^2).
    shrunk = (given * 4 / (4 + sigma**2)[:, None]).mean(axis=0)
    mean = (likelihood * shrunk * delta).sum() / (likelihood * marginal).sum()
    assert np.log(row["ratio_q50"]) == pytest.approx(mean, abs=0.05)


def test_the_reference_gains_nothing_over_itself(table):
    assert list(table["log_bayes_factor"].iloc[:1]) == [0]
    both = table["log_marginal_likelihood"]
    assert table["log_bayes_factor"].iloc[1] == both.iloc[1] - both.iloc[0]
    assert table["tau_q50"].isna().all()  # one disease has no tau
    assert (table["log_marginal_likelihood_error"] < 1e-3).all()
