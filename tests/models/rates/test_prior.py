import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, optimize, stats

from mscpool.models.rates import effective_size
from mscpool.models.rates.beta_mixture import binomial_mass, gauss_jacobi, mixture_quantile
from mscpool.models.rates.fit import map_prior
from mscpool.models.rates.prior import (
    RatePrior,
    WeightedRates,
    beta,
    parse_prior,
    point_rate,
    rate_density,
    robustify,
    sampled_rate,
)

from ...builders import ROUNDING

SHAPES = st.floats(0.05, 400, allow_nan=False)
MIXTURE = parse_prior("0.5*beta(4,16)+0.3*beta(30,20)+0.2*beta(1,1)")


@pytest.fixture(scope="module")
def sizes(root):
    text = (root / "tests/reference/beta_mixture_ess.json").read_text("utf-8")
    return json.loads(text)


@pytest.fixture(scope="module")
def primitives(root):
    text = (root / "tests/reference/beta_mixture_primitives.json").read_text("utf-8")
    reference = json.loads(text)
    return {case["f"]: case["v"] for case in reference["cases"]}, reference["tol"]


@pytest.fixture(scope="module")
def published(sizes):
    return RatePrior(*(tuple(sizes["as_map"][name]) for name in "wab"))


@given(st.lists(st.tuples(st.floats(0.01, 1), SHAPES, SHAPES), min_size=1, max_size=4))
def test_text_form_reads_back_as_the_same_prior(parts):
    total = sum(weight for weight, _, _ in parts)
    weights = tuple(weight / total for weight, _, _ in parts)
    prior = RatePrior(weights, tuple(a for _, a, _ in parts), tuple(b for *_, b in parts))
    again = parse_prior(str(prior))
    assert (again.a, again.b) == (prior.a, prior.b)
    np.testing.assert_allclose(again.weights, weights, rtol=ROUNDING)


@pytest.mark.parametrize(
    ("text", "prior"),
    [
        ("beta(4,16)", beta(4, 16)),
        (" Beta( 0.5 , 1e2 ) ", beta(0.5, 100)),
        ("0.8*beta(4,16)+0.2*beta(1,1)", RatePrior((0.8, 0.2), (4, 1), (16, 1))),
        ("0.8 * beta(4,16) + 2e-1 * beta(1e+1,1)", RatePrior((0.8, 0.2), (4, 10), (16, 1))),
    ],
)
def test_text_forms_are_understood(text, prior):
    assert parse_prior(text) == prior


def test_a_number_is_a_point():
    assert (parse_prior("0.3").mean, parse_prior("0.3").sd) == (0.3, 0.0)
    assert str(parse_prior("0.3")) == "0.3"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("beta(4)", "not understood; write beta"),
        ("gamma(4,2)", "not understood"),
        ("beta(4,16)+beta(1,1)", "every part of a mixture needs its weight"),
        ("0.8*beta(4,16)+0.3*beta(1,1)", "weights sum to 1.1, they must sum to 1"),
        ("0.8*beta(4,16)+", "not understood"),
        ("beta(0,1)", "both shapes of a beta must be positive"),
        ("beta(-1,1)", "both shapes of a beta must be positive"),
        ("1.2", "a rate must be from 0 to 1"),
        ("nan", "a rate must be from 0 to 1"),
        ("", "not understood"),
    ],
)
def test_bad_text_gets_one_line_that_says_what_is_wrong(text, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        parse_prior(text)
    assert "\n" not in str(caught.value)


def test_published_moments_and_quantiles_of_a_mixture(published, sizes):
    exact = sizes["exact"]
    assert published.mean == pytest.approx(sizes["published"]["mean"], abs=1e-8)
    assert published.sd == pytest.approx(sizes["published"]["sd"], abs=1e-8)
    np.testing.assert_allclose(published.quantile([0.025, 0.5, 0.975]), exact["q"], atol=1e-8)


def test_published_effective_sample_sizes(published, sizes):
    exact = sizes["exact"]
    # The reference prints four decimals (Morita three).
    assert effective_size.elir(published) == pytest.approx(exact["ess_elir"], abs=5e-5)
    assert effective_size.moment(published) == pytest.approx(exact["ess_moment"], abs=5e-5)
    assert effective_size.morita(published) == pytest.approx(exact["ess_morita"], abs=5e-4)
    robust = robustify(published, 0.2)
    assert effective_size.elir(robust) == pytest.approx(exact["robust_w0.2_elir"], abs=5e-4)


def test_published_effective_sample_sizes_of_a_small_mixture(sizes):
    example = sizes["ess_examples"][0]
    prior = parse_prior("0.2*beta(1,1)+0.8*beta(10,2)")
    assert effective_size.elir(prior) == pytest.approx(example["elir"], abs=5e-6)
    assert effective_size.moment(prior) == pytest.approx(example["moment"], abs=5e-7)
    assert effective_size.morita(prior) == pytest.approx(example["morita"], abs=2e-6)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (5, 15), (0.5, 0.5), (2.5, 80)])
