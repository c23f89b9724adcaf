"""The two operations that PyTensor lacks: quantile tables, and the likelihood with its slopes."""

from __future__ import annotations

import inspect
import sys
import zlib
from typing import Any

import numba
import numpy as np
import pytensor.tensor as pt
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.numba.dispatch.basic import register_funcify_default_op_cache_key

from ..priors import quantile_table
from ..sources import keep_sources_beside_cache
from . import likelihood
from .likelihood import total_log_likelihood

keep_sources_beside_cache()

#: Part of PyTensor's key of a stored compilation: another text of these functions, or of the table
#: that they read, is another model.
_SOURCE = zlib.crc32(
    "".join(
        inspect.getsource(each) for each in (likelihood, quantile_table, sys.modules[__name__])
    ).encode()
)


# The nodes of `quantile_table`, written anew: a stored compilation notices a change within its own
# file only. A test compares them.
LOWEST, HIGHEST, STEP = -8.0, 8.0, 1 / 32


@numba.njit(cache=True)
def read_quantiles(table, score):
    """Values and slopes at scores, each from a table of its own; tables (score, 2, node)."""
    value, slope = np.empty_like(score), np.empty_like(score)
    for k in range(len(score)):
        inside = min(max(score[k], LOWEST), HIGHEST)
        left = min(int((inside - LOWEST) / STEP), table.shape[2] - 2)
        t = (inside - LOWEST) / STEP - left
        v0, v1 = table[k, 0, left], table[k, 0, left + 1]
        m0, m1 = table[k, 1, left] * STEP, table[k, 1, left + 1] * STEP
        square, cube = 3 * (v1 - v0) - 2 * m0 - m1, m0 + m1 - 2 * (v1 - v0)
        at = v0 + t * (m0 + t * (square + t * cube))
        slope[k] = (m0 + t * (2 * square + 3 * t * cube)) / STEP
        value[k] = at + slope[k] * (score[k] - inside)
    return value, slope


class QuantileOp(Op):
    """Tabulated quantile functions at normal scores, with their slopes as a second output.

    Beyond the outermost nodes a function goes on in a straight line.
    """

    __props__ = ()

    def make_node(self, table, score):
        """Declare the outputs: two vectors as long as the scores."""
        inputs = [pt.as_tensor(table), pt.as_tensor(score)]
        return Apply(self, inputs, [inputs[1].type(), inputs[1].type()])

    def perform(self, node, inputs, output_storage):
        """Compute outside of compiled graphs."""
        for storage, value in zip(output_storage, read_quantiles(*inputs), strict=True):
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
def _compile_quantiles(op, node, **kwargs):
    return read_quantiles, _SOURCE


quantile_op = QuantileOp()


class LikelihoodOp(Op):
    """The log likelihood; its slopes and the probabilities of membership are further outputs."""

    __props__ = ()

    def make_node(self, eta, *data):
        """Declare the outputs: a scalar, slopes (as levels), membership (combination, group)."""
        inputs = [pt.as_tensor(x) for x in (eta, *data)]
        return Apply(self, inputs, [pt.dscalar(), inputs[0].type(), inputs[2].type()])

    def perform(self, node, inputs, output_storage):
        """Compute outside of compiled graphs."""
        for storage, value in zip(output_storage, total_log_likelihood(*inputs), strict=True):
            storage[0] = value

    def infer_shape(self, node, shapes):
        """Slopes have the shape of the levels, membership that of its log priors."""
        return [(), shapes[0], shapes[2]]

    def pullback(self, inputs, outputs, cotangents):
        """Slopes of the log likelihood; those of the other outputs are not offered."""
        slopes: Any = outputs[1]
        return [cotangents[0] * slopes, *(DisconnectedType()() for _ in inputs[1:])]

    def connection_pattern(self, node):
        """Only the levels carry gradients, and only through the log likelihood."""
        return [[True, False, False], *([False] * 3 for _ in node.inputs[1:])]


@register_funcify_default_op_cache_key(LikelihoodOp)
def _compile_total(op, node, **kwargs):
    return total_log_likelihood, _SOURCE


likelihood_op = LikelihoodOp()
