"""How a fit is made: by which engine, with how many draws, from which seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Integral
from typing import Literal

from ...data.errors import InputError
from ...data.mistakes import one_of

Engine = Literal["nuts", "exact"]
ENGINES = ("nuts", "exact")
SEED = 20250101


@dataclass(frozen=True)
class Sampling:
    """By which engine, with how many draws and from which seed a fit is made.

    Its fields are part of what a stored fit is kept under.

    Attributes
    ----------
    engine : {"nuts", "exact"}
        Sample all outcomes together, or integrate each outcome numerically.
    draws, tune, chains : int
        Draws kept of each chain, tuning steps of each chain, and chains.
    seed : int
        Makes a run repeatable.

    Raises
    ------
    InputError
        An unknown engine, a number of draws or a seed that is none.
    """

    engine: str = "nuts"
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    seed: int = SEED

    def __post_init__(self) -> None:
        one_of(self.engine, ENGINES, "engine")
        for name, lowest in (("draws", 1), ("tune", 1), ("chains", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or value < lowest:
                raise InputError(f"{name} must be a whole number from {lowest} on, not {value}")

    def scaled(self, draws: float, tune: float) -> Sampling:
        """Give a shorter or a longer run, of at least one draw, by factors of this one's length."""
        return replace(
            self, draws=max(int(draws * self.draws), 1), tune=max(int(tune * self.tune), 1)
        )

    def another(self, number: int) -> Sampling:
        """Give a run as long with the seed that is so many further on."""
        return replace(self, seed=self.seed + number)