def test_a_beta_is_worth_the_sum_of_its_shapes(a, b):
    assert effective_size.elir(beta(a, b)) == a + b
    assert effective_size.moment(beta(a, b)) == pytest.approx(a + b)
    # The nearly empty prior that Morita starts from is itself worth a hundredth of a patient.
    assert effective_size.morita(beta(a, b)) == pytest.approx(a + b, abs=0.0101)


def test_the_sum_of_equal_parts_is_worth_one_part():
    twice = parse_prior("0.5*beta(3,9)+0.5*beta(3,9)")
    assert effective_size.elir(twice) == pytest.approx(12, abs=1e-6)


def test_a_mixture_with_a_shape_below_one_has_no_local_information_ratio():
    assert effective_size.elir(parse_prior("0.5*beta(0.5,1)+0.5*beta(3,9)")) is None


@pytest.mark.parametrize(
    ("means", "sds", "weights", "example"),
    [
        ([np.log(5 / 15)], [np.sqrt(1 / 5 + 1 / 15)], [1.0], 2),
        ([0.0, np.log(5)], [2.0, np.sqrt(0.6)], [0.2, 0.8], 3),
        ([np.log(1 / 3)], [2 / np.sqrt(10)], [1.0], 4),
    ],
)
def test_information_ratio_of_normal_mixtures_on_log_odds(sizes, means, sds, weights, example):
    means, sds, weights = np.array(means), np.array(sds), np.array(weights)
    points = np.linspace(-14, 14, 200_001)
    parts = weights * stats.norm.pdf(points[:, None], means, sds)
    density, share = parts.sum(axis=1), parts / parts.sum(axis=1, keepdims=True)
    slope = -(points[:, None] - means) / sds**2
    mean_slope = (share * slope).sum(axis=1, keepdims=True)
    information = (share * (1 / sds**2 - (slope - mean_slope) ** 2)).sum(axis=1)
    rate = 1 / (1 + np.exp(-points))
    value = effective_size.expected_local_information_ratio(
        information, rate * (1 - rate), density * (points[1] - points[0])
    )
    assert value == pytest.approx(sizes["ess_examples"][example]["elir"], abs=6e-6)
    if len(weights) == 1:
        m, s2 = means[0], sds[0] ** 2
        closed = (2 + np.exp(-m + s2 / 2) + np.exp(m + s2 / 2)) / s2
        assert value == pytest.approx(closed, rel=1e-9)


def test_published_predictive_and_posterior_weights(primitives):
    values, tolerance = primitives
    prior = parse_prior("0.8*beta(15,50)+0.2*beta(1,1)")
    wanted = values["predictive pmf n=10 of 0.8 Beta(15,50)+0.2 Beta(1,1)"]
    np.testing.assert_allclose(prior.predictive(10), wanted, atol=tolerance)
    posterior = parse_prior("0.5*beta(4,10)+0.5*beta(1,1)").update(18, 20)
    wanted = values["posterior weights of 0.5 Beta(4,10)+0.5 Beta(1,1) after 18/20"]
    np.testing.assert_allclose(posterior.weights, wanted, atol=tolerance)
    assert (posterior.a, posterior.b) == ((22, 19), (12, 3))


@given(SHAPES, SHAPES, st.integers(1, 12))
def test_quadrature_averages_polynomials_exactly(a, b, points):
    rates, weights = gauss_jacobi(points, a, b)
    for power in range(2 * points):
        ratio = np.prod([(a + k) / (a + b + k) for k in range(power)])
        assert np.dot(weights, rates**power) == pytest.approx(ratio, abs=ROUNDING)


def test_density_distribution_and_quantiles_agree():
    rates = np.linspace(0.02, 0.98, 25)
    for rate, below in zip(rates, MIXTURE.below(rates), strict=True):
        area = integrate.quad(MIXTURE.density, 0, rate, epsabs=1e-11)[0]
        assert below == pytest.approx(area, abs=1e-9)
    np.testing.assert_allclose(MIXTURE.above(rates), 1 - MIXTURE.below(rates), atol=1e-14)
    np.testing.assert_allclose(MIXTURE.quantile(MIXTURE.below(rates)), rates, atol=1e-9)
    assert MIXTURE.quantile([0.0, 1.0]).tolist() == [0.0, 1.0]


