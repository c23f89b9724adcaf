"""Studies left out: where they lie, how they are weighted, and which are fitted without."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats
from scipy.special import expit

from mscpool.analysis.fitting.predict import Levels
from mscpool.analysis.guard import disease_left, left_out
from mscpool.analysis.guard.disease_left import only_units, without_unit
from mscpool.analysis.guard.importance import importance_weights
from mscpool.analysis.guard.surprise import adjusted
from mscpool.models.terms import build_terms

from ...builders import ROUNDING
from .levels import (
    averaged,
    grid_posterior,
    integrated,
    leave,
    levels,
    nested_terms,
    one_disease,
    some_levels,
)


def test_adjusted_smallest_is_the_chance_of_one_so_small():
    p, error = adjusted(0.01, 1e-5, 3)
    assert p == pytest.approx(1 - 0.99**3, rel=ROUNDING)
    assert error == pytest.approx(adjusted(0.01 + 1e-5, 0, 3)[0] - p, rel=1e-4)
    assert adjusted(1.0, 0.0, 1)[0] == pytest.approx(1.0)


def test_position_of_a_bounded_row_is_its_two_probabilities():
    terms = nested_terms()
    levels = some_levels(terms)
    log_likelihood = np.random.default_rng(5).normal(0, 0.3, (100, len(terms.units)))
    found = leave(terms, levels, log_likelihood)
    log_weights, _ = importance_weights(log_likelihood)

    unit = terms.units.index[terms.units["label"] == "improvement/b"][0]
    weights = np.exp(log_weights[:, unit])
    nodes, mass = np.polynomial.hermite_e.hermegauss(60)
    # Both arms of study b share its level: together they are one count of nineteen.
    rate = expit(levels.theta[:, 0, 0, None] + levels.sigma[:, 0, None] * nodes)

    def probability(most):
        return weights @ stats.binom.cdf(most, 19, rate) @ mass / mass.sum()

    entry = next(e for e in found if (e.study, e.outcome) == ("b", "improvement"))
    # Both are quadratures; the table of levels is read by straight lines, 0.01 long.
    assert entry.lowest == pytest.approx(probability(7), abs=1e-5)
    assert entry.highest == pytest.approx(probability(12), abs=1e-5)
    assert entry.lowest < entry.pit < entry.highest
    middle = (entry.lowest + entry.highest) / 2
    assert entry.mid_p == pytest.approx(2 * min(middle, 1 - middle))
    assert (entry.events, entry.n) == (10.0, 19)


def test_position_of_a_child_is_that_of_the_product_of_two_rates():
    terms = nested_terms()
    levels = some_levels(terms, seed=8)
    log_likelihood = np.random.default_rng(5).normal(0, 0.3, (100, len(terms.units)))
    found = leave(terms, levels, log_likelihood)
    unit = terms.units.index[terms.units["study"].eq("c")][0]
    weights = np.exp(importance_weights(log_likelihood)[0][:, unit])
    nodes, mass = np.polynomial.hermite_e.hermegauss(40)
    mass = mass / mass.sum()
    cumulative = [
        mass
        @ stats.binom.cdf(
            4,
            8,
            expit(levels.theta[s, 0, 1] + levels.sigma[s, 0] * nodes)[:, None]
            * expit(levels.theta[s, 1, 1] + levels.sigma[s, 1] * nodes),
        )
        @ mass
        for s in range(100)
    ]
    entry = next(e for e in found if (e.study, e.outcome) == ("c", "remission"))
    assert entry.highest == pytest.approx(weights @ cumulative, abs=1e-5)
    assert entry.elpd is not None


def test_a_child_left_out_with_its_parent_has_no_elpd_of_its_own():
    terms = nested_terms()
    log_likelihood = np.random.default_rng(5).normal(0, 0.3, (100, len(terms.units)))
    found = leave(terms, some_levels(terms), log_likelihood)
    without = {(e.study, e.outcome) for e in found if e.elpd is None}
    assert without == {("a", "remission"), ("b", "remission")}
    assert len(found) == 8


def test_elpd_of_a_study_left_out_agrees_with_numerical_integration():
    counts, n, sigma = [7, 4, 9, 3], [12, 11, 15, 10], 0.3
    terms = one_disease(counts, n)
    levels = grid_posterior(terms, sigma)
    found = leave(terms, levels, integrated(terms, levels))

    grid = np.linspace(-6, 6, 1201)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    rate = expit(grid[:, None] + sigma * nodes)
    each = [stats.binom.pmf(y, m, rate) @ weights for y, m in zip(counts, n, strict=True)]
    prior = stats.norm.pdf(grid, 0, 1.5)
    for i, entry in enumerate(found):
        others = np.prod([each[j] for j in range(4) if j != i], axis=0)
        likelihood = each[i] / weights.sum()
        exact = np.log(
            integrate.trapezoid(prior * others * likelihood, grid)
            / integrate.trapezoid(prior * others, grid)
        )
        # Monte Carlo: 4000 stratified draws, weights close to one.
        assert entry.elpd == pytest.approx(exact, abs=0.02)
        assert entry.pareto_k is not None
        assert entry.pareto_k < 0.7


def test_dropping_a_unit_leaves_the_likelihood_of_the_others():
    terms = nested_terms()
    levels = some_levels(terms, draws=20)
    everything = integrated(terms, levels)
    for unit in range(len(terms.units)):
        reduced = without_unit(terms, unit)
        others = [u for u in range(len(terms.units)) if u != unit]
        np.testing.assert_allclose(
            integrated(reduced, levels)[:, others], everything[:, others], rtol=1e-9
        )
        alone = only_units(terms, [unit])
        np.testing.assert_allclose(
            integrated(alone, levels)[:, unit], everything[:, unit], rtol=1e-9
        )
        assert len(reduced.terms) + len(alone.terms) == len(terms.terms)
        assert len(reduced.pairs) + len(alone.pairs) == len(terms.pairs)
        assert reduced.effects is terms.effects


def test_study_whose_weights_fail_is_left_out_in_earnest_and_no_other():
    terms, asked = one_disease([6, 5, 6, 19, 4], [20] * 5), []
    levels = grid_posterior(terms, 0.3)
    others = grid_posterior(one_disease([6, 5, 6, 4], [20] * 4), 0.3)

    def refit(reduced, draws):
        asked.append((set(range(5)) - set(reduced.terms["effect"]), draws))
        return others

    found = leave(terms, levels, integrated(terms, levels), refit)
    assert asked == [({3}, 500)]
    assert [e.pareto_k is None for e in found] == [False, False, False, True, False]
    worst = min(found, key=lambda e: e.mid_p)
    mean = [averaged(lambda e: 20 * expit(e), t, 0.3, 20) for t in others.theta[:, 0, 0]]
    assert worst.study == "s3"
    assert worst.expected == pytest.approx(np.mean(mean), rel=0.01)
    asked.clear()
    calm = one_disease([6, 5, 6, 7, 4], [20] * 5)
    levels = grid_posterior(calm, 0.3)
    leave(calm, levels, integrated(calm, levels), refit)
    assert asked == []


def test_a_fit_without_a_study_is_of_its_own_outcome_alone():
    alone = one_disease([6, 5, 6, 19, 4], [20] * 5).rows.drop(columns=["term", "parent_row"])
    both = pd.concat([alone, alone.assign(outcome="any_ae")])
    terms, asked = build_terms(both, ("improvement", "any_ae"), ("one",)), []
    levels = some_levels(terms, 400)

    def refit(reduced, draws):
        if draws == 500:
            asked.append(set(reduced.units["label"][reduced.terms["unit"]]))
        return levels

    log_likelihood = -np.random.default_rng(2).exponential(2, (400, 10))  # Pareto k of 2
    leave(terms, levels, log_likelihood, refit)
    labels = [[f"{name}/s{i}" for i in range(5)] for name in ("improvement", "any_ae")]
    assert asked == [set(own) - {one} for own in labels for one in own]


@pytest.mark.parametrize(("level", "asked"), [(-0.8, [{3}]), (3.0, [])])
def test_a_study_that_surprises_levels_drawn_anew_is_predicted_by_a_fit_without_it(
    monkeypatch, level, asked
):
    terms = one_disease([6, 5, 6, 19, 4], [20] * 5)
    levels, refitted = grid_posterior(terms, 0.3), []
    theta = np.full((400, 1, 1), level)

    class Anew:
        log_predictive = np.random.default_rng(7).normal(0, 0.1, 400)
        log_weights = np.zeros((400, 1))
        levels = Levels.of_diseases(np.full((400, 1), 0.3), theta)

        def weights(self, _):
            return np.full(400, 1 / 400)

    def refit(reduced, draws):
        refitted.append(set(range(5)) - set(reduced.terms["effect"]))
        return levels

    monkeypatch.setattr(disease_left, "without_unit_in_disease", lambda *_: Anew())
    found = leave(terms, levels, integrated(terms, levels), refit)
    assert refitted == asked
    assert (found[3].pareto_k is None) == bool(asked)


def test_a_likelihood_that_is_the_same_in_every_draw_weighs_them_alike():
    constant = np.zeros((1000, 2))
    constant[:, 1] = np.random.default_rng(1).normal(size=1000)
    log_weights, k = importance_weights(constant)
    np.testing.assert_allclose(np.exp(log_weights[:, 0]), 1 / 1000, rtol=ROUNDING)
    assert np.isfinite(k).all()


def test_a_fit_without_a_study_is_longer_where_the_verdict_hangs_on_its_error():
    terms, asked = one_disease([6, 5, 6, 13, 4], [20] * 5), []
    rng = np.random.default_rng(3)

    def refit(reduced, draws):
        asked.append(draws)
        theta = rng.normal(-0.95, 0.3, (draws // 2, 1, 1))
        return levels(theta, np.full((draws // 2, 1), 0.3))

    rows = terms.rows.iloc[[3]]
    (one,) = left_out._refitted(terms, 3, rows, refit, rng)
    p, error = adjusted(one.mid_p, one.mid_p_mcse, 5)
    assert asked == [500, 4000], (p, error)
