"""A table of the page: one for the eye at every width, and the same for a screen reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shiny import ui

if TYPE_CHECKING:
    from htmltools import Tag, TagChild


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[TagChild]],
    *,
    numbers: Sequence[int] = (),
    caption: str = "",
    diseases: Sequence[str] = (),
    first_is_head: bool = True,
) -> Tag:
    """Lay out a table; on a narrow screen each row of one with a name is a list of its cells.

    Parameters
    ----------
    heads : sequence of str
        Words above the columns.
    rows : sequence of sequences
        Cells of each row.
    numbers : sequence of int
        Columns that stand to the right, as numbers do.
    caption : str
        What the table says.
    diseases : sequence of str
        Disease of each row, by its name in the data.
    first_is_head : bool
        Whether the first cell names its row.
    """
    lines = []
    for place, cells in enumerate(rows):
        made = []
        for column, (head, cell) in enumerate(zip(heads, cells, strict=True)):
            kind = "number" if column in numbers else None
            if column == 0 and first_is_head:
                made.append(ui.tags.th(cell, scope="row", role="rowheader"))
            else:
                # Roles are said, as a table that is no longer laid out as one would lose them.
                made.append(ui.tags.td(cell, class_=kind, role="cell", **{"data-head": head}))
        named = {"data-disease": diseases[place]} if diseases else {}
        lines.append(ui.tags.tr(*made, role="row", **named))
    above = [
        ui.tags.th(head, {"class": "number"} if column in numbers else {}, scope="col")
        for column, head in enumerate(heads)
    ]
    return ui.div(
        ui.tags.table(
            ui.tags.caption(caption) if caption else None,
            ui.tags.thead(ui.tags.tr(*above, role="row"), role="rowgroup"),
            ui.tags.tbody(*lines, role="rowgroup"),
            role="table",
            class_="named" if first_is_head else "",
        ),
        class_="wide",
    )
