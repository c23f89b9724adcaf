"""The evidence: read from tables, selected into analysis sets, with what a reader must be told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from .about import About
from .cautions import cautions as _cautions
from .cells import EvidenceError, Problem
from .data_set import DataSet, in_dictionary_order, is_folder, read_folder, read_single
from .errors import InputError, SelectionError
from .means import MODELLED, MODELLED_SIGN
from .mistakes import shown
from .moderators import Columns, Moderator, moderator_messages, read_moderators
from .names import counted_in_text, counted_words, numbered, study_labels
from .outcomes import OUTCOMES, PARENTS
from .selection import (
    ANALYSIS_SETS,
    DEFINITIONS,
    Selection,
    checked_selection,
    described,
    selected_rows,
)
from .suspicions import similar_names, suspicions
from .tables import FRAME

__all__ = [
    "ANALYSIS_SETS",
    "DEFINITIONS",
    "Evidence",
    "EvidenceError",
    "Problem",
    "Selection",
    "as_evidence",
    "load_evidence",
    "summary",
]

_ROW_COLUMNS = [
    "study",
    "disease",
    "arm",
    "outcome",
    "events_min",
    "events_max",
    "n",
    "months",
    "certainty",
    "definition",
]
# What the likelihood is computed from; wording does not change a fit.
_HASHED_COLUMNS = _ROW_COLUMNS[:8]
_WHAT_IT_MAY_BE = "a path, a DataFrame or what load_evidence gives"


@dataclass(frozen=True, eq=False, repr=False)
class Evidence:
    """A checked data set and the part of it that an analysis uses.

    Attributes
    ----------
    studies : DataFrame
        One row a study; `study` is its id.
    outcomes : DataFrame
        Every row that was read: one a study, arm, outcome and definition.
    review : DataFrame
        What a review states of the same diseases; no rows where the data set has none.
    means : DataFrame
        What studies report as means of a score, with the bounds of the patients who improved that
        follow from them (`means.responders`); no rows where the data set has none.
    about : About
        Its title, question and cautions, and how its diseases are called and ordered.
    vocabulary : tuple of str
        The outcomes that may be named: the six of the dictionary, or those of a single table.
    selection : Selection
        What was asked for.
    rows, controls : DataFrame
        Treated and control arms of the selection, one row a study, arm and outcome: `events_min`
        to `events_max` of `n` patients, `months` of follow-up (NaN where absent). A selected
        outcome brings the one that it is nested in.
    reading : tuple of str
        What a user should be told of how the tables were read: encodings, other names of columns.
    columns : dict
        Texts of what may be a moderator, by column and study.
    moderators : tuple of Moderator
        Those of the selection, for the studies of `rows`.
    """

    studies: pd.DataFrame
    outcomes: pd.DataFrame
    review: pd.DataFrame
    means: pd.DataFrame
    about: About
    vocabulary: tuple[str, ...]
    selection: Selection
    rows: pd.DataFrame
    controls: pd.DataFrame
    reading: tuple[str, ...] = ()
    columns: Columns = field(default_factory=dict)
    moderators: tuple[Moderator, ...] = ()

    def __repr__(self) -> str:
        counts = (
            f"{numbered(len(self.rows), 'row')} of "
            f"{numbered(len(set(self.rows['study'])), 'study', 'studies')}"
        )
        return f"<Evidence: {counts}; {described(self.selection)}>"

    def select(self, **changes: Any) -> Evidence:
        """Select another part of the same data set.

        Parameters
        ----------
        **changes
            Fields of `Selection`; those not named stay as they are.

        Returns
        -------
        Evidence
            The same tables with other rows.

        Raises
        ------
        InputError
            One line for each unknown name, or for what keeps a moderator from being analysed; or
            no rows are left.
        """
        selection = replace(self.selection, **changes)
        known = (self.studies, self.outcomes, self.means, self.vocabulary)
        selection = checked_selection(selection, *known)
        rows = selected_rows(self.outcomes, self.means, selection).loc[:, _ROW_COLUMNS]
        treated = rows[rows["arm"] != "control"].reset_index(drop=True)
        controls = rows[rows["arm"] == "control"].reset_index(drop=True)
        if not set(treated["outcome"]) & set(selection.outcomes or self.vocabulary):
            raise SelectionError(
                f"no rows are left by {described(selection)}: ask for less at once"
            )
        moderators = read_moderators(self.columns, selection.moderators, selection.at, treated)
        return replace(
            self, selection=selection, rows=treated, controls=controls, moderators=moderators
        )

    @cached_property
    def diseases(self) -> tuple[str, ...]:
        """Diseases of the selection in the order in which they are shown, also without rows."""
        return self.about.ordered(self.selection.diseases or self.studies["disease"])

    @cached_property
    def outcome_names(self) -> tuple[str, ...]:
        """Outcomes with rows: those of the dictionary in its order, then others as they appear."""
        return in_dictionary_order(self.rows["outcome"])

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """What the user should be told of how the selection is read."""
        told = list(self.reading)
        told += [
            f"outcome {name} is none of those known here ({', '.join(OUTCOMES)}): it is "
            "analysed by itself, on the log-odds scale, with the general priors of the prior set, "
            "unless that names it"
            for name in self.outcome_names
            if name not in OUTCOMES
        ]
        if modelled := int((self.rows["certainty"] == MODELLED).sum()):
            told.append(
                f"{modelled} of {numbered(len(self.rows), 'count')} follow from means by a "
                f"model ({MODELLED_SIGN}): they are bounds, not what was counted"
            )
        told += [
            f"{counted_words(name)} has no rows in this selection"
            for name in self.selection.outcomes
            if name not in self.outcome_names
        ]
        told += [
            f"{counted_words(child)} is analysed by itself: none of its studies has a row of "
            f"{counted_in_text(parent)} in this selection"
            for child, parent in PARENTS.items()
            if child in self.outcome_names and not self._share_a_study(child, parent)
        ]
        told += [
            f"diseases {one} and {other} differ by little: are they the same?"
            for one, other in similar_names(dict.fromkeys(self.studies["disease"]))
        ]
        return (
            *told,
            *moderator_messages(self.moderators, self.rows, study_labels(self.studies)),
            *self.suspicions,
        )

    @cached_property
    def from_means(self) -> frozenset[tuple[str, str]]:
        """Outcomes and diseases whose rates rest on counts that follow from means.

        A nested outcome's do where its parent's do.
        """
        rows = self.rows[self.rows["certainty"] == MODELLED]
        own = set(zip(rows["outcome"], rows["disease"], strict=True))
        within = {
            (child, d) for child, parent in PARENTS.items() for name, d in own if name == parent
        }
        return frozenset(own | {each for each in within if each[0] in self.outcome_names})

    @cached_property
    def suspicions(self) -> tuple[str, ...]:
        """Which rows look like totals, and which names like the same study or outcome."""
        rows = pd.concat([self.rows, self.controls], ignore_index=True)
        return suspicions(rows, study_labels(self.studies))

    @cached_property
    def without_information(self) -> tuple[str, ...]:
        """Outcomes of which nothing is known: every count may be any number of its patients."""
        rows = self.rows
        told = (rows["events_min"] > 0) | (rows["events_max"] < rows["n"])
        known = set(rows.loc[told, "outcome"])
        return tuple(name for name in self.outcome_names if name not in known)

    @cached_property
    def sha256(self) -> str:
        """Hash of what the model sees: the rows and the diseases, not the wording or the file."""
        rows = [
            [None if value != value else value for value in row]
            for row in self.rows[_HASHED_COLUMNS].to_numpy(dtype=object).tolist()
        ]
        seen = {"columns": _HASHED_COLUMNS, "rows": rows, "diseases": self.diseases}
        if self.moderators:
            seen["moderators"] = {each.name: each.values for each in self.moderators}
        canonical = json.dumps(seen, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def cautions(self) -> tuple[str, ...]:
        """Say what a reader of the selection should be wary of, one line each."""
        found = _cautions(self.studies, self.rows, self.controls)
        nothing = tuple(
            f"{name}: every count may be any number from 0 to its patients: no information"
            for name in self.without_information
        )
        return (*self.suspicions, *nothing, *found)

    def _share_a_study(self, child: str, parent: str) -> bool:
        studies = [
            set(self.rows.loc[self.rows["outcome"] == name, "study"]) for name in (child, parent)
        ]
        return bool(studies[0] & studies[1])


def load_evidence(
    path: str | Path | pd.DataFrame | None = None, *, sheet: str | None = None, **selection: Any
) -> Evidence:
    """Read and check a data set and select a part of it.

    Parameters
    ----------
    path : str, Path or DataFrame, optional
        A folder with `studies.csv`, `outcomes.csv` and perhaps `review.csv` and `about.toml`; or
        one table with the columns `study, events, n` (or `events_min, events_max, n`) and
        perhaps `disease, outcome, arm, months`: a CSV file (commas, semicolons or tabs; `.gz`), an
        Excel workbook, or a data frame. The shipped evidence by default.
    sheet : str, optional
        Which sheet of a workbook that has several.
    **selection
        Fields of `Selection`.

    Returns
    -------
    Evidence

    Raises
    ------
    EvidenceError
        The tables are wrong: one line a problem, all of them.
    InputError
        Neither a path nor a table was given.
    SelectionError
        The selection names something unknown or leaves no rows.

    Examples
    --------
    >>> mp.load_evidence(outcomes="remission").outcome_names
    ('improvement', 'remission')
    """
    if isinstance(path, pd.DataFrame):
        return _of(read_single(path, FRAME, sheet), selection)
    if not isinstance(path, str | Path | None):
        raise InputError(f"evidence must be {_WHAT_IT_MAY_BE}, not {shown(path)}")
    place = Path(__file__).parent if path is None else Path(path)
    name = str(place if path is None else path)
    problems: list[Problem] = []
    folder = is_folder(place, name, problems)
    if folder and sheet is not None:
        wrong = f"is a folder, which has no sheet {shown(sheet)}: leave the sheet out"
        problems.append(Problem(name, 1, "file", wrong))
    if problems:
        raise EvidenceError(problems)
    return _of(read_folder(place, name) if folder else read_single(place, name, sheet), selection)


def _of(read: DataSet, selection: Mapping[str, Any]) -> Evidence:
    """Select of a data set that was read."""
    nothing = read.outcomes.loc[:, _ROW_COLUMNS].iloc[:0]
    whole = Evidence(**vars(read), selection=Selection(), rows=nothing, controls=nothing)
    return whole.select(**selection)


def as_evidence(source: Evidence | str | Path | pd.DataFrame) -> Evidence:
    """Give the evidence that a path or a data frame holds; an evidence stays what it is.

    Raises
    ------
    EvidenceError
        As `load_evidence`.
    InputError
        Something else was given.
    """
    if source is None:
        raise InputError(f"evidence must be {_WHAT_IT_MAY_BE}, not None")
    return source if isinstance(source, Evidence) else load_evidence(source)


def summary(evidence: Evidence) -> dict[str, int]:
    """Count what a data set holds.

    Parameters
    ----------
    evidence : Evidence
        Any selection; what it leaves out is counted only where said.

    Returns
    -------
    dict
        `studies` and `rows` that were read; `patients` treated in core studies, each counted once
        (`n_msc`; in a single table the largest n of each study and arm, summed); and of the
        selection `studies_analysed` and `rows_analysed` (treated arms).
    """
    core = evidence.studies["role"] == "core"
    return {
        "studies": len(evidence.studies),
        "patients": int(evidence.studies.loc[core, "n_msc"].sum()),
        "rows": len(evidence.outcomes),
        "studies_analysed": len(set(evidence.rows["study"])),
        "rows_analysed": len(evidence.rows),
    }
