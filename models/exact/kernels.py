"""Averages over an effect about every level of a grid, as matrices."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from .quadrature import LevelGrid, dense, local_polynomials

#: Below this many spacings a normal kernel is integrated by a Gauss-Hermite rule, not on the grid.
_NARROW = 1.3
_HERMITE_NODES, _HERMITE_WEIGHTS = np.polynomial.hermite_e.hermegauss(12)
_HERMITE_WEIGHTS = _HERMITE_WEIGHTS / _HERMITE_WEIGHTS.sum()


def normal_kernel(grid: LevelGrid, scale: float, centres: np.ndarray | None = None) -> np.ndarray:
    """Matrix that averages a function on the grid over a normal distribution about each node.

    Parameters
    ----------
    grid : LevelGrid
        The nodes.
    scale : float
        Standard deviation; zero gives the identity.
    centres : numpy.ndarray, optional
        Other centres of the normal distributions than the nodes; shape (centre,).

    Returns
    -------
    numpy.ndarray, shape (centre, node)
        Rows sum to one. A function is taken as constant beyond the grid.
    """
    x, weights = grid.nodes, grid.weights
    if scale == 0:
        return (
            np.eye(len(x)) if centres is None else dense(*local_polynomials(grid, centres), len(x))
        )
    centres = x if centres is None else centres
    wide = scale >= _NARROW * np.interp(centres, x, weights)
    kernel = np.zeros((len(centres), len(x)))
    if wide.any():
        rows = centres[wide]
        z = (x - rows[:, None]) / scale
        part = np.exp(-0.5 * z * z) * (weights / (scale * np.sqrt(2 * np.pi)))
        part[:, 0] += ndtr((x[0] - weights[0] / 2 - rows) / scale)
        part[:, -1] += ndtr((rows - x[-1] - weights[-1] / 2) / scale)
        kernel[wide] = part / part.sum(axis=1, keepdims=True)
    if not wide.all():
        narrow = np.flatnonzero(~wide)
        points = (centres[narrow, None] + scale * _HERMITE_NODES).ravel()
        nodes, values = local_polynomials(grid, points)
        values = values.reshape(len(narrow), -1, values.shape[1]) * _HERMITE_WEIGHTS[:, None]
        kernel[narrow] = dense(
            nodes.reshape(len(narrow), -1), values.reshape(len(narrow), -1), len(x)
        )
    return kernel


def student_kernel(grid: LevelGrid, scale: float, degrees: float) -> np.ndarray:
    """Matrix as `normal_kernel`, for a Student-t distribution with the given scale.

    The Student-t is a mixture of normals whose precision is gamma distributed; the mixture is
    integrated by the trapezoid rule in the precision's logarithm, where it converges exponentially.
    """
    if scale == 0:
        return np.eye(len(grid))
    half = degrees / 2
    log_precision = np.arange(-9.0, 3.0, 0.5)
    weights = np.exp(half * log_precision - half * np.exp(log_precision))
    weights /= weights.sum()
    kernel = np.zeros((len(grid), len(grid)))
    for weight, each in zip(weights, log_precision, strict=True):
        kernel += weight * normal_kernel(grid, scale * np.exp(-each / 2))
    return kernel
