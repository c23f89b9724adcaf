"""Named measures of how data may differ from what a model predicts; each is one small function.

A discrepancy takes counts, shape (draw, row), and the arms that they belong to, and returns one
number a draw. A further one is one more function, entered in `DISCREPANCIES`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...models.outcomes import inverse_link
from ..fitting.predict import Levels, moderated_level
from .monte_carlo import is_clear, mean_and_error, p_words, strict, why_stricter
from .result import Check, Comparison, Subject
from .verdicts import Verdict

if TYPE_CHECKING:
    from ...models.terms import Terms

#: A mid-p value nearer than this to 0 or to 1 warns, or fails. Set by the calibration, for six
#: outcomes together: predictive checks see the data twice, and counts are small, so that sound data
#: come near 0 and 1 seldom.
WARN_TAIL, FAIL_TAIL = 0.01, 0.0025

#: Replicates of each draw at the most.
_MOST_ROUNDS = 64
_NODES = 15


@dataclass(frozen=True, eq=False)
class Arms:
    """The arms of one outcome, as the discrepancies see them.

    Attributes
    ----------
    n : numpy.ndarray
        Patients, shape (row,).
    disease : numpy.ndarray
        Code of each arm's disease, shape (row,).
    expected : numpy.ndarray
        Expected counts given the disease's level and any new study's effect, shape (draw, row).
    """

    n: np.ndarray
    disease: np.ndarray
    expected: np.ndarray


def total_events(counts: np.ndarray, arms: Arms) -> np.ndarray:
    """Events of all arms together; shape (draw,)."""
    return counts.sum(axis=1)


def share_without_events(counts: np.ndarray, arms: Arms) -> np.ndarray:
    """Share of the arms in which nobody had the outcome; shape (draw,)."""
    return (counts == 0).mean(axis=1)


def share_with_all_events(counts: np.ndarray, arms: Arms) -> np.ndarray:
    """Share of the arms in which everybody had the outcome; shape (draw,)."""
    return (counts == arms.n).mean(axis=1)


def largest_rate(counts: np.ndarray, arms: Arms) -> np.ndarray:
    """Largest proportion of an arm; shape (draw,)."""
    return (counts / arms.n).max(axis=1)


def spread_ratio(counts: np.ndarray, arms: Arms) -> np.ndarray:
    """Ratio of the spread between diseases to that within them; shape (draw,).

    An analysis of variance of angular-transformed proportions, weighted so that a binomial count
    has variance one whatever its rate; that one is added to the spread within, so that arms which
    agree by chance do not make the ratio explode. Not a number where no disease has two arms, or
    where there is one disease.

    References
    ----------
    Anscombe 1948, doi 10.1093/biomet/35.3-4.246.
    """
    codes, place = np.unique(arms.disease, return_inverse=True)
    between_freedom, within_freedom = len(codes) - 1, len(place) - len(codes)
    if between_freedom < 1 or within_freedom < 1:
        return np.full(len(counts), np.nan)
    angle = np.arcsin(np.sqrt((counts + 0.375) / (arms.n + 0.75)))
    weight = 4 * arms.n + 2.0
    member = place == np.arange(len(codes))[:, None]
    weight_of_disease = member @ weight
    mean = (angle * weight) @ member.T / weight_of_disease
    overall = (angle @ weight) / weight.sum()
    between = (weight_of_disease * (mean - overall[:, None]) ** 2).sum(axis=1) / between_freedom
    within = (weight * (angle - mean[:, place]) ** 2).sum(axis=1) / within_freedom
    return between / (1 + within)


def freeman_tukey(counts: np.ndarray, arms: Arms) -> np.ndarray:
    """Squared distances between the roots of counts and of expected counts; shape (draw,).

    References
    ----------
    Freeman and Tukey 1950, doi 10.1214/aoms/1177729756.
    """
    return ((np.sqrt(counts) - np.sqrt(arms.expected)) ** 2).sum(axis=1)


#: Name in results and in prose, and what computes it.
DISCREPANCIES: dict[str, Callable[[np.ndarray, Arms], np.ndarray]] = {
    "total events": total_events,
    "share of arms without events": share_without_events,
    "share of arms with events in all": share_with_all_events,
    "largest rate of an arm": largest_rate,
    "spread between over within diseases": spread_ratio,
    "Freeman-Tukey discrepancy": freeman_tukey,
}


def expected_counts(levels: Levels, terms: Terms) -> np.ndarray:
    """Give the expected count of every row in a new study like its own; shape (draw, row).

    Parameters
    ----------
    levels : Levels
        Draws; levels of the studies are not used.
    terms : Terms
        The likelihood.

    Returns
    -------
    numpy.ndarray
        The expectation over the study's effect, by Gauss-Hermite quadrature; a child's rate is the
        product of its own and its parent's.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    years = np.where(terms.rows["months"].notna(), terms.rows["months"] / 12, 1.0)
    known: dict[tuple[int, int, str, float], np.ndarray] = {}

    def rate(code: int, disease: int, study: str, length: float) -> np.ndarray:
        link = terms.outcomes[code].link
        like = "" if terms.design is None else study
        key = (code, disease, like, length if terms.outcomes[code].timed else 1.0)
        if key not in known:
            level = levels.theta[:, code, disease] + moderated_level(levels, terms, code, study)
            eta = level[:, None] + levels.sigma[:, code, None] * nodes
            known[key] = inverse_link(eta, link, key[3]) @ weights
        return known[key]

    expected = np.empty((len(levels), len(terms.rows)))
    rows: list[Any] = list(terms.rows.itertuples(index=False))
    for i, row in enumerate(rows):
        code, disease = terms.names.index(row.outcome), terms.diseases.index(row.disease)
        expected[:, i] = row.n * rate(code, disease, row.study, years[i])
        if (parent := int(terms.parents[code])) >= 0:
            expected[:, i] *= rate(parent, disease, row.study, 1.0)
    return expected


