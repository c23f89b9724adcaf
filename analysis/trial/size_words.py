"""What the paragraphs of single-arm and two-arm designs say of a recommended size."""

from __future__ import annotations

from collections.abc import Iterable

from .beliefs import Discounted
from .phrases import listed, noise
from .result import Best

NOTHING_WANTED = (
    "No sample size is recommended, since no power is asked for, and no assurance or no design "
    "prior that it could be under."
)


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
