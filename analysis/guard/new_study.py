"""What draws of a hierarchy say of the counts of a study not seen yet."""

from __future__ import annotations

import math

import numba
import numpy as np
import pandas as pd

from ...data.outcomes import Outcome
from ...models.exact.likelihood_table import row_probabilities
from ...models.outcomes import Link
from ...models.terms import Terms
from ..fitting.predict import Levels, moderated_level

#: Levels at which predictive distributions are tabulated; beyond them no trial tells a rate from 0
#: or 1. Nodes for a study's effect, and for each of the effects of an outcome and of its child.
_LOWEST, _STEPS_OF_ONE, _POINTS = -16.0, 100, 3201
_GRID = _LOWEST + np.arange(_POINTS) / _STEPS_OF_ONE
_NODES, _NODES_TWO = 31, 15


def predicted(
    levels: Levels, terms: Terms, outcome: str, rows: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predict the rows' total in a new study like theirs, given each draw.

    It is of their disease, and its moderators are those of theirs.

    The predictive distribution given a draw is averaged over the study's effects by Gauss-Hermite
    quadrature, so that no chance but that of the draws remains (Rao-Blackwell).

    Parameters
    ----------
    levels : Levels
        Draws; levels of the studies are not used.
    terms : Terms
        The likelihood.
    outcome : str
        The outcome of the rows.
    rows : pandas.DataFrame
        One study's rows of it.

    Returns
    -------
    tuple of numpy.ndarray
        Probability of fewer events than the least, and of at most the most, that the rows allow,
        and the expected events; shape (draw,).
    """
    probabilities = total_probabilities(_GRID, rows, _outcome_of(terms, outcome).link)
    below = np.concatenate([np.zeros((_POINTS, 1)), probabilities.cumsum(axis=1)], axis=1)
    low, high = int(rows["events_min"].sum()), int(rows["events_max"].sum()) + 1
    expected = probabilities @ np.arange(probabilities.shape[1])
    tables = np.column_stack([below[:, low], np.minimum(below[:, high], 1.0), expected])
    averages = _over_effects(levels, terms, outcome, rows, tables)
    return averages[:, 0], averages[:, 1], averages[:, 2]


def predicted_counts(levels: Levels, terms: Terms, outcome: str, rows: pd.DataFrame) -> np.ndarray:
    """Predict the distribution of the rows' total in a new study like theirs, given each draw.

    Arguments as in `predicted`.

    Returns
    -------
    numpy.ndarray, shape (draw, patients + 1)
        Probabilities of every count.
    """
    tables = total_probabilities(_GRID, rows, _outcome_of(terms, outcome).link)
    return _over_effects(levels, terms, outcome, rows, tables)


def _outcome_of(terms: Terms, name: str) -> Outcome:
    """Give what is known of an outcome of some terms."""
    return terms.outcomes[terms.names.index(name)]


def _over_effects(
    levels: Levels, terms: Terms, outcome: str, rows: pd.DataFrame, tables: np.ndarray
) -> np.ndarray:
    """Average tables over the rate of a new study like that of the rows; shape (draw, table)."""
    code, disease = terms.names.index(outcome), terms.diseases.index(rows["disease"].iloc[0])
    study = str(rows["study"].iloc[0])

    def own(code: int) -> tuple[np.ndarray, np.ndarray]:
        level = levels.theta[:, code, disease] + moderated_level(levels, terms, code, study)
        return np.ascontiguousarray(level), np.ascontiguousarray(levels.sigma[:, code])

    parent = int(terms.parents[code])
    if parent < 0:
        return _averages(*own(code), *_rule(_NODES), tables)
    return _averages_of_product(*own(parent), *own(code), *_rule(_NODES_TWO), tables)


def _rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Give standard scores of a study's effect, and their weights, which sum to one."""
    scores, weights = np.polynomial.hermite_e.hermegauss(nodes)
    return scores, weights / weights.sum()


@numba.njit(cache=True, nogil=True)
def _interpolate(level, tables, weight, total):
    """Add the tables at a level, shape (level, table), to the total with a weight."""
    place = min(max((level - _LOWEST) * _STEPS_OF_ONE, 0.0), _POINTS - 1.0)
    left = min(int(place), _POINTS - 2)
    share = place - left
    for k in range(tables.shape[1]):
        total[k] += weight * ((1 - share) * tables[left, k] + share * tables[left + 1, k])


@numba.njit(cache=True, nogil=True)
def _averages(theta, sigma, nodes, weights, tables):
    """Average tables over a new study's effect, draw by draw; shape (draw, table)."""
    totals = np.zeros((len(theta), tables.shape[1]))
    for draw in range(len(theta)):
        for i in range(len(nodes)):
            level = theta[draw] + sigma[draw] * nodes[i]
            _interpolate(level, tables, weights[i], totals[draw])
    return totals


@numba.njit(cache=True, nogil=True)
def _logs(level):
    """Log p and log (1 - p) at log-odds."""
    rest = math.log1p(math.exp(-abs(level)))
    return min(level, 0.0) - rest, min(-level, 0.0) - rest


@numba.njit(cache=True, nogil=True)
def _averages_of_product(theta_p, sigma_p, theta_q, sigma_q, nodes, weights, tables):
    """Average tables at the log-odds of the product of two rates, over the effects of both."""
    totals = np.zeros((len(theta_p), tables.shape[1]))
    log_q, not_q = np.empty(len(nodes)), np.empty(len(nodes))
    for draw in range(len(theta_p)):
        for j in range(len(nodes)):
            log_q[j], log_not_q = _logs(theta_q[draw] + sigma_q[draw] * nodes[j])
            not_q[j] = math.exp(log_not_q)
        for i in range(len(nodes)):
            log_p, log_not_p = _logs(theta_p[draw] + sigma_p[draw] * nodes[i])
            p, not_p = math.exp(log_p), math.exp(log_not_p)
            for j in range(len(nodes)):
                # 1 - p q as (1 - p) + p (1 - q), which never cancels.
                level = log_p + log_q[j] - math.log(not_p + p * not_q[j])
                _interpolate(level, tables, weights[i] * weights[j], totals[draw])
    return totals


def total_probabilities(levels: np.ndarray, rows: pd.DataFrame, link: Link) -> np.ndarray:
    """Give the probabilities of the arms' total count at each level; shape (level, patients + 1).

    Arms of one study share its level: with equal follow-up they are one binomial count.
    """
    timed = link == "cloglog"
    patients = rows.groupby(rows["months"] if timed else np.zeros(len(rows)))["n"].sum()
    total = np.ones((len(levels), 1))
    for months, n in zip(patients.index.to_numpy(float), patients.to_numpy(int), strict=True):
        log_years = float(np.log(months / 12)) if timed else 0.0
        arm = row_probabilities(levels, int(n), log_years, link)
        wider = np.zeros((len(levels), total.shape[1] + int(n)))
        for count in range(total.shape[1]):
            wider[:, count : count + int(n) + 1] += total[:, [count]] * arm
        total = wider
    return total
