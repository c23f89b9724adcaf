"""What the paragraphs of single-arm and two-arm designs say of a recommended size."""

from __future__ import annotations

from collections.abc import Iterable

from ...data.names import numbered
from .beliefs import Discounted
from .phrases import listed, noise
from .request import Wanted
from .result import Best
from .sizing import Size

NOTHING_WANTED = (
    "No sample size is recommended, since no power is asked for, and no assurance or no design "
    "prior that it could be under."
)
ARTICLES = {"assurance": "an", "power": "a"}


def goal(wanted: Wanted) -> str:
    """Say what a size must reach; nothing where nothing is wanted."""
    return " and ".join(
        f"{ARTICLES[name]} {name} of {value:g}" for name, value in wanted.named.items()
    )


def size_sentences(
    size: Size, unit: str, n_max: int, best: Iterable[Best | None], believed: bool
) -> list[str]:
    """Say the recommended number, what set it, and what stands beside it.

    Parameters
    ----------
    size : Size
        What was chosen.
    unit : str
        What is counted: patients, or patients in total.
    n_max : int
        The largest number in range.
    best : iterable of Best or None
        The largest of each probability, for where no number suffices.
    believed : bool
        Whether there is a design prior.
    """
    if not size.wanted.named:
        return [NOTHING_WANTED]
    if size.recommended_n is None:
        known = [each for each in best if each is not None and each.name in size.wanted.named]
        return [*_none(size, n_max, known), *_interval(size, n_max)]
    n = size.recommended_n
    text = [
        f"The recommended number is {n} {unit}: it and every larger one up to {n_max} reach "
        f"{goal(size.wanted)}."
    ]
    if size.smallest_n != n:
        text.append(
            f"The smallest single number that does is {size.smallest_n}; some numbers between do "
            "not, since exact probabilities rise in a sawtooth."
        )
    return [*text, _set_by(size, believed), *_interval(size, n_max)]


def _set_by(size: Size, believed: bool) -> str:
    if size.set_by == "n_min":
        return f"It is the smallest number looked at (n_min {size.recommended_n})."
    text = f"The number is set by the {size.set_by}"
    others = [f"the {name} alone needs {n}" for name, n in size.needed.items()]
    if len(others) > 1:
        text += f": {listed(others)}"
    elif believed and "assurance" not in size.needed:
        text += "; no assurance is required"
    return text + "."


def _interval(size: Size, n_max: int) -> list[str]:
    if size.recommended_n_interval is None:
        return []
    low, high = size.recommended_n_interval
    upper = f"more than {n_max}" if high is None else f"{high}"
    return [
        f"Within the Monte-Carlo error of the design prior's draws the number is between {low} "
        f"and {upper} (95 %); more draws narrow this, and an integrated fit has no such error."
    ]


def error_sentence(size: Size, n_max: int, error: float, allowed: float) -> list[str]:
    """Say which number also keeps the type I error, where the recommended one does not."""
    if size.recommended_n is None or error <= allowed:
        return []
    also = size.recommended_n_type1
    if also is None:
        return [f"No larger number up to {n_max} keeps it at {allowed:g}; give type1 to bound it."]
    return [f"The smallest larger number with a type I error of at most {allowed:g} is {also}."]


def _none(size: Size, n_max: int, best: Iterable[Best]) -> list[str]:
    """Say that no size reaches what is wanted, and the best there is."""
    text = f"No number of patients up to {n_max} reaches {goal(size.wanted)}"
    if size.smallest_n is not None:
        text += f" with every larger number, though {size.smallest_n} does alone"
    for each in best:
        text += (
            f"; the best {each.name} is {each.value:.3f}{noise(each.mcse)}, at "
            f"{numbered(each.n, 'patient')}"
        )
    return [text + "."]


def out_of_reach(wanted: float | None, attainable: float) -> str:
    """Say that no trial of any size has the wanted assurance, where that is so."""
    if wanted is None or attainable >= wanted:
        return ""
    return f", below the wanted {wanted:g}: no number of patients, however large, reaches it"


def under_discounts(found: Discounted | None) -> list[str]:
    """Say the recommended size at each discount, and the first that leaves none."""
    if found is None:
        return []
    at = listed(f"{row.recommended_n or 'none'} at {row.discount:g}" for row in found.discounts)
    text = [f"Under discounts for optimism (log-odds) the recommended number is {at}."]
    if found.discount_limit is not None:
        text.append(
            f"From a discount of {found.discount_limit:.2f} on no number in range suffices with "
            "every larger one."
        )
    return text