@given(st.lists(SHAPES, min_size=2, max_size=2), st.lists(SHAPES, min_size=2, max_size=2))
def test_quantiles_of_any_mixture_invert_its_distribution(a, b):
    prior = RatePrior((0.7, 0.3), tuple(a), tuple(b))
    levels = np.array([0.001, 0.025, 0.5, 0.975, 0.999])
    quantiles = mixture_quantile(levels, np.array(prior.weights), np.array(a), np.array(b))
    inner = (quantiles > 1e-9) & (quantiles < 1 - 1e-9)
    np.testing.assert_allclose(prior.below(quantiles)[inner], levels[inner], atol=1e-7)


def test_quantiles_of_every_posterior_invert_their_distributions():
    # A prior in conflict with the counts starts Newton far from the quantile.
    prior = parse_prior("0.7*beta(200,800)+0.3*beta(1,1)")
    for events in range(0, 101, 4):
        posterior = prior.update(events, 100)
        quantiles = posterior.quantile([0.025, 0.5, 0.975])
        np.testing.assert_allclose(posterior.below(quantiles), [0.025, 0.5, 0.975], atol=1e-10)


def test_predictive_is_the_average_binomial():
    density = lambda rate, y: MIXTURE.density(rate) * stats.binom.pmf(y, 7, rate)  # noqa: E731
    for y, mass in enumerate(MIXTURE.predictive(7)):
        assert mass == pytest.approx(integrate.quad(density, 0, 1, args=(y,))[0], abs=1e-9)
    np.testing.assert_allclose(
        binomial_mass(7, np.array([0.0, 0.3, 1.0])),
        stats.binom.pmf(np.arange(8), 7, np.array([[0.0], [0.3], [1.0]])),
        atol=1e-14,
    )


@pytest.mark.parametrize("log_odds", [-1.5, -0.3, 0.8])
@pytest.mark.parametrize("text", ["beta(0.5,0.5)", "0.8*beta(40,60)+0.2*beta(1,1)"])
def test_moving_the_log_odds_moves_every_rate(text, log_odds):
    prior = parse_prior(text)

    def moved(rate):
        return 1 / (1 + (1 - rate) / rate * np.exp(-log_odds))

    shifted = prior.shifted(log_odds)
    for y in (0, 3, 9):
        average = sum(
            integrate.quad(
                lambda rate, y=y: prior.density(rate) * stats.binom.pmf(y, 9, moved(rate)), *ends
            )[0]
            for ends in ((0, 1e-3), (1e-3, 0.5), (0.5, 0.999), (0.999, 1))
        )
        assert shifted.predictive(9)[y] == pytest.approx(average, abs=1e-7)
    assert point_rate(0.2).shifted(log_odds).mean == pytest.approx(moved(0.2))


def test_weighted_rates_measure_probability_by_their_weights():
    prior = WeightedRates((0.1, 0.4, 0.2), (0.5, 0.2, 0.3))
    assert prior.mean == pytest.approx(0.19)
    assert prior.above(0.2) == pytest.approx(0.2)
    assert prior.below([0.05, 0.1, 0.3]).tolist() == pytest.approx([0, 0.5, 0.8])
    assert prior.quantile([0.0, 0.5, 0.7, 0.9, 1.0]).tolist() == [0.1, 0.1, 0.2, 0.4, 0.4]


def test_a_density_on_a_grid_has_the_moments_of_its_distribution():
    grid = np.linspace(0, 1, 2001)
    prior = rate_density(grid, beta(4, 16).density(grid))
    assert prior.mean == pytest.approx(0.2, abs=1e-6)
    assert prior.sd == pytest.approx(beta(4, 16).sd, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: sampled_rate([0.2, 1.3]), "every rate must be from 0 to 1"),
        (lambda: sampled_rate([]), "needs draws"),
        (lambda: WeightedRates((0.2,), (0.5,)), "weights must be one a rate, of sum 1|one weight"),
        (lambda: rate_density([0.5, 0.2], [1, 1]), "increasing rates"),
        (lambda: robustify(beta(1, 1), 1.0), "below 1"),
        (lambda: RatePrior((1.0,), (1.0, 2.0), (1.0,)), "one weight and two shapes"),
        (lambda: map_prior(np.full(10, 0.2)), "a single rate"),
        (lambda: map_prior(np.array([0.1, 0.2]), components=(5,)), "from 1 to 4"),
    ],
)
def test_senseless_priors_are_refused(make, complaint):
    with pytest.raises(ValueError, match=complaint):
        make()


def test_monte_carlo_error_shrinks_with_the_draws_and_knows_autocorrelation():
    rng = np.random.default_rng(3)
    independent = rng.normal(size=4000)
    few, many = sampled_rate(np.full(400, 0.3)), sampled_rate(np.full(4000, 0.3))
    assert many.standard_error(independent) == pytest.approx(4000**-0.5, rel=0.35)
    assert few.standard_error(independent[:400]) > 2 * many.standard_error(independent)
    repeated = np.repeat(independent[:400], 10)
    assert many.standard_error(repeated) > 2 * many.standard_error(independent)
    assert point_rate(0.3).standard_error(np.ones(1)) is None


