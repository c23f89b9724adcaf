"""What a fit says of its moderators, as tables and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data.names import outcome_words
from ..fitting.moderated import heterogeneity, moderators, reported_at
from ..guard.result import CheckResult
from ..paper.words.moderators import at_words, coefficient_rows, spread_rows
from .console import print_table, printable

if TYPE_CHECKING:
    from xarray import DataTree


def moderators_answer(made: DataTree) -> dict[str, Any]:
    """Give moderators, what they take from the spread, and where rates are reported, for JSON."""
    rows: list[dict[Any, Any]] = moderators(made).to_dict("records")
    quantiles = ("q2.5", "q50", "q97.5")
    coefficients = [
        {name: value for name, value in row.items() if not name.startswith("ratio_")}
        | {"ratio": {name: row[f"ratio_{name}"] for name in quantiles}}
        for row in rows
    ]
    return {
        "moderators": coefficients,
        "heterogeneity": heterogeneity(made),
        "at": reported_at(made),
    }


def print_moderators(made: DataTree, checked: CheckResult, of: str = "rates") -> None:
    """Print one table an outcome of coefficients, and one of what they take from the spread."""
    table, spread = moderators(made), heterogeneity(made)
    for outcome in table["outcome"].unique():
        print_table(
            f"Why studies differ: {outcome_words(outcome)}: {checked.verdict_of(outcome)}",
            ("Moderator", "Odds or hazard ratio (95 %)", "P(above 1)", "Studies"),
            coefficient_rows(table[table["outcome"] == outcome]),
        )
    print_table(
        "Spread between studies and diseases (log scale)",
        ("Outcome", "Parameter", "Without moderators", "With them", "Variance taken"),
        spread_rows(spread),
    )
    print(printable(at_words(reported_at(made), of)))
