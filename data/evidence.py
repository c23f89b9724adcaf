"""The evidence: read from tables, selected into analysis sets, with what a reader must be told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from .about import FILE as ABOUT_FILE
from .about import UNDESCRIBED, About, read_about
from .cautions import cautions as _cautions
from .cells import EvidenceError, Problem
from .entries import DOSE_ARMS, OUTCOME_FIELDS, Entry
from .errors import InputError, SelectionError
from .means import MODELLED, MODELLED_SIGN
from .means_table import MEANS_COLUMNS, means_frame, read_means
from .mistakes import shown
from .moderators import Columns, Moderator, moderator_messages, read_columns, read_moderators
from .names import counted_in_text, counted_words, numbered, study_labels
from .outcomes import OUTCOMES, PARENTS
from .reading import (
    COUNT_COLUMNS,
    FOLDER_TABLES,
    REVIEW_COLUMNS,
    SYNONYMS,
    read_counts,
    read_outcomes,
    read_review,
    read_studies,
)
from .selection import (
    ANALYSIS_SETS,
    DEFINITIONS,
    Selection,
    checked_selection,
    described,
    selected_rows,
)
from .suspicions import similar_names, suspicions
from .tables import FRAME, read_table

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
NEEDED_TABLES = ("studies.csv", "outcomes.csv")
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
        return _in_dictionary_order(self.rows["outcome"])

    @cached_property
    def messages(self) -> tuple[str, ...]:
        """What the user should be told of how the selection is read."""
        told = list(self.reading)
        told += [
            f"outcome {name} is not one of the dictionary: it stands alone, on the log-odds scale, "
            "with the general priors of the prior set, unless that names it"
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
        return _read_single(path, FRAME, sheet).select(**selection)
    if not isinstance(path, str | Path | None):
        raise InputError(f"evidence must be {_WHAT_IT_MAY_BE}, not {shown(path)}")
    place = Path(__file__).parent if path is None else Path(path)
    name = str(place if path is None else path)
    problems: list[Problem] = []
    is_folder = _is_folder(place, name, problems)
    if is_folder and sheet is not None:
        wrong = f"is a folder, which has no sheet {shown(sheet)}: leave the sheet out"
        problems.append(Problem(name, 1, "file", wrong))
    if problems:
        raise EvidenceError(problems)
    read = _read_folder(place, name) if is_folder else _read_single(place, name, sheet)
    return read.select(**selection)


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


def _is_folder(place: Path, name: str, problems: list[Problem]) -> bool:
    try:
        if not name or not place.exists():
            problems.append(Problem(name, 1, "file", "there is no such file or folder"))
            return False
        if not place.is_dir():
            if not place.is_file():
                problems.append(Problem(name, 1, "file", "is neither a file nor a folder"))
            return False
        tables = [place / table for table in NEEDED_TABLES]
        if not any(table.exists() for table in tables):
            wrong = "this folder has no tables: studies.csv and outcomes.csv are needed"
            problems.append(Problem(name, 1, "file", wrong))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.append(Problem(name, 1, "file", f"cannot be read: {reason}"))
    return True


def _read_folder(folder: Path, name: str) -> Evidence:
    problems: list[Problem] = []
    prefix = name.rstrip("/") + "/"
    tables = {
        table: read_table(folder / table, prefix + table, problems, columns)
        for table, columns in {**FOLDER_TABLES, "means.csv": MEANS_COLUMNS}.items()
        if table in NEEDED_TABLES or (folder / table).exists()
    }
    studies = read_studies(tables["studies.csv"], problems) if tables["studies.csv"] else None
    entries = []
    if tables["outcomes.csv"]:
        entries = read_outcomes(tables["outcomes.csv"], studies, problems)
    diseases = dict.fromkeys(s["disease"] for s in (studies or {}).values() if s["disease"])
    named = tuple(diseases) or None
    statements = []
    if review := tables.get("review.csv"):
        statements = read_review(review, named, problems)
    means = []
    if table := tables.get("means.csv"):
        means = read_means(table, studies, problems)
    about = UNDESCRIBED
    if (folder / ABOUT_FILE).exists():
        about = read_about(folder / ABOUT_FILE, prefix + ABOUT_FILE, named, problems)
    table = tables["studies.csv"]
    if problems or studies is None or table is None:
        raise EvidenceError(problems)
    made = _evidence(list(studies.values()), entries, statements, OUTCOMES, about, means)
    notes = [note for table in tables.values() if table for note in table.notes]
    columns = read_columns((row.text("study_id"), row) for row in table.rows)
    return replace(made, reading=tuple(notes), columns=columns)


def _read_single(source: Path | pd.DataFrame, name: str, sheet: str | None) -> Evidence:
    problems: list[Problem] = []
    table = read_table(source, name, problems, COUNT_COLUMNS, SYNONYMS, sheet)
    entries = read_counts(table, problems) if table else []
    if problems or table is None:
        raise EvidenceError(problems)
    by_study: dict[str, list[Entry]] = {}
    for entry in entries:
        by_study.setdefault(str(entry.study), []).append(entry)
    studies = [_study_of_counts(study, rows) for study, rows in by_study.items()]
    vocabulary = _in_dictionary_order([str(entry.outcome) for entry in entries])
    made = _evidence(studies, entries, [], vocabulary)
    treated = [(str(each.study), each.row) for each in entries if each.arm != "control"]
    return replace(made, reading=table.notes, columns=read_columns(treated))


def _study_of_counts(study: str, entries: list[Entry]) -> dict[str, Any]:
    largest: dict[str | None, int] = {}
    for entry in entries:
        largest[entry.arm] = max(entry.n or 0, largest.get(entry.arm, 0))
    doses = sum(largest.get(arm, 0) for arm in DOSE_ARMS)
    return {
        "study": study,
        "label": study,
        "year": None,
        "disease": entries[0].disease,
        "design": "",
        # Outcomes may be given for all treated or by dose: the same patients.
        "n_msc": max(largest.get("msc", 0), doses),
        "n_control": largest.get("control", 0),
        "follow_up_months": float("nan"),
        "cohort": "",
        "role": "core",
        "note": "",
    }


def _evidence(
    studies: list[dict[str, Any]],
    entries: list[Entry],
    statements: list[tuple[Any, ...]],
    vocabulary: tuple[str, ...],
    about: About = UNDESCRIBED,
    means: Sequence[tuple[Any, ...]] = (),
) -> Evidence:
    outcomes = pd.DataFrame([entry.values() for entry in entries], columns=list(OUTCOME_FIELDS))
    review = pd.DataFrame(statements, columns=list(REVIEW_COLUMNS))
    return Evidence(
        studies=pd.DataFrame(studies).astype({"year": "Int64"}),
        outcomes=outcomes.astype({"months": float, "primary": bool}),
        review=review.astype({"value": float}),
        means=means_frame(list(means)),
        about=about,
        vocabulary=vocabulary,
        selection=Selection(),
        rows=outcomes[_ROW_COLUMNS].iloc[:0],
        controls=outcomes[_ROW_COLUMNS].iloc[:0],
    )


def _in_dictionary_order(names: Collection[str]) -> tuple[str, ...]:
    present = tuple(dict.fromkeys(names))
    return (*(n for n in OUTCOMES if n in present), *(n for n in present if n not in OUTCOMES))
