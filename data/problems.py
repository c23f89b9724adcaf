"""What a right data set is: each table's columns and values, and the rules between its rows."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .tables import Problem, Row, Table, require_columns, shown

OUTCOMES = (
    "improvement",
    "remission",
    "any_ae",
    "moderate_severe_ae",
    "serious_ae",
    "death",
)
PARENTS = {"remission": "improvement", "moderate_severe_ae": "any_ae"}
TREATED_ARMS = ("msc", "msc_low", "msc_high")
DOSE_ARMS = ("msc_low", "msc_high")
ARMS = (*TREATED_ARMS, "control")
ROLES = ("core", "overlap", "case_series", "related_product")
CERTAINTIES = ("reported", "secondary", "derived")
STATISTICS = ("maximum", "rate", "count")

STUDY_COLUMNS = (
    "study_id",
    "label",
    "year",
    "disease",
    "design",
    "n_msc",
    "n_control",
    "follow_up_months",
    "cohort",
    "role",
)
OUTCOME_COLUMNS = (
    "study_id",
    "arm",
    "outcome",
    "events_min",
    "events_max",
    "n",
    "definition",
    "months",
    "certainty",
    "locator",
    "primary",
)
REVIEW_COLUMNS = ("disease", "outcome", "statistic", "value", "wording")

# What the outcomes frame of an evidence holds, in this order.
OUTCOME_FIELDS = (
    "study",
    "disease",
    "arm",
    "outcome",
    "events_min",
    "events_max",
    "n",
    "definition",
    "months",
    "certainty",
    "locator",
    "primary",
    "note",
    "role",
    "cohort",
)


@dataclass(frozen=True)
class Entry:
    """One row of counts as read, None where a cell is wrong, with its line to complain to."""

    row: Row
    study: str | None
    disease: str | None
    arm: str | None
    outcome: str | None
    events_min: int | None
    events_max: int | None
    n: int | None
    definition: str
    months: float | None
    certainty: str | None
    locator: str
    primary: bool | None
    note: str
    role: str | None
    cohort: str

    def values(self) -> tuple[Any, ...]:
        """Return the cells in the order of OUTCOME_FIELDS."""
        return tuple(getattr(self, field) for field in OUTCOME_FIELDS)


def read_studies(table: Table, problems: list[Problem]) -> dict[str, dict[str, Any]] | None:
    """Read studies.csv: one dictionary a study, by study, in the order of the file."""
    if not require_columns(table, STUDY_COLUMNS, problems):
        return None
    studies: dict[str, dict[str, Any]] = {}
    first_line: dict[str, int] = {}
    for row in table.rows:
        study = row.name("study_id")
        entry = {column: row.text(column) for column in table.columns if column} | {
            "label": row.text("label") or study,
            "year": row.whole("year", least=1900, most=2100),
            "disease": row.name("disease"),
            "n_msc": row.whole("n_msc", least=1),
            "n_control": row.whole("n_control"),
            "follow_up_months": row.months("follow_up_months"),
            "role": row.one_of("role", ROLES),
            "note": row.text("note"),
        }
        if entry["role"] == "overlap" and not entry["cohort"]:
            wrong = "is empty: an overlap study names the cohort whose patients it shares"
            row.complain("cohort", wrong)
        if study is None:
            continue
        if study in studies:
            wrong = f"study {shown(study)} is already on line {first_line[study]}: one row a study"
            row.complain("study_id", wrong)
            continue
        del entry["study_id"]
        studies[study] = {"study": study} | entry
        first_line[study] = row.line
    return studies


def read_outcomes(
    table: Table, studies: dict[str, dict[str, Any]] | None, problems: list[Problem]
) -> list[Entry]:
    """Read outcomes.csv and check its rows against each other and against their studies."""
    if not require_columns(table, OUTCOME_COLUMNS, problems):
        return []
    known = tuple(studies) if studies is not None else None
    entries = []
    for row in table.rows:
        study = row.name("study_id") if known is None else row.one_of("study_id", known)
        about = (studies or {}).get(study or "", {})
        flag = row.text("primary").lower()
        if flag not in ("true", "false"):
            wrong = f"{shown(row.text('primary'))} is neither true nor false"
            row.complain("primary", f"{wrong}: write true for the definition used by default")
        given = row.text("disease")
        if given and about.get("disease") and given != about["disease"]:
            wrong = f"unknown disease {shown(given)} for this study"
            row.complain("disease", f"{wrong}: studies.csv says {shown(about['disease'])}")
        entries.append(
            Entry(
                row=row,
                study=study,
                disease=about.get("disease"),
                arm=row.one_of("arm", ARMS),
                outcome=row.one_of("outcome", OUTCOMES),
                events_min=row.whole("events_min"),
                events_max=row.whole("events_max"),
                n=row.whole("n", least=1),
                definition=row.text("definition"),
                months=row.months("months"),
                certainty=row.one_of("certainty", CERTAINTIES),
                locator=row.text("locator"),
                primary={"true": True, "false": False}.get(flag),
                note=row.text("note"),
                role=about.get("role"),
                cohort=about.get("cohort", ""),
            )
        )
    _check_entries(entries)
    for entry in entries:
        _check_against_study(entry, (studies or {}).get(entry.study or "", {}))
    return entries


def read_counts(table: Table, problems: list[Problem]) -> list[Entry]:
    """Read a single table of counts, whose diseases and outcomes may have any names."""
    exact = "events" in table.columns
    bounded = [column for column in ("events_min", "events_max") if column in table.columns]
    if exact and bounded:
        wrong = f"this column is there beside {' and '.join(bounded)}"
        remedy = "keep events where counts are known, events_min and events_max where bounded"
        problems.append(Problem(table.file, 1, "events", f"{wrong}: {remedy}"))
        return []
    if "study_id" in table.columns and "study" not in table.columns:
        wrong = "this column is missing, study_id is there: rename it to study"
        remedy = "or give the folder that holds studies.csv and outcomes.csv"
        problems.append(Problem(table.file, 1, "study", f"{wrong}, {remedy}"))
        return []
    events = ("events_min", "events_max") if bounded else ("events", "events")
    if not require_columns(table, ("study", *dict.fromkeys(events), "n"), problems):
        return []
    entries = []
    for row in table.rows:
        events_min = row.whole(events[0])
        entries.append(
            Entry(
                row=row,
                study=row.name("study"),
                disease=row.name("disease") if "disease" in table.columns else "all",
                arm=row.one_of("arm", ARMS) if "arm" in table.columns else "msc",
                outcome=row.name("outcome") if "outcome" in table.columns else "response",
                events_min=events_min,
                events_max=events_min if exact else row.whole(events[1]),
                n=row.whole("n", least=1),
                definition="",
                months=row.months("months"),
                certainty="reported",
                locator="",
                primary=True,
                note="",
                role="core",
                cohort="",
            )
        )
    _check_entries(entries)
    _check_one_disease(entries)
    return entries


def read_review(
    table: Table, diseases: tuple[str, ...] | None, problems: list[Problem]
) -> list[tuple[Any, ...]]:
    """Read review.csv: disease, outcome, statistic, value and wording of each statement."""
    if not require_columns(table, REVIEW_COLUMNS, problems):
        return []
    statements = []
    first_line: dict[tuple[Any, ...], int] = {}
    for row in table.rows:
        named = row.one_of("disease", (*diseases, "all")) if diseases else row.name("disease")
        outcome = row.one_of("outcome", (*OUTCOMES, "studies", "patients"))
        statistic = row.one_of("statistic", STATISTICS)
        if outcome in ("studies", "patients") and statistic in ("maximum", "rate"):
            row.complain("statistic", f"a number of {outcome} is a count, not a {statistic}")
        value = row.whole("value") if statistic == "count" else row.decimal("value", most=1.0)
        key = (named, outcome, statistic)
        if None not in key and key in first_line:
            row.complain("row", f"is given twice: the same statistic is on line {first_line[key]}")
        first_line.setdefault(key, row.line)
        statements.append((named, outcome, statistic, value, row.text("wording")))
    return statements


def similar_names(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names so alike that one of them may be a slip."""
    earlier: list[str] = []
    # A free vocabulary of hundreds of names would take longer to compare than to fit.
    for name in list(names)[:100]:
        near = difflib.get_close_matches(
            name.casefold(), [other.casefold() for other in earlier], n=1, cutoff=0.9
        )
        for other in earlier:
            if other.casefold() in near:
                yield other, name
        earlier.append(name)


