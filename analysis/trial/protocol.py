"""A design as the statistics section of a protocol, whose every number is the answer's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import pandas as pd

from ...data.errors import InputError
from ...data.names import outcome_in_text, words
from .checks import check_dropout
from .phrases import chance, listed
from .protocol_checklist import checklist, watched
from .protocol_evidence import (
    evidence_sentences,
    parts_behind,
    prior_sentences,
    seed_sentence,
)
from .protocol_parts import Content, Grid, Part
from .protocol_sources import references_of
from .protocol_text import as_markdown
from .protocol_word import as_docx
from .result import DesignResult

#: What the trial's people must fill in stands between these.
OPEN = "[TO BE COMPLETED: {}]"
TITLES = {
    "single-arm": "Single-arm trial",
    "two-arm": "Randomised two-arm trial",
    "precision": "Single-arm trial sized for the width of an interval",
    "safety": "Monitoring of an adverse event",
    "monitor": "Single-arm trial with interim analyses",
    "two-stage": "Single-arm trial in two stages",
}
_MOST_ROWS = 12
# Told in sentences.
_BESIDE = ("type1_above",)
# As they were asked for.
_GIVEN = ("rate", "control", "experimental")
_HEADINGS = {
    "n": "Patients",
    "critical": "Critical count",
    "type1": "Type I error",
    "type1_max": "Largest type I error",
    "width": "Expected width",
    "assurance_mcse": "Monte-Carlo error of the assurance",
    "width_mcse": "Monte-Carlo error of the width",
    "stop_at": "Stop at events",
    "clear_at": "Clear at events",
    "rate": "True rate",
    "expected_n": "Patients on average",
    "pet": "Early termination at the null",
    "alpha": "Type I error",
    "r1": "Stop at most (first stage)",
    "n1": "Patients (first stage)",
    "r": "Reject above",
}


@dataclass(frozen=True)
class Protocol(Content):
    """The statistics section of a trial's protocol."""

    @property
    def markdown(self) -> str:
        """The section as Markdown."""
        return as_markdown(self)

    @property
    def docx(self) -> bytes:
        """The content of a Word document."""
        return as_docx(self)

    def __repr__(self) -> str:
        """Say in a line what it is, and what is open."""
        still = sum(not item.filled for item in self.items)
        return (
            f"<protocol: {self.title}, {still} of {len(self.items)} items open; .markdown, .docx>"
        )

    def _repr_markdown_(self) -> str:
        return self.markdown


def protocol_of(result: DesignResult, behind: Any = None, dropout: float | None = None) -> Protocol:
    """Write a design down for a protocol.

    Parameters
    ----------
    result : DesignResult
        The answer.
    behind : FitPriors, EffectPriors or None
        What the priors were taken from.
    dropout : float, optional
        Share of the patients that will not be evaluable: the number is raised by it.

    Returns
    -------
    Protocol
        Its sections; what only the trial's people know is left as a marked blank.

    Raises
    ------
    InputError
        A design that plans no trial, or a share that is none.
    """
    design = result.request.design
    if not result.request.plans_trial:
        raise InputError(f"design {design} plans no trial: there is nothing for a protocol")
    check_dropout(dropout)
    parts = (
        Part("Endpoint", tuple(_endpoint(behind))),
        Part("Hypotheses", tuple(_hypotheses(result.request))),
        Part("Decision rule", tuple(_rule(result))),
        Part("Sample size", tuple(_sizes(result, dropout))),
        Part("Operating characteristics", tuple(_operating(result))),
        Part("Priors and their evidence", (*prior_sentences(result), *evidence_sentences(behind))),
        Part("Robustness to the prior", tuple(_robustness(result))),
        Part("Summary", (result.paragraph,)),
        Part("Software", (_software(), seed_sentence(behind))),
        Part("References", (references_of(result, behind),)),
    )
    raised = {} if dropout is None else _enrolment(result, dropout)
    return Protocol(TITLES[design], parts, checklist(result, behind, dropout), raised)


def _enrolment(result: DesignResult, dropout: float) -> dict[str, int]:
    return {name: enrolled(n, dropout) for name, n in numbers_of_patients(result).items()}


def _endpoint(behind: Any) -> Iterator[str]:
    for part in parts_behind(behind)[:1]:
        yield (
            f"The outcome is {outcome_in_text(str(part.outcome))} in "
            f"{str(part.disease).replace('_', ' ')}, as counted in the evidence."
        )
    yield OPEN.format("definition of the endpoint, instrument and threshold, assessor, time point")
    yield OPEN.format("population and intercurrent events (estimand)")


def _hypotheses(request: Any) -> Iterator[str]:
    if request.design == "precision":
        yield (
            "No hypothesis is tested. The aim is an interval for the rate that is at most "
            f"{request.width:g} wide."
        )
        return
    if request.design == "two-arm":
        less, more = ("at most", "above") if request.direction == "above" else ("at least", "below")
        what = "difference in rates (experimental minus control)"
        yield f"Null hypothesis: the true {what} is {less} {request.margin:g}."
        yield f"Alternative: it is {more} {request.margin:g}."
        return
    if request.null is None:
        yield "No hypothesis is tested: the trial watches how often the event happens."
        return
    if request.design == "safety":
        yield f"Acceptable: a true rate of at most {request.null:g}."
        yield f"Unacceptable: a true rate above {request.null:g}" + (
            f", such as {request.target:g}." if request.target is not None else "."
        )
        return
    below = getattr(request, "direction", "above") == "below"
    less, more = ("at least", "below") if below else ("at most", "above")
    yield f"Null hypothesis: the true rate is {less} {request.null:g}."
    target = request.target
    hoped = "" if target is None else f" The rate hoped for is {target:g}."
    yield f"Alternative: it is {more} {request.null:g}.{hoped}"


