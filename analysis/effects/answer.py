"""Effects as their user holds them, and what the guard says of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ...data.export import answer_html
from ...data.mistakes import listed
from ..fitting.answer import Answer
from ..fitting.store import run_config
from ..guard.result import CheckResult
from . import tables
from .stored import read

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

_SHOWN = (
    *("outcome", "disease", "ratio_q50", "ratio_q2.5", "ratio_q97.5", "probability_benefit"),
    *("studies", "patients", "evidence"),
)


def checked(made: DataTree) -> CheckResult:
    """Give what the guard says of stored effects."""
    return CheckResult.from_dict(json.loads(made.attrs["check"]))


class Effects(Answer):
    """Effects of treatment: xarray's DataTree with a group for each table."""

    __slots__ = ()
    _main = "effects"

    @property
    def checked(self) -> CheckResult:
        """What the guard says of them."""
        return checked(self)

    def to_frame(self) -> pd.DataFrame:
        """Give the effects: one row an outcome, disease and quantity, as `contrasts`."""
        return read(self, "effects", tables.EFFECT_COLUMNS)

    def _title(self) -> str:
        config = run_config(self)
        return (
            f"effects on {listed(config['outcomes'])}: guard {self.checked.verdict}, "
            f"{config['pooling']} pooling, priors {config['priors']['name']}, engine "
            f"{config['engine']}; .checked, mp.contrasts(effects), mp.study_effects(effects), "
            "mp.plot.effects_forest(effects), .children"
        )

    def _page(self) -> str:
        table = self.to_frame()
        reasons = [f"{each.outcome}: {each.verdict}. {each.reason}" for each in self.checked.alarms]
        after = (
            "Ratios of treatment to control, medians and central 95 % intervals. Next: "
            "mp.study_effects(effects), mp.absolute_effects(effects), "
            "mp.plot.effects_forest(effects).",
        )
        shown = table.loc[table["quantity"] == "effect", list(_SHOWN)]
        return answer_html(self._title().partition(";")[0], reasons, shown, after)
