"""The likelihood's slopes, its behaviour at the edge, memberships, and its integral."""

from itertools import product

import numpy as np
import pytest
from scipy.integrate import quad, simpson
from scipy.special import expit, logsumexp
from scipy.stats import binom, norm

from mscpool.models.sampled.hierarchy import COMBINATIONS
from mscpool.models.sampled.likelihood import (
    integrated_log_likelihood_of_terms,
    log_likelihood_of_terms,
    total_log_likelihood,
)
from mscpool.models.terms import count_data

from ...builders import NESTED, ROUNDING, terms_of

#: All kinds of terms: joint, bounded joint, marginal, bounded alone, arms, timed.
ROWS = [*NESTED, ("u", "e", "msc", "improvement", 0, 6, 6, 6)]


def evaluate(terms, eta, kinds=None, log_weight=None):
    """Total log likelihood, its slopes (kind, effect) and the memberships."""
    eta = np.atleast_2d(eta).astype(float)
    groups = len(terms.outcomes) * len(terms.diseases)
    counts = count_data(terms)
    total, slopes, membership = total_log_likelihood(
        eta.ravel(),
        np.asarray(COMBINATIONS[:1] if kinds is None else kinds),
        np.zeros((1, groups)) if log_weight is None else log_weight,
        counts["term_table"],
        counts["pair_table"],
    )
    return float(total), slopes.reshape(eta.shape), membership


def differences(function, x, step=1e-6):
    """Central differences of a scalar function, elementwise."""
    out = np.empty_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        out[place] = (function(up) - function(down)) / (2 * step)
    return out


def test_slopes_are_those_of_the_log_likelihood():
    terms, rng = terms_of(ROWS), np.random.default_rng(1)
    for scale in (0.5, 3.0):
        eta = rng.normal(-0.5, scale, (1, len(terms.effects)))
        numeric = differences(lambda x: float(evaluate(terms, x)[0]), eta)
        # A step of 1e-6 leaves a rounding error near 1e-16 * 1e2 / 1e-6.
        np.testing.assert_allclose(evaluate(terms, eta)[1], numeric, rtol=1e-6, atol=1e-7)


def weights_of(terms, weight):
    """Log prior of each combination: child and parent apart, where there is a child."""
    groups = np.full((4, len(terms.outcomes), len(terms.diseases)), 0.5)
    w = np.array([weight, 1 - weight])
    groups *= w[COMBINATIONS[:, 0]][:, None, None]
    for parent in terms.parents:
        if parent >= 0:
            groups[:, parent] = (w[COMBINATIONS[:, 0]] * w[COMBINATIONS[:, 1]])[:, None]
    return np.log(groups.reshape(4, -1))


