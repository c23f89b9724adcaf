"""The likelihood of flat terms and pairs, as one operation with its slopes.

Written as elementwise tensors the same sums take a minute to compile; as one loop over terms they take
seconds, cost no more than the pairs there are, and serve both the sampler and plain arrays.
"""

from __future__ import annotations

import math

import numba
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

#: Columns of ``term_table``: codes, the link, log years, and where the term's pairs start and stop.
TERM_COLUMNS = ("group", "effect", "child_effect", "timed", "log_years", "start", "stop")


def count_data(terms) -> dict[str, np.ndarray]:
    """Lay out the likelihood's tables as the two arrays that the operation reads.

    Two, because every further array that a compiled model reads as data costs it a second.

    Parameters
    ----------
    terms : Terms
        The likelihood.

    Returns
    -------
    dict of str to numpy.ndarray
        ``term_table``, shape (term, `TERM_COLUMNS`), and ``pair_table``, shape (pair, 6): the log
        coefficient and the exponents, sorted by term.
    """
    order = np.argsort(terms.pairs["term"].to_numpy(), kind="stable")
    stop = np.cumsum(np.bincount(terms.pairs["term"], minlength=len(terms.terms)))
    start = np.concatenate([[0], stop[:-1]])
    table = terms.terms.assign(log_years=np.log(terms.terms["years"]), start=start, stop=stop)
    pairs = np.column_stack([terms.pairs["coefficient"].to_numpy(float), terms.exponents()])
    return {
        "term_table": table[list(TERM_COLUMNS)].to_numpy(float),
        "pair_table": np.ascontiguousarray(pairs[order]),
    }


@numba.njit(cache=True)
def _logs(eta, timed, log_years):
    """Log p, log (1 - p) and their slopes in the level."""
    if timed:
        hazard = math.exp(min(max(eta + log_years, -40.0), 20.0))
        risk = -math.expm1(-hazard)
        return math.log(risk), -hazard, hazard * math.exp(-hazard) / risk, -hazard
    small = math.exp(-abs(eta))
    rest = math.log1p(small)
    if eta >= 0:
        return -rest, -eta - rest, small / (1 + small), -1 / (1 + small)
    return eta - rest, -rest, 1 / (1 + small), -small / (1 + small)


@numba.njit(cache=True)
def _term(eta_p, eta_q, term, pair_table):
    """Log probability of one term and its slopes in the levels of p and of q."""
    log_p, log_not_p, slope_p, slope_not_p = _logs(eta_p, term[3] > 0, term[4])
    log_q = log_not_q = slope_q = slope_not_q = log_not_pq = pq_odds = 0.0
    if term[2] >= 0:
        log_q, log_not_q, slope_q, slope_not_q = _logs(eta_q, False, 0.0)
        # 1 - p q as (1 - p) + p (1 - q), which never cancels.
        large, small = max(log_not_p, log_p + log_not_q), min(log_not_p, log_p + log_not_q)
        log_not_pq = large + math.log1p(math.exp(small - large))
        pq_odds = math.exp(log_p + log_q - log_not_pq)
    largest, total, total_p, total_q = -np.inf, 0.0, 0.0, 0.0
    for i in range(int(term[5]), int(term[6])):
        coefficient, x1, x2, x3, x4, x5 = pair_table[i]
        value = coefficient + x1 * log_p + x2 * log_not_p
        value += x3 * log_q + x4 * log_not_q + x5 * log_not_pq
        if value > largest:
            shrink = math.exp(largest - value)
            total, total_p, total_q = total * shrink, total_p * shrink, total_q * shrink
            largest = value
        weight = math.exp(value - largest)
        total += weight
        total_p += weight * (x1 * slope_p + x2 * slope_not_p - x5 * pq_odds * slope_p)
        total_q += weight * (x3 * slope_q + x4 * slope_not_q - x5 * pq_odds * slope_q)
    return largest + math.log(total), total_p / total, total_q / total


