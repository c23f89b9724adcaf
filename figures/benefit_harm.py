"""Benefit against harm: a point a disease, with the region in which both rates may lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import outcome_words
from .page import (
    Page,
    key,
    key_height,
    leading,
    page_room,
    percent_axis,
    square_root_axis,
    upper_end,
)
from .panels import disease_entries
from .style import FAINT, INK, Style, drawing, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Those of a square-root axis that bear a number.
_ENDS = (0.1, 0.25, 0.5)


def draw_benefit_harm(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw each disease by how often patients benefit and how often they are harmed.

    Parameters
    ----------
    frame : pandas.DataFrame
        `benefit, harm` (outcomes), `row` (`rate`, `region`), `disease, evidence`; of a rate `x, y`
        and the ends of both intervals, `x_low, x_high, y_low, y_high`; of a region its corners
        `x, y` in order. Probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A mark a disease with its region, hollow and dashed where a rate is borrowed, and both 95 %
        intervals as thin lines; harm on a square-root scale. Best is low on the right.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    diseases = list(dict.fromkeys(frame["disease"]))
    room = style.preset.points - 2
    entries = [*disease_entries(style, diseases, room), *_key_entries(frame, style)]
    key_room = key_height(style, room, [text for _, text in entries])
    left, top, foot = style.scaled(44), style.scaled(4), style.scaled(20) + leading(style.size)
    width = style.preset.points - left - style.scaled(8)
    rest = page_room(style) - top - foot - key_room
    height = min(0.75 * width, rest)
    page = Page(style, top + height + foot + key_room)
    axes = page.axes(left, top, width, height)
    percent_axis(axes)
    square_root_axis(axes, _upper(frame), "y")
    axes.grid(color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    benefit, harm = (outcome_words(str(frame[name].iloc[0])) for name in ("benefit", "harm"))
    axes.set_xlabel(f"{benefit}, % of patients (right is better)")
    named = f"{harm}, % of patients, square-root scale (low is better)"
    axes.set_ylabel("\n".join(wrapped(named, height, style.size)))
    for disease, own in frame.groupby("disease", sort=False):
        _disease(axes, str(disease), own, style)
    key(page, style.scaled(1), top + height + foot, room, entries)
    return page.figure


def _upper(frame: pd.DataFrame) -> float:
    """Give the rate of harm at which the axis ends: all that is drawn lies within."""
    most = float(frame[["y", "y_high"]].max().max())
    return upper_end(most, _ENDS)


def _disease(axes: Axes, disease: str, rows: pd.DataFrame, style: Style) -> None:
    mark, point = style.mark(disease), rows[rows["row"] == "rate"].iloc[0]
    borrowed = point["evidence"] == "borrowed"
    corners = rows.loc[rows["row"] == "region", ["x", "y"]].to_numpy()
    line = (0, (3, 1.5)) if borrowed else "solid"
    axes.fill(
        corners[:, 0], corners[:, 1], facecolor="none" if borrowed else (mark.colour, 0.18),
        edgecolor=mark.colour, linewidth=style.line, linestyle=line, zorder=2, gid="region",
    )  # fmt: skip
    thin = {"color": mark.colour, "linewidth": 0.7 * style.line, "alpha": 0.6, "zorder": 3}
    axes.plot([point["x_low"], point["x_high"]], [point["y"]] * 2, **thin)
    axes.plot([point["x"]] * 2, [point["y_low"], point["y_high"]], **thin)
    axes.plot(
        [point["x"]], [point["y"]], mark.marker, color=mark.colour, markersize=style.scaled(5.5),
        markerfacecolor="white" if borrowed else mark.colour, zorder=4, gid="rate", clip_on=False,
    )  # fmt: skip


def _key_entries(frame: pd.DataFrame, style: Style) -> list[tuple]:
    def held(axes, x, y, unit):
        from matplotlib.patches import Ellipse

        axes.add_patch(
            Ellipse((x, y), unit, unit / 2, facecolor=(INK, 0.18), edgecolor=INK, lw=style.line)
        )

    def interval(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK, linewidth=0.7 * style.line)

    def hollow(axes, x, y, unit):
        axes.plot([x], [y], "o", color=INK, markerfacecolor="white", markersize=style.scaled(4))

    entries = [(held, "Both rates, 50 %"), (interval, "Either rate, 95 %")]
    if (frame["evidence"] == "borrowed").any():
        entries.append((hollow, "Hollow: a rate is borrowed"))
    return entries
