"""Discrepancies and their p-values, against enumeration and arithmetic by hand."""

import numpy as np
import pytest
from scipy.special import expit

from mscpool.analysis.guard.discrepancies import DISCREPANCIES, Arms, expected_counts, larger

from ...builders import ROUNDING
from .levels import DISEASES, NAMES, averaged, nested_terms, some_levels


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
