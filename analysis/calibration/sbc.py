"""Simulation-based calibration: whether the truth lies where posteriors say, as often as they say.

Parameters are drawn from the prior, data from the parameters, and the engine is asked where in its
posterior the parameters lie. If model, priors and integrals are right these places are uniform.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from ...data.evidence import load_evidence
from ...data.outcomes import PARENTS, Outcome
from ...models.exact.distribution import Distribution
from ...models.exact.draws import draw
from ...models.exact.hierarchy import ExactHierarchy
from ...models.exact.likelihood_table import count_likelihoods
from ...models.exact.posterior import ExactPosterior
from ...models.outcomes import inverse_link
from ...models.priors.sets import DEFAULT, PriorSet
from ...models.terms import Terms, build_terms
from ..fitting.predict import Levels, integrated_log_likelihood, prior_levels, replicate
from .uniformity import RANKED, place


@dataclass(frozen=True, eq=False)
class Shape:
    """Studies of one outcome before anything was counted.

    Attributes
    ----------
    rows : pandas.DataFrame
        As `models.terms.build_terms` takes them; the counts say how wide a row's bounds are.
    outcome : str
        Its name; it has no parent.
    diseases : tuple of str
        Every disease, also those without a study.
    pooling : str
        How diseases inform each other.
    """

    rows: pd.DataFrame
    outcome: str
    diseases: tuple[str, ...]
    pooling: str = "partial"

    def terms(self, rows: pd.DataFrame | None = None) -> Terms:
        """Give the likelihood's terms."""
        return build_terms(self.rows if rows is None else rows, (self.outcome,), self.diseases)


@lru_cache(maxsize=1)
def shapes() -> dict[str, Shape]:
    """Give the shapes that the exact engine is tried on, by the name of the data sets.

    These are the shipped evidence's outcomes that have neither parent nor child, and a larger
    table of six diseases, eight studies each, forty patients a study, every fourth known within
    bounds.
    """
    evidence = load_evidence()
    found = {
        name: Shape(evidence.rows[evidence.rows["outcome"] == name], name, evidence.diseases)
        for name in evidence.outcome_names
        if PARENTS.get(name) is None and name not in PARENTS.values()
    }
    diseases = tuple(f"disease{i + 1}" for i in range(6))
    events = np.full(48, 10)
    rows = pd.DataFrame(
        {
            "study": [f"study{i + 1}" for i in range(48)],
            "disease": np.repeat(np.array(diseases, object), 8),
            "arm": "msc",
            "outcome": "response",
            "events_min": events,
            "events_max": events + 4 * (np.arange(48) % 4 == 0),
            "n": 40,
            "months": np.nan,
        }
    )
    return found | {"6 x 8 x 40, some bounded": Shape(rows, "response", diseases)}


