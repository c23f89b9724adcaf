"""The verdict: what it follows from, and that no seed changes it."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import signal, stats
from scipy.special import expit, logsumexp

import mscpool as mp
from mscpool.analysis.fitting.predict import integrated_log_likelihood
from mscpool.analysis.guard import check, discrepancies
from mscpool.analysis.guard.discrepancies import DISCREPANCIES
from mscpool.analysis.guard.disease_left import only_units, without_unit
from mscpool.analysis.guard.identified import unidentified
from mscpool.analysis.guard.monte_carlo import is_clear, mean_and_error
from mscpool.analysis.guard.result import Check, CheckResult, Comparison, Subject
from mscpool.analysis.guard.sampling_verdict import judge_sampling
from mscpool.analysis.guard.surprise import LEFT_OUT

from ...builders import evidence_of, terms_of
from .levels import DISEASES, grid_posterior, integrated, leave, levels, one_disease

SAMPLED_WELL = {
    "max_r_hat": 1.002,
    "min_ess_bulk": 900.0,
    "min_ess_tail": 800.0,
    "divergences": 0,
    "e_bfmi": 0.9,
    "draws": 4000,
}


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
    assert outcome.reason.startswith("In s3, 30 of 30 patients had the outcome")


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
