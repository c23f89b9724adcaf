"""Studies added to a posterior and left out of it, against integrals that share no code."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.models.effects.contrast import contrast_likelihoods
from mscpool.models.exact.distribution import product_above
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.exact.unseen_study import UnseenNested, unseen_studies

from .hierarchies import counts, hierarchy, priors

EVENTS, PATIENTS, STUDIED = [2, 5, 8, 3], [9, 10, 11, 7], ["a", "a", "b", "b"]
NAMES = ["a", "b", "c"]
#: Student-t kernels take seconds.
SLOW = pytest.param("robust", marks=pytest.mark.slow)
POOLINGS = ["partial", "complete", "none", "exnex", SLOW]
#: Both sides are integrated to within a ten-thousandth of a spread.
ERROR = 2e-4


def added(u, rows):
    """Log likelihoods of rows, each a study by itself."""
    return count_likelihoods(rows).evaluate(u.levels)


def by_quadrature(events, patients, threshold):
    """Probability that the level of one disease exceeds a threshold: dense sums over mu, sigma."""
    mu, z = np.linspace(-9, 9, 401), np.linspace(-7, 7, 71)
    sigma = (np.arange(60) + 0.5) * 3.2 / 60
    total = np.zeros(len(mu))
    for scale in sigma:
        p = special.expit(mu[:, None] + scale * z)
        own = stats.norm.pdf(mu, 0, 1.5) * stats.halfnorm.pdf(scale, 0, 0.5)
        for y, n in zip(events, patients, strict=True):
            own = own * ((p**y * (1 - p) ** (n - y)) @ stats.norm.pdf(z))
        total += own
    return total[mu > threshold].sum() / total.sum()


@pytest.mark.parametrize(("y", "n"), [(0, 1), (0, 6), (9, 30)])
def test_one_disease_with_an_unseen_study_is_that_of_a_quadrature(y, n):
    posterior = hierarchy([6, 9], [10, 12], names=["all"]).posterior(priors())
    u = unseen_studies(posterior, ["all"])["all"]
    threshold = 0.0225  # midway between two nodes of the sum
    found = u.after(added(u, counts([y], [n]))).above(threshold)[0, 0]
    wanted = by_quadrature([6, 9, y], [10, 12, n], threshold)
    assert found == pytest.approx(wanted, abs=5e-4)


def moments(events, patients, most):
    """Levels of one disease, and by level their weight times the powers of a new study's rate."""
    mu, z = np.linspace(-7, 9, 641), np.linspace(-6, 6, 61)
    powers = np.arange(most + 1)
    total = np.zeros((len(mu), most + 1))
    for scale in (np.arange(40) + 0.5) * 2.8 / 40:
        p = special.expit(mu[:, None] + scale * z)
        own = stats.norm.pdf(mu, 0, 1.5) * stats.halfnorm.pdf(scale, 0, 0.5)
        for y, n in zip(events, patients, strict=True):
            own = own * ((p**y * (1 - p) ** (n - y)) @ stats.norm.pdf(z))
        total += own[:, None] * np.einsum("mzk,z->mk", p[..., None] ** powers, stats.norm.pdf(z))
    return special.expit(mu), total


