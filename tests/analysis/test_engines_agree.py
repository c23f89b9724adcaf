"""The sampler against the exact engine, which shares no code with it beyond the tables it reads."""

import numpy as np
import pandas as pd
import pytest

from mscpool.analysis.fit import fit, hyper, rates, terms_of
from mscpool.analysis.fitting.sampler import sample
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
#: In Monte-Carlo standard errors; a few hundred means are compared, at fixed seeds.
MOST_ERRORS = 4


@pytest.fixture(scope="module")
def evidence():
    return load_evidence(outcomes=ALONE)


def errors_apart(sampled: pd.DataFrame, exact: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Differences of means in Monte-Carlo standard errors of the sampled ones."""
    both = sampled.merge(exact, on=keys, suffixes=("", "_exact"), validate="one_to_one")
    assert len(both) == len(sampled) == len(exact)
    return (both["mean"] - both["mean_exact"].astype(float)).abs() / both["mcse_mean"]


@pytest.mark.parametrize("pooling", POOLINGS)
def test_sampler_agrees_with_integration_in_every_pooling_and_prior_set(evidence, pooling):
    model = exact_model(evidence, pooling)
    assert set(model.hierarchies) == set(ALONE)
    for priors in SETS:
        sampled, exact = fit(evidence, pooling, priors), model.fit(priors)
        of_rates = errors_apart(
            rates(sampled).fillna({"disease": ""}),
            exact.rates().fillna({"disease": ""}),
            ["outcome", "disease", "quantity"],
        )
        of_hyper = errors_apart(hyper(sampled), exact.hyper(), ["outcome", "parameter"])
        assert of_rates.max() < MOST_ERRORS, priors.name
        assert of_hyper.max() < MOST_ERRORS, priors.name


def test_comparison_notices_planted_errors(evidence):
    sampled = fit(evidence)
    own = hyper(sampled)
    rows = evidence.rows[evidence.rows["outcome"] == "death"]
    twice = pd.concat([rows, rows[rows["study"] == "wang2018"].assign(study="again")])
    likelihoods = count_likelihoods(twice, "cloglog", evidence.diseases)
    doubled = ExactHierarchy(likelihoods, "partial", "death").posterior(DEFAULT.of("death"))
    assert (
        errors_apart(
            own[own["outcome"] == "death"], doubled.hyper(), ["outcome", "parameter"]
        ).max()
        > MOST_ERRORS
    )
    drawn, _ = sample(terms_of(evidence), "partial", DEFAULT)
    tau = own[own["parameter"] == "tau"]
    squares = np.square(drawn["tau"]).mean(axis=(0, 1))
    assert (np.abs(squares - tau["mean"]) / tau["mcse_mean"]).max() > MOST_ERRORS