def test_memberships_are_summed_out_as_if_all_were_listed():
    terms, rng, weight = terms_of(ROWS), np.random.default_rng(2), 0.3
    eta = rng.normal(-0.5, 1.0, (2, len(terms.effects)))
    total, slopes, membership = evaluate(terms, eta, COMBINATIONS, weights_of(terms, weight))
    cells = [(k, d) for k in range(len(terms.outcomes)) for d in range(len(terms.diseases))]
    codes = terms.effects[["outcome", "disease"]].to_numpy()
    logs, own_first = [], []
    for kinds in product((0, 1), repeat=len(cells)):
        kind = dict(zip(cells, kinds, strict=True))
        chosen = np.array([[eta[kind[k, d], i] for i, (k, d) in enumerate(codes)]])
        prior = sum(np.log(weight if each == 0 else 1 - weight) for each in kinds)
        logs.append(prior + float(evaluate(terms, chosen)[0]))
        own_first.append(kind[0, 0] == 1)
    assert float(total) == pytest.approx(logsumexp(logs), rel=ROUNDING)
    posterior = np.exp(np.array(logs) - logsumexp(logs))
    shaped = membership.reshape(4, len(terms.outcomes), len(terms.diseases))
    assert shaped[2:, 0, 0].sum() == pytest.approx(posterior[own_first].sum(), rel=1e-10)
    weights = weights_of(terms, weight)
    numeric = differences(lambda x: float(evaluate(terms, x, COMBINATIONS, weights)[0]), eta)
    np.testing.assert_allclose(slopes, numeric, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_certain_membership_takes_one_kind_alone(weight):
    terms = terms_of(ROWS)
    eta = np.random.default_rng(3).normal(-0.5, 1.0, (2, len(terms.effects)))
    with np.errstate(divide="ignore"):
        total, slopes, _ = evaluate(terms, eta, COMBINATIONS, weights_of(terms, weight))
    kind = 0 if weight == 1 else 1
    assert float(total) == pytest.approx(float(evaluate(terms, eta[kind])[0]), rel=ROUNDING)
    assert np.isfinite(slopes).all()
    assert (slopes[1 - kind] == 0).all()


@pytest.mark.parametrize("level", [-800.0, 800.0])
@pytest.mark.parametrize("child_level", [-800.0, 0.0, 800.0])
def test_extreme_levels_stay_finite(level, child_level):
    rows = [
        ("s", "d", "msc", "improvement", 12, 12, 12, 6),
        ("s", "d", "msc", "remission", 12, 12, 12, 6),
        ("t", "d", "msc", "remission", 0, 3, 11, 6),
        ("u", "d", "msc", "improvement", 0, 0, 9, 6),
        ("s", "d", "msc", "death", 12, 12, 12, 60),
        ("t", "d", "msc", "death", 0, 0, 12, 60),
    ]
    terms = terms_of(rows)
    children = terms.effects["label"].str.startswith("remission").to_numpy()
    total, slopes, _ = evaluate(terms, np.where(children, child_level, level))
    assert np.isfinite(total)
    assert np.isfinite(slopes).all()


def test_slopes_go_on_pointing_back_at_extreme_levels():
    terms = terms_of([("s", "d", "msc", "death", 2, 2, 12, 60)])
    for level, sign in ((-800.0, 1), (-45.0, 1), (30.0, -1), (800.0, -1)):
        total, slopes, _ = evaluate(terms, [level])
        towards = evaluate(terms, [level + sign * 1.0])[0]
        assert towards > total
        assert np.sign(slopes[0, 0]) == sign


def test_timed_terms_are_continuous_where_their_formula_changes():
    terms = terms_of([("s", "d", "msc", "death", 2, 2, 12, 12)])
    for level in (-20.0, 20.0):
        left, right = (evaluate(terms, [level + step]) for step in (-1e-9, 1e-9))
        np.testing.assert_allclose(left[0], right[0], rtol=1e-7)
        np.testing.assert_allclose(left[1], right[1], rtol=1e-7)


def test_plain_arrays_give_the_same_total_as_the_total():
    terms = terms_of(ROWS)
    eta = np.random.default_rng(4).normal(size=(1, len(terms.effects)))
    p = eta[:, terms.terms["effect"]]
    q = eta[:, np.maximum(terms.terms["child_effect"], 0)]
    value = log_likelihood_of_terms(p, q, count_data(terms)).sum()
    assert value == pytest.approx(float(evaluate(terms, eta)[0]), rel=ROUNDING)


# Integrals over study effects -------------------------------------------------------------------

LEVELS = [(-0.4, 0.02), (0.7, 0.5), (-2.0, 1.0), (1.0, 1.5)]


def integral_of(rows, unit, theta, sigma):
    terms = terms_of(rows)
    counts = count_data(terms)
    counts["term_table"] = counts["term_table"][(terms.terms["unit"] == unit).to_numpy()]
    levels = np.broadcast_to(np.array(theta, float), (1, 2)).copy()
    spread = np.broadcast_to(np.array(sigma, float), (1, 2)).copy()
    return integrated_log_likelihood_of_terms(levels, spread, counts)[0]


def log_quad(probability, theta, sigma, points):
    value, _ = quad(
        lambda e: probability(theta + sigma * e) * norm.pdf(e),
        -12,
        12,
        points=points,
        limit=500,
        epsabs=0,
        epsrel=1e-9,
    )
    return np.log(value)


@pytest.mark.parametrize(("theta", "sigma"), LEVELS)
@pytest.mark.parametrize(("low", "high", "n"), [(0, 0, 5), (5, 5, 5), (0, 0, 60), (30, 30, 100),
                                                (1, 30, 40), (0, 9, 9)])  # fmt: skip
def test_integral_over_one_effect_is_that_of_quadrature(low, high, n, theta, sigma):
    def probability(level):
        return binom.pmf(range(low, high + 1), n, expit(level)).sum()

    rows = [("s", "d", "msc", "serious_ae", low, high, n, 6)]
    expected = log_quad(probability, theta, sigma, points=np.linspace(-8, 8, 17))
    # The ends are cut where the integrand has fallen by exp(-16); found errors are below 1e-5.
    assert integral_of(rows, 0, theta, sigma) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize(("theta", "sigma"), [(-3.0, 0.5), (-1.0, 1.0), (-5.0, 1.5)])
def test_integral_over_the_effect_of_arms_with_follow_up_is_that_of_quadrature(theta, sigma):
    def probability(level):
        risk = [1 - np.exp(-np.exp(level) * years) for years in (5.0, 0.25)]
        return binom.pmf(1, 20, risk[0]) * binom.pmf(0, 30, risk[1])

    rows = [
        ("s", "d", "low", "death", 1, 1, 20, 60),
        ("s", "d", "high", "death", 0, 0, 30, 3),
    ]
    expected = log_quad(probability, theta, sigma, points=np.linspace(-8, 8, 17))
    assert integral_of(rows, 0, theta, sigma) == pytest.approx(expected, abs=2e-5)


PARENTED = [
    ("z", "d", "msc", "improvement", 4, 4, 9, 6),
    ("z", "d", "msc", "remission", 2, 2, 9, 6),
]
NESTED_UNITS = {
    "joint": (
        [("s", "d", "m", "improvement", 8, 8, 17, 6), ("s", "d", "m", "remission", 3, 3, 17, 6)],
        lambda p, q: binom.pmf(8, 17, p) * binom.pmf(3, 8, q),
    ),
    "bounded": (
        [("s", "d", "m", "improvement", 1, 7, 7, 6), ("s", "d", "m", "remission", 1, 2, 7, 6)],
        lambda p, q: sum(
            binom.pmf(y, 7, p) * (binom.pmf(1, y, q) + binom.pmf(2, y, q)) for y in range(1, 8)
        ),
    ),
    "marginal": (
        [("s", "d", "m", "remission", 5, 5, 41, 6)],
        lambda p, q: binom.pmf(5, 41, p * q),
    ),
    "another n": (
        [("s", "d", "m", "improvement", 20, 20, 40, 6), ("s", "d", "m", "remission", 5, 5, 30, 6)],
        lambda p, q: binom.pmf(20, 40, p) * binom.pmf(5, 30, p * q),
    ),
}


@pytest.mark.parametrize(("theta", "sigma"), LEVELS[1:])
@pytest.mark.parametrize("kind", NESTED_UNITS)
def test_integral_over_parent_and_child_effects_is_that_of_quadrature(kind, theta, sigma):
    rows, probability = NESTED_UNITS[kind]
    score = np.linspace(-9, 9, 401)
    p, q = expit(theta + sigma * score), expit(-0.5 + 0.8 * sigma * score)
    values = probability(p[:, None], q[None, :]) * norm.pdf(score)[:, None] * norm.pdf(score)
    value = simpson(simpson(values, x=score), x=score)
    found = integral_of([*PARENTED, *rows], 1, (theta, -0.5), (sigma, 0.8 * sigma))
    # Fourteen nodes an effect, where sigma is at most 1.5.
    assert found == pytest.approx(np.log(value), abs=5e-4)
