import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, signal, stats
from scipy.special import expit, logsumexp

import mscpool as mp
from mscpool.analysis.fitting.predict import Levels, integrated_log_likelihood
from mscpool.analysis.guard import check, discrepancies, disease_left, left_out
from mscpool.analysis.guard.discrepancies import DISCREPANCIES, Arms, expected_counts, larger
from mscpool.analysis.guard.disease_left import only_units, without_unit
from mscpool.analysis.guard.identified import unidentified
from mscpool.analysis.guard.left_out import leave_out
from mscpool.analysis.guard.monte_carlo import is_clear, mean_and_error
from mscpool.analysis.guard.result import Check, CheckResult, Comparison, Subject
from mscpool.analysis.guard.review import compare
from mscpool.analysis.guard.sampling_verdict import judge_sampling
from mscpool.analysis.guard.surprise import LEFT_OUT, adjusted
from mscpool.models.terms import build_terms

from ...builders import ROUNDING, evidence_of, rows_of, terms_of

DISEASES = ("one", "two")
NAMES = ("improvement", "remission", "death")
SAMPLED_WELL = {
    "max_r_hat": 1.002,
    "min_ess_bulk": 900.0,
    "min_ess_tail": 800.0,
    "divergences": 0,
    "e_bfmi": 0.9,
    "draws": 4000,
}


def nested_terms():
    rows = [
        ("a", "one", "msc", "improvement", 6, 6, 12, 6.0),
        ("a", "one", "msc", "remission", 2, 2, 12, 6.0),
        ("a", "one", "msc", "death", 0, 0, 12, 60.0),
        ("b", "one", "msc_low", "improvement", 3, 7, 10, 6.0),
        ("b", "one", "msc_high", "improvement", 5, 5, 9, 6.0),
        ("b", "one", "msc_low", "remission", 1, 2, 10, 6.0),
        ("c", "two", "msc", "remission", 4, 4, 8, 6.0),
        ("d", "two", "msc", "improvement", 7, 7, 8, 6.0),
        ("d", "two", "msc", "death", 1, 1, 8, 3.0),
    ]
    return build_terms(rows_of(rows), NAMES, DISEASES)


def some_levels(terms, draws=100, seed=1):
    rng = np.random.default_rng(seed)
    theta = rng.normal(0, 0.7, (draws, len(terms.names), len(terms.diseases)))
    sigma = rng.uniform(0.1, 0.6, (draws, len(terms.names)))
    return levels(theta, sigma)


def levels(theta, sigma):
    return Levels.of_diseases(sigma, theta)


def leave(terms, drawn, log_likelihood, refit=None):
    rng = np.random.default_rng(6)
    return leave_out(terms, drawn, log_likelihood, "complete", mp.named_set("default"), rng, refit)


def averaged(function, theta, sigma, points=80):
    """Average a function of a study's level over its effect, by a fine quadrature of its own."""
    nodes, weights = np.polynomial.hermite.hermgauss(points)
    return function(theta + sigma * np.sqrt(2) * nodes) @ weights / np.sqrt(np.pi)


# ---- discrepancies


def test_mid_p_of_an_enumerated_distribution():
    values = np.repeat([0, 1, 2, 3], [5, 9, 4, 2])
    above, equal = 6 / 20, 9 / 20
    assert larger(values, np.ones(20)).mean() == pytest.approx(above + equal / 2, abs=ROUNDING)


def test_mid_p_of_replicates_against_themselves_is_one_half():
    counts = np.random.default_rng(1).binomial(20, 0.3, 5000)
    # Exact expectation; the standard error of 5000 pairs is below 0.005.
    other = np.random.default_rng(2).permutation(counts)
    assert larger(counts, other).mean() == pytest.approx(0.5, abs=0.02)


