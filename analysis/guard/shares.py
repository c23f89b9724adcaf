"""Shares of data sets, with the interval that so many tell them within."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def share(name: str, count: int, of: int) -> dict[str, float]:
    """Give a share under its name, and Wilson's 95 % interval as ``_low`` and ``_high``.

    Parameters
    ----------
    name : str
        The share's name.
    count, of : int
        So many, of so many.

    References
    ----------
    Wilson 1927, doi 10.1080/01621459.1927.10502953.
    """
    from scipy.stats import binomtest  # slow to import, and needed where rates are measured only

    interval = binomtest(count, of).proportion_ci(method="wilson")
    return {name: count / of, f"{name}_low": interval.low, f"{name}_high": interval.high}


def verdict_shares(verdicts: Sequence[str]) -> dict[str, float]:
    """Give the shares of data sets that ``fail``, and that ``warn_or_fail``, as `share` does."""
    remarked = sum(verdict != "pass" for verdict in verdicts)
    return {
        **share("fail", sum(verdict == "fail" for verdict in verdicts), len(verdicts)),
        **share("warn_or_fail", remarked, len(verdicts)),
    }


def in_words(row: Mapping[Any, Any], name: str) -> str:
    """Write a share of a row with its interval: 31 % (23 to 41 %)."""
    share, low, high = _percent(row, name, 0)
    return f"{share} % ({low} to {high} %)"


def cells_of(row: Mapping[Any, Any], name: str) -> str:
    """Write a share of a row and its interval in two cells of a Markdown table."""
    share, low, high = _percent(row, name, 1)
    return f"{share}% | {low}% to {high}%"


def _percent(row: Mapping[Any, Any], name: str, digits: int) -> list[str]:
    return [f"{100 * row[key]:.{digits}f}" for key in (name, f"{name}_low", f"{name}_high")]
