import math
import re

import numpy as np
import pytest
from scipy import integrate, stats
from statsmodels.stats.proportion import proportion_confint

from mscpool.analysis.trial.monitoring import monitor, predictive_probability, safety
from mscpool.models.rates.prior import parse_prior, point_rate, sampled_rate

from ...builders import ROUNDING


def follow(rate, looks, stops):
    """Walk every path of counts, patient by patient: chances of each ending and the mean size."""
    ends = {"low": 0.0, "high": 0.0, "open": {}}
    expected = 0.0
    paths = {0: 1.0}
    for patient in range(1, looks[-1] + 1):
        grown = {}
        for count, chance in paths.items():
            grown[count] = grown.get(count, 0) + chance * (1 - rate)
            grown[count + 1] = grown.get(count + 1, 0) + chance * rate
        paths = grown
        if patient in looks:
            for count in list(paths):
                side = stops(patient, count)
                if side:
                    chance = paths.pop(count)
                    ends[side] += chance
                    expected += chance * patient
    ends["open"] = paths
    return ends, expected + looks[-1] * sum(paths.values())


@pytest.mark.parametrize(("rate", "probability"), [(0.05, 0.8), (0.01, 0.95), (0.5, 0.5)])
def test_patients_to_detect_are_the_fewest_that_do(rate, probability):
    answer = safety(rate=rate, assurance=probability).to_dict()
    n = answer["n_to_detect"]
    assert 1 - (1 - rate) ** n >= probability - 1e-12
    assert 1 - (1 - rate) ** (n - 1) < probability


@pytest.mark.parametrize("text", ["beta(1,19)", "0.6*beta(2,48)+0.4*beta(0.5,0.5)"])
def test_patients_to_detect_averaged_over_the_design_prior(text):
    prior = parse_prior(text)
    n = safety(design_prior=text, assurance=0.9).to_dict()["n_to_detect"]

    def unseen(size):
        return sum(
            integrate.quad(lambda p: prior.density(p) * (1 - p) ** size, *ends)[0]
            for ends in ((0, 1e-4), (1e-4, 0.1), (0.1, 1 - 1e-4))
        )

    assert unseen(n) <= 0.1 + 1e-8
    assert unseen(n - 1) > 0.1
    both = safety(design_prior=text, rate=0.02, assurance=0.9).to_dict()
    assert [row["n"] for row in both["detection"]] == [both["n_to_detect"], n]


def test_events_that_may_be_impossible_are_never_detected_for_sure():
    answer = safety(design_prior=sampled_rate([0.0, 0.1]), assurance=0.8).to_dict()
    assert answer["n_to_detect"] is None
    assert safety(design_prior=point_rate(0.1)).to_dict()["n_to_detect"] == 16


def test_zero_events_leave_the_posterior_bound_beside_the_rule_of_three():
    answer = safety(rate=0.05, n_so_far=30, analysis_prior="beta(0.5,4)").to_dict()
    zero = answer["zero_events"]
    assert zero["n"] == 30
    assert zero["upper"] == pytest.approx(stats.beta.ppf(0.95, 0.5, 34))
    assert zero["rule_of_three"] == pytest.approx(0.1)
    # A two-sided 90 % interval has the one-sided 95 % bound.
    exact = proportion_confint(0, 30, alpha=0.1, method="beta")[1]
    assert answer["frequentist"]["exact_upper"] == pytest.approx(exact)
    detecting = safety(rate=0.05).to_dict()
    assert detecting["zero_events"]["n"] == detecting["n_to_detect"] == 32


def test_zero_events_are_also_told_under_the_design_prior():
    zero = safety(rate=0.1, n_so_far=30, design_prior="beta(0.5,9)")
    bound = stats.beta.ppf(0.95, 0.5, 39)
    assert zero.to_dict()["zero_events"]["upper_design_prior"] == pytest.approx(bound)
    assert f"and of {bound:.4f} under the design prior" in zero.paragraph
    draws = sampled_rate(np.random.default_rng(6).beta(0.5, 9, 40_000))
    drawn = safety(rate=0.1, n_so_far=30, design_prior=draws).to_dict()["zero_events"]
    # Re-weighted draws: some ten thousand are left of these.
    assert drawn["upper_design_prior"] == pytest.approx(bound, rel=0.05)
    assert safety(rate=0.1).to_dict()["zero_events"]["upper_design_prior"] is None