def _check_entries(entries: list[Entry]) -> None:
    for entry in entries:
        _check_counts(entry)
    _check_repeated(entries)
    _check_dose_arms(entries)
    _check_nesting(entries)
    _check_cohorts(entries)


def _check_counts(entry: Entry) -> None:
    low, high, n = entry.events_min, entry.events_max, entry.n
    column = "events_max" if "events_max" in entry.row.cells else "events"
    if low is not None and high is not None and low > high:
        wrong = f"{low} is above events_max, {high}"
        entry.row.complain("events_min", f"{wrong}: write the smaller bound here")
    elif high is not None and n is not None and high > n:
        wrong = f"{high} events are more than the {n} patients in n"
        entry.row.complain(column, f"{wrong}: at most {n} is possible")
    # NaN, unlike None, is a cell left empty rather than a cell already complained about.
    if entry.outcome == "death" and entry.months is not None and entry.months != entry.months:
        wrong = "is empty: deaths are compared per year of follow-up"
        entry.row.complain("months", f"{wrong}, so write how many months it was")


def _check_repeated(entries: list[Entry]) -> None:
    first: dict[tuple[Any, ...], Entry] = {}
    primary: dict[tuple[Any, ...], Entry] = {}
    for entry in entries:
        cell = (entry.study, entry.arm, entry.outcome)
        if None in cell:
            continue
        months = "" if entry.months != entry.months else entry.months
        key = (*cell, entry.definition, months)
        where = f"{entry.study}, {entry.arm}, {entry.outcome}"
        if key in first:
            wrong = f"is given twice: {where} is already on line {first[key].row.line}"
            entry.row.complain("row", f"{wrong} with the same definition and months; keep one")
        elif entry.primary and cell in primary:
            wrong = f"a second primary row for {where}, beside line {primary[cell].row.line}"
            column = "primary" if "primary" in entry.row.cells else "row"
            remedy = (
                "write false for the alternative definition"
                if column == "primary"
                else "keep the time point that counts"
            )
            entry.row.complain(column, f"{wrong}: {remedy}")
        first.setdefault(key, entry)
        if entry.primary:
            primary.setdefault(cell, entry)


