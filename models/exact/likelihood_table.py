"""From studies to a table: each study's likelihood over disease levels and values of sigma.

A study's likelihood is a function of its own level; averaged over the study effect it becomes a
function of the disease's level and sigma. Nothing here knows how diseases are related.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import gammaln

from ...data.errors import InputError
from ..outcomes import Link, inverse_link, link_function
from .kernels import normal_kernel
from .quadrature import LevelGrid, ScaleAxis, level_grid

#: Log likelihoods are not followed below this, relative to their maximum.
_FLOOR = -690.0
#: Studies taken together.
CHUNK = 500
_CHUNK_CELLS = 3e6
#: Width taken for a likelihood without a maximum, which falls doubly exponentially on one side.
SKEWED = 0.5


@dataclass(frozen=True, eq=False)
class StudyLikelihoods:
    """The likelihoods of studies, each a function of the study's own level.

    Attributes
    ----------
    studies, diseases : tuple of str
        Names; every disease, also those without a study.
    disease : numpy.ndarray of int, shape (study,)
        Code of each study's disease.
    evaluate : callable
        ``evaluate(levels, slice)`` gives those studies' log likelihoods, shape (level, study).
    centres, scales : numpy.ndarray, shape (feature,)
        Where the likelihoods lie, and how wide they are: what a grid must resolve.
    falls_below, falls_above : numpy.ndarray of bool, shape (study,)
        Whether a likelihood vanishes at very low and very high levels.
    link : {"logit", "cloglog"} or None
        None where a level is not a transformed probability.
    rows : pandas.DataFrame or None
        The rows of counts, sorted by study, with ``position`` of the study.
    """

    studies: tuple[str, ...]
    diseases: tuple[str, ...]
    disease: np.ndarray
    evaluate: Callable[[np.ndarray, slice], np.ndarray]
    centres: np.ndarray
    scales: np.ndarray
    falls_below: np.ndarray
    falls_above: np.ndarray
    link: Link | None = None
    rows: pd.DataFrame | None = None

    def of_studies(self, chosen: np.ndarray) -> StudyLikelihoods:
        """Keep some of the studies, and every disease.

        Parameters
        ----------
        chosen : numpy.ndarray of int
            Places of the studies, ascending.

        Returns
        -------
        StudyLikelihoods
            ``centres`` and ``scales`` stay those of all studies.
        """

        def evaluate(levels, part=slice(None)):
            return self.evaluate(levels, slice(None))[:, chosen[part]]

        rows = self.rows
        if rows is not None:
            rows = rows[rows["position"].isin(chosen)].reset_index(drop=True)
            rows = rows.assign(position=np.searchsorted(chosen, rows["position"]))
        return replace(
            self,
            studies=tuple(self.studies[place] for place in chosen),
            disease=self.disease[chosen],
            evaluate=evaluate,
            falls_below=self.falls_below[chosen],
            falls_above=self.falls_above[chosen],
            rows=rows,
        )


def normal_likelihoods(
    estimates: Sequence[float] | np.ndarray,
    errors: Sequence[float] | np.ndarray,
    diseases: Sequence[str] | None = None,
    studies: Sequence[str] | None = None,
) -> StudyLikelihoods:
    """Describe studies that report an estimate with a normal error.

    Parameters
    ----------
    estimates, errors : sequence of float, shape (study,)
        Estimates and their standard errors, on any linear scale.
    diseases, studies : sequence of str, optional
        Names; left out, every study is a disease of its own.

    Returns
    -------
    StudyLikelihoods
        Their likelihoods.
    """
    y, s = np.asarray(estimates, float), np.asarray(errors, float)
    studies = tuple(studies) if studies is not None else tuple(str(i + 1) for i in range(len(y)))
    labels = tuple(diseases) if diseases is not None else studies
    names = tuple(dict.fromkeys(labels))
    constant = -np.log(s) - 0.5 * np.log(2 * np.pi)

    def evaluate(levels, part=slice(None)):
        return constant[part] - 0.5 * ((levels[:, None] - y[part]) / s[part]) ** 2

    everywhere = np.ones(len(y), bool)
    codes = np.array([names.index(d) for d in labels], dtype=int)
    return StudyLikelihoods(studies, names, codes, evaluate, y, s, everywhere, everywhere)


def count_likelihoods(
    rows: pd.DataFrame, link: Link = "logit", diseases: Sequence[str] | None = None
) -> StudyLikelihoods:
    """Describe studies that report counts; the arms of one study share its level.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``study``, ``disease``, ``events_min``, ``events_max``, ``n`` and, for ``cloglog``,
        ``months``. Where the two counts differ the likelihood is the probability of a count
        between them.
    link : {"logit", "cloglog"}
        Scale of the levels: log-odds, or log hazard per year.
    diseases : sequence of str, optional
        Every disease wanted, in order; left out, those with rows.

    Returns
    -------
    StudyLikelihoods
        Their likelihoods.

    Raises
    ------
    InputError
        A ``cloglog`` row without months.
    """
    rows = _ordered(rows)
    names = tuple(diseases) if diseases is not None else tuple(dict.fromkeys(rows["disease"]))
    first = np.flatnonzero(rows["position"].diff().fillna(1).to_numpy())
    low, high, n = (rows[c].to_numpy(float) for c in ("events_min", "events_max", "n"))
    shift = _log_years(rows, link)
    bounds = np.append(first, len(rows))

    def evaluate(levels, part=slice(None)):
        start, stop, _ = part.indices(len(first))
        if start == stop:
            return np.zeros((len(levels), 0))
        inside = slice(bounds[start], bounds[stop])
        values = _log_counts(levels, low[inside], high[inside], n[inside], shift[inside], link)
        return np.add.reduceat(values, bounds[start:stop] - bounds[start], axis=1)

    centres, scales = _features(low, high, n, shift, link)
    positions = rows["position"].to_numpy()
    code = {name: i for i, name in enumerate(names)}
    return StudyLikelihoods(
        tuple(rows["study"].iloc[first]),
        names,
        np.array([code[d] for d in rows["disease"].iloc[first]], dtype=int),
        evaluate,
        centres,
        scales,
        np.bincount(positions, low > 0, len(first)) > 0,
        np.bincount(positions, high < n, len(first)) > 0,
        link,
        rows,
    )


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    position, _ = pd.factorize(rows["study"])
    return rows.assign(position=position).sort_values("position", kind="stable", ignore_index=True)


def _log_years(rows: pd.DataFrame, link: Link) -> np.ndarray:
    if link == "logit":
        return np.zeros(len(rows))
    months = rows["months"].to_numpy(float)
    if not np.all(months > 0):
        study = rows["study"].iloc[int(np.argmin(months > 0))]
        raise InputError(f"study {study}: a complementary log-log link needs months of follow-up")
    return np.log(months / 12)


def _log_probabilities(levels: np.ndarray, link: Link) -> tuple[np.ndarray, np.ndarray]:
    """Log probabilities of an event and of none."""
    if link == "logit":
        return -np.logaddexp(0, -levels), -np.logaddexp(0, levels)
    hazard = np.exp(np.minimum(levels, 700.0))
    return np.log(-np.expm1(-np.maximum(hazard, 1e-300))), -hazard


def _log_counts(levels, low, high, n, shift, link) -> np.ndarray:
    """Log probability that a count lies within each row's bounds; shape (level, row)."""
    informative = (low > 0) | (high < n)
    widths = np.where(informative, high - low + 1, 1).astype(int)
    row = np.repeat(np.arange(len(low)), widths)
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    count = low[row] + np.arange(len(row)) - starts[row]
    size = n[row]
    coefficient = gammaln(size + 1) - gammaln(count + 1) - gammaln(size - count + 1)
    if np.all(shift == 0):
        event, none = (v[:, None] for v in _log_probabilities(levels, link))
    else:
        event, none = (v[:, row] for v in _log_probabilities(levels[:, None] + shift, link))
    pairs = coefficient + count * event + (size - count) * none
    pairs = np.where(informative[row], pairs, 0.0)
    if len(row) == len(low):
        return pairs
    return np.logaddexp.reduceat(pairs, starts, axis=1)