def by_hand(name, counts, n, disease, expected):
    rates = [y / m for y, m in zip(counts, n, strict=True)]
    if name == "total events":
        return sum(counts)
    if name == "share of arms without events":
        return sum(y == 0 for y in counts) / len(counts)
    if name == "share of arms with events in all":
        return sum(y == m for y, m in zip(counts, n, strict=True)) / len(counts)
    if name == "largest rate of an arm":
        return max(rates)
    if name == "Freeman-Tukey discrepancy":
        return sum((y**0.5 - e**0.5) ** 2 for y, e in zip(counts, expected, strict=True))
    angles = [np.arcsin(((y + 0.375) / (m + 0.75)) ** 0.5) for y, m in zip(counts, n, strict=True)]
    weights = [4 * m + 2 for m in n]
    overall = np.average(angles, weights=weights)
    between = within = 0.0
    for code in set(disease):
        mine = [i for i, d in enumerate(disease) if d == code]
        mean = np.average([angles[i] for i in mine], weights=[weights[i] for i in mine])
        between += sum(weights[i] for i in mine) * (mean - overall) ** 2
        within += sum(weights[i] * (angles[i] - mean) ** 2 for i in mine)
    groups = len(set(disease))
    return (between / (groups - 1)) / (1 + within / (len(n) - groups))


@pytest.mark.parametrize("name", list(DISCREPANCIES))
def test_discrepancy_agrees_with_arithmetic_by_hand(name):
    rng = np.random.default_rng(3)
    n, disease = np.array([3, 40, 8, 1, 25, 12]), np.array([0, 0, 1, 2, 2, 2])
    counts = rng.binomial(n, rng.random((30, 6)))
    expected = rng.uniform(0.1, 5, (30, 6))
    found = DISCREPANCIES[name](counts, Arms(n, disease, expected))
    wanted = [
        by_hand(name, y.tolist(), n, disease, e) for y, e in zip(counts, expected, strict=True)
    ]
    np.testing.assert_allclose(found, wanted, rtol=ROUNDING)


@pytest.mark.parametrize("disease", [[0, 0, 0], [0, 1, 2]])
def test_spread_ratio_needs_two_diseases_and_one_with_two_arms(disease):
    arms = Arms(np.array([5, 5, 5]), np.array(disease), np.ones((2, 3)))
    assert np.isnan(
        DISCREPANCIES["spread between over within diseases"](np.ones((2, 3)), arms)
    ).all()


def test_expected_counts_average_over_the_study_effect():
    terms, levels = nested_terms(), some_levels(nested_terms(), draws=5)
    found = expected_counts(levels, terms)
    for i, row in enumerate(terms.rows.itertuples()):
        code, d = NAMES.index(row.outcome), DISEASES.index(row.disease)
        for s in range(5):

            def mean(k, function, s=s, d=d):
                return averaged(function, levels.theta[s, k, d], levels.sigma[s, k])

            if row.outcome == "death":
                years = row.months / 12
                rate = mean(2, lambda eta, years=years: 1 - np.exp(-np.exp(eta) * years))
            else:
                rate = mean(code, expit) * (mean(0, expit) if row.outcome == "remission" else 1)
            # Fifteen nodes are exact to about 1e-6 for sigma up to 0.6.
            assert found[s, i] == pytest.approx(row.n * rate, rel=1e-5)


# ---- studies left out


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
    log_weights, _ = left_out.importance_weights(log_likelihood)

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
    weights = np.exp(left_out.importance_weights(log_likelihood)[0][:, unit])
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


def one_disease(counts, n):
    rows = [
        (f"s{i}", "one", "msc", "improvement", y, y, m, 6.0)
        for i, (y, m) in enumerate(zip(counts, n, strict=True))
    ]
    return terms_of(rows, ("one",))


def grid_posterior(terms, sigma, draws=4000):
    """Draws of one disease's level, N(0, 1.5) before, by inverting its tabulated distribution."""
    grid, rows = np.linspace(-6, 6, 1201), terms.rows
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    rate = expit(grid[:, None] + sigma * nodes)
    logs = stats.norm.logpdf(grid, 0, 1.5)
    for y, n in zip(rows["events_min"], rows["n"], strict=True):
        logs += np.log(stats.binom.pmf(y, n, rate) @ weights)
    mass = np.exp(logs - logsumexp(logs))
    theta = np.interp((np.arange(draws) + 0.5) / draws, mass.cumsum(), grid)
    theta = np.random.default_rng(1).permutation(theta)
    return levels(theta[:, None, None], np.full((draws, 1), sigma))