@numba.njit(cache=True)
def _each_term(eta_p, eta_q, term_table, pair_table):
    """Evaluate `_term` over rows of levels and terms; shapes (row, term)."""
    values, slopes_p, slopes_q = np.empty_like(eta_p), np.empty_like(eta_p), np.empty_like(eta_p)
    for t in range(eta_p.shape[1]):
        for c in range(eta_p.shape[0]):
            values[c, t], slopes_p[c, t], slopes_q[c, t] = _term(
                eta_p[c, t], eta_q[c, t], term_table[t], pair_table
            )
    return values, slopes_p, slopes_q


def log_likelihood_of_terms(
    eta_p: np.ndarray, eta_q: np.ndarray, counts: dict[str, np.ndarray]
) -> np.ndarray:
    """Log probability of every term, for plain arrays.

    Parameters
    ----------
    eta_p, eta_q : numpy.ndarray
        Levels of p and of q on the linear scale, shape (draw, term); q is read for nested terms only.
    counts : dict of str to numpy.ndarray
        As `count_data` gives.

    Returns
    -------
    numpy.ndarray
        Shape (draw, term).
    """
    return _each_term(eta_p, eta_q, counts["term_table"], counts["pair_table"])[0]


@numba.njit(cache=True)
def _total(eta, kinds, log_weight, term_table, pair_table):
    """Log likelihood with membership summed out, its slopes, and the probabilities of membership.

    A group is a disease in one outcome with its child; its terms share the kind of p's level and that
    of q's. ``kinds`` lists the combinations, ``log_weight`` (combination, group) their log priors.
    """
    combinations, count = len(kinds), len(term_table)
    group = term_table[:, 0].astype(np.int64)
    effect, child = term_table[:, 1].astype(np.int64), term_table[:, 2].astype(np.int64)
    eta_p, eta_q = np.empty((combinations, count)), np.zeros((combinations, count))
    for c in range(combinations):
        for t in range(count):
            eta_p[c, t] = eta[kinds[c, 0], effect[t]]
            if child[t] >= 0:
                eta_q[c, t] = eta[kinds[c, 1], child[t]]
    values, slopes_p, slopes_q = _each_term(eta_p, eta_q, term_table, pair_table)
    joint = log_weight.copy()
    for t in range(count):
        joint[:, group[t]] += values[:, t]
    total = 0.0
    for g in range(joint.shape[1]):
        largest = joint[:, g].max()
        summed = np.exp(joint[:, g] - largest).sum()
        total += largest + math.log(summed)
        joint[:, g] = np.exp(joint[:, g] - largest) / summed
    slopes = np.zeros_like(eta)
    for c in range(combinations):
        for t in range(count):
            slopes[kinds[c, 0], effect[t]] += joint[c, group[t]] * slopes_p[c, t]
            if child[t] >= 0:
                slopes[kinds[c, 1], child[t]] += joint[c, group[t]] * slopes_q[c, t]
    return np.asarray(total), slopes, joint


class LikelihoodOp(Op):
    """The log likelihood, with its slopes and the probabilities of membership as further outputs."""

    __props__ = ()

    def make_node(self, eta, *data):
        """Declare the outputs: a scalar, slopes (kind, effect), membership (combination, group)."""
        inputs = [pt.as_tensor(x) for x in (eta, *data)]
        return Apply(self, inputs, [pt.dscalar(), inputs[0].type(), inputs[2].type()])

    def perform(self, node, inputs, output_storage):
        """Compute outside of compiled graphs."""
        for storage, value in zip(output_storage, _total(*inputs), strict=True):
            storage[0] = value

    def infer_shape(self, fgraph, node, shapes):
        """Slopes have the shape of the levels, membership that of its log priors."""
        return [(), shapes[0], shapes[2]]

    def pullback(self, inputs, outputs, cotangents):
        """Slopes of the log likelihood; those of the other outputs are not offered."""
        return [cotangents[0] * outputs[1], *(DisconnectedType()() for _ in inputs[1:])]

    def connection_pattern(self, node):
        """Only the levels carry gradients, and only through the log likelihood."""
        return [[True, False, False], *([False] * 3 for _ in node.inputs[1:])]


@register_funcify_default_op_cache_key(LikelihoodOp)
def _compile_total(op, node, **kwargs):
    return _total, 1


likelihood_op = LikelihoodOp()
