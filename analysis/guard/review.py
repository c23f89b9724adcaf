"""What a review states of the same diseases, beside what the model predicts of the evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .discrepancies import larger
from .monte_carlo import mean_and_error
from .result import Check, Subject

if TYPE_CHECKING:
    from ...data.evidence import Evidence

#: What each of the review's statistics is, of predicted counts (draw, row) and patients (row,).
REVIEW_STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "maximum": lambda counts, n: (counts / n).max(axis=1),
    "rate": lambda counts, n: counts.sum(axis=1) / n.sum(),
    "count": lambda counts, n: counts.sum(axis=1),
}


def compare(subject: Subject) -> list[Check]:
    """Compare what the review states with what is predicted for the evidence's arms.

    Returns
    -------
    list of Check
        One for each statistic of a fitted outcome: what is stated stands as ``observed``, and
        ``predicted`` and ``mid_p`` are None where no row of the disease was fitted (``no rows``).
        None is judged: the review does not say of how many patients it speaks, and they are not
        those of the evidence (``not judged``; ``not independent`` where a row was derived from the
        statement). Its ``details`` are ``disease``, ``statistic`` and ``wording``. Nothing
        without the evidence.
    """
    evidence, rows = subject.evidence, subject.terms.rows
    if evidence is None:
        return []
    derived, checks = _derived_from_review(evidence), []
    keys, n = rows[["disease", "outcome"]].to_numpy(object), rows["n"].to_numpy()
    statements: list[Any] = evidence.review.to_dict("records")
    for stated in statements:
        if stated["outcome"] not in keys[:, 1] or stated["statistic"] not in REVIEW_STATISTICS:
            continue
        key, value = (stated["disease"], stated["outcome"]), float(stated["value"])
        details = {name: stated[name] for name in ("disease", "statistic", "wording")}
        mine = (keys == np.array(key, object)).all(axis=1)
        if not mine.any():
            checks.append(Check("review", "no rows", key[1], value, details=details))
            continue
        values = REVIEW_STATISTICS[stated["statistic"]](subject.replicated[:, mine], n[mine])
        p, error = mean_and_error(
            larger(values, np.full(len(values), value)), independent=subject.independent
        )
        verdict = "not independent" if key in derived else "not judged"
        predicted = float(values.mean())
        checks.append(Check("review", verdict, key[1], value, predicted, p, error, details=details))
    return checks


def _derived_from_review(evidence: Evidence) -> set[tuple[str, str]]:
    """Diseases and outcomes with a selected row that was derived from what the review states."""
    if evidence.review.empty:
        return set()
    written = evidence.outcomes[evidence.outcomes["locator"].str.startswith("review abstract")]
    keys = ["study", "arm", "outcome", "definition", "months"]
    used = written.merge(evidence.rows[keys].drop_duplicates(), on=keys)
    return set(zip(used["disease"], used["outcome"], strict=True))
