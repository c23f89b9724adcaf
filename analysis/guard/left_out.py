"""Each study left out: what the others predict of it, and how surprising it then is.

A unit is a study's rows of one outcome with its child. Its predictive distribution follows from the
draws of a fit to everything, weighted by importance; where that fails, with its disease's level
drawn anew; where that fails too, from a fit without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting.diagnostics import LARGEST_PARETO_K
from ..fitting.predict import Levels, integrated_log_likelihood
from .importance import importance_weights
from .monte_carlo import PRECISE, mean_and_error
from .new_study import predicted
from .result import LeftOut
from .surprise import adjusted, judge

#: A study less probable than this (its two-sided mid-p value), whose level was drawn anew, is
#: predicted again by a fit without it: the verdict hangs on it, and a tail on few of the draws.
_SURPRISING = 0.05
#: Draws a chain of a fit without a study: the more where the verdict hangs on their error.
_DRAWS = (500, 4000)


def leave_out(
    terms: Terms,
    levels: Levels,
    log_likelihood: np.ndarray,
    pooling: str,
    priors: PriorSet,
    rng: np.random.Generator,
    refit: Callable[[Terms, int], Levels] | None = None,
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
        Samples the model given the terms of a unit's outcome without the unit, and returns draws of
        its levels; used for the units whose Pareto k stays above `LARGEST_PARETO_K`, and for those
        that surprise with levels drawn anew.
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
    from .disease_left import without_unit_in_disease

    log_weights, pareto_k = importance_weights(log_likelihood)
    unit_of_row = terms.terms["unit"].to_numpy()[terms.rows["term"]]
    left_out = []
    for unit in np.unique(unit_of_row).tolist() if units is None else units:
        k, weights, source = float(pareto_k[unit]), np.exp(log_weights[:, unit]), levels
        elpd = float(logsumexp(log_weights[:, unit] + log_likelihood[:, unit]))
        redrawn, anew = k > LARGEST_PARETO_K, None
        if redrawn:
            anew = without_unit_in_disease(terms, levels, unit, pooling, priors, rng)
        if anew:
            shares, ks = importance_weights(anew.log_predictive[:, None])
            k, elpd = float(ks[0]), float(logsumexp(shares[:, 0] + anew.log_predictive))
            weights, source = anew.weights(shares[:, 0]), anew.levels
        rows = terms.rows[unit_of_row == unit]
        tried = len(weights) // (len(anew.log_weights) if anew else len(weights))
        here = _positions(rows, terms, source, weights, tried, (elpd, k), rng)
        surprising = redrawn and min(one.mid_p for one in here) < _SURPRISING
        if refit is not None and (k > LARGEST_PARETO_K or surprising):
            here = _refitted(terms, unit, rows, refit, rng)
        left_out += here
    return left_out


def _refitted(
    terms: Terms,
    unit: int,
    rows: pd.DataFrame,
    refit: Callable[[Terms, int], Levels],
    rng: np.random.Generator,
) -> list[LeftOut]:
    """Predict a unit by a fit without it, longer where the verdict hangs on the error of draws.

    Outcomes are independent: only the unit's own and that nested in it are fitted.
    """
    from .disease_left import only_units

    alike = np.flatnonzero(terms.units["outcome"] == terms.units["outcome"].iloc[unit])
    others, here = only_units(terms, alike[alike != unit]), []
    for draws in _DRAWS:
        levels = refit(others, draws)
        own = integrated_log_likelihood(levels, only_units(terms, [unit]))[:, unit]
        elpd = float(logsumexp(own) - np.log(len(own)))
        weights = np.full(len(levels), 1 / len(levels))
        here = _positions(rows, terms, levels, weights, 1, (elpd, None), rng)
        if not any(_hangs_on_error(one, terms) for one in here):
            break
    return here


def _hangs_on_error(one: LeftOut, terms: Terms) -> bool:
    """Whether an outcome would be judged less strictly if this study's p-value had no error."""
    studies = terms.rows.loc[terms.rows["outcome"] == one.outcome, "study"].nunique()
    p, error = adjusted(one.mid_p, one.mid_p_mcse, studies)
    return error > PRECISE and judge(p) != judge(p, error)


def _positions(
    rows: pd.DataFrame,
    terms: Terms,
    levels: Levels,
    weights: np.ndarray,
    tried: int,
    scores: tuple[float, float | None],
    rng: np.random.Generator,
) -> list[LeftOut]:
    """Find where the rows of one unit lie in their predictive distributions, by outcome.

    ``tried`` levels in a row stem from one draw; ``scores`` are elpd and Pareto k of the unit.
    """
    left_out = []
    for place, (name, mine) in enumerate(rows.groupby("outcome", sort=False)):
        low, high, expected = predicted(levels, terms, str(name), mine)
        _, error = mean_and_error((low + high) / 2, weights, tried)
        position = (float(weights @ low), float(weights @ high), float(weights @ expected))
        elpd, k = (None, None) if place else scores
        left_out.append(LeftOut.at(position, str(name), mine, elpd, k, rng, 2 * error))
    return left_out
