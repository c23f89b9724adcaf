"""Terms of the likelihood against enumeration of every count that the rows allow."""

import numpy as np
import pytest
from scipy.stats import binom

from mscpool.models.sampled.likelihood import log_likelihood_of_terms
from mscpool.models.terms import build_terms, count_data

from ..builders import ROUNDING, rows_of, terms_of

P, Q = 0.62, 0.37


def probabilities(terms, p=P, q=Q):
    """Probability of each term at one level of p and one of q, both log-odds."""
    shape = (1, len(terms.terms))
    logit_p, logit_q = (np.full(shape, np.log(x / (1 - x))) for x in (p, q))
    return np.exp(log_likelihood_of_terms(logit_p, logit_q, count_data(terms))[0])


def enumerated(n, parent, child, p=P, q=Q):
    """Sum over every parent count within its bounds, and every child count within its own."""
    return sum(
        binom.pmf(y, n, p) * binom.pmf(z, y, q)
        for y in range(parent[0], parent[1] + 1)
        for z in range(child[0], min(child[1], y) + 1)
    )


def test_single_count_is_binomial():
    terms = terms_of([("s", "d", "msc", "improvement", 7, 7, 20, 6)])
    np.testing.assert_allclose(probabilities(terms), binom.pmf(7, 20, P), rtol=ROUNDING)


def test_bounded_count_is_the_sum_between_its_bounds():
    terms = terms_of([("s", "d", "msc", "improvement", 3, 9, 20, 6)])
    expected = binom.cdf(9, 20, P) - binom.cdf(2, 20, P)
    np.testing.assert_allclose(probabilities(terms), expected, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("parent", "child"),
    [((8, 8), (3, 3)), ((5, 9), (3, 3)), ((8, 8), (0, 4)), ((2, 12), (1, 7)), ((0, 12), (12, 12))],
)
def test_parent_and_child_of_the_same_patients_are_one_term(parent, child):
    terms = terms_of(
        [
            ("s", "d", "msc", "improvement", *parent, 12, 6),
            ("s", "d", "msc", "remission", *child, 12, 6),
        ]
    )
    assert len(terms.terms) == len(terms.units) == 1
    np.testing.assert_allclose(probabilities(terms), enumerated(12, parent, child), rtol=ROUNDING)


def test_child_without_a_parent_row_is_binomial_in_the_product():
    terms = terms_of(
        [
            ("s", "d", "msc", "improvement", 8, 8, 12, 6),
            ("s", "d", "msc", "remission", 3, 3, 12, 6),
            ("t", "d", "msc", "remission", 2, 4, 9, 6),
        ]
    )
    expected = enumerated(9, (0, 9), (2, 4))
    np.testing.assert_allclose(expected, sum(binom.pmf([2, 3, 4], 9, P * Q)), rtol=ROUNDING)
    np.testing.assert_allclose(probabilities(terms)[1], expected, rtol=ROUNDING)


def test_study_without_a_parent_row_still_has_a_parent_effect():
    terms = terms_of(
        [
            ("s", "d", "msc", "improvement", 8, 8, 12, 6),
            ("s", "d", "msc", "remission", 3, 3, 12, 6),
            ("t", "d", "msc", "remission", 2, 2, 9, 6),
        ]
    )
    assert set(terms.effects["label"]) == {
        "improvement/s",
        "remission/s",
        "improvement/t",
        "remission/t",
    }
    effect, child = terms.terms.loc[1, ["effect", "child_effect"]]
    labels = terms.effects["label"]
    assert (labels[effect], labels[child]) == ("improvement/t", "remission/t")


def test_parent_of_another_n_is_a_term_of_its_own_with_the_same_effect():
    terms = terms_of(
        [
            ("s", "d", "msc", "improvement", 8, 8, 12, 6),
            ("s", "d", "msc", "remission", 3, 3, 10, 6),
        ]
    )
    expected = [binom.pmf(8, 12, P), binom.pmf(3, 10, P * Q)]
    np.testing.assert_allclose(probabilities(terms), expected, rtol=ROUNDING)
    assert terms.terms["effect"].nunique() == 1
    assert len(terms.units) == 1


