"""Data sets of one outcome: fitted by integration, and judged as `check` judges a fit."""

from __future__ import annotations

import numpy as np

from ...models.exact.draws import draw
from ...models.exact.hierarchy import ExactHierarchy
from ...models.exact.likelihood_table import count_likelihoods
from ...models.exact.posterior import ExactPosterior
from ...models.priors.sets import DEFAULT
from ...models.terms import Terms
from ..fitting.diagnostics import DIAGNOSTICS
from ..fitting.predict import Levels, counts_within_bounds, renew_studies, replicate
from ..guard.check import judge
from ..guard.left_out_exactly import leave_studies_out
from ..guard.result import CheckResult, Subject

#: Independent draws behind the guard's comparisons, before it asks for more.
_DRAWS = 1000


def posterior_of(terms: Terms, pooling: str) -> ExactPosterior:
    """Integrate the model of one outcome under the default priors."""
    outcome = terms.outcomes[0]
    likelihoods = count_likelihoods(terms.rows, outcome.link, terms.diseases)
    return ExactHierarchy(likelihoods, pooling, outcome.name).posterior(DEFAULT.of(outcome.name))


def levels_of_posterior(
    posterior: ExactPosterior, terms: Terms, size: int, rng: np.random.Generator
) -> Levels:
    """Draw levels of one outcome from its integrated posterior, each draw independent."""
    drawn = draw(posterior, size, rng)
    studies = posterior.hierarchy.likelihoods.studies
    places = [studies.index(study) for study in terms.effects["study"]]
    mu, tau = (None if each is None else each[:, None] for each in (drawn.mu, drawn.tau))
    return Levels(mu, tau, drawn.sigma[:, None], drawn.theta[:, None], drawn.eta[:, places])


def judge_integrated(
    posterior: ExactPosterior, terms: Terms, pooling: str, rng: np.random.Generator
) -> CheckResult:
    """Judge an integrated fit of one outcome, as `check` does.

    Parameters
    ----------
    posterior : ExactPosterior
        Of the outcome.
    terms : Terms
        Its likelihood.
    pooling : str
        How diseases inform each other.
    rng : numpy.random.Generator
        Source of the draws that predict.
    """
    levels = levels_of_posterior(posterior, terms, _DRAWS, rng)

    def replicated() -> np.ndarray:
        return replicate(renew_studies(levels, terms, rng), terms, rng)

    diagnostics = dict.fromkeys(DIAGNOSTICS) | {"draws": _DRAWS}
    return judge(
        Subject(
            terms,
            pooling,
            levels,
            replicated(),
            counts_within_bounds(levels, terms, rng),
            leave_studies_out(posterior, terms.names[0], rng),
            diagnostics | {"numerical_error": posterior.worst_error},
            None,
            replicated,
        )
    )
