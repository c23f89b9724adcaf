"""A data set as it is read, whole: from a folder of tables, or from one table of counts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from .about import FILE as ABOUT_FILE
from .about import UNDESCRIBED, About, read_about
from .cells import EvidenceError, Problem
from .entries import DOSE_ARMS, OUTCOME_FIELDS, Entry
from .means_table import MEANS_COLUMNS, means_frame, read_means
from .moderators import Columns, read_columns
from .outcomes import OUTCOMES
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
from .tables import read_table

NEEDED_TABLES = ("studies.csv", "outcomes.csv")


@dataclass(frozen=True, eq=False)
class DataSet:
    """Everything that was read; each field as that of `evidence.Evidence`."""

    studies: pd.DataFrame
    outcomes: pd.DataFrame
    review: pd.DataFrame
    means: pd.DataFrame
    about: About
    vocabulary: tuple[str, ...]
    reading: tuple[str, ...] = ()
    columns: Columns = field(default_factory=dict)


def is_folder(place: Path, name: str, problems: list[Problem]) -> bool:
    """Whether a path is a folder; adds what keeps it from being read to the problems."""
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


def read_folder(folder: Path, name: str) -> DataSet:
    """Read a folder of tables, called by a name in what is told of it.

    Raises
    ------
    EvidenceError
        The tables are wrong: one line a problem, all of them.
    """
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
    made = _data_set(list(studies.values()), entries, statements, OUTCOMES, about, means)
    notes = [note for table in tables.values() if table for note in table.notes]
    columns = read_columns((row.text("study_id"), row) for row in table.rows)
    return replace(made, reading=tuple(notes), columns=columns)


def read_single(source: Path | pd.DataFrame, name: str, sheet: str | None) -> DataSet:
    """Read one table of counts: a file, the sheet of a workbook, or a data frame.

    Raises
    ------
    EvidenceError
        The table is wrong: one line a problem, all of them.
    """
    problems: list[Problem] = []
    table = read_table(source, name, problems, COUNT_COLUMNS, SYNONYMS, sheet)
    entries = read_counts(table, problems) if table else []
    if problems or table is None:
        raise EvidenceError(problems)
    by_study: dict[str, list[Entry]] = {}
    for entry in entries:
        by_study.setdefault(str(entry.study), []).append(entry)
    studies = [_study_of_counts(study, rows) for study, rows in by_study.items()]
    vocabulary = in_dictionary_order([str(entry.outcome) for entry in entries])
    made = _data_set(studies, entries, [], vocabulary)
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


def _data_set(
    studies: list[dict[str, Any]],
    entries: list[Entry],
    statements: list[tuple[Any, ...]],
    vocabulary: tuple[str, ...],
    about: About = UNDESCRIBED,
    means: Sequence[tuple[Any, ...]] = (),
) -> DataSet:
    outcomes = pd.DataFrame([entry.values() for entry in entries], columns=list(OUTCOME_FIELDS))
    review = pd.DataFrame(statements, columns=list(REVIEW_COLUMNS))
    return DataSet(
        studies=pd.DataFrame(studies).astype({"year": "Int64"}),
        outcomes=outcomes.astype({"months": float, "primary": bool}),
        review=review.astype({"value": float}),
        means=means_frame(list(means)),
        about=about,
        vocabulary=vocabulary,
    )


def in_dictionary_order(names: Collection[str]) -> tuple[str, ...]:
    """Give each name once: those of the dictionary in its order, then the others in theirs."""
    present = tuple(dict.fromkeys(names))
    return (*(n for n in OUTCOMES if n in present), *(n for n in present if n not in OUTCOMES))