def test_robust_prior_keeps_the_old_parts_and_adds_a_vague_one():
    robust = robustify(parse_prior("0.5*beta(4,16)+0.5*beta(30,70)"), 0.2)
    assert str(robust) == "0.4*beta(4,16)+0.4*beta(30,70)+0.2*beta(1,1)"
    assert robustify(robust, 0) == robust


def test_fit_finds_the_parts_a_sample_came_from():
    rng = np.random.default_rng(11)
    draws = np.concatenate([rng.beta(4, 36, 6000), rng.beta(40, 20, 4000)])
    fitted = map_prior(draws)
    assert len(fitted.prior.weights) == 2
    # Ten thousand draws: standard errors of about 0.005 on a weight and 2 % on a shape.
    np.testing.assert_allclose(fitted.prior.weights, [0.6, 0.4], atol=0.02)
    np.testing.assert_allclose(fitted.prior.a, [4, 40], rtol=0.1)
    np.testing.assert_allclose(fitted.prior.b, [36, 20], rtol=0.1)
    assert fitted.distance < 0.02


def test_fit_agrees_with_maximum_likelihood_for_one_part():
    draws = np.random.default_rng(5).beta(3, 9, 900)
    a, b, *_ = stats.beta.fit(draws, floc=0, fscale=1)
    prior = map_prior(draws, components=(1,)).prior
    np.testing.assert_allclose([*prior.a, *prior.b], [a, b], rtol=1e-3)


def test_fit_of_a_beta_density_returns_the_beta():
    grid = np.linspace(0, 1, 4001)
    fitted = map_prior(rate_density(grid, beta(6, 24).density(grid)))
    assert len(fitted.prior.weights) == 1
    np.testing.assert_allclose([*fitted.prior.a, *fitted.prior.b], [6, 24], rtol=1e-3)
    assert fitted.distance < 1e-4
    assert fitted.total_variation < 1e-3


def test_fit_of_a_mixture_density_is_close_to_it(published):
    grid = np.linspace(0, 1, 2001)
    fitted = map_prior(rate_density(grid, published.density(grid)))
    apart = integrate.quad(
        lambda rate: abs(float(fitted.prior.density(rate) - published.density(rate))),
        0,
        1,
        limit=200,
    )[0]
    assert fitted.total_variation == pytest.approx(apart / 2, abs=2e-4)
    assert fitted.distance < 0.005
    assert fitted.prior.mean == pytest.approx(published.mean, abs=1e-4)
    assert dict(fitted.criterion)[len(fitted.prior.weights)] == min(
        value for _, value in fitted.criterion
    )


@pytest.mark.parametrize("shapes", [(0.4, 3.0), (2.0, 0.6), (0.5, 0.7), (0.3, 40.0)])
def test_shapes_of_at_least_one_have_the_highest_likelihood_of_those(shapes):
    draws = np.random.default_rng(6).beta(*shapes, 3000)
    draws = np.clip(draws, 1e-12, 1 - 1e-12)
    prior = map_prior(draws, components=(1,)).prior
    best = optimize.minimize(
        lambda x: -stats.beta.logpdf(draws, *x).mean(), [1.5, 1.5], bounds=[(1, 1e6)] * 2
    )
    np.testing.assert_allclose([*prior.a, *prior.b], best.x, rtol=2e-3)
    free = map_prior(draws, components=(1,), unconstrained=True).prior
    a, b, *_ = stats.beta.fit(draws, floc=0, fscale=1)
    np.testing.assert_allclose([*free.a, *free.b], [a, b], rtol=5e-3)
    assert min(*free.a, *free.b) < 1


def test_every_part_of_a_mixture_has_shapes_of_at_least_one_and_its_distance_is_told():
    draws = np.random.default_rng(8).beta(0.5, 6, 4000)
    fitted, free = map_prior(draws), map_prior(draws, unconstrained=True)
    assert min(*fitted.prior.a, *fitted.prior.b) >= 1
    assert min(*free.prior.a, *free.prior.b) < 1
    for each in (fitted, free):
        own = np.sort(draws)
        steps = np.arange(1, own.size + 1) / own.size
        below = each.prior.below(own)
        apart = max(np.abs(steps - below).max(), np.abs(steps - 1 / own.size - below).max())
        assert each.distance == pytest.approx(apart, abs=1e-9)
    # Several parts make up for what a shape below 1 would give.
    assert max(free.distance, fitted.distance) < 0.03
    assert len(fitted.prior.weights) > len(free.prior.weights)
