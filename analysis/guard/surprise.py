"""The study that surprises most, given all the others: one check an outcome."""

from __future__ import annotations

import numpy as np

from .left_out import LeftOut
from .result import Check, Subject
from .verdicts import Verdict

#: Name of the check.
LEFT_OUT = "most surprising study, left out"

#: Smallest mid-p value over the studies of an outcome, adjusted for their number: warns, or fails.
#: Set by the calibration.
WARN_LEFT_OUT, FAIL_LEFT_OUT = 0.05, 0.01


def judge(p: float) -> Verdict:
    """Judge an outcome by its adjusted mid-p value."""
    return "fail" if p < FAIL_LEFT_OUT else "warn" if p < WARN_LEFT_OUT else "pass"


def compare(subject: Subject) -> list[Check]:
    """Find the study of each outcome that the others predict worst."""
    return [
        _check(name, [one for one in subject.left_out if one.outcome == name])
        for name in subject.terms.names
    ]


def _check(outcome: str, studies: list[LeftOut]) -> Check:
    extreme = min(studies, key=lambda one: one.mid_p)
    p = adjusted_smallest(np.array([one.mid_p for one in studies]))
    reason = (
        f"In {extreme.study} {extreme.events:g} of {extreme.n} patients had the outcome where "
        f"the other studies predict {extreme.expected:.1f} (mid-p {p:.2g}, adjusted for "
        f"{len(studies)} studies)."
    )
    return Check(LEFT_OUT, judge(p), outcome, extreme.events, extreme.expected, p, reason)


def adjusted_smallest(p_values: np.ndarray) -> float:
    """Smallest of several p-values, adjusted for their number as if independent (Sidak)."""
    p_values = np.asarray(p_values)
    return float(-np.expm1(len(p_values) * np.log1p(-min(p_values.min(), 1 - 1e-16))))
