"""The study that surprises most, given all the others: one check an outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ...data.names import study_labels
from .monte_carlo import p_words, strict, why_stricter
from .result import Check, Comparison, LeftOut, Subject
from .verdicts import Verdict

#: Name of the check.
LEFT_OUT = "most surprising study, left out"

#: Smallest mid-p value over the studies of an outcome, adjusted for their number: warns, or fails.
#: Set by the calibration.
WARN_LEFT_OUT, FAIL_LEFT_OUT = 0.05, 0.01


def judge(p: float, error: float = 0.0) -> Verdict:
    """Judge an outcome by its adjusted mid-p value and the error of that."""
    p = strict(p, error)
    return "fail" if p < FAIL_LEFT_OUT else "warn" if p < WARN_LEFT_OUT else "pass"


def compare(subject: Subject) -> list[Check]:
    """Find the study of each outcome that the others predict worst."""
    labels = {} if subject.evidence is None else study_labels(subject.evidence.studies)
    return [
        most_surprising(name, [one for one in subject.left_out if one.outcome == name], labels)
        for name in subject.terms.names
    ]


def most_surprising(outcome: str, studies: Sequence[LeftOut], labels: Mapping[str, str]) -> Check:
    """Judge an outcome by the study that the others predict worst.

    Parameters
    ----------
    outcome : str
        The outcome.
    studies : sequence of LeftOut
        Each of its studies, left out.
    labels : mapping of str to str
        Names of the studies for readers.

    Returns
    -------
    Check
        With the reason in a sentence.
    """
    extreme = min(studies, key=lambda one: one.mid_p)
    p, error = adjusted(extreme.mid_p, extreme.mid_p_mcse, len(studies))
    verdict = judge(p, error)
    others, number = "the other studies predict", f", adjusted for {len(studies)} studies"
    if len(studies) == 1:
        # The prior is no finding: that it did not expect the data fails no fit.
        others, number = "the prior alone predicts, there being no other study,", ""
        verdict = "warn" if verdict == "fail" else verdict
    reason = (
        f"In {labels.get(extreme.study, extreme.study)}, {extreme.events:g} of "
        f"{extreme.n} patient{'' if extreme.n == 1 else 's'} had the outcome where {others} "
        f"{extreme.expected:.1f} ({p_words(p, error)}{number}).{why_stricter(p, error, judge)}"
    )
    return Check(LEFT_OUT, verdict, outcome, extreme.events, extreme.expected, p, error, reason)


def adjusted(p: float, error: float, count: int) -> tuple[float, float]:
    """Adjust the smallest of several p-values for their number, as if independent (Sidak).

    Returns
    -------
    tuple of float
        The adjusted value, and its error, given that of the smallest.
    """
    log_rest = math.log1p(-min(p, 1 - 1e-16))
    return -math.expm1(count * log_rest), count * math.exp((count - 1) * log_rest) * error


COMPARISON = Comparison((LEFT_OUT,), compare, judge, names_study=True)
