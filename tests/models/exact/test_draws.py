"""Draws of the exact engine against its own distribution functions, and joint ones by quadrature.

Every draw is continuous, so that a Kolmogorov-Smirnov test may be held to its level: a thousandth,
with fixed seeds, for each of some hundred quantities. Four thousand draws tell a distribution
function that is 0.03 off.
"""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from mscpool.models.exact.draws import draw
from mscpool.models.exact.predictions import study_distributions
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex

from .hierarchies import fixed, half_normal, hierarchy, normal, priors

SIZE, LEVEL = 4000, 1e-3
FEW = {"events": [0, 3, 7, 20], "n": [9, 12, 11, 30], "diseases": ["a", "a", "b", "c"]}
#: Small studies in four diseases, of which the last has none; a large study beside them; hazards.
CASES = {
    "partial": (hierarchy(*FEW.values(), names=("a", "b", "c", "d")), priors()),
    "complete": (hierarchy(*FEW.values(), pooling="complete", names=("a", "b", "c")), priors()),
    "none": (hierarchy(*FEW.values(), pooling="none", names=("a", "b", "c", "d")), priors()),
    "exnex": (
        hierarchy(*FEW.values(), pooling="exnex", names=("a", "b", "c", "d")),
        priors(exnex=Exnex(0.6, normal(2.0, -1.0))),
    ),
    "robust": (hierarchy(*FEW.values(), pooling="robust", names=("a", "b", "c", "d")), priors()),
    "one disease": (hierarchy([2, 5], [9, 12], ["a", "a"]), priors()),
    "a large study": (hierarchy([3, 480, 5], [12, 1000, 30], ["a", "b", "c"]), priors()),
    "hazards": (
        hierarchy(
            [0, 1, 0, 2], [9, 12, 40, 30], ["a", "a", "b", "c"],
            link="cloglog", months=[6, 12, 3, 60],
        ),
        priors(mu=normal(1.5, -3.0)),
    ),
    "fixed spreads": (
        hierarchy(*FEW.values()), priors(tau=fixed(0.7), sigma=fixed(0.0)),
    ),
    "heavy and bounded priors": (
        hierarchy(*FEW.values()),
        priors(
            mu=Prior.make("Uniform", lower=-1, upper=4),
            tau=Prior.make("HalfCauchy", beta=0.5),
            sigma=Prior.make("Uniform", lower=0.1, upper=0.6),
        ),
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=CASES)
def drawn(request):
    stated, given = CASES[request.param]
    posterior = stated.posterior(given)
    return posterior, draw(posterior, SIZE, np.random.default_rng(11))


def p_value(distribution, values):
    return stats.kstest(1 - distribution.above(values), "uniform").pvalue


def test_no_two_draws_are_the_same(drawn):
    posterior, draws = drawn
    for name in ("mu", "tau", "sigma"):
        value = getattr(draws, name)
        if value is not None and getattr(posterior.priors, name).fixed is None:
            assert len(np.unique(value)) == SIZE
    for column in (*draws.theta.T, *(draws.eta.T if posterior.priors.sigma.fixed is None else ())):
        assert len(np.unique(column)) == SIZE


def test_hyperparameters_and_levels_follow_their_distributions(drawn):
    posterior, draws = drawn
    for name in posterior.hierarchy.parameters:
        if getattr(posterior.priors, name).fixed is None:
            assert p_value(posterior.distribution(name), getattr(draws, name)) > LEVEL, name
    for place, disease in enumerate(posterior.hierarchy.likelihoods.diseases):
        assert p_value(posterior.distribution("theta", disease), draws.theta[:, place]) > LEVEL


def test_rates_of_studies_follow_their_distributions(drawn):
    posterior, draws = drawn
    link = posterior.hierarchy.likelihoods.link
    rates = expit(draws.eta) if link == "logit" else -np.expm1(-np.exp(draws.eta))
    for own, column in zip(study_distributions(posterior).values(), rates.T, strict=True):
        assert p_value(own, column) > LEVEL


def test_next_studies_follow_their_distributions(drawn):
    posterior, draws = drawn
    score = np.random.default_rng(3).standard_normal(draws.theta.shape)
    levels = draws.theta + draws.sigma[:, None] * score
    link = posterior.hierarchy.likelihoods.link
    rates = expit(levels) if link == "logit" else -np.expm1(-np.exp(levels))
    for place, disease in enumerate(posterior.hierarchy.likelihoods.diseases):
        assert p_value(posterior.distribution("new_study", disease), rates[:, place]) > LEVEL


def moments(posterior, draws):
    """Pairs of a mean of products, by quadrature over the engine's nodes, and its draws."""
    found = posterior.main
    joint, source = found.joint / found.total, found.source
    levels, sigma = source.table.grid.nodes, source.table.sigma.nodes
    if draws.mu is not None:
        wanted = np.einsum("tmk,m,k->", joint, levels, sigma)
        yield wanted, draws.mu * draws.sigma
    if draws.tau is not None:
        yield np.einsum("tmk,t,k->", joint, source.tau.nodes, sigma), draws.tau * draws.sigma
        yield np.einsum("tmk,t,m->", joint, source.tau.nodes, levels), draws.tau * draws.mu
    for group, column in (
        (posterior.columns[i], draws.theta[:, i]) for i in range(len(draws.theta[0]))
    ):
        if source.structure != "single":
            masses = found.posteriors[:, group] / found.posteriors[:, group].sum()
            yield np.einsum("lk,l,k->", masses, levels, sigma), column * draws.sigma


def test_joint_moments_are_those_of_the_integral(drawn):
    posterior, draws = drawn
    if any(getattr(posterior.priors, name).density.tail < 6 for name in ("mu", "tau", "sigma")):
        return  # products of heavy tails have no such moments
    for wanted, products in moments(posterior, draws):
        error = products.std(ddof=1) / np.sqrt(SIZE)
        assert abs(products.mean() - wanted) < 4 * error + 1e-6


def test_levels_of_diseases_are_pulled_together_as_given_the_parameters():
    """Given mu, tau and sigma, levels of two diseases are independent; alone they are not."""
    posterior = CASES["partial"][0].posterior(CASES["partial"][1])
    draws = draw(posterior, 4 * SIZE, np.random.default_rng(5))
    found = posterior.main
    source, joint = found.source, found.joint / found.total
    nodes = source.table.grid.nodes
    # Mean of each disease's level given the parameters, at every node of these.
    means = [
        np.einsum("tml,l,lk->tmk", source.kernels, nodes, source.levels[:, g])
        / source.averaged[:, :, g]
        for g in range(3)
    ]
    for one, other in pairwise(range(3)):
        products = draws.theta[:, one] * draws.theta[:, other]
        wanted = (joint * means[one] * means[other]).sum()
        assert abs(products.mean() - wanted) < 4 * products.std() / np.sqrt(len(products))


def test_diseases_without_data_are_drawn_each_for_itself():
    stated = hierarchy(*FEW.values(), names=("a", "b", "c", "d", "e"))
    draws = draw(stated.posterior(priors()), SIZE, np.random.default_rng(2))
    assert (draws.theta[:, 3] != draws.theta[:, 4]).all()
    assert draws.mu is not None
    assert draws.tau is not None
    apart = (draws.theta[:, 3:] - draws.mu[:, None]) / draws.tau[:, None]
    assert abs(np.corrcoef(apart.T)[0, 1]) < 4 / np.sqrt(SIZE)


def test_a_study_is_not_drawn_at_the_rate_of_its_disease(drawn):
    posterior, draws = drawn
    if posterior.priors.sigma.fixed is None:
        likelihoods = posterior.hierarchy.likelihoods
        for study, disease in enumerate(likelihoods.disease):
            assert (draws.eta[:, study] != draws.theta[:, disease]).all()


def test_sigma_fixed_at_zero_leaves_studies_at_their_disease():
    stated, given = CASES["fixed spreads"]
    draws = draw(stated.posterior(given), 100, np.random.default_rng(1))
    wanted = draws.theta[:, stated.likelihoods.disease]
    np.testing.assert_allclose(draws.eta, wanted, atol=1e-10)


@pytest.mark.parametrize("scale", [half_normal(0.05), half_normal(3.0)])
def test_draws_of_two_seeds_differ_and_of_one_agree(scale):
    posterior = CASES["partial"][0].posterior(priors(tau=scale))
    first, again, other = (draw(posterior, 50, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first.theta, again.theta)
    assert (first.theta != other.theta).all()
