"""Every study left out: exactly where its outcome can be integrated, by draws elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...data.errors import ImpossibleDataError
from ...data.outcomes import Outcome
from ...models.exact.hierarchy import ExactHierarchy
from ...models.exact.likelihood_table import count_likelihoods
from ...models.exact.outcomes import NotExact, conditional_rows
from ...models.exact.posterior import ExactPosterior
from ...models.exact.predictions import left_out_levels
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting.predict import Levels
from .left_out import leave_out
from .new_study import total_probabilities
from .result import LeftOut


def leave_each_out(
    terms: Terms,
    levels: Levels,
    log_likelihood: np.ndarray | None,
    pooling: str,
    priors: PriorSet,
    rng: np.random.Generator,
    refit: Callable[[Terms, int], Levels] | None = None,
) -> list[LeftOut]:
    """Predict every study from all the others.

    Parameters
    ----------
    terms, levels, pooling, priors, rng, refit
        As in `left_out.leave_out`, which serves the outcomes that cannot be integrated.
    log_likelihood : numpy.ndarray or None
        Integrated over study effects, shape (draw, unit); not needed where every outcome can be
        integrated.

    Returns
    -------
    list of LeftOut
        One for each study and outcome with rows, in the order of the outcomes.
    """
    left_out = [] if terms.design else leave_out_exactly(terms, pooling, priors, rng)
    done = {one.outcome for one in left_out}
    rest = [u for u, code in enumerate(terms.units["outcome"]) if terms.names[code] not in done]
    if rest and log_likelihood is not None:
        left_out += leave_out(terms, levels, log_likelihood, pooling, priors, rng, refit, rest)
    return sorted(left_out, key=lambda one: terms.names.index(one.outcome))


def leave_out_exactly(
    terms: Terms, pooling: str, priors: PriorSet, rng: np.random.Generator
) -> list[LeftOut]:
    """Predict every study from all the others, for the outcomes that can be integrated.

    These are outcomes by themselves, and an outcome with its child where every row of the child has
    a parent's row with a known count; a child's count is then predicted among the patients who had
    its parent.

    Parameters
    ----------
    terms, pooling, priors
        The model.
    rng : numpy.random.Generator
        Randomises the probability integral transform.

    Returns
    -------
    list of LeftOut
        One for each study and outcome, without ``pareto_k``: nothing was weighted.
    """
    left_out = []
    for block in terms.outcomes:
        if block.parent is None:
            left_out += _block(block, terms, pooling, priors, rng)
    return left_out


def _block(block: Outcome, terms: Terms, pooling: str, priors: PriorSet, rng) -> list[LeftOut]:
    """Leave studies out of an outcome and its child; nothing where they cannot be integrated."""
    parts = {block.name: (block, terms.rows[terms.rows["outcome"] == block.name])}
    try:
        for child in terms.outcomes:
            if child.parent == block.name:
                rows = conditional_rows(terms.rows, child.name, block.name)
                parts[child.name] = (child, rows)
        posteriors = {
            name: ExactHierarchy(
                count_likelihoods(rows, each.link, terms.diseases), pooling, name
            ).posterior(priors.of(name))
            for name, (each, rows) in parts.items()
        }
    except (NotExact, ImpossibleDataError):
        # Priors that all but exclude the data are beyond the grids; importance weights say so.
        return []
    positions = {name: leave_studies_out(one, name, rng) for name, one in posteriors.items()}
    return [one for studies in positions.values() for one in studies]


def leave_studies_out(
    posterior: ExactPosterior, name: str, rng: np.random.Generator
) -> list[LeftOut]:
    """Predict each study of an integrated posterior from all the others.

    Parameters
    ----------
    posterior : ExactPosterior
        Of counts; that of a nested outcome is of counts among those who had its parent.
    name : str
        The outcome.
    rng : numpy.random.Generator
        Randomises the probability integral transform.

    Returns
    -------
    list of LeftOut
        One for each study.
    """
    scores, nodes, masses = left_out_levels(posterior)
    likelihoods = posterior.hierarchy.likelihoods
    rows, link = likelihoods.rows, likelihoods.link
    assert rows is not None, "an evidence has rows"
    assert link is not None, "rows of counts have a link"
    left_out = []
    for place, study in enumerate(likelihoods.studies):
        mine = rows[rows["study"] == study]
        predictive = masses[:, place] @ total_probabilities(nodes, mine, link)
        below = np.concatenate([[0.0], np.minimum(predictive.cumsum(), 1.0)])
        low, high = below[int(mine["events_min"].sum())], below[int(mine["events_max"].sum()) + 1]
        expected = float(predictive @ np.arange(len(predictive)))
        position = (float(low), float(high), expected)
        left_out.append(LeftOut.at(position, name, mine, float(scores[place]), None, rng))
    return left_out