def _rule(result: DesignResult) -> Iterator[str]:
    yield f"{result.rule[:1].upper()}{result.rule[1:]}."
    error = getattr(result.answer, "error_rate", None)
    if error is None:
        return
    text = f"The exact probability of a wrong decision against the null is {shown(error.overall)}"
    if error.overall_binding != error.overall:
        text += f" ({shown(error.overall_binding)} where early stops are binding)"
    yield f"{text}{', over all looks' if watched(result.request) else ''}."
    if error.wanted is not None:
        yield f"It is bounded by {error.wanted:g}."


def numbers_of_patients(result: DesignResult) -> dict[str, int]:
    """Return the evaluable patients that a design asks for, by what they are; empty where none."""
    answer, request = result.answer, result.request
    if request.design == "single-arm":
        found = {"patients": answer.recommended_n}
    elif request.design == "two-arm":
        row = answer.looks[-1] if watched(request) else answer.shown
        chosen = request.sized or answer.recommended_n is not None
        found = {
            "experimental patients": row.n_experimental if chosen else None,
            "control patients": row.n_control if chosen else None,
        }
    elif request.design == "precision":
        found = {f"patients ({words(name).upper()})": n for name, n in answer.sizes.items()}
    elif request.design == "two-stage":
        found = {f"patients ({name} design)": each.n for name, each in answer.named.items()}
    else:
        found = {"patients": request.looks[-1]}
    return {name: n for name, n in found.items() if n is not None}


def enrolled(n: int, dropout: float) -> int:
    """Return how many to enrol so that `n` remain on average."""
    # Rounding must not add a patient where the division is whole.
    return math.ceil(round(n / (1 - dropout), 9))


def _sizes(result: DesignResult, dropout: float | None) -> Iterator[str | tuple[str, ...]]:
    numbers = numbers_of_patients(result)
    if not numbers:
        yield "No number of patients in range suffices: " + OPEN.format("a design that does")
        return
    yield f"Evaluable: {listed(f'{n} {name}' for name, n in numbers.items())}."
    if dropout is None:
        yield OPEN.format("expected drop-out, by which the number is raised")
        return
    raised = listed(f"{n} {name}" for name, n in _enrolment(result, dropout).items())
    yield f"With a drop-out of {100 * dropout:g} %, the trial enrols {raised}."


def _operating(result: DesignResult) -> Iterator[Grid]:
    table = result.table
    recommended = getattr(result.answer, "recommended_n", None)
    if result.request.design == "single-arm":
        table = table[table["n"] == recommended] if recommended is not None else table.tail(1)
    elif result.request.design == "two-arm" and not watched(result.request):
        row = result.answer.shown
        at = (table["n_experimental"] == row.n_experimental) & (table["n_control"] == row.n_control)
        table = table[at]
    caption = "Counts that end the trial, by look" if watched(result.request) else "The design"
    yield grid_of(caption if numbers_of_patients(result) else "The largest size in range", table)
    operating = result.operating
    if operating is not None and len(operating):
        step = -(-len(operating) // _MOST_ROWS)
        caption = "Exact operating characteristics at true rates"
        yield grid_of(f"{caption} (a part)" if step > 1 else caption, operating.iloc[::step])


def _robustness(result: DesignResult) -> Iterator[Grid | str]:
    """Give the number under discounts for optimism and under other prior sets, where asked for."""
    discounted = getattr(result.answer, "discounted", None)
    compared = getattr(result.answer, "by_set", None)
    if discounted is not None:
        rows = tuple(
            (f"{row.discount:g}", shown(row.recommended_n)) for row in discounted.discounts
        )
        header = ("Discount (log-odds)", "Patients")
        yield Grid("The number when the design prior is less optimistic", header, rows)
    if compared is not None:
        yield grid_of("The answer under other prior sets", compared.table)
    if discounted is None and compared is None:
        yield OPEN.format("how far the decision depends on the prior")


def grid_of(caption: str, table: pd.DataFrame) -> Grid:
    """Write a table's cells; numbers keep four digits, and no probability is written as certain."""
    kept = [name for name in table.columns if name not in _BESIDE and table[name].notna().any()]
    rows = tuple(
        tuple(
            f"{value:g}" if name in _GIVEN and pd.notna(value) else shown(value)
            for name, value in zip(kept, row, strict=True)
        )
        for row in table[kept].to_numpy(dtype=object).tolist()
    )
    return Grid(caption, tuple(_heading(str(name)) for name in kept), rows)


def _heading(name: str) -> str:
    if name.startswith("power_"):
        return f"Power at {name.removeprefix('power_')}"
    return _HEADINGS.get(name, words(name))


def shown(value: Any) -> str:
    """Write a value of the answer."""
    if pd.isna(value):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, float):
        return str(value)
    if 0 <= value <= 1:
        return chance(value)
    return f"{value:g}" if value == int(value) else f"{value:.2f}"


def _software() -> str:
    named = {name: version(name) for name in ("mscpool", "numpy", "scipy")}
    return f"Computed with {listed(f'{name} {value}' for name, value in named.items())}."
