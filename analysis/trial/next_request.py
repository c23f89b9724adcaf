"""What may be asked about the next patients: where they would teach most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...data.errors import InputError
from .checks import check_count, check_rates
from .request import Request

if TYPE_CHECKING:
    from xarray import DataTree

    from ..fitting.progress import Progress
    from ..guard.result import CheckResult

#: Sizes that are shown, in steps that grow with the size; the ends of the range join them.
USUAL_SIZES = (
    10, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300, 400, 500, 700, 1000, 1500, 2000,
)  # fmt: skip
# What only a program can hand in.
_HANDED = ("fit", "checked", "progress")


@dataclass(frozen=True, kw_only=True, eq=False)
class Next(Request):
    """A trial of n more patients in each disease, before it is run."""

    design = "next"
    sentence = "Ask where the next patients would teach most."
    of_fit = True
    plans_trial = False

    fit: DataTree
    checked: CheckResult | None = None
    progress: Progress | None = None
    outcome: str | None = None
    disease: str | None = None
    n: int = 40
    n_min: int = 10
    n_max: int = 200
    gain: float | None = None
    threshold: float | None = None
    level: float = 0.95
    coverage: float = 0.95
    months: float = 12.0

    def __post_init__(self) -> None:
        for name in ("n", "n_min", "n_max"):
            check_count(name, getattr(self, name), least=1, most=USUAL_SIZES[-1])
        if self.n_max < self.n_min:
            raise InputError(
                f"n_max {self.n_max} is below n_min {self.n_min}: give n_max at least {self.n_min}"
            )
        check_rates(
            gain=self.gain, threshold=self.threshold, level=self.level, coverage=self.coverage
        )
        if self.level <= 0.5:
            raise InputError(f"level {self.level:g} settles nothing: give more than 0.5")
        if not 0 < self.months < float("inf"):
            raise InputError(f"months {self.months:g}: give a follow-up above 0")

    @classmethod
    def keywords(cls) -> tuple[str, ...]:
        """Names of what may be typed."""
        return tuple(name for name in super().keywords() if name not in _HANDED)

    @property
    def sizes(self) -> list[int]:
        """Numbers of patients in question."""
        usual = {n for n in USUAL_SIZES if self.n_min <= n <= self.n_max}
        return sorted({*usual, self.n_min, self.n_max, self.n})
