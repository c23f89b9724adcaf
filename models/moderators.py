"""Moderators as one matrix: what each adds to the level of each study.

A number is centred and divided by its standard deviation over the studies of an outcome, so that
its coefficient is per standard deviation. Each level of a text has a coefficient, divided by the
root of two: the levels are exchangeable about the overall level, no one is special, and a
difference of two has the same prior as a number's coefficient.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..data.moderators import Moderator

#: The compiled model has a multiple of so many coefficients.
_SPARE = 4
#: What one unit of a level's coefficient adds.
_LEVEL = 1 / math.sqrt(2)


@dataclass(frozen=True, eq=False)
class Design:
    """What moderators add to levels, for coefficients that all have the same prior N(0, SD).

    Attributes
    ----------
    moderators : tuple of Moderator
        The moderators.
    coefficients : tuple of (str, str or None)
        Moderator and level of each coefficient; a number has no level.
    matrix : numpy.ndarray
        What one unit of each coefficient adds to the level of a study in an outcome, on the linear
        scale; shape (effect, coefficient), rows as ``Terms.effects``.
    at : numpy.ndarray
        The same where rates are reported; shape (outcome, coefficient).
    spread : numpy.ndarray
        Standard deviation of each number over the studies of each outcome, in its own unit; 0 where
        it is constant, and not a number for levels; shape (outcome, coefficient).
    """

    moderators: tuple[Moderator, ...]
    coefficients: tuple[tuple[str, str | None], ...]
    matrix: np.ndarray
    at: np.ndarray
    spread: np.ndarray

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each coefficient: the moderator, of a text with the level."""
        return coefficient_labels(self.moderators)

    @property
    def width(self) -> int:
        """How many coefficients the compiled model has: spare ones let it serve other columns."""
        return -(-len(self.coefficients) // _SPARE) * _SPARE

    @property
    def level_weight(self) -> float:
        """What one unit of a level's coefficient adds: differences of two have SD 1 then."""
        return _LEVEL

    def offsets(self, beta: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        """Give what the moderators add to the level of each study.

        Parameters
        ----------
        beta : numpy.ndarray
            Coefficients, shape (draw, outcome, coefficient).
        outcome : numpy.ndarray
            Outcome of each effect, shape (effect,).

        Returns
        -------
        numpy.ndarray
            On the linear scale, shape (draw, effect).
        """
        return np.einsum("dec,ec->de", beta[:, outcome], self.matrix)

    def shift(self, beta: np.ndarray) -> np.ndarray:
        """Give what they add to levels where rates are reported; shape (draw, outcome)."""
        return np.einsum("doc,oc->do", beta, self.at)


def coefficient_labels(moderators: Sequence[Moderator]) -> tuple[str, ...]:
    """Name each coefficient: the moderator, of a text with the level."""
    return tuple(
        f"{each.name}={level}" if level else each.name
        for each in moderators
        for level in each.levels or (None,)
    )


def design_of(
    moderators: Sequence[Moderator],
    outcomes: Sequence[str],
    effects: pd.DataFrame,
    rows: pd.DataFrame,
) -> Design:
    """Lay moderators out as the matrix of an analysis.

    Parameters
    ----------
    moderators : sequence of Moderator
        At least one.
    outcomes : sequence of str
        Outcomes in the order of their codes.
    effects : pandas.DataFrame
        One row an effect: ``outcome`` (code), ``study``.
    rows : pandas.DataFrame
        The rows that are analysed: a number is centred and scaled over the studies that have rows
        of the outcome.

    Returns
    -------
    Design
        Its columns are the same for every outcome.
    """
    columns, at, spread, coefficients = [], [], [], []
    codes, studies = effects["outcome"].to_numpy(), effects["study"].tolist()
    for each in moderators:
        if not each.is_number:
            for level in each.levels:
                coefficients.append((each.name, level))
                columns.append([(each.values[study] == level) * _LEVEL for study in studies])
                at.append(np.full(len(outcomes), (each.at == level) * _LEVEL))
                spread.append(np.full(len(outcomes), np.nan))
            continue
        centre, sd = _moments(each, outcomes, rows)
        width = np.where(sd > 0, sd, np.inf)
        values = np.array([each.values[study] for study in studies], dtype=float)
        coefficients.append((each.name, None))
        columns.append((values - centre[codes]) / width[codes])
        at.append((float(each.at) - centre) / width)
        spread.append(sd)
    return Design(
        tuple(moderators),
        tuple(coefficients),
        np.array(columns, dtype=float).T.copy(),
        np.array(at, dtype=float).T.copy(),
        np.array(spread, dtype=float).T.copy(),
    )


def _moments(
    moderator: Moderator, outcomes: Sequence[str], rows: pd.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of a number over the studies of each outcome."""
    centre, sd = np.empty((2, len(outcomes)))
    for k, outcome in enumerate(outcomes):
        studies = rows.loc[rows["outcome"] == outcome, "study"].drop_duplicates()
        values = np.array([moderator.values[study] for study in studies], dtype=float)
        centre[k] = values.mean()
        sd[k] = values.std(ddof=1) if len(set(values.tolist())) > 1 else 0.0
    return centre, sd
