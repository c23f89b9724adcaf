"""Predictions from draws: what is drawn anew, what is kept, and what stays within bounds."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit

from mscpool.analysis.fitting import predict
from mscpool.analysis.fitting.predict import Levels
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet
from mscpool.models.sampled.hierarchy import COMBINATIONS
from mscpool.models.sampled.likelihood import integrated_log_likelihood_of_terms
from mscpool.models.terms import count_data

from ... import builders

ROWS = [*builders.NESTED[:5], builders.NESTED[7]]
DRAWS = 4000


def terms_of(rows=ROWS):
    return builders.terms_of(rows)


def levels_of(terms, seed=1, draws=DRAWS):
    rng = np.random.default_rng(seed)
    outcomes, effects = len(terms.outcomes), len(terms.effects)
    return Levels(
        rng.normal(-0.5, 0.5, (draws, outcomes)),
        rng.uniform(0.2, 1, (draws, outcomes)),
        rng.uniform(0.2, 1, (draws, outcomes)),
        rng.normal(-0.5, 0.5, (draws, outcomes, 2)),
        rng.normal(-0.5, 1, (draws, effects)),
    )


def fixed(terms, eta, draws=DRAWS):
    """Draws that all have the same study levels."""
    return Levels(
        None,
        None,
        np.ones((draws, len(terms.outcomes))),
        np.zeros((draws, len(terms.outcomes), 2)),
        np.tile(np.asarray(eta, float), (draws, 1)),
    )


def test_rate_of_a_child_is_the_product_and_never_exceeds_its_parents():
    terms = terms_of()
    theta = levels_of(terms).theta
    rate = predict.rates(theta, terms)
    np.testing.assert_allclose(rate[:, 1], expit(theta[:, 1]) * expit(theta[:, 0]), rtol=1e-14)
    assert (rate[:, 1] <= rate[:, 0]).all()
    np.testing.assert_allclose(rate[:, 2], 1 - np.exp(-np.exp(theta[:, 2])), rtol=builders.ROUNDING)


def test_study_rates_are_those_of_their_own_levels():
    terms = terms_of()
    levels = levels_of(terms, draws=5)
    rate = dict(zip(terms.effects["label"], predict.study_rates(levels, terms).T, strict=True))
    eta = dict(zip(terms.effects["label"], levels.eta.T, strict=True))
    for study in "st":
        parent = expit(eta[f"improvement/{study}"])
        np.testing.assert_allclose(rate[f"improvement/{study}"], parent, rtol=1e-14)
        child = parent * expit(eta[f"remission/{study}"])
        np.testing.assert_allclose(rate[f"remission/{study}"], child, rtol=1e-14)
    # Five years of follow-up; the rate is the risk of one.
    np.testing.assert_allclose(
        rate["death/s"], 1 - np.exp(-np.exp(eta["death/s"])), rtol=builders.ROUNDING
    )


def test_renewed_studies_forget_their_old_effects():
    terms = terms_of()
    levels = levels_of(terms)
    fresh = predict.renew_studies(levels, terms, np.random.default_rng(2))
    base = predict.at_effects(levels, terms)
    sigma = levels.sigma[:, terms.effects["outcome"]]
    score = (fresh.eta - base) / sigma
    old = (levels.eta - base) / sigma
    # Four standard errors of a correlation and of a standard deviation of 4,000 draws.
    for i in range(score.shape[1]):
        assert abs(np.corrcoef(score[:, i], old[:, i])[0, 1]) < 4 / np.sqrt(DRAWS)
        assert score[:, i].std() == pytest.approx(1, abs=4 / np.sqrt(2 * DRAWS))
        assert abs(score[:, i].mean()) < 4 / np.sqrt(DRAWS)
    np.testing.assert_array_equal(fresh.theta, levels.theta)


def test_rate_of_a_new_study_draws_an_effect_of_its_own():
    terms = terms_of()
    levels = levels_of(terms)
    rate = predict.new_study_rates(levels, terms, np.random.default_rng(3))
    score = (np.log(rate[:, 0] / (1 - rate[:, 0])) - levels.theta[:, 0]) / levels.sigma[:, [0]]
    for d in range(2):
        assert score[:, d].std() == pytest.approx(1, abs=4 / np.sqrt(2 * DRAWS))
        for effect in range(levels.eta.shape[1]):
            correlation = np.corrcoef(score[:, d], levels.eta[:, effect])[0, 1]
            assert abs(correlation) < 4 / np.sqrt(DRAWS)
    assert abs(np.corrcoef(score.T)[0, 1]) < 4 / np.sqrt(DRAWS)


@pytest.mark.parametrize("pooling", ["partial", "robust", "exnex", "complete", "none"])
def test_new_disease_is_a_draw_from_between_diseases(pooling):
    terms = terms_of()
    levels = levels_of(terms)
    if pooling in ("complete", "none"):
        levels = Levels(None, None, levels.sigma, levels.theta, levels.eta)
    own = PriorSet("own", exnex=DEFAULT.exnex, mu=Prior.make("Normal", mu=-6, sigma=0.1))
    rng = np.random.default_rng(4)
    rate = predict.new_disease_rates(levels, terms, pooling, own, rng)
    if pooling in ("complete", "none"):
        assert rate is None
        return
    theta = np.log(rate[:, 0] / (1 - rate[:, 0]))
    score = (theta - levels.mu[:, 0]) / levels.tau[:, 0]
    exchangeable = theta > -5
    if pooling == "exnex":
        assert exchangeable.mean() == pytest.approx(0.5, abs=0.04)
        assert stats.kstest(score[exchangeable], "norm").pvalue > 1e-3
    else:
        distribution = stats.t(4) if pooling == "robust" else stats.norm()
        assert stats.kstest(score, distribution.cdf).pvalue > 1e-3


def test_replicated_children_are_among_replicated_parents():
    terms = terms_of()
    counts = predict.replicate(levels_of(terms), terms, np.random.default_rng(5))
    assert (counts[:, 2] <= counts[:, 0]).all()
    assert (counts[:, 3] <= counts[:, 1]).all()
    assert (counts >= 0).all()
    assert (counts <= terms.rows["n"].to_numpy()).all()


def test_replicated_counts_follow_the_levels_of_their_studies():
    terms = terms_of()
    eta = np.random.default_rng(6).normal(-0.4, 0.6, len(terms.effects))
    eta[terms.effects["label"] == "death/s"] = -2.5
    counts = predict.replicate(fixed(terms, eta), terms, np.random.default_rng(7))
    at = dict(zip(terms.effects["label"], eta, strict=True))
    p = {s: expit(at[f"improvement/{s}"]) for s in "st"}
    q = {s: expit(at[f"remission/{s}"]) for s in "st"}
    five_years = 1 - np.exp(-5 * np.exp(at["death/s"]))
    chances = [p["s"], p["s"], p["s"] * q["s"], p["s"] * q["s"], p["t"] * q["t"], five_years]
    for i, chance in enumerate(chances):
        n = terms.rows["n"][i]
        expected = stats.binom(n, chance)
        assert counts[:, i].mean() == pytest.approx(
            expected.mean(), abs=4 * expected.std() / np.sqrt(DRAWS)
        )
        # Four standard errors of a variance of 4,000 nearly normal draws, and a little for tails.
        assert counts[:, i].var() == pytest.approx(expected.var(), rel=0.15)


def test_bounded_counts_are_drawn_as_enumeration_says():
    terms = terms_of()
    eta = np.random.default_rng(8).normal(-0.4, 0.6, len(terms.effects))
    levels = fixed(terms, eta, draws=20000)
    counts = predict.counts_within_bounds(levels, terms, np.random.default_rng(9))
    at = dict(zip(terms.effects["label"], eta, strict=True))
    p, q = expit(at["improvement/s"]), expit(at["remission/s"])
    joint = {
        (y, z): stats.binom.pmf(y, 9, p) * stats.binom.pmf(z, y, q)
        for y in (5, 6, 7)
        for z in range(5)
    }
    total = sum(joint.values())
    for (y, z), weight in joint.items():
        chance = weight / total
        found = ((counts[:, 1] == y) & (counts[:, 3] == z)).mean()
        assert found == pytest.approx(chance, abs=4 * np.sqrt(chance * (1 - chance) / 20000))
    product = expit(at["improvement/t"]) * expit(at["remission/t"])
    chance = stats.binom.pmf(3, 11, product) / stats.binom.pmf([2, 3], 11, product).sum()
    assert (counts[:, 4] == 3).mean() == pytest.approx(chance, abs=4 * np.sqrt(0.25 / 20000))
    np.testing.assert_array_equal(counts[:, [0, 2, 5]], np.tile([8, 3, 1], (20000, 1)))


def test_bounded_parent_that_its_child_pins_down_is_known():
    terms = terms_of(
        [
            ("s", "d", "msc", "improvement", 3, 5, 5, 6),
            ("s", "d", "msc", "remission", 5, 5, 5, 6),
        ]
    )
    levels = fixed(terms, np.zeros(2), draws=3)
    counts = predict.counts_within_bounds(levels, terms, np.random.default_rng(1))
    np.testing.assert_array_equal(counts, np.full((3, 2), 5))


def test_integrated_likelihood_joins_the_units_of_all_terms():
    terms = terms_of()
    levels = levels_of(terms, draws=7)
    found = predict.integrated_log_likelihood(levels, terms)
    assert found.shape == (7, len(terms.units))
    theta = predict.at_effects(levels, terms)
    sigma = levels.sigma[:, terms.effects["outcome"]]
    for unit in range(len(terms.units)):
        mine = terms.terms[terms.terms["unit"] == unit]
        effects = [int(mine["effect"].iloc[0]), int(mine["child_effect"].max())]
        table = count_data(terms)
        part = {**table, "term_table": table["term_table"][mine.index]}
        whole = integrated_log_likelihood_of_terms(theta[:, effects], sigma[:, effects], part)
        # A unit that factorises is integrated effect by effect: both rules are near 1e-5 here.
        np.testing.assert_allclose(found[:, unit], whole, atol=1e-4)


def test_integrated_likelihood_without_spread_is_the_likelihood_itself():
    terms = terms_of([("s", "d", "msc", "improvement", 7, 7, 20, 6)])
    levels = Levels(None, None, np.zeros((2, 1)), np.full((2, 1, 2), 0.3), np.zeros((2, 1)))
    found = predict.integrated_log_likelihood(levels, terms)
    np.testing.assert_allclose(found, stats.binom.logpmf(7, 20, expit(0.3)), atol=1e-6)


def test_integrated_likelihood_of_a_study_far_from_its_disease_is_found():
    terms = terms_of([("s", "d", "msc", "improvement", 40, 40, 40, 6)])
    levels = Levels(None, None, np.full((1, 1), 0.5), np.full((1, 1, 2), -6.0), np.zeros((1, 1)))
    score = np.linspace(-5, 35, 200001)
    log = -40 * np.log1p(np.exp(6 - 0.5 * score)) + stats.norm.logpdf(score)
    expected = np.log(np.trapezoid(np.exp(log - log.max()), score)) + log.max()
    found = predict.integrated_log_likelihood(levels, terms)[0, 0]
    assert found == pytest.approx(expected, abs=1e-5)


def test_child_membership_is_drawn_together_with_its_parents():
    terms = terms_of()
    chance = np.zeros((4, 3, 2))
    chance[:, 0] = np.array([0.5, 0.0, 0.1, 0.4])[:, None]
    chance[:, 1] = 0.25
    chance[:, 2] = np.array([0.45, 0.45, 0.05, 0.05])[:, None]
    shape = (DRAWS, 3, 2)
    draws = {
        "theta_exchangeable": np.zeros(shape),
        "theta_own": np.ones(shape),
        "membership": np.tile(chance, (DRAWS, 1, 1, 1)),
        "sigma": np.ones(shape[:2]),
        "study_deviation": np.full((DRAWS, len(terms.effects)), 0.25),
    }
    levels = predict.levels_of(draws, terms, np.random.default_rng(10))
    own = levels.theta.astype(int)
    for d in range(2):
        code = 2 * own[:, 0, d] + own[:, 1, d]
        found = np.bincount(code, minlength=4) / DRAWS
        np.testing.assert_allclose(found, chance[:, 0, d], atol=4 * np.sqrt(0.25 / DRAWS))
        assert own[:, 2, d].mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / DRAWS))
    np.testing.assert_array_equal(levels.eta, predict.at_effects(levels, terms) + 0.25)
    np.testing.assert_array_equal(COMBINATIONS, [[0, 0], [0, 1], [1, 0], [1, 1]])


@pytest.mark.parametrize("pooling", ["partial", "robust", "exnex", "complete", "none"])
def test_prior_levels_follow_the_priors(pooling):
    terms = terms_of()
    levels = predict.prior_levels(terms, pooling, DEFAULT, DRAWS, np.random.default_rng(11))
    assert stats.kstest(levels.sigma[:, 0], stats.halfnorm(0, 0.5).cdf).pvalue > 1e-3
    assert (levels.mu is None) == (pooling == "none")
    assert (levels.tau is None) == (pooling in ("none", "complete"))
    death = levels.theta[:, 2, 0]
    if pooling in ("none", "complete"):
        assert stats.kstest(death, stats.norm(-3, 1.5).cdf).pvalue > 1e-3
        same = np.allclose(levels.theta[:, 2, 0], levels.theta[:, 2, 1])
        assert same == (pooling == "complete")
    if pooling == "partial":
        assert stats.kstest(levels.tau[:, 0], stats.halfnorm().cdf).pvalue > 1e-3
        score = (death - levels.mu[:, 2]) / levels.tau[:, 2]
        assert stats.kstest(score, "norm").pvalue > 1e-3
    if pooling == "exnex":
        inside = np.abs((death - levels.mu[:, 2]) / levels.tau[:, 2])
        assert np.isfinite(inside).all()


def test_vague_priors_of_deviations_draw_finite_levels():
    flat = Prior.make("InverseGamma", on="variance", alpha=0.001, beta=0.001)
    vague = PriorSet("vague", tau=flat, sigma=flat)
    terms = terms_of()
    levels = predict.prior_levels(terms, "partial", vague, 200, np.random.default_rng(12))
    assert np.isfinite(levels.eta).all()
    assert np.isfinite(predict.new_study_rates(levels, terms, np.random.default_rng(13))).all()