@pytest.mark.parametrize(("y", "n"), [(0, 0), (0, 1), (0, 5), (2, 6), (6, 6)])
def test_an_unseen_study_of_a_nested_outcome_is_that_of_plain_sums(y, n):
    """Binomial in the product of two rates, by the binomial theorem: a sum of products."""
    threshold, improved, patients, within = 0.31, [9, 11], [12, 13], [5, 8]
    p, outer = moments(improved, patients, n)
    q, inner = moments(within, improved, n)
    k = np.arange(n - y + 1)
    signs = special.binom(n - y, k) * (-1.0) ** k
    weight = np.einsum("k,pk,qk->pq", signs, outer[:, y + k], inner[:, y + k])
    wanted = weight[np.outer(p, q) > threshold].sum() / weight.sum()
    parent, share = (
        hierarchy(*data, names=["all"]).posterior(priors())
        for data in ((improved, patients), (within, improved))
    )
    unseen = [unseen_studies(each, ["all"], every=2)["all"] for each in (parent, share)]
    found = UnseenNested.of(*unseen, threshold).above(np.array([y]), np.array([n]))[0]
    assert found == pytest.approx(wanted, abs=5e-4)
    if n == 0:
        rates = (each.distribution("rate", "all") for each in (parent, share))
        assert found == pytest.approx(product_above(*rates, threshold), abs=ERROR)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_an_unseen_study_is_what_integrating_with_it_gives(pooling):
    posterior = hierarchy(EVENTS, PATIENTS, STUDIED, pooling=pooling, names=NAMES).posterior(
        priors()
    )
    unseen = [unseen_studies(posterior, NAMES, coarser, every=2) for coarser in (False, True)]
    for disease in NAMES[1:]:
        again = hierarchy(
            [*EVENTS, 0], [*PATIENTS, 14], [*STUDIED, disease], pooling=pooling, names=NAMES
        ).posterior(priors())
        wanted = again.probability_above(0.35)[disease]
        for coarser in (False, True):
            u = unseen[coarser][disease]
            after = u.after(added(u, counts([0], [14])))
            found = after.above(special.logit(0.35))[0, 0]
            assert found == pytest.approx(wanted, abs=ERROR * (1 + 4 * coarser))


def test_an_unseen_controlled_study_is_what_integrating_with_it_gives():
    rows = counts([9, 4, 6, 5], [20, 20, 15, 15], ["a"] * 4, ["s", "s", "t", "t"])
    rows["arm"] = ["msc", "control"] * 2
    more = counts([0, 7], [25, 25], ["a"] * 2, ["u", "u"]).assign(arm=["msc", "control"])

    def fitted(frame):
        return ExactHierarchy(contrast_likelihoods(frame, "logit", ["a", "b"])).posterior(priors())

    again = fitted(pd.concat([rows, more], ignore_index=True)).distribution("theta", "a").above(0.0)
    u = unseen_studies(fitted(rows), ["a"], every=2)["a"]
    found = u.after(contrast_likelihoods(more).evaluate(u.levels, slice(None))).above([0.0])
    assert found[0, 0] == pytest.approx(again, abs=ERROR)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("kept", [("s0",), ("s1", "s2", "s3")])
def test_some_of_the_studies_are_what_they_are_alone(pooling, kept):
    whole = hierarchy(EVENTS, PATIENTS, STUDIED, pooling=pooling, names=NAMES)
    part = whole.of_studies(kept).posterior(priors())
    places = [int(name[1:]) for name in kept]
    alone = hierarchy(
        *([each[i] for i in places] for each in (EVENTS, PATIENTS, STUDIED)),
        pooling=pooling,
        names=NAMES,
    ).posterior(priors())
    columns = ["mean", "sd", "q2.5", "q50", "q97.5", "studies", "patients"]
    first, second = (each.rates()[columns].to_numpy(float) for each in (part, alone))
    np.testing.assert_allclose(first, second, atol=ERROR)
    assert part.worst_error <= whole.tolerance
    assert part.log_marginal_likelihood == pytest.approx(alone.log_marginal_likelihood, abs=1e-3)


def test_some_of_many_studies_are_what_they_are_alone():
    rng = np.random.default_rng(3)
    n = rng.integers(8, 40, 160)
    events = rng.binomial(n, special.expit(rng.normal(-0.5, 0.6, 160)))
    diseases = [NAMES[i % 2] for i in range(160)]
    whole = hierarchy(events, n, diseases, names=NAMES)
    part = whole.of_studies({f"s{i}" for i in range(120)}).posterior(priors())
    alone = hierarchy(events[:120], n[:120], diseases[:120], names=NAMES).posterior(priors())
    columns = ["mean", "q2.5", "q97.5"]
    first, second = (each.rates()[columns].to_numpy(float) for each in (part, alone))
    np.testing.assert_allclose(first, second, atol=ERROR)
