"""The answer at a glance: how often each outcome is seen in each disease, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass

from ....data.names import outcome_words
from ..frames.results import Results, rates_of
from ..words.table import BORROWED
from ..words.wording import interval, numbered

#: Patients from which on a rate rests on some and on many.
SOME, MANY = 20, 100


@dataclass(frozen=True)
class Cell:
    """One rate in words, what it rests on and how much that is, and its outcome's verdict."""

    outcome: str
    verdict: str
    rate: str
    span: str
    basis: str
    strength: str


@dataclass(frozen=True)
class Answer:
    """A table: outcomes with the guard's verdicts, diseases with their rates."""

    outcomes: list[tuple[str, str]]
    rows: list[tuple[str, list[Cell]]]


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
    rows = [
        (results.disease(str(disease)), [_cell(row, results) for row in own.to_dict("records")])
        for disease, own in rates.groupby("disease", sort=False)
    ]
    outcomes = [(outcome_words(name), results.verdict_of(name)) for name in results.outcomes]
    return Answer(outcomes, rows)


def _cell(row: dict, results: Results) -> Cell:
    rate, _, span = interval(row).partition(" (")
    if row["evidence"] == BORROWED:
        basis, strength = BORROWED, BORROWED
    else:
        patients = int(row["patients"])
        basis = numbered(patients, "patient")
        strength = "many" if patients >= MANY else "some" if patients >= SOME else "few"
    outcome = outcome_words(row["outcome"])
    verdict = results.verdict_of(row["outcome"])
    return Cell(outcome, verdict, rate, span.rstrip(")"), basis, strength)
