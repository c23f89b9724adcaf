"""What is wrong between rows that are each readable: the rules that a right data set keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .entries import DOSE_ARMS, TREATED_ARMS, Entry
from .mistakes import shown
from .names import numbered, outcome_plural
from .outcomes import PARENTS, outcome

# Each analysis set chooses a definition among other rows, so each may pair other rows.
_IN_A_SET: tuple[Callable[[Entry], bool], ...] = (
    lambda entry: True,
    lambda entry: entry.certainty == "reported",
    lambda entry: entry.events_min == entry.events_max,
)


def check_entries(
    entries: list[Entry],
    missing: frozenset[str] = frozenset(),
    studies: dict[str, dict[str, Any]] | None = None,
) -> None:
    """Check each row of counts by itself and all against each other; complain to the rows."""
    for entry in entries:
        _check_counts(entry)
    if entries and all(entry.arm == "control" for entry in entries):
        wrong = "every row is of the arm control: at least one treated arm is needed"
        entries[0].row.complain("arm", f"{wrong}, one of {', '.join(TREATED_ARMS)}")
    # Without them rows that differ look the same.
    if not missing & {"definition", "months"}:
        _check_repeated(entries)
    _check_dose_arms(entries)
    _check_nesting(entries, studies or {})
    _check_cohorts(entries)


def check_means(entries: list[Entry]) -> None:
    """Check rows of means against each other; complain to the rows."""
    _check_repeated(entries)
    _check_dose_arms(entries)
    _check_cohorts([entry for entry in entries if entry.primary])


def _check_counts(entry: Entry) -> None:
    low, high, n = entry.events_min, entry.events_max, entry.n
    column = "events_max" if "events_max" in entry.row.cells else "events"
    if low is not None and high is not None and low > high:
        wrong = f"{low} is above events_max, {high}"
        entry.row.complain("events_min", f"{wrong}: write the smaller bound here")
    if high is not None and n is not None and high > n:
        wrong = f"{high} events are more than the {numbered(n, 'patient')} in n"
        entry.row.complain(column, f"{wrong}: at most {n} is possible")
    # NaN, unlike None, is a cell left empty rather than a cell already complained about.
    without = entry.months is not None and entry.months != entry.months
    if without and entry.outcome and outcome(entry.outcome).timed:
        wrong = f"is empty: {outcome_plural(entry.outcome)} are compared per year of follow-up"
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


def _check_nesting(entries: list[Entry], studies: dict[str, dict[str, Any]]) -> None:
    """Compare each child with the parents that an analysis would put beside it."""
    cells: dict[tuple[Any, ...], list[Entry]] = defaultdict(list)
    most: dict[tuple[Any, ...], int] = {}
    for entry in entries:
        cells[entry.study, entry.arm, entry.outcome].append(entry)
        place = (entry.study, entry.arm)
        most[place] = max(most.get(place, 0), entry.n or 0)
    for (study, arm, name), children in cells.items():
        if study is None or arm is None or name not in PARENTS:
            continue
        parents = cells.get((study, arm, PARENTS[name]), [])
        patients = _patients(studies.get(study, {}), arm) or most.get((study, arm))
        pairs = {}
        for counts in _IN_A_SET:
            for alternative in (False, True):
                child = _definition_used(filter(counts, children), alternative)
                parent = _definition_used(filter(counts, parents), alternative)
                if child is not None and parent is not None:
                    pairs[id(child), id(parent)] = child, parent
        for child, parent in pairs.values():
            _check_pair(child, parent, patients)
    for study in dict.fromkeys(entry.study for entry in entries if entry.study):
        for name, within in PARENTS.items():
            _check_across_arms(
                [cells.get((study, arm, name), []) for arm in TREATED_ARMS],
                [cells.get((study, arm, within), []) for arm in TREATED_ARMS],
            )


def _check_across_arms(children: list[list[Entry]], parents: list[list[Entry]]) -> None:
    """Compare an outcome of all treated with its parent by dose, or the other way round."""
    for counts in _IN_A_SET:
        for alternative in (False, True):
            (child, *by_dose), (parent, *parent_by_dose) = (
                [_definition_used(filter(counts, arm), alternative) for arm in arms]
                for arms in (children, parents)
            )
            sides = ([child], parent_by_dose) if child else (by_dose, [parent])
            if _certainly_above(*sides):
                return


def _certainly_above(children: Sequence[Entry | None], parents: Sequence[Entry | None]) -> bool:
    """Complain where children of the same patients are more than their parents; tell whether."""
    rows = [entry for entry in (*children, *parents) if entry is not None]
    if len(rows) < 1 + len(DOSE_ARMS) or any(
        None in (entry.n, entry.events_min, entry.events_max) for entry in rows
    ):
        return False
    below, above = rows[: len(children)], rows[len(children) :]
    least = sum(entry.events_min or 0 for entry in below)
    most = sum(entry.events_max or 0 for entry in above)
    if least <= most or sum(e.n or 0 for e in below) != sum(e.n or 0 for e in above):
        return False
    first, other = below[0], above[0]
    doses = " of both dose arms"
    wrong = f"{least} with {first.outcome}{doses if len(below) > 1 else ''} are more than the "
    wrong += f"{most} with {other.outcome}{doses if len(above) > 1 else ''}"
    column = "events_min" if "events_min" in first.row.cells else "events"
    remedy = f"{first.outcome} is always among {other.outcome}"
    first.row.complain(column, f"{wrong} on line {other.row.line}: {remedy}")
    return True


def _definition_used(entries: Iterable[Entry], alternative: bool) -> Entry | None:
    entries = list(entries)
    primary = [entry for entry in entries if entry.primary]
    others = [entry for entry in entries if entry.primary is False]
    ordered = [*others, *primary] if alternative else primary
    return ordered[0] if ordered else None


def _patients(about: dict[str, Any], arm: str) -> int | None:
    """Say how many patients an arm had, None where studies.csv does not tell."""
    return about.get({"msc": "n_msc", "control": "n_control"}.get(arm, ""))


def _check_pair(child: Entry, parent: Entry, patients: int | None) -> None:
    """Complain where more patients have the child than can have the parent.

    Of the same number of patients they are taken to be the same; else those whom the parent's row
    leaves out may all have it. An arm has as many patients as studies.csv says, or as the row with
    most of them.
    """
    if None in (child.n, parent.n, child.events_min, parent.events_max):
        return
    least, most, counted = child.events_min or 0, parent.events_max or 0, parent.n or 0
    if child.n != counted and patients is None:
        return
    beside = 0 if child.n == counted else max((patients or 0) - counted, 0)
    if least > most + beside:
        column = "events_min" if "events_min" in child.row.cells else "events"
        wrong = f"{least} with {child.outcome} are more than the {most} with {parent.outcome} on "
        wrong += f"line {parent.row.line}"
        if beside:
            wrong += f" and the {beside} who were treated but not counted there"
        child.row.complain(column, f"{wrong}: {child.outcome} is always among {parent.outcome}")


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


def check_against_study(entry: Entry, about: dict[str, Any]) -> None:
    """Complain of more patients than the study had."""
    column = "n_control" if entry.arm == "control" else "n_msc"
    most = about.get(column)
    if entry.arm is None or entry.n is None or most is None:
        return
    if entry.n > most:
        wrong = (
            f"{numbered(entry.n, 'patient')} are more than the {most} in {column} of studies.csv"
        )
        entry.row.complain("n", f"{wrong}: at most {most} is possible")


def check_one_disease(entries: list[Entry]) -> None:
    """Complain of a study that a single table puts in several diseases."""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.study is None or entry.disease is None:
            continue
        other = first.setdefault(entry.study, entry)
        if other.disease != entry.disease:
            wrong = f"{entry.study} has {shown(other.disease or '')} on line {other.row.line}"
            remedy = "give each disease of a study a study name of its own"
            entry.row.complain("disease", f"{wrong} and {shown(entry.disease)} here: {remedy}")


def check_unnamed_total(entries: list[Entry]) -> None:
    """Complain of a row without a study whose counts are the sums of the others."""
    for entry in entries:
        if entry.row.text("study"):
            continue
        others = [other for other in entries if other is not entry]
        sums = [
            sum(getattr(other, name) or 0 for other in others)
            for name in ("events_min", "events_max", "n")
        ]
        counts = [entry.events_min, entry.events_max, entry.n]
        if len(others) > 1 and counts == sums:
            wrong = "its counts are the sums of the other rows"
            entry.row.complain("study", f"{wrong}: leave out a row of totals")