def integrated(terms, levels):
    return integrated_log_likelihood(levels, terms)


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
    log_weights, k = left_out.importance_weights(constant)
    np.testing.assert_allclose(np.exp(log_weights[:, 0]), 1 / 1000, rtol=ROUNDING)
    assert np.isfinite(k).all()


# ---- the verdict


def judged(counts, n):
    terms = one_disease(counts, n)
    levels = grid_posterior(terms, 0.3)
    rng = np.random.default_rng(4)
    eta = levels.theta[:, 0] + levels.sigma * rng.standard_normal((4000, len(n)))
    entries = leave(terms, levels, integrated(terms, levels))
    return check.judge(
        Subject(
            terms,
            "partial",
            levels,
            rng.binomial(n, expit(eta)),
            np.tile(counts, (4000, 1)),
            entries,
            SAMPLED_WELL,
        )
    )


def test_counts_of_one_rate_pass():
    result = judged([12, 17, 15, 13, 18, 16], [30] * 6)
    assert result.verdict == "pass"
    assert result.outcomes[0].reason == "The data look like what the model predicts."


def test_a_planted_outlier_fails_and_is_named():
    result = judged([12, 17, 15, 30, 18, 16], [30] * 6)
    (outcome,) = result.outcomes
    assert (result.verdict, outcome.verdict) == ("fail", "fail")
    assert outcome.reason.startswith("In s3 30 of 30 patients had the outcome")


def test_verdict_is_the_worst():
    assert check.worst(["pass", "fail", "warn"]) == "fail"
    assert check.worst(["pass", "warn"]) == "warn"
    assert check.worst([]) == "pass"


def test_a_further_kind_of_check_needs_its_record_and_nothing_else(monkeypatch):
    third = Check("third", "fail", "improvement", 1.0, 2.0, 0.02, 0.0, "The third one fails.")
    kind = Comparison(
        ["third"], lambda _: [third], lambda p, error: "fail" if p + error < 0.1 else "pass"
    )
    monkeypatch.setattr(check, "COMPARED", (*check.COMPARED, kind))
    (sound,) = judged([12, 17, 15, 13, 18, 16], [30] * 6).outcomes
    assert (sound.verdict, sound.reason) == ("fail", "The third one fails.")
    assert sound.checks[-1] is third
    (outlying,) = judged([12, 17, 15, 30, 18, 16], [30] * 6).outcomes  # a study is told before
    assert outlying.reason.startswith("In s3")
    assert check.verdict_of("third", 0.05, 0.01) == "fail"
    assert check.verdict_of("third", 0.05, 0.06) == "pass"
    # As before: of a statistic both tails tell of misfit, of a study left out the lower one.
    assert [check.verdict_of(name, 0.999, 0) for name in ("total events", LEFT_OUT)] == [
        "fail",
        "pass",
    ]


def test_no_two_kinds_of_check_share_a_name():
    names = [name for kind in check.COMPARED for name in kind.names]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("changed", "verdict", "word"),
    [
        ({}, "pass", "agree"),
        ({"max_r_hat": 1.01}, "warn", "R-hat"),
        ({"max_r_hat": 1.2}, "fail", "R-hat"),
        ({"min_ess_tail": 400.0}, "warn", "too few"),
        ({"min_ess_bulk": 60.0}, "fail", "too few"),
        ({"divergences": 4}, "pass", "agree"),
        ({"divergences": 5}, "warn", "5 of 4,000"),
        ({"divergences": 200}, "fail", "200 of 4,000"),
        ({"e_bfmi": 0.3}, "warn", "E-BFMI"),
        (dict.fromkeys(SAMPLED_WELL, float("nan")), "pass", "not sampled"),
        (dict.fromkeys(SAMPLED_WELL), "pass", "not sampled"),
        (dict.fromkeys(SAMPLED_WELL) | {"numerical_error": 1e-5}, "pass", "no error above 0.0001"),
        (dict.fromkeys(SAMPLED_WELL) | {"numerical_error": 2e-3}, "warn", "an error of 0.002"),
        (dict.fromkeys(SAMPLED_WELL) | {"numerical_error": 0.05}, "fail", "an error of 0.05"),
        # One chain, or draws too few for anything to be computed of them.
        ({"max_r_hat": float("nan")}, "warn", "R-hat cannot be computed"),
        ({"max_r_hat": None}, "warn", "R-hat cannot be computed"),
        ({"max_r_hat": None, "min_ess_tail": None}, "fail", "effective draws cannot be"),
        ({"e_bfmi": float("nan")}, "fail", "E-BFMI cannot be computed"),
    ],
)
def test_sampling_is_judged_by_its_worst_diagnostic(changed, verdict, word):
    found = judge_sampling(SAMPLED_WELL | changed)
    assert found.verdict == verdict
    assert word.lower() in found.reason.lower()
    json.dumps(found.details, allow_nan=False)