def test_zero_events_bound_of_a_mixture_is_its_posterior_quantile():
    text = "0.8*beta(0.6,12)+0.2*beta(1,1)"
    upper = safety(rate=0.1, n_so_far=12, analysis_prior=text).to_dict()["zero_events"]["upper"]
    prior = parse_prior(text)
    density = lambda p: prior.density(p) * (1 - p) ** 12  # noqa: E731
    total = integrate.quad(density, 0, 1e-3)[0] + integrate.quad(density, 1e-3, 1)[0]
    beyond = integrate.quad(density, upper, 1)[0]
    assert beyond / total == pytest.approx(0.05, abs=1e-7)


def test_posterior_boundary_is_the_smallest_count_that_condemns():
    result = safety(null=0.15, target=0.35, n_min=4, n_max=18, level=0.9, rate=0.25)
    for row in result.to_dict()["boundary"]:
        n = row["n"]
        condemned = [y for y in range(n + 1) if stats.beta.sf(0.15, 1 + y, 1 + n - y) > 0.9]
        assert row["stop_at"] == min(condemned)
        assert row["clear_at"] is None


@pytest.mark.parametrize("boundary", ["posterior", "sprt"])
def test_crossing_probabilities_are_those_of_every_path(boundary):
    result = safety(null=0.1, target=0.3, rate=0.2, boundary=boundary, n_min=3, n_max=25)
    bounds = {row["n"]: row for row in result.to_dict()["boundary"]}

    def stops(n, count):
        row = bounds[n]
        if row["stop_at"] is not None and count >= row["stop_at"]:
            return "high"
        return "low" if row["clear_at"] is not None and count <= row["clear_at"] else None

    assert [row["rate"] for row in result.to_dict()["operating"]] == [0.1, 0.2, 0.3]
    for row in result.to_dict()["operating"]:
        ends, expected = follow(row["rate"], sorted(bounds), stops)
        assert row["stop"] == pytest.approx(ends["high"], abs=ROUNDING)
        assert row["clear"] == pytest.approx(ends["low"], abs=ROUNDING)
        assert row["expected_n"] == pytest.approx(expected, abs=1e-10)


def test_sequential_ratio_test_stops_where_the_ratio_passes_its_thresholds():
    given = {"null": 0.1, "target": 0.3, "type1": 0.1, "power": 0.85, "n_min": 2, "n_max": 40}
    result = safety(**given, boundary="sprt")
    harm, harmless = math.log(0.85 / 0.1), math.log(0.15 / 0.9)
    for row in result.to_dict()["boundary"]:
        n = row["n"]
        ratio = [y * math.log(0.3 / 0.1) + (n - y) * math.log(0.7 / 0.9) for y in range(n + 1)]
        stop = [y for y in range(n + 1) if ratio[y] >= harm]
        clear = [y for y in range(n + 1) if ratio[y] <= harmless]
        assert row["stop_at"] == (min(stop) if stop else None)
        assert row["clear_at"] == (max(clear) if clear else None)
    acceptable, unacceptable = result.to_dict()["operating"]
    # Wald's bounds on the error rates of an open-ended test.
    assert acceptable["stop"] <= 0.1 / 0.85
    assert unacceptable["clear"] <= 0.15 / 0.9
    posterior = safety(**given).to_dict()["frequentist"]["sprt"]
    assert posterior == result.to_dict()["operating"]


def test_boundary_is_looked_at_only_where_asked():
    result = safety(null=0.1, look=[5, 10, 20])
    assert [row["n"] for row in result.to_dict()["boundary"]] == [5, 10, 20]


def test_operating_characteristics_average_over_the_design_prior():
    answer = safety(null=0.1, n_max=20, design_prior="beta(2,10)").to_dict()
    rates = np.linspace(0.0005, 0.9995, 1000)
    each = safety(null=0.1, n_max=20, power_at=rates).to_dict()["operating"]
    each = [row for row in each if row["rate"] != 0.1]
    density = stats.beta.pdf([row["rate"] for row in each], 2, 10)
    for name in ("stop", "expected_n"):
        average = np.dot(density, [row[name] for row in each]) / density.sum()
        # The midpoint rule on a thousand points.
        assert answer["operating_design_prior"][name] == pytest.approx(average, rel=1e-4)
    worse = safety(null=0.1, n_max=20, design_prior="beta(2,10)", discount=0.5).to_dict()
    assert worse["operating_design_prior"]["stop"] > answer["operating_design_prior"]["stop"]


