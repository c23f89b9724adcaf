"""Draws of one fit, read as draws under another prior set: importance weights, Pareto-smoothed.

A prior set changes the priors of mu, tau and sigma alone. Given these, levels of diseases and of
studies and all that is predicted from them have the same distribution under every set, so that the
ratio of the two prior densities of mu, tau and sigma is the whole weight of a draw.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...models.pooling import structure
from ...models.priors.prior import Prior
from ...models.priors.sets import OutcomePriors, PriorSet
from ...models.terms import Terms
from ..fitting import predict
from ..fitting.diagnostics import LARGEST_PARETO_K
from ..fitting.moderated import coefficient_name, coefficients
from ..fitting.sampling import Sampling
from .weighted_statistics import Sample

#: Prior mass that may lie where the fit's own prior has none.
_UNREACHED = 1e-6

#: Draws of a refit for which every study's likelihood is integrated: dearer than sampling.
_SCORED_DRAWS = 1000

Block = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Source:
    """Draws under one prior set, and what re-weighting needs of them.

    Attributes
    ----------
    priors : PriorSet
        The set that they were drawn under.
    terms : Terms
        The likelihood.
    pooling : str
        How diseases inform each other.
    draws : dict of str to numpy.ndarray
        ``mu``, ``tau``, ``sigma`` (draw, outcome), ``theta``, ``rate``, ``new_study`` (draw,
        outcome, disease), ``new_disease`` (draw, outcome), where the pooling has them, and with
        moderators ``beta`` (draw, outcome, coefficient); chains one after the other.
    log_likelihood : numpy.ndarray, shape (scored draw, unit)
        Of every study's rows of an outcome with its child, integrated over the study's effects.
    scored : numpy.ndarray
        Positions of the scored draws.
    chains : int
        Number of chains.
    diagnostics : dict
        ``divergences``, ``max_r_hat`` (of mu, tau, sigma and rates).
    """

    priors: PriorSet
    terms: Terms
    pooling: str
    draws: dict[str, np.ndarray]
    log_likelihood: np.ndarray
    scored: np.ndarray
    chains: int
    diagnostics: dict[str, float]
    _samples: dict[Block, tuple[list[tuple], Sample]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Give the number of draws."""
        return len(self.draws["sigma"])

    def sample(self, block: Block) -> tuple[list[tuple[str, str | None, str]], Sample]:
        """Give the draws of every quantity of a block.

        Returns
        -------
        labels : list of tuple
            Outcome, disease (or None) and quantity of each column.
        sample : Sample
            Their draws.
        """
        if block not in self._samples:
            self._samples[block] = self._gather(block)
        return self._samples[block]

    def coefficients(self, outcome: str) -> dict[str, np.ndarray]:
        """Draws of the coefficients of moderators that an outcome's studies tell of, by name.

        Of a number per standard deviation, of levels their differences; linear scale; shape
        (draw,).
        """
        if "beta" not in self.draws:
            return {}
        beta = self.draws["beta"][:, self.terms.names.index(outcome)]
        return {
            coefficient_name(about): values
            for about, values in coefficients(self.terms, outcome, beta)
            if about["per"] != "unit"
        }

    def _gather(self, block: Block) -> tuple[list[tuple[str, str | None, str]], Sample]:
        labels: list[tuple[str, str | None, str]] = []
        columns = []
        for name in block:
            k = self.terms.names.index(name)
            for quantity in ("rate", "new_study"):
                labels += [(name, disease, quantity) for disease in self.terms.diseases]
                columns.append(self.draws[quantity][:, k])
            for quantity in ("new_disease", "mu", "tau", "sigma"):
                if quantity in self.draws:
                    labels.append((name, None, quantity))
                    columns.append(self.draws[quantity][:, [k]])
            for parameter, values in self.coefficients(name).items():
                labels.append((name, None, parameter))
                columns.append(values[:, None])
        return labels, Sample(np.concatenate(columns, axis=1), self.chains)


