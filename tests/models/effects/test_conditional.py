"""Treated counts given totals, against SciPy's distribution and enumeration."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from scipy.stats import binom, nchypergeom_fisher

from mscpool.models.effects.conditional import PairTables, predicted_place, treated_distribution

from .trials import arm

EFFECTS = np.array([-1.0, 0.0, 0.4, 2.0])
MASSES = np.array([0.1, 0.3, 0.4, 0.2])


@pytest.mark.parametrize(("n1", "n0", "total"), [(12, 6, 14), (40, 35, 3), (5, 9, 9)])
def test_distribution_is_the_noncentral_hypergeometric(n1, n0, total):
    counts, found = treated_distribution(n1, n0, total, EFFECTS)
    for effect, row in zip(EFFECTS, found, strict=True):
        wanted = nchypergeom_fisher(n1 + n0, n1, total, np.exp(effect)).pmf(counts)
        assert row == pytest.approx(wanted, abs=1e-10)


def test_place_of_a_known_count():
    rows = pd.DataFrame([arm("s", "control", 5, 6), arm("s", "low", 4, 7), arm("s", "high", 3, 5)])
    low, high, expected = predicted_place(rows, "logit", EFFECTS, MASSES)
    each = [nchypergeom_fisher(18, 12, 12, np.exp(effect)) for effect in EFFECTS]
    assert low == pytest.approx(MASSES @ [one.cdf(6) for one in each], abs=1e-9)
    assert high == pytest.approx(MASSES @ [one.cdf(7) for one in each], abs=1e-9)
    assert expected == pytest.approx(MASSES @ [one.mean() for one in each], abs=1e-9)


def given_total(total, effect, rows, link):
    """P(treated count | total) with the baseline's prior, by enumeration on a dense grid."""
    baseline = np.linspace(-50, 50, 20001)
    weight = np.exp(-0.5 * (baseline / 10) ** 2)
    chances = []
    for row, half in zip(rows, (-0.5, 0.5), strict=True):
        level = baseline + half * effect
        rate = expit(level)
        if link == "cloglog":
            rate = -np.expm1(-np.exp(level) * row["months"] / 12)
        chances.append([binom.pmf(k, row["n"], rate) for k in range(row["n"] + 1)])
    n0, n1 = rows[0]["n"], rows[1]["n"]
    found = np.zeros(n1 + 1)
    for count in range(max(0, total - n0), min(n1, total) + 1):
        found[count] = (chances[1][count] * chances[0][total - count] * weight).sum()
    return found / found.sum()


def test_place_of_deaths_averages_over_the_baseline():
    rows = [arm("s", "control", 2, 8, months=3.0), arm("s", "msc", 1, 9, months=30.0)]
    low, high, expected = predicted_place(pd.DataFrame(rows), "cloglog", EFFECTS, MASSES)
    chances = MASSES @ [given_total(3, effect, rows, "cloglog") for effect in EFFECTS]
    assert [low, high] == pytest.approx(chances.cumsum()[:2], abs=1e-7)
    assert expected == pytest.approx(chances @ np.arange(10), abs=1e-6)


def test_place_of_a_bounded_count_is_summed_over_what_its_bounds_allow():
    rows = [arm("s", "control", 1, 8, 2), arm("s", "msc", 3, 9)]
    low, high, _ = predicted_place(pd.DataFrame(rows), "logit", EFFECTS, MASSES)
    baseline = np.linspace(-50, 50, 20001)
    weight = np.exp(-0.5 * (baseline / 10) ** 2)
    wanted = np.zeros(2)
    for effect, mass in zip(EFFECTS, MASSES, strict=True):
        treated = binom.pmf(3, 9, expit(baseline + effect / 2))
        shares = np.array(
            [
                (binom.pmf(k, 8, expit(baseline - effect / 2)) * treated * weight).sum()
                for k in (1, 2)
            ]
        )
        for share, control in zip(shares / shares.sum(), (1, 2), strict=True):
            one = nchypergeom_fisher(17, 9, 3 + control, np.exp(effect))
            wanted += mass * share * np.array([one.cdf(2), one.cdf(3)])
    assert [low, high] == pytest.approx(wanted, abs=1e-6)


def test_replicated_spread_keeps_totals_and_follows_the_effect():
    rows = pd.DataFrame(
        [
            arm("a", "control", 5, 20), arm("a", "msc", 11, 20),
            arm("b", "control", 2, 9, 4), arm("b", "msc", 8, 12),
        ]
    )  # fmt: skip
    tables = PairTables.of(rows, ("a", "b"), "logit")
    rng = np.random.default_rng(3)
    drawn = np.full((20_000, 2), 0.7)
    observed, replicated = tables.spreads(drawn, rng)
    allowed = {_q(11, 5, 20, 20, 8, control, 12, 9) for control in (2, 3, 4)}
    assert {round(value, 6) for value in np.unique(observed)} == {round(q, 6) for q in allowed}
    at = np.exp(tables.effects[np.searchsorted(tables.effects, 0.7)])
    first = nchypergeom_fisher(40, 20, 16, at)
    mean = 0.0
    shares = np.bincount(np.searchsorted(np.unique(observed), observed)) / len(observed)
    for value, share in zip(np.unique(observed), shares, strict=True):
        control = next(
            k for k in (2, 3, 4) if round(_q(11, 5, 20, 20, 8, k, 12, 9) - value, 9) == 0
        )
        second = nchypergeom_fisher(21, 12, 8 + control, at)
        for t in range(17):
            for u in range(max(0, 8 + control - 9), 13):
                chance = first.pmf(t) * second.pmf(u)
                if chance > 1e-9 and 8 + control - u >= 0:
                    mean += share * chance * _q(t, 16 - t, 20, 20, u, 8 + control - u, 12, 9)
    error = replicated.std() / np.sqrt(len(replicated))
    assert replicated.mean() == pytest.approx(mean, abs=4 * error)


def _q(t1, c1, nt1, nc1, t2, c2, nt2, nc2):
    """Cochran's Q of two studies, half an event added to every cell."""
    effects, weights = [], []
    for t, c, nt, nc in ((t1, c1, nt1, nc1), (t2, c2, nt2, nc2)):
        cells = np.array([t, nt - t, c, nc - c]) + 0.5
        effects.append(np.log(cells[0] * cells[3] / (cells[1] * cells[2])))
        weights.append(1 / (1 / cells).sum())
    mean = np.average(effects, weights=weights)
    return float(np.dot(weights, (np.array(effects) - mean) ** 2))