@pytest.mark.parametrize(
    ("rows", "pooling", "told"),
    [
        ([("a", "one"), ("b", "one"), ("c", "two")], "partial", None),
        ([("a", "one"), ("c", "two")], "partial", "together"),
        ([("a", "one")], "partial", "tau and sigma are their priors"),
        ([("a", "one"), ("c", "two")], "complete", None),
        ([("a", "one")], "complete", "sigma is its prior"),
        ([("a", "one"), ("c", "two")], "none", "sigma is its prior"),
        ([("a", "one"), ("b", "one"), ("c", "two")], "none", None),
    ],
)
def test_parameters_that_are_their_priors_are_told(rows, pooling, told):
    terms = terms_of([(s, d, "msc", "improvement", 1, 1, 5, 6.0) for s, d in rows], DISEASES)
    found = unidentified(terms, pooling)
    assert (told is None) == (not found)
    assert told is None or told in found["improvement"]


def verdict_of_total(p, seed, draws=4000):
    """Judge events of one binomial count whose mid-p value is known: near ``p``."""
    n = 400
    rate = stats.beta.ppf(p, 150.5, n - 149.5)
    counts = np.array([150])
    terms = one_disease(counts, [n])
    theta = np.full((draws, 1, 1), np.log(rate / (1 - rate)))
    drawn, rng = levels(theta, np.full((draws, 1), 1e-9)), np.random.default_rng(seed)

    def replicate():
        return rng.binomial(n, rate, (draws, 1))

    tiled = np.tile(counts, (draws, 1))
    subject = Subject(terms, "partial", drawn, replicate(), tiled, [], {}, None, replicate)
    total = discrepancies.compare(subject)[0]
    exact = stats.binom.sf(150, n, rate) + 0.5 * stats.binom.pmf(150, n, rate)
    return total, exact


@pytest.mark.parametrize("p", [0.0085, 0.0102, 0.0022, 0.0027])
def test_a_verdict_does_not_hang_on_the_seed(p):
    judged_ = [verdict_of_total(p, seed) for seed in range(10)]
    assert len({one.verdict for one, _ in judged_}) == 1
    # With the draws of a fit alone some seeds fall on either side of the threshold.
    for one, exact in judged_:
        assert one.mid_p == pytest.approx(exact, abs=4.5 * one.mid_p_mcse)
        assert is_clear(
            one.mid_p, one.mid_p_mcse, (discrepancies.WARN_TAIL, discrepancies.FAIL_TAIL)
        )
        assert one.verdict == discrepancies.judge(exact, one.mid_p_mcse)


def test_more_replicates_are_drawn_only_where_a_verdict_is_near():
    clear, _ = verdict_of_total(0.3, 1)
    near, _ = verdict_of_total(0.0107, 1)
    assert clear.mid_p_mcse > 0.005
    assert near.mid_p_mcse < 0.0005


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_error_of_an_average_counts_autocorrelation(correlation):
    rng, averages, errors = np.random.default_rng(5), [], []
    for _ in range(200):
        values = signal.lfilter([1], [1, -correlation], rng.standard_normal(2000))
        mean, error = mean_and_error(values)
        averages.append(mean)
        errors.append(error)
    # The SD of 200 averages is known to 5 %, and that of each error is larger.
    assert np.mean(errors) == pytest.approx(np.std(averages), rel=0.2)


def test_error_of_independent_draws_has_no_autocorrelation_to_count():
    rng = np.random.default_rng(8)
    values = signal.lfilter([1], [1, -0.9], rng.standard_normal(2000))
    _, error = mean_and_error(rng.permutation(values), independent=True)
    assert error == pytest.approx(values.std() / np.sqrt(2000), rel=1e-9)
    assert error < 0.5 * mean_and_error(values)[1]