def _features(low, high, n, shift, link) -> tuple[np.ndarray, np.ndarray]:
    """Approximate the likelihoods at both bounds of each row by normal ones."""
    informative = (low > 0) | (high < n)
    counts = np.concatenate([low[informative], high[informative]])
    size = np.tile(n[informative], 2)
    p = (counts + 0.5) / (size + 1)
    centres = link_function(p, link) - np.tile(shift[informative], 2)
    if link == "logit":
        scales = 1 / np.sqrt((size + 1) * p * (1 - p))
    else:
        scales = np.sqrt(p / ((1 - p) * (size + 1))) / -np.log1p(-p)
    scales = np.minimum(scales, SKEWED)
    if len(scales) > CHUNK:
        # Near twins need one place on a grid.
        scales = np.exp(np.floor(np.log(scales) * 20) / 20)
        centres = np.round(centres / scales * 4) / 4 * scales
        centres, scales = np.unique(np.stack([centres, scales]), axis=1)
    return centres, scales


@dataclass(frozen=True, eq=False)
class LikelihoodTable:
    """Likelihoods over a grid of levels and an axis of sigma.

    Attributes
    ----------
    likelihoods : StudyLikelihoods
        What was tabulated.
    grid : LevelGrid
        Levels of diseases (and of mu, and of studies).
    sigma : ScaleAxis
        Standard deviations between studies.
    kernels : numpy.ndarray, shape (sigma, level, level)
        Averages over the study effect.
    groups : numpy.ndarray, shape (sigma, level, disease)
        Log likelihood of each disease's studies together.
    studies : numpy.ndarray or None, shape (sigma, level, study)
        Log likelihood of each study, where there are few enough to keep.
    """

    likelihoods: StudyLikelihoods
    grid: LevelGrid
    sigma: ScaleAxis
    kernels: np.ndarray
    groups: np.ndarray
    studies: np.ndarray | None

    def of_studies(self, chosen: np.ndarray, likelihoods: StudyLikelihoods) -> LikelihoodTable:
        """Keep some of the studies, whose own tables were kept, and whose likelihoods are these."""
        assert self.studies is not None, "many studies have no tables of their own"
        part = self.studies[:, :, chosen]
        membership = np.eye(len(likelihoods.diseases))[likelihoods.disease]
        return replace(self, likelihoods=likelihoods, groups=part @ membership, studies=part)


