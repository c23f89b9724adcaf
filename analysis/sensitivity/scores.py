"""How well each prior set predicts a study from the others, and where that is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...models.exact.outcomes import ExactFit
from ...models.exact.predictions import leave_studies_out
from ..fitting.diagnostics import LARGEST_PARETO_K
from .reweight import Block, Source, Weights, smooth
from .weighted_statistics import batch_error


@dataclass(frozen=True, eq=False)
class Scores:
    """Leave-one-study-out log predictive densities of an outcome with its child.

    Attributes
    ----------
    elpd : numpy.ndarray, shape (study,)
        Of each study, its study effects integrated out.
    error : float
        Monte-Carlo (or numerical) standard error of their sum.
    pareto_k : float
        Largest Pareto k of leaving a study out by importance; nan where it was integrated.
    log_marginal_likelihood : float
        Log probability of all data of the outcome; nan unless it was integrated.
    source : Source or None
        The draws; None where it was integrated.
    influence : numpy.ndarray or None, shape (scored draw,)
        Influence of every scored draw on the sum.
    """

    elpd: np.ndarray
    error: float
    pareto_k: float = np.nan
    log_marginal_likelihood: float = np.nan
    source: Source | None = None
    influence: np.ndarray | None = None

    @property
    def known(self) -> bool:
        """Whether the scores and their error may be believed."""
        return np.isnan(self.pareto_k) or self.pareto_k < LARGEST_PARETO_K


def importance_scores(weights: Weights, block: Block) -> Scores:
    """Score an outcome's studies by draws, each study left out by importance sampling.

    Parameters
    ----------
    weights : Weights
        Draws of the posterior given every study.
    block : tuple of str
        The outcome with its child.

    Returns
    -------
    Scores
        Of its studies.

    References
    ----------
    Vehtari, Gelman and Gabry 2017, doi 10.1007/s11222-016-9696-4; Merkle and others 2019, doi
    10.1007/s11336-019-09679-0 (the integrated likelihood).
    """
    source, terms = weights.source, weights.source.terms
    units = np.flatnonzero(terms.units["outcome"] == terms.names.index(block[0]))
    units = np.intersect1d(units, terms.terms["unit"])
    base = 0.0 if weights.log_ratio is None else weights.log_ratio[source.scored]
    elpd, influence = np.empty(len(units)), np.zeros(len(source.scored))
    worst = -np.inf
    for i, unit in enumerate(units):
        own = source.log_likelihood[:, unit]
        values, pareto_k = smooth(base - own)
        highest = own.max()
        likelihood = np.exp(own - highest)
        mean = values @ likelihood
        elpd[i] = np.log(mean) + highest
        influence = influence + len(values) * values * (likelihood / mean - 1)
        worst = max(worst, pareto_k)
    error = float(batch_error(influence, source.chains))
    return Scores(elpd, error, float(worst), source=source, influence=influence)


def exact_scores(fit: ExactFit, block: Sequence[str]) -> Scores:
    """Score the studies of outcomes that were integrated.

    Parameters
    ----------
    fit : ExactFit
        Their posteriors.
    block : sequence of str
        An outcome, and its child where a study's rows of both are one study to be left out.

    Returns
    -------
    Scores
        Of their studies, with the log marginal likelihood.
    """
    parts = pd.concat([leave_studies_out(fit.posteriors[name]).scores for name in block])
    studies = parts.groupby("study", sort=False).sum()
    marginal = sum(fit.log_marginal_likelihood[name] for name in block)
    error = float(studies["error"].sum())
    return Scores(studies["elpd"].to_numpy(), error, log_marginal_likelihood=marginal)


def scores_table(by_set: Mapping[str, Mapping[str, Scores]]) -> pd.DataFrame:
    """Compare how well prior sets predict each study from the others.

    Parameters
    ----------
    by_set : mapping of str to (mapping of str to Scores)
        By set, the reference first, and outcome.

    Returns
    -------
    pandas.DataFrame
        ``set``, ``outcome`` (with its child; None for all whose score is known under the
        reference), ``elpd``, ``elpd_se`` (over studies), ``elpd_mcse``, ``elpd_diff`` against the
        first set, ``elpd_diff_se`` (over studies, and of the computation), ``elpd_diff_mcse`` (of
        the computation alone), ``elpd_pareto_k`` (the largest over the studies left out),
        ``studies``, ``log_marginal_likelihood``. A score that importance sampling cannot give is
        nan.
    """
    reference = next(iter(by_set.values()))
    known = [name for name, each in reference.items() if each.known]
    rows = []
    for set_name, scores in by_set.items():
        for name, own in scores.items():
            row = _row([own], [reference[name]])
            rows.append({"set": set_name, "outcome": name, **row})
        row = _row([scores[name] for name in known], [reference[name] for name in known])
        marginal = sum(each.log_marginal_likelihood for each in scores.values())
        rows.append({"set": set_name, "outcome": None, **row, "log_marginal_likelihood": marginal})
    return pd.DataFrame(rows)


def _row(own: Sequence[Scores], base: Sequence[Scores]) -> dict[str, float]:
    """Add the scores of several outcomes, and compare the sums."""
    ks = [each.pareto_k for each in own if not np.isnan(each.pareto_k)]
    row = {
        "elpd": np.nan,
        "elpd_se": np.nan,
        "elpd_mcse": np.nan,
        "elpd_diff": np.nan,
        "elpd_diff_se": np.nan,
        "elpd_diff_mcse": np.nan,
        "elpd_pareto_k": max(ks, default=np.nan),
        "studies": sum(len(each.elpd) for each in own),
        "log_marginal_likelihood": sum(each.log_marginal_likelihood for each in own),
    }
    if not own or not all(each.known for each in (*own, *base)):
        return row
    elpd = np.concatenate([each.elpd for each in own])
    difference = elpd - np.concatenate([each.elpd for each in base])
    errors = [_error_of_difference(*pair) for pair in zip(own, base, strict=True)]
    error = float(np.sqrt(np.sum(np.square(errors))))
    return row | {
        "elpd": elpd.sum(),
        "elpd_se": spread_of_sum(elpd),
        "elpd_mcse": float(np.sqrt(sum(each.error**2 for each in own))),
        "elpd_diff": difference.sum(),
        "elpd_diff_se": float(np.hypot(spread_of_sum(difference), error)),
        "elpd_diff_mcse": error,
    }


def _error_of_difference(one: Scores, base: Scores) -> float:
    """Give the error of a difference of sums; on the same draws most of their errors cancel."""
    if one is base:
        return 0.0
    if one.source is not None and one.source is base.source:
        assert one.influence is not None
        assert base.influence is not None
        return float(batch_error(one.influence - base.influence, one.source.chains))
    return float(np.hypot(one.error, base.error))


def spread_of_sum(values: np.ndarray) -> float:
    """Give the standard error of a sum over studies; nan for a single one."""
    return float(np.sqrt(len(values) * values.var(ddof=1))) if len(values) > 1 else np.nan
