"""The likelihood of flat terms and pairs: as one operation with its slopes, and as an integral.

Written as elementwise tensors the same sums take a minute to compile; as one loop over terms they
take seconds, cost no more than the pairs there are, and serve both the sampler and plain arrays.
All that is compiled stands in this one file, because a stored compilation only notices changes
within its own file.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numba
import numpy as np

#: Log cumulative hazards above this are continued in a straight line, so that they cannot overflow.
_HIGHEST_LOG_HAZARD = 20.0

#: Integrals over study effects: nodes, and how far below its maximum the log integrand ends, where
#: a study has one effect and where it has two.
NODES_ONE, DROP_ONE = 25, 16.0
NODES_TWO, DROP_TWO = 14, 10.0
_MOST_STEPS = 50
_HALF_LOG_2PI = math.log(2 * math.pi) / 2


@numba.njit(cache=True)
def _logs(eta, timed, log_years):
    """Log p, log (1 - p) and their slopes in the level, finite at any finite level."""
    if timed:
        log_hazard = eta + log_years
        if log_hazard > _HIGHEST_LOG_HAZARD:
            hazard = math.exp(_HIGHEST_LOG_HAZARD)
            return 0.0, -hazard * (1 + log_hazard - _HIGHEST_LOG_HAZARD), 0.0, -hazard
        hazard = math.exp(log_hazard)
        if log_hazard < -_HIGHEST_LOG_HAZARD:
            return log_hazard - hazard / 2, -hazard, 1 - hazard / 2, -hazard
        risk = -math.expm1(-hazard)
        return math.log(risk), -hazard, hazard * math.exp(-hazard) / risk, -hazard
    small = math.exp(-abs(eta))
    rest, larger = math.log1p(small), 1 / (1 + small)
    if eta >= 0:
        return -rest, -eta - rest, small * larger, -larger
    return eta - rest, -rest, larger, -small * larger


@numba.njit(cache=True)
def _term(eta_p, eta_q, t, term_table, pair_table):
    """Log probability of the term in one row, and its slopes in the levels of p and of q."""
    log_p, log_not_p, slope_p, slope_not_p = _logs(eta_p, term_table[t, 3] > 0, term_table[t, 4])
    log_q = log_not_q = slope_q = slope_not_q = 0.0
    log_not_pq = not_pq_slope_p = not_pq_slope_q = 0.0
    if term_table[t, 2] >= 0:
        log_q, log_not_q, slope_q, slope_not_q = _logs(eta_q, False, 0.0)
        # 1 - p q as (1 - p) + p (1 - q), which never cancels.
        large, small = max(log_not_p, log_p + log_not_q), min(log_not_p, log_p + log_not_q)
        log_not_pq = large + math.log1p(math.exp(small - large))
        # Their slopes in logs too: both factors are log-odds here, so that p' = p (1 - p).
        log_pq_odds = log_p + log_q - log_not_pq
        not_pq_slope_p = -math.exp(log_pq_odds + log_not_p)
        not_pq_slope_q = -math.exp(log_pq_odds + log_not_q)
    start, stop = int(term_table[t, 5]), int(term_table[t, 6])
    largest, total, total_p, total_q = -np.inf, 0.0, 0.0, 0.0
    for i in range(start, stop):
        x1, x2, x3 = pair_table[i, 1], pair_table[i, 2], pair_table[i, 3]
        x4, x5 = pair_table[i, 4], pair_table[i, 5]
        value = pair_table[i, 0] + x1 * log_p + x2 * log_not_p
        value += x3 * log_q + x4 * log_not_q + x5 * log_not_pq
        if stop - start == 1:  # a known count needs no sum in logs
            slope_of_p = x1 * slope_p + x2 * slope_not_p + x5 * not_pq_slope_p
            return value, slope_of_p, x3 * slope_q + x4 * slope_not_q + x5 * not_pq_slope_q
        if value > largest:
            shrink = math.exp(largest - value)
            total, total_p, total_q = total * shrink, total_p * shrink, total_q * shrink
            largest = value
        weight = math.exp(value - largest)
        total += weight
        total_p += weight * (x1 * slope_p + x2 * slope_not_p + x5 * not_pq_slope_p)
        total_q += weight * (x3 * slope_q + x4 * slope_not_q + x5 * not_pq_slope_q)
    return largest + math.log(total), total_p / total, total_q / total


@numba.njit(cache=True)
def _each_term(eta_p, eta_q, term_table, pair_table):
    """Evaluate `_term` over rows of levels and terms; shapes (row, term)."""
    values, slopes_p, slopes_q = np.empty_like(eta_p), np.empty_like(eta_p), np.empty_like(eta_p)
    for t in range(eta_p.shape[1]):
        for c in range(eta_p.shape[0]):
            values[c, t], slopes_p[c, t], slopes_q[c, t] = _term(
                eta_p[c, t], eta_q[c, t], t, term_table, pair_table
            )
    return values, slopes_p, slopes_q


def log_likelihood_of_terms(
    eta_p: np.ndarray, eta_q: np.ndarray, counts: dict[str, np.ndarray]
) -> np.ndarray:
    """Log probability of every term, for plain arrays.

    Parameters
    ----------
    eta_p, eta_q : numpy.ndarray
        Levels of p and of q on the linear scale, shape (draw, term); q counts in nested terms only.
    counts : dict of str to numpy.ndarray
        As `count_data` gives.

    Returns
    -------
    numpy.ndarray
        Shape (draw, term).
    """
    return _each_term(eta_p, eta_q, counts["term_table"], counts["pair_table"])[0]


@numba.njit(cache=True)
def _log_integrand(p, q, term_table, pair_table):
    """Log probability of a study's terms at its levels, and its slopes in both."""
    value = slope_p = slope_q = 0.0
    for t in range(len(term_table)):
        one, one_p, one_q = _term(p, q, t, term_table, pair_table)
        value, slope_p, slope_q = value + one, slope_p + one_p, slope_q + one_q
    return value, slope_p, slope_q


