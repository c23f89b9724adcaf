"""Power-scaling against published values, on draws that owe nothing to the sampler."""

import json

import numpy as np
import pytest
from scipy import stats

from mscpool.analysis.sensitivity.power_scaling import (
    CONFLICT,
    OK,
    PRIOR,
    PRIOR_MATTERS,
    UNDECIDED,
    meaning,
    power_scaling,
    verdict,
)

DRAWS = 4000


@pytest.fixture(scope="module")
def reference(root):
    return json.loads((root / "tests/reference/power_scaling.json").read_text())


def _picked(log_posterior, first, second, seed):
    """Draw independently from a posterior given on a grid, even within its cells."""
    rng = np.random.default_rng(seed)
    mass = np.exp(log_posterior - log_posterior.max())
    chosen = rng.choice(mass.size, DRAWS, p=(mass / mass.sum()).ravel())
    i, j = np.unravel_index(chosen, mass.shape)
    within = rng.uniform(-0.5, 0.5, (2, DRAWS))
    return (
        first[i] + within[0] * (first[1] - first[0]),
        second[j] + within[1] * (second[1] - second[0]),
    )


def _chains(values):
    return values.reshape(4, -1)


@pytest.fixture(scope="module")
def normal(reference):
    """Two-parameter normal model: 25 values, mu ~ N(0, 1), sigma ~ half-normal(2.5)."""
    y = np.array(reference["y"])
    mu, sigma = np.linspace(8.5, 10.5, 801), np.linspace(0.5, 1.8, 701)

    def parts(m, s):
        prior = stats.norm.logpdf(m) + stats.halfnorm.logpdf(s, 0, 2.5)
        return prior, sum(stats.norm.logpdf(value, m, s) for value in y)

    grid = sum(parts(mu[:, None], sigma[None, :]))
    tables = []
    for seed in range(6):
        m, s = _picked(grid, mu, sigma, seed)
        prior, likelihood = parts(m, s)
        draws = {"mu": _chains(m), "sigma": _chains(s)}
        tables.append(power_scaling(draws, _chains(prior), _chains(likelihood)))
    return [table.set_index("parameter") for table in tables]


def test_normal_model_has_the_published_sensitivities(normal, reference):
    """Of 4000 independent draws: 0.401, standard deviation over replications 0.029."""
    prior = np.mean([table.loc["mu", "prior"] for table in normal])
    assert prior == pytest.approx(0.401, abs=3 * 0.029)
    published = reference["published"]["arviz_psense"]
    for parameter in ("mu", "sigma"):
        for column, value in zip(("prior", "likelihood"), published[parameter], strict=True):
            found = np.mean([table.loc[parameter, column] for table in normal])
            # The printed values are of one set of draws each: the same relative error.
            assert found == pytest.approx(value, rel=3 * 0.029 / 0.401)


@pytest.mark.slow
def test_stated_error_is_the_spread_over_replications():
    """Of a funnel: stretches of few draws taken by themselves would state three quarters of it."""
    tables = _school_tables(range(24), conditional=False)
    ratios = []
    for column in ("prior", "likelihood"):
        values, stated = (
            np.array([table.loc["mu", name] for table in tables])
            for name in (column, f"{column}_mcse")
        )
        ratios.append(stated.mean() / values.std(ddof=1))
    # Each spread is known to 15 %.
    assert 0.8 < np.mean(ratios) < 1.3


def test_a_prior_far_from_the_data_is_a_conflict(normal):
    assert [table.loc["mu", "verdict"] for table in normal] == [CONFLICT] * 6


def _school_tables(seeds, conditional):
    """Eight schools, prior mu ~ N(0, 5), tau ~ half-normal(5), on independent draws."""
    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    error = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    mu, tau = np.linspace(-20, 25, 601), np.linspace(0.005, 25, 601)

    def log_prior(m, t):
        return stats.norm.logpdf(m, 0, 5) + stats.halfnorm.logpdf(t, 0, 5)

    grid = log_prior(mu[:, None], tau[None, :])
    for value, s in zip(y, error, strict=True):
        grid = grid + stats.norm.logpdf(value, mu[:, None], np.hypot(s, tau[None, :]))
    tables = []
    for seed in seeds:
        m, t = _picked(grid, mu, tau, seed)
        t = np.abs(t) + 1e-9
        rng, likelihood = np.random.default_rng(seed), 0.0
        for value, s in zip(y, error, strict=True):
            if conditional:
                variance = 1 / (1 / s**2 + 1 / t**2)
                effect = rng.normal(variance * (value / s**2 + m / t**2), np.sqrt(variance))
                likelihood = likelihood + stats.norm.logpdf(value, effect, s)
            else:
                likelihood = likelihood + stats.norm.logpdf(value, m, np.hypot(s, t))
        table = power_scaling(
            {"mu": _chains(m), "tau": _chains(t)}, _chains(log_prior(m, t)), _chains(likelihood)
        )
        tables.append(table.set_index("parameter"))
    return tables


def test_eight_schools_have_the_replicated_sensitivities(reference):
    """The likelihood given the schools' effects."""
    wanted = reference["eight_schools_4000_iid"]
    tables = _school_tables(range(4), conditional=True)
    for key, column in (("prior", "prior"), ("lik", "likelihood")):
        for parameter in ("mu", "tau"):
            mean, spread = wanted[f"{parameter}_{key}"]
            found = np.mean([table.loc[parameter, column] for table in tables])
            # Three errors of the mean of four, beside that of the published mean.
            assert found == pytest.approx(mean, abs=3 * spread)


def test_much_data_and_a_wide_prior_leave_nothing_to_the_prior():
    rng = np.random.default_rng(1)
    draws = rng.normal(0.2, 0.1, DRAWS)  # a thousand values of SD 3.2, prior N(0, 10)
    table = power_scaling(
        {"mu": _chains(draws)},
        _chains(stats.norm.logpdf(draws, 0, 10)),
        _chains(stats.norm.logpdf(draws, 0.2, 0.1)),
    )
    assert table["verdict"].tolist() == [OK]
    assert table["likelihood"].item() > 0.05


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0.01, 0.005, 0.2, 0.01), OK),
        ((0.20, 0.010, 0.2, 0.01), CONFLICT),
        ((0.20, 0.010, 0.01, 0.005), PRIOR),
        ((0.06, 0.010, 0.2, 0.01), UNDECIDED),
        ((0.099, 0.014, 0.06, 0.02), PRIOR_MATTERS),
    ],
)
def test_verdict_is_withheld_where_an_error_spans_the_threshold(values, expected):
    assert verdict(*values) == expected


@pytest.mark.parametrize(
    ("prior", "likelihood", "said"),
    [
        (0.099, 0.055, "the prior shapes the result; too few draws to say whether the data do too"),
        (0.055, 0.200, "too few draws to say whether the prior matters; the data do"),
        (0.055, 0.055, "too few draws to say whether the prior matters, or whether the data do"),
    ],
)
def test_each_side_is_said_by_its_own_error(prior, likelihood, said):
    values = {"prior": prior, "prior_mcse": 0.014, "likelihood": likelihood}
    row = values | {"likelihood_mcse": 0.014, "verdict": verdict(prior, 0.014, likelihood, 0.014)}
    assert meaning(row) == said


def test_a_fixed_parameter_has_no_sensitivity():
    fixed = np.ones((4, 100))
    assert power_scaling({"tau": fixed}, 0 * fixed, 0 * fixed).empty
