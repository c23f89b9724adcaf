import json
import math
import re
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mscpool.analysis.trial.design import ess, precision, single_arm, two_arm, two_stage
from mscpool.analysis.trial.monitoring import monitor, safety
from mscpool.analysis.trial.operating import Rule, as_analysis, crossing_probabilities, predictives
from mscpool.analysis.trial.result import smallest_lasting
from mscpool.models.direction import Direction
from mscpool.models.rates.prior import parse_prior, point_rate, sampled_rate

from ...builders import ROUNDING

MIXTURE = "0.7*beta(6,14)+0.3*beta(1,1)"


def by_hand(n, null, level, a, b, direction="above"):
    """Counts of n that a beta(a, b) analysis calls a success, one by one."""
    found = []
    for events in range(n + 1):
        posterior = stats.beta(a + events, b + n - events)
        p = posterior.sf(null) if direction == "above" else posterior.cdf(null)
        if p > level:
            found.append(events)
    return found


@dataclass(frozen=True)
class GridAnalysis:
    """The same analysis by brute force, to stand for any object with the three functions."""

    words: str = "a grid"
    size: int = 4000

    def _posterior(self, n):
        rates = (np.arange(self.size) + 0.5) / self.size
        prior = 0.7 * stats.beta.pdf(rates, 6, 14) + 0.3
        joint = prior / self.size * stats.binom.pmf(np.arange(n + 1)[:, None], n, rates)
        return rates, joint

    def probability_above(self, threshold, n):
        rates, joint = self._posterior(n)
        return joint[:, rates > threshold].sum(axis=1) / joint.sum(axis=1)

    def quantile(self, probability, n):
        rates, joint = self._posterior(n)
        below = np.cumsum(joint, axis=1) / joint.sum(axis=1, keepdims=True)
        return np.array([np.interp(probability, row, rates) for row in below])

    def predictive(self, n):
        return self._posterior(n)[1].sum(axis=1)


@pytest.mark.parametrize("direction", ["above", "below"])
def test_every_number_of_a_row_is_the_enumerated_one(direction):
    null, target = (0.2, 0.4) if direction == "above" else (0.4, 0.2)
    result = single_arm(
        null=null, target=target, power_at=0.35, direction=direction, n_min=8, n_max=14,
        analysis_prior="beta(0.5,0.7)", design_prior="beta(3,5)", level=0.9,
    )  # fmt: skip
    for row in result.to_dict()["table"]:
        n = row["n"]
        success = by_hand(n, null, 0.9, 0.5, 0.7, direction)
        assert row["critical"] == (min(success) if direction == "above" else max(success))

        def chance(rate, n=n, success=success):
            return sum(stats.binom.pmf(y, n, rate) for y in success)

        assert row["type1"] == pytest.approx(chance(null), abs=ROUNDING)
        assert set(row["power"]) == {f"{target:g}", "0.35"}
        assert row["power"]["0.35"] == pytest.approx(chance(0.35), abs=ROUNDING)
        assert row["power"][f"{target:g}"] == pytest.approx(chance(target), abs=ROUNDING)
        predictive = stats.betabinom(n, 3, 5)
        assert row["assurance"] == pytest.approx(sum(map(predictive.pmf, success)), abs=ROUNDING)
        width = sum(
            predictive.pmf(y)
            * (lambda d: d.ppf(0.975) - d.ppf(0.025))(stats.beta(0.5 + y, 0.7 + n - y))
            for y in range(n + 1)
        )
        assert row["width"] == pytest.approx(width, abs=1e-9)


def test_dual_rule_also_wants_the_median_beyond_the_target():
    result = single_arm(null=0.2, target=0.4, rule="dual", n_min=20, n_max=40)
    for row in result.to_dict()["table"]:
        n = row["n"]
        passing = [
            y for y in by_hand(n, 0.2, 0.95, 1, 1) if stats.beta(1 + y, 1 + n - y).median() > 0.4
        ]
        assert row["critical"] == min(passing)
    assert "posterior median is above 0.4" in result.rule


def test_type1_bound_takes_the_smallest_count_that_also_passes_the_rule():
    free = single_arm(null=0.2, n_min=5, n_max=60).to_dict()
    bound = single_arm(null=0.2, n_min=5, n_max=60, type1=0.03).to_dict()
    assert bound["type1_above"] == []
    assert free["type1_above"] == [row["n"] for row in free["table"] if row["type1"] > 0.05]
    assert free["type1_above"]
    for loose, tight in zip(free["table"], bound["table"], strict=True):
        n = tight["n"]
        exact = [y for y in range(n + 1) if stats.binom.sf(y - 1, n, 0.2) <= 0.03]
        assert tight["critical"] == max(loose["critical"], min(exact))