@numba.njit(cache=True, inline="always")
def _logs_alone(eta, timed, log_years):
    """Log p and log (1 - p) without slopes; at log-odds right to rounding, in a third of the time.

    The logarithm of 1 + x is off by rounding where x is small beside 1: by nothing that counts, as
    it is added to 0 or to a level.
    """
    if timed:
        log_p, log_not_p, _, _ = _logs(eta, timed, log_years)
        return log_p, log_not_p
    rest = math.log(1 + math.exp(-abs(eta)))
    return min(eta, 0.0) - rest, min(-eta, 0.0) - rest


@numba.njit(cache=True, inline="always")
def _value(log_p, log_not_p, log_q, log_not_q, t, term_table, pair_table):
    """Log probability of the term in one row as `_term` gives it, without slopes."""
    log_not_pq = 0.0
    if term_table[t, 2] >= 0:
        large, small = max(log_not_p, log_p + log_not_q), min(log_not_p, log_p + log_not_q)
        log_not_pq = large + math.log(1 + math.exp(small - large))
    start, stop = int(term_table[t, 5]), int(term_table[t, 6])
    largest, total = -np.inf, 0.0
    for i in range(start, stop):
        value = pair_table[i, 0] + pair_table[i, 1] * log_p + pair_table[i, 2] * log_not_p
        value += pair_table[i, 3] * log_q + pair_table[i, 4] * log_not_q
        value += pair_table[i, 5] * log_not_pq
        if stop - start == 1:
            return value
        if value > largest:
            total, largest = total * math.exp(largest - value), value
        total += math.exp(value - largest)
    return largest + math.log(total)


@numba.njit(cache=True)
def _sum_over_child(p, theta, sigma, nodes, top, tables):
    """Sum of a study's density over nodes for the effect of q, at the level p.

    ``nodes`` are the first standard score, their distance and number; ``top`` is subtracted in
    logs. A loop of its own, in which no table is handed on: counting who holds it takes as long as
    the arithmetic.
    """
    (first, width, count), (term_table, pair_table) = nodes, tables
    log_p, log_not_p = _logs_alone(p, False, 0.0)
    total = 0.0
    for node in range(count):
        score = first + node * width
        value = -score * score / 2 - top
        log_q, log_not_q = _logs_alone(theta + sigma * score, False, 0.0)
        for t in range(len(term_table)):
            value += _value(log_p, log_not_p, log_q, log_not_q, t, term_table, pair_table)
        total += math.exp(value)
    return total


@numba.njit(cache=True)
def _sum_over_effect(theta, sigma, nodes, top, tables):
    """Sum of a study's density over nodes for its only effect, as `_sum_over_child`."""
    (first, width, count), (term_table, pair_table) = nodes, tables
    total = 0.0
    for node in range(count):
        score = first + node * width
        value = -score * score / 2 - top
        for t in range(len(term_table)):
            level, timed = theta + sigma * score, term_table[t, 3] > 0
            log_p, log_not_p = _logs_alone(level, timed, term_table[t, 4])
            value += _value(log_p, log_not_p, 0.0, 0.0, t, term_table, pair_table)
        total += math.exp(value)
    return total


