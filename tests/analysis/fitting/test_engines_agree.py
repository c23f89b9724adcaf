"""The sampler against the exact engine, which shares no code with it beyond the tables it reads."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from arviz_stats.base.array import array_stats

from mscpool.analysis.fitting import predict, summary
from mscpool.analysis.fitting.fit import terms_of
from mscpool.analysis.fitting.sampler import sample
from mscpool.analysis.fitting.tree import groups_of_draws
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.exact.outcomes import exact_model
from mscpool.models.pooling import POOLINGS
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import DEFAULT, PriorSet

pytestmark = pytest.mark.mcmc

#: Outcomes of the core evidence that lie within no other: a pair that has no children, one on the
#: log-odds and one on the log hazard, and the two that have, fitted without them.
CHILDLESS, PARENTS = ("serious_ae", "death"), ("improvement", "any_ae")
SETS = (
    DEFAULT,
    PriorSet("heavy tail", tau=Prior.make("HalfCauchy", beta=0.5)),
    PriorSet("other families", mu=Prior.make("Logistic"), sigma=Prior.make("Exponential", lam=3)),
)
#: In Monte-Carlo standard errors; hundreds of means are compared, at fixed seeds.
MOST_ERRORS = 4
#: Of each of four chains. The errors allow for their number; it need only be large enough for
#: those to be known.
DRAWS, LEAST_EFFECTIVE = {CHILDLESS: 500, PARENTS: 4000}, 200


@pytest.fixture(scope="module")
def evidence():
    return load_evidence(outcomes=CHILDLESS)


@cache
def sampled(pooling: str, priors: PriorSet, outcomes: tuple[str, ...] = CHILDLESS):
    """Rates, hyperparameters and draws; every prior set refits one compiled model."""
    terms = terms_of(load_evidence(outcomes=outcomes))
    return summarised(terms, pooling, priors, outcomes, DRAWS[outcomes])


def summarised(terms, pooling: str, priors: PriorSet, outcomes: tuple[str, ...], length: int):
    draws, _ = sample(terms, pooling, priors, length, 500, seed=3)
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}
    rng = np.random.default_rng(4)
    levels = predict.levels_of(flat, terms, rng)
    shape = draws["sigma"].shape[:2]
    groups = groups_of_draws(levels, terms, pooling, priors, shape, rng)
    rates, hyper, _ = summary.summarise(groups["posterior"], terms, outcomes)
    assert min(rates["ess_bulk"].min(), hyper["ess_bulk"].min()) > LEAST_EFFECTIVE
    return rates, hyper, draws


def errors_apart(sampled: pd.DataFrame, exact: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Differences of means in Monte-Carlo standard errors of the sampled ones."""
    sampled = sampled.astype(dict.fromkeys(keys, object)).fillna(dict.fromkeys(keys, ""))
    exact = exact.fillna(dict.fromkeys(keys, ""))
    both = sampled.merge(exact, on=keys, suffixes=("", "_exact"), validate="one_to_one")
    assert len(both) == len(sampled) == len(exact)
    return (both["mean"] - both["mean_exact"].astype(float)).abs() / both["mcse_mean"]


def medians_apart(draws: np.ndarray, exact: pd.DataFrame, parameter: str) -> np.ndarray:
    """Differences of medians in their Monte-Carlo standard errors; draws (chain, draw, outcome).

    A tau with a heavy tail and few diseases may have a mean, but no variance for its error.
    """
    wanted = exact.loc[exact["parameter"] == parameter, "q50"].to_numpy(float)
    errors = [
        array_stats.mcse(each, method="quantile", prob=0.5) for each in np.moveaxis(draws, -1, 0)
    ]
    return np.abs(np.median(draws, axis=(0, 1)) - wanted) / np.array(errors, float)


#: The default is compared every time.
EVERY_POOLING = [
    pytest.param(name, marks=[] if name == "partial" else [pytest.mark.slow]) for name in POOLINGS
]


@pytest.mark.parametrize(
    "outcomes", [CHILDLESS, pytest.param(PARENTS, marks=pytest.mark.slow)], ids=" and ".join
)
@pytest.mark.parametrize("pooling", EVERY_POOLING)
def test_sampler_agrees_with_integration_in_every_pooling_and_prior_set(pooling, outcomes):
    model = exact_model(load_evidence(outcomes=outcomes), pooling)
    assert set(model.hierarchies) == set(outcomes)
    for priors in SETS:
        (rates, hyper, draws), exact = sampled(pooling, priors, outcomes), model.fit(priors)
        of_rates = errors_apart(rates, exact.rates(), ["outcome", "disease", "quantity"])
        of_hyper = errors_apart(hyper, exact.hyper(), ["outcome", "parameter"])
        assert of_rates.max() < MOST_ERRORS, priors.name
        assert of_hyper[hyper["parameter"] != "tau"].max() < MOST_ERRORS, priors.name
        if "tau" in draws:
            of_tau = medians_apart(draws["tau"], exact.hyper(), "tau")
            assert of_tau.max() < MOST_ERRORS, priors.name


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["partial", "robust"])
@pytest.mark.parametrize("apart", [1.0, 0.0], ids=["apart", "alike"])
def test_sampler_agrees_with_integration_of_many_studies(tmp_path, pooling, apart):
    rng = np.random.default_rng(2)
    disease, n = np.repeat(range(4), 80), rng.integers(5, 120, 320)
    level = apart * np.array([-1.0, 0.0, 0.3, 1.5])[disease] + rng.normal(0, 0.4, 320)
    rows = pd.DataFrame({"study": range(320), "disease": disease, "n": n})
    rows["events"] = rng.binomial(n, 1 / (1 + np.exp(-level)))
    rows.to_csv(tmp_path / "many.csv", index=False)
    evidence = load_evidence(tmp_path / "many.csv")
    names = evidence.outcome_names
    exact = exact_model(evidence, pooling).fit(DEFAULT)
    rates, hyper, draws = summarised(terms_of(evidence), pooling, DEFAULT, names, 1000)
    of_rates = errors_apart(rates, exact.rates(), ["outcome", "disease", "quantity"])
    of_hyper = errors_apart(hyper, exact.hyper(), ["outcome", "parameter"])
    of_tau = medians_apart(draws["tau"], exact.hyper(), "tau")
    assert of_rates.max() < MOST_ERRORS
    assert of_hyper[hyper["parameter"] != "tau"].max() < MOST_ERRORS
    assert of_tau.max() < MOST_ERRORS


def test_comparison_notices_a_study_counted_twice(evidence):
    _, hyper, _ = sampled("partial", DEFAULT)
    rows = evidence.rows[evidence.rows["outcome"] == "death"]
    twice = pd.concat([rows, rows[rows["study"] == "wang2018"].assign(study="again")])
    likelihoods = count_likelihoods(twice, "cloglog", evidence.diseases)
    doubled = ExactHierarchy(likelihoods, "partial", "death").posterior(DEFAULT.of("death"))
    own = hyper[hyper["outcome"] == "death"]
    errors = errors_apart(own, doubled.hyper(), ["outcome", "parameter"])
    assert errors.max() > MOST_ERRORS


def test_comparison_notices_tau_taken_for_its_square():
    _, hyper, draws = sampled("partial", DEFAULT)
    tau = hyper[hyper["parameter"] == "tau"]
    squares = np.square(draws["tau"]).mean(axis=(0, 1))
    assert (np.abs(squares - tau["mean"]) / tau["mcse_mean"]).max() > MOST_ERRORS