@dataclass(frozen=True, eq=False)
class Weights:
    """Importance weights of a source's draws for one block.

    Attributes
    ----------
    source : Source
        The draws.
    log_ratio : numpy.ndarray or None
        Log ratio of the prior densities before smoothing; None where the priors are the same.
    values : numpy.ndarray, shape (draw,)
        Smoothed weights that sum to one.
    pareto_k : float
        Shape of their upper tail; nan where all are equal, inf where draws cannot be re-weighted.
    """

    source: Source
    log_ratio: np.ndarray | None
    values: np.ndarray
    pareto_k: float

    @property
    def usable(self) -> bool:
        """Whether results of these weights may be believed."""
        return np.isnan(self.pareto_k) or self.pareto_k < LARGEST_PARETO_K


def blocks_of(terms: Terms) -> tuple[Block, ...]:
    """Group outcomes with independent posteriors: each parent with its child."""
    return tuple(
        (each.name, *(o.name for o in terms.outcomes if o.parent == each.name))
        for each in terms.outcomes
        if each.parent is None
    )


def stored_source(fit, terms: Terms, priors: PriorSet, pooling: str) -> Source:
    """Read a stored fit as a source.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit of the sampler.
    terms : Terms
        Its likelihood.
    priors : PriorSet
        The set that it was fitted under.
    pooling : str
        Its pooling.

    Returns
    -------
    Source
        All its draws, all scored.
    """
    posterior = fit["posterior"].dataset
    names = ("mu", "tau", "sigma", "theta", "beta", "rate", "new_study", "new_disease")
    draws = {
        name: posterior[name].to_numpy().reshape(-1, *posterior[name].shape[2:])
        for name in names
        if name in posterior
    }
    likelihood = fit["log_likelihood"]["unit_events"].to_numpy().reshape(len(draws["sigma"]), -1)
    attributes = fit["hyper"].attrs
    diagnostics = {name: float(attributes[name]) for name in ("divergences", "max_r_hat")}
    scored = np.arange(len(likelihood))
    chains = posterior.sizes["chain"]
    return Source(priors, terms, pooling, draws, likelihood, scored, chains, diagnostics)


