"""What a comparison of prior sets is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ...data.evidence import Evidence
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting.fit import terms_of
from ..fitting.sampling import Sampling
from .questions import Question


@dataclass(frozen=True, eq=False)
class ComparisonRequest:
    """A request for a comparison of prior sets, whichever engine answers it.

    Attributes
    ----------
    evidence : Evidence
        The analysis set.
    sets : tuple of PriorSet
        The sets, the reference first.
    pooling : str
        How diseases inform each other.
    questions : mapping of str to Question
        The conclusion that is asked for, by outcome; empty for none.
    confidence : float
        Probability that a conclusion needs.
    sampling : Sampling
        Of the fits that have to be made; its seed is that of every random draw.
    """

    evidence: Evidence
    sets: tuple[PriorSet, ...]
    pooling: str
    questions: Mapping[str, Question]
    confidence: float
    sampling: Sampling

    @property
    def reference(self) -> PriorSet:
        """The set that the others are compared with."""
        return self.sets[0]

    @property
    def seed(self) -> int:
        """The seed of every random draw."""
        return self.sampling.seed

    @cached_property
    def terms(self) -> Terms:
        """The terms of the likelihood."""
        return terms_of(self.evidence)

    @property
    def reported(self) -> tuple[str, ...]:
        """The outcomes to report."""
        return self.evidence.selection.outcomes or self.terms.names
