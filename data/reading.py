"""What each of the tables must hold, and how its rows are read."""

from __future__ import annotations

from typing import Any

from .cells import Problem, Table, forget_cells, missing_columns
from .entries import ARMS, CERTAINTIES, ROLES, STATISTICS, Entry
from .mistakes import shown
from .outcomes import OUTCOMES
from .problems import check_against_study, check_entries, check_one_disease, check_unnamed_total

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
FOLDER_TABLES = {
    "studies.csv": STUDY_COLUMNS,
    "outcomes.csv": OUTCOME_COLUMNS,
    "review.csv": REVIEW_COLUMNS,
}
#: What a single table of counts at least has.
COUNT_COLUMNS = ("study", "events", "n")
#: Other words for its columns, in small letters, with the column that each is.
SYNONYMS = {
    word: column
    for column, words in {
        "study": ("author", "slab", "trial"),
        "events": ("event", "r", "x", "xi", "ai", "responders"),
        "n": ("total", "ni", "sample_size"),
        "disease": ("indication", "group", "cancer"),
        "months": ("follow_up", "followup_months"),
        "arm": ("treatment",),
    }.items()
    for word in words
}


def read_studies(table: Table, problems: list[Problem]) -> dict[str, dict[str, Any]] | None:
    """Read studies.csv: one dictionary a study, by study, in the order of the file."""
    missing = missing_columns(table, STUDY_COLUMNS, problems)
    studies: dict[str, dict[str, Any]] = {}
    first_line: dict[str, int] = {}
    for row in table.rows:
        study = row.name("study_id")
        entry = {"study": study} | {
            column: row.text(column)
            for column in table.columns
            if column not in ("", "study", "study_id")
        }
        entry |= {
            "label": row.text("label") or study,
            "year": row.whole("year", least=1900, most=2100),
            "disease": row.name("disease"),
            "n_msc": row.whole("n_msc", least=1),
            "n_control": row.whole("n_control"),
            "follow_up_months": row.months("follow_up_months"),
            "role": row.one_of("role", ROLES),
            "note": row.text("note"),
        }
        if entry["role"] == "overlap" and not row.text("cohort"):
            wrong = "is empty: an overlap study names the cohort whose patients it shares"
            row.complain("cohort", wrong)
        if study is None:
            continue
        if study in studies:
            wrong = f"study {shown(study)} is already on line {first_line[study]}: one row a study"
            row.complain("study_id", wrong)
            continue
        studies[study] = entry
        first_line[study] = row.line
    forget_cells(table, missing, problems)
    # Where no study could be read, not every row of counts is of an unknown one.
    return studies or None


def read_outcomes(
    table: Table, studies: dict[str, dict[str, Any]] | None, problems: list[Problem]
) -> list[Entry]:
    """Read outcomes.csv and check its rows against each other and against their studies."""
    missing = missing_columns(table, OUTCOME_COLUMNS, problems)
    known = tuple(studies) if studies is not None else None
    entries = []
    for row in table.rows:
        study = row.name("study_id") if known is None else row.one_of("study_id", known)
        about = (studies or {}).get(study or "", {})
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
                primary=row.flag("primary", "write true for the definition used by default"),
                note=row.text("note"),
                role=about.get("role"),
                cohort=about.get("cohort", ""),
            )
        )
    check_entries(entries, missing, studies)
    for entry in entries:
        check_against_study(entry, (studies or {}).get(entry.study or "", {}))
    forget_cells(table, missing, problems)
    return entries


def read_counts(table: Table, problems: list[Problem]) -> list[Entry]:
    """Read a single table of counts, whose diseases and outcomes may have any names."""
    exact = "events" in table.columns
    bounded = [column for column in ("events_min", "events_max") if column in table.columns]
    if exact and bounded:
        wrong = f"this column is there beside {' and '.join(bounded)}"
        remedy = "keep events where counts are known, events_min and events_max where bounded"
        problems.append(table.problem("events", f"{wrong}: {remedy}"))
        return []
    if "study_id" in table.columns and "study" not in table.columns:
        wrong = "this column is missing, study_id is there: rename it to study"
        remedy = "or give the folder that holds studies.csv and outcomes.csv"
        problems.append(table.problem("study", f"{wrong}, {remedy}"))
        return []
    events = ("events_min", "events_max") if bounded else ("events", "events")
    missing = missing_columns(table, ("study", *dict.fromkeys(events), "n"), problems)
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
    check_entries(entries)
    check_one_disease(entries)
    check_unnamed_total(entries)
    forget_cells(table, missing, problems)
    return entries


def read_review(
    table: Table, diseases: tuple[str, ...] | None, problems: list[Problem]
) -> list[tuple[Any, ...]]:
    """Read review.csv: disease, outcome, statistic, value and wording of each statement."""
    missing = missing_columns(table, REVIEW_COLUMNS, problems)
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
    forget_cells(table, missing, problems)
    return statements
