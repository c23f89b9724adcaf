"""What an integrated posterior predicts: studies and diseases left out, new trials, joint draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..outcomes import link_function
from .distribution import STATISTICS, Distribution, Distributions, on_grid
from .exact_posterior import ExactPosterior
from .hierarchy_table import Integrated, integrate
from .likelihood_table import row_probabilities, study_values


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
    levels = _levels_of_the_rest(rest)
    scale = found.log_evidence - rest.log_evidence + np.log(rest.total)
    scores = [
        scale - np.log(mass) + _study_scale(found, study)
        for study, mass in enumerate(levels.sum(axis=0))
    ]
    return np.array(scores), levels / levels.sum(axis=0)


def _levels_of_the_rest(found: Integrated) -> np.ndarray:
    """Masses of each study's level given all other studies; shape (level, study)."""
    table = found.source.table
    levels = np.empty((len(table.grid), len(table.likelihoods.studies)))
    for study in range(levels.shape[1]):
        levels[:, study] = np.einsum("stl,ts->l", table.kernels, _without_study(found, study))
    return levels


def _group_of(found: Integrated, study: int) -> int:
    if found.source.structure == "single":
        return 0
    return found.source.groups.index(int(found.source.table.likelihoods.disease[study]))


def _study_logs(found: Integrated, study: int) -> np.ndarray:
    """Log likelihood of a study, scaled by its maximum; shape (level, sigma)."""
    table = found.source.table
    if table.studies is not None:
        return table.studies[:, :, study].T
    part = slice(study, study + 1)
    return study_values(table.likelihoods, table.grid, table.kernels, part)[:, :, 0].T


def _study_scale(found: Integrated, study: int) -> float:
    return float(_study_logs(found, study).max())


def _without_study(found: Integrated, study: int) -> np.ndarray:
    """Mass of a study's disease level and sigma given all other studies; shape (level, sigma)."""
    group = _group_of(found, study)
    logs = _study_logs(found, study)
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
    ValueError
        Under complete pooling, or with a single disease.
    """
    if posterior.main.source.structure == "single":
        raise ValueError("there is one level for all diseases: no disease can be left out")
    source = posterior.main.source
    rest = integrate(source, posterior.main.priors, trends=False)
    main, check = (_left_out_diseases(found) for found in _both(posterior))
    levels = np.empty((len(source.table.grid), len(source.table.likelihoods.studies)))
    before = np.einsum("stl,tgs->lg", source.table.kernels, rest.messages[:, :-1])
    before /= before.sum(axis=0)
    for study in range(levels.shape[1]):
        levels[:, study] = before[:, _group_of(posterior.main, study)]
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
    found = posterior.check if coarser else posterior.main
    levels, likelihoods = _study_levels(found), posterior.hierarchy.likelihoods
    return {s: levels.one(i, likelihoods.link) for i, s in enumerate(likelihoods.studies)}


def _study_statistics(found: Integrated) -> np.ndarray:
    return _study_levels(found).statistics(found.source.table.likelihoods.link)


def _study_levels(found: Integrated) -> Distributions:
    likelihoods = found.source.table.likelihoods
    levels = _levels_of_the_rest(found)
    logs = likelihoods.evaluate(found.source.table.grid.nodes, slice(None))
    masses = levels * np.exp(logs - logs.max(axis=0))
    return on_grid(found.source.table.grid, masses)


@dataclass(frozen=True, eq=False)
class NewTrial:
    """Re-analysis of everything with a new trial, for every count that it may have.

    Attributes
    ----------
    n : int
        Patients of the new trial.
    predictive : numpy.ndarray, shape (n + 1,)
        Probability of each count before the trial.
    nodes : numpy.ndarray, shape (node,)
        Levels of the new trial, linear scale.
    masses : numpy.ndarray, shape (node, n + 1)
        Posterior mass of the levels given each count; columns sum to one.
    posterior : ExactPosterior
        What the trial is added to.
    """

    n: int
    predictive: np.ndarray
    nodes: np.ndarray
    masses: np.ndarray
    posterior: ExactPosterior

    def probability_above(self, rate: float) -> np.ndarray:
        """Probability that the trial's own rate exceeds a threshold, given each count."""
        link = self.posterior.hierarchy.likelihoods.link
        level = float(link_function(rate, link or "logit"))
        return on_grid(self.posterior.table.grid, self.masses).above(level)[0]

    def quantiles(self, probabilities) -> np.ndarray:
        """Quantiles of the trial's own rate given each count; shape (probability, n + 1)."""
        link = self.posterior.hierarchy.likelihoods.link
        return on_grid(self.posterior.table.grid, self.masses).quantiles(probabilities, link)

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the trial's own rate given each count."""
        link = self.posterior.hierarchy.likelihoods.link
        return on_grid(self.posterior.table.grid, self.masses).moments(link)


def new_trial(posterior: ExactPosterior, disease: str, n: int, months: float = 12.0) -> NewTrial:
    """Add a trial of ``n`` patients to the evidence, for every count it may have.

    The trial enters the hierarchy beside the old studies and borrows from all of them; given its
    count, its own level has the predictive density of the disease's next study times the binomial
    likelihood, which is the full re-analysis.

    Parameters
    ----------
    posterior : ExactPosterior
        What is known before the trial, of an outcome with counts.
    disease : str
        The trial's disease.
    n : int
        Its patients.
    months : float
        Its follow-up, for ``cloglog``; rates are 12-month risks whatever it is.

    Returns
    -------
    NewTrial
        Predictive probabilities of the counts, and the trial's own rate given each.

    Raises
    ------
    ValueError
        An unknown disease, no patients, or an outcome that is not of counts.
    """
    link = posterior.hierarchy.likelihoods.link
    if link is None:
        raise ValueError("a new trial needs an outcome with counts")
    if n < 1:
        raise ValueError(f"a trial needs at least one patient, not {n}")
    nodes, masses = posterior.distribution("new_study", disease).source.nodes_and_masses
    years = float(np.log(months / 12)) if link == "cloglog" else 0.0
    joint = masses[:, :1] * row_probabilities(nodes, n, years, link)
    predictive = joint.sum(axis=0)
    return NewTrial(n, predictive / predictive.sum(), nodes, joint / predictive, posterior)