def test_size_without_any_success_has_no_critical_count():
    row = single_arm(null=0.9, n_min=5, n_max=5, level=0.99).to_dict()["table"][0]
    assert (row["critical"], row["type1"]) == (None, 0.0)


def test_recommended_size_holds_for_every_larger_one_in_range():
    result = single_arm(null=0.2, target=0.4, power=0.8, type1=0.05, n_max=100, assurance=None)
    power = {row["n"]: row["power"]["0.4"] for row in result.to_dict()["table"]}
    n = result.to_dict()["recommended_n"]
    assert all(power[size] >= 0.8 for size in range(n, 101))
    assert power[n - 1] < 0.8
    # The sawtooth: a smaller size reaches it, but the next one does not.
    assert any(power[size] >= 0.8 for size in range(5, n))
    assert n == result.to_dict()["frequentist"]["n"]


def test_both_targets_must_hold():
    wanted = {"null": 0.2, "target": 0.4, "design_prior": "beta(8,12)"}
    alone = single_arm(**wanted).to_dict()["recommended_n"]
    powered = single_arm(**wanted, power=0.95, assurance=None).to_dict()["recommended_n"]
    both = single_arm(**wanted, power=0.95).to_dict()["recommended_n"]
    assert both == max(alone, powered)


def test_unreachable_wish_is_an_answer_with_the_best_size():
    result = single_arm(null=0.2, design_prior="beta(4,16)", n_max=60)
    best = max(result.to_dict()["table"], key=lambda row: row["assurance"])
    assert result.to_dict()["recommended_n"] is None
    assert result.to_dict()["best_assurance"] == {"n": best["n"], "assurance": best["assurance"]}
    assert f"{best['assurance']:.3f}, at {best['n']} patients" in result.paragraph
    attainable = stats.beta.sf(0.2, 4, 16)
    assert result.to_dict()["highest_attainable_assurance"] == pytest.approx(attainable)


def test_unreachable_power_is_an_answer_with_the_best_size():
    result = single_arm(null=0.2, target=0.25, power=0.9, assurance=None, n_max=60)
    best = max(result.to_dict()["table"], key=lambda row: row["power"]["0.25"])
    assert result.to_dict()["recommended_n"] is None
    assert result.to_dict()["best_power"] == {"n": best["n"], "power": best["power"]["0.25"]}
    assert f"the best power is {best['power']['0.25']:.3f}, at {best['n']} pat" in result.paragraph


def test_assurance_approaches_the_probability_that_the_rule_is_deserved():
    # The gap falls with the square root of n: about 1 / sqrt(2000) is left.
    endless = single_arm(null=0.2, design_prior="beta(8,12)", n_min=2000, n_max=2000).to_dict()
    assert endless["table"][0]["assurance"] == pytest.approx(
        endless["highest_attainable_assurance"], abs=0.02
    )
    dual = single_arm(
        null=0.2, target=0.4, rule="dual", design_prior="beta(8,12)", n_min=2000, n_max=2000
    ).to_dict()
    assert dual["table"][0]["assurance"] == pytest.approx(dual["limiting_assurance"], abs=0.01)


def test_a_point_design_prior_makes_assurance_power():
    result = single_arm(null=0.2, target=0.4, design_prior="0.4", n_max=40)
    for row in result.to_dict()["table"]:
        assert row["assurance"] == pytest.approx(row["power"]["0.4"], abs=ROUNDING)


def test_sampled_design_prior_agrees_with_its_distribution_and_states_its_error():
    draws = np.random.default_rng(4).beta(8, 12, 8000)
    exact = single_arm(null=0.2, design_prior="beta(8,12)", n_min=40, n_max=45).to_dict()
    sampled = single_arm(null=0.2, design_prior=sampled_rate(draws), n_min=40, n_max=45)
    few = single_arm(null=0.2, design_prior=sampled_rate(draws[:500]), n_min=40, n_max=45)
    error = sampled.to_dict()["assurance_mcse"]
    assert few.to_dict()["assurance_mcse"] > 2 * error > 0
    for row, same in zip(exact["table"], sampled.to_dict()["table"], strict=True):
        assert same["assurance"] == pytest.approx(row["assurance"], abs=4 * error)
    assert "Monte-Carlo standard error" in sampled.paragraph
    assert exact["assurance_mcse"] is None


