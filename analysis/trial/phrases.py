"""Phrases that the paragraphs of several designs share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .beliefs import Discounted
    from .result import Best

NOTHING_WANTED = (
    "No sample size is recommended, since no power is asked for, and no assurance or no design "
    "prior that it could be under."
)


def noise(error: float | None) -> str:
    """Say the Monte-Carlo error of a number that is averaged over draws; nothing of any other."""
    return "" if error is None else f" (Monte-Carlo standard error {rate_words(error)})"


def listed(parts: Iterable[str]) -> str:
    """Join phrases as a sentence does: commas, and an "and" before the last."""
    *head, last = list(parts)
    return f"{', '.join(head)} and {last}" if head else last


def counted(count: int | None) -> str:
    """Say a number of events."""
    return f"{count} event" if count == 1 else f"{count} events"


def rate_words(rate: float) -> str:
    """Write a rate in three decimals, a small one in two digits."""
    decimals = 3 if rate >= 0.1 or rate <= 0 else min(1 - math.floor(math.log10(rate)), 6)
    return f"{rate:.{decimals}f}"


def wanted(assurance: float | None, power: float | None) -> str:
    """Say what a size must reach; nothing where nothing is wanted."""
    named = (("an assurance", assurance), ("a power", power))
    return " and ".join(f"{what} of {value:g}" for what, value in named if value is not None)


def none_reaches(n_max: int, what: str, best: Iterable[Best | None]) -> str:
    """Say that no size reaches what is wanted, and the best there is."""
    text = f"No number of patients up to {n_max} reaches {what} lastingly"
    for each in best:
        if each is not None:
            text += (
                f"; the best {each.name} is {each.value:.3f}{noise(each.mcse)}, at {each.n} "
                "patients"
            )
    return text + "."


def under_discounts(found: Discounted | None) -> list[str]:
    """Say the recommended size at each discount, and the first that leaves none."""
    if found is None:
        return []
    at = listed(f"{row.recommended_n or 'none'} at {row.discount:g}" for row in found.discounts)
    text = [f"Under discounts for optimism (log-odds) the recommended number is {at}."]
    if found.discount_limit is not None:
        text.append(
            f"From a discount of {found.discount_limit:.2f} on no number in range suffices "
            "lastingly."
        )
    return text
