"""The sampler against the exact engine, which shares no code with it beyond the tables it reads."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.fit import terms_of
from mscpool.analysis.fitting import predict, summary
from mscpool.analysis.fitting.sampler import sample
from mscpool.analysis.fitting.tree import groups_of_draws
from mscpool.data.evidence import load_evidence
from mscpool.models.exact import ExactHierarchy
from mscpool.models.hierarchy import POOLINGS
from mscpool.models.integration.exact_outcomes import exact_model
from mscpool.models.integration.likelihood_table import count_likelihoods
from mscpool.models.priors import DEFAULT, Prior, PriorSet

pytestmark = pytest.mark.mcmc

#: Outcomes of the core evidence that stand alone: one on the log-odds, one on the log hazard.
ALONE = ("serious_ae", "death")
SETS = (
    DEFAULT,
    PriorSet("heavy tail", tau=Prior.make("HalfCauchy", beta=0.5)),
    PriorSet("wide", mu=Prior.make("Logistic"), sigma=Prior.make("Exponential", lam=1.5)),
)
#: In Monte-Carlo standard errors; hundreds of means are compared, at fixed seeds.
MOST_ERRORS = 4
#: Of each of four chains. The errors allow for their number; it need only be large enough for
#: those to be known.
DRAWS, LEAST_EFFECTIVE = 500, 200


@pytest.fixture(scope="module")
def evidence():
    return load_evidence(outcomes=ALONE)


@cache
def sampled(pooling: str, priors: PriorSet):
    """Rates, hyperparameters and draws; every prior set refits one compiled model."""
    terms = terms_of(load_evidence(outcomes=ALONE))
    draws, _ = sample(terms, pooling, priors, DRAWS, DRAWS, seed=3)
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in draws.items()}
    rng = np.random.default_rng(4)
    levels = predict.levels_of(flat, terms, rng)
    shape = draws["sigma"].shape[:2]
    groups = groups_of_draws(levels, terms, pooling, priors, shape, rng)
    rates, hyper, _ = summary.summarise(groups["posterior"], terms, ALONE)
    assert min(rates["ess_bulk"].min(), hyper["ess_bulk"].min()) > LEAST_EFFECTIVE
    return rates, hyper, draws


def errors_apart(sampled: pd.DataFrame, exact: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Differences of means in Monte-Carlo standard errors of the sampled ones."""
    sampled = sampled.astype(dict.fromkeys(keys, object)).fillna(dict.fromkeys(keys, ""))
    exact = exact.fillna(dict.fromkeys(keys, ""))
    both = sampled.merge(exact, on=keys, suffixes=("", "_exact"), validate="one_to_one")
    assert len(both) == len(sampled) == len(exact)
    return (both["mean"] - both["mean_exact"].astype(float)).abs() / both["mcse_mean"]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_sampler_agrees_with_integration_in_every_pooling_and_prior_set(evidence, pooling):
    model = exact_model(evidence, pooling)
    assert set(model.hierarchies) == set(ALONE)
    for priors in SETS:
        (rates, hyper, _), exact = sampled(pooling, priors), model.fit(priors)
        of_rates = errors_apart(rates, exact.rates(), ["outcome", "disease", "quantity"])
        of_hyper = errors_apart(hyper, exact.hyper(), ["outcome", "parameter"])
        assert of_rates.max() < MOST_ERRORS, priors.name
        assert of_hyper.max() < MOST_ERRORS, priors.name


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
