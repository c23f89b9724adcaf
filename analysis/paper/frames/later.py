"""Studies that came after a fit, as sentences, tables and figures need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from ....data.controlled import controlled_rows
from ....data.errors import SelectionError
from ....data.names import study_labels
from ...effects.since import LATER, predict_effects
from ...guard.later import COLUMNS, predict_later

if TYPE_CHECKING:
    from collections.abc import Collection

    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....models.exact.outcomes import ExactFit


@dataclass(frozen=True, eq=False)
class Later:
    """Later studies beside their predictions, one row a study and outcome, with ``label``.

    Attributes
    ----------
    counts : pandas.DataFrame
        As `mscpool.analysis.guard.later.predict_later`, and ``inside``: whether the count may lie
        in its central 95 % interval.
    effects : pandas.DataFrame
        As `mscpool.analysis.effects.since.predict_effects`.
    """

    counts: pd.DataFrame
    effects: pd.DataFrame

    @property
    def empty(self) -> bool:
        """Whether there is no later study to predict."""
        return self.counts.empty and self.effects.empty


def later_studies(
    fit: DataTree,
    evidence: Evidence,
    integrated: ExactFit | None,
    pooling: str,
    outcomes: Collection[str],
) -> Later:
    """Predict the studies published since the review from a fit that has not seen them.

    Parameters
    ----------
    fit : xarray.DataTree
        The fit.
    evidence : Evidence
        What it is of. With moderators nothing is predicted: later studies need not have their
        values.
    integrated : ExactFit or None
        The same model integrated.
    pooling : str
        How diseases inform each other.
    outcomes : collection of str
        Outcomes that were asked for.

    Returns
    -------
    Later
    """
    wider = with_later(evidence)
    if wider is None:
        return Later(pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(LATER)))
    new = set(wider.rows["study"]) - set(evidence.rows["study"])
    rows = wider.rows[wider.rows["study"].isin(new & published_since(wider))]
    rows = rows[rows["outcome"].isin(outcomes)]
    if rows.empty:
        counts = pd.DataFrame(columns=list(COLUMNS))
    else:
        counts = predict_later(fit, integrated, rows)
    inside = (counts["events_max"] >= counts["q2.5"]) & (counts["events_min"] <= counts["q97.5"])
    labels = study_labels(evidence.studies)
    return Later(
        counts.assign(inside=inside, label=counts["study"].map(labels)).reset_index(drop=True),
        _effects(evidence, wider, pooling).assign(label=lambda table: table["study"].map(labels)),
    )


def with_later(evidence: Evidence) -> Evidence | None:
    """Let in the studies published since the review; None where there are none, or moderators."""
    if evidence.moderators or not published_since(evidence):
        return None
    try:
        return evidence.select(analysis_set="current")
    except SelectionError:
        return None


def published_since(evidence: Evidence) -> set[str]:
    """Name the studies published since the review."""
    return set(evidence.studies.loc[evidence.studies["role"] == "later", "study"])


def _effects(evidence: Evidence, wider: Evidence, pooling: str) -> pd.DataFrame:
    """Predict the later effects from the controlled studies of the fit."""
    try:
        before, after = (controlled_rows(each).rows for each in (evidence, wider))
    except SelectionError:  # no control arm before, or none since
        return pd.DataFrame(columns=list(LATER))
    new = after[after["study"].isin(published_since(wider) - set(before["study"]))]
    return predict_effects(before, new, evidence.diseases, pooling)
