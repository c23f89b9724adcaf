"""Stored effects as what figures are drawn from: no fit of rates stands behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from .effects import Comparison
from .results import Results


@dataclass(frozen=True, eq=False)
class EffectResults(Results):
    """Effects as `Results`: ``fit`` is their tree, and they are what is compared."""

    @cached_property
    def compared(self) -> list[Comparison]:
        """The effects, alone."""
        return [Comparison("", self.evidence, self.fit)]