def test_child_without_any_parent_row_in_its_studies_stands_alone():
    terms = terms_of(
        [
            ("s", "d", "msc", "improvement", 8, 8, 12, 6),
            ("t", "d", "msc", "remission", 3, 3, 10, 6),
        ]
    )
    assert [o.parent for o in terms.outcomes] == [None, None]
    expected = [binom.pmf(8, 12, P), binom.pmf(3, 10, P)]
    np.testing.assert_allclose(probabilities(terms), expected, rtol=ROUNDING)
    assert len(terms.units) == 2


def test_arms_of_one_study_share_their_effect_and_unit():
    terms = terms_of(
        [
            ("s", "d", "msc_low", "improvement", 8, 8, 12, 6),
            ("s", "d", "msc_high", "improvement", 9, 9, 12, 6),
            ("t", "e", "msc", "improvement", 9, 9, 12, 6),
        ]
    )
    assert terms.terms["effect"].tolist() == [0, 0, 1]
    assert terms.terms["unit"].tolist() == [0, 0, 1]
    assert terms.effects["disease"].tolist() == [0, 1]


@pytest.mark.parametrize("cuts", [(0, 3, 7), (0, 1, 2, 3, 4, 5, 6, 7, 8), (0,)])
def test_bounds_that_part_all_counts_sum_to_one(cuts):
    parts = list(zip(cuts, [*[c - 1 for c in cuts[1:]], 8], strict=True))
    single = [[("s", "d", "msc", "improvement", *part, 8, 6)] for part in parts]
    total = sum(probabilities(terms_of(rows))[0] for rows in single)
    np.testing.assert_allclose(total, 1, rtol=ROUNDING)


def test_every_pair_of_bounds_of_parent_and_child_sums_to_one():
    parts = [(0, 2), (3, 3), (4, 8)]
    total = 0.0
    for parent in parts:
        for child in parts:
            if child[0] <= parent[1]:
                rows = [
                    ("s", "d", "msc", "any_ae", *parent, 8, 6),
                    ("s", "d", "msc", "moderate_severe_ae", *child, 8, 6),
                ]
                total += probabilities(terms_of(rows))[0]
    np.testing.assert_allclose(total, 1, rtol=ROUNDING)


def test_death_counts_follow_up_in_years():
    terms = terms_of([("s", "d", "msc", "death", 2, 2, 15, 30)])
    hazard = 0.08
    value = log_likelihood_of_terms(
        np.full((1, 1), np.log(hazard)), np.zeros((1, 1)), count_data(terms)
    )
    expected = binom.logpmf(2, 15, 1 - np.exp(-hazard * 30 / 12))
    np.testing.assert_allclose(value[0, 0], expected, rtol=ROUNDING)


def test_order_of_rows_does_not_matter():
    rows = [
        ("s", "d", "msc", "remission", 3, 3, 12, 6),
        ("s", "d", "msc", "improvement", 5, 9, 12, 6),
        ("t", "e", "msc", "remission", 1, 2, 7, 6),
    ]
    names = ("improvement", "remission")
    one, other = (build_terms(rows_of(r), names, ("d", "e")) for r in (rows, rows[::-1]))
    np.testing.assert_allclose(
        sorted(probabilities(one)), sorted(probabilities(other)), rtol=ROUNDING
    )


def test_more_remissions_than_improvements_is_refused():
    rows = [
        ("s", "d", "msc", "improvement", 1, 2, 12, 6),
        ("s", "d", "msc", "remission", 3, 5, 12, 6),
    ]
    with pytest.raises(
        ValueError, match=r"s, msc: 3 with remission are more than the 2 with impro"
    ):
        terms_of(rows)


def test_bounds_too_wide_are_refused_before_they_are_laid_out():
    rows = [
        ("s", "d", "msc", "any_ae", 0, 10**6, 10**6, 6),
        ("s", "d", "msc", "moderate_severe_ae", 0, 10**6, 10**6, 6),
    ]
    with pytest.raises(ValueError, match="more than 5,000,000 combinations: narrow events_min"):
        terms_of(rows)