def sampled_source(
    terms: Terms, pooling: str, priors: PriorSet, sampling: Sampling, scored: bool = True
) -> Source:
    """Sample the already compiled model under another prior set.

    Parameters
    ----------
    terms, pooling, priors
        As in `fitting.sampler.sample`.
    sampling : Sampling
        Its draws, tune, chains and seed.
    scored : bool
        Whether to integrate the studies' likelihoods, on about a thousand of the draws.

    Returns
    -------
    Source
        Where it is not scored it has no scored draws.
    """
    from arviz_stats import sampling_diagnostics

    from ..fitting.sampler import sample

    length = sampling.draws, sampling.tune, sampling.chains
    sampled, stats = sample(terms, pooling, priors, *length, sampling.seed)
    chains = len(sampled["sigma"])
    rng = np.random.default_rng(sampling.seed)
    flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in sampled.items()}
    levels = predict.levels_of(flat, terms, rng)
    reported = predict.where_reported(levels, terms)
    draws = {
        "mu": levels.mu,
        "tau": levels.tau,
        "sigma": levels.sigma,
        "theta": levels.theta,
        "beta": levels.beta,
        "rate": predict.rates(reported.theta, terms),
        "new_study": predict.new_study_rates(reported, terms, rng),
        "new_disease": predict.new_disease_rates(reported, terms, pooling, priors, rng),
    }
    known = {name: values for name, values in draws.items() if values is not None}
    places = np.arange(0, len(levels) if scored else 0, max(len(levels) // _SCORED_DRAWS, 1))
    beta = None if levels.beta is None else levels.beta[places]
    few = predict.Levels.of_diseases(levels.sigma[places], levels.theta[places], beta=beta)
    likelihood = np.empty((0, len(terms.units)))
    if scored:
        likelihood = predict.integrated_log_likelihood(few, terms)
    folded = known["rate"].reshape(chains, -1, known["rate"][0].size)
    r_hat = np.nanmax(sampling_diagnostics.rhat(folded, chain_axis=0, draw_axis=1, method="rank"))
    diagnostics = {"divergences": float(stats["diverging"].sum()), "max_r_hat": float(r_hat)}
    return Source(priors, terms, pooling, known, likelihood, places, chains, diagnostics)


def weights(source: Source, priors: PriorSet, block: Block) -> Weights:
    """Weigh a source's draws so that they stand for another prior set.

    Parameters
    ----------
    source : Source
        Draws under its own set.
    priors : PriorSet
        The other set.
    block : tuple of str
        An outcome with its child, whose posterior is independent of the others.

    Returns
    -------
    Weights
        With an infinite Pareto k where no weights exist: a parameter fixed under one set alone, or
        prior mass where the source has none.

    References
    ----------
    Vehtari and others 2024, jmlr.org/papers/v25/19-556.html (Pareto-smoothed importance sampling).
    """
    ratio = log_ratio(source, priors, block)
    even = np.full(len(source), 1 / len(source))
    if ratio is None:
        return Weights(source, None, even, np.nan)
    if not np.isfinite(ratio.max()):
        return Weights(source, ratio, even, np.inf)
    values, pareto_k = smooth(ratio)
    return Weights(source, ratio, values, pareto_k)


def smooth(log_ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """Smooth importance ratios by a generalised Pareto tail; weights sum to one."""
    from arviz_stats.base.array import array_stats

    varied = np.ptp(log_ratio[np.isfinite(log_ratio)]) > 1e-9
    if not varied:
        return np.full(len(log_ratio), 1 / len(log_ratio)), np.nan
    floor = np.maximum(log_ratio - log_ratio.max(), -700.0)
    with np.errstate(all="ignore"):
        smoothed, pareto_k = array_stats.psislw(-floor)
    weights = np.exp(smoothed - smoothed.max())
    # A tail whose weights all underflow leaves the shape undefined: nothing there can be believed.
    k = float(pareto_k)
    return weights / weights.sum(), k if np.isfinite(k) else np.inf


def log_ratio(source: Source, priors: PriorSet, block: Block) -> np.ndarray | None:
    """Log ratio of another set's prior density to the source's own, at every draw.

    Parameters
    ----------
    source, priors, block
        As in `weights`.

    Returns
    -------
    numpy.ndarray or None
        Shape (draw,); None where the priors are the same, all -inf where draws cannot be
        re-weighted.
    """
    kind = structure(source.pooling, source.terms.diseases)
    total = None
    for name in block:
        old, new = source.priors.of(name), priors.of(name)
        if kind == "exnex" and (old.exnex, old.mu) != (new.exnex, new.mu):
            # The draws do not say which disease levels came from the prior that changed.
            return np.full(len(source), -np.inf)
        for values, before, after in _changes(source, name, kind, old, new):
            if not _reaches(before, after):
                return np.full(len(source), -np.inf)
            step = after.logpdf(values) - before.logpdf(values)
            step = step.reshape(len(source), -1).sum(axis=1)
            total = step if total is None else total + step
    return total


def _changes(source: Source, name: str, kind: str, old: OutcomePriors, new: OutcomePriors):
    """Draws of every parameter whose prior changes, with the two priors."""
    k = source.terms.names.index(name)
    for parameter in ("mu", "tau", "sigma"):
        before, after = getattr(old, parameter), getattr(new, parameter)
        if before == after or (parameter == "tau" and "tau" not in source.draws):
            continue
        # Without pooling every disease's level has the prior of mu, one by one.
        where = "theta" if parameter == "mu" and kind == "none" else parameter
        yield source.draws[where][:, k], before, after
    if "beta" in source.draws and old.moderator != new.moderator:
        yield source.draws["beta"][:, k], old.moderator, new.moderator


def _reaches(before: Prior, after: Prior) -> bool:
    """Whether draws under one prior can stand for all of another."""
    if before.fixed is not None or after.fixed is not None:
        return False
    ends = before.ppf(np.array([0.0, 1.0]))
    outside = after.cdf(ends[0]) + 1 - after.cdf(ends[1])
    return bool(outside < _UNREACHED)