@dataclass(frozen=True, eq=False)
class Draws:
    """Joint draws from an exact posterior; every one independent.

    Attributes
    ----------
    mu, tau, sigma : numpy.ndarray or None, shape (draw,)
        Hyperparameters, linear scale; None where the pooling has none.
    theta : numpy.ndarray, shape (draw, disease)
        Levels of the diseases.
    eta : numpy.ndarray, shape (draw, study)
        Levels of the studies.
    """

    mu: np.ndarray | None
    tau: np.ndarray | None
    sigma: np.ndarray
    theta: np.ndarray
    eta: np.ndarray


def draw(posterior: ExactPosterior, size: int, rng: np.random.Generator) -> Draws:
    """Draw hyperparameters, levels of diseases and levels of studies jointly.

    Tau and sigma are drawn among the nodes of their axes and levels among those of the grid: the
    mean of any smooth function of the draws then has no error beyond that of the integrals, while
    a level takes a few hundred distinct values.

    Parameters
    ----------
    posterior : ExactPosterior
        The posterior.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Draws
        The draws.
    """
    found = posterior.main
    source, table = found.source, found.source.table
    grid, likelihoods = table.grid, table.likelihoods
    t, m, k = _hyper_nodes(found, size, rng)
    theta = np.empty((size, len(source.groups) + 1), dtype=int)
    for group in range(theta.shape[1]):
        theta[:, group] = _level_nodes(found, group, t, m, k, rng)
    columns = np.array(posterior.columns)
    eta = np.empty((size, len(likelihoods.studies)), dtype=int)
    own = likelihoods.evaluate(grid.nodes, slice(None))
    own = np.exp(own - own.max(axis=0))
    for study in range(eta.shape[1]):
        level = theta[:, _group_of(found, study)]
        eta[:, study] = _pick(np.maximum(table.kernels[k, level], 0) * own[:, study], rng)
    structure = source.structure
    return Draws(
        None if structure == "none" else grid.nodes[m],
        source.tau.nodes[t] if posterior.hierarchy.has_tau else None,
        table.sigma.nodes[k],
        grid.nodes[theta[:, columns]],
        grid.nodes[eta],
    )


def _hyper_nodes(found: Integrated, size: int, rng):
    flat = np.maximum(found.joint, 0).ravel()
    chosen = rng.choice(flat.size, size, p=flat / flat.sum())
    return np.unravel_index(chosen, found.joint.shape)


def _level_nodes(found: Integrated, group: int, t, m, k, rng) -> np.ndarray:
    """Draw nodes of a disease's level given nodes of tau, mu and sigma."""
    source = found.source
    data = group < len(source.groups)
    likelihood = source.levels[:, group] if data else np.ones((len(source.table.grid), 1))
    given = likelihood[:, k if data else np.zeros_like(k)].T
    if source.structure == "single":
        return m
    if source.structure == "none":
        return _pick(np.maximum(found.mu.nodes, 0) * given, rng)
    masses = np.maximum(source.kernels[t, m], 0) * given
    if found.own is not None:
        weight = found.priors.exnex.weight
        masses = weight * masses + (1 - weight) * np.maximum(found.own, 0) * given
    return _pick(masses, rng)


def _pick(masses: np.ndarray, rng) -> np.ndarray:
    """Draw one column from each row in proportion to its masses."""
    cumulative = np.cumsum(masses, axis=1)
    wanted = rng.random(len(masses)) * cumulative[:, -1]
    return np.minimum((cumulative <= wanted[:, None]).sum(axis=1), masses.shape[1] - 1)


def maximum_likelihood(posterior: ExactPosterior) -> tuple[float, float]:
    """Find the level and sigma under which the data of a single level are most probable.

    Parameters
    ----------
    posterior : ExactPosterior
        Of one disease, or under complete pooling; its priors play no part beyond the grid.

    Returns
    -------
    tuple of float
        Mu and sigma, linear scale.

    Raises
    ------
    ValueError
        Where diseases have levels of their own.
    """
    from scipy.interpolate import RectBivariateSpline
    from scipy.optimize import minimize

    source = posterior.main.source
    if source.structure != "single":
        raise ValueError("the maximum over mu and sigma is that of a single level")
    values = source.log_levels[:, 0]
    nodes, sigma = source.table.grid.nodes, source.table.sigma
    best = np.unravel_index(np.argmax(values), values.shape)
    rows, depth = np.arange(len(nodes)), np.arange(len(sigma))
    near = slice(max(best[0] - 8, 0), best[0] + 9)
    surface = RectBivariateSpline(rows[near], depth, values[near], kx=5, ky=min(5, len(depth) - 1))
    found = minimize(
        lambda at: -surface.ev(*at),
        np.array(best, float),
        bounds=[(rows[near][0], rows[near][-1]), (0, depth[-1])],
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    index_mu, index_sigma = found.x
    level = np.interp(index_mu, np.arange(len(source.table.grid.fine)) / 8, source.table.grid.fine)
    return float(level), float(sigma.unit * np.sinh(sigma.start + sigma.step * index_sigma))