def within_stretches(
    counts: np.ndarray, rows: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    """Let bounded rows know of a count only in which stretch of 0 to n it lies.

    The stretches are as wide as the row's bounds and start at random, whatever the count is: which
    counts are indistinguishable is fixed before they are drawn, so that the bounds tell nothing
    else.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (row,).
    rows : pandas.DataFrame
        With ``events_min``, ``events_max`` and ``n``.
    rng : numpy.random.Generator
        Where the stretches start.

    Returns
    -------
    pandas.DataFrame
        The rows with new bounds.
    """
    width = (rows["events_max"] - rows["events_min"] + 1).to_numpy()
    low = counts - (counts - rng.integers(width)) % width
    high = np.minimum(low + width - 1, rows["n"].to_numpy())
    return rows.assign(events_min=np.maximum(low, 0), events_max=high)


def next_study(posterior: ExactPosterior, disease: str) -> Distribution:
    """Give the distribution of a disease's next study, a probability."""
    return posterior.distribution("new_study", disease)


@dataclass(frozen=True, eq=False)
class Engine:
    """The exact engine as it is; with another part in place of one of its own a fault is planted.

    Attributes
    ----------
    priors : PriorSet
        What it is told of the parameters, which are drawn from the default priors.
    bounds : callable
        What it is told of counts, rows and randomness, as `within_stretches`.
    following : callable
        What it says of a posterior and a disease's next study, as `next_study`.
    """

    priors: PriorSet = DEFAULT
    bounds: Callable[[np.ndarray, pd.DataFrame, np.random.Generator], pd.DataFrame] = (
        within_stretches
    )
    following: Callable[[ExactPosterior, str], Distribution] = next_study


SOUND = Engine()


def places_in_posterior(shape: Shape, sims: int, seed: int, engine: Engine = SOUND) -> pd.DataFrame:
    """Find where the truth lies in the posteriors of the exact engine.

    Parameters
    ----------
    shape : Shape
        The studies.
    sims : int
        Data sets.
    seed : int
        Makes a run repeatable.
    engine : Engine
        Sound, or with a fault.

    Returns
    -------
    pandas.DataFrame
        One row a data set, one column a quantity: probability integral transforms, uniform
        where all is right.

    References
    ----------
    Talts and others 2018, arXiv 1804.06788; Modrak and others 2023, doi 10.1214/23-BA1404 (why the
    log likelihood is ranked too).
    """
    rng = np.random.default_rng(seed)
    return pd.DataFrame([places(shape, rng, engine) for _ in range(sims)])


def places(shape: Shape, rng: np.random.Generator, engine: Engine = SOUND) -> dict[str, float]:
    """Draw one data set, and find where its truth lies in the posterior, by quantity.

    Parameters
    ----------
    shape, engine
        As in `places_in_posterior`.
    rng : numpy.random.Generator
        Source of the data set.
    """
    terms = shape.terms()
    truth = prior_levels(terms, shape.pooling, DEFAULT, 1, rng)
    rows = engine.bounds(replicate(truth, terms, rng)[0], shape.rows, rng)
    outcome = terms.outcomes[0]
    likelihoods = count_likelihoods(rows, outcome.link, shape.diseases)
    hierarchy = ExactHierarchy(likelihoods, shape.pooling, shape.outcome)
    posterior = hierarchy.posterior(engine.priors.of(shape.outcome), verify=False)
    found = {
        name: _below(posterior, getattr(truth, name)[0, 0], name) for name in hierarchy.parameters
    }
    for code, disease in enumerate(shape.diseases):
        level = truth.theta[0, 0, code]
        following = level + truth.sigma[0, 0] * rng.standard_normal()
        found[f"rate, {disease}"] = _below(posterior, _rate(level, outcome), "rate", disease)
        next_one = engine.following(posterior, disease)
        found[f"new_study, {disease}"] = _under(next_one, _rate(following, outcome))
    if truth.mu is not None and truth.tau is not None:
        level = truth.mu[0, 0] + truth.tau[0, 0] * rng.standard_normal()
        found["new_disease"] = _below(posterior, _rate(level, outcome), "new_disease")
    found["log_likelihood"] = _rank_of_likelihood(posterior, truth, shape.terms(rows), rng)
    return found


def _below(
    posterior: ExactPosterior, value: float, quantity: str, disease: str | None = None
) -> float:
    return _under(posterior.distribution(quantity, disease), value)


def _under(distribution: Distribution, value: float) -> float:
    return 1 - float(distribution.above(value))


def _rate(level: float, outcome: Outcome) -> float:
    return float(inverse_link(np.array([level]), outcome.link)[0])


def _rank_of_likelihood(
    posterior: ExactPosterior, truth: Levels, terms: Terms, rng: np.random.Generator
) -> float:
    """Rank the log likelihood at the truth among that at draws, from 0 to 1."""
    sample = draw(posterior, RANKED, rng)
    sigma = np.concatenate([truth.sigma, sample.sigma[:, None]])
    theta = np.concatenate([truth.theta, sample.theta[:, None, :]])
    values = integrated_log_likelihood(Levels.of_diseases(sigma, theta), terms).sum(axis=1)
    return float(place(values[0], values[1:]))
