"""Which outcomes the exact engine takes, how nested ones are conditioned, and products of rates."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, special, stats

from mscpool import load_evidence
from mscpool.models.exact.distribution import Distribution, Distributions, product, product_above
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.exact.outcomes import NotExact, conditional_rows, exact_model, exact_outcomes
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, Exnex, OutcomePriors


@dataclass(frozen=True)
class Table:
    """The part of an evidence that the model sees."""

    rows: pd.DataFrame
    diseases: tuple[str, ...]
    outcome_names: tuple[str, ...]
    moderators: tuple = ()

    @property
    def studies(self):
        return self.rows[["study"]].assign(label="")


def table(entries, diseases=("a", "b")):
    columns = ["study", "disease", "arm", "outcome", "events_min", "events_max", "n"]
    rows = pd.DataFrame(entries, columns=columns).assign(months=np.nan)
    return Table(rows, diseases, tuple(dict.fromkeys(rows["outcome"])))


NESTED = [
    ("s1", "a", "msc", "improvement", 6, 6, 10),
    ("s1", "a", "msc", "remission", 2, 2, 10),
    ("s2", "b", "msc", "improvement", 9, 9, 20),
    ("s2", "b", "msc", "remission", 3, 5, 20),
    ("s3", "b", "msc", "improvement", 2, 4, 8),
]


def test_a_child_is_counted_among_those_with_the_parent():
    rows = conditional_rows(table(NESTED).rows, "remission", "improvement")
    assert rows["n"].tolist() == [6, 9]
    assert rows["events_min"].tolist() == [2, 3]
    assert rows["events_max"].tolist() == [2, 5]


def test_upper_bounds_of_a_child_stop_at_the_parent_count():
    entries = [NESTED[0], ("s1", "a", "msc", "remission", 2, 9, 10)]
    rows = conditional_rows(table(entries).rows, "remission", "improvement")
    assert rows["events_max"].tolist() == [6]


@pytest.mark.parametrize(
    ("parent", "reason"),
    [
        (("s4", "b", "msc", "improvement", 2, 4, 8), "improvement is 2 to 4 of 8"),
        (("s4", "b", "msc", "improvement", 5, 5, 9), "improvement is of 9 patients"),
        (("s4", "b", "other", "improvement", 5, 5, 8), "no row of improvement"),
    ],
)
def test_rows_that_cannot_be_conditioned_are_named(parent, reason):
    entries = [*NESTED, parent, ("s4", "b", "msc", "remission", 1, 1, 8)]
    with pytest.raises(NotExact, match=f"s4: {reason}.*sampler") as refused:
        conditional_rows(table(entries).rows, "remission", "improvement")
    assert refused.value.rows["study"].tolist() == ["s4"]
    assert refused.value.outcome == "remission"


def test_every_outcome_that_can_be_is_fitted_and_the_others_are_named():
    evidence = load_evidence()
    model = exact_model(evidence)
    assert set(model.hierarchies) | set(model.refused) == set(evidence.outcome_names)
    assert {"improvement", "any_ae", "serious_ae", "death"} <= set(model.hierarchies)
    with pytest.raises(NotExact, match="Moderate or severe adverse event cannot be"):
        exact_model(evidence, outcomes=["moderate_severe_ae"])
    with pytest.raises(ValueError, match="unknown outcome 'deaht'"):
        exact_model(evidence, outcomes=["deaht"])


def test_a_named_child_brings_its_parent():
    assert set(exact_model(table(NESTED), outcomes=["remission"]).hierarchies) == {
        "improvement",
        "remission",
    }


def test_a_child_without_any_parent_row_is_an_outcome_of_its_own():
    entries = [row for row in NESTED if row[3] == "remission"]
    model = exact_model(table(entries))
    assert model.parents == {}
    assert model.hierarchies["remission"].likelihoods.rows["n"].tolist() == [10, 20]


def test_the_rate_of_a_nested_outcome_is_a_product():
    fit = exact_outcomes(table(NESTED))
    rates = fit.rates().set_index(["outcome", "quantity", "disease"])
    for quantity in ("rate", "new_study"):
        p = fit.posteriors["improvement"].distribution(quantity, "a")
        q = fit.posteriors["remission"].distribution(quantity, "a")
        child = rates.loc[("remission", quantity, "a")]
        assert child["mean"] == pytest.approx(p.mean * q.mean, abs=1e-9)
        assert child["q97.5"] < rates.loc[("improvement", quantity, "a"), "q97.5"]
    assert rates["mcse_mean"].max() < 1e-4
    assert rates.loc[("remission", "rate", "b"), "patients"] == 20
    new = fit.rates().query("quantity == 'new_disease'")
    assert new["disease"].isna().all()
    assert list(new["outcome"]) == ["improvement", "remission"]


def test_evidence_of_parent_and_child_is_that_of_their_joint_counts():
    # One study and no study effect: enumerate the joint evidence on a grid of both levels.
    entries = [NESTED[0], NESTED[1]]
    fit = exact_outcomes(table(entries, ("a",)))
    values = fit.log_marginal_likelihood
    spread = np.hypot(1.5, 0.0)

    def evidence(y, n):
        nodes, weights = np.polynomial.hermite_e.hermegauss(80)
        sigma, mass = np.polynomial.legendre.leggauss(60)
        sigma, mass = 2 * (sigma + 1), 2 * mass
        total = 0.0
        for s, m in zip(sigma, mass, strict=True):
            level = np.hypot(spread, s) * nodes
            p = stats.binom.pmf(y, n, 1 / (1 + np.exp(-level)))
            total += m * stats.halfnorm.pdf(s, 0, 0.5) * p @ weights / weights.sum()
        return np.log(total)

    # Gauss-Hermite rules of eighty nodes are exact to about 1e-6 here.
    assert values["improvement"] == pytest.approx(evidence(6, 10), abs=1e-5)
    assert values["remission"] == pytest.approx(evidence(2, 6), abs=1e-5)


def beta_rate(events, n):
    rows = pd.DataFrame(
        {
            "study": ["s"],
            "disease": ["a"],
            "events_min": [events],
            "events_max": [events],
            "n": [n],
        }
    )
    priors = OutcomePriors(
        Prior.make("Logistic", mu=0, s=1),
        Prior.make("HalfNormal", sigma=1),
        Prior.make("DiracDelta", c=0),
        Exnex(),
    )
    posterior = ExactHierarchy(count_likelihoods(rows)).posterior(priors)
    return posterior.distribution("rate", "a"), stats.beta(1 + events, 1 + n - events)


def test_product_of_two_beta_rates_agrees_with_quadrature():
    (p, beta_p), (q, beta_q) = beta_rate(6, 10), beta_rate(0, 6)
    both = product(p, q)
    assert both.mean == pytest.approx(beta_p.mean() * beta_q.mean(), abs=1e-6)
    square = beta_p.moment(2) * beta_q.moment(2)
    assert both.sd == pytest.approx(np.sqrt(square - both.mean**2), abs=1e-6)
    for rate in (0.01, 0.05, 0.1, 0.3):
        below = integrate.quad(
            lambda x, r=rate: beta_p.pdf(x) * beta_q.cdf(min(r / x, 1)),
            0,
            1,
            points=[rate],
            epsabs=1e-10,
        )[0]
        assert 1 - both.above(rate) == pytest.approx(below, abs=1e-4)
        assert both.quantile(below) == pytest.approx(rate, abs=1e-4)
    inside = (both.values > 0.02) & (both.values < 0.5)
    x = both.values[inside][::20]
    density = [
        integrate.quad(lambda t, r=r: beta_p.pdf(t) * beta_q.pdf(r / t) / t, r, 1)[0] for r in x
    ]
    # Densities are read log-linearly between the points of a grid.
    np.testing.assert_allclose(both.density[inside][::20], density, rtol=2e-3, atol=1e-3)


def beta_on_a_grid(a, b):
    x = np.linspace(-40, 40, 4001)
    beta, rate = stats.beta(a, b), special.expit(x)
    cumulative = np.where(x < 0, beta.cdf(rate), 1 - stats.beta(b, a).cdf(special.expit(-x)))
    density = np.exp(a * special.log_expit(x) + b * special.log_expit(-x) - special.betaln(a, b))
    masses = density * (x[1] - x[0])
    source = Distributions(x, cumulative[:, None], density[:, None], x, masses[:, None])
    return Distribution(source, "logit")


@pytest.mark.parametrize(
    ("a", "b", "c"),
    [
        pytest.param(2, 3, 4, id="both moderate"),
        pytest.param(30, 0.1, 20, id="second bunched at one"),
        pytest.param(3, 0.1, 0.1, id="both bunched at one"),
        pytest.param(0.3, 2, 5, id="second bunched at zero"),
        pytest.param(400, 200, 0.5, id="second far narrower than the first"),
        pytest.param(1, 1, 2000, id="first far narrower than the second"),
    ],
)
def test_quantiles_of_a_product_agree_with_the_beta_that_it_is(a, b, c):
    # Beta(a + b, c) times Beta(a, b) is Beta(a, b + c).
    both = product(beta_on_a_grid(a + b, c), beta_on_a_grid(a, b))
    truth = stats.beta(a, b + c)
    shares = np.array([0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995])
    np.testing.assert_allclose(both.quantile(shares), truth.ppf(shares), rtol=0, atol=1e-4)
    for rate in truth.ppf(shares):
        above = product_above(beta_on_a_grid(a + b, c), beta_on_a_grid(a, b), rate)
        assert above == pytest.approx(truth.sf(rate), abs=1e-4)


@pytest.mark.parametrize("pooling", ["partial", "complete", "none", "exnex", "robust"])
def test_every_pooling_fits_the_real_evidence_to_the_stated_error(pooling):
    fit = exact_outcomes(load_evidence(), pooling)
    assert fit.worst_error < 1e-4
    rates = fit.rates()
    assert rates["mean"].between(0, 1).all()
    assert (rates["q2.5"] < rates["q50"]).all()
    assert (rates["q50"] < rates["q97.5"]).all()
    assert rates["mcse_mean"].max() < 1e-4


def test_bayes_factors_are_differences_of_log_evidence():
    model = exact_model(table(NESTED))
    wide = model.fit(DEFAULT).log_marginal_likelihood
    narrow = model.fit(replace(DEFAULT, tau=Prior.make("HalfNormal", sigma=0.01)))
    pooled = exact_model(table(NESTED), "complete").fit(DEFAULT).log_marginal_likelihood
    # A spread of a hundredth is all but none: the evidence moves by its square.
    for name, value in narrow.log_marginal_likelihood.items():
        assert value == pytest.approx(pooled[name], abs=1e-3)
        assert abs(value - wide[name]) > 0.01
