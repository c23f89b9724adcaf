"""How numbers and names are written: probabilities as percentages, with their intervals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd


def without_tags(text: str) -> str:
    """Keep what opens an HTML tag in Markdown from doing so: names come from tables of others."""
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def percent(value: float, digits: int | None = None) -> str:
    """Write a probability as a percentage, small ones with a digit more; none as a dash."""
    if value is None or value != value:
        return "–"
    digits = int(abs(value) < 0.1) if digits is None else digits
    return f"{100 * value:.{digits}f} %"


def interval(row: Mapping[Any, Any], names: tuple[str, str, str] = ("q50", "q2.5", "q97.5")) -> str:
    """Write a probability and its central 95 % interval as percentages."""
    middle, low, high = (float(row[name]) for name in names)
    if middle != middle:
        return "–"
    digits = int(high < 0.2)
    return f"{percent(middle, digits)} ({100 * low:.{digits}f} to {100 * high:.{digits}f})"


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


def span(low: float, high: float) -> str:
    """Write a range of probabilities as percentages."""
    digits = int(high < 0.2)
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def number(value: Any) -> str:
    """Write a number in three digits; a missing one as a dash."""
    if value is None or pd.isna(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def signed(value: Any, digits: int = 2) -> str:
    """Write a number with a true minus sign; a missing one as a dash."""
    missing = value is None or pd.isna(value)
    return "–" if missing else f"{value:.{digits}f}".replace("-", "−")


def numbered(n: Any, one: str, many: str = "") -> str:
    """Write how many there are of something."""
    return f"{number(n)} {one if n == 1 else many or one + 's'}"


def count(low: Any, high: Any) -> str:
    """Write a count, or the bounds of one."""
    return f"{low}" if low == high else f"{low} to {high}"


def listed(names: list[str]) -> str:
    """Join names as a sentence does."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
