"""The recommended number: what is asked is what is answered. Enumerated by SciPy's binomial."""

import numpy as np
import pytest
from scipy import stats

from mscpool.analysis.trial.design import safety, single_arm, two_arm
from mscpool.data.errors import InputError
from mscpool.models.rates.prior import sampled_rate


def lasting(reached: dict[int, bool]) -> int | None:
    """The smallest number from which on all reach it, by looking at each."""
    found = None
    for n in sorted(reached, reverse=True):
        if not reached[n]:
            break
        found = n
    return found


def first(reached: dict[int, bool]) -> int | None:
    return next((n for n in sorted(reached) if reached[n]), None)


def critical(n: int, null: float, level: float, type1: float = 1.0) -> int:
    counts = np.arange(n + 2)
    kept = stats.beta.sf(null, 1 + counts, 1 + np.maximum(n - counts, 0)) > level
    kept &= stats.binom.sf(counts - 1, n, null) <= type1
    kept[n + 1] = True
    return int(np.flatnonzero(kept)[0])


def test_a_power_is_answered_by_the_power_alone_also_beside_a_design_prior():
    """Null 0.3, target 0.5, error 0.05, power 0.8: 43 lasts, 39 is the sawtooth's."""
    asked = {"null": 0.3, "target": 0.5, "type1": 0.05, "power": 0.8}
    power = {
        n: stats.binom.sf(critical(n, 0.3, 0.95, 0.05) - 1, n, 0.5) >= 0.8 for n in range(5, 301)
    }
    assert (lasting(power), first(power)) == (43, 39)
    for more in ({}, {"design_prior": "beta(4,5)"}, {"design_prior": "beta(4,5)", "discount": 0.5}):
        result = single_arm(**asked, **more)
        answer = result.to_dict()
        assert (answer["recommended_n"], answer["smallest_n"]) == (43, 39)
        assert (answer["set_by"], answer["needed"]) == ("power", {"power": 43})
        assert answer["wanted"] == {"assurance": None, "power": 0.8}
        assert "The smallest single number that does is 39" in result.paragraph
        assert ("no assurance is required" in result.paragraph) == ("design_prior" in more)
        assert ("assurance is 0." in result.paragraph) == ("design_prior" in more)


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({}, {"assurance": 0.8}),
        ({"assurance": 0.6}, {"assurance": 0.6}),
        ({"power": 0.9}, {"power": 0.9}),
        ({"power": 0.9, "assurance": 0.6}, {"power": 0.9, "assurance": 0.6}),
        ({"power": 0.9, "assurance": "none"}, {"power": 0.9}),
        ({"assurance": "none"}, {}),
        ({"type1": 0.1}, {"assurance": 0.8}),
    ],
)
@pytest.mark.parametrize("arms", [1, 2])
def test_constraints_are_those_given(arms, asked, wanted):
    if arms == 1:
        plan = {"null": 0.2, "target": 0.5, "design_prior": "beta(8,8)", "n_max": 60}
        result = single_arm(**plan, **asked)
    else:
        plan = {"effect": 0.5, "control_rate": 0.2, "n_min": 2, "n_max": 50}
        believed = {"design_prior_experimental": "beta(14,6)", "design_prior_control": "beta(2,8)"}
        result = two_arm(**plan, **believed, **asked)
    answer = result.to_dict()
    assert {k: v for k, v in answer["wanted"].items() if v is not None} == wanted
    table = result.table
    n = table["n"] if arms == 1 else table["n_experimental"] + table["n_control"]
    columns = {"assurance": "assurance", "power": "power_0.5" if arms == 1 else "power"}
    alone = {
        name: dict(zip(n, table[columns[name]] >= bound, strict=True))
        for name, bound in wanted.items()
    }
    assert answer["needed"] == {name: lasting(own) for name, own in alone.items()}
    both = {size: all(own[size] for own in alone.values()) for size in n}
    if not wanted:
        assert answer["recommended_n"] is None
        assert "No sample size is recommended" in result.paragraph
        return
    assert answer["recommended_n"] == lasting(both) == answer["needed"][answer["set_by"]]
    assert answer["smallest_n"] == first(both)
    names = [
        each.series for each in next(iter(result.draw(result))).frame.itertuples() if each.x == 50
    ]
    assert names


