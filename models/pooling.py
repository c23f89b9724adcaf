"""How diseases inform each other: the poolings, each with its words, and what follows from one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..data.mistakes import one_of

Pooling = Literal["partial", "complete", "none", "exnex", "robust"]

#: Degrees of freedom of the disease effects under ``robust`` pooling.
ROBUST_DEGREES = 4


@dataclass(frozen=True)
class PoolingKind:
    """What a pooling is.

    Attributes
    ----------
    words : str
        Its name for a reader, within a sentence.
    sentence : str
        What it says of the levels of diseases.
    has_tau : bool
        Whether there is a standard deviation between diseases.
    """

    words: str
    sentence: str
    has_tau: bool


POOLINGS: dict[str, PoolingKind] = {
    "partial": PoolingKind(
        "partial pooling",
        "Disease levels are normal around a common level (partial pooling)",
        has_tau=True,
    ),
    "complete": PoolingKind(
        "complete pooling", "All diseases share one level (complete pooling)", has_tau=False
    ),
    "none": PoolingKind(
        "no pooling", "Each disease has a level of its own (no pooling)", has_tau=False
    ),
    "exnex": PoolingKind(
        "exchangeable or not (EXNEX) pooling",
        "Each disease level is exchangeable with the others with a given weight (EXNEX)",
        has_tau=True,
    ),
    "robust": PoolingKind(
        "robust (Student-t) partial pooling",
        f"Disease levels are Student-t ({ROBUST_DEGREES} degrees of freedom) around a common level",
        has_tau=True,
    ),
}
#: What is said in place of a pooling's sentence where there is one disease.
ALONE = "There is one disease, with a level of its own"


def structure(pooling: str, diseases: Sequence[str]) -> str:
    """Name the structure of the levels: the pooling, or ``single`` where there is one disease.

    Raises
    ------
    InputError
        An unknown pooling.
    """
    chosen = one_of(pooling, POOLINGS, "pooling")
    return "single" if len(diseases) == 1 else chosen


def has_tau(pooling: str, diseases: Sequence[str]) -> bool:
    """Whether the model has a standard deviation between diseases."""
    return structure(pooling, diseases) != "single" and POOLINGS[pooling].has_tau
