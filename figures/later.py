"""Later studies beside their predictions: what was counted in the interval foretold of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .intervals import ratio_axis
from .page import Page, key, key_height, leading, percent_axis, quiet_axes, row_pitch
from .style import FAINT, INK, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXES = {"rate": "Patients with the outcome, %", "effect": "Ratio of odds, of deaths of hazards"}


def draw_later(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw what later studies saw in the interval that was predicted of it.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a study and outcome: `kind` (`rate`, a share of patients; `effect`, a ratio),
        `disease, label, text` (the numbers in words), `low, middle, high` (predicted),
        `seen_low, seen, seen_high`: of a rate the bounds of what was counted, of an effect its own
        95 % interval; `seen` is missing where the count is only bounded.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for rates and one for effects: pale bars are predicted, with a line at the median;
        marks in the colour of the disease were seen.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    width, small, gap = style.preset.points, style.small, style.scaled(6)
    rows = frame.to_dict("records")
    labels = label_room([str(row["label"]) for row in rows], 0.36 * width, small) + gap
    right = label_room([str(row["text"]) for row in rows], 0.3 * width, small) + 2 * gap
    kinds = frame.groupby("kind", sort=False)
    entries = _key_entries(style)
    foot = style.scaled(30)
    head = style.scaled(4)
    fixed = head + foot * len(kinds) + key_height(style, width - 2, [text for _, text in entries])
    pitch = max(row_pitch(style, len(rows), fixed), 1.5 * leading(small))
    page = Page(style, fixed + pitch * len(rows))
    top = head
    for kind, own in kinds:
        height = pitch * len(own)
        axes = page.axes(labels, top, width - labels - right, height)
        axes.set_ylim(height, 0)
        axes.set_yticks([])
        quiet_axes(axes, style)
        if kind == "rate":
            percent_axis(axes)
        else:
            ratio_axis(
                axes,
                own[["low", "seen_low"]].min().min(),
                own[["high", "seen_high"]].max().max(),
                style,
            )
        axes.set_xlabel(fitted((_AXES[str(kind)],), width - labels - right, small)[0])
        for place, row in enumerate(own.to_dict("records")):
            y = (place + 0.5) * pitch
            _row(axes, row, y, 0.32 * pitch, style)
            name = fitted((str(row["label"]),), labels - gap, small, lines=1)[0]
            page.text(style.scaled(1), top + y, name, size=small)
            page.text(width - right + gap, top + y, row["text"], size=small)
        top += height + foot
    key(page, style.scaled(1), top, width - 2, entries)
    return page.figure


def _row(axes: Axes, row, y: float, half: float, style: Style) -> None:
    _predicted(axes, row["low"], row["middle"], row["high"], y, half)
    mark = style.mark(row["disease"])
    ends = [row["seen_low"], row["seen_high"]]
    about: dict[str, Any] = {"color": mark.colour, "zorder": 4, "clip_on": False}
    if ends[1] > ends[0]:
        axes.plot(ends, [y, y], **about)
    if row["seen"] == row["seen"]:
        axes.plot(
            [row["seen"]], [y], mark.marker, markersize=style.scaled(4.5), gid="seen", **about
        )
    else:
        axes.plot(
            ends, [y, y], mark.marker, color=mark.colour, zorder=5, clip_on=False, gid="seen",
            markersize=style.scaled(3.6), markerfacecolor="white",
        )  # fmt: skip


def _predicted(axes: Axes, low, middle, high, y: float, half: float) -> None:
    from matplotlib.patches import Rectangle

    bar = Rectangle((low, y - half), max(high - low, 1e-9), 2 * half, color=FAINT, linewidth=0)
    bar.set_gid("predicted")
    axes.add_patch(bar)
    axes.plot([middle, middle], [y - half, y + half], color=INK, zorder=3)


def _key_entries(style: Style) -> list[tuple]:
    def predicted(axes, x, y, unit):
        _predicted(axes, x - unit / 2, x, x + unit / 2, y, unit / 4)

    def seen(axes, x, y, unit):
        axes.plot([x], [y], "o", color=QUIET, markersize=style.scaled(4.5))

    def bounded(axes, x, y, unit):
        ends = [x - unit / 3, x + unit / 3]
        axes.plot(ends, [y, y], color=QUIET)
        axes.plot(
            ends, [y, y], "o", color=QUIET, markerfacecolor="white", markersize=style.scaled(3.6)
        )

    return [
        (predicted, "Predicted: median and central 95 %"),
        (seen, "Seen; of an effect with its own 95 % interval"),
        (bounded, "Count known within bounds"),
    ]
