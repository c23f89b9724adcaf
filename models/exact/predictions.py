"""What an integrated posterior predicts: studies and diseases left out, and studies' own rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from ...data.errors import InputError
from .distribution import STATISTICS, Distribution, Distributions, on_grid
from .hierarchy_table import Integrated, integrate
from .likelihood_table import row_probabilities, study_values
from .posterior import ExactPosterior

#: Share of the posterior below which a node is left out of a slope.
_NEGLIGIBLE = 1e-12
#: Studies whose levels are found together.
_TOGETHER = 100


@dataclass(frozen=True, eq=False)
class Predictions:
    """Exact predictions of what was left out.

    Attributes
    ----------
    scores : pandas.DataFrame
        One row a study (or disease): ``study`` or ``disease``, ``elpd``, the log predictive
        probability of all its rows given everything else, and ``error``, its numerical error.
    counts : tuple of numpy.ndarray
        For every row of `StudyLikelihoods.rows`, in their order, the predictive probabilities of 0
        to n events; empty where the likelihoods are not of counts.
    """

    scores: pd.DataFrame
    counts: tuple[np.ndarray, ...]


def leave_studies_out(posterior: ExactPosterior) -> Predictions:
    """Predict each study from all the others.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.

    Returns
    -------
    Predictions
        By study; the predictive distributions are of the study's rows with their own n and months.
    """
    main, fine = _left_out_studies(posterior.main)
    check, _ = _left_out_studies(posterior.check)
    scores = pd.DataFrame(
        {
            "study": posterior.hierarchy.likelihoods.studies,
            "elpd": main,
            "error": np.abs(main - check),
        }
    )
    return Predictions(scores, _row_predictions(posterior, fine))


def left_out_levels(posterior: ExactPosterior) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find where each study's level lies according to all the other studies.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.

    Returns
    -------
    scores : numpy.ndarray, shape (study,)
        Log predictive probability of all rows of the study.
    nodes : numpy.ndarray, shape (level,)
        Levels on the linear scale.
    masses : numpy.ndarray, shape (level, study)
        Their probabilities; columns sum to one.
    """
    scores, masses = _left_out_studies(posterior.main)
    return scores, posterior.table.grid.nodes, masses


def _left_out_studies(found: Integrated) -> tuple[np.ndarray, np.ndarray]:
    """Log predictive probability of each study, and masses of its level; shape (level, study)."""
    rest = integrate(found.source, found.priors, trends=False)
    levels, greatest = _levels_of_the_rest(rest)
    scale = found.log_evidence - rest.log_evidence + np.log(rest.total)
    mass = levels.sum(axis=0)
    return scale - np.log(mass) + greatest, levels / mass


def _levels_of_the_rest(found: Integrated) -> tuple[np.ndarray, np.ndarray]:
    """Masses of each study's level given all other studies; shape (level, study).

    With them the greatest log likelihood of each study, averaged over its own effect.
    """
    table = found.source.table
    count = len(table.likelihoods.studies)
    levels, greatest = np.zeros((count, len(table.grid))), np.zeros(count)
    # Products as short as these would wait for a second core longer than they take.
    with threadpool_limits(1, "blas"):
        # A product for several studies at a time, which do not all fit into memory.
        for start in range(0, count, _TOGETHER):
            part = slice(start, min(start + _TOGETHER, count))
            logs = _logs_of_studies(found, part).transpose(2, 0, 1)
            greatest[part] = logs.max(axis=(1, 2))
            each = [_without_study(found, start + i, own.T).T for i, own in enumerate(logs)]
            rest = np.stack(each)
            for place, kernel in enumerate(table.kernels):
                levels[part] += rest[:, place] @ kernel
    return levels.T, greatest


def group_of(found: Integrated, study: int) -> int:
    """Give the position of a study's disease among the groups of levels."""
    if found.source.structure == "single":
        return 0
    return found.source.groups.index(int(found.source.table.likelihoods.disease[study]))


def study_logs(found: Integrated, study: int) -> np.ndarray:
    """Log likelihood of a study averaged over its own effect; shape (level, sigma)."""
    return _logs_of_studies(found, slice(study, study + 1))[:, :, 0].T


def _logs_of_studies(found: Integrated, part: slice) -> np.ndarray:
    """Log likelihoods of studies averaged over their effects; shape (sigma, level, study)."""
    table = found.source.table
    if table.studies is not None:
        return table.studies[:, :, part]
    return study_values(table.likelihoods, table.grid, table.kernels, part)


def _without_study(found: Integrated, study: int, logs: np.ndarray) -> np.ndarray:
    """Mass of a study's disease level and sigma given all other studies; shape (level, sigma).

    ``logs`` are the study's own, as `study_logs` gives them.
    """
    group = group_of(found, study)
    rest = found.source.log_levels[:, group] - (logs - logs.max())
    # Where a likelihood was cut off as negligible, so is what remains of its disease.
    return found.messages[:, group] * np.exp(np.minimum(rest, 600.0))


def _row_predictions(posterior: ExactPosterior, levels: np.ndarray) -> tuple[np.ndarray, ...]:
    likelihoods = posterior.hierarchy.likelihoods
    if likelihoods.rows is None or likelihoods.link is None:
        return ()
    nodes = posterior.table.grid.nodes
    timed = likelihoods.link == "cloglog"
    predictions = []
    columns = [likelihoods.rows[c].to_numpy() for c in ("n", "months", "position")]
    for n, months, position in zip(*columns, strict=True):
        years = float(np.log(months / 12)) if timed else 0.0
        probabilities = row_probabilities(nodes, int(n), years, likelihoods.link)
        predictions.append(levels[:, position] @ probabilities)
    return tuple(predictions)


