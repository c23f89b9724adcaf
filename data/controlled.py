"""Studies with a control arm: the rows whose arms can be compared, and those that cannot."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from .errors import SelectionError
from .means import MODELLED, Means, improvement
from .names import counted_in_text, study_labels
from .selection import described, selected_rows

if TYPE_CHECKING:
    from .evidence import Evidence

_COLUMNS = [
    *("study", "disease", "arm", "outcome", "events_min", "events_max", "n", "months"),
    *("certainty", "definition"),
]
_IMPROVEMENT = ["improvement", "sd_least", "sd_most"]
_CELL = ["study", "arm", "outcome", "definition", "months"]


@dataclass(frozen=True, eq=False)
class Controlled:
    """The rows of an evidence that tell of treated against control.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row a study, arm and outcome, with both sides of one definition: the columns of an
        evidence's rows, and ``randomised`` (True, False, or None where the design is not known).
        Of rows that follow from means also the mean ``improvement`` and its possible deviations,
        ``sd_least`` and ``sd_most`` (see `improvement`); missing where patients were counted.
    left_out : tuple of str
        What could not be compared, a sentence each.
    """

    rows: pd.DataFrame
    left_out: tuple[str, ...]

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Outcomes with studies to compare, in the order of the rows."""
        return tuple(dict.fromkeys(self.rows["outcome"]))

    def randomised(self) -> Controlled:
        """Keep the randomised studies only."""
        kept = self.rows["randomised"].map(lambda known: known is True)
        return replace(self, rows=self.rows[kept].reset_index(drop=True))


def controlled_rows(evidence: Evidence) -> Controlled:
    """Gather the studies of a selection whose treated and control arms can be compared.

    Of several definitions in one study the one is used that is known most narrowly in both arms,
    among equals the one that the selection prefers.

    Parameters
    ----------
    evidence : Evidence
        The analysis set. Only outcomes asked for by name are kept, not those they lie within.

    Returns
    -------
    Controlled
        The rows, and what could not be compared.

    Raises
    ------
    SelectionError
        No outcome has rows of a control arm beside those of a treated one.
    """
    selection = evidence.selection
    rows = _eligible(evidence)
    wanted = replace(selection, definitions="primary")
    marked = rows.assign(primary=_preferred(rows, selection.definitions))
    chosen = _with_improvement(selected_rows(marked, evidence.means, wanted), evidence.means)
    if selection.outcomes:
        chosen = chosen[chosen["outcome"].isin(selection.outcomes)]
    sides = _sides(chosen)
    both = chosen.index.map(lambda place: sides[_key(chosen.loc[place])] == {True, False})
    alone = {key for key, found in sides.items() if found == {True}}
    labels = study_labels(evidence.studies)
    left_out = tuple(
        f"{labels[study]}: its control arm has no treated arm to be compared with for "
        f"{counted_in_text(outcome)}; left out of the effects"
        for study, outcome, _ in sorted(alone)
    )
    kept = chosen[both.to_numpy(bool)] if len(chosen) else chosen
    if kept.empty:
        raise SelectionError(
            f"no outcome has rows of a control arm beside a treated one in {described(selection)}: "
            "an effect needs controlled studies"
        )
    design = dict(zip(evidence.studies["study"], evidence.studies["design"], strict=True))
    randomised = [_randomised(design[study]) for study in kept["study"]]
    order = [n for n in evidence.vocabulary if n in set(kept["outcome"])]
    kept = kept[_COLUMNS + _IMPROVEMENT].assign(
        randomised=pd.Series(randomised, kept.index, dtype=object)
    )
    kept = kept.sort_values("outcome", key=lambda names: names.map(order.index), kind="stable")
    return Controlled(kept.reset_index(drop=True), left_out)


def _eligible(evidence: Evidence) -> pd.DataFrame:
    """Rows that the set's rule of certainty admits, before a definition is chosen."""
    rows, wanted = evidence.outcomes, evidence.selection.analysis_set
    if wanted == "reported":
        return rows[rows["certainty"] == "reported"]
    if wanted == "counted":
        return rows[rows["events_min"] == rows["events_max"]]
    return rows


def _with_improvement(rows: pd.DataFrame, means: pd.DataFrame) -> pd.DataFrame:
    """Add the mean improvement of rows that follow from means: thresholds are not looked at."""
    told = []
    for row in means.to_dict("records"):
        unit = "%" if row["percent"] else "points"
        words = f"mean improvement of {row['measure']} ({row['direction']} is better), {unit}"
        told.append((*improvement(Means.of(row)), words))
    scores = means[_CELL].assign(certainty=MODELLED)
    scores[[*_IMPROVEMENT, "of_means"]] = pd.DataFrame(
        told, scores.index, [*_IMPROVEMENT, "of_means"]
    )
    rows = rows.merge(scores, "left", [*_CELL, "certainty"])
    return rows.assign(definition=rows["of_means"].fillna(rows["definition"]))


def _key(row) -> tuple[str, str, str]:
    return row["study"], row["outcome"], row["definition"]


def _sides(rows: pd.DataFrame) -> dict[tuple[str, str, str], set[bool]]:
    """Whether each study, outcome and definition has control arms (True) and treated ones."""
    found: dict[tuple[str, str, str], set[bool]] = {}
    for row in rows.to_dict("records"):
        found.setdefault(_key(row), set()).add(row["arm"] == "control")
    return found


def _preferred(rows: pd.DataFrame, definitions: str) -> pd.Series:
    """Mark the definition of each study and outcome that effects are computed from."""
    records = rows.to_dict("records")
    sides = _sides(rows)
    ranks: dict[tuple[str, str, str], list] = {}
    for place, row in enumerate(records):
        width = (row["events_max"] - row["events_min"]) / row["n"]
        preferred = row["primary"] == (definitions == "primary")
        rank = ranks.setdefault(_key(row), [sides[_key(row)] != {True, False}, 0.0, False, place])
        rank[1] += width
        rank[2] |= not preferred
    best: dict[tuple[str, str], tuple[str, str, str]] = {}
    for key, rank in ranks.items():
        now = best.get(key[:2])
        if now is None or rank < ranks[now]:
            best[key[:2]] = key
    return pd.Series([_key(row) == best[_key(row)[:2]] for row in records], rows.index, dtype=bool)


def _randomised(design: object) -> bool | None:
    """Read a design's word: randomised, not randomised, or not known."""
    if not isinstance(design, str) or not design:
        return None
    return design.startswith("randomised")
