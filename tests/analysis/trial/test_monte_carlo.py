"""Errors of averages over posterior draws, against repetition with other draws and arviz."""

import json

import numpy as np
import pytest
from arviz_stats.base import array_stats

from mscpool.analysis.trial.design import ess, precision, single_arm, two_arm
from mscpool.analysis.trial.monitoring import monitor, safety
from mscpool.analysis.trial.operating import predictive_moves, predictives
from mscpool.models.rates.effective_size import moment
from mscpool.models.rates.fit import map_prior
from mscpool.models.rates.prior import parse_prior, sampled_rate

from ...builders import ROUNDING

DRAWS, SEEDS = 900, 80
# The spread over 80 seeds is itself known to 8 %, batch means of 30 batches to 13 %: three of both.
AGREES = 0.45


def drawn(seed, size=DRAWS, repeat=1, shapes=(8, 12)):
    draws = np.random.default_rng(seed).beta(*shapes, size // repeat)
    return sampled_rate(np.repeat(draws, repeat), "the posterior of the next study")


def at(answer, place):
    for name in place.split("/"):
        answer = answer[int(name)] if isinstance(answer, list) else answer[name]
    return answer


ONE = {"null": 0.2, "target": 0.35, "rule": "dual"}
HARM = {"null": 0.1, "target": 0.3, "n_max": 30, "n_min": 10, "look": [10, 20, 30]}
REQUESTS = {
    "single-arm": (
        lambda prior: single_arm(design_prior=prior, n_min=30, n_max=31, **ONE),
        ("assurance", "width", "highest_attainable_assurance", "limiting_assurance"),
        {"assurance": "table/1/assurance", "width": "table/1/width"},
    ),
    "two-arm, both of the same draws": (
        lambda prior: two_arm(design_prior=prior, n_experimental=20, n_control=15, margin=0.1),
        ("assurance", "highest_attainable_assurance"),
        {"assurance": "table/0/assurance"},
    ),
    "two-arm, one drawn": (
        lambda prior: two_arm(
            design_prior_experimental=prior, design_prior_control="beta(6,14)", n_experimental=20,
            n_control=15, discount=0.2,
        ),
        ("assurance", "highest_attainable_assurance"),
        {"assurance": "table/0/assurance"},
    ),
    "two-arm, control drawn": (
        lambda prior: two_arm(
            design_prior_experimental="beta(10,10)", design_prior_control=prior,
            n_experimental=20, n_control=15, direction="below", margin=0.3,
        ),
        ("assurance", "highest_attainable_assurance"),
        {"assurance": "table/0/assurance"},
    ),
    "safety": (
        lambda prior: safety(design_prior=prior, assurance=0.99, n_so_far=5, discount=0.1, **HARM),
        (
            "zero_events/upper_design_prior", "operating_design_prior/stop",
            "operating_design_prior/expected_n",
        ),
        {},
    ),
    "safety, sprt": (
        lambda prior: safety(design_prior=prior, boundary="sprt", **HARM),
        ("detection/0/seen", "operating_design_prior/stop", "operating_design_prior/clear"),
        {},
    ),
    "monitor": (
        lambda prior: monitor(
            null=0.3, look=[10, 20, 40], futility=0.1, efficacy=0.95, design_prior=prior,
            events_so_far=5, n_so_far=10,
        ),
        ("success_probability", "success_probability_with_looks"),
        {},
    ),
    "precision": (
        lambda prior: precision(design_prior=prior, width=0.3, n_min=20, n_max=22),
        ("values/acc/value", "values/alc/value", "frequentist/rate"),
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REQUESTS)
def test_errors_are_the_spread_over_other_draws(name):
    ask, places, elsewhere = REQUESTS[name]
    answers = [ask(drawn(seed)).to_dict() for seed in range(SEEDS)]
    for place in places:
        values = [at(answer, elsewhere.get(place, place)) for answer in answers]
        errors = [at(answer, f"{place}_mcse") for answer in answers]
        assert np.mean(errors) == pytest.approx(np.std(values, ddof=1), rel=AGREES), place


@pytest.mark.parametrize("name", REQUESTS)
def test_errors_grow_with_autocorrelation_and_are_in_the_answer_and_paragraph(name):
    ask, places, _ = REQUESTS[name]
    once, ten_times = ask(drawn(1, 8000)), ask(drawn(1, 8000, repeat=10))
    for place in places:
        error = at(once.to_dict(), f"{place}_mcse")
        assert at(ten_times.to_dict(), f"{place}_mcse") > 2 * error > 0
    assert "Monte-Carlo standard error" in once.paragraph
    assert json.loads(json.dumps(once.to_dict(), allow_nan=False)) == once.to_dict()


@pytest.mark.parametrize("name", REQUESTS)
def test_what_is_integrated_has_no_error(name):
    ask, places, _ = REQUESTS[name]
    result = ask(parse_prior("beta(8,12)"))
    assert all(at(result.to_dict(), f"{place}_mcse") is None for place in places)
    assert "Monte-Carlo" not in result.paragraph
    assert not any("mcse" in str(name) for name in result.table.columns)


def test_error_of_autocorrelated_chains_is_that_of_their_effective_sample_size():
    rng = np.random.default_rng(5)
    steps = rng.normal(size=(4, 4000))
    chains = steps.copy()
    for i in range(1, 4000):
        chains[:, i] = 0.6 * chains[:, i - 1] + steps[:, i]
    rates = 1 / (1 + np.exp(-chains))
    prior = sampled_rate(rates)
    assert prior.standard_error(rates.ravel()) == pytest.approx(
        float(array_stats.mcse(rates, method="mean")), rel=0.3
    )
    assert prior.quantile_error(0.95) == pytest.approx(
        float(array_stats.mcse(rates, method="quantile", prob=0.95)), rel=0.3
    )


def test_predictives_move_with_each_batch_as_with_its_draws():
    prior = drawn(2)
    moves = predictive_moves(prior, [4, 7])
    assert moves is not None
    for n, own in moves.items():
        whole = prior.predictive(n)
        first = sampled_rate(prior.rates[:30]).predictive(n)
        assert own.shape == (30, n + 1)
        assert own[0] == pytest.approx(first - whole, abs=ROUNDING)
        assert predictives(prior, [4, 7])[n] == pytest.approx(whole, abs=ROUNDING)
    assert predictive_moves(parse_prior("beta(1,1)"), [4]) is None


@pytest.mark.parametrize("size", ["single-arm", "two-arm"])
def test_each_row_of_a_table_has_the_error_of_its_assurance(size):
    prior = drawn(3)
    if size == "single-arm":
        result = single_arm(null=0.2, design_prior=prior, n_min=20, n_max=40)
        same = [
            single_arm(null=0.2, design_prior=prior, n_min=n, n_max=n).to_dict()["assurance_mcse"]
            for n in range(20, 41)
        ]
    else:
        result = two_arm(design_prior_experimental=prior, design_prior_control="0.1", n_max=20)
        same = [
            two_arm(
                design_prior_experimental=prior, design_prior_control="0.1",
                n_experimental=int(row.n_experimental), n_control=int(row.n_control),
            ).to_dict()["assurance_mcse"]
            for row in result.table.itertuples()
        ]  # fmt: skip
    assert result.table["assurance_mcse"].to_numpy() == pytest.approx(same, rel=1e-9)
    best = result.to_dict()["best_assurance"]
    assert best["assurance_mcse"] == pytest.approx(
        result.table.loc[result.table["assurance"].idxmax(), "assurance_mcse"]
    )


def test_precision_has_its_errors_in_the_table_too():
    result = precision(width=0.3, design_prior=drawn(1), n_max=60)
    table = result.table.set_index("criterion")["value_mcse"]
    for name in ("acc", "alc"):
        assert table[name] == result.to_dict()["values"][name]["value_mcse"] > 0
    assert np.isnan(table["woc"])  # a largest width is no average


def test_worth_of_draws_has_the_error_of_fitting_a_mixture_to_them():
    priors = [map_prior(drawn(seed, shapes=(6, 14)), components=(1,)).prior for seed in range(40)]
    results = [ess(prior=drawn(seed, shapes=(6, 14))) for seed in range(3)]
    for name, values in {
        "moment": [moment(prior) for prior in priors],
        "mean": [prior.mean for prior in priors],
        "sd": [prior.sd for prior in priors],
    }.items():
        error = np.mean([result.to_dict()[f"{name}_mcse"] for result in results])
        # Three times ten stretches of draws leave 14 %, forty seeds 11 % of error.
        assert error == pytest.approx(np.std(values, ddof=1), rel=0.5), name
    assert all("Monte-Carlo standard error" in result.paragraph for result in results)
    assert ess(prior="beta(6,14)").to_dict()["moment_mcse"] is None
