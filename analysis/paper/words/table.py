"""A table as a reader sees it, whatever renders it, and the rows that every table of rates has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from ....data.file_names import file_name
from ....data.means import MODELLED_SIGN
from ....data.names import words
from .wording import interval

if TYPE_CHECKING:
    from ....data.about import About
    from ....data.evidence import Evidence

BORROWED = "borrowed"
_NEW_DISEASE = "A disease not yet tried"
FROM_MEANS = f"{MODELLED_SIGN} rests on counts that follow from means by a model."


@dataclass(frozen=True, eq=False)
class Table:
    """A table as a reader sees it, and the frame that it shows.

    Attributes
    ----------
    name : str
        Stem of its files.
    caption : str
        What it shows.
    header : tuple of str
        Names of the columns.
    rows : sequence of tuple of str
        The cells; the first names the row.
    frame : DataFrame
        The numbers behind it.
    of_fit : bool
        Whether it follows from the fit, and so carries the guard's verdict.
    quiet : frozenset of int
        Rows that rest on nothing of their own.
    texts : int
        How many of the first columns are text, set left.
    note : str
        What stands below it.
    """

    name: str
    caption: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    frame: pd.DataFrame
    of_fit: bool = True
    quiet: frozenset[int] = field(default_factory=frozenset)
    texts: int = 1
    note: str = ""

    @property
    def cells(self) -> pd.DataFrame:
        """The cells as a frame, with the header as names of its columns."""
        return pd.DataFrame(list(self.rows), columns=list(self.header))


def studies_in_words(studies: pd.DataFrame, about: About) -> pd.DataFrame:
    """Put the characteristics of studies in words; empty where one was not reported."""
    told = ("design", "cell_source", "donor", "route")
    texts = {n: [words(t) if isinstance(t, str) else "" for t in studies[n]] for n in told}
    months = ["" if pd.isna(value) else f"{value:g}" for value in studies["months"]]
    return studies.assign(disease=studies["disease"].map(about.words), **texts, months=months)


def rate_cell(row: Mapping[Any, Any], evidence: Evidence) -> str:
    """Write a rate with its interval, and the sign of one that rests on means.

    Parameters
    ----------
    row : mapping
        ``outcome``, ``disease``, and what `interval` reads.
    evidence : Evidence
        What the rate is of.
    """
    modelled = (row["outcome"], row["disease"]) in evidence.from_means
    return f"{interval(row)} {MODELLED_SIGN}" if modelled else interval(row)


class RateRow(NamedTuple):
    """A disease's rate of an outcome, and that of its next trial, in words."""

    disease: str
    studies: int
    patients: int
    rate: str
    next_trial: str
    borrowed: bool

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of a table of one outcome: a rate that is borrowed counts nobody."""
        counted = (BORROWED, "") if self.borrowed else (str(self.studies), str(self.patients))
        return (self.disease, *counted, self.rate, self.next_trial)


def rate_rows(rates: pd.DataFrame, evidence: Evidence) -> list[RateRow]:
    """Lay out the rates of one outcome.

    Parameters
    ----------
    rates : DataFrame
        Columns `outcome, disease, quantity` (`rate`, `new_study`), `q2.5, q50, q97.5`
        (probabilities), `studies, patients, evidence`.
    evidence : Evidence
        What they are of.

    Returns
    -------
    list of RateRow
        One a disease, in their order.
    """
    following = rates[rates["quantity"] == "new_study"].set_index("disease")
    return [
        RateRow(
            evidence.about.words(row["disease"]),
            int(row["studies"]),
            int(row["patients"]),
            rate_cell(row, evidence),
            interval(following.loc[row["disease"]].to_dict()),
            row["evidence"] == BORROWED,
        )
        for row in rates[rates["quantity"] == "rate"].to_dict("records")
    ]


def rates_table(rates: pd.DataFrame, outcome: str, evidence: Evidence, caption: str) -> Table:
    """Tabulate the rates of one outcome by disease, and of a disease not yet tried.

    Parameters
    ----------
    rates : DataFrame
        As for `rate_rows`, of every outcome, and `new_disease` where the pooling has it.
    outcome : str
        The outcome.
    evidence : Evidence
        What they are of.
    caption : str
        What it shows.
    """
    frame = rates[rates["outcome"] == outcome].reset_index(drop=True)
    laid_out = rate_rows(frame, evidence)
    rows = [row.cells for row in laid_out]
    quiet = {place for place, row in enumerate(laid_out) if row.borrowed}
    for untried in frame[frame["quantity"] == "new_disease"].to_dict("records"):
        quiet.add(len(rows))
        rows.append((_NEW_DISEASE, "", "", interval(untried), ""))
    header = ("Disease", "Studies", "Patients", "Rate, median (95 %)", "Next trial (95 %)")
    name = f"rates_{file_name(outcome)}"
    return Table(name, caption, header, rows, frame, quiet=frozenset(quiet))