def _check_dose_arms(entries: list[Entry]) -> None:
    whole = {(e.study, e.outcome): e for e in reversed(entries) if e.arm == "msc"}
    for entry in entries:
        if entry.arm in DOSE_ARMS and None not in (entry.study, entry.outcome):
            total = whole.get((entry.study, entry.outcome))
            if total is not None:
                wrong = f"{entry.arm} of {entry.study}, {entry.outcome}, beside the arm msc"
                remedy = "its patients would count twice: keep the dose arms or their sum"
                entry.row.complain("arm", f"{wrong} on line {total.row.line}: {remedy}")


def _check_nesting(entries: list[Entry]) -> None:
    """Compare each child with the parents that an analysis would put beside it."""
    cells: dict[tuple[Any, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        cells[entry.study, entry.arm, entry.outcome].append(entry)
    for (study, arm, outcome), children in cells.items():
        parents = cells.get((study, arm, PARENTS.get(outcome or "")), [])
        if study is None or arm is None or not parents:
            continue
        compared = set()
        for alternative in (False, True):
            child = _definition_used(children, alternative)
            parent = _definition_used(parents, alternative)
            if child is None or parent is None or (id(child), id(parent)) in compared:
                continue
            compared.add((id(child), id(parent)))
            _check_pair(child, parent)


def _definition_used(entries: list[Entry], alternative: bool) -> Entry | None:
    primary = [entry for entry in entries if entry.primary]
    others = [entry for entry in entries if entry.primary is False]
    ordered = [*others, *primary] if alternative else primary
    return ordered[0] if ordered else None


def _check_pair(child: Entry, parent: Entry) -> None:
    if child.n is None or child.n != parent.n:
        return
    if child.events_min is None or parent.events_max is None:
        return
    if child.events_min > parent.events_max:
        column = "events_min" if "events_min" in child.row.cells else "events"
        wrong = f"{child.events_min} with {child.outcome} are more than the {parent.events_max}"
        where = f"with {parent.outcome} on line {parent.row.line}"
        remedy = f"{child.outcome} is always among {parent.outcome}"
        child.row.complain(column, f"{wrong} {where}: {remedy}")


def _check_cohorts(entries: list[Entry]) -> None:
    first: dict[tuple[str, str], Entry] = {}
    told = set()
    for entry in entries:
        if not entry.cohort or not entry.outcome or not entry.study or entry.role is None:
            continue
        if entry.role == "overlap":
            continue
        other = first.setdefault((entry.cohort, entry.outcome), entry)
        if other.study != entry.study and (entry.study, entry.outcome) not in told:
            told.add((entry.study, entry.outcome))
            wrong = f"{entry.study} and {other.study} (line {other.row.line}) of cohort "
            wrong += f"{entry.cohort} both supply {entry.outcome}"
            remedy = "their patients would count twice: give one the role overlap"
            entry.row.complain("study_id", f"{wrong}: {remedy}")


def _check_against_study(entry: Entry, about: dict[str, Any]) -> None:
    column = "n_control" if entry.arm == "control" else "n_msc"
    most = about.get(column)
    if entry.arm is None or entry.n is None or most is None:
        return
    if entry.n > most:
        wrong = f"{entry.n} patients are more than the {most} in {column} of studies.csv"
        entry.row.complain("n", f"{wrong}: at most {most} is possible")


def _check_one_disease(entries: list[Entry]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.study is None or entry.disease is None:
            continue
        other = first.setdefault(entry.study, entry)
        if other.disease != entry.disease:
            wrong = f"{entry.study} has {shown(other.disease or '')} on line {other.row.line}"
            remedy = "give each disease of a study a study name of its own"
            entry.row.complain("disease", f"{wrong} and {shown(entry.disease)} here: {remedy}")
