"""Phrases that the paragraphs of several designs share."""

from __future__ import annotations

import math
from collections.abc import Iterable


def noise(error: float | None) -> str:
    """Say the Monte-Carlo error of a number that is averaged over draws; nothing of any other."""
    return "" if error is None else f" (Monte-Carlo standard error {rate_words(error)})"


def listed(parts: Iterable[str]) -> str:
    """Join phrases as a sentence does: commas, and an "and" before the last."""
    *head, last = list(parts)
    return f"{', '.join(head)} and {last}" if head else last


def percent(share: float) -> str:
    """Write a computed share as a percentage: whole, a small one in two digits."""
    return f"{100 * share:.0f} %" if share >= 0.0995 or share <= 0 else f"{100 * share:.2g} %"


def chance(probability: float) -> str:
    """Write an exact probability in four decimals; neither certain nor impossible unless it is."""
    text = f"{probability:.4f}"
    if text == "1.0000":
        return "1" if probability >= 1 else "above 0.9999"
    if text == "0.0000":
        return "0" if probability <= 0 else "below 0.0001"
    return text


def rate_words(rate: float) -> str:
    """Write a rate in three decimals, a small one in two digits."""
    decimals = 3 if rate >= 0.1 or rate <= 0 else min(1 - math.floor(math.log10(rate)), 6)
    return f"{rate:.{decimals}f}"