def test_a_size_that_suffices_by_luck_is_not_said_not_to():
    """The sawtooth reaches the wish at 88 of 100 patients and loses it again."""
    result = single_arm(
        null=0.1, direction="below", design_prior="beta(1,35)", n_max=100, assurance=0.8
    )
    assert result.to_dict()["best_assurance"]["assurance"] > 0.8
    assert result.to_dict()["recommended_n"] is None
    assert result.to_dict()["discount_limit"] == 0
    assert "no number in range suffices with every" in result.paragraph


@pytest.mark.parametrize("direction", ["above", "below"])
def test_discount_weakens_the_design_prior_and_its_limit_is_where_nothing_suffices(direction):
    null, prior = (0.2, "beta(12,18)") if direction == "above" else (0.5, "beta(6,24)")
    wanted = {"null": null, "design_prior": prior, "direction": direction, "n_max": 120}
    answer = single_arm(**wanted).to_dict()
    sizes = [row["recommended_n"] for row in answer["discounts"]]
    assert sizes[0] == answer["recommended_n"]
    known = [math.inf if n is None else n for n in sizes]
    assert known == sorted(known)
    limit = answer["discount_limit"]
    short = single_arm(**wanted, discount=limit - 1e-4).to_dict()
    beyond = single_arm(**wanted, discount=limit + 1e-4).to_dict()
    assert short["recommended_n"] is not None
    assert beyond["recommended_n"] is None
    table = {row["n"]: row["assurance"] for row in answer["table"]}
    assert all(row["assurance"] < table[row["n"]] for row in short["table"][20:])


def test_any_analysis_with_three_functions_serves():
    # Ten thousandths: the grid's step is 1/4000 and its densities are below 10.
    exact = single_arm(
        null=0.2, analysis_prior=MIXTURE, design_prior="beta(8,12)", n_min=20, n_max=26
    )
    other = single_arm(
        null=0.2, analysis_prior=GridAnalysis(), design_prior="beta(8,12)", n_min=20, n_max=26
    )
    for left, right in zip(exact.to_dict()["table"], other.to_dict()["table"], strict=True):
        assert left["critical"] == right["critical"]
        assert left["width"] == pytest.approx(right["width"], abs=1e-3)
    look = {"null": 0.2, "look": [10, 25], "futility": 0.1, "n_so_far": 10, "events_so_far": 3}
    exact, other = (
        monitor(**look, analysis_prior=MIXTURE),
        monitor(**look, analysis_prior=GridAnalysis()),
    )
    assert exact.to_dict()["looks"] == other.to_dict()["looks"]
    assert exact.to_dict()["success_probability"] == pytest.approx(
        other.to_dict()["success_probability"], abs=1e-4
    )


def test_published_decision_boundaries(root):
    text = (root / "tests/reference/beta_mixture_primitives.json").read_text("utf-8")
    values = {case["f"]: case["v"] for case in json.loads(text)["cases"]}
    analysis = as_analysis("0.2*beta(2,2)+0.8*beta(5,5)")
    below = Rule(0.6, level=0.95, direction=Direction.BELOW).critical(analysis, 50)
    assert below == values["largest r of 50 with P(theta<=.6)>.95, prior .2 Beta(2,2)+.8 Beta(5,5)"]
    # The source counts its boundary for the upper tail as the last count that is no success.
    above = Rule(0.6, level=0.6).critical(analysis, 50)
    assert above - 1 == values["boundary r for P(theta>.6)>.6, same prior"]


@given(st.integers(1, 60), st.integers(1, 40))
def test_predictives_by_leaving_patients_out_are_the_beta_binomials(n_max, steps):
    sizes = range(max(n_max - steps, 0), n_max + 1)
    found = predictives(parse_prior("beta(0.7,2.5)"), sizes)
    for n in sizes:
        np.testing.assert_allclose(
            found[n], stats.betabinom.pmf(np.arange(n + 1), n, 0.7, 2.5), atol=ROUNDING
        )


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_smallest_lasting_size(suffices):
    sizes = range(5, 5 + len(suffices))
    found = smallest_lasting(sizes, np.array(suffices))
    lasting = [n for n in sizes if all(suffices[n - 5 :])]
    assert found == (lasting[0] if lasting else None)


