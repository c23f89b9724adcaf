"""Each study left out: what the others predict of it, and how surprising it then is.

A unit is a study's rows of one outcome with its child. Its predictive distribution follows from the
draws of a fit to everything, weighted by importance; where that fails, with its disease's level
drawn anew; where that fails too, from a fit without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy.special import logsumexp, ndtr

from ...models.outcomes import inverse_link
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting.diagnostics import LARGEST_PARETO_K
from ..fitting.predict import Levels, integrated_log_likelihood

#: Levels beyond these have rates that no trial tells from 0 or 1.
_FARTHEST = 14.0
_NODES = 200
_PRODUCT_NODES = 600
#: Draws that predictive distributions are averaged over; each is a whole distribution, so few do.
_DRAWS = 1000
#: A study less probable than this (its two-sided mid-p value), whose level was drawn anew, is
#: predicted again by a fit without it: the verdict hangs on it, and a tail on few of the draws.
_SURPRISING = 0.05
#: Log-likelihoods nearer to each other than this weigh alike.
_SAME = 1e-9


@dataclass(frozen=True)
class LeftOut:
    """One study's counts of one outcome, predicted by all the other studies.

    Attributes
    ----------
    study, outcome : str
        What was left out.
    elpd : float or None
        Log predictive probability of the unit; it stands with the unit's first outcome, and is None
        for a child that was left out together with its parent.
    pareto_k : float or None
        Reliability of the importance weights (the unit's); also None where the model was fitted
        without the unit.
    pit : float
        Randomised probability integral transform of the count.
    lowest, highest : float
        Probability of fewer events than the least, and of at most the most, that the rows allow.
    events, expected : float
        Events observed (the middle of the bounds) and predicted.
    n : int
        Patients.
    """

    study: str
    outcome: str
    elpd: float | None
    pareto_k: float | None
    pit: float
    lowest: float
    highest: float
    events: float
    expected: float
    n: int

    @classmethod
    def at(
        cls,
        position: tuple[float, float, float],
        outcome: str,
        rows: pd.DataFrame,
        elpd: float | None,
        pareto_k: float | None,
        rng: np.random.Generator,
    ) -> LeftOut:
        """Place a study's rows of one outcome, given ``lowest``, ``highest`` and ``expected``."""
        low, high, expected = position
        return cls(
            study=str(rows["study"].iloc[0]),
            outcome=outcome,
            elpd=elpd,
            pareto_k=pareto_k,
            pit=float(low + rng.random() * (high - low)),
            lowest=low,
            highest=high,
            events=float((rows["events_min"] + rows["events_max"]).sum() / 2),
            expected=expected,
            n=int(rows["n"].sum()),
        )

    @property
    def mid_p(self) -> float:
        """Two-sided mid-p value of the count."""
        middle = (self.lowest + self.highest) / 2
        return min(1.0, 2 * min(middle, 1 - middle))


def leave_out(
    terms: Terms,
    levels: Levels,
    log_likelihood: np.ndarray,
    pooling: str,
    priors: PriorSet,
    rng: np.random.Generator,
    refit: Callable[[Terms], Levels] | None = None,
    units: Iterable[int] | None = None,
) -> list[LeftOut]:
    """Predict every study from all the others, by draws.

    Parameters
    ----------
    terms, pooling, priors
        The model.
    levels : Levels
        Draws of the posterior given every study; levels of the studies are not used.
    log_likelihood : numpy.ndarray
        Integrated over study effects, shape (draw, unit).
    rng : numpy.random.Generator
        Randomises the probability integral transform, and levels drawn anew.
    refit : callable, optional
        Samples the model given terms without a unit and returns draws of its levels; used for the
        units whose Pareto k stays above `LARGEST_PARETO_K`, and for those that surprise with levels
        drawn anew.
    units : iterable of int, optional
        Codes of the units to leave out; every one by default.

    Returns
    -------
    list of LeftOut
        One for each study and outcome with rows.

    References
    ----------
    Vehtari, Gelman and Gabry 2017, doi 10.1007/s11222-016-9696-4; Czado, Gneiting and Held 2009,
    doi 10.1111/j.1541-0420.2009.01191.x (randomised PIT).
    """
    from .disease_left import only_units, without_unit, without_unit_in_disease

    log_weights, pareto_k = importance_weights(log_likelihood)
    everything = _Predictor(terms, levels)
    unit_of_row = terms.terms["unit"].to_numpy()[terms.rows["term"]]
    found = []
    for unit in np.unique(unit_of_row).tolist() if units is None else units:
        k, weights, predictor = float(pareto_k[unit]), np.exp(log_weights[:, unit]), everything
        elpd = float(logsumexp(log_weights[:, unit] + log_likelihood[:, unit]))
        redrawn = k > LARGEST_PARETO_K
        if redrawn and (anew := without_unit_in_disease(terms, levels, unit, pooling, priors, rng)):
            shares, ks = importance_weights(anew.log_predictive[:, None])
            k, elpd = float(ks[0]), float(logsumexp(shares[:, 0] + anew.log_predictive))
            drawn = anew.drawn(shares[:, 0], int(terms.units["disease"].iloc[unit]), rng)
            weights, predictor = np.ones(len(drawn)), _Predictor(terms, drawn)
        rows = terms.rows[unit_of_row == unit]
        here = _positions(rows, predictor, weights, elpd, k, rng)
        surprising = redrawn and min(one.mid_p for one in here) < _SURPRISING
        if refit is not None and (k > LARGEST_PARETO_K or surprising):
            without = refit(without_unit(terms, unit))
            own = integrated_log_likelihood(without, only_units(terms, [unit]))[:, unit]
            elpd = float(logsumexp(own) - np.log(len(own)))
            predictor = _Predictor(terms, without, len(without))
            here = _positions(rows, predictor, np.ones(len(without)), elpd, None, rng)
        found += here
    return found


def _positions(
    rows: pd.DataFrame,
    predictor: _Predictor,
    weights: np.ndarray,
    elpd: float,
    k: float | None,
    rng: np.random.Generator,
) -> list[LeftOut]:
    """Find where the rows of one unit lie in their predictive distributions, by outcome."""
    found = []
    for place, (name, mine) in enumerate(rows.groupby("outcome", sort=False)):
        position = predictor.position(str(name), mine, weights)
        score, reliability = (None, None) if place else (elpd, k)
        found.append(LeftOut.at(position, str(name), mine, score, reliability, rng))
    return found


def importance_weights(log_likelihood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weigh the draws as if each unit had been left out.

    Parameters
    ----------
    log_likelihood : numpy.ndarray
        Shape (draw, unit).

    Returns
    -------
    log_weights : numpy.ndarray
        Pareto-smoothed, normalised over the draws; shape (draw, unit).
    k : numpy.ndarray
        Pareto k, shape (unit,).

    References
    ----------
    Vehtari and others 2024, Pareto smoothed importance sampling, JMLR 25(72).
    """
    from arviz_stats.base.array import array_stats

    log_weights, k = -log_likelihood, np.zeros(log_likelihood.shape[1])
    for unit, each in enumerate(log_likelihood.T):
        # Where every draw gives certainty there is no tail to smooth.
        if np.ptp(each) > _SAME:
            try:
                log_weights[:, unit], k[unit] = array_stats.psislw(np.ascontiguousarray(each))
            except ValueError as problem:
                if "tail values" not in str(problem):
                    raise
    return log_weights - logsumexp(log_weights, axis=0), k


class _Predictor:
    """Predictive distributions of new studies under weighted draws of the levels.

    Given one draw, a new study's level is normal about its disease's; over the draws it is a
    mixture, tabulated as masses on a grid of levels. Draws share the grid, weights come in last.
    """

    def __init__(self, terms: Terms, levels: Levels, draws: int = _DRAWS) -> None:
        self.terms, self.step = terms, -(-len(levels.sigma) // draws)
        self.theta, self.sigma = levels.theta[:: self.step], levels.sigma[:: self.step]
        self._masses = lru_cache(maxsize=None)(self._tabulate)

    def _tabulate(self, code: int, disease: int) -> tuple[np.ndarray, np.ndarray]:
        """Grid of levels, and mass of each node by draw; shapes (node,) and (draw, node)."""
        theta, sigma = self.theta[:, code, disease], self.sigma[:, code]
        low = max((theta - 6 * sigma).min() - 0.1, -_FARTHEST)
        high = min((theta + 6 * sigma).max() + 0.1, _FARTHEST)
        low, high = min(low, high - 1), max(high, low + 1)
        nodes, step = np.linspace(low, high, _NODES, retstep=True)
        edges = nodes[:-1] + step / 2
        cumulative = ndtr((edges - theta[:, None]) / np.maximum(sigma, 1e-9)[:, None])
        return nodes, np.diff(cumulative, axis=1, prepend=0.0, append=1.0)

    def position(
        self, name: str, rows: pd.DataFrame, weights: np.ndarray
    ) -> tuple[float, float, float]:
        """Give P(Y < least), P(Y <= most) and E(Y) of the rows' total; Y is a new study's."""
        from scipy.stats import binom  # takes a second to import: an exact fit does without

        terms, weights = self.terms, weights[:: self.step] / weights[:: self.step].sum()
        code = terms.names.index(name)
        described, parent = terms.outcomes[code], int(terms.parents[code])
        disease = terms.diseases.index(rows["disease"].iloc[0])
        nodes, masses = self._masses(code, disease)
        if parent < 0:
            levels, mass = nodes, weights @ masses
        else:
            levels, mass = _levels_of_product(
                self._masses(parent, disease), (nodes, masses), weights
            )
        distribution = np.ones((len(levels), 1))
        years = rows["months"].to_numpy(float) / 12 if described.timed else np.ones(len(rows))
        # Arms of one study share its level: with equal follow-up they are one binomial count.
        for length in np.unique(years):
            n = int(rows["n"].to_numpy()[years == length].sum())
            rate = inverse_link(levels, described.link, float(length))
            part = binom.pmf(np.arange(n + 1), n, rate[:, None])
            distribution = _convolved(distribution, part)
        probability = mass @ distribution
        cumulative = np.concatenate([[0.0], probability.cumsum() / probability.sum()])
        low, high = int(rows["events_min"].sum()), int(rows["events_max"].sum())
        expected = float(probability @ np.arange(len(probability)) / probability.sum())
        return float(cumulative[low]), float(min(cumulative[high + 1], 1.0)), expected


def _levels_of_product(p, q, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tabulate the log-odds of a product of two rates; nodes and masses, shape (node,)."""
    joint = (p[1] * weights[:, None]).T @ q[1]
    rate_p, rate_q = inverse_link(p[0], "logit"), inverse_link(q[0], "logit")
    not_product = (1 - rate_p)[:, None] + rate_p[:, None] * (1 - rate_q)
    levels = np.log(rate_p[:, None] * rate_q) - np.log(not_product)
    edges = np.linspace(levels.min() - 1e-6, levels.max() + 1e-6, _PRODUCT_NODES + 1)
    mass, _ = np.histogram(levels, edges, weights=joint)
    return (edges[1:] + edges[:-1]) / 2, mass


def _convolved(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distribution of the sum of two independent counts, node by node; shape (node, count)."""
    if first.shape[1] == 1:
        return first * second
    return np.stack([np.convolve(a, b) for a, b in zip(first, second, strict=True)])