def test_only_integrated_posteriors_have_independent_draws():
    sampled = Subject(None, "partial", None, None, None, [], SAMPLED_WELL)
    integrated = Subject(None, "partial", None, None, None, [], {"numerical_error": 1e-6})
    assert (sampled.independent, integrated.independent) == (False, True)
    assert not replace(sampled, sampling=SAMPLED_WELL | {"numerical_error": np.nan}).independent


def test_error_of_a_weighted_average_is_that_of_importance_sampling():
    rng, averages, errors = np.random.default_rng(6), [], []
    for _ in range(300):
        draws = rng.standard_normal((500, 4))
        weights = np.exp(0.7 * draws)
        mean, error = mean_and_error(draws.ravel(), (weights / weights.sum()).ravel(), 4)
        averages.append(mean)
        errors.append(error)
    assert np.mean(averages) == pytest.approx(0.7, abs=0.01)
    assert np.mean(errors) == pytest.approx(np.std(averages), rel=0.15)


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


ONE_STUDY = "study,events,n\na,{events},{n}\n"


@pytest.mark.parametrize(("events", "verdict"), [(5, "warn"), (250, "warn")])
def test_one_study_is_compared_with_the_prior_alone_and_fails_nothing(tmp_path, events, verdict):
    loaded = evidence_of(tmp_path, ONE_STUDY.format(events=events, n=500))
    (outcome,) = mp.check(mp.fit(loaded, engine="exact"), loaded).outcomes
    last = outcome.checks[-1]
    assert (outcome.verdict, last.check) == (verdict, LEFT_OUT)
    assert "other studies" not in outcome.reason
    if events == 5:
        assert last.mid_p < 0.01
        assert "the prior alone predicts, there being no other study" in outcome.reason


def test_evidence_that_rules_nothing_out_is_warned_of(tmp_path):
    rows = "".join(f"s{i},0,{n},{n},d{i % 2}\n" for i, n in enumerate([5, 8, 12, 9]))
    loaded = evidence_of(tmp_path, "study,events_min,events_max,n,disease\n" + rows)
    (outcome,) = mp.check(mp.fit(loaded, engine="exact"), loaded).outcomes
    assert outcome.verdict == "warn"
    assert "the rates are their priors" in outcome.reason


# ---- the review


@pytest.fixture(scope="module")
def evidence():
    return mp.load_evidence()


@pytest.fixture
def replicated(evidence):
    rng = np.random.default_rng(1)
    rate = np.where(evidence.rows["outcome"] == "improvement", 0.6, 0.05)
    return rng.binomial(evidence.rows["n"], rate, (500, len(evidence.rows)))


def compare_review(evidence, replicated):
    """Compare counts that nobody fitted with the review."""
    terms = build_terms(evidence.rows, evidence.outcome_names, evidence.diseases)
    return compare(Subject(terms, "partial", None, replicated, None, [], {}, evidence))


def test_review_is_compared_with_the_evidences_own_arms(evidence, replicated):
    found = compare_review(evidence, replicated)
    by_key = {(r.details["disease"], r.outcome): r for r in found}
    deaths = by_key["systemic_lupus_erythematosus", "death"]
    mine = (evidence.rows["outcome"] == "death") & (
        evidence.rows["disease"] == "systemic_lupus_erythematosus"
    )
    totals = [int(counts[mine.to_numpy()].sum()) for counts in replicated]
    assert deaths.predicted == pytest.approx(np.mean(totals))
    assert deaths.mid_p == pytest.approx(np.mean([(t > 15) + 0.5 * (t == 15) for t in totals]))
    assert by_key["systemic_sclerosis", "improvement"].verdict == "no rows"
    assert all(r.details["disease"] != "all" for r in found)


def test_what_rows_were_derived_from_is_shown_and_not_judged(evidence, replicated):
    found = compare_review(evidence, replicated)
    apart = {(r.details["disease"], r.outcome) for r in found if r.verdict == "not independent"}
    assert apart == {
        ("atopic_dermatitis", "remission"),
        ("chronic_spontaneous_urticaria", "remission"),
    }