class _Search(NamedTuple):
    """A search for the mode of a log density over a standard score.

    ``score`` is tried next; ``before`` was tried last, with its slope. The mode lies between
    ``low`` and ``high``, the highest value so far is ``top``. No curvature was met yet where it is
    zero.
    """

    score: float
    before: float
    slope_before: float
    curvature: float
    low: float
    high: float
    top: float
    top_score: float


_START = _Search(0.0, np.nan, np.nan, 0.0, -np.inf, np.inf, -np.inf, 0.0)


@numba.njit(cache=True)
def _search_on(search, value, slope, sigma):
    """Take a secant step, given the log density at the score; also whether the mode is found.

    ``sigma`` is the standard deviation of the effect: it says how small a first step must be.
    """
    score, before, slope_before, curvature, low, high, top, top_score = search
    if value > top:
        top, top_score = value, score
    if not math.isnan(before):
        # That of the standard normal score alone is one, the least.
        curvature = max((slope_before - slope) / (score - before), 1.0)
    flat = abs(slope) < 0.5 * math.sqrt(max(curvature, 1.0))
    low, high = (score, high) if slope > 0 else (low, score)
    farthest = 3 + 3 / sigma
    step = slope / curvature if curvature > 0 else math.copysign(min(1.0, 0.1 / sigma), slope)
    goal = score + min(max(step, -farthest), farthest)
    goal = goal if low < goal < high else (low + high) / 2
    return _Search(goal, score, slope, curvature, low, high, top, top_score), flat


@numba.njit(cache=True)
def _distance(search, drop):
    """Guess how far from the mode a log density has fallen by ``drop``, as if it were normal."""
    return math.sqrt(2 * drop / max(search.curvature, 1.0))


@numba.njit(cache=True)
def _better_distance(distance, fallen, drop):
    """Guess again, given how far it has fallen; the same where that is near enough."""
    if 0.8 * drop < fallen < 1.6 * drop:
        return distance
    return distance * math.sqrt(1.1 * drop / max(fallen, 0.1 * drop))


@numba.njit(cache=True)
def _over_child(p, sloped, theta, sigma, term_table, pair_table):
    """Log integral over the study effect of q at the level p and, if wanted, its slope in p."""
    search, found, step = _START, False, 0
    while not found and step < _MOST_STEPS:
        score, step = search.score, step + 1
        value, _, slope = _log_integrand(p, theta + sigma * score, term_table, pair_table)
        search, found = _search_on(search, value - score * score / 2, sigma * slope - score, sigma)
    score = search.top_score
    ends = (score, score)
    for side in (-1, 1):
        distance, before, step = _distance(search, DROP_TWO), 0.0, 0
        while distance != before and step < _MOST_STEPS:
            score, before, step = search.top_score + side * distance, distance, step + 1
            value, _, _ = _log_integrand(p, theta + sigma * score, term_table, pair_table)
            fallen = search.top - value + score * score / 2
            distance = _better_distance(distance, fallen, DROP_TWO)
        ends = (score, ends[1]) if side < 0 else (ends[0], score)
    width = (ends[1] - ends[0]) / (NODES_TWO - 1)
    if not sloped:
        nodes, tables = (ends[0], width, NODES_TWO), (term_table, pair_table)
        total = _sum_over_child(p, theta, sigma, nodes, search.top, tables)
        return search.top + math.log(total * width) - _HALF_LOG_2PI, 0.0
    total = total_slope = 0.0
    for node in range(NODES_TWO):
        score = ends[0] + node * width
        value, slope_p, _ = _log_integrand(p, theta + sigma * score, term_table, pair_table)
        weight = math.exp(value - score * score / 2 - search.top)
        total, total_slope = total + weight, total_slope + weight * slope_p
    return search.top + math.log(total * width) - _HALF_LOG_2PI, total_slope / total


@numba.njit(cache=True)
def _given_effect(p, sloped, nested, theta_q, sigma_q, term_table, pair_table):
    """Log likelihood of a study at its level p, a child's effect integrated out, and its slope."""
    if nested:
        return _over_child(p, sloped, theta_q, sigma_q, term_table, pair_table)
    value, slope, _ = _log_integrand(p, 0.0, term_table, pair_table)
    return value, slope