def test_predictive_probability_of_a_beta_is_the_beta_binomials():
    prior = parse_prior("beta(0.7,1.4)")
    success = (np.arange(31) >= 11).astype(float)
    found = predictive_probability(success, prior.predictive(12), prior.predictive(30))
    for y in range(13):
        wanted = stats.betabinom.sf(10 - y, 18, 0.7 + y, 1.4 + 12 - y)
        assert found[y] == pytest.approx(wanted, abs=ROUNDING)


@pytest.mark.parametrize("direction", ["above", "below"])
def test_looks_and_operating_characteristics_by_hand(direction):
    null, target = (0.2, 0.4) if direction == "above" else (0.4, 0.2)
    looks = [10, 18, 30]
    result = monitor(
        null=null, target=target, look=looks, futility=0.1, efficacy=0.95, rate=0.3,
        direction=direction,
    )  # fmt: skip

    def wins(y):
        posterior = stats.beta(1 + y, 31 - y)
        p = posterior.sf(null) if direction == "above" else posterior.cdf(null)
        return p > 0.95

    def chance(n, y):
        later = stats.betabinom(30 - n, 1 + y, 1 + n - y)
        return sum(later.pmf(j) for j in range(31 - n) if wins(y + j))

    endings = {
        (n, y): "futility" if chance(n, y) < 0.1 else "efficacy" if chance(n, y) > 0.95 else None
        for n in looks[:-1]
        for y in range(n + 1)
    }
    names = ("at_most", "at_least") if direction == "above" else ("at_least", "at_most")
    for row in result.to_dict()["looks"][:-1]:
        own = {
            ending: [y for y in range(row["n"] + 1) if endings[row["n"], y] == ending]
            for ending in ("futility", "efficacy")
        }
        for ending, name in zip(("futility", "efficacy"), names, strict=True):
            outer = max if name == "at_most" else min
            wanted = outer(own[ending]) if own[ending] else None
            assert row[f"{ending}_{name}"] == wanted
    last = result.to_dict()["looks"][-1]
    winning = [y for y in range(31) if wins(y)]
    if direction == "above":
        assert (last["futility_at_most"], last["efficacy_at_least"]) == (
            min(winning) - 1,
            min(winning),
        )
    else:
        assert (last["efficacy_at_most"], last["futility_at_least"]) == (
            max(winning),
            max(winning) + 1,
        )
        assert last["futility_at_most"] is last["efficacy_at_least"] is None

    sides = {"futility": "low", "efficacy": "high", None: None}
    for row in result.to_dict()["operating"]:
        ends, expected = follow(
            row["rate"], looks, lambda n, y: sides[endings[n, y]] if n < 30 else None
        )
        assert row["futility"] == pytest.approx(ends["low"], abs=ROUNDING)
        assert row["efficacy"] == pytest.approx(ends["high"], abs=ROUNDING)
        success = ends["high"] + sum(p for y, p in ends["open"].items() if wins(y))
        assert row["success"] == pytest.approx(success, abs=ROUNDING)
        assert row["expected_n"] == pytest.approx(expected, abs=1e-10)


def test_probability_of_success_given_the_data_is_under_the_design_prior():
    plan = {"null": 0.2, "look": [20, 40], "events_so_far": 4, "n_so_far": 15}
    for text, a, b in (("beta(8,12)", 8, 12), (None, 1, 1)):
        answer = monitor(**plan, design_prior=text).to_dict()
        critical = answer["looks"][-1]["efficacy_at_least"]
        later = stats.betabinom(25, a + 4, b + 11)
        assert answer["success_probability"] == pytest.approx(later.sf(critical - 5), abs=ROUNDING)
        # Nothing stops this trial early.
        assert answer["success_probability_with_looks"] == pytest.approx(
            answer["success_probability"], abs=ROUNDING
        )


