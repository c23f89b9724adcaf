"""A randomised trial with looks, against a walk over every path of both arms."""

import numpy as np
import pytest
from scipy import stats

from mscpool.analysis.trial.design import two_arm
from mscpool.data.errors import InputError
from mscpool.models.rates.prior import sampled_rate

from ...builders import gauss

TEN = [(5, 5), (10, 10)]
TWO_TO_ONE = [(4, 2), (7, 3), (10, 5)]


def posterior(n, m, margin=0.0, prior=(1, 1)):
    """Probability of a difference above the margin for each pair of counts, by Gauss-Legendre."""
    control, weights = gauss(400)
    y, z = np.arange(n + 1)[:, None], np.arange(m + 1)[:, None]
    above = stats.beta.sf(control + margin, prior[0] + y, prior[1] + n - y)
    return above @ (stats.beta.pdf(control, 1 + z, 1 + m - z) * weights).T


def predictive(success, n, m, prior=(1, 1)):
    """Probability of final success for each pair of counts now, one future after another."""
    last_n, last_m = success.shape[0] - 1, success.shape[1] - 1
    found = np.zeros((n + 1, m + 1))
    for y in range(n + 1):
        more = stats.betabinom.pmf(np.arange(last_n - n + 1), last_n - n, prior[0] + y,
                                   prior[1] + n - y)  # fmt: skip
        for z in range(m + 1):
            other = stats.betabinom.pmf(np.arange(last_m - m + 1), last_m - m, 1 + z, 1 + m - z)
            ahead = success[y : y + last_n - n + 1, z : z + last_m - m + 1]
            found[y, z] = more @ ahead @ other
    return found


def walk(sizes, high, low, experimental, control):
    """Follow the counts of both arms patient by patient: success by look, failure by look."""
    paths, won, lost, before = {(0, 0): 1.0}, [], [], (0, 0)
    for place, size in enumerate(sizes):
        for arm, rate in ((0, experimental), (1, control)):
            for _ in range(size[arm] - before[arm]):
                grown = {}
                for pair, chance in paths.items():
                    for more, step in ((0, 1 - rate), (1, rate)):
                        key = (pair[0] + more, pair[1]) if arm == 0 else (pair[0], pair[1] + more)
                        grown[key] = grown.get(key, 0.0) + chance * step
                paths = grown
        before = size
        won.append(sum(paths.pop(key) for key in list(paths) if high[place][key]))
        lost.append(sum(paths.pop(key) for key in list(paths) if low[place][key]))
    return won, lost


def regions(sizes, level, futility, efficacy, stop_by, margin=0.0, prior=(1, 1)):
    tables = [posterior(*size, margin, prior) for size in sizes]
    success = tables[-1] > level
    chances = tables[:-1]
    if stop_by == "predictive":
        chances = [predictive(success.astype(float), *size, prior) for size in sizes[:-1]]
    else:
        efficacy = max(efficacy, level)
    high = [*(chance > efficacy for chance in chances), success]
    low = [*(chance < futility for chance in chances), ~success]
    return high, low


@pytest.mark.parametrize("stop_by", ["predictive", "posterior"])
@pytest.mark.parametrize(
    ("sizes", "allocation", "margin", "prior", "type1"),
    [
        (TEN, 1, 0.0, (1, 1), None),
        (TEN, 1, -0.1, (1, 1), 0.05),
        (TWO_TO_ONE, 2, 0.0, (2, 1), 0.05),
    ],
)
def test_every_ending_is_that_of_a_walk(sizes, allocation, margin, prior, type1, stop_by):
    result = two_arm(
        look=[sum(size) for size in sizes], allocation=allocation, margin=margin, futility=0.1,
        efficacy=0.9, stop_by=stop_by, type1=type1, level=0.9, control_rate=[0.2, 0.5], effect=0.4,
        analysis_prior_experimental=f"beta({prior[0]},{prior[1]})",
    )  # fmt: skip
    answer = result.to_dict()
    assert [(row["n_experimental"], row["n_control"]) for row in answer["looks"]] == sizes
    high, low = regions(sizes, answer["level"], 0.1, 0.9, stop_by, margin, prior)
    totals = [sum(size) for size in sizes]
    for row in answer["operating"]:
        won, lost = walk(sizes, high, low, row["experimental"], row["control"])
        assert row["success"] == pytest.approx(sum(won), abs=1e-10)
        assert row["efficacy"] == pytest.approx(sum(won[:-1]), abs=1e-10)
        assert row["futility"] == pytest.approx(sum(lost[:-1]), abs=1e-10)
        expected = sum(n * (a + b) for n, a, b in zip(totals, won, lost, strict=True))
        assert row["expected_n"] == pytest.approx(expected, abs=1e-9)
    assert [row["truth"] for row in answer["operating"]] == ["null"] * 2 + ["target"] * 2
    for place, row in enumerate(answer["looks"]):
        for each in row["boundary"]:
            wins = np.flatnonzero(high[place][:, each["control_events"]])
            fails = np.flatnonzero(low[place][:, each["control_events"]])
            assert each["efficacy_at_least"] == (wins[0] if wins.size else None)
            assert each["futility_at_most"] == (fails[-1] if fails.size else None)
    never = [np.zeros_like(table) for table in low[:-1]] + [low[-1]]
    for name, tables in (("overall", never), ("overall_binding", low)):
        controls = np.linspace(max(0, -margin), min(1, 1 - margin), 41)
        errors = [sum(walk(sizes, high, tables, c + margin, c)[0]) for c in controls]
        # Forty-one control rates stand beside the top by a little, the search by next to nothing.
        assert -1e-8 < answer["error_rate"][name] - max(errors) < 2e-3
    if type1 is not None:
        assert answer["error_rate"]["overall"] <= type1


