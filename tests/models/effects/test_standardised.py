"""The rule for effects of means: published conversions, symmetry of arms, closed forms."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from mscpool.models.effects.conditional import PairTables, predicted_place
from mscpool.models.effects.contrast import contrast_likelihoods, informative_studies
from mscpool.models.effects.standardised import effect_of_means
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex, OutcomePriors

from .trials import arm, half_normal, normal, trials


def mean_arm(study, name, n, improvement, sd, sd_most=None, disease="all"):
    """One row: the mean improvement of an arm; its bounds of a count tell nothing."""
    scores = {"improvement": improvement, "sd_least": sd, "sd_most": sd_most or sd}
    return arm(study, name, 0, n, n, disease=disease) | scores


def pair(study="m", disease="all"):
    return [
        mean_arm(study, "control", 40, 8.9, 10.5, disease=disease),
        mean_arm(study, "msc", 48, 11.0, 12.5, disease=disease),
    ]


@pytest.fixture(scope="module")
def published(root):
    path = root / "tests/reference/standardised_mean_differences.json"
    return json.loads(path.read_text("utf-8"))


def test_effect_of_means_is_the_published_one(published):
    factor = np.pi / np.sqrt(3)
    assert factor == pytest.approx(published["conversion"]["factor"], abs=5e-3)
    for name, n1, mean1, sd1, n2, mean2, sd2, g, variance in published["rows"]:
        rows = [mean_arm(name, "msc", n1, mean1, sd1), mean_arm(name, "control", n2, mean2, sd2)]
        estimate, error = effect_of_means(pd.DataFrame(rows))
        assert estimate / factor == pytest.approx(g, abs=6e-8)
        assert (error / factor) ** 2 == pytest.approx(variance, abs=6e-8)


def test_exchanging_arms_or_the_direction_flips_the_sign():
    rows = pd.DataFrame(pair()).assign(sd_most=[14.0, 19.0])
    estimate, error = effect_of_means(rows)
    exchanged = rows.assign(arm=["msc", "control"])
    turned = rows.assign(improvement=-rows["improvement"])
    assert estimate > 0
    for other in (exchanged, turned):
        assert effect_of_means(other) == pytest.approx((-estimate, error), abs=1e-12)


def test_the_unit_of_the_score_does_not_matter():
    rows = pd.DataFrame(pair())
    scaled = rows.assign(**{c: 7 * rows[c] for c in ("improvement", "sd_least", "sd_most")})
    assert effect_of_means(scaled) == pytest.approx(effect_of_means(rows))


def test_an_unknown_correlation_widens_the_error():
    """Against the moments of the mixture over correlations, by another rule of integration."""
    before, after = np.array([6.0, 5.0]), np.array([7.0, 8.0])
    nodes, weights = np.polynomial.legendre.leggauss(40)
    correlations, weights = 0.6 + 0.3 * nodes, weights / 2
    squares = before**2 + after**2 - 2 * correlations[:, None] * before * after
    ends = np.sqrt(before**2 + after**2 - 2 * np.array([[0.9], [0.3]]) * before * after)
    rows = pd.DataFrame(
        [
            mean_arm("m", "msc", 30, 6.0, ends[0, 0], ends[1, 0]),
            mean_arm("m", "control", 25, 3.0, ends[0, 1], ends[1, 1]),
        ]
    )
    pooled = (29 * squares[:, 0] + 24 * squares[:, 1]) / 53
    g = (1 - 3 / (4 * 53 - 1)) * 3.0 / np.sqrt(pooled)
    mean = weights @ g
    variance = weights @ (1 / 30 + 1 / 25 + g**2 / 110) + weights @ (g - mean) ** 2
    wanted = np.array([mean, np.sqrt(variance)]) * np.pi / np.sqrt(3)
    # Hedges' approximate correction here, the exact one there; 61 even steps there.
    assert effect_of_means(rows) == pytest.approx(tuple(wanted), rel=1e-4)


def test_dose_arms_are_taken_together():
    rng = np.random.default_rng(4)
    low, high, control = (rng.normal(mean, 4, n) for mean, n in ((5, 9), (8, 14), (3, 12)))

    def row(name, sample):
        return mean_arm("m", name, len(sample), sample.mean(), sample.std(ddof=1))

    apart = pd.DataFrame([row("msc_low", low), row("msc_high", high), row("control", control)])
    together = pd.DataFrame([row("msc", np.append(low, high)), row("control", control)])
    assert effect_of_means(apart) == pytest.approx(effect_of_means(together))


def test_means_stand_beside_counts_as_normal_likelihoods():
    counts = trials([(1, 12, 4, 13), (0, 9, 0, 8), (3, 9, 7, 8)], ["a", "a", "b"])
    rows = pd.concat([pd.DataFrame(pair("m", "b")), counts], ignore_index=True)
    assert informative_studies(rows) == ["m", "s0", "s2"]
    found, alone = contrast_likelihoods(rows), contrast_likelihoods(counts)
    assert found.studies == ("s0", "s2", "m")
    assert [found.diseases[code] for code in found.disease] == ["a", "b", "b"]
    levels = np.linspace(-3, 3, 7)
    every = found.evaluate(levels, slice(None))
    normal_logs = norm.logpdf(levels, *effect_of_means(pd.DataFrame(pair())))
    assert every[:, :2] == pytest.approx(alone.evaluate(levels, slice(None)))
    assert every[:, 2] == pytest.approx(normal_logs)
    for start in range(4):
        for stop in range(start, 4):
            part = found.evaluate(levels, slice(start, stop))
            assert part == pytest.approx(every[:, start:stop])


def test_a_hierarchy_of_means_alone_is_the_conjugate_one():
    rows = pd.DataFrame([*pair("m1"), *pair("m2")])
    rows.loc[2:, "improvement"] += [1.0, 6.0]
    told = np.array([effect_of_means(own) for _, own in rows.groupby("study")])
    sigma = 0.4
    fixed = OutcomePriors(normal(2.0), half_normal(1), Prior.make("DiracDelta", c=sigma), Exnex())
    found = ExactHierarchy(contrast_likelihoods(rows)).posterior(fixed).theta()
    weights = 1 / (told[:, 1] ** 2 + sigma**2)
    precision = weights.sum() + 1 / 4
    assert found["mean"].iloc[0] == pytest.approx(weights @ told[:, 0] / precision, abs=1e-4)
    assert found["sd"].iloc[0] == pytest.approx(precision**-0.5, abs=1e-4)


def test_a_study_of_means_is_placed_by_its_log_odds_ratio():
    rows = pd.DataFrame(pair())
    estimate, error = effect_of_means(rows)
    contrasts = np.linspace(-6, 8, 1401)
    masses = norm.pdf(contrasts, 1.0, 0.7)
    low, high, expected = predicted_place(rows, "logit", contrasts, masses)
    assert low == high == pytest.approx(norm.cdf(estimate, 1.0, np.hypot(0.7, error)), abs=1e-6)
    assert expected == pytest.approx(1.0, abs=1e-6)


def test_the_spread_of_means_is_chi_squared_where_effects_are_equal():
    studies = [f"m{i}" for i in range(6)]
    rows = pd.DataFrame([row for study in studies for row in pair(study)])
    rng = np.random.default_rng(8)
    effects = np.full((20_000, 6), 0.6)
    observed, replicated = PairTables.of(rows, studies, "logit").spreads(effects, rng)
    assert observed == pytest.approx(np.zeros(20_000), abs=1e-20)
    # Five degrees of freedom: mean 5, variance 10, so that the mean's error is 0.022.
    assert replicated.mean() == pytest.approx(5.0, abs=0.1)
    assert replicated.var() == pytest.approx(10.0, rel=0.06)
