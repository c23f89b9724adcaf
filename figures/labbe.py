"""L'Abbé plot: the share with the outcome under treatment against that under control."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import TYPE_CHECKING, Any

from ..data.names import counted_words, outcome_short
from ..data.outcomes import outcome as described
from .page import Grid, Page, key, key_height, leading, page_room, percent_axis, upper_end
from .panels import disease_entries
from .style import FAINT, INK, QUIET, Style, drawing, fitted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_labbe(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw each study by its two shares, and the effect of its disease as a curve.

    Parameters
    ----------
    frame : pandas.DataFrame
        `outcome, row` (`study`, `curve`), `disease`; of a study `control_low, control_high,
        treated_low, treated_high` (shares, unequal where a count is only bounded) and `patients`;
        of a curve, in order, `control_low, treated_low`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel an outcome, with a line of no difference: a circle for each study, its area as its
        patients, bars where a count is only bounded, and a curve of each disease's median ratio.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes = list(dict.fromkeys(frame["outcome"]))
    diseases = list(dict.fromkeys(frame["disease"]))
    width = style.preset.points
    left, gap = style.scaled(30), style.scaled(28)
    most = max(1, min(3, int((width - left + gap) // (style.scaled(82) + gap))))
    across = min(len(outcomes), most)
    room = width - 2
    entries = [*disease_entries(style, diseases, room), *_key_entries(frame, style)]
    foot = key_height(style, room, [text for _, text in entries])
    side = min((width - left - style.scaled(8) - gap * (across - 1)) / across, style.scaled(150))
    grid, heads = _grid(outcomes, across, left, side, gap, style)
    # Narrower panels break their names into more lines: what is left over is taken off again.
    while (beyond := grid.room(len(outcomes)) + foot - page_room(style)) > 0.01:
        side -= beyond / ceil(len(outcomes) / across)
        grid, heads = _grid(outcomes, across, left, side, gap, style)
    height = grid.room(len(outcomes))
    page = Page(style, height + foot)
    for place, outcome in enumerate(outcomes):
        cell = grid.cell(place)
        axes = page.axes(cell.left, cell.top, side, side)
        page.lines_above(cell.left, cell.top - style.scaled(3), heads[place], weight="bold")
        own = frame[frame["outcome"] == outcome]
        studies = own[own["row"] == "study"].sort_values("patients", ascending=False)
        _frame(axes, axis_end(studies), described(outcome).is_harm, cell.is_first, style)
        for row in studies.to_dict("records"):
            _study(axes, row, float(studies["patients"].max()), style)
        for disease, points in own[own["row"] == "curve"].groupby("disease", sort=False):
            axes.plot(
                points["control_low"], points["treated_low"],
                color=style.mark(str(disease)).colour, zorder=2, gid="curve",
            )  # fmt: skip
    key(page, style.scaled(1), height, room, entries)
    return page.figure


def _grid(
    outcomes: list[str], across: int, left: float, side: float, gap: float, style: Style
) -> tuple[Grid, list[list[str]]]:
    """Lay square panels out, with the lines of their names."""
    heads = [fitted((counted_words(o), outcome_short(o)), side, style.size, True) for o in outcomes]
    head = max(map(len, heads)) * leading(style.size) + style.scaled(4)
    return Grid(across, left, side, side, gap, head, style.scaled(30)), heads


def axis_end(studies: pd.DataFrame) -> float:
    """Give where both axes of one outcome end, from its studies' rows; a probability."""
    return upper_end(studies[["control_high", "treated_high"]].to_numpy(float).max() / 0.95)


def _frame(axes: Axes, upper: float, harm: bool, is_first: bool, style: Style) -> None:
    """Draw axes, the line of no difference, and on which side treatment is better."""
    for which in ("x", "y"):
        percent_axis(axes, upper, which, ticks=3)
    axes.grid(color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=style.line, linestyle=(0, (4, 2)), zorder=1)
    axes.set_xlabel("Control, %")
    if is_first:
        axes.set_ylabel("Treated, %")
    x, y, across, up = (0.97, 0.03, "right", "bottom") if harm else (0.03, 0.97, "left", "top")
    axes.text(
        x, y, "treatment better", size=style.small, color=QUIET, ha=across, va=up, zorder=1,
        transform=axes.transAxes,
    )  # fmt: skip


def _study(axes: Axes, row: Mapping[Any, Any], largest: float, style: Style) -> None:
    colour = style.mark(row["disease"]).colour
    x = (row["control_low"] + row["control_high"]) / 2
    y = (row["treated_low"] + row["treated_high"]) / 2
    known = row["control_low"] == row["control_high"] and row["treated_low"] == row["treated_high"]
    if not known:
        about = {"color": colour, "linewidth": style.line, "zorder": 3}
        axes.plot([row["control_low"], row["control_high"]], [y, y], **about)
        axes.plot([x, x], [row["treated_low"], row["treated_high"]], **about)
    size = style.scaled(15) * (row["patients"] / largest) ** 0.5
    axes.plot(
        [x], [y], "o", markersize=max(size, style.scaled(3)), clip_on=False, zorder=4, gid="study",
        markeredgecolor="white" if known else colour,
        markerfacecolor=colour if known else "none", alpha=0.75 if known else 1,
    )  # fmt: skip


def _key_entries(frame: pd.DataFrame, style: Style) -> list[tuple]:
    def curve(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK)

    def even(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK, linewidth=style.line,
                  linestyle=(0, (4, 2)))  # fmt: skip

    def bounded(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK, linewidth=style.line)
        axes.plot([x], [y], "o", color=INK, markerfacecolor="white", markersize=style.scaled(3.8))

    entries = [(curve, "Disease, median ratio"), (even, "No difference")]
    studies = frame[frame["row"] == "study"]
    wide = (studies["control_low"] < studies["control_high"]).any()
    wide |= (studies["treated_low"] < studies["treated_high"]).any()
    return [*entries, (bounded, "Count known within bounds")] if wide else entries
