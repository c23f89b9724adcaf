"""Each study left out of effects that moderators explain, by draws; and effects drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.interpolate import CubicSpline, RectBivariateSpline
from scipy.special import logsumexp, ndtr

from ...data.moderators import Moderator
from ...data.outcomes import outcome
from ...models.effects.conditional import predicted_places
from ...models.effects.contrast import informative_studies
from ...models.effects.standardised import by_means, effect_of_means
from ...models.exact.posterior import ExactPosterior
from ...models.exact.predictions import study_logs
from ...models.priors.prior import Prior
from ..fitting.diagnostics import LARGEST_PARETO_K
from ..fitting.sampling import Sampling
from ..guard import surprise
from ..guard.importance import importance_weights
from ..guard.monte_carlo import PRECISE
from ..guard.result import LeftOut
from .model import IntegratedEffects
from .sampled import SampledPosterior, sample_effects

#: Stretches of successive draws whose predictions tell the error of their average.
_STRETCHES = 20
#: Lengths of a fit without a study, in those of the usual one: the longer where it must be.
_LENGTHS = (1, 4)

#: Samples an outcome without a study, so many times as long as usual; None where no other study
#: says anything.
Refit = Callable[[str, str, int], SampledPosterior | None]


@dataclass(frozen=True, eq=False)
class _Prediction:
    """Draws of what is expected of a study before its own effect, and their weights."""

    expected: np.ndarray
    sigma: np.ndarray
    weights: np.ndarray
    elpd: float
    pareto_k: float | None


def leave_studies_out(
    name: str,
    rows: pd.DataFrame,
    table: ExactPosterior,
    sampled: SampledPosterior,
    baseline: Prior,
    rng: np.random.Generator,
    refit: Refit,
) -> list[LeftOut]:
    """Predict each study that informs from all the others, moderators in.

    Draws are weighted by importance, studies integrated over their own effects. A study for which
    that fails is predicted by a fit without it; so is one on whose error the verdict hangs.

    Parameters
    ----------
    name : str
        The outcome.
    rows : pandas.DataFrame
        Its rows.
    table : ExactPosterior
        Of the same studies: their likelihoods are read from its table, not their moderators.
    sampled : SampledPosterior
        The draws, with what is expected of each study.
    baseline : Prior
        Of the studies' baselines.
    rng : numpy.random.Generator
        Randomises the probability integral transform.
    refit : callable
        Given the outcome, a study and a length.

    Returns
    -------
    list of LeftOut
        In the order of the likelihoods.

    References
    ----------
    Vehtari, Gelman and Gabry 2017, doi 10.1007/s11222-016-9696-4.
    """
    studies = table.hierarchy.likelihoods.studies
    logs = np.stack(
        [_log_likelihood(table, sampled, place, study) for place, study in enumerate(studies)],
        axis=1,
    )
    log_weights, pareto_k = importance_weights(logs)
    found = []
    for place, study in enumerate(studies):
        own = rows[rows["study"] == study]
        elpd = float(logsumexp(log_weights[:, place] + logs[:, place]))
        one = _placed(
            name, own, table, baseline, rng,
            _Prediction(
                sampled.expected[study].ravel(), sampled.parameters["sigma"].ravel(),
                np.exp(log_weights[:, place]), elpd, float(pareto_k[place]),
            ),
        )  # fmt: skip
        if pareto_k[place] > LARGEST_PARETO_K or _hangs_on_error(one, len(studies)):
            for length in _LENGTHS:
                without = refit(name, study, length)
                if without is None:
                    break
                log_own = _log_likelihood(table, without, place, study)
                even = np.full(len(log_own), 1 / len(log_own))
                drawn = without.expected[study].ravel(), without.parameters["sigma"].ravel()
                elpd = float(logsumexp(log_own) - np.log(len(log_own)))
                prediction = _Prediction(*drawn, even, elpd, None)
                one = _placed(name, own, table, baseline, rng, prediction)
                if not _hangs_on_error(one, len(studies)):
                    break
        found.append(one)
    return found


def refitter(fit: IntegratedEffects, sampling: Sampling, moderators: Sequence[Moderator]) -> Refit:
    """Make what samples an outcome's effects without a study.

    Parameters
    ----------
    fit : IntegratedEffects
        Its rows, diseases, pooling and priors.
    sampling : Sampling
        Of the effects that are told.
    moderators : sequence of Moderator
        What explains them; numbers stay scaled over all studies.
    """

    def refit(name: str, study: str, length: int) -> SampledPosterior | None:
        whole = fit.rows_of(name)
        rows = whole[whole["study"] != study]
        if not informative_studies(rows):
            return None
        longer = replace(sampling, draws=length * sampling.draws)
        found = sample_effects(
            rows, fit.diseases, fit.pooling, fit.priors, longer, None, moderators, whole
        )
        return found.posteriors[name]

    return refit


def _hangs_on_error(one: LeftOut, studies: int) -> bool:
    """Whether the outcome would be judged less strictly if this p-value had no error."""
    p, error = surprise.adjusted(one.mid_p, one.mid_p_mcse, studies)
    return error > PRECISE and surprise.judge(p) != surprise.judge(p, error)


def _log_likelihood(
    table: ExactPosterior, drawn: SampledPosterior, place: int, study: str
) -> np.ndarray:
    """Log likelihood of a study at every draw, averaged over its own effect; shape (draw,)."""
    values = study_logs(table.main, place).T
    nodes, scales = table.table.grid.nodes, table.table.sigma.nodes
    expected = np.clip(drawn.expected[study].ravel(), nodes[0], nodes[-1])
    if len(scales) == 1:
        return CubicSpline(nodes, values[0])(expected)
    sigma = np.clip(drawn.parameters["sigma"].ravel(), scales[0], scales[-1])
    degree = min(3, len(scales) - 1)
    return RectBivariateSpline(scales, nodes, values, kx=degree).ev(sigma, expected)


def _placed(
    name: str,
    rows: pd.DataFrame,
    table: ExactPosterior,
    baseline: Prior,
    rng: np.random.Generator,
    predicted: _Prediction,
) -> LeftOut:
    """Find where a study lies in its prediction, with the error of the draws."""
    masses, shares = _masses(table.table.grid.nodes, predicted)
    together = np.column_stack([masses @ shares, masses])
    places = predicted_places(rows, outcome(name).link, table.table.grid.nodes, together, baseline)
    low, high, expected = places[:, 0].tolist()
    middle = places[:2].mean(axis=0)
    influence = shares * (middle[1:] - middle[0])
    error = float(np.sqrt((influence**2).sum() * _STRETCHES / (_STRETCHES - 1)))
    treated = rows[rows["arm"] != "control"]
    one = LeftOut.at(
        (low, high, expected), name, treated, predicted.elpd, predicted.pareto_k, rng, 2 * error
    )
    return replace(one, events=effect_of_means(rows)[0]) if by_means(rows).any() else one


def _masses(nodes: np.ndarray, predicted: _Prediction) -> tuple[np.ndarray, np.ndarray]:
    """Masses of a study's effect over a grid by stretches of draws, and each stretch's share."""
    edges = (nodes[1:] + nodes[:-1]) / 2
    masses, shares = np.empty((len(nodes), _STRETCHES)), np.empty(_STRETCHES)
    for i, part in enumerate(np.array_split(np.arange(len(predicted.weights)), _STRETCHES)):
        scale = np.maximum(predicted.sigma[part, None], 1e-12)
        below = ndtr((edges - predicted.expected[part, None]) / scale)
        weights = predicted.weights[part]
        shares[i] = max(weights.sum(), 1e-300)
        cumulative = np.concatenate([[0.0], weights @ below / shares[i], [1.0]])
        masses[:, i] = np.diff(cumulative)
    return masses, shares


def drawn_anew(
    table: ExactPosterior, sampled: SampledPosterior, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Draw the effect of every study anew, given its moderators.

    Parameters
    ----------
    table : ExactPosterior
        Of the same studies: their order.
    sampled : SampledPosterior
        The draws.
    size : int
        About so many effects of each study.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    effects : numpy.ndarray, shape (effect, study)
        On the linear scale, in the order of the draws.
    together : int
        So many neighbours stem from one draw.
    """
    studies = table.hierarchy.likelihoods.studies
    expected = np.stack([sampled.expected[study].ravel() for study in studies], axis=1)
    sigma = sampled.parameters["sigma"].ravel()
    step, together = max(1, len(sigma) // size), -(-size // len(sigma))
    expected, sigma = (np.repeat(each[::step], together, axis=0) for each in (expected, sigma))
    return expected + sigma[:, None] * rng.standard_normal(expected.shape), together
