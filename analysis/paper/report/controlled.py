"""Studies with a control arm: what the difference between their arms says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ....data.controlled import controlled_rows
from ....data.errors import SelectionError

if TYPE_CHECKING:
    from ....data.evidence import Evidence

_KEYS = ["study", "disease", "outcome", "definition"]
_COUNTS = ["events_min", "events_max", "n"]


def risk_differences(evidence: Evidence) -> pd.DataFrame:
    """Compare treated and control arms of the studies that have both.

    Studies of the analysis set ``everything`` are compared, related products too, by the definition
    of which most is known in both arms; dose arms are added up. Nothing is borrowed: each
    difference is of one study's own counts.

    Parameters
    ----------
    evidence : Evidence
        Any selection; its preferred definitions, outcomes, diseases and dropped studies are kept.

    Returns
    -------
    DataFrame
        One row a study and outcome with both arms: `study, disease, outcome, definition, role,
        comparator, events_min, events_max, n` (treated), `control_events_min, control_events_max,
        control_n`, and `difference, low, high`: the risk difference (treated less control) with its
        95 % hybrid score interval; missing where a count is only bounded.

    References
    ----------
    Newcombe 1998, method 10, as `statsmodels.stats.proportion.confint_proportions_2indep` computes
    it, doi 10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.
    """
    every = evidence.select(analysis_set="everything")
    try:
        rows = controlled_rows(every).rows
    except SelectionError:  # no study has a control arm
        rows = every.rows[:0].assign(randomised=None)
    control = rows["arm"] == "control"
    treated = rows[~control].groupby(_KEYS, sort=False)[_COUNTS].sum()
    others = rows[control].groupby(_KEYS, sort=False)[_COUNTS].sum().add_prefix("control_")
    both = treated.join(others).reset_index()
    about = every.studies.reindex(columns=["study", "role", "comparator"])
    about["comparator"] = about["comparator"].astype(object).where(about["comparator"].notna(), "")
    both = both.merge(about, on="study")
    intervals = [_difference(row) for row in both.to_dict("records")]
    for position, name in enumerate(("difference", "low", "high")):
        both[name] = pd.Series([each[position] for each in intervals], both.index, dtype=float)
    columns = [*_KEYS, "role", "comparator", *_COUNTS, *(f"control_{c}" for c in _COUNTS)]
    return both[[*columns, "difference", "low", "high"]]


def _difference(row: dict) -> tuple[float, float, float]:
    from statsmodels.stats.proportion import confint_proportions_2indep

    known = (
        row["events_min"] == row["events_max"]
        and row["control_events_min"] == row["control_events_max"]
    )
    if not known:
        return float("nan"), float("nan"), float("nan")
    counts = (row["events_min"], row["n"], row["control_events_min"], row["control_n"])
    low, high = confint_proportions_2indep(*counts, compare="diff", method="newcomb")
    return counts[0] / counts[1] - counts[2] / counts[3], float(low), float(high)
