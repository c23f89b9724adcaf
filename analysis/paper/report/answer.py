"""The answer at a glance: how often each outcome is seen in each disease, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ....data.means import MODELLED_SIGN
from ....data.names import numbered, outcome_words
from ....data.outcomes import outcome as described
from ..frames.results import Results, rates_of
from ..words.table import BORROWED
from ..words.wording import interval

#: Patients from which on a rate rests on some and on many.
SOME, MANY = 20, 100


@dataclass(frozen=True)
class Column:
    """An outcome in words, its verdict, and whether a narrow screen first leaves it out."""

    label: str
    verdict: str
    further: bool


@dataclass(frozen=True)
class Cell:
    """One rate in words, what it rests on and how much that is."""

    outcome: Column
    rate: str
    span: str
    basis: str
    strength: str


@dataclass(frozen=True)
class Answer:
    """A table: outcomes with the guard's verdicts, diseases with their rates."""

    outcomes: list[Column]
    rows: list[tuple[str, list[Cell]]]

    @property
    def further(self) -> bool:
        """Whether a narrow screen leaves outcomes out."""
        return any(each.further for each in self.outcomes)


def answer(results: Results) -> Answer:
    """Give every disease's rates, with what they rest on.

    Parameters
    ----------
    results : Results
        A fit with all that was found of it.

    Returns
    -------
    Answer
        Posterior medians with central 95 % intervals; the strength of a cell is `borrowed`, `few`,
        `some` or `many`, by the patients that it rests on.
    """
    rates = rates_of(results)
    rates = rates[rates["quantity"] == "rate"]
    first = first_shown(results.outcomes)
    columns = {
        name: Column(outcome_words(name), results.verdict_of(name), name not in first)
        for name in results.outcomes
    }
    rows = [
        (
            results.disease(str(disease)),
            [_cell(row, columns, results) for row in own.to_dict("records")],
        )
        for disease, own in rates.groupby("disease", sort=False)
    ]
    return Answer(list(columns.values()), rows)


def first_shown(outcomes: Sequence[str]) -> list[str]:
    """Give the outcomes for which a narrow screen has room: two benefits and a harm.

    Parameters
    ----------
    outcomes : sequence of str
        Those of the fit, in order.

    Returns
    -------
    list of str
        At most three. The harm is one that lies within another, and so is graded, if there is one;
        where there are fewer benefits or no harm, the others follow in their order.
    """
    harms = [name for name in outcomes if described(name).is_harm]
    graded = [name for name in harms if described(name).parent in outcomes] or harms
    benefits = [name for name in outcomes if name not in harms]
    ranked = [*benefits[:2], *graded[:1], *benefits[2:], *harms]
    return list(dict.fromkeys(ranked))[:3]


def _cell(row: dict, columns: Mapping[str, Column], results: Results) -> Cell:
    rate, _, span = interval(row).partition(" (")
    if row["evidence"] == BORROWED:
        basis, strength = BORROWED, BORROWED
    else:
        patients = int(row["patients"])
        basis = numbered(patients, "patient")
        if (row["outcome"], row["disease"]) in results.evidence.from_means:
            basis += f", from means {MODELLED_SIGN}"
        strength = "many" if patients >= MANY else "some" if patients >= SOME else "few"
    return Cell(columns[row["outcome"]], rate, span.rstrip(")"), basis, strength)
