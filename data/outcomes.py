"""The dictionary of outcomes: one entry holds everything that an outcome is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Link = Literal["logit", "cloglog"]


@dataclass(frozen=True)
class Outcome:
    """One outcome.

    Attributes
    ----------
    name : str
        Its name in the tables.
    parent : str or None
        The outcome it always lies within (``remission`` within ``improvement``).
    link : {"logit", "cloglog"}
        ``logit`` puts a level on the log-odds scale; ``cloglog`` (complementary log-log with log
        follow-up as offset) on the log hazard per year, so that different follow-ups compare.
    label, short : str
        What was counted, in words; and the same where there is little room. Empty for the name.
    is_harm : bool
        Whether less of it is better.
    threshold : float
        Where nobody names another: a benefit's rate is asked to exceed it, a harm's to stay below.
    level : (float, float) or None
        Mean and standard deviation of the default normal prior of mu, on the linear scale; None
        for the general one.
    also_counts_as : str or None
        An outcome that usual definitions count it in as well: a caution where more have this one.
    """

    name: str
    parent: str | None = None
    link: Link = "logit"
    label: str = ""
    short: str = ""
    is_harm: bool = False
    threshold: float = 0.3
    level: tuple[float, float] | None = None
    also_counts_as: str | None = None

    @property
    def timed(self) -> bool:
        """Whether the outcome's probability depends on the length of follow-up."""
        return self.link == "cloglog"


DICTIONARY = (
    Outcome("improvement", label="Improvement", short="Improved"),
    Outcome("remission", parent="improvement", label="Remission", short="Remission"),
    Outcome("any_ae", label="Any adverse event", short="Any AE", is_harm=True, threshold=0.5),
    Outcome(
        "moderate_severe_ae",
        parent="any_ae",
        label="Moderate or severe adverse event",
        short="Grade ≥ 2 AE",
        is_harm=True,
    ),
    # For rare harms a level of one half is no neutral guess, and dominates where nothing happened.
    Outcome(
        "serious_ae",
        label="Serious adverse event",
        short="Serious AE",
        is_harm=True,
        threshold=0.1,
        level=(-1.5, 1.5),
    ),
    Outcome(
        "death",
        link="cloglog",
        label="Death",
        short="Death",
        is_harm=True,
        threshold=0.1,
        level=(-3, 1.5),
        also_counts_as="serious_ae",
    ),
)

_BY_NAME = {each.name: each for each in DICTIONARY}
OUTCOMES = tuple(_BY_NAME)
PARENTS = {each.name: each.parent for each in DICTIONARY if each.parent}


def outcome(name: str) -> Outcome:
    """Describe an outcome by its name; one that is not of the dictionary is un-nested, logit."""
    return _BY_NAME.get(name) or Outcome(name)