def study_values(likelihoods: StudyLikelihoods, grid: LevelGrid, kernel, part: slice) -> np.ndarray:
    """Log likelihoods of some studies averaged over their effect; shape (level, study).

    Parameters
    ----------
    likelihoods : StudyLikelihoods
        The studies.
    grid : LevelGrid
        Levels.
    kernel : numpy.ndarray, shape (..., level, level)
        Of `normal_kernel`, for one sigma or several.
    part : slice
        Which studies.
    """
    return _averaged(likelihoods.evaluate(grid.nodes, part), kernel)


def _averaged(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Log likelihoods at levels, averaged over a study's effect."""
    largest = values.max(axis=0)
    scaled = np.exp(np.maximum(values - largest, _FLOOR))
    averaged = (kernel.reshape(-1, len(scaled)) @ scaled).reshape(*kernel.shape[:-1], -1)
    np.maximum(averaged, np.exp(_FLOOR), out=averaged)
    np.log(averaged, out=averaged)
    averaged += largest
    return averaged


def likelihood_table(
    likelihoods: StudyLikelihoods,
    grid: LevelGrid,
    sigma: ScaleAxis,
    points: float = 2.5,
    keep: int = 1_000,
) -> LikelihoodTable:
    """Tabulate the likelihoods, averaged over the study effect.

    Parameters
    ----------
    likelihoods : StudyLikelihoods
        The studies.
    grid : LevelGrid
        Levels, resolving every likelihood.
    sigma : ScaleAxis
        Standard deviations between studies.
    points : float
        Nodes for each standard deviation of a study's likelihood.
    keep : int
        Up to how many studies their own tables are kept beside the diseases'.

    Returns
    -------
    LikelihoodTable
        The table. Time and memory grow in proportion to the number of studies.
    """
    kernels = np.stack([normal_kernel(grid, scale) for scale in sigma.nodes])
    inner, averages = grid, kernels
    if sigma.nodes[0] > 0 and len(sigma) > 1:
        # Studies are not resolved more finely than they need, however narrow all together are.
        inner = level_grid(
            likelihoods.centres, likelihoods.scales, grid.nodes[0], grid.nodes[-1], points
        )
        averages = np.stack([normal_kernel(inner, scale, grid.nodes) for scale in sigma.nodes])
    count, diseases = len(likelihoods.studies), len(likelihoods.diseases)
    kept = count <= keep
    shape = (len(sigma), len(grid))
    studies = np.empty((*shape, count)) if kept else None
    groups = np.zeros((*shape, diseases))
    membership = np.eye(diseases)[likelihoods.disease]
    size = max(1, int(_CHUNK_CELLS / (shape[0] * shape[1])))
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        own = likelihoods.evaluate(inner.nodes, part)
        values = _averaged(own, averages)
        if sigma.nodes[0] == 0:
            values[0] = own
        if studies is not None:
            studies[:, :, part] = values
        groups += values @ membership[part]
    return LikelihoodTable(likelihoods, grid, sigma, kernels, groups, studies)


def row_probabilities(levels, n: int, log_years: float, link: Link) -> np.ndarray:
    """Probabilities of every count of ``n`` patients at each level; shape (level, n + 1)."""
    counts = np.arange(n + 1.0)
    each = np.full(n + 1, float(n))
    if n == 0:
        return np.ones((len(levels), 1))
    shift = np.full(n + 1, log_years)
    informative = _log_counts(np.asarray(levels, float), counts, counts, each, shift, link)
    return np.exp(informative)


def rates(levels, link: Link) -> np.ndarray:
    """Probabilities at levels (12-month risks for ``cloglog``)."""
    with np.errstate(over="ignore"):
        return np.asarray(inverse_link(np.asarray(levels, float), link))