def test_a_row_derived_from_the_review_that_another_definition_replaces_is_judged(evidence):
    mine = evidence.outcomes["locator"].str.startswith("review abstract: no complete remission")
    other = evidence.outcomes[mine].assign(
        definition="IGA 0", primary=False, locator="table 2", events_max=1
    )
    both = replace(evidence, outcomes=pd.concat([evidence.outcomes, other], ignore_index=True))
    verdicts = {}
    for definitions in ("primary", "alternative"):
        chosen = both.select(definitions=definitions)
        drawn = np.zeros((10, len(chosen.rows)), int)
        found = compare_review(chosen, drawn)
        verdicts[definitions] = [
            one.verdict
            for one in found
            if (one.details["disease"], one.outcome) == ("atopic_dermatitis", "remission")
        ]
    assert verdicts == {"primary": ["not independent"], "alternative": ["not judged"]}


def test_what_the_review_says_of_other_patients_is_compared_and_not_judged(evidence, replicated):
    found = compare_review(evidence, np.zeros_like(replicated))
    assert {r.verdict for r in found} == {"not judged", "not independent", "no rows"}
    far = [r for r in found if r.verdict == "not judged" and r.mid_p == 0]
    assert far
    assert all(r.mid_p_mcse is not None for r in far)


# ---- from a stored fit


SINGLE_OUTCOME = """study,events,n,disease
a,5,20,one
b,7,21,one
c,4,19,one
d,11,20,two
e,12,22,two
f,9,18,two
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    loaded = evidence_of(tmp_path_factory.mktemp("small"), SINGLE_OUTCOME)
    return loaded, mp.fit(loaded, draws=500, tune=500, seed=3)


@pytest.mark.mcmc
def test_check_of_a_fit_has_the_documented_shape(small):
    loaded, fit = small
    result = mp.check(fit, loaded)
    found = result.to_dict()
    assert CheckResult.from_dict(json.loads(json.dumps(found, allow_nan=False))).to_dict() == found
    assert list(found) == ["verdict", "outcomes", "sampling", "loo", "review", "run"]
    (outcome,) = found["outcomes"]
    assert list(outcome) == ["outcome", "verdict", "reason", "checks"]
    assert [c["check"] for c in outcome["checks"]] == [*DISCREPANCIES, LEFT_OUT]
    assert list(outcome["checks"][0]) == [
        *("check", "observed", "predicted", "mid_p", "mid_p_mcse", "verdict")
    ]
    assert [list(one) for one in found["loo"]] == [
        ["study", "outcome", "elpd", "pareto_k", "pit", "mid_p", "mid_p_mcse"] for _ in range(6)
    ]
    assert found["run"]["data_sha256"] == loaded.sha256
    assert found["verdict"] != "fail"
    assert found == mp.check(fit, loaded).to_dict()


@pytest.mark.mcmc
def test_elpd_agrees_with_a_fit_without_the_study(small):
    loaded, fit = small
    terms = check.terms_of_fit(fit)
    found = {one["study"]: one["elpd"] for one in mp.check(fit).loo}

    refit = check._refitter("partial", mp.named_set("default"), 5)
    for unit in (0, 4):
        without = refit(without_unit(terms, unit), 1000)
        own = integrated_log_likelihood(without, only_units(terms, [unit]))[:, unit]
        exact = logsumexp(own) - np.log(len(own))
        # Two Monte-Carlo estimates from some thousand draws each.
        assert found[terms.units["study"][unit]] == pytest.approx(exact, abs=0.06)


@pytest.mark.mcmc
def test_a_fit_of_other_data_is_refused(small, evidence):
    with pytest.raises(ValueError, match="other data"):
        mp.check(small[1], evidence)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["exact", "nuts"])
@pytest.mark.filterwarnings("ignore::mscpool.analysis.fitting.exact_fit.NotIntegrated")
def test_ten_seeds_give_one_verdict_for_each_outcome_of_the_shipped_evidence(evidence, engine):
    results = [mp.check(mp.fit(evidence, engine=engine, seed=s), evidence) for s in range(1, 11)]
    for name in [each.outcome for each in results[0].outcomes]:
        assert len({result.verdict_of(name) for result in results}) == 1, name
