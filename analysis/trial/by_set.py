"""How a recommended size hangs on the prior set behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import pandas as pd

from .beliefs import DiscountedSize
from .phrases import listed
from .result import DesignResult, Picture


@dataclass(frozen=True)
class SetRow:
    """The answer under one prior set: the number, what it gives, and the number at each discount.

    `critical`, `type1` and `assurance` are those of the recommended number.
    """

    set: str
    recommended_n: int | None
    critical: int | None
    type1: float | None
    assurance: float | None
    highest_attainable_assurance: float | None
    discounts: tuple[DiscountedSize, ...]


@dataclass(frozen=True)
class BySet:
    """The answers under several prior sets."""

    sets: tuple[SetRow, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row a set: the numbers of `SetRow`, and the number at each discount above 0."""
        rows = [
            {
                "set": row.set,
                "n": row.recommended_n,
                "critical": row.critical,
                "type1": row.type1,
                "assurance": row.assurance,
                "attainable": row.highest_attainable_assurance,
                **{
                    f"n at discount {each.discount:g}": each.recommended_n
                    for each in row.discounts
                    if each.discount
                },
            }
            for row in self.sets
        ]
        table = pd.DataFrame(rows)
        if table["critical"].isna().all():  # two arms have no one count
            table = table.drop(columns="critical")
        whole = [name for name in table if name == "critical" or str(name).startswith("n")]
        real = dict.fromkeys(("type1", "assurance", "attainable"), float)
        return table.astype(dict.fromkeys(whole, "Int64") | real)

    def to_dict(self) -> list[dict[str, Any]]:
        """Return one JSON-ready row a set."""
        return [asdict(row) for row in self.sets]

    @property
    def frame(self) -> pd.DataFrame:
        """What is drawn: columns x (discount), value (number, or missing), series (set)."""
        return pd.DataFrame(
            [
                {"x": each.discount, "value": each.recommended_n, "series": row.set}
                for row in self.sets
                for each in (row.discounts or (DiscountedSize(0.0, row.recommended_n),))
            ]
        ).astype({"value": float})

    def words(self, n_max: int) -> str:
        """Say between which numbers the sets leave the recommended one."""
        reached = {row.set: row.recommended_n for row in self.sets if row.recommended_n is not None}
        none = [row.set for row in self.sets if row.recommended_n is None]
        count = len(self.sets)
        sets = "the prior set" if count == 1 else f"the {count} prior sets"
        if not reached:
            return f"Under {sets} compared no number up to {n_max} suffices."
        low, high = (pick(reached, key=lambda name: reached[name]) for pick in (min, max))
        text = f"Under {sets} compared the number is "
        if reached[low] == reached[high]:
            text += f"{reached[low]}"
        else:
            text += (
                f"between {reached[low]} and {reached[high]}: the smallest under {low}, the "
                f"largest under {high}"
            )
        if none:
            text += f"; under {listed(none)} no number up to {n_max} suffices"
        return text + "."


def sets_picture(result: DesignResult) -> Iterator[Picture]:
    """Draw the recommended number under each prior set, where there are several."""
    from ...figures.design_sets import draw_design_sets

    compared: BySet | None = result.answer.by_set
    if compared is None:
        return
    yield Picture(
        "sets",
        "Recommended number of patients under each prior set",
        "The evidence integrated anew under each set, and the smallest number from which on every "
        "one has what is wanted.",
        compared.frame,
        partial(draw_design_sets, n_max=result.request.n_max),
    )
