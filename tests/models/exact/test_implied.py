"""What priors imply for rates: closed forms, adaptive quadrature, and draws."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit, logit

from mscpool.analysis.fitting.predict import new_study_rates, prior_levels, rates
from mscpool.data.outcomes import DICTIONARY, Outcome, outcome
from mscpool.models.exact.implied import implied_rates
from mscpool.models.pooling import POOLINGS
from mscpool.models.priors.catalogue import CATALOGUE
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet
from mscpool.models.terms import build_terms

ENDS = ["q2.5", "q50", "q97.5"]
PROBABILITIES = np.array([0.025, 0.5, 0.975])


def of(name, priors=DEFAULT, pooling="partial", diseases="ab"):
    return implied_rates(priors, outcome(name), pooling, diseases).set_index("quantity")


def below(level, mean, sd, tau, sigma=0.0):
    """P(mu + t z + s e <= level): mu normal, t half-normal (and s): adaptive quadrature."""

    def given(t, s=0.0):
        return stats.norm.cdf(level, mean, np.sqrt(sd**2 + t**2 + s**2))

    if not sigma:
        density = stats.halfnorm(scale=tau).pdf
        return integrate.quad(lambda t: given(t) * density(t), 0, 12 * tau)[0]
    one, other = stats.halfnorm(scale=tau).pdf, stats.halfnorm(scale=sigma).pdf
    return integrate.dblquad(
        lambda s, t: given(t, s) * one(t) * other(s), 0, 10 * tau, 0, 10 * sigma, epsabs=1e-6
    )[0]


def level_of(rate, link):
    return logit(rate) if link == "logit" else np.log(-np.log1p(-rate))


def test_the_typical_rate_has_the_quantiles_of_its_normal_prior():
    for name in ("improvement", "serious_ae"):
        prior = dict(DEFAULT.of(name).mu.parameters)
        wanted = expit(stats.norm.ppf(PROBABILITIES, prior["mu"], prior["sigma"]))
        np.testing.assert_allclose(of(name).loc["typical", ENDS].astype(float), wanted, atol=2e-5)
    wanted = -np.expm1(-np.exp(stats.norm.ppf(PROBABILITIES, -3, 1.5)))
    np.testing.assert_allclose(of("death").loc["typical", ENDS].astype(float), wanted, atol=6e-5)
    mean = integrate.quad(lambda x: stats.norm.pdf(x, -1.5, 1.5) * expit(x), -15, 15)[0]
    assert of("serious_ae").loc["typical", "mean"] == pytest.approx(mean, abs=1e-6)


@pytest.mark.parametrize("name", ["improvement", "serious_ae", "death"])
def test_rates_have_the_probabilities_below_of_adaptive_quadrature(name):
    mean, link = dict(DEFAULT.of(name).mu.parameters)["mu"], outcome(name).link
    found = of(name)
    for wanted, rate in zip(PROBABILITIES, found.loc["new_disease", ENDS], strict=True):
        assert below(level_of(rate, link), mean, 1.5, 1) == pytest.approx(wanted, abs=1e-5)
    for wanted, rate in zip(PROBABILITIES, found.loc["new_study", ENDS], strict=True):
        assert below(level_of(rate, link), mean, 1.5, 1, 0.5) == pytest.approx(wanted, abs=1e-5)


def test_a_nested_outcome_implies_the_product_of_two_rates():
    found = of("remission")
    assert found["mean"].tolist() == pytest.approx([0.25] * 3, abs=1e-6)
    for wanted, rate in zip(PROBABILITIES, found.loc["typical", ENDS], strict=True):
        # P(pq <= rate) over the log-odds of p, q's distribution being known.
        beyond = logit(rate)

        def within(x, r=rate):
            return stats.norm.pdf(x, 0, 1.5) * stats.norm.cdf(logit(r / expit(x)), 0, 1.5)

        inside = integrate.quad(within, beyond, 20, points=[beyond + 0.1], epsabs=1e-9)[0]
        assert stats.norm.cdf(beyond, 0, 1.5) + inside == pytest.approx(wanted, abs=3e-5)


def test_what_is_the_same_before_the_data_is_printed_the_same():
    one, other = of("remission"), of("moderate_severe_ae")
    assert one.drop(columns="outcome").equals(other.drop(columns="outcome"))
    assert of("improvement").loc["new_disease", "q50"] == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("name", ["default", "tau_half_cauchy_0.5", "mu_uniform_rate"])
def test_draws_from_the_prior_agree(pooling, name):
    names = ["improvement", "remission", "death"]
    rows = pd.DataFrame(
        [
            {"study": s, "arm": "msc", "outcome": k, "disease": s, "n": 9, "months": 6.0,
             "events_min": 2, "events_max": 2}
            for s in "ab" for k in names
        ]
    )  # fmt: skip
    terms, rng = build_terms(rows, tuple(names), ("a", "b")), np.random.default_rng(5)
    levels = prior_levels(terms, pooling, CATALOGUE[name], 20_000, rng)
    drawn = {
        "new_disease": rates(levels.theta, terms),
        "new_study": new_study_rates(levels, terms, rng),
    }
    for k, each in enumerate(names):
        found = of(each, CATALOGUE[name], pooling)
        for quantity, values in drawn.items():
            own, ends = values[:, k, 0, None], found.loc[quantity, ENDS].to_numpy(float)
            error = 4.5 * np.sqrt(PROBABILITIES * (1 - PROBABILITIES) / len(own))
            # Where a rate is certain to the last bit many draws are equal.
            assert ((own < ends).mean(axis=0) < PROBABILITIES + error).all(), (each, quantity)
            assert ((own <= ends).mean(axis=0) > PROBABILITIES - error).all(), (each, quantity)


def test_a_single_disease_has_the_level_itself():
    alone = of("improvement", diseases="a")
    assert alone.loc["typical", ENDS].equals(alone.loc["new_disease", ENDS])


@pytest.mark.parametrize("pooling", POOLINGS)
def test_fixed_parameters_imply_a_fixed_rate(pooling):
    point = {n: Prior.make("DiracDelta", c=v) for n, v in (("mu", -1), ("tau", 0), ("sigma", 0))}
    table = implied_rates(PriorSet("point", **point), Outcome("response"), pooling)
    wanted = [expit(-1), 0, *[expit(-1)] * 3]
    for row in table[["mean", "sd", *ENDS]].to_numpy():
        assert row == pytest.approx(wanted, abs=1e-9)


@pytest.mark.parametrize("priors", CATALOGUE.values(), ids=CATALOGUE)
def test_the_stated_error_is_below_what_is_printed(priors):
    for each in DICTIONARY:
        errors = implied_rates(priors, each).filter(like="mcse_").to_numpy()
        assert errors.max() < 1.5e-4