def larger(replicated: np.ndarray, realised: np.ndarray) -> np.ndarray:
    """Tell which replicates lie above, those that tie counting half; shape (draw,).

    Their average is the posterior predictive mid-p value, near 0 or 1 where there is misfit.

    Parameters
    ----------
    replicated, realised : numpy.ndarray
        A discrepancy of replicated and of observed counts, draw by draw; shape (draw,).

    References
    ----------
    Gelman, Meng and Stern 1996 (realised discrepancies); Lancaster 1961,
    doi 10.1080/01621459.1961.10482105 (mid-p).
    """
    return (replicated > realised) + 0.5 * (replicated == realised)


def judge(p: float, error: float = 0.0) -> Verdict:
    """Judge a discrepancy by its mid-p value and the error of that."""
    tail = strict(min(p, 1 - p), error)
    return "fail" if tail < FAIL_TAIL else "warn" if tail < WARN_TAIL else "pass"


def compare(subject: Subject) -> list[Check]:
    """Compare the data with replicates by every discrepancy that is defined for an outcome.

    Further replicates of the same draws are taken until every verdict is clear: each then averages
    the predictive distribution given a draw.
    """
    compared = [one for one in _comparisons(subject) if not np.isnan(one.observed).any()]
    replicated, pending = subject.replicated, compared
    for _ in range(_MOST_ROUNDS):
        for one in pending:
            one.rounds.append(one.discrepancy(replicated[:, one.rows], one.arms))
        pending = [one for one in pending if not one.is_clear()]
        if not pending or subject.replicate is None:
            break
        replicated = subject.replicate()
    return [one.check() for one in compared]


@dataclass(frozen=True, eq=False)
class _Comparison:
    """One discrepancy of one outcome, observed (draw,) and replicated once a round."""

    name: str
    outcome: str
    rows: np.ndarray
    arms: Arms
    observed: np.ndarray
    independent: bool
    rounds: list[np.ndarray] = field(default_factory=list)

    def discrepancy(self, counts: np.ndarray, arms: Arms) -> np.ndarray:
        return DISCREPANCIES[self.name](counts, arms)

    def mid_p(self) -> tuple[float, float]:
        """Give the mid-p value, and its error, which no run of equal replicates makes vanish."""
        each = np.mean([larger(replicated, self.observed) for replicated in self.rounds], axis=0)
        p, error = mean_and_error(each, independent=self.independent)
        return p, max(error, 0.5 / (len(each) * len(self.rounds)))

    def is_clear(self) -> bool:
        p, error = self.mid_p()
        return is_clear(min(p, 1 - p), error, (WARN_TAIL, FAIL_TAIL))

    def check(self) -> Check:
        p, error = self.mid_p()
        seen, said = float(self.observed.mean()), float(np.mean(self.rounds))
        reason = (
            f"The {self.name} is {seen:.3g} where the model predicts {said:.3g} "
            f"({p_words(p, error)}).{why_stricter(p, error, judge)}"
        )
        return Check(self.name, judge(p, error), self.outcome, seen, said, p, error, reason)


def _comparisons(subject: Subject) -> list[_Comparison]:
    terms, levels = subject.terms, subject.levels
    expected = expected_counts(levels, terms)
    made = []
    for outcome in terms.names:
        mine = np.flatnonzero(terms.rows["outcome"] == outcome)
        codes = pd.factorize(terms.rows["disease"].iloc[mine])[0]
        arms = Arms(terms.rows["n"].to_numpy()[mine], codes, expected[:, mine])
        for name, discrepancy in DISCREPANCIES.items():
            observed = discrepancy(subject.within_bounds[:, mine], arms)
            about = name, outcome, mine, arms, observed
            made.append(_Comparison(*about, subject.independent))
    return made


COMPARISON = Comparison(DISCREPANCIES, compare, judge)
