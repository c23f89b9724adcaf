"""What a review states of the same diseases, beside what the model predicts of the evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .discrepancies import mid_p

if TYPE_CHECKING:
    from ...data.evidence import Evidence

#: The review's studies are not ours: a mid-p value nearer than this to 0 or to 1 warns, none fails.
WARN_REVIEW = 0.01

#: What each of the review's statistics is, of predicted counts (draw, row) and patients (row,).
REVIEW_STATISTICS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "maximum": lambda counts, n: (counts / n).max(axis=1),
    "rate": lambda counts, n: counts.sum(axis=1) / n.sum(),
    "count": lambda counts, n: counts.sum(axis=1),
}


def compare_review(
    evidence: Evidence, rows: pd.DataFrame, replicated: np.ndarray
) -> list[dict[str, Any]]:
    """Compare what the review states with what is predicted for the evidence's arms.

    Parameters
    ----------
    evidence : Evidence
        With the review's statistics.
    rows : pandas.DataFrame
        The rows that were fitted.
    replicated : numpy.ndarray
        Their counts with study effects drawn anew, shape (draw, row).

    Returns
    -------
    list of dict
        One for each statistic of a fitted outcome: ``disease``, ``outcome``, ``statistic``,
        ``value``, ``predicted`` and ``mid_p`` (None where no row of the disease was fitted),
        ``verdict`` (``pass``, ``warn``, ``not independent`` where a row was derived from it, or
        ``no rows``), ``wording``.
    """
    derived, found = _derived_from_review(evidence), []
    keys, n = rows[["disease", "outcome"]].to_numpy(object), rows["n"].to_numpy()
    statements: list[Any] = evidence.review.to_dict("records")
    for stated in statements:
        if stated["outcome"] not in keys[:, 1] or stated["statistic"] not in REVIEW_STATISTICS:
            continue
        key, value = (stated["disease"], stated["outcome"]), float(stated["value"])
        mine = (keys == np.array(key, object)).all(axis=1)
        predicted, p, verdict = None, None, "no rows"
        if mine.any():
            values = REVIEW_STATISTICS[stated["statistic"]](replicated[:, mine], n[mine])
            predicted, p = float(values.mean()), mid_p(values, np.full(len(values), value))
            verdict = "warn" if min(p, 1 - p) < WARN_REVIEW else "pass"
            verdict = "not independent" if key in derived else verdict
        found.append(
            {
                **{name: stated[name] for name in ("disease", "outcome", "statistic")},
                "value": value,
                "predicted": predicted,
                "mid_p": p,
                "verdict": verdict,
                "wording": stated["wording"],
            }
        )
    return found


def _derived_from_review(evidence: Evidence) -> set[tuple[str, str]]:
    """Diseases and outcomes with a selected row that was derived from what the review states."""
    if evidence.review.empty:
        return set()
    written = evidence.outcomes[evidence.outcomes["locator"].str.startswith("review abstract")]
    keys = ["study", "arm", "outcome", "definition", "months"]
    used = written.merge(evidence.rows[keys].drop_duplicates(), on=keys)
    return set(zip(used["disease"], used["outcome"], strict=True))
