"""Borrowing: what each disease's rate would be without each of the others."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ..data.names import outcome_short, outcome_words
from ..data.written import fixed
from .matrix import scale_key, tiles
from .page import Grid, Page, leading, page_room
from .style import Style, drawing, fitted, text_width

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_borrowing(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw how far each disease moves when another is left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an `outcome`, `disease` (whose rate) and `left_out` (disease): `change` of the mean
        in standard deviations of its posterior given everything.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A matrix an outcome, a row a disease whose rate it is, a column a disease left out; blue
        where the rate falls without it, brown where it rises, hatched where it has no study.
    """
    with drawing(style):
        return _draw(frame, style)


def _one_decimal(value: float) -> str:
    return fixed(value, 1)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes = list(dict.fromkeys(frame["outcome"]))
    diseases = [d for d in style.diseases if d in {*frame["disease"], *frame["left_out"]}]
    width, small, gap = style.preset.points, style.small, style.scaled(10)
    shorts = [style.names(d)[1] for d in diseases]
    labels = max(text_width(short, small) for short in shorts) + style.scaled(5)
    least = text_width("−0.8", small) + 3
    room = width - style.scaled(2)
    fits = int((room + gap) // (labels + least * len(diseases) + gap))
    across = max(1, min(len(outcomes), 3, fits))
    down = ceil(len(outcomes) / across)
    cell = ((room + gap) / across - gap - labels) / len(diseases)
    cell = min(cell, style.scaled(34))
    heads = [
        fitted(
            (outcome_words(o), outcome_short(o)), labels + cell * len(diseases), style.size, True
        )
        for o in outcomes
    ]
    tall = min(cell, style.scaled(15)) if cell > 1.6 * small else 1.3 * small
    upright = max(text_width(short, small) for short in shorts) > cell - 1
    column_head = (
        max(text_width(s, small) for s in shorts) + style.scaled(4) if upright else leading(small)
    )
    head = max(map(len, heads)) * leading(style.size) + column_head + style.scaled(3)
    foot, key_room = style.scaled(9), 3.2 * leading(small)
    left_over = page_room(style) - down * (head + foot) - key_room
    tall = max(1.3 * small, min(tall, left_over / (down * len(diseases))))
    body = tall * len(diseases)
    grid = Grid(across, 0.0, labels + cell * len(diseases), body, gap, head, foot)
    page = Page(style, grid.room(len(outcomes)) + key_room)
    # What a disease's own studies add would drown what the others do: their range is the scale.
    others = frame.loc[frame["disease"] != frame["left_out"], "change"].abs()
    most = max(1.0, ceil(2 * float(others.max())) / 2) if len(others) else 1.0
    for i, outcome in enumerate(outcomes):
        left, top = grid.cell(i).left, grid.cell(i).top
        page.lines_above(left + 1, top - column_head - style.scaled(2), heads[i], weight="bold")
        own = frame[frame["outcome"] == outcome]
        known = {(r.disease, r.left_out): float(r.change) for r in own.itertuples()}
        values = [[known.get((d, gone)) for gone in diseases] for d in diseases]
        axes = page.axes(left + labels, top, cell * len(diseases), body)
        write = _one_decimal if cell >= least else None
        tiles(axes, values, most, style, write)
        for j, short in enumerate(shorts):
            page.text(left + 1, top + (j + 0.5) * tall, short, size=small)
            x = left + labels + (j + 0.5) * cell
            turned = {"rotation": 90, "va": "bottom"} if upright else {"va": "bottom"}
            page.text(x, top - style.scaled(1.5), short, size=small, ha="center", **turned)
    words = "Change of the row's rate without the column's disease, posterior standard deviations"
    scale_key(page, style.scaled(8), grid.room(len(outcomes)) + 0.6 * leading(small),
              0.22 * width, most, words)  # fmt: skip
    return page.figure