def test_the_level_is_the_lowest_that_keeps_the_error():
    asked = {"look": [10, 20], "efficacy": 0.9, "level": 0.8}
    bound = two_arm(**asked, type1=0.06).to_dict()
    level = bound["level"]
    tables = posterior(10, 10)
    below = float(np.max(tables[tables <= level]))
    looser = two_arm(**{**asked, "level": below - 1e-9}).to_dict()
    assert looser["error_rate"]["overall"] > 0.06 >= bound["error_rate"]["overall"]
    assert f"{level:g} (raised until the type I error over all looks" in bound["rule"]


def test_the_design_prior_is_averaged_over_the_rates():
    result = two_arm(
        look=[10, 20], futility=0.1, efficacy=0.9, design_prior_experimental="beta(4,3)",
        design_prior_control="beta(2,5)",
    )  # fmt: skip
    row = result.to_dict()["operating"][-1]
    assert row["truth"] == "design prior"
    high, low = regions(TEN, 0.95, 0.1, 0.9, "predictive")
    nodes, weights = np.polynomial.legendre.leggauss(14)
    x, w = (nodes + 1) / 2, weights / 2
    total = early = patients = 0.0
    for one, a in zip(x, w * stats.beta.pdf(x, 4, 3), strict=True):
        for other, b in zip(x, w * stats.beta.pdf(x, 2, 5), strict=True):
            won, lost = walk(TEN, high, low, one, other)
            total += a * b * sum(won)
            early += a * b * lost[0]
            patients += a * b * (10 * (won[0] + lost[0]) + 20 * (won[1] + lost[1]))
    assert row["success"] == pytest.approx(total, abs=1e-9)
    assert row["futility"] == pytest.approx(early, abs=1e-9)
    assert row["expected_n"] == pytest.approx(patients, abs=1e-8)
    assert "It does not reach the wanted assurance of 0.8." in result.paragraph


def test_harm_turns_the_sides_and_one_look_is_a_trial_without():
    harm = two_arm(look=[10, 20], direction="below", futility=0.05, efficacy=0.95).to_dict()
    high, low = regions(TEN, 0.95, 0.05, 0.95, "predictive")
    for place, row in enumerate(harm["looks"]):
        # Fewer events in the experimental arm: the mirror image of more in it.
        n = row["n_experimental"]
        for each in row["boundary"]:
            mirrored = high[place][::-1, ::-1][:, each["control_events"]]
            wins = np.flatnonzero(mirrored)
            assert each["efficacy_at_most"] == (wins[-1] if wins.size else None), n
    asked = {"control_rate": 0.3, "effect": 0.3}
    one = two_arm(look=[30], **asked).to_dict()["operating"]
    plain = two_arm(n_experimental=15, n_control=15, **asked).to_dict()
    assert one[1]["success"] == pytest.approx(plain["table"][0]["power"], abs=1e-12)


def test_a_drawn_design_prior_brings_its_error():
    draws = np.random.default_rng(2).beta(4, 3, 900)
    row = two_arm(
        look=[10, 20], efficacy=0.9, design_prior_experimental=sampled_rate(draws),
        design_prior_control="0.2",
    ).to_dict()["operating"][-1]  # fmt: skip
    assert 0 < row["success_mcse"] < 0.03


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"futility": 0.1}, "futility and efficacy are of interim looks: give look"),
        ({"look": [20, 10]}, "look 10 comes after look 20"),
        ({"look": [1, 10]}, "look 1: two arms need at least 2"),
        ({"look": [10], "n_experimental": 5, "n_control": 5}, "leave out n_experimental"),
        ({"look": [10, 20], "futility": 0.9, "efficacy": 0.1}, "futility 0.9 is not below"),
        ({"look": [10, 20], "stop_by": "chance"}, "stop_by 'chance': choose"),
        ({"look": [10, 20], "type1": 1e-12}, "no threshold reaches it at these looks; the least"),
    ],
)
def test_looks_that_are_none_are_refused(asked, said):
    with pytest.raises(InputError, match=said):
        two_arm(**asked)