def test_stopping_for_futility_costs_some_success():
    plan = {"null": 0.2, "look": [10, 20, 40], "futility": 0.2, "design_prior": "beta(6,14)"}
    answer = monitor(**plan).to_dict()
    assert answer["success_probability_with_looks"] < answer["success_probability"]


@pytest.mark.parametrize(
    ("events", "n", "decision", "chance"),
    [(0, 10, "futility", None), (9, 10, "efficacy", None), (20, 40, "efficacy", 1.0),
     (3, 40, "futility", 0.0), (4, 10, "continue", None), (4, 12, None, None)],
)  # fmt: skip
def test_decision_now_is_the_looks(events, n, decision, chance):
    answer = monitor(
        null=0.2, look=[10, 40], futility=0.05, efficacy=0.99, events_so_far=events, n_so_far=n
    ).to_dict()
    assert answer["decision_now"] == decision
    if chance is not None:
        assert answer["success_probability"] == pytest.approx(chance)
        assert answer["success_probability_with_looks"] == pytest.approx(chance)


def test_one_look_is_the_single_arm_trial():
    answer = monitor(null=0.2, target=0.4, look=30, type1=0.05).to_dict()
    critical = answer["looks"][0]["efficacy_at_least"]
    for row in answer["operating"]:
        wanted = stats.binom.sf(critical - 1, 30, row["rate"])
        assert row["success"] == pytest.approx(wanted)
        assert (row["futility"], row["efficacy"]) == (0, 0)
        assert row["expected_n"] == pytest.approx(30)
    assert answer["frequentist"]["critical"] == critical


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({}, "nothing to plan for"),
        ({"null": 1.2}, "null 1.2: give"),
        ({"null": 0.2, "target": 0.1}, "target 0.1 is not above null 0.2"),
        ({"null": 0.2, "boundary": "sprt"}, "give null (acceptable) and target"),
        ({"null": 0.2, "boundary": "wald"}, "choose posterior or sprt"),
        ({"null": 0.2, "n_min": 30, "n_max": 20}, "n_max 20 is below n_min 30"),
        ({"null": 0.2, "look": [10, 10]}, "give looks that increase"),
        ({"rate": 1.2}, "rate 1.2: give"),
        ({"rate": 0.1, "assurance": 1.0}, "assurance 1: give"),
        ({"rate": 0.1, "n_so_far": 0}, "n_so_far 0: give"),
    ],
)
def test_senseless_safety_request_gets_one_line(request_, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)):
        safety(**request_)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"look": [20, 10]}, "look 10 comes after look 20: give looks that increase"),
        ({"look": [0, 10]}, "look 0: give a whole number of at least 1"),
        ({"look": [10.5]}, "look 10.5: give a whole number"),
        ({"look": []}, "no looks"),
        ({"events_so_far": 5}, "events_so_far and n_so_far belong together"),
        ({"events_so_far": 9, "n_so_far": 5}, "events_so_far 9 is more than n_so_far 5"),
        ({"events_so_far": -1, "n_so_far": 5}, "events_so_far -1: give"),
        ({"events_so_far": 9, "n_so_far": 50}, "n_so_far 50 is beyond the last look 40"),
        ({"futility": 1.5}, "futility 1.5: a predictive probability"),
        ({"futility": 0.9, "efficacy": 0.2}, "futility 0.9 is not below efficacy 0.2"),
        ({"rule": "dual"}, "give target"),
        ({"target": 0.1}, "target 0.1 is not above null 0.2"),
        ({"null": 1.2}, "null 1.2: give"),
        (
            {"design_prior": "0.0", "events_so_far": 2, "n_so_far": 5},
            "it does not allow 2 events in 5 patients",
        ),
    ],
)
def test_senseless_monitoring_request_gets_one_line(change, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        monitor(**({"null": 0.2, "look": [20, 40]} | change))
    assert "\n" not in str(caught.value)


def test_a_sequential_test_that_stops_as_often_where_it_should_not_is_refused():
    with pytest.raises(ValueError, match="power 0.04 is not above type1 0.05: raise it$"):
        safety(null=0.1, target=0.2, boundary="sprt", power=0.04)
    with pytest.raises(ValueError, match="target 0.1 is not above null 0.2: raise it$"):
        safety(null=0.2, target=0.1)
