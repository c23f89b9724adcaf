"""A fit with moderators: against quadrature, planted coefficients, and its own words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mscpool.analysis.fitting import predict, sampler
from mscpool.analysis.fitting.exact_fit import NotIntegrated
from mscpool.analysis.fitting.fit import fit, rates, run_config, sample
from mscpool.analysis.fitting.moderated import (
    coefficient_table,
    heterogeneity,
    moderators,
    moderators_of,
    reported_at,
    spread_table,
)
from mscpool.analysis.guard.check import check, terms_of_fit
from mscpool.analysis.guard.new_study import predicted
from mscpool.data.evidence import load_evidence
from mscpool.data.moderators import Moderator
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT
from mscpool.models.terms import build_terms

DOSES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 11.0]
STUDIES = [f"s{i}" for i in range(len(DOSES))]
N = [20, 15, 30, 12, 25, 18, 22, 16]
EVENTS = [4, 3, 11, 5, 9, 12, 14, 13]
OUTCOME = "response"
NAMES = ["study", "disease", "arm", "outcome", "events_min", "events_max", "n", "months"]
#: Less spread than the default, so that one grid holds the posterior.
PRIORS = replace(DEFAULT, sigma=Prior.make("HalfNormal", sigma=0.3))


def dose(values=DOSES, at=5.0):
    return Moderator("dose", dict(zip(STUDIES, values, strict=True)), (), None, at)


def terms_of(moderator, events=EVENTS, n=N):
    rows = [
        (study, "d", "msc", OUTCOME, count, count, size, 6.0)
        for study, count, size in zip(STUDIES, events, n, strict=True)
    ]
    return build_terms(pd.DataFrame(rows, columns=NAMES), (OUTCOME,), ("d",), (moderator,))


def by_quadrature(events, n, x):
    """Posterior means and deviations of mu, beta and sigma, on a grid; study effects by nodes."""
    mu, beta = np.linspace(-2.5, 2.5, 61), np.linspace(-1.5, 3, 61)
    sigma = np.linspace(0.005, 1.5, 41)
    scores, weights = np.polynomial.hermite_e.hermegauss(15)
    weights = weights / weights.sum()
    log_density = (
        stats.norm.logpdf(mu, 0, 1.5)[:, None, None]
        + stats.norm.logpdf(beta, 0, 1)[:, None]
        + stats.halfnorm.logpdf(sigma, 0, 0.3)
    )
    for y, size, each in zip(events, n, x, strict=True):
        level = (mu[:, None, None] + beta[:, None] * each + 0 * sigma)[..., None]
        level = level + sigma[:, None] * scores
        probability = np.exp(y * level + size * special.log_expit(-level))
        log_density = log_density + np.log(probability @ weights)
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    out = []
    for axis, values in enumerate((mu, beta, sigma)):
        marginal = density.sum(axis=tuple({0, 1, 2} - {axis}))
        mean = marginal @ values
        out.append((mean, np.sqrt(marginal @ (values - mean) ** 2)))
    return out


@pytest.mark.mcmc
def test_one_moderator_of_one_disease_is_what_quadrature_says():
    terms = terms_of(dose())
    draws, _ = sample(terms, "partial", PRIORS, draws=3000, tune=800, chains=4, seed=5)
    x = (np.array(DOSES) - 5) / np.std(DOSES, ddof=1)
    wanted = by_quadrature(EVENTS, N, x)
    for name, (mean, sd) in zip(("mu", "beta", "sigma"), wanted, strict=True):
        # At least 3,000 effective draws: four errors of a mean are 0.073 of its deviation.
        assert draws[name].mean() == pytest.approx(mean, abs=0.075 * sd), name
        assert draws[name].std() == pytest.approx(sd, rel=0.08), name


@pytest.mark.mcmc
def test_other_values_of_a_column_need_no_new_compilation():
    sampler.compiled(terms_of(dose()), "partial")
    before = sampler._compiled.cache_info().misses
    changed = terms_of(dose([7.0, 1.0, 9.0, 2.0, 2.0, 5.0, 3.0, 3.5]))
    first, _ = sample(changed, "partial", PRIORS, draws=50, tune=50, chains=1, seed=5)
    other, _ = sample(terms_of(dose()), "partial", PRIORS, draws=50, tune=50, chains=1, seed=5)
    assert sampler._compiled.cache_info().misses == before
    assert not np.array_equal(first["beta"], other["beta"])


def test_a_matrix_of_another_shape_is_another_model():
    values = dict(zip(STUDIES, "abababab", strict=True))
    text = Moderator("route", values, ("a", "b"), "a", "a")
    many = Moderator("lab", values, tuple("abcde"), "a", "a")
    plain = replace(terms_of(dose()), design=None)
    four, eight, none = (
        {sampler._Structure(terms, "partial") for terms in each}
        for each in (
            [terms_of(dose()), terms_of(dose(list(reversed(DOSES)))), terms_of(text)],
            [terms_of(many)],
            [plain],
        )
    )
    assert len(four) == 1  # up to four coefficients are one model
    assert len(four | eight | none) == 3


def planted(rng, slope, n):
    """Counts of studies with a planted coefficient, drawn as the model says."""
    x = (np.array(DOSES) - 5) / np.std(DOSES, ddof=1)
    eta = rng.normal(0, 1.5) + slope * x + abs(rng.normal(0, 0.3)) * rng.standard_normal(len(x))
    return rng.binomial(n, special.expit(eta)).tolist()


@pytest.mark.mcmc
def test_a_planted_coefficient_is_found():
    rng, n = np.random.default_rng(8), [400] * len(DOSES)
    for slope in (-0.8, 0.9):
        terms = terms_of(dose(), planted(rng, slope, n), n)
        draws, _ = sample(terms, "partial", PRIORS, draws=300, tune=300, chains=2, seed=1)
        low, high = np.quantile(draws["beta"], [0.0005, 0.9995])
        assert low < slope < high
        assert draws["beta"].mean() * slope > 0.3 * slope**2


@pytest.mark.slow
@pytest.mark.mcmc
def test_intervals_cover_planted_coefficients_as_often_as_they_say():
    rng, sets, ranks = np.random.default_rng(9), 200, []
    for i in range(sets):
        slope = rng.standard_normal()
        terms = terms_of(dose(), planted(rng, slope, N))
        draws, _ = sample(terms, "partial", PRIORS, draws=300, tune=300, chains=2, seed=i)
        ranks.append((draws["beta"] < slope).mean())
    ranks = np.array(ranks)
    for level in (0.5, 0.8, 0.95):
        covered = (abs(ranks - 0.5) < level / 2).sum()
        assert stats.binomtest(covered, sets, level).pvalue > 0.001, (level, covered)
    assert stats.kstest(ranks, "uniform").pvalue > 0.001


def levels(terms, draws=4000):
    rng = np.random.default_rng(3)
    beta = rng.normal(0.5, 0.4, (draws, 1, len(terms.design.coefficients)))
    theta = rng.normal(0.2, 0.3, (draws, 1, 1))
    return predict.Levels.of_diseases(np.full((draws, 1), 0.4), theta, beta=beta)


def test_a_study_left_out_is_predicted_at_its_own_values():
    terms = terms_of(dose())
    drawn, rows = levels(terms), terms.rows[terms.rows["study"] == "s7"]
    low, high, expected = predicted(drawn, terms, OUTCOME, rows)
    x = (11 - 5) / np.std(DOSES, ddof=1)
    centre = drawn.theta[:, 0, 0] + x * drawn.beta[:, 0, 0]
    scores, weights = np.polynomial.hermite_e.hermegauss(41)
    rate = special.expit(centre[:, None] + 0.4 * scores)
    weights = weights / weights.sum()
    # Levels are interpolated on a grid of hundredths.
    np.testing.assert_allclose(expected, 16 * rate @ weights, atol=1e-3)
    np.testing.assert_allclose(high - low, stats.binom.pmf(13, 16, rate) @ weights, atol=1e-4)
    integrated = predict.integrated_log_likelihood(drawn, terms)[:, 7]
    np.testing.assert_allclose(np.exp(integrated), high - low, atol=1e-4)


def test_replicates_and_reported_rates_stand_at_their_own_values():
    terms = terms_of(dose(at=8.0))
    drawn = levels(terms)
    fresh = predict.renew_studies(drawn, terms, np.random.default_rng(1))
    x = (np.array(DOSES) - 5) / np.std(DOSES, ddof=1)
    centre = drawn.theta[:, 0] + x * drawn.beta[:, 0]
    np.testing.assert_allclose((fresh.eta - centre).mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose((fresh.eta - centre).std(axis=0), 0.4, rtol=0.06)
    moved = predict.where_reported(drawn, terms)
    np.testing.assert_allclose(moved.theta[:, 0, 0], centre[:, DOSES.index(8.0)])


def test_the_reference_changes_words_only():
    values = dict(zip(STUDIES, "aabbbccc", strict=True))
    tables = {}
    for reference in "abc":
        terms = terms_of(Moderator("route", values, ("a", "b", "c"), reference, reference))
        drawn = levels(terms, 400)
        posterior = _posterior(drawn)
        tables[reference] = coefficient_table(posterior, terms, (OUTCOME,))[0].set_index("contrast")
    assert list(tables["a"].index) == ["b", "c"]
    for one, other in (("a", "b"), ("b", "c"), ("c", "a")):
        assert tables[one].at[other, "mean"] == pytest.approx(-tables[other].at[one, "mean"])
        assert tables[one].at[other, "ratio_q50"] == pytest.approx(
            1 / tables[other].at[one, "ratio_q50"]
        )
        assert tables[one].at[other, "probability_positive"] == pytest.approx(
            1 - tables[other].at[one, "probability_positive"]
        )


def test_a_unit_is_the_columns_own():
    table = coefficient_table(_posterior(levels(terms_of(dose()))), terms_of(dose()), (OUTCOME,))[0]
    unit, sd = table.set_index("per").loc[["unit", "sd"], "mean"]
    assert sd / unit == pytest.approx(np.std(DOSES, ddof=1))
    assert set(table["scale"]) == {"log_odds_ratio"}
    assert set(table["studies"]) == {8}


def test_the_error_of_the_variance_taken_is_that_of_repeated_draws():
    rng, made = np.random.default_rng(7), []
    for _ in range(60):
        both = [{"sigma": np.abs(rng.normal(0, scale, (4, 150, 1)))} for scale in (0.6, 0.3)]
        made.append(spread_table(*both, {OUTCOME: 0}).iloc[0])
    taken, stated = ([row[name] for row in made] for name in ("taken", "taken_mcse"))
    assert np.mean(taken) == pytest.approx(1 - 0.3**2 / 0.6**2, abs=0.01)
    # A bound of it, and no loose one.
    assert 0.8 < np.mean(stated) / np.std(taken) < 1.6


def _posterior(drawn):
    import xarray as xr

    folded = drawn.beta.reshape(4, -1, *drawn.beta.shape[1:])
    return xr.Dataset({"beta": (("chain", "draw", "outcome", "coefficient"), folded)})


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "doses.csv"
    rows = zip(STUDIES, EVENTS, N, DOSES, strict=True)
    lines = ["study,events,n,dose", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.mark.mcmc
def test_a_fit_keeps_and_reads_back_what_moderators_say(table, tmp_path):
    evidence = load_evidence(table, moderators="dose", at="dose=8")
    settings = {"draws": 400, "tune": 300, "chains": 2, "seed": 3, "path": tmp_path / "fit.nc"}
    with pytest.warns(NotIntegrated, match="moderators are for the sampler"):
        made = fit(evidence, engine="exact", **settings)
    with pytest.warns(NotIntegrated, match="moderators are for the sampler"):
        again = fit(evidence, engine="exact", **settings)
    for one in (made, again):
        assert run_config(one)["engine"] == "nuts"
        assert reported_at(one) == {"dose": 8.0}
        assert moderators_of(one) == evidence.moderators
        coefficients = moderators(one)
        assert list(coefficients["per"]) == ["unit", "sd"]
        assert (coefficients["mean"] > 0).all()
        spread = heterogeneity(one).set_index("parameter")
        assert list(spread.index) == ["sigma"]
        assert spread.at["sigma", "q50_with"] < spread.at["sigma", "q50_without"]
        terms = terms_of_fit(one)
        np.testing.assert_array_equal(terms.design.matrix, terms_of(dose()).design.matrix)
    np.testing.assert_allclose(
        made["log_prior"]["beta"], stats.norm.logpdf(made["posterior"]["beta"]), atol=1e-12
    )
    # The stored rate is that at a dose of 8.
    draws = made["posterior"]
    x = (8 - 5) / np.std(DOSES, ddof=1)
    level = draws["theta"].to_numpy()[..., 0, 0] + x * draws["beta"].to_numpy()[..., 0, 0]
    rate = rates(made).set_index("quantity").at["rate", "mean"]
    assert rate == pytest.approx(special.expit(level).mean())
    found = check(made, evidence)
    assert {one["study"] for one in found.loo} == set(STUDIES)
    plain = load_evidence(table)
    with pytest.raises(ValueError, match="made from other data"):
        check(made, plain)
    left_out = made.copy()  # as where no two studies differ in it: it has no coefficient
    del left_out["moderators"]
    assert reported_at(left_out) == {}
