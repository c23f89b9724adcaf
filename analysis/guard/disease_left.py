"""A study left out, its disease's level integrated anew.

Importance weights fail where one study decides its disease's level. Given mu, tau and sigma,
though, that level depends on the disease's other studies only: it is drawn afresh from them, and
the weights are left with what a single study changes of mu, tau and sigma, which is little.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, ndtri, stdtrit
from scipy.stats import norm, t

from ...models.pooling import ROBUST_DEGREES, structure
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting.predict import Levels, integrated_log_likelihood

#: Draws of mu, tau and sigma, and levels tried for each of them.
_DRAWS, _TRIED = 500, 24
#: How much wider than the posterior of a level given every study the levels are tried.
_WIDER = 1.5


@dataclass(frozen=True)
class LevelPrior:
    """Distribution of one disease's level given each draw of the rest, for arrays (draw, any).

    Attributes
    ----------
    quantile : callable
        Of probabilities.
    log_density : callable
        Of levels on the linear scale.
    """

    quantile: Callable[[np.ndarray], np.ndarray]
    log_density: Callable[[np.ndarray], np.ndarray]


def level_prior(
    levels: Levels, terms: Terms, pooling: str, priors: PriorSet, code: int
) -> LevelPrior | None:
    """Give the distribution of a disease's level of one outcome; None where all share one level.

    Parameters
    ----------
    levels : Levels
        Draws of mu and tau.
    terms, pooling, priors
        The model.
    code : int
        The outcome.

    Returns
    -------
    LevelPrior or None
        Under the pooling, given the draws.
    """
    kind, own = structure(pooling, terms.diseases), priors.of(terms.names[code])
    if kind == "none":
        return LevelPrior(own.mu.ppf, own.mu.logpdf)
    if levels.mu is None or levels.tau is None or kind not in ("partial", "robust", "exnex"):
        return None
    mu, tau = levels.mu[:, [code]], np.maximum(levels.tau[:, [code]], 1e-6)
    if kind == "robust":
        return LevelPrior(
            lambda u: mu + tau * stdtrit(ROBUST_DEGREES, u),
            lambda theta: t.logpdf(theta, ROBUST_DEGREES, mu, tau),
        )
    if kind == "partial":
        return LevelPrior(lambda u: mu + tau * ndtri(u), lambda theta: norm.logpdf(theta, mu, tau))
    weight, level = own.exnex.weight, own.exnex.level or own.mu
    with np.errstate(divide="ignore"):
        log_weight, log_rest = np.log(weight), np.log1p(-weight)

    def quantile(u: np.ndarray) -> np.ndarray:
        exchangeable = u < weight
        within = np.where(exchangeable, u / max(weight, 1e-9), (u - weight) / max(1 - weight, 1e-9))
        within = np.clip(within, 1e-9, 1 - 1e-9)
        return np.where(exchangeable, mu + tau * ndtri(within), level.ppf(within))

    return LevelPrior(
        quantile,
        lambda theta: np.logaddexp(
            log_weight + norm.logpdf(theta, mu, tau), log_rest + level.logpdf(theta)
        ),
    )


@dataclass(frozen=True, eq=False)
class WithoutUnit:
    """Draws without one unit.

    Attributes
    ----------
    log_predictive : numpy.ndarray
        Log probability of the unit given the other studies and mu, tau, sigma; shape (draw,).
    levels : Levels
        Levels tried for the unit's disease, given each of the draws; shape (draw x tried, ...).
    log_weights : numpy.ndarray
        Of what was tried, given the disease's other studies, normalised; shape (draw, tried).
    """

    log_predictive: np.ndarray
    levels: Levels
    log_weights: np.ndarray

    def weights(self, log_weights: np.ndarray) -> np.ndarray:
        """Weigh the levels without the unit, given weights of the draws, shape (draw,)."""
        joint = np.exp(self.log_weights + log_weights[:, None]).ravel()
        return joint / joint.sum()


def without_unit_in_disease(
    terms: Terms,
    levels: Levels,
    unit: int,
    pooling: str,
    priors: PriorSet,
    rng: np.random.Generator,
) -> WithoutUnit | None:
    """Draw a disease's level from its other studies; None where diseases share one level.

    Parameters
    ----------
    terms, pooling, priors
        The model.
    levels : Levels
        Draws of the posterior given every study.
    unit : int
        What is left out.
    rng : numpy.random.Generator
        Source of the levels tried.

    Returns
    -------
    WithoutUnit or None
        With the probability of the unit, draw by draw.

    References
    ----------
    Vehtari and others 2016, Bayesian leave-one-out cross-validation approximations for Gaussian
    latent variable models, JMLR 17(103); Owen and Zhou 2000, doi 10.1080/01621459.2000.10473909
    (mixtures as proposals).
    """
    few = thinned(levels, _DRAWS)
    disease = int(terms.units["disease"].iloc[unit])
    block = int(terms.units["outcome"].iloc[unit])
    inside = (terms.units["disease"] == disease) & (terms.units["outcome"] == block)
    neighbours = np.flatnonzero(inside)
    codes = [block, *np.flatnonzero(terms.parents == block).tolist()]
    each = [level_prior(few, terms, pooling, priors, code) for code in codes]
    known = [one for one in each if one is not None]
    if len(known) < len(each):
        return None
    tried, log_weights = [], np.zeros((len(few), _TRIED))
    for code, prior in zip(codes, known, strict=True):
        theta, log_ratio = _try(prior, levels.theta[:, code, disease], len(few), rng)
        tried.append(theta)
        log_weights += log_ratio
    theta = np.repeat(few.theta, _TRIED, axis=0)
    theta[:, codes, disease] = np.stack(tried, axis=-1).reshape(-1, len(codes))
    sigma = np.repeat(few.sigma, _TRIED, axis=0)
    beta = None if few.beta is None else np.repeat(few.beta, _TRIED, axis=0)
    flat = Levels.of_diseases(sigma, theta, beta=beta)
    log_likelihood = integrated_log_likelihood(flat, only_units(terms, neighbours))
    log_likelihood = log_likelihood.reshape(len(few), _TRIED, -1)
    log_weights += log_likelihood[:, :, [u for u in neighbours if u != unit]].sum(axis=2)
    log_weights -= logsumexp(log_weights, axis=1, keepdims=True)
    return WithoutUnit(
        logsumexp(log_weights + log_likelihood[:, :, unit], axis=1), flat, log_weights
    )


def _try(prior: LevelPrior, posterior: np.ndarray, draws: int, rng: np.random.Generator):
    """Try levels from the prior and from near the posterior; also their log importance ratios."""
    half = _TRIED // 2
    u = (np.arange(half) + rng.random((draws, 2, half))) / half
    centre, scale = posterior.mean(), _WIDER * posterior.std() + 1e-6
    theta = np.concatenate([prior.quantile(u[:, 0]), centre + scale * ndtri(u[:, 1])], axis=1)
    theta = rng.permuted(theta, axis=1)
    log_prior = prior.log_density(theta)
    log_proposal = np.logaddexp(log_prior, norm.logpdf(theta, centre, scale)) - np.log(2)
    return theta, log_prior - log_proposal


def thinned(levels: Levels, draws: int) -> Levels:
    """Keep about so many of the draws, evenly; levels of the studies are left out."""
    step = max(1, len(levels) // draws)
    parts = (levels.mu, levels.tau, levels.beta)
    kept = (None if part is None else part[::step] for part in parts)
    return Levels.of_diseases(levels.sigma[::step], levels.theta[::step], *kept)


def without_unit(terms: Terms, unit: int) -> Terms:
    """Drop a unit's terms and pairs; effects stay, so that a compiled model still fits.

    Parameters
    ----------
    unit : int
        Code of the unit.

    Returns
    -------
    Terms
        In which the unit's rows have the term -1.
    """
    return _with_terms(terms, terms.terms["unit"].to_numpy() != unit)


def only_units(terms: Terms, units) -> Terms:
    """Keep some units' terms and pairs only; the counterpart of `without_unit`."""
    return _with_terms(terms, np.isin(terms.terms["unit"].to_numpy(), units))


def _with_terms(terms: Terms, kept: np.ndarray) -> Terms:
    renumbered = np.where(kept, np.cumsum(kept) - 1, -1)
    pairs = terms.pairs.assign(term=renumbered[terms.pairs["term"]])
    return replace(
        terms,
        rows=terms.rows.assign(term=renumbered[terms.rows["term"]]),
        terms=terms.terms[kept].reset_index(drop=True),
        pairs=pairs[pairs["term"] >= 0].reset_index(drop=True),
    )
