"""Every family of distributions against SciPy's, and against PyMC's names and parameters."""

import inspect

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from mscpool.models.priors.density import FAMILIES
from mscpool.models.priors.prior import Prior


class HalfStudentT:
    """The absolute value of a Student-t centred at zero, which SciPy lacks."""

    def __init__(self, nu, sigma):
        self.full = stats.t(nu, 0, sigma)

    def logpdf(self, x):
        return np.where(np.asarray(x) < 0, -np.inf, self.full.logpdf(x) + np.log(2))

    def cdf(self, x):
        return np.where(np.asarray(x) < 0, 0.0, self.full.cdf(x) - self.full.sf(x))

    def sf(self, x):
        return 2 * self.full.sf(x)

    def support(self):
        return 0.0, np.inf


#: For each family some parameters, and the same distribution as SciPy writes it.
TABLE = {
    "Normal": [({"mu": -1.5, "sigma": 2}, stats.norm(-1.5, 2))],
    "HalfNormal": [({"sigma": 0.5}, stats.halfnorm(0, 0.5)), ({"sigma": 3}, stats.halfnorm(0, 3))],
    "HalfCauchy": [({"beta": 0.4}, stats.halfcauchy(0, 0.4))],
    "HalfStudentT": [
        ({"nu": 3, "sigma": 0.8}, HalfStudentT(3, 0.8)),
        ({"nu": 0.7, "sigma": 2}, HalfStudentT(0.7, 2)),
    ],
    "Exponential": [({"lam": 2}, stats.expon(0, 0.5))],
    "LogNormal": [({"mu": -1, "sigma": 1.2}, stats.lognorm(1.2, 0, np.exp(-1)))],
    "Uniform": [
        ({"lower": 0.5, "upper": 2}, stats.uniform(0.5, 1.5)),
        ({"lower": -5, "upper": 3}, stats.uniform(-5, 8)),
    ],
    "StudentT": [({"nu": 4, "mu": 1, "sigma": 2}, stats.t(4, 1, 2))],
    "Logistic": [({"mu": 0.5, "s": 0.7}, stats.logistic(0.5, 0.7))],
    "Gamma": [
        ({"alpha": 2, "beta": 3}, stats.gamma(2, 0, 1 / 3)),
        ({"alpha": 0.4, "beta": 1}, stats.gamma(0.4)),
    ],
    "InverseGamma": [({"alpha": 3, "beta": 1.5}, stats.invgamma(3, 0, 1.5))],
}
CASES = [(family, *case) for family, cases in TABLE.items() for case in cases]
every_case = pytest.mark.parametrize(
    ("family", "parameters", "theirs"), CASES, ids=[str(Prior.make(f, **p)) for f, p, _ in CASES]
)

#: Far into both tails, and the middle.
PROBABILITIES = np.concatenate([10.0 ** -np.arange(2, 13), np.linspace(0.05, 0.5, 10)])
# SciPy's own functions and ours are each good to some units of the last of 16 digits; the inverse
# functions, at a probability of 1e-12, lose four of them.
CLOSE, INVERTED = 1e-12, 1e-9


def test_the_table_has_every_family_that_has_a_density():
    assert set(TABLE) == set(FAMILIES) - {"DiracDelta"}


@every_case
def test_density_and_distribution_function_are_scipys(family, parameters, theirs):
    ours = Prior.make(family, **parameters)
    x = np.concatenate([ours.density.ppf(PROBABILITIES), ours.density.isf(PROBABILITIES)])
    outside = np.array([-9.0, -1e-9]) if ours.nonnegative else np.array([-9.0, 9.0])
    x = np.concatenate([x, outside])
    np.testing.assert_allclose(ours.logpdf(x), theirs.logpdf(x), rtol=CLOSE, atol=1e-10)
    np.testing.assert_allclose(ours.cdf(x), theirs.cdf(x), rtol=INVERTED, atol=CLOSE)


@every_case
def test_quantiles_from_either_side_are_the_inverse_of_scipys(family, parameters, theirs):
    ours = Prior.make(family, **parameters).density
    np.testing.assert_allclose(theirs.cdf(ours.ppf(PROBABILITIES)), PROBABILITIES, rtol=1e-4)
    np.testing.assert_allclose(theirs.sf(ours.isf(PROBABILITIES)), PROBABILITIES, rtol=1e-4)
    inner = PROBABILITIES[PROBABILITIES > 1e-5]
    np.testing.assert_allclose(theirs.cdf(ours.ppf(inner)), inner, rtol=INVERTED)
    np.testing.assert_allclose(theirs.sf(ours.isf(inner)), inner, rtol=INVERTED)
    np.testing.assert_allclose(ours.isf(inner), ours.ppf(1 - inner), rtol=1e-8, atol=CLOSE)


@every_case
def test_quantiles_of_nothing_and_of_all_are_the_ends_of_the_support(family, parameters, theirs):
    assert Prior.make(family, **parameters).ppf([0.0, 1.0]).tolist() == list(theirs.support())


@every_case
def test_support_and_tail_are_those_of_the_density(family, parameters, theirs):
    ours = Prior.make(family, **parameters).density
    low, high = ours.support
    assert theirs.cdf(low) == 0
    assert theirs.cdf(np.nextafter(high, np.inf)) == 1
    if np.isinf(high):
        far = theirs.logpdf(10.0 ** np.array([3, 4, 7, 8]))
        near, farther = -np.diff(far)[[0, 2]] / np.log(10)
        if np.isfinite(ours.tail):
            assert farther == pytest.approx(ours.tail, rel=1e-3)
        else:
            assert farther > near + 1


@pytest.mark.parametrize(
    ("family", "parameters", "theirs"),
    [case for case in CASES if Prior.make(case[0], **case[1]).nonnegative],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_prior_on_the_variance_is_that_of_the_square(family, parameters, theirs):
    ours = Prior.make(family, on="variance", **parameters)
    x = ours.ppf([0.01, 0.3, 0.8, 0.999])
    np.testing.assert_allclose(ours.cdf(x), theirs.cdf(x**2), rtol=CLOSE)
    np.testing.assert_allclose(ours.logpdf(x), theirs.logpdf(x**2) + np.log(2 * x), rtol=CLOSE)
    assert (ours.cdf(-x) == 0).all()
    assert (ours.logpdf(-x) == -np.inf).all()
    area, _ = quad(lambda y: np.exp(ours.logpdf(y)), x[1], x[2], epsrel=1e-10)
    assert area == pytest.approx(0.5, rel=1e-8)
    if np.isfinite(ours.density.tail):
        steep = (ours.logpdf(1e5) - ours.logpdf(1e4)) / np.log(10)
        assert -steep == pytest.approx(ours.density.tail, rel=1e-3)


@every_case
def test_parameters_and_defaults_are_pymcs(family, parameters, theirs):
    import pymc as pm

    prior = Prior.make(family, **parameters)
    x = float(prior.ppf(0.3))
    logp = pm.logp(getattr(pm, family).dist(**parameters), np.array(x)).eval(mode="FAST_COMPILE")
    # PyMC casts its constants to single precision.
    assert float(prior.logpdf(x)) == pytest.approx(float(logp), rel=1e-6)
    theirs_too = inspect.signature(getattr(pm, family).dist).parameters
    assert set(FAMILIES[family].parameters) <= set(theirs_too)
