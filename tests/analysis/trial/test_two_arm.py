import json
import math
import re

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from mscpool.analysis.trial.design import two_arm
from mscpool.analysis.trial.type1_search import success_probability
from mscpool.models.rates.difference import difference_quantile, probability_difference_above
from mscpool.models.rates.prior import RatePrior, beta, parse_prior, robustify

FOUR_PARTS = "0.4*beta(4,16)+0.2*beta(10,20)+0.2*beta(40,60)+0.2*beta(1,1)"


@pytest.fixture(scope="module")
def primitives(root):
    text = (root / "tests/reference/beta_mixture_primitives.json").read_text("utf-8")
    reference = json.loads(text)
    return {case["f"]: case["v"] for case in reference["cases"]}, reference["tol"]


@pytest.fixture(scope="module")
def historical(root):
    text = (root / "tests/reference/beta_mixture_ess.json").read_text("utf-8")
    reference = json.loads(text)
    prior = RatePrior(*(tuple(reference["as_map"][name]) for name in "wab"))
    return prior, reference["exact"]


def difference_above(first: str, second: str, margin: float) -> float:
    return float(
        probability_difference_above(parse_prior(first), parse_prior(second), 0, 0, margin)[0, 0]
    )


def test_published_probabilities_of_differences(primitives):
    values, tolerance = primitives
    x, y = "beta(11,4)", "beta(8,7)"
    above = difference_above(x, y, 0)
    assert above == pytest.approx(values["P(X-Y>0), X~Beta(11,4), Y~Beta(8,7)"], abs=tolerance)
    between = above - difference_above(x, y, 0.3)
    assert between == pytest.approx(values["P(0<X-Y<0.3), same"], abs=tolerance)
    x, y = "beta(30,50)", "0.75*beta(20,50)+0.25*beta(1,1)"
    name = "X~Beta(30,50), Y~0.75 Beta(20,50)+0.25 Beta(1,1): P(X-Y<0)"
    assert 1 - difference_above(x, y, 0) == pytest.approx(values[name], abs=tolerance)
    assert 1 - difference_above(x, y, 0.2) == pytest.approx(
        values["same: P(X-Y<0.2)"], abs=tolerance
    )


def test_quantiles_of_a_difference_invert_its_distribution(primitives):
    values, _ = primitives
    x, y = "beta(30,50)", "0.75*beta(20,50)+0.25*beta(1,1)"
    for level, published in zip((0.025, 0.975), values["same: quantiles .025 .975"], strict=True):
        found = difference_quantile(parse_prior(x), parse_prior(y), level)
        assert 1 - difference_above(x, y, found) == pytest.approx(level, abs=1e-9)
        # The published ones come from a root finder: their probabilities miss by up to 3e-6.
        assert found == pytest.approx(published, abs=1e-5)


