"""One row of counts, and the names that its cells may hold."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from .cells import Row

TREATED_ARMS = ("msc", "msc_low", "msc_high")
DOSE_ARMS = ("msc_low", "msc_high")
ARMS = (*TREATED_ARMS, "control")
ROLES = ("core", "overlap", "case_series", "related_product", "later", "unpublished")
CERTAINTIES = ("reported", "secondary", "derived")
STATISTICS = ("maximum", "rate", "count")


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


#: What the outcomes frame of an evidence holds, in this order: all of an entry but its line.
OUTCOME_FIELDS = tuple(field.name for field in fields(Entry) if field.name != "row")