@numba.njit(cache=True)
def _over_effects(nested, theta, sigma, theta_q, sigma_q, term_table, pair_table):
    """Log integral over a study's effects: the search and the rule of `_over_child` for p."""
    drop, nodes = (DROP_TWO, NODES_TWO) if nested else (DROP_ONE, NODES_ONE)
    child = nested, theta_q, sigma_q, term_table, pair_table
    search, found, step = _START, False, 0
    while not found and step < _MOST_STEPS:
        score, step = search.score, step + 1
        value, slope = _given_effect(theta + sigma * score, True, *child)
        search, found = _search_on(search, value - score * score / 2, sigma * slope - score, sigma)
    score = search.top_score
    ends = (score, score)
    for side in (-1, 1):
        distance, before, step = _distance(search, drop), 0.0, 0
        while distance != before and step < _MOST_STEPS:
            score, before, step = search.top_score + side * distance, distance, step + 1
            value, _ = _given_effect(theta + sigma * score, False, *child)
            fallen = search.top - value + score * score / 2
            distance = _better_distance(distance, fallen, drop)
        ends = (score, ends[1]) if side < 0 else (ends[0], score)
    width = (ends[1] - ends[0]) / (nodes - 1)
    total, tables = 0.0, (term_table, pair_table)
    if nested:
        for node in range(nodes):
            score = ends[0] + node * width
            value, _ = _over_child(theta + sigma * score, False, theta_q, sigma_q, *tables)
            total += math.exp(value - score * score / 2 - search.top)
    else:
        total = _sum_over_effect(theta, sigma, (ends[0], width, nodes), search.top, tables)
    return search.top + math.log(total * width) - _HALF_LOG_2PI


@numba.njit(cache=True, nogil=True)
def _integrals(theta, sigma, term_table, pair_table):
    nested = term_table[:, 2].max() >= 0
    values = np.empty(len(theta))
    for draw in range(len(theta)):
        values[draw] = _over_effects(
            nested,
            theta[draw, 0],
            sigma[draw, 0],
            theta[draw, 1],
            sigma[draw, 1],
            term_table,
            pair_table,
        )
    return values


def integrated_log_likelihood_of_terms(
    theta: np.ndarray, sigma: np.ndarray, counts: dict[str, np.ndarray]
) -> np.ndarray:
    """Log probability of one study's terms together, its effects integrated out.

    The trapezoidal rule over standard scores of the effects, from where the integrand begins to
    matter to where it ends. Both ends are sought for every draw: the rule then converges
    exponentially, also where a study lies far from its disease or has no events.

    Parameters
    ----------
    theta, sigma : numpy.ndarray
        Level and standard deviation of the effect of p and of that of q, on the linear scale;
        shape (draw, 2). The second is read for nested terms only. Standard deviations are positive.
    counts : dict of str to numpy.ndarray
        As `count_data` gives, with the rows of ``term_table`` that belong to the study.

    Returns
    -------
    numpy.ndarray
        Shape (draw,).

    References
    ----------
    Trefethen and Weideman 2014, doi 10.1137/130932132 (the trapezoidal rule).
    """
    return _integrals(theta, sigma, counts["term_table"], counts["pair_table"])


@numba.njit(cache=True)
def total_log_likelihood(eta, kinds, log_weight, term_table, pair_table):
    """Log likelihood with membership summed out, its slopes, and the probabilities of membership.

    ``eta`` holds the effects' levels of every kind, one kind after the other. A group is a disease
    in one outcome with its child; its terms share the kind of p's level and that of q's. ``kinds``
    lists the combinations, ``log_weight`` (combination, group) their log priors. Loops over
    elements where an array's own methods would compile for seconds.
    """
    combinations, count = len(kinds), len(term_table)
    effects = len(eta) // (kinds.max() + 1)
    group = term_table[:, 0].astype(np.int64)
    effect, child = term_table[:, 1].astype(np.int64), term_table[:, 2].astype(np.int64)
    eta_p, eta_q = np.empty((combinations, count)), np.zeros((combinations, count))
    for c in range(combinations):
        for t in range(count):
            eta_p[c, t] = eta[kinds[c, 0] * effects + effect[t]]
            if child[t] >= 0:
                eta_q[c, t] = eta[kinds[c, 1] * effects + child[t]]
    values, slopes_p, slopes_q = _each_term(eta_p, eta_q, term_table, pair_table)
    joint = log_weight.copy()
    for c in range(combinations):
        for t in range(count):
            joint[c, group[t]] += values[c, t]
    total = 0.0
    for g in range(joint.shape[1]):
        largest, summed = -np.inf, 0.0
        for c in range(combinations):
            largest = max(largest, joint[c, g])
        for c in range(combinations):
            summed += math.exp(joint[c, g] - largest)
        total += largest + math.log(summed)
        for c in range(combinations):
            joint[c, g] = math.exp(joint[c, g] - largest) / summed
    slopes = np.zeros_like(eta)
    for c in range(combinations):
        for t in range(count):
            slopes[kinds[c, 0] * effects + effect[t]] += joint[c, group[t]] * slopes_p[c, t]
            if child[t] >= 0:
                slopes[kinds[c, 1] * effects + child[t]] += joint[c, group[t]] * slopes_q[c, t]
    return np.asarray(total), slopes, joint