@pytest.mark.parametrize("margin", [-0.3, -0.05, 0.0, 0.1, 0.6])
@pytest.mark.parametrize(
    ("experimental", "control", "n_experimental", "n_control"),
    [
        ("beta(0.5,1)", "beta(0.3,0.4)", 7, 9),
        (FOUR_PARTS, "beta(0.5,0.5)", 20, 4),
        ("0.5*beta(900,100)+0.5*beta(1,1)", FOUR_PARTS, 30, 60),
    ],
)
def test_probability_of_every_pair_of_counts_is_the_integral(
    experimental, control, n_experimental, n_control, margin
):
    first, second = parse_prior(experimental), parse_prior(control)
    table = probability_difference_above(first, second, n_experimental, n_control, margin)
    for y, z in ((0, 0), (n_experimental, n_control), (n_experimental // 2, n_control // 3)):
        one, other = first.update(y, n_experimental), second.update(z, n_control)

        def integrand(rate, one=one, other=other):
            return one.density(rate) * other.below(rate - margin)

        levels = [0.0005, 0.1, 0.5, 0.9, 0.9995]
        inner = [0, 1, *one.quantile(levels), *(other.quantile(levels) + margin), margin]
        inner += [1 + margin, 1e-6, 1e-3, 1 - 1e-3, 1 - 1e-6]
        cuts = np.unique(np.clip(inner, 0, 1))
        area = sum(
            integrate.quad(integrand, low, high, limit=200, epsabs=1e-13)[0]
            for low, high in zip(cuts, cuts[1:], strict=False)
            if high - low > 1e-12
        )
        assert table[y, z] == pytest.approx(area, abs=1e-9)


def success_table(experimental, control, n_experimental, n_control, margin=0.0, level=0.95):
    above = probability_difference_above(experimental, control, n_experimental, n_control, margin)
    return (above > level).astype(float)


def test_published_decision_with_historical_controls(historical):
    prior, exact = historical
    table = success_table(beta(0.5, 1), prior, 24, 6)
    assert table[15, 3] == exact["decision_nonrobust_15of24_vs_3of6"]
    assert table[14, 4] == exact["decision_nonrobust_14of24_vs_4of6"]
    robust = probability_difference_above(beta(0.5, 1), robustify(prior, 0.2), 24, 6, 0.0)
    assert robust[14, 1] == pytest.approx(exact["P"], abs=1e-6)


def test_published_type1_error_and_detectable_difference_of_borrowing(historical):
    prior, exact = historical
    tables = {
        "nonrobust": success_table(beta(0.5, 1), prior, 24, 6),
        "classic": success_table(beta(1, 1), beta(1, 1), 24, 24),
        "robust": success_table(beta(0.5, 1), robustify(prior, 0.2), 24, 6),
        "uniform": success_table(beta(0.5, 1), beta(1, 1), 24, 6),
    }
    rates = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    for name, wanted in exact["type1_theta_.1_.2_.3_.4_.5"].items():
        # Five decimals are printed.
        np.testing.assert_allclose(
            success_probability(tables[name], rates, rates), wanted, atol=6e-6
        )
    order = ("nonrobust", "classic", "robust", "uniform")
    for name, wanted in zip(order, exact["delta80"], strict=True):
        table = tables[name]
        control = np.array([prior.mean])
        delta = optimize.brentq(
            lambda d, t=table, c=control: success_probability(t, c + d, c)[0] - 0.8, 0.05, 0.7
        )
        assert delta == pytest.approx(wanted, abs=2e-6)


@pytest.mark.parametrize("direction", ["above", "below"])
def test_row_is_the_sum_over_all_pairs_of_counts(direction):
    sign = 1 if direction == "above" else -1
    result = two_arm(
        n_experimental=9, n_control=7, margin=0.05 * sign, effect=0.3 * sign, control_rate=0.45,
        direction=direction, level=0.8, design_prior_experimental="beta(3,2)",
        design_prior_control="beta(2,3)", analysis_prior_control="beta(2,2)",
    )  # fmt: skip
    power = assurance = 0.0
    for y in range(10):
        for z in range(8):
            one, other = stats.beta(1 + y, 10 - y), stats.beta(2 + z, 9 - z)
            above = integrate.quad(
                lambda p, one=one, other=other: one.pdf(p) * other.cdf(p - 0.05 * sign), 0, 1
            )[0]
            if (above if direction == "above" else 1 - above) <= 0.8:
                continue
            power += stats.binom.pmf(y, 9, 0.45 + 0.3 * sign) * stats.binom.pmf(z, 7, 0.45)
            assurance += stats.betabinom.pmf(y, 9, 3, 2) * stats.betabinom.pmf(z, 7, 2, 3)
    row = result.to_dict()["table"][0]
    assert set(row) == {"n_experimental", "n_control", "assurance", "power", "type1_max"}
    assert row["power"] == pytest.approx(power, abs=1e-9)
    assert row["assurance"] == pytest.approx(assurance, abs=1e-9)
    shown = {
        (each["control"], each["experimental"]): each for each in result.to_dict()["operating"]
    }
    assert shown[0.45, round(0.45 + 0.3 * sign, 12)]["success"] == pytest.approx(power, abs=1e-9)


@pytest.mark.parametrize("margin", [-0.1, 0.0, 0.15])
def test_largest_type1_error_is_that_of_a_fine_grid(margin):
    result = two_arm(
        n_experimental=40, n_control=15, margin=margin, analysis_prior_control=FOUR_PARTS
    )
    table = success_table(beta(1, 1), parse_prior(FOUR_PARTS), 40, 15, margin)
    control = np.linspace(max(0, -margin), min(1, 1 - margin), 40_001)
    fine = success_probability(table, control + margin, control).max()
    assert result.to_dict()["table"][0]["type1_max"] == pytest.approx(fine, abs=1e-6)


def test_type1_bound_raises_the_level_no_further_than_needed():
    given = {"n_experimental": 30, "n_control": 12, "analysis_prior_control": "beta(6,24)"}
    free = two_arm(**given).to_dict()["table"][0]
    bound = two_arm(**given, type1=0.05).to_dict()
    assert free["type1_max"] > 0.05 >= bound["table"][0]["type1_max"]
    above = probability_difference_above(beta(1, 1), beta(6, 24), 30, 12, 0.0)
    control = np.linspace(0, 1, 5001)
    next_lower = np.max(above[above < bound["level"]])
    looser = (above >= next_lower).astype(float)
    assert success_probability(looser, control, control).max() > 0.05


@pytest.mark.parametrize("type1", [0.05, 0.025, 0.01])
def test_a_raised_level_may_be_copied_from_the_paragraph(type1):
    """As many digits are given as decide the same, whoever computes the posterior."""
    prior = "0.8*beta(10,40)+0.2*beta(1,1)"
    result = two_arm(n_experimental=24, n_control=12, analysis_prior_control=prior, type1=type1)
    printed = re.search(r"posterior probability above (\d\.\d+\d)", result.paragraph)
    assert printed is not None
    assert float(printed[1]) == result.to_dict()["level"]
    above = probability_difference_above(beta(1, 1), parse_prior(prior), 24, 12, 0.0)
    control = np.linspace(0, 1, 5001)
    for otherwise in (-1e-11, 0.0, 1e-11):
        success = (above + otherwise > float(printed[1])).astype(float)
        largest = success_probability(success, control, control).max()
        assert largest == pytest.approx(result.to_dict()["table"][0]["type1_max"], abs=1e-6)
        assert largest <= type1


def test_usual_test_has_the_allocation_of_the_given_sizes():
    given = two_arm(n_experimental=40, n_control=20, control_rate=0.2, effect=0.3).to_dict()
    ratio = two_arm(allocation=2, n_max=20, control_rate=0.2, effect=0.3).to_dict()
    assert given["frequentist"] == ratio["frequentist"]
    assert given["frequentist"]["n_experimental"] > given["frequentist"]["n_control"]


def test_recommended_total_holds_for_every_larger_one():
    result = two_arm(
        control_rate=0.3, effect=0.35, power=0.8, n_min=20, n_max=120, allocation=2,
        design_prior_experimental="beta(13,7)", design_prior_control="beta(6,14)", assurance=0.7,
    )  # fmt: skip
    rows = {row["n_experimental"] + row["n_control"]: row for row in result.to_dict()["table"]}
    n = result.to_dict()["recommended_n"]
    assert all(
        rows[size]["power"] >= 0.8 and rows[size]["assurance"] >= 0.7 for size in range(n, 121)
    )
    assert rows[n - 1]["power"] < 0.8 or rows[n - 1]["assurance"] < 0.7
    assert (rows[90]["n_experimental"], rows[90]["n_control"]) == (60, 30)
    smallest = two_arm(
        control_rate=[0.3, 0.5], effect=0.35, n_experimental=60, n_control=30
    ).to_dict()["table"][0]["power"]
    assert smallest <= rows[90]["power"]


def test_highest_attainable_assurance_is_the_probability_of_a_true_difference():
    answer = two_arm(
        n_experimental=10, n_control=10, margin=0.1, design_prior_experimental=FOUR_PARTS,
        design_prior_control="beta(3,9)",
    ).to_dict()  # fmt: skip
    wanted = difference_above(FOUR_PARTS, "beta(3,9)", 0.1)
    # The averaged function has a kink where the margin leaves the range of rates.
    assert answer["highest_attainable_assurance"] == pytest.approx(wanted, abs=1e-6)


def test_usual_test_needs_the_textbook_size():
    # Fleiss' formula without continuity correction, 0.3 against 0.5, one-sided 5 %, power 80 %.
    arm = two_arm(
        control_rate=0.3, effect=0.2, power=0.8, n_experimental=73, n_control=73
    ).to_dict()["frequentist"]
    z_error, z_power = stats.norm.ppf([0.95, 0.8])
    pooled, apart = np.sqrt(2 * 0.4 * 0.6), np.sqrt(0.3 * 0.7 + 0.5 * 0.5)
    wanted = int(np.ceil(((z_error * pooled + z_power * apart) / 0.2) ** 2))
    assert (arm["n_experimental"], arm["n_control"]) == (wanted, wanted)
    shifted = two_arm(
        control_rate=0.3, effect=0.2, margin=-0.1, power=0.8, n_experimental=5, n_control=5
    ).to_dict()["frequentist"]
    wanted = int(np.ceil(((z_error + z_power) * apart / 0.3) ** 2))
    assert shifted["n_experimental"] == wanted


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        ({"margin": 1.5}, "margin 1.5: a risk difference lies between -1 and 1"),
        ({"effect": 0.2}, "give control_rate"),
        ({"effect": 0.0, "control_rate": 0.3}, "effect 0 is not above margin 0"),
        (
            {"effect": 0.1, "control_rate": 0.3, "direction": "below"},
            "effect 0.1 is not below margin 0",
        ),
        ({"effect": 0.8, "control_rate": 0.3}, "leads from control_rate 0.3 to 1.1"),
        ({"power": 0.8}, "give effect and control_rate"),
        ({"control_rate": 1.3}, "control_rate 1.3: give"),
        ({"allocation": 0}, "allocation 0: give"),
        ({"n_experimental": 20}, "n_experimental and n_control belong together"),
        ({"n_experimental": 20, "n_control": 0}, "n_control 0: give"),
        ({"n_min": 30, "n_max": 20}, "n_max 20 is below n_min 30"),
        ({"n_min": 1, "n_max": 1}, "two arms need at least 2 patients"),
        ({"design_prior_experimental": "beta(1,1)"}, "give design_prior_control"),
        ({"analysis_prior_control": "0.2"}, "a fixed rate leaves nothing to learn"),
    ],
)
def test_senseless_request_gets_one_line_that_says_what_to_change(request_, complaint):
    with pytest.raises(ValueError, match=re.escape(complaint)) as caught:
        two_arm(**request_)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("direction", ["above", "below"])
def test_two_arms_under_discounts_and_where_none_suffices(direction):
    first, second = ("beta(30,10)", "beta(12,28)")[:: 1 if direction == "above" else -1]
    wanted = {
        "design_prior_experimental": first, "design_prior_control": second,
        "direction": direction, "n_min": 30, "n_max": 60,
    }  # fmt: skip
    answer = two_arm(**wanted).to_dict()
    assert answer["discounts"][0] == {"discount": 0.0, "recommended_n": answer["recommended_n"]}
    sizes = [row["recommended_n"] or math.inf for row in answer["discounts"]]
    assert sizes == sorted(sizes)
    limit = answer["discount_limit"]
    assert two_arm(**wanted, discount=limit - 1e-3).to_dict()["recommended_n"] is not None
    beyond = two_arm(**wanted, discount=limit + 1e-3)
    assert beyond.to_dict()["recommended_n"] is None
    assert f"From a discount of {limit:.2f} on" in beyond.paragraph