def test_a_size_whose_error_is_above_the_level_names_the_one_that_keeps_it():
    result = single_arm(null=0.3, design_prior="beta(6,6)", assurance=0.7)
    answer = result.to_dict()
    n, kept = answer["recommended_n"], answer["recommended_n_type1"]
    error = {
        size: stats.binom.sf(critical(size, 0.3, 0.95) - 1, size, 0.3) for size in range(n, 301)
    }
    assert kept == first({size: value <= 0.05 for size, value in error.items()})
    assert error[n] > 0.05
    assert f"a type I error of at most 0.05 is {kept}." in result.paragraph
    # Bounded, no size errs more often than was asked.
    bound = single_arm(null=0.3, design_prior="beta(6,6)", assurance=0.7, type1=0.05)
    assert bound.table["type1"].max() <= 0.05
    assert bound.to_dict()["recommended_n_type1"] == bound.to_dict()["recommended_n"]


def test_the_smallest_number_in_range_is_said_to_be_that():
    result = single_arm(null=0.1, target=0.9, power=0.5, n_min=20, n_max=40)
    assert result.to_dict()["set_by"] == "n_min"
    assert "the smallest number looked at (n_min 20)" in result.paragraph


def test_the_number_of_a_drawn_prior_has_an_interval_that_holds_the_exact_one():
    """As often as it says (95 %): 20 or more of 24 priors drawn anew, but once in 200 times."""
    plan = {"null": 0.3, "n_min": 20, "n_max": 160, "assurance": 0.7}
    exact = single_arm(**plan, design_prior="beta(3,3)").to_dict()
    assert exact["recommended_n_interval"] is None
    rng, held, widths = np.random.default_rng(5), 0, {}
    for _ in range(24):
        low, high = drawn_interval(plan, rng, 400)
        held += low <= exact["recommended_n"] <= high
        widths.setdefault(400, []).append(high - low)
    assert held >= 20
    widths[6400] = [np.ptp(drawn_interval(plan, rng, 6400)) for _ in range(3)]
    # Sixteen times the draws: a quarter of the width, but for the sawtooth.
    assert np.mean(widths[6400]) < 0.5 * np.mean(widths[400])


def drawn_interval(plan, rng, draws) -> tuple[int, int]:
    found = single_arm(**plan, design_prior=sampled_rate(rng.beta(3, 3, draws)))
    low, high = found.to_dict()["recommended_n_interval"]
    assert f"between {low} and {high or 'more than 160'} (95 %)" in found.paragraph
    return low, high or 161


def test_the_number_of_two_drawn_arms_has_an_interval():
    rng = np.random.default_rng(2)
    plan = {"n_min": 20, "n_max": 110, "assurance": 0.7}
    exact = two_arm(
        **plan, design_prior_experimental="beta(14,6)", design_prior_control="beta(6,14)"
    ).to_dict()
    drawn = two_arm(
        **plan,
        design_prior_experimental=sampled_rate(rng.beta(14, 6, 2000)),
        design_prior_control="beta(6,14)",
    ).to_dict()
    low, high = drawn["recommended_n_interval"]
    assert low <= exact["recommended_n"] <= high
    assert low < high


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: single_arm(null=0.3, assurance=0.8), "give design_prior"),
        (lambda: two_arm(assurance=0.8), "give design_prior"),
        (lambda: single_arm(null=0.3, assurance="most"), "assurance 'most': give"),
        (lambda: safety(rate=0.1, assurance="none"), "assurance none: in safety"),
        (lambda: safety(rate=0.1, assurance="most"), "assurance 'most': give"),
    ],
)
def test_an_assurance_that_cannot_be_is_refused(ask, said):
    with pytest.raises(InputError, match=said):
        ask()
