"""Moderators in words: what is compared, what it takes from the spread, where rates stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ....data.names import outcome_words, words
from .wording import percent, probability, ratio_interval, supported

_LABELS = {
    "cell_group": "Cell source",
    "follow_up_months": "Follow-up in months",
    "n_msc": "Patients treated",
}
_ESTIMATED = {
    "mu": "the overall level",
    "tau": "how much diseases differ",
    "sigma": "how much studies of one disease differ",
}
_PARAMETERS = {"sigma": "between studies (sigma)", "tau": "between diseases (tau)"}


def moderator_words(name: str) -> str:
    """Name a moderator."""
    return _LABELS.get(name) or words(name)


def moderator_in_text(name: str) -> str:
    """Name a moderator within a sentence."""
    label = moderator_words(name)
    return label[:1].lower() + label[1:]


def comparison_words(row: Mapping[str, Any]) -> str:
    """Say what a coefficient compares: a unit of a number, or two levels of a text."""
    name = moderator_words(str(row["moderator"]))
    if row["per"] == "contrast":
        return f"{name}: {level_words(row['contrast'])} against {level_words(row['reference'])}"
    return f"{name}, {'one more' if row['per'] == 'unit' else 'one SD more'}"


def parameter_words(parameter: str) -> str:
    """Name a parameter of the hierarchy, or a coefficient (`coefficient_name`), in a sentence."""
    if parameter in _ESTIMATED:
        return _ESTIMATED[parameter]
    inside = parameter.removeprefix("beta[").removesuffix("]")
    name, _, levels = inside.partition(": ")
    compared = f" ({level_words(levels)})" if levels else ""
    return f"what goes with {moderator_in_text(name)}{compared}"


def level_words(value: object) -> str:
    """Write a value of a moderator."""
    return f"{value:.5g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def coefficient_rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Lay out coefficients: what is compared, the ratio, the probability of its sign, studies."""
    rows: list[dict[Any, Any]] = table.to_dict("records")
    return [
        (
            comparison_words(row),
            ratio_interval(row),
            probability(row["probability_positive"]),
            str(row["studies"]),
        )
        for row in rows
    ]


def spread_rows(spread: pd.DataFrame) -> list[tuple[str, ...]]:
    """Lay out sigma and tau without and with moderators, and the share of variance taken."""
    rows: list[dict[Any, Any]] = spread.to_dict("records")
    return [
        (
            outcome_words(row["outcome"]),
            _PARAMETERS[row["parameter"]],
            spread_interval(row, "without"),
            spread_interval(row, "with"),
            taken_words(row),
        )
        for row in rows
    ]


def taken_words(row: Any) -> str:
    """Write the share of variance that moderators take, with its error where that is seen."""
    if row["taken"] != row["taken"]:
        return "–"
    error = f" (± {100 * row['taken_mcse']:.0f})" if row["taken_mcse"] >= 0.005 else ""
    return f"{percent(row['taken'], 0)}{error}"


def spread_interval(row: Any, fit: str) -> str:
    """Write a standard deviation of the fit ``without`` or ``with`` moderators, median and 95 %."""
    middle, low, high = (spread_number(row, name, fit) for name in ("q50", "q2.5", "q97.5"))
    return f"{middle} ({low} to {high})"


def spread_number(row: Any, name: str, fit: str) -> str:
    """Write one of its quantiles in the digits that the error of its mean supports."""
    return f"{row[f'{name}_{fit}']:z.{supported(2, row[f'mcse_mean_{fit}'])}f}"


def at_words(at: Mapping[str, float | str], of: str = "rates") -> str:
    """Say which values of the moderators rates, or effects, are reported at."""
    named = [f"{moderator_words(name)} {level_words(value)}" for name, value in at.items()]
    return f"{words(of)} are those at {', '.join(named)}."
