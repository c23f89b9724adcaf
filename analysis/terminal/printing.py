"""Answers as tables on standard output, for who reads them in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data.names import outcome_words, words
from ..guard.result import CheckResult
from ..paper.words.table import rates_table
from ..paper.words.wording import number
from .console import print_table, printable

if TYPE_CHECKING:
    import pandas as pd

    from ...data.evidence import Evidence
    from ..trial.design import Design


def print_rates(rates: pd.DataFrame, checked: CheckResult, evidence: Evidence) -> None:
    """Print one table an outcome: each disease's rate, and what its next trial may see."""
    for outcome in rates["outcome"].unique():
        table = rates_table(rates, outcome, evidence, outcome_words(outcome))
        print_table(
            f"{table.caption}: {checked.verdict_of(outcome)}",
            (*table.header[:3], "Rate (95 % interval)", table.header[4]),
            table.rows,
        )


def print_checks(checked: CheckResult) -> None:
    """Print one table an outcome: each check, what was seen and what the model expects."""
    header = ("Check", "Observed", "Predicted", "Mid-p", "Verdict")
    for each in checked.outcomes:
        lines = [
            (
                words(one.check),
                *(number(value) for value in (one.observed, one.predicted, one.mid_p)),
                one.verdict,
            )
            for one in each.checks
        ]
        title = f"{outcome_words(each.outcome)}: {each.verdict}. {each.reason}"
        print_table(title, header, lines)


def print_verdict(checked: CheckResult) -> None:
    """Print the guard's verdict, with the reasons of all that does not pass."""
    print(f"guard: {checked.verdict}")
    for each in checked.alarms:
        print(printable(f"  {outcome_words(each.outcome)}: {each.verdict}. {each.reason}"))
    if checked.sampling.verdict in ("warn", "fail"):
        print(f"  sampling: {checked.sampling.verdict}. {checked.sampling.reason}")


def print_design(result: Design) -> None:
    """Print a design's table, of a long one a part, and its paragraph."""
    import pandas as pd

    recommended = getattr(result.answer, "recommended_n", None)
    if result.warning:
        print(printable(result.warning))
    title = result.rule[:1].upper() + result.rule[1:]
    _print_frame(title, result.shown, marked=recommended)
    if result.shown_operating is not None:
        _print_frame("Operating characteristics", result.shown_operating)
    discounted = getattr(result.answer, "discounted", None)
    if discounted is not None:
        title = "Recommended number under discounts for optimism (log-odds)"
        _print_frame(title, pd.DataFrame(discounted.discounts).convert_dtypes())
    compared = getattr(result.answer, "by_set", None)
    if compared is not None:
        _print_frame("Under each prior set", compared.table)
    print(printable(result.paragraph))


def print_frame(title: str, frame: pd.DataFrame) -> None:
    """Print a frame as it is."""
    _print_frame(title, frame)


def _print_frame(title: str, frame: pd.DataFrame, marked: Any = None) -> None:
    header = tuple(words(str(name)) for name in frame.columns)
    lines = [tuple(_cell(value) for value in row) for row in frame.to_numpy(dtype=object).tolist()]
    if marked is not None and "n" in frame:
        place = list(frame.columns).index("n")
        for i, n in enumerate(frame["n"]):
            if n == marked:
                lines[i] = (*lines[i][:place], f"{lines[i][place]} *", *lines[i][place + 1 :])
    print_table(title, header, lines)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else number(value)
