"""Tabulated quantile functions: how any prior becomes data of one compiled model.

A top-level parameter is a standard normal score pushed through the quantile function of its prior.
The function is held as values and slopes at equally spaced scores and joined by cubic Hermite
pieces, for standard deviations on the log scale, so that another prior of any family is another
table.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from .priors import Prior

LOWEST, HIGHEST, STEP = -8.0, 8.0, 1 / 32
SCORES = np.arange(LOWEST, HIGHEST + STEP / 2, STEP)

#: Standard deviations beyond these bounds are held there: no likelihood of counts tells them apart.
LEAST_DEVIATION, LARGEST_DEVIATION = 1e-12, 1e6
_LOG_BOUNDS = (np.log(LEAST_DEVIATION), np.log(LARGEST_DEVIATION))
_LEVEL_BOUNDS = (-1e6, 1e6)


def quantile_table(prior: Prior, positive: bool) -> np.ndarray:
    """Tabulate a prior's quantile function over standard normal scores.

    Parameters
    ----------
    prior : Prior
        The prior.
    positive : bool
        True for a standard deviation: the table then holds logarithms.

    Returns
    -------
    numpy.ndarray
        Values (levels on the linear scale, or logs of standard deviations) and slopes (per unit of
        score) at `SCORES`, shape (2, node).
    """
    value = prior.at_normal_score(SCORES)
    with np.errstate(all="ignore"):
        table = np.log(value) if positive else value
        slope = np.zeros_like(table)
        if prior.fixed is None:
            log_slope = -(SCORES**2) / 2 - np.log(2 * np.pi) / 2 - prior.logpdf(value)
            slope = np.exp(log_slope - (table if positive else 0))
    low, high = _LOG_BOUNDS if positive else _LEVEL_BOUNDS
    held = ~np.isfinite(slope) | ~(table > low) | ~(table < high)
    return np.stack([np.clip(np.nan_to_num(table, nan=low), low, high), np.where(held, 0, slope)])


@numba.njit(cache=True)
def _read(table, score):
    """Values and slopes at scores of shape (outcome, any), from tables (outcome, 2, node)."""
    value, slope = np.empty_like(score), np.empty_like(score)
    for k in range(score.shape[0]):
        for d in range(score.shape[1]):
            inside = min(max(score[k, d], LOWEST), HIGHEST)
            left = min(int((inside - LOWEST) / STEP), table.shape[2] - 2)
            t = (inside - LOWEST) / STEP - left
            v0, v1 = table[k, 0, left], table[k, 0, left + 1]
            m0, m1 = table[k, 1, left] * STEP, table[k, 1, left + 1] * STEP
            square, cube = 3 * (v1 - v0) - 2 * m0 - m1, m0 + m1 - 2 * (v1 - v0)
            at = v0 + t * (m0 + t * (square + t * cube))
            slope[k, d] = (m0 + t * (2 * square + 3 * t * cube)) / STEP
            value[k, d] = at + slope[k, d] * (score[k, d] - inside)
    return value, slope


class QuantileOp(Op):
    """Tabulated quantile functions at normal scores, with their slopes as a second output.

    Beyond the outermost nodes a function goes on in a straight line.
    """

    __props__ = ()

    def make_node(self, table, score):
        """Declare the outputs: two matrices in the shape of the scores."""
        inputs = [pt.as_tensor(table), pt.as_tensor(score)]
        return Apply(self, inputs, [inputs[1].type(), inputs[1].type()])

    def perform(self, node, inputs, output_storage):
        """Compute outside of compiled graphs."""
        for storage, value in zip(output_storage, _read(*inputs), strict=True):
            storage[0] = value

    def infer_shape(self, node, shapes):
        """Give both outputs the shape of the scores."""
        return [shapes[1]] * 2

    def pullback(self, inputs, outputs, cotangents):
        """Slope of the quantile function; that of the slope itself is not offered."""
        slope: Any = outputs[1]
        return [DisconnectedType()(), cotangents[0] * slope]

    def connection_pattern(self, node):
        """Only the scores carry gradients, and only through the first output."""
        return [[False, False], [True, False]]


@register_funcify_default_op_cache_key(QuantileOp)
def _compile_read(op, node, **kwargs):
    return _read, 1


quantile_op = QuantileOp()
