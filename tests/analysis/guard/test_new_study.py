import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import expit

from mscpool.analysis.fitting.predict import Levels
from mscpool.analysis.guard.new_study import predicted
from mscpool.models.terms import build_terms

from ...builders import rows_of

COUNTS = [
    ("a", "psoriasis", "msc", "improvement", 7, 9, 12, 6.0),
    ("a", "psoriasis", "msc", "remission", 2, 2, 12, 6.0),
    ("b", "psoriasis", "msc", "death", 1, 1, 20, 18.0),
    ("c", "psoriasis", "msc_low", "any_ae", 0, 0, 5, 6.0),
    ("c", "psoriasis", "msc_high", "any_ae", 3, 3, 6, 6.0),
]
TERMS = build_terms(
    rows_of(COUNTS), ("improvement", "remission", "any_ae", "death"), ("psoriasis",)
)
#: Levels and standard deviations of the four outcomes in each of three draws: usual ones, spread
#: far, and rates next to none.
THETA = np.array([[0.4, -1.0, 0.2, -3.0], [2.0, 1.0, -2.0, -1.0], [-9.0, -9.0, -9.0, -9.0]])
SIGMA = np.array([[0.5, 0.4, 0.6, 0.3], [1.2, 1.0, 1.1, 0.8], [0.5, 0.5, 0.5, 0.5]])
LEVELS = Levels.of_diseases(SIGMA, THETA[:, :, None])


def over_effect(function, draw, code):
    """Average over the effect of a study, by adaptive quadrature."""
    return integrate.quad(
        lambda z: stats.norm.pdf(z) * function(THETA[draw, code] + SIGMA[draw, code] * z), -9, 9
    )[0]


def below_within_and_mean(rate_average, low, high, n):
    """P(fewer than low), P(at most high) and the mean of a count, given averages over its rate."""
    return (
        rate_average(lambda rate: stats.binom.cdf(low - 1, n, rate)),
        rate_average(lambda rate: stats.binom.cdf(high, n, rate)),
        rate_average(lambda rate: n * rate),
    )


@pytest.mark.parametrize("draw", range(3))
@pytest.mark.parametrize(
    ("outcome", "code", "n", "low", "high", "rate"),
    [
        ("improvement", 0, 12, 7, 9, expit),
        ("any_ae", 2, 11, 3, 3, expit),
        ("death", 3, 20, 1, 1, lambda level: -np.expm1(-1.5 * np.exp(level))),
    ],
)
def test_a_new_study_is_predicted_as_by_quadrature(draw, outcome, code, n, low, high, rate):
    rows = TERMS.rows[TERMS.rows["outcome"] == outcome]
    found = [part[draw] for part in predicted(LEVELS, TERMS, outcome, rows)]
    wanted = below_within_and_mean(
        lambda f: over_effect(lambda level: f(rate(level)), draw, code), low, high, n
    )
    assert found == pytest.approx(wanted, abs=2e-5)


@pytest.mark.parametrize("draw", range(3))
def test_a_new_study_of_a_nested_outcome_is_predicted_as_by_quadrature(draw):
    rows = TERMS.rows[TERMS.rows["outcome"] == "remission"]
    found = [part[draw] for part in predicted(LEVELS, TERMS, "remission", rows)]
    # A count that is improvement and then remission: two independent effects, one product.
    scores, weights = np.polynomial.hermite_e.hermegauss(120)
    p, q = (expit(THETA[draw, code] + SIGMA[draw, code] * scores) for code in (0, 1))
    weight = np.outer(weights, weights) / weights.sum() ** 2
    wanted = below_within_and_mean(lambda f: (f(np.outer(p, q)) * weight).sum(), 2, 2, 12)
    assert found == pytest.approx(wanted, abs=5e-4)