def leave_diseases_out(posterior: ExactPosterior) -> Predictions:
    """Predict all studies of each disease from the other diseases.

    Parameters
    ----------
    posterior : ExactPosterior
        Of a hierarchy in which diseases have levels of their own.

    Returns
    -------
    Predictions
        By disease with data; the predictive distributions are of each row alone.

    Raises
    ------
    InputError
        Under complete pooling, or with a single disease.
    """
    if posterior.main.source.structure == "single":
        raise InputError("there is one level for all diseases: no disease can be left out")
    source = posterior.main.source
    rest = integrate(source, posterior.main.priors, trends=False)
    main, check = (_left_out_diseases(found) for found in _both(posterior))
    levels = np.empty((len(source.table.grid), len(source.table.likelihoods.studies)))
    before = np.einsum("stl,tgs->lg", source.table.kernels, rest.messages[:, :-1])
    before /= before.sum(axis=0)
    for study in range(levels.shape[1]):
        levels[:, study] = before[:, group_of(posterior.main, study)]
    names = source.table.likelihoods.diseases
    scores = pd.DataFrame(
        {
            "disease": [names[code] for code in source.groups],
            "elpd": main,
            "error": np.abs(main - check),
        }
    )
    return Predictions(scores, _row_predictions(posterior, levels))


def _left_out_diseases(found: Integrated) -> np.ndarray:
    """Log predictive probability of each disease with data."""
    rest = integrate(found.source, found.priors, trends=False)
    scale = found.log_evidence - rest.log_evidence + np.log(rest.total)
    return scale - np.log(rest.outside.sum(axis=1)) + found.source.group_scales


def _both(posterior: ExactPosterior) -> tuple[Integrated, Integrated]:
    return posterior.main, posterior.check


def own_shares(posterior: ExactPosterior) -> pd.DataFrame:
    """Give the share of each disease's level that comes from its own data.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.

    Returns
    -------
    pandas.DataFrame
        One row a disease: ``disease``, ``own_share`` (minus the posterior covariance of the level
        and the slope of the disease's own log likelihood in it: 0 without own data, 1 where
        nothing else matters, the precision weight where all is normal, n / (n + a + b) under a
        beta(a, b) prior) and ``error``, its numerical error.

    References
    ----------
    Stein 1981, doi 10.1214/aos/1176345632 (the identity by which the shares of own data and of
    all else add up to one).
    """
    main, check = (_own_shares(found, posterior.columns) for found in _both(posterior))
    names = list(posterior.hierarchy.likelihoods.diseases)
    error = np.abs(main - check)
    return pd.DataFrame({"disease": names, "own_share": main, "error": error})


def _own_shares(found: Integrated, columns: Sequence[int]) -> np.ndarray:
    from scipy.interpolate import CubicSpline

    table, nodes = found.source.table, found.source.table.grid.nodes
    with_data = set(table.likelihoods.disease.tolist())
    shares = np.zeros(len(columns))
    for code in with_data:
        masses = found.posteriors[:, columns[code]]
        total = masses.sum(axis=1) / masses.sum()
        # Beyond, logarithms of likelihoods are cut off, and a spline would swing.
        held = np.flatnonzero(np.abs(total) > _NEGLIGIBLE)
        part = slice(held[0], held[-1] + 1)
        slope = CubicSpline(nodes[part], table.groups[:, part, code].T)(nodes[part], 1)
        products = masses[part] / masses.sum() * slope
        shares[code] = -(nodes[part] - nodes @ total) @ products.sum(axis=1)
    return shares


def study_rates(posterior: ExactPosterior) -> pd.DataFrame:
    """Give each study's own rate, shrunken towards its disease.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.

    Returns
    -------
    pandas.DataFrame
        ``study``, ``disease``, ``mean``, ``sd``, ``q2.5``, ``q50``, ``q97.5``, ``mcse_mean`` and
        ``mcse_sd`` (numerical errors). Probabilities (12-month risks for ``cloglog``); levels where
        the likelihood has no link.
    """
    likelihoods = posterior.hierarchy.likelihoods
    main, check = (_study_statistics(found) for found in _both(posterior))
    errors = np.abs(main - check)
    table = pd.DataFrame(main, columns=list(STATISTICS))
    table.insert(0, "study", list(likelihoods.studies))
    table.insert(1, "disease", [likelihoods.diseases[d] for d in likelihoods.disease])
    return table.assign(mcse_mean=errors[:, 0], mcse_sd=errors[:, 1])


def study_distributions(
    posterior: ExactPosterior, coarser: bool = False
) -> dict[str, Distribution]:
    """Distributions of each study's own rate, shrunken towards its disease; by study.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.
    coarser : bool
        From the coarser grid.
    """
    grids = posterior.check if coarser else posterior.main
    levels, likelihoods = _study_levels(grids), posterior.hierarchy.likelihoods
    return {s: levels.one(i, likelihoods.link) for i, s in enumerate(likelihoods.studies)}


def _study_statistics(found: Integrated) -> np.ndarray:
    return _study_levels(found).statistics(found.source.table.likelihoods.link)


def _study_levels(found: Integrated) -> Distributions:
    likelihoods = found.source.table.likelihoods
    levels, _ = _levels_of_the_rest(found)
    logs = likelihoods.evaluate(found.source.table.grid.nodes, slice(None))
    masses = levels * np.exp(logs - logs.max(axis=0))
    return on_grid(found.source.table.grid, masses)
