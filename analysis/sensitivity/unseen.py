"""What could be missing: the smallest study that nobody has seen and that undoes a conclusion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ...models.direction import Direction
from ...models.exact.likelihood_table import count_likelihoods
from ...models.exact.outcomes import ExactFit
from ...models.exact.unseen_study import UnseenNested, UnseenStudy
from ...models.exact.unseen_study import unseen_studies as unseen_studies_in
from ...models.outcomes import Link, link_function
from .cumulative import concluded
from .flips import NO, YES, conclude
from .questions import Question

#: A study in which the outcome went against the conclusion in every patient, and one in which it
#: was as frequent as the threshold says.
EXTREME, NULL = "extreme", "null"
#: Patients of the largest study that is thought of.
MOST = 1000
#: Sizes that are looked at together, the rest after them: most conclusions fall to few patients.
_BLOCKS = (16, 100, 400)
#: Of the fine levels one of two resolves studies of that size.
_EVERY = 2

#: Probability of exceeding a threshold after studies of these counts, each by itself.
_Above = Callable[[np.ndarray, np.ndarray], np.ndarray]

COLUMNS = (
    *("outcome", "disease", "evidence", "threshold", "direction", "confidence"),
    *("probability", "mcse", "concluded", "kind", "n", "events"),
    *("probability_after", "mcse_after", "most"),
)


def unseen_studies(
    fit: ExactFit, asked: Mapping[str, Question], confidence: float, most: int = MOST
) -> pd.DataFrame:
    """Find for each conclusion the smallest study nobody has seen that would undo it.

    The study is one of the disease, with an effect of its own as any. Of a conclusion that a rate
    exceeds a threshold it has no patient with the outcome, or the fewest that are no smaller a
    share than the threshold; of one that a rate stays below it all of them, or the most that are no
    larger a share: patients are whole, so that this size, unlike the first, need not be monotone in
    the threshold. Deaths are those of twelve months.

    Parameters
    ----------
    fit : ExactFit
        The posteriors. A study of an outcome within another counts that one alone.
    asked : mapping of str to Question
        The conclusion asked of each outcome.
    confidence : float
        Probability that it needs.
    most : int
        Patients of the largest study that is tried.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and kind of study (`EXTREME`, `NULL`), `COLUMNS`: the
        ``probability`` of the conclusion with its numerical error ``mcse``, and whether it is
        ``concluded``; where it is, the patients ``n`` of the smallest study after which it would
        not be, its ``events``, and the probability after it with its numerical error
        ``mcse_after``, which does not bear on that; missing where none of up to ``most`` patients
        does it.
    """
    rows: list[dict[str, Any]] = []
    for name, posterior in fit.posteriors.items():
        if name not in asked:
            continue
        question = asked[name]
        table = concluded(fit, name, question, confidence).rename_axis("disease").reset_index()
        known = [posterior.evidence_of(each)["evidence"] for each in table["disease"]]
        table = table.assign(outcome=name, evidence=known, most=most)
        drawn = list(table.loc[table["concluded"] == YES, "disease"])
        finer, coarser = (
            _after(fit, name, drawn, question.threshold, each) for each in (False, True)
        )
        for row in table.to_dict("records"):
            for kind in (EXTREME, NULL):
                about = {str(key): value for key, value in row.items()} | {"kind": kind}
                if row["disease"] in finer:
                    both = finer[row["disease"]], coarser[row["disease"]]
                    about |= _smallest(both, kind, question, confidence, most)
                rows.append(about)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"n": "Int64", "events": "Int64"})


def _after(
    fit: ExactFit, name: str, diseases: Sequence[str], threshold: float, coarser: bool
) -> dict[str, _Above]:
    """Prepare by disease the probability that its rate exceeds a threshold after a study."""
    own, parent = fit.posteriors[name], fit.model.parents.get(name)
    # The cells at the threshold of a product are as wide as its levels are apart: the coarser ones
    # must be, or their error would be common to both.
    every = _EVERY * (2 if coarser and parent is not None else 1)
    unseen = unseen_studies_in(own, diseases, coarser, every)
    if parent is None:
        link = own.hierarchy.likelihoods.link
        assert link is not None, "rates have a link"
        return {disease: _alone(each, link, threshold) for disease, each in unseen.items()}
    outer = unseen_studies_in(fit.posteriors[parent], diseases, coarser, every)
    return {
        disease: UnseenNested.of(outer[disease], each, threshold).above
        for disease, each in unseen.items()
    }


def _alone(unseen: UnseenStudy, link: Link, threshold: float) -> _Above:
    level = float(link_function(threshold, link))

    def above(events: np.ndarray, n: np.ndarray) -> np.ndarray:
        rows = pd.DataFrame(
            {
                "study": [str(size) for size in n], "disease": "", "events_min": events,
                "events_max": events, "n": n, "months": 12.0,
            }
        )  # fmt: skip
        likelihoods = count_likelihoods(rows, link).evaluate(unseen.levels, slice(None))
        return unseen.after(likelihoods).above([level])[0]

    return above


def _smallest(
    both: tuple[_Above, _Above], kind: str, question: Question, confidence: float, most: int
) -> dict[str, Any]:
    """Give the smallest study of a kind; nothing where none undoes the conclusion."""
    for first, last in pairwise((0, *(size for size in _BLOCKS if size < most), most)):
        n = np.arange(first + 1, last + 1)
        events = against(n, question)[kind]
        after, check = (question.direction.probability(above(events, n)) for above in both)
        error = np.abs(after - check)
        undone = np.flatnonzero(conclude(pd.Series(after), pd.Series(error), confidence) == NO)
        if len(undone):
            place = int(undone[0])
            return {
                "n": int(n[place]), "events": int(events[place]),
                "probability_after": float(after[place]), "mcse_after": float(error[place]),
            }  # fmt: skip
    return {}


def against(n: np.ndarray, question: Question) -> dict[str, np.ndarray]:
    """Give the counts of studies that speak against a conclusion, by kind and size.

    Parameters
    ----------
    n : numpy.ndarray of int
        Patients.
    question : Question
        The conclusion.

    Returns
    -------
    dict of str to numpy.ndarray of int
        `EXTREME` and `NULL`.
    """
    # A product such as 0.3 times 10 may lie a trifle beside the whole number that it means.
    share = np.round(n * question.threshold, 9)
    if question.direction is Direction.ABOVE:
        return {EXTREME: np.zeros_like(n), NULL: np.ceil(share).astype(int)}
    return {EXTREME: n.copy(), NULL: np.floor(share).astype(int)}
