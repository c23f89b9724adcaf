"""Simulation-based calibration of the sampler: the truth among thinned draws of its posterior."""

from __future__ import annotations

import numpy as np

from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting import predict
from ..fitting.predict import Levels
from ..guard.disease_left import thinned
from .uniformity import RANKED, place


def places_among_draws(
    truth: Levels,
    levels: Levels,
    terms: Terms,
    pooling: str,
    priors: PriorSet,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Find where the truth lies among draws of a fit.

    Parameters
    ----------
    truth : Levels
        One draw of the prior, which the data were drawn from.
    levels : Levels
        Draws of the fit, more than `RANKED`; as many are taken of them, equally far apart, so that
        they are nearly independent.
    terms : Terms
        The likelihood, of the data drawn.
    pooling, priors
        The model.
    rng : numpy.random.Generator
        Source of new studies and new diseases.

    Returns
    -------
    dict of str to float
        Places, (rank + 0.5) / (draws + 1), by quantity: hyperparameters, coefficients of
        moderators, rates, next studies, a new disease, and the log likelihood.

    References
    ----------
    Talts and others 2018, arXiv 1804.06788; Modrak and others 2023, doi 10.1214/23-BA1404 (why the
    log likelihood is ranked too).
    """
    true, drawn = (
        _quantities(each, terms, pooling, priors, rng)
        for each in (truth, thinned(levels, RANKED + 1))
    )
    return {name: float(place(true[name][0], drawn[name][:RANKED])) for name in true}


def _quantities(
    levels: Levels, terms: Terms, pooling: str, priors: PriorSet, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Everything that is ranked, by name; shape (draw,) each."""
    found: dict[str, np.ndarray] = {}
    by_outcome = {"mu": levels.mu, "tau": levels.tau, "sigma": levels.sigma}
    by_outcome["new_disease"] = predict.new_disease_rates(levels, terms, pooling, priors, rng)
    by_disease = {
        "rate": predict.rates(levels.theta, terms),
        "new_study": predict.new_study_rates(levels, terms, rng),
    }
    for code, outcome in enumerate(terms.names):
        for name, values in by_outcome.items():
            if values is not None:
                found[f"{outcome}, {name}"] = values[:, code]
        for name, values in by_disease.items():
            for place_of, disease in enumerate(terms.diseases):
                found[f"{outcome}, {name}, {disease}"] = values[:, code, place_of]
        if levels.beta is not None and terms.design is not None:
            for column, label in enumerate(terms.design.labels):
                found[f"{outcome}, beta, {label}"] = levels.beta[:, code, column]
    found["log_likelihood"] = predict.integrated_log_likelihood(levels, terms).sum(axis=1)
    return found
