"""Error rates over all looks, against a walk over every path of counts, patient by patient."""

import numpy as np
import pytest
from scipy import stats

from mscpool.analysis.trial.design import monitor, safety, single_arm, two_arm

from ...builders import ROUNDING, gauss

LOOKS = {3: (10, 20, 30), 8: (10, 15, 20, 25, 30, 35, 40, 45)}


def crossing(rate, looks, high, low=None):
    """Chance that the count is ever at least `high` at a look, not having been at most `low`."""
    paths, crossed = {0: 1.0}, 0.0
    for patient in range(1, max(looks) + 1):
        grown = {}
        for count, chance in paths.items():
            for more, step in ((0, 1 - rate), (1, rate)):
                grown[count + more] = grown.get(count + more, 0) + chance * step
        paths = grown
        if patient in looks:
            least, most = high[patient], (low or {}).get(patient)
            for count in list(paths):
                if least is not None and count >= least:
                    crossed += paths.pop(count)
                elif most is not None and count <= most:
                    paths.pop(count)
    return crossed


@pytest.mark.parametrize("looks", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("type1", [0.025, 0.05, 0.1])
def test_interim_looks_keep_the_overall_type_i_error(looks, type1):
    plan = {"null": 0.2, "look": looks, "efficacy": 0.8, "futility": 0.05}
    free, bound = monitor(**plan).to_dict(), monitor(**plan, type1=type1).to_dict()
    for found in (free, bound):
        high = {row["n"]: row["efficacy_at_least"] for row in found["looks"]}
        low = {row["n"]: row["futility_at_most"] for row in found["looks"][:-1]}
        error = found["error_rate"]
        assert error["overall"] == pytest.approx(crossing(0.2, looks, high), abs=ROUNDING)
        assert error["overall_binding"] == pytest.approx(
            crossing(0.2, looks, high, low), abs=ROUNDING
        )
    assert bound["error_rate"]["overall"] <= type1
    # The threshold is the lowest that keeps it: at the critical count below, by hand.
    last = bound["looks"][-1]["efficacy_at_least"]
    level = bound["error_rate"]["level"]
    beyond = stats.beta.sf(
        0.2, 1 + last - 1 + np.arange(2), 1 + looks[-1] - last + 1 - np.arange(2)
    )
    assert beyond[0] <= level < beyond[1]
    if bound["error_rate"]["set_by"] == "type1":
        less = {}
        for n in looks[:-1]:
            ahead = [
                stats.betabinom.sf(last - 2 - y, looks[-1] - n, 1 + y, 1 + n - y)
                for y in range(n + 1)
            ]
            stops = np.flatnonzero(np.array(ahead) > 0.8)
            less[n] = int(stops[0]) if stops.size else None
        less[looks[-1]] = last - 1
        assert crossing(0.2, looks, less) > type1
        assert f"{level:g} (raised until the type I error over all looks" in bound["rule"]
    else:
        assert level == 0.95


@pytest.mark.parametrize("looks", LOOKS.values(), ids=LOOKS)
@pytest.mark.parametrize("type1", [0.03, 0.05, 0.1])
def test_a_harm_boundary_keeps_the_overall_rate_of_false_stops(looks, type1):
    found = safety(null=0.1, look=looks, type1=type1, level=0.8).to_dict()
    level = found["error_rate"]["level"]

    def boundary(level):
        high = {}
        for n in looks:
            counts = np.arange(n + 1)
            condemned = np.flatnonzero(stats.beta.sf(0.1, 1 + counts, 1 + n - counts) > level)
            high[n] = int(condemned[0]) if condemned.size else None
        return high

    assert {row["n"]: row["stop_at"] for row in found["boundary"]} == boundary(level)
    overall = crossing(0.1, looks, boundary(level))
    assert found["error_rate"]["overall"] == pytest.approx(overall, abs=ROUNDING)
    assert overall <= type1
    # No lower level keeps it: not the highest posterior probability that this one excludes.
    every = [stats.beta.sf(0.1, 1 + y, 1 + n - y) for n in looks for y in range(n + 1)]
    below = max(p for p in every if p <= level)
    assert crossing(0.1, looks, boundary(below - 1e-9)) > type1


def test_the_sequential_test_keeps_a_wanted_error_exactly():
    found = safety(null=0.1, target=0.3, boundary="sprt", type1=0.05, n_max=60, cohort=1).to_dict()
    high = {row["n"]: row["stop_at"] for row in found["boundary"]}
    assert found["error_rate"]["overall"] == pytest.approx(
        crossing(0.1, [*high], high), abs=ROUNDING
    )
    assert found["error_rate"]["overall"] <= 0.05


@pytest.mark.parametrize(
    "ask",
    [
        lambda **more: safety(null=0.05, **more),
        lambda **more: monitor(null=0.2, look=LOOKS[8], efficacy=0.6, level=0.9, **more),
        lambda **more: single_arm(null=0.2, level=0.8, n_max=30, **more),
        lambda **more: two_arm(n_experimental=10, n_control=10, level=0.8, **more),
    ],
    ids=["safety", "monitor", "single-arm", "two-arm"],
)
def test_a_large_error_that_nobody_bounded_is_told_first(ask):
    free, bound = ask(), ask(type1=0.1)
    assert free.answer.error_rate.overall > 0.1
    assert free.paragraph.startswith("Warning: this rule errs with probability")
    assert free.to_dict()["warning"] == free.warning
    assert bound.answer.error_rate.overall <= 0.1
    assert bound.answer.error_rate.set_by == "type1"
    assert bound.to_dict()["warning"] is None
    assert "Warning" not in bound.paragraph


def test_an_error_that_no_threshold_reaches_says_the_least():
    least = 0.1**5
    with pytest.raises(
        ValueError, match=f"no threshold reaches it at these looks; .* {least:.2g}$"
    ):
        safety(null=0.1, look=[5], type1=1e-9)
    with pytest.raises(
        ValueError, match=f"no threshold reaches it at these looks; .* {least:.2g}$"
    ):
        monitor(null=0.1, look=[5], type1=1e-9)


def test_harm_is_looked_for_after_each_cohort_of_a_trial_that_exists():
    def looks(**more):
        return [row["n"] for row in safety(null=0.1, **more).to_dict()["boundary"]]

    assert looks() == [5, 10, 15, 20, 25, 30, 35, 40]
    assert looks(n_so_far=23) == [5, 10, 15, 20, 23]
    assert looks(cohort=10, n_max=25) == [10, 20, 25]
    assert looks(n_min=8, n_max=10, cohort=1) == [8, 9, 10]


@pytest.mark.parametrize("controls", [None, (0.2, 0.4), (0.0, 0.15), (0.7, 1.0)])
@pytest.mark.parametrize(
    ("margin", "direction", "sizes"), [(0.0, "above", (14, 7)), (-0.1, "above", (9, 9)),
                                       (0.1, "below", (8, 12))],
)  # fmt: skip
def test_the_error_of_two_arms_is_the_largest_over_the_control_rates_asked_for(
    controls, margin, direction, sizes
):
    asked = {
        "margin": margin, "direction": direction, "n_experimental": sizes[0],
        "n_control": sizes[1],
    }  # fmt: skip
    if controls is not None:
        asked["control_range"] = controls
    free, bound = two_arm(**asked), two_arm(**asked, type1=0.04)
    low, high = controls or (0.0, 1.0)
    rates = np.linspace(max(low, -margin), min(high, 1 - margin), 4001)
    for found in (free, bound):
        level = found.answer.error_rate.level
        wins = successes(level, margin, direction, sizes)
        errors = wins_at(wins, rates + margin, rates)
        # The search may stand between two of these points.
        assert found.answer.error_rate.overall == pytest.approx(errors.max(), abs=2e-7)
    assert bound.answer.error_rate.overall <= 0.04
    words = f"over control rates from {low:g} to {high:g}" if controls else "over all control rates"
    assert words in bound.paragraph
    assert words in bound.rule


def successes(level, margin, direction, sizes):
    """Which pairs of counts win, by a quadrature over the control rate."""
    control, weights = gauss(2000)
    y, z = (np.arange(size + 1)[:, None] for size in sizes)
    above = stats.beta.sf(control + margin, 1 + y, 1 + sizes[0] - y)
    density = stats.beta.pdf(control, 1 + z, 1 + sizes[1] - z)
    chance = above @ (density * weights).T
    return (chance if direction == "above" else 1 - chance) > level


def wins_at(wins, experimental, control):
    n, m = wins.shape[0] - 1, wins.shape[1] - 1
    one = stats.binom.pmf(np.arange(n + 1), n, np.clip(experimental, 0, 1)[:, None])
    other = stats.binom.pmf(np.arange(m + 1), m, control[:, None])
    return np.einsum("ry,yz,rz->r", one, wins, other)


@pytest.mark.parametrize(
    ("controls", "margin", "said"),
    [
        ((0.3,), 0, "control_range 0.3: give two rates"),
        ((0.4, 0.2), 0, "control_range 0.4, 0.2: give two rates"),
        ((0.2, 1.2), 0, "control_range 0.2, 1.2: give two rates"),
        ((0.95, 1.0), 0.1, "no control rate there"),
    ],
)
def test_a_range_of_control_rates_that_is_none_is_refused(controls, margin, said):
    with pytest.raises(ValueError, match=said):
        two_arm(control_range=controls, margin=margin, type1=0.05, n_experimental=5, n_control=5)
