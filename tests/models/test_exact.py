"""The exact engine against published numbers and against integrals that share no code with it."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.legendre import leggauss
from scipy import integrate, special, stats
from scipy.interpolate import CubicSpline

from mscpool.models.exact import ExactHierarchy
from mscpool.models.integration.exact_predictions import (
    draw,
    leave_diseases_out,
    leave_studies_out,
    maximum_likelihood,
    new_trial,
    study_rates,
)
from mscpool.models.integration.likelihood_table import count_likelihoods, normal_likelihoods
from mscpool.models.outcomes import inverse_link
from mscpool.models.priors import Exnex, OutcomePriors, Prior

REFERENCE = Path(__file__).parents[1] / "reference"


def reference(name):
    return json.loads((REFERENCE / f"{name}.json").read_text())


def normal(sd, mean=0.0):
    return Prior.make("Normal", mu=mean, sigma=sd)


def half_normal(sd):
    return Prior.make("HalfNormal", sigma=sd)


def fixed(value):
    return Prior.make("DiracDelta", c=value)


def priors(mu=None, tau=None, sigma=None, exnex=None):
    return OutcomePriors(
        mu or normal(1.5), tau or half_normal(1.0), sigma or half_normal(0.5), exnex or Exnex()
    )


def counts(events, n, diseases=None, studies=None, months=None, highest=None):
    studies = studies or [f"s{i}" for i in range(len(n))]
    return pd.DataFrame(
        {
            "study": studies,
            "disease": diseases or ["all"] * len(n),
            "events_min": events,
            "events_max": highest or events,
            "n": n,
            "months": months or [np.nan] * len(n),
        }
    )


def hierarchy(*args, pooling="partial", link="logit", names=None, **kwargs):
    return ExactHierarchy(count_likelihoods(counts(*args, **kwargs), link, names), pooling)


def hyper(posterior):
    return posterior.hyper().set_index("parameter")


# Published numbers


@pytest.mark.parametrize(
    ("data", "prior"),
    [("colitis", 1.0), ("transplant", 1.0), ("transplant", 0.5), ("all_zero", 2.0)],
)
def test_published_single_arm_posteriors(data, prior):
    source = reference("single_arm_binomial")
    published = source[data][f"HN({prior:g})"]
    posterior = hierarchy(source[data]["r"], source[data]["n"], pooling="none").posterior(
        priors(mu=normal(2.0), sigma=half_normal(prior))
    )
    found, rates = hyper(posterior), posterior.rates().set_index("quantity")
    tolerance = source["tol_exact"]
    ours = {
        "mu": found.loc["mu", ["mean", "sd"]],
        "mu_q": found.loc["mu", ["q2.5", "q50", "q97.5"]],
        "tau": found.loc["sigma", ["mean", "sd"]],
        "tau_q": found.loc["sigma", ["q2.5", "q50", "q97.5"]],
        "pred": rates.loc["new_study", ["mean", "sd"]],
        "pred_q": rates.loc["new_study", ["q2.5", "q50", "q97.5"]],
        "log_ml": posterior.log_marginal_likelihood,
        "shrink_mean": study_rates(posterior)["mean"],
    }
    for name, values in published.items():
        np.testing.assert_allclose(
            np.asarray(ours[name], float), values, rtol=0, atol=tolerance, err_msg=name
        )


def test_surgical_units_with_a_nearly_improper_variance_prior():
    source = reference("surgical_units")
    posterior = hierarchy(source["r"], source["n"], pooling="complete").posterior(
        priors(
            mu=normal(100.0),
            sigma=Prior.make("InverseGamma", alpha=0.001, beta=0.001, on="variance"),
        )
    )
    found = hyper(posterior)
    exact = source["exact"]
    rate = posterior.rates().set_index("quantity").loc["rate"]
    unit = 1e-4  # one of the last printed digit
    for values, published in (
        (found.loc["mu", ["mean", "sd"]], exact["mu"]),
        (found.loc["sigma", ["mean", "sd"]], exact["sigma"]),
        (found.loc["sigma", ["q2.5", "q50", "q97.5"]], exact["sigma_q"]),
        (rate[["mean", "sd"]], exact["pop_mean_rate"]),
        (rate[["q2.5", "q50", "q97.5"]], exact["pop_q"]),
    ):
        np.testing.assert_allclose(values.to_numpy(float), published, rtol=0, atol=unit)


def test_published_exnex_posterior():
    source = reference("exnex_posterior")["posterior"]
    names = [f"cohort {i}" for i in range(10)]
    posterior = hierarchy(source["r"], source["n"], names, pooling="exnex").posterior(
        priors(
            normal(0.146**-0.5, -1.735),
            half_normal(1.0),
            fixed(0.0),
            Exnex(0.5, normal(0.128**-0.5, -1.734)),
        )
    )
    rates = posterior.rates().query("quantity == 'rate'")
    unit = 1e-5
    np.testing.assert_allclose(rates["mean"], source["exact_mean"], atol=unit, rtol=0)
    np.testing.assert_allclose(rates["sd"], source["exact_sd"], atol=unit, rtol=0)
    np.testing.assert_allclose(
        list(posterior.exchangeable.values()), source["exact_EX_weight"], atol=1e-4, rtol=0
    )
    found = hyper(posterior)["mean"]
    assert found["mu"] == pytest.approx(source["exact_mu_mean"], abs=1e-4)
    assert found["tau"] == pytest.approx(source["exact_tau_mean"], abs=1e-4)


@pytest.mark.parametrize(("arm", "first"), [("treat", 0), ("control", 2)])
def test_maximum_likelihood_of_sparse_events(arm, first):
    source = reference("catheter_sparse_events")
    data = np.array(source["data"])
    posterior = hierarchy(data[:, first], data[:, first + 1]).posterior(
        priors(mu=normal(5.0), sigma=half_normal(3.0))
    )
    mu, sigma = maximum_likelihood(posterior)
    np.testing.assert_allclose([mu, sigma**2], source["exact"][arm], rtol=0, atol=5e-4)


def test_eight_schools_of_bayesmeta():
    source = reference("eight_schools")["bayesmeta"]
    table = ExactHierarchy(normal_likelihoods(source["y"], source["se"], list("ABCDEFGH")))
    posterior = table.posterior(
        priors(normal(50.0), Prior.make("HalfCauchy", beta=25.0), fixed(0.0))
    )
    exact, found = source["exact"], hyper(posterior)
    # Six printed decimals; the engine's own tolerance is far wider.
    assert found.loc["mu", "mean"] == pytest.approx(exact["mu_mean"], abs=1e-6)
    assert found.loc["mu", "sd"] == pytest.approx(exact["mu_sd"], abs=1e-6)
    assert found.loc["mu", "q50"] == pytest.approx(exact["mu_median"], abs=1e-4)
    assert found.loc["tau", "mean"] == pytest.approx(exact["tau_mean"], abs=1e-6)
    assert found.loc["tau", "sd"] == pytest.approx(exact["tau_sd"], abs=1e-6)
    assert found.loc["tau", "q50"] == pytest.approx(exact["tau_median"], abs=1e-4)
    assert posterior.distribution("new_disease").sd == pytest.approx(
        exact["theta_new_sd"], abs=1e-6
    )
    levels = posterior.theta().set_index("disease")
    for school, values in exact["shrink_mean_sd_median"].items():
        np.testing.assert_allclose(
            levels.loc[school, ["mean", "sd", "q50"]].to_numpy(float), values, rtol=0, atol=1e-4
        )
    assert posterior.distribution("mu").above(0.0) == pytest.approx(
        source["published"]["P_mu_gt0"], abs=1e-4
    )


def test_eight_schools_of_posteriordb():
    source = reference("eight_schools")["posteriordb"]
    table = ExactHierarchy(normal_likelihoods(source["y"], source["sigma"]))
    posterior = table.posterior(priors(normal(5.0), Prior.make("HalfCauchy", beta=5.0), fixed(0.0)))
    exact, found = source["exact"], hyper(posterior)
    unit = 1e-4
    for name in ("mu", "tau"):
        np.testing.assert_allclose(
            found.loc[name, ["mean", "sd"]].to_numpy(float), exact[name], atol=1e-6, rtol=0
        )
        np.testing.assert_allclose(
            found.loc[name, ["q2.5", "q50", "q97.5"]].to_numpy(float),
            exact[f"{name}_q"],
            atol=unit,
            rtol=0,
        )
    # Ten thousand draws of SD about five.
    np.testing.assert_allclose(
        posterior.theta()["mean"],
        source["published_10k_draws"]["theta_mean"],
        atol=4 * 5 / 100,
        rtol=0,
    )


# Integrals by brute force: nested Gauss-Legendre rules over every latent level


def rule(low, high, points):
    nodes, weights = leggauss(points)
    return (high + low) / 2 + (high - low) / 2 * nodes, (high - low) / 2 * weights


def binomial(y, n, theta, link, months):
    years = 1.0 if np.isnan(months) else months / 12
    p = np.asarray(inverse_link(theta, link, years))
    return special.comb(n, y) * p**y * (1 - p) ** (n - y)


def brute_force(rows, pooling, prior, link, weight=0.5):
    """Log evidence, mean of each disease's rate and of sigma, on dense rules of their own.

    Levels of studies and diseases are written as centre plus spread times a standard variable, and
    a disease's likelihood is read from a dense spline.
    """
    level = np.linspace(-30, 25, 2200)
    standard, noise = rule(-8.5, 8.5, 100)
    noise = noise * stats.norm.pdf(standard)
    names = list(dict.fromkeys(rows["disease"]))
    total, means, sigma_mean = 0.0, np.zeros(len(names)), 0.0
    scale, scale_weight = rule(0, 6.5 * prior["sigma"], 22)
    sigma_weight = stats.halfnorm.pdf(scale, 0, prior["sigma"]) * scale_weight
    for sigma, weight_of_sigma in zip(scale, sigma_weight, strict=True):
        likelihood = np.ones((len(names), len(level)))
        eta = level[:, None] + sigma * standard
        for _, study in rows.groupby("study", sort=False):
            each = np.ones_like(eta)
            for r in study.itertuples():
                each *= binomial(r.events_min, r.n, eta, link, r.months)
            likelihood[names.index(study["disease"].iloc[0])] *= each @ noise
        spline = CubicSpline(level, likelihood.T)
        mass, first = _levels_by_brute_force(spline, pooling, prior, link, weight)
        total += weight_of_sigma * mass
        sigma_mean += weight_of_sigma * mass * sigma
        means += weight_of_sigma * first
    return np.log(total), means / total, sigma_mean / total


def _levels_by_brute_force(spline, pooling, prior, link, weight):
    centre, sd = prior["mu"]
    mu, density = rule(centre - 8 * sd, centre + 8 * sd, 80)
    density = density * stats.norm.pdf(mu, centre, sd)
    alone, rate = spline(mu), np.asarray(inverse_link(mu, link))[:, None]
    if pooling == "complete":
        joint = alone.prod(axis=1) * density
        return joint.sum(), np.full(alone.shape[1], joint @ rate[:, 0])
    own, tilted_own = density @ alone, density @ (alone * rate)
    if pooling == "none":
        return own.prod(), own.prod() * tilted_own / own
    z, z_weight = rule(-8.5, 8.5, 100)
    z_weight = z_weight * stats.norm.pdf(z)
    if pooling == "robust":
        v, v_weight = rule(-9, 9, 160)
        z, z_weight = np.sinh(v), v_weight * np.cosh(v) * stats.t(4).pdf(np.sinh(v))
    tau, tau_weight = rule(0, 6.5 * prior["tau"], 26)
    tau_weight = tau_weight * stats.halfnorm.pdf(tau, 0, prior["tau"])
    mass, first = 0.0, np.zeros(alone.shape[1])
    for t, weight_of_tau in zip(tau, tau_weight, strict=True):
        theta = np.clip(mu[:, None] + t * z, -30, 25)
        values, rates = spline(theta), np.asarray(inverse_link(theta, link))
        averaged = np.einsum("z,mzd->md", z_weight, values)
        tilted = np.einsum("z,mzd->md", z_weight, values * rates[:, :, None])
        if pooling == "exnex":
            averaged = weight * averaged + (1 - weight) * own
            tilted = weight * tilted + (1 - weight) * tilted_own
        joint = averaged.prod(axis=1) * density
        mass += weight_of_tau * joint.sum()
        first += weight_of_tau * (joint[:, None] / averaged * tilted).sum(axis=0)
    return mass, first


CASE = {
    "events": [2, 5, 0],
    "n": [6, 7, 5],
    "diseases": ["a", "b", "b"],
    "months": [6.0, 24.0, 12.0],
}


@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("pooling", ["partial", "complete", "none", "exnex", "robust"])
def test_integrals_agree_with_brute_force(pooling, link):
    scales = {"mu": (-0.5, 1.0), "tau": 0.8, "sigma": 0.7}
    posterior = hierarchy(**CASE, pooling=pooling, link=link).posterior(
        priors(normal(1.0, -0.5), half_normal(0.8), half_normal(0.7))
    )
    evidence, means, sigma = brute_force(counts(**CASE), pooling, scales, link)
    # The engine states 1e-4; the rules are exact to about 1e-7 on such smooth integrands.
    assert posterior.log_marginal_likelihood == pytest.approx(evidence, abs=2e-5)
    found = posterior.rates().query("quantity == 'rate'")
    np.testing.assert_allclose(found["mean"], means, atol=2e-5, rtol=0)
    assert hyper(posterior).loc["sigma", "mean"] == pytest.approx(sigma, abs=2e-5)


def test_bounded_count_agrees_with_adaptive_quadrature():
    rows = {"events": [1], "highest": [3], "n": [8]}
    posterior = hierarchy(**rows).posterior(priors(sigma=fixed(0.0)))

    def integrand(theta, power):
        p = inverse_link(theta, "logit")
        return stats.binom.pmf([1, 2, 3], 8, p).sum() * stats.norm.pdf(theta, 0, 1.5) * p**power

    evidence, mean = (
        integrate.quad(integrand, -12, 12, args=(k,), epsabs=1e-11)[0] for k in (0, 1)
    )
    assert posterior.log_marginal_likelihood == pytest.approx(np.log(evidence), abs=1e-6)
    assert posterior.rates()["mean"].iloc[0] == pytest.approx(mean / evidence, abs=1e-6)


def test_arms_of_one_study_share_its_effect():
    two = hierarchy([2, 3], [6, 7], studies=["s", "s"]).posterior(priors())
    one = hierarchy([5], [13]).posterior(priors())
    coefficients = stats.binom.logpmf(2, 6, 0.5) + stats.binom.logpmf(3, 7, 0.5)
    coefficients -= stats.binom.logpmf(5, 13, 0.5)
    difference = two.log_marginal_likelihood - one.log_marginal_likelihood
    # The two lie on grids of their own, each exact to its stated error.
    assert difference == pytest.approx(coefficients, abs=1e-6)
    apart = hierarchy([2, 3], [6, 7]).posterior(priors())
    assert abs(apart.log_marginal_likelihood - two.log_marginal_likelihood) > 0.01


# Closed forms


def test_level_uniform_on_probabilities_gives_the_beta_posterior():
    # A standard logistic level is a uniform probability.
    posterior = hierarchy([3], [20]).posterior(
        priors(mu=Prior.make("Logistic", mu=0, s=1), sigma=fixed(0.0))
    )
    beta = stats.beta(4, 18)
    rate = posterior.distribution("rate", "all")
    probabilities = np.array([0.001, 0.025, 0.3, 0.5, 0.975, 0.999])
    # To the engine's tolerance: quantiles are read between grid points.
    np.testing.assert_allclose(rate.quantile(probabilities), beta.ppf(probabilities), atol=1e-4)
    # Moments are sums over the grid: ten times better than the tolerance.
    assert rate.mean == pytest.approx(beta.mean(), abs=1e-5)
    assert rate.sd == pytest.approx(beta.std(), abs=1e-5)
    assert rate.above(0.3) == pytest.approx(beta.sf(0.3), abs=2e-5)
    np.testing.assert_allclose(rate.density[50:-50], beta.pdf(rate.values[50:-50]), atol=1e-4)
    assert posterior.log_marginal_likelihood == pytest.approx(-np.log(21), abs=1e-6)


def test_normal_likelihoods_and_fixed_spreads_give_the_normal_posterior():
    y, s = np.array([0.3, 1.1, -0.4]), np.array([0.2, 0.5, 0.3])
    likelihoods = normal_likelihoods(y, s, ["a", "b", "b"])
    posterior = ExactHierarchy(likelihoods).posterior(
        priors(normal(2.0, 0.5), fixed(0.7), fixed(0.3))
    )
    same = np.array([[1, 0, 0], [0, 1, 1], [0, 1, 1]])
    between = 4.0 + 0.49 * same
    covariance = between + np.diag(s**2 + 0.09)
    evidence = stats.multivariate_normal(np.full(3, 0.5), covariance).logpdf(y)
    gain = np.linalg.solve(covariance, y - 0.5)
    mu = hyper(posterior).loc["mu"]
    assert posterior.log_marginal_likelihood == pytest.approx(evidence, abs=1e-6)
    assert mu["mean"] == pytest.approx(0.5 + 4.0 * gain.sum(), abs=1e-6)
    variance = 4.0 - 16 * np.linalg.inv(covariance).sum()
    assert mu["sd"] == pytest.approx(np.sqrt(variance), abs=1e-6)
    assert posterior.theta()["mean"][1] == pytest.approx(0.5 + between[1] @ gain, abs=1e-6)


def test_complete_pooling_is_partial_pooling_without_spread():
    data = ([2, 5, 9], [10, 12, 30], ["a", "b", "c"])
    complete = hierarchy(*data, pooling="complete").posterior(priors())
    partial = hierarchy(*data).posterior(priors(tau=fixed(0.0)))
    assert complete.log_marginal_likelihood == pytest.approx(
        partial.log_marginal_likelihood, abs=1e-6
    )
    ours, theirs = (
        p.rates().query("quantity != 'new_disease'")[["mean", "sd", "q2.5", "q97.5"]]
        for p in (complete, partial)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4, rtol=0)
    assert not complete.hierarchy.has_tau
    assert set(complete.rates()["quantity"]) == {"rate", "new_study"}


def test_exnex_of_full_weight_is_partial_pooling_and_of_none_is_no_pooling():
    data = ([2, 5, 9], [10, 12, 30], ["a", "b", "c"])
    for weight, pooling in ((1.0, "partial"), (0.0, "none")):
        exnex = hierarchy(*data, pooling="exnex").posterior(priors(exnex=Exnex(weight)))
        other = hierarchy(*data, pooling=pooling).posterior(priors())
        assert exnex.log_marginal_likelihood == pytest.approx(
            other.log_marginal_likelihood, abs=1e-6
        )
        means = [p.rates().query("quantity == 'rate'")["mean"] for p in (exnex, other)]
        np.testing.assert_allclose(*means, atol=1e-6, rtol=0)


def test_a_single_disease_has_a_level_and_no_tau_under_any_pooling():
    found = [
        hierarchy([2, 5], [10, 12], pooling=pooling).posterior(priors())
        for pooling in ("partial", "complete", "none", "exnex", "robust")
    ]
    for posterior in found:
        assert list(posterior.hyper()["parameter"]) == ["mu", "sigma"]
        assert posterior.log_marginal_likelihood == found[0].log_marginal_likelihood
        assert posterior.theta()["mean"][0] == pytest.approx(
            posterior.hyper()["mean"][0], abs=1e-12
        )


def test_a_disease_without_data_is_a_disease_not_yet_tried():
    posterior = hierarchy([2, 5], [10, 12], ["a", "b"], names=["a", "b", "c"]).posterior(priors())
    rates = posterior.rates().set_index(["quantity", "disease"])
    borrowed = rates.loc[("rate", "c")]
    new = posterior.rates().set_index("quantity").loc["new_disease"]
    assert borrowed["evidence"] == "borrowed"
    assert borrowed["studies"] == borrowed["patients"] == 0
    assert borrowed["mean"] == new["mean"]
    assert borrowed["q97.5"] > rates.loc[("rate", "a"), "q97.5"]


# Extreme data and priors


@pytest.mark.parametrize("pooling", ["partial", "none", "exnex", "robust", "complete"])
@pytest.mark.parametrize("events", [[0, 0, 0], [10, 20, 15]])
def test_all_zero_and_all_event_data_mirror_each_other(pooling, events):
    n = [10, 20, 15]
    table = hierarchy(events, n, ["a", "b", "b"], pooling=pooling)
    mirror = hierarchy(
        [k - y for k, y in zip(n, events, strict=True)], n, ["a", "b", "b"], pooling=pooling
    )
    rates, other = (t.posterior(priors()).rates()["mean"].to_numpy() for t in (table, mirror))
    np.testing.assert_allclose(rates, 1 - other, atol=1e-4, rtol=0)


def test_a_very_wide_level_prior_on_all_zero_data():
    sd, n = 100.0, 10
    posterior = hierarchy([0], [n]).posterior(priors(mu=normal(sd), sigma=fixed(0.0)))

    def integrand(theta, power):
        p = inverse_link(theta, "logit")
        return (1 - p) ** n * stats.norm.pdf(theta, 0, sd) * p**power

    points = [-20, -5, 0, 5]
    evidence, mean = (
        sum(integrate.quad(integrand, *ends, args=(k,), epsabs=1e-13)[0] for ends in pairs)
        for k, pairs in ((k, itertools.pairwise([-800, *points, 30])) for k in (0, 1))
    )
    assert posterior.log_marginal_likelihood == pytest.approx(np.log(evidence), abs=1e-5)
    assert posterior.rates()["mean"].iloc[0] == pytest.approx(mean / evidence, abs=1e-5)


@pytest.mark.parametrize(
    "prior",
    [
        Prior.make("Uniform", lower=0.0, upper=2.0),
        Prior.make("HalfCauchy", beta=0.5),
        Prior.make("HalfStudentT", nu=4.0, sigma=0.7),
        Prior.make("Exponential", lam=2.0),
        Prior.make("LogNormal", mu=-1.3, sigma=0.9),
        Prior.make("Gamma", alpha=0.5, beta=1.0),
        Prior.make("Uniform", lower=0.0, upper=4.0, on="variance"),
        Prior.make("InverseGamma", alpha=2.0, beta=0.5, on="variance"),
        Prior.make("Exponential", lam=1.0, on="variance"),
    ],
    ids=str,
)
def test_every_family_of_spread_agrees_with_adaptive_quadrature(prior):
    y, s = np.array([0.9, -0.6, 0.2]), np.array([0.3, 0.4, 0.5])
    posterior = ExactHierarchy(normal_likelihoods(y, s)).posterior(
        priors(normal(1.0), prior, fixed(0.0))
    )

    def marginal(tau):
        covariance = np.diag(s**2 + tau**2) + 1.0
        return stats.multivariate_normal(np.zeros(3), covariance).pdf(y)

    # In the prior's own probability, where neither edges nor infinite densities are seen.
    parts = np.concatenate([[0], np.linspace(0.05, 0.95, 10), [0.99, 0.9999, 1 - 1e-7]])
    evidence, mean = 0.0, 0.0
    for low, high in itertools.pairwise(parts):
        points, weights = rule(low, high, 30)
        tau = prior.ppf(points)
        mass = weights * np.array([marginal(t) for t in tau])
        evidence, mean = evidence + mass.sum(), mean + mass @ tau
    # What lies beyond 1 - 1e-7 of a half-Cauchy contributes less than 1e-7 times its likelihood.
    assert posterior.log_marginal_likelihood == pytest.approx(np.log(evidence), abs=1e-6)
    assert hyper(posterior).loc["tau", "mean"] == pytest.approx(mean / evidence, abs=2e-5)


def test_a_level_prior_with_edges_is_integrated_to_them():
    posterior = hierarchy([0], [10]).posterior(
        priors(mu=Prior.make("Uniform", lower=-3.0, upper=2.0), sigma=fixed(0.0))
    )
    evidence, mean = (
        integrate.quad(lambda t, k=k: (1 - 1 / (1 + np.exp(-t))) ** 10 * t**k / 5, -3, 2)[0]
        for k in (0, 1)
    )
    assert posterior.log_marginal_likelihood == pytest.approx(np.log(evidence), abs=1e-6)
    assert hyper(posterior).loc["mu", "mean"] == pytest.approx(mean / evidence, abs=1e-6)
    assert posterior.distribution("mu").quantile(0.0) == pytest.approx(-3.0, abs=1e-9)


def test_fixed_parameters_stand_where_they_are_fixed():
    data = ([2, 5, 9], [10, 12, 30], ["a", "b", "c"])
    posterior = hierarchy(*data).posterior(priors(fixed(-0.7), fixed(0.4), fixed(0.3)))
    found = hyper(posterior)
    for name, value in (("mu", -0.7), ("tau", 0.4), ("sigma", 0.3)):
        assert found.loc[name, "mean"] == pytest.approx(value, abs=1e-9)
        assert found.loc[name, "sd"] == pytest.approx(0.0, abs=1e-4)
    level, weight = rule(-6, 5, 400)
    noise, noise_weight = rule(-8, 8, 200)
    density = stats.norm.pdf(level, -0.7, 0.4) * weight
    p = inverse_link(level[:, None] + 0.3 * noise, "logit")
    likelihood = stats.binom.pmf(2, 10, p) @ (noise_weight * stats.norm.pdf(noise))
    mass = density * likelihood
    mean = mass @ inverse_link(level, "logit") / mass.sum()
    assert posterior.rates()["mean"][0] == pytest.approx(mean, abs=1e-6)


def test_a_mean_that_does_not_exist_is_missing_with_its_reason():
    cauchy = Prior.make("HalfCauchy", beta=0.5)
    posterior = hierarchy([0, 0], [10, 12], ["a", "b"]).posterior(priors(tau=cauchy))
    tau = hyper(posterior).loc["tau"]
    assert pd.isna(tau["mean"])
    assert "does not exist" in tau["note"]
    assert np.isfinite(tau["q97.5"])
    assert posterior.theta()["mean"].isna().all()
    assert posterior.rates()["mean"].notna().all()
    bounded = hierarchy([3, 4], [10, 12], ["a", "b"]).posterior(priors(tau=cauchy))
    assert hyper(bounded).loc["tau", ["mean", "sd"]].notna().all()


def test_the_stated_error_holds_against_much_finer_grids():
    data = ([0, 1, 0, 3, 0], [10, 30, 12, 8, 41], ["a", "b", "b", "c", "c"])
    coarse = hierarchy(*data).posterior(priors())
    fine = ExactHierarchy(coarse.hierarchy.likelihoods, tolerance=1e-6).posterior(priors())
    values, errors = coarse.statistics
    truth, _ = fine.statistics
    assert np.abs(values - truth).max() < 1e-4
    assert coarse.worst_error < 1e-4
    assert errors.max() > 0


# Predictions


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
            trial = new_trial(without, data["diseases"][out], data["n"][out])
            np.testing.assert_allclose(predictions.counts[out], trial.predictive, atol=1e-4)
            assert predictions.counts[out].sum() == pytest.approx(1.0, abs=1e-9)
            assert np.log(predictions.counts[out][data["events"][out]]) == pytest.approx(
                expected, abs=1e-4
            )


def test_leaving_a_disease_out_agrees_with_refitting_without_it():
    data = {"events": [2, 5, 9, 0], "n": [10, 12, 30, 8], "diseases": ["a", "b", "b", "c"]}
    full = hierarchy(**data).posterior(priors())
    predictions = leave_diseases_out(full)
    rest = {k: [v[0], v[3]] for k, v in data.items()}
    without = hierarchy(**rest, names=["a", "b", "c"]).posterior(priors())
    expected = full.log_marginal_likelihood - without.log_marginal_likelihood
    assert predictions.scores["elpd"][1] == pytest.approx(expected, abs=1e-4)
    np.testing.assert_allclose(
        predictions.counts[1], new_trial(without, "b", 12).predictive, atol=1e-4
    )


def test_evidence_of_every_possible_data_set_sums_to_one():
    total = sum(
        np.exp(hierarchy([a, b], [2, 3], ["a", "b"]).posterior(priors()).log_marginal_likelihood)
        for a in range(3)
        for b in range(4)
    )
    assert total == pytest.approx(1.0, abs=1e-6)


def test_a_new_trial_is_a_full_reanalysis():
    data = {"events": [2, 5, 9], "n": [10, 12, 30], "diseases": ["a", "b", "b"]}
    before = hierarchy(**data).posterior(priors())
    trial = new_trial(before, "a", 6)
    above = trial.probability_above(0.3)
    for count in (0, 3, 6):
        after = hierarchy(
            [*data["events"], count], [*data["n"], 6], [*data["diseases"], "a"]
        ).posterior(priors())
        shrunken = study_rates(after).iloc[-1]
        assert trial.moments()[0][count] == pytest.approx(shrunken["mean"], abs=1e-4)
        assert trial.quantiles([0.975])[0, count] == pytest.approx(shrunken["q97.5"], abs=2e-4)
    assert np.all(np.diff(above) > 0)


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


def test_wrong_requests_are_named():
    table = hierarchy([2, 5], [10, 12], ["a", "b"])
    posterior = table.posterior(priors())
    with pytest.raises(ValueError, match="unknown pooling 'partly'"):
        hierarchy([2], [10], pooling="partly")
    with pytest.raises(ValueError, match="unknown quantity 'tua'"):
        posterior.distribution("tua")
    with pytest.raises(ValueError, match="unknown disease 'c'"):
        posterior.distribution("rate", "c")
    with pytest.raises(ValueError, match="s0: .* needs months"):
        count_likelihoods(counts([1], [10]), "cloglog")
