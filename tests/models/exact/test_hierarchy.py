"""The exact engine against published numbers and closed forms."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from scipy.interpolate import RectBivariateSpline
from scipy.optimize import minimize

from mscpool.data.errors import ImpossibleDataError
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods, normal_likelihoods
from mscpool.models.exact.predictions import study_rates
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex

from ...builders import ROUNDING
from .hierarchies import counts, fixed, half_normal, hierarchy, hyper, normal, priors

REFERENCE = Path(__file__).parents[2] / "reference"


def reference(name):
    return json.loads((REFERENCE / f"{name}.json").read_text())


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


def most_probable(posterior):
    """Level and sigma at which a single level's tabulated likelihood is highest."""
    source = posterior.main.source
    values = source.log_levels[:, 0]
    nodes, sigma = source.table.grid.nodes, source.table.sigma
    best = np.unravel_index(np.argmax(values), values.shape)
    rows, depth = np.arange(len(nodes)), np.arange(len(sigma))
    near = slice(max(best[0] - 8, 0), best[0] + 9)
    surface = RectBivariateSpline(rows[near], depth, values[near], kx=5, ky=min(5, len(depth) - 1))
    found = minimize(
        lambda at: -surface.ev(*at),
        np.array(best, float),
        bounds=[(rows[near][0], rows[near][-1]), (0, depth[-1])],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    index_mu, index_sigma = found.x
    level = np.interp(index_mu, np.arange(len(source.table.grid.fine)) / 8, source.table.grid.fine)
    return float(level), float(sigma.unit * np.sinh(sigma.start + sigma.step * index_sigma))


@pytest.mark.parametrize(("arm", "first"), [("treat", 0), ("control", 2)])
def test_maximum_likelihood_of_sparse_events(arm, first):
    source = reference("catheter_sparse_events")
    data = np.array(source["data"])
    posterior = hierarchy(data[:, first], data[:, first + 1]).posterior(
        priors(mu=normal(5.0), sigma=half_normal(3.0))
    )
    mu, sigma = most_probable(posterior)
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
            posterior.hyper()["mean"][0], abs=ROUNDING
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


@pytest.mark.parametrize("pooling", ["partial", "complete", "none", "exnex"])
@pytest.mark.parametrize("level", [15.0, 30.0, 800.0])
@pytest.mark.parametrize("diseases", [["a", "a", "b", "b"], None])
def test_data_that_priors_exclude_are_refused_and_give_no_rates_that_are_none(
    pooling, level, diseases
):
    own = priors(normal(0.01, level), half_normal(0.01), half_normal(0.01))
    table = hierarchy([0, 1, 0, 2], [20, 25, 15, 18], diseases, pooling=pooling)
    with pytest.raises(ImpossibleDataError, match=f"impossible under mu Normal.mu={level:g}"):
        table.posterior(own)