@settings(max_examples=25)
@given(st.data())
def test_crossing_probabilities_are_those_of_all_sequences(data):
    looks = sorted(data.draw(st.sets(st.integers(1, 9), min_size=1, max_size=3)))
    lower = [data.draw(st.one_of(st.none(), st.integers(0, n // 3))) for n in looks]
    upper = [
        data.draw(st.one_of(st.none(), st.integers(n // 2 + 1, max(n, n // 2 + 1)))) for n in looks
    ]
    rate = 0.35
    low = high = expected = 0.0
    for pattern in range(2 ** looks[-1]):
        outcomes = [(pattern >> k) & 1 for k in range(looks[-1])]
        chance = math.prod(rate if event else 1 - rate for event in outcomes)
        for n, bottom, top in zip(looks, lower, upper, strict=True):
            count = sum(outcomes[:n])
            if top is not None and count >= top:
                high += chance
                break
            if bottom is not None and count <= bottom:
                low += chance
                break
        expected += chance * n
    crossing = crossing_probabilities([rate], looks, lower, upper)
    assert crossing.lower[0] == pytest.approx(low, abs=ROUNDING)
    assert crossing.upper[0] == pytest.approx(high, abs=ROUNDING)
    assert crossing.expected_n[0] == pytest.approx(expected, abs=1e-10)
    assert crossing.path.sum() == pytest.approx(1 - low - high, abs=ROUNDING)


def test_worth_of_a_prior_has_the_shape_of_the_command():
    answer = ess(prior="0.2*beta(1,1)+0.8*beta(10,2)").to_dict()
    assert {"elir", "moment", "morita", "mean", "sd", "q2.5", "q50", "q97.5"} <= set(answer)
    assert answer["elir"] == pytest.approx(7.65152, abs=5e-6)
    assert ess(prior="0.5*beta(0.5,1)+0.5*beta(3,9)").to_dict()["elir"] is None


def test_worth_of_draws_is_that_of_their_distribution():
    draws = np.random.default_rng(8).beta(5, 15, 20_000)
    answer = ess(prior=sampled_rate(draws)).to_dict()
    # Twenty thousand draws give the two shapes to about 1 %.
    assert answer["elir"] == pytest.approx(20, rel=0.05)
    assert answer["distance"] < 0.02


PLAN = {"null": 0.2, "target": 0.4}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"null": 1.2}, "null 1.2: give a value between 0 and 1"),
        ({"null": 0.0}, "null 0: the event would never happen"),
        ({"null": math.nan}, "null nan: give a value between 0 and 1"),
        ({"target": 0.1}, "target 0.1 is not above null 0.2"),
        ({"target": 0.2}, "target 0.2 is not above null 0.2"),
        ({"direction": "below"}, "target 0.4 is not below null 0.2"),
        ({"direction": "up"}, "direction 'up': choose above or below"),
        ({"rule": "triple"}, "rule 'triple': choose single or dual"),
        ({"target": None, "rule": "dual"}, "give target"),
        ({"target": None, "power": 0.8}, "give target"),
        ({"n_min": 50, "n_max": 20}, "n_max 20 is below n_min 50"),
        ({"n_min": 0}, "n_min 0: give a whole number of at least 1"),
        ({"level": 1.0}, "level 1: give"),
        ({"type1": 0.0}, "type1 0: give"),
        ({"power": 1.5}, "power 1.5: give"),
        ({"assurance": -0.1}, "assurance -0.1: give"),
        ({"coverage": 95}, "coverage 95: give"),
        ({"power_at": [0.3, 1.3]}, "power_at 1.3: give"),
        ({"discount": math.inf}, "discount inf: give a number"),
        ({"discount": -0.5, "design_prior": "beta(1,1)"}, "discount -0.5: give a number"),
        ({"discount": 0.5}, "discount 0.5 is of a design prior: give design_prior"),
        ({"n_max": 10**8}, "n_max 100000000: give at most 2000 patients"),
        ({"n_max": math.nan}, "n_max nan: give a whole number"),
        ({"analysis_prior": "0.3"}, "a fixed rate leaves nothing to learn"),
        ({"analysis_prior": "beta(1)"}, "not understood"),
        ({"analysis_prior": sampled_rate([0.1, 0.2])}, "fit a beta mixture to it first"),
        ({"design_prior": "0.5*beta(1,1)+0.4*beta(2,2)"}, "weights sum to 0.9"),
    ],
)
def test_senseless_request_gets_one_line_that_says_what_to_change(change, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        single_arm(**(PLAN | change))
    assert "\n" not in str(caught.value)


def test_worth_of_a_fixed_rate_is_refused():
    with pytest.raises(ValueError, match="fixed rate is worth any number"):
        ess(prior="0.3")


DRAWS = sampled_rate(np.random.default_rng(1).beta(8, 12, 1000), "the posterior of the next study")
RESULTS = {
    "single": lambda: single_arm(null=0.2, target=0.4, power=0.8, design_prior="beta(8,12)"),
    "single, drawn": lambda: single_arm(
        null=0.2, target=0.45, rule="dual", power_at=[0.3, 0.5], design_prior=DRAWS, discount=0.3
    ),
    "single, harm": lambda: single_arm(
        null=0.3, target=0.1, direction="below", type1=0.05, design_prior="beta(2,18)"
    ),
    "single, nothing wanted": lambda: single_arm(null=0.2),
    "two-arm": lambda: two_arm(
        control_rate=[0.2, 0.3], effect=0.3, power=0.8, design_prior_experimental="beta(12,8)",
        design_prior_control="beta(6,14)", n_max=120, allocation=2, discount=0.2, type1=0.05,
    ),
    "two-arm, given": lambda: two_arm(n_experimental=24, n_control=6, margin=-0.1),
    "two-arm, none": lambda: two_arm(
        design_prior="beta(6,14)", design_prior_control="beta(5,15)", n_max=20
    ),
    "precision": lambda: precision(width=0.3),
    "precision, none": lambda: precision(width=0.1, n_max=60),
    "safety": lambda: safety(null=0.1, target=0.3, rate=0.05, design_prior="beta(1,9)", n_max=40),
    "safety, sprt": lambda: safety(null=0.1, target=0.3, boundary="sprt", n_max=40),
    "safety, detection": lambda: safety(rate=0.02),
    "monitor": lambda: monitor(
        null=0.2, target=0.4, look=[10, 20, 40], futility=0.05, efficacy=0.99, events_so_far=4,
        n_so_far=10, design_prior="beta(8,12)",
    ),
    "monitor, harm": lambda: monitor(
        null=0.3, target=0.1, direction="below", look=[15, 30], futility=0.1
    ),
    "two-stage": lambda: two_stage(null=0.2, target=0.4),
    "two-stage, none": lambda: two_stage(null=0.2, target=0.25, n_max=20),
    "ess": lambda: ess(prior=MIXTURE),
    "two-arm, drawn": lambda: two_arm(design_prior=DRAWS, n_max=12),
    "precision, drawn": lambda: precision(width=0.3, design_prior=DRAWS),
    "precision, drawn, none": lambda: precision(width=0.1, design_prior=DRAWS, n_max=20),
    "safety, drawn": lambda: safety(null=0.1, design_prior=DRAWS, n_max=40),
    "monitor, drawn": lambda: monitor(null=0.2, look=[10, 20], futility=0.1, design_prior=DRAWS),
    "ess, drawn": lambda: ess(prior=DRAWS),
}  # fmt: skip


def numbers_within(value):
    """Yield every number of a result, those written in texts included."""
    if isinstance(value, dict):
        for key, own in value.items():
            yield from numbers_within(key)
            yield from numbers_within(own)
    elif isinstance(value, list | tuple):
        for own in value:
            yield from numbers_within(own)
    elif isinstance(value, str):
        yield from (float(text) for text in re.findall(r"\d+\.?\d*(?:e-?\d+)?", value))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield abs(float(value))


@pytest.mark.parametrize("name", RESULTS)
def test_result_is_json_and_its_paragraph_says_nothing_else(name):
    result = RESULTS[name]()
    whole = result.to_dict()
    assert json.loads(json.dumps(whole, allow_nan=False)) == whole
    assert {"request", "rule", "paragraph"} <= set(whole)
    told = {name: each for name, each in whole.items() if name not in ("rule", "paragraph")}
    known = np.array(list(numbers_within(told)))
    known = np.append(known, [95.0, 1.0])  # "95 % interval"; r1 in the name of a count
    for text in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", result.paragraph):
        decimals = len(text.partition(".")[2])
        close = np.abs(known - float(text)) <= 0.5 * 10.0**-decimals + 1e-12
        if not decimals:
            close = known == float(text)
        assert close.any(), f"{text} is not in the result"


def test_results_with_a_fixed_truth_need_no_noise():
    assert point_rate(0.3).standard_error(np.array([1.0])) is None


def test_a_map_prior_is_worth_a_number_of_patients():
    """Draws whose free fit has a part with a shape below one; a part piled up at 0 has none."""
    rng = np.random.default_rng(3)
    rates = np.concatenate([rng.beta(0.9, 3, 1500), rng.beta(3, 9, 1500)])
    found = ess(prior=sampled_rate(rates)).to_dict()
    assert found["elir"] > 0
    assert found["distance"] < 0.05
    piled = "0.55*beta(1,7)+0.28*beta(1,24)+0.13*beta(1,220)+0.04*beta(1,5621)"
    assert ess(prior=piled).to_dict()["elir"] is None
