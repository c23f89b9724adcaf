"""How numbers and names are written: probabilities as percentages, with their intervals."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from ....data.written import fixed


def without_tags(text: str) -> str:
    """Keep what opens an HTML tag in Markdown from doing so: names come from tables of others."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def supported(digits: int, error: float | None) -> int:
    """Give the decimals that an error supports.

    Parameters
    ----------
    digits : int
        Decimals wanted.
    error : float or None
        Standard error of the number; None or nan where there is none.

    Returns
    -------
    int
        As many of these as leave two errors within one unit of the last.
    """
    while digits > 0 and error is not None and 2 * error > 10.0**-digits:
        digits -= 1
    return digits


def percent(value: float, digits: int | None = None, error: float | None = None) -> str:
    """Write a probability as a percentage, small ones with a digit more; none as a dash."""
    written = _hundredfold(value, int(abs(value or 0) < 0.1) if digits is None else digits, error)
    return written if written == "–" else f"{written} %"


def _hundredfold(value: float | None, digits: int, error: float | None) -> str:
    if value is None or value != value:
        return "–"
    return f"{100 * value:z.{supported(digits, None if error is None else 100 * error)}f}"


def interval(row: Mapping[Any, Any], names: tuple[str, str, str] = ("q50", "q2.5", "q97.5")) -> str:
    """Write a probability and its central 95 % interval, in the digits that the errors support."""
    digits = int(float(row[names[2]]) < 0.2)
    middle, low, high = (
        _hundredfold(float(row[name]), digits, row.get(f"mcse_{name}")) for name in names
    )
    return middle if middle == "–" else f"{middle} % ({low} to {high})"


def probability(value: float) -> str:
    """Write a probability in whole percent, never as certain."""
    if value > 0.99:
        return "above 99 %"
    return "below 1 %" if value < 0.01 else percent(value, 0)


def ratio(value: float) -> str:
    """Write a ratio of odds, hazards or rates."""
    return f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def ratio_interval(row: Mapping[Any, Any], name: str = "ratio") -> str:
    """Write a ratio and its central 95 % interval, whose columns begin with a name."""
    middle, low, high = (ratio(float(row[f"{name}_{q}"])) for q in ("q50", "q2.5", "q97.5"))
    return f"{middle} ({low} to {high})"


def span(row: Mapping[Any, Any], names: tuple[str, str] = ("q2.5", "q97.5")) -> str:
    """Write a range of probabilities as percentages, in the digits that the errors support."""
    digits = int(float(row[names[1]]) < 0.2)
    low, high = (_hundredfold(float(row[name]), digits, row.get(f"mcse_{name}")) for name in names)
    return f"{low} to {high} %"


def number(value: Any, error: float | None = None, digits: int = 3) -> str:
    """Write a number in three digits, or as many as its error supports; a missing one as a dash."""
    if value is None or pd.isna(value):
        return "–"
    if abs(value) >= min(100, 10**digits - 0.5):
        return f"{value:,.0f}"
    if error is None or not error > 0:
        return f"{value:z.{digits}g}"
    decimals = digits - 1 - math.floor(math.log10(abs(value))) if value else digits
    return f"{value:z.{supported(decimals, error)}f}"


def signed(value: Any, digits: int = 2, error: float | None = None) -> str:
    """Write a number with a true minus sign; a missing one as a dash."""
    if value is None or pd.isna(value):
        return "–"
    return fixed(value, supported(digits, error))


def count(low: Any, high: Any) -> str:
    """Write a count, or the bounds of one."""
    return f"{low}" if low == high else f"{low} to {high}"


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
