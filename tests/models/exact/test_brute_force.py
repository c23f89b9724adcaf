"""The exact engine against integrals that share no code with it: dense rules, quadrature."""

import itertools

import numpy as np
import pandas as pd
import pytest
from numpy.polynomial.legendre import leggauss
from scipy import integrate, special, stats
from scipy.interpolate import CubicSpline

from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import normal_likelihoods
from mscpool.models.outcomes import inverse_link
from mscpool.models.priors.prior import Prior

from .hierarchies import counts, fixed, half_normal, hierarchy, hyper, normal, priors


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
        Prior.make("Gamma", alpha=0.5, beta=0.5, on="variance"),
        Prior.make("Gamma", alpha=0.2, beta=0.5, on="variance"),
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


def conflicting(sigma):
    """Log evidence and mean of sigma of four studies that the prior of sigma cannot reconcile."""
    events, n = np.array([48, 52, 50, 0]), np.array([50, 55, 52, 60])
    mu, eta = np.linspace(-5, 7, 201), np.linspace(-12, 12, 1601)
    scale = np.linspace(0.2, 1.2, 101)
    likelihood = stats.binom.pmf(events[:, None], n[:, None], inverse_link(eta, "logit"))
    logs = np.empty((len(scale), len(mu)))
    for k, spread in enumerate(scale):
        noise = stats.norm.pdf(eta[:, None], mu, spread) * (eta[1] - eta[0])
        logs[k] = np.log(likelihood @ noise + 1e-320).sum(axis=0)
    logs += stats.norm.logpdf(mu, 0, 1.5) + stats.halfnorm.logpdf(scale, 0, sigma)[:, None]
    mass = np.exp(logs - logs.max())
    cell = (mu[1] - mu[0]) * (scale[1] - scale[0])
    return np.log(mass.sum() * cell) + logs.max(), mass.sum(axis=1) @ scale / mass.sum()


def test_data_that_contradict_the_prior_are_integrated_far_in_its_tail():
    posterior = hierarchy([48, 52, 50, 0], [50, 55, 52, 60]).posterior(
        priors(sigma=half_normal(0.1))
    )
    evidence, mean = conflicting(0.1)
    # The posterior of sigma lies six standard deviations out; sums over uniform points of a density
    # that vanishes at both ends are exact to far less than the tolerance.
    assert posterior.worst_error < 1e-4
    assert posterior.log_marginal_likelihood == pytest.approx(evidence, abs=1e-4)
    assert hyper(posterior).loc["sigma", "mean"] == pytest.approx(mean, abs=1e-4)
    assert mean > 0.5
