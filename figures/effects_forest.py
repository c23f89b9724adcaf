"""Forest plot of effects: both arms of each study, its ratio, its disease's, the next trial's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..data.outcomes import outcome as described
from .forest import RAW, diamond, key_bar, key_diamond, prediction_bar
from .log_axis import log_axis, ratio_limits
from .page import Page, count_words, key, key_height, leading, row_pitch
from .panels import disease_sign
from .style import FAINT, INK, QUIET, Style, drawing, fitted, text_width

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_HEAD, _HEADS = "Disease, study", ("Treated", "Control")


def draw_effects_forest(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the effects on one outcome.

    Parameters
    ----------
    frame : pandas.DataFrame
        In the order of drawing: `outcome, row` (`effect`, `study`, `randomised`, `new_study`),
        `disease, label, treated_min, treated_max, treated_n, control_min, control_max, control_n,
        raw, raw_low, raw_high, estimate, low, high, evidence`; ratios (of odds, or of hazards).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A diamond for each disease (hollow where borrowed, pale of randomised studies alone), its
        studies below it (grey what their own counts say, coloured what is estimated), a bar for the
        next trial; events and patients of both arms, and the ratios in numbers.
    """
    with drawing(style):
        return _draw(frame, style)


def axis_limits(frame: pd.DataFrame) -> tuple[float, float]:
    """Give the ends of the axis: all estimates with their limits, and what was observed."""
    return ratio_limits(frame[["estimate", "low", "high", "raw"]].to_numpy(float).ravel())


def beyond_axis(frame: pd.DataFrame) -> bool:
    """Whether some interval goes on beyond the axis."""
    low, high = axis_limits(frame)
    ends = frame[["raw_low", "low"]].min(axis=1), frame[["raw_high", "high"]].max(axis=1)
    return bool((ends[0] < low).any() or (ends[1] > high).any())


@dataclass(frozen=True)
class _Columns:
    """Right ends of the columns and place of the plot, points.

    Where a page is too narrow, `stacked` puts the counts of a study below its name.
    """

    label: float
    treated: float
    control: float
    plot: float
    plot_width: float
    ratio: float
    stacked: bool


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    rows = frame.to_dict("records")
    harm, timed = described(rows[0]["outcome"]).is_harm, described(rows[0]["outcome"]).timed
    counts = [[_count(row, side) for row in rows] for side in ("treated", "control")]
    ratios = [_ratio(row) for row in rows]
    columns = _columns(rows, counts, ratios, style)
    airs = [0.35 * (i > 0 and row["row"] == "effect") for i, row in enumerate(rows)]
    heights = [1.6 if columns.stacked and row["row"] == "study" else 1.0 for row in rows]
    entries = _key_entries(frame, style)
    head = 2 * leading(style.small) + style.scaled(5)
    axis_room = style.scaled(16) + leading(style.size) + 1.3 * leading(style.small)
    room = style.preset.points - 2
    foot = axis_room + key_height(style, room, [text for _, text in entries]) + style.scaled(3)
    pitch = row_pitch(style, sum(heights) + sum(airs), head + foot)
    body = pitch * (sum(heights) + sum(airs)) + style.scaled(2)
    page = Page(style, head + body + foot)
    axes = page.axes(columns.plot, head, columns.plot_width, body)
    axes.set_ylim(body, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    limits = axis_limits(frame)
    log_axis(axes, *limits, columns.plot_width, style)
    _heads(page, columns, head, timed)
    y = 0.0
    for place, row in enumerate(rows):
        y += pitch * (airs[place] + heights[place] / 2)
        down = leading(style.small) / 2 if heights[place] > 1 else 0.0
        _words(page, columns, head + y - down, row, style)
        about = {"size": style.small, "ha": "right"}
        page.text(columns.treated, head + y + down, counts[0][place], **about)
        page.text(columns.control, head + y + down, counts[1][place], **about)
        about |= {"weight": "bold" if row["row"] == "effect" else "normal"}
        page.text(columns.ratio, head + y, ratios[place], **about)
        _marks(axes, row, y, pitch, limits, style)
        y += pitch * heights[place] / 2
    top = head + body
    words = ("Hazard ratio" if timed else "Odds ratio") + " (log scale)"
    middle = columns.plot + columns.plot_width / 2
    page.text(middle, top + style.scaled(16), words, ha="center")
    _sides(page, axes, columns, top + style.scaled(16) + leading(style.size), harm)
    key(page, style.scaled(1), top + axis_room, room, entries)
    return page.figure


def _columns(rows, counts, ratios, style: Style) -> _Columns:
    small, width, gap = style.small, style.preset.points, style.scaled(6)
    heads = ("events/n", *_HEADS)
    sides = [max(text_width(text, small, True) for text in (*own, *heads)) for own in counts]
    numbers = max(text_width(text, small, True) for text in (*ratios, "[95 % interval]"))
    studies = [row for row in rows if row["row"] != "effect"]
    need = style.scaled(12) + max(text_width(_names(row, style)[0], small) for row in studies)
    need = max(need, text_width(_HEAD, small, True))
    room = width - numbers - 2.5 * gap - 0.27 * width
    stacked = need + sum(sides) + 2 * gap > room
    start = style.scaled(12) if stacked else need + gap
    treated = start + sides[0]
    control = treated + gap + sides[1]
    left = min(max(control, need), room)
    plot = left + 1.5 * gap
    label = left if stacked else need
    plot_width = width - numbers - gap - plot - 1
    return _Columns(label, treated, control, plot, plot_width, width - 1, stacked)


def _names(row: Mapping[Any, Any], style: Style) -> tuple[str, ...]:
    """Give the names of a row, the longest first."""
    if row["row"] != "effect":
        return (str(row["label"]),)
    if isinstance(row["disease"], str):
        return style.names(row["disease"])
    return "Diseases without a controlled study", "No controlled study", "Borrowed"


def _words(page: Page, columns: _Columns, y: float, row: Mapping[Any, Any], style: Style) -> None:
    """Write the name of a row; a disease's may run over the columns of counts."""
    if row["row"] == "effect":
        indent, size, bold, end = style.scaled(9), style.size, True, columns.plot - style.scaled(4)
    else:
        indent, size, bold, end = style.scaled(12), style.small, False, columns.label
    text = fitted(_names(row, style), end - indent, size, bold, lines=1)[0]
    ink = INK if row["row"] in ("effect", "study") else QUIET
    page.text(indent, y, text, size=size, color=ink, weight="bold" if bold else "normal")
    if row["row"] == "effect" and isinstance(row["disease"], str):
        disease_sign(page, style.scaled(4), y, row["disease"], 4.5)


def _heads(page: Page, columns: _Columns, head: float, timed: bool) -> None:
    style = page.style
    pitch, bottom = leading(style.small), head - style.scaled(4)
    about = {"size": style.small, "weight": "bold"}
    ratio = "Hazard ratio" if timed else "Odds ratio"
    if columns.stacked:
        page.text(style.scaled(1), bottom - 1.5 * pitch, _HEAD, **about)
        sides = [(columns.treated, _HEADS[:1]), (columns.control, _HEADS[1:])]
    else:
        page.text(style.scaled(1), bottom - pitch / 2, _HEAD, **about)
        sides = [
            (columns.treated, ("Treated", "events/n")),
            (columns.control, ("Control", "events/n")),
        ]
    for x, lines in (*sides, (columns.ratio, (ratio, "[95 % interval]"))):
        page.lines_above(x, bottom, lines, ha="right", **about)
    line = page.axes(0, bottom + style.scaled(0.5), page.width, style.scaled(1))
    line.axis("off")
    line.axhline(0.5, color=INK, linewidth=style.line)


def _sides(page: Page, axes: Axes, columns: _Columns, y: float, harm: bool) -> None:
    """Say on which side of 1 treatment is better."""
    style = page.style
    low, high = axes.get_xlim()
    from math import log

    one = columns.plot + columns.plot_width * log(1 / low) / log(high / low)
    left, right = "← Favours control", "Favours treatment →"
    if harm:
        left, right = "← Favours treatment", "Favours control →"
    gap, about = style.scaled(4), {"size": style.small, "color": QUIET}
    room = page.width - 1 - text_width(right, style.small)
    page.text(max(one - gap, text_width(left, style.small)), y, left, ha="right", **about)
    page.text(min(one + gap, room), y, right, **about)


def _count(row: Mapping[Any, Any], side: str) -> str:
    if row["row"] != "study":
        return ""
    return count_words(row[f"{side}_min"], row[f"{side}_max"], row[f"{side}_n"])


def _ratio(row: Mapping[Any, Any]) -> str:
    if row["estimate"] != row["estimate"]:
        return "tells nothing"
    middle, low, high = (
        f"{value:.2f}" if value < 10 else f"{value:.0f}"
        for value in (row["estimate"], row["low"], row["high"])
    )
    return f"{middle} [{low}, {high}]"


def _marks(axes: Axes, row, y: float, pitch: float, limits, style: Style) -> None:
    colour = style.mark(row["disease"]).colour if isinstance(row["disease"], str) else INK
    if row["row"] == "study":
        _study(axes, row, y, pitch, colour, limits, style)
        return
    shown = dict(row)
    for name in ("low", "estimate", "high"):
        shown[name] = min(max(row[name], limits[0]), limits[1])
    if row["row"] == "effect":
        diamond(axes, shown, y, 0.34 * pitch, colour, style)
    elif row["row"] == "randomised":
        diamond(axes, shown | {"evidence": "borrowed"}, y, 0.26 * pitch, colour, style)
    else:
        prediction_bar(axes, shown, y, 0.17 * pitch, colour)
    _arrows(axes, row["low"], row["high"], y, limits, colour, style)


def _study(axes: Axes, row, y: float, pitch: float, colour: str, limits, style: Style) -> None:
    above, below = y - 0.17 * pitch, y + 0.19 * pitch
    ends = max(row["raw_low"], limits[0]), min(row["raw_high"], limits[1])
    axes.plot(ends, [above, above], color=RAW, linewidth=style.line, zorder=2)
    _arrows(axes, row["raw_low"], row["raw_high"], above, limits, RAW, style)
    if limits[0] <= row["raw"] <= limits[1]:
        size = min(style.scaled(3), 0.38 * pitch)
        axes.plot(
            [row["raw"]], [above], "s", color=RAW, markersize=size, zorder=3, gid="observed",
            markeredgewidth=0,
        )  # fmt: skip
    if row["estimate"] != row["estimate"]:
        return
    ends = max(row["low"], limits[0]), min(row["high"], limits[1])
    axes.plot(ends, [below, below], color=colour, zorder=3)
    _arrows(axes, row["low"], row["high"], below, limits, colour, style)
    marker, size = style.mark(row["disease"]).marker, min(style.scaled(3.8), 0.5 * pitch)
    axes.plot(
        [row["estimate"]], [below], marker, color=colour, markersize=size, zorder=4, gid="study"
    )


def _arrows(axes: Axes, low: float, high: float, y: float, limits, colour, style: Style) -> None:
    """Point where an interval goes on beyond the axis."""
    for beyond, end, sign in (
        (low < limits[0], limits[0], "<"),
        (high > limits[1], limits[1], ">"),
    ):
        if beyond:
            size = style.scaled(2.4)
            axes.plot([end], [y], sign, color=colour, markersize=size, clip_on=False, zorder=4,
                      markeredgewidth=0, gid="beyond")  # fmt: skip


def _key_entries(frame: pd.DataFrame, style: Style) -> list[tuple]:
    def observed(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=RAW, linewidth=style.line)
        axes.plot([x], [y], "s", color=RAW, markersize=style.scaled(3), markeredgewidth=0)

    def estimate(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK)
        axes.plot([x], [y], "o", color=INK, markersize=style.scaled(3.8))

    entries = [
        (observed, "Study, own counts"),
        (estimate, "Study, estimated"),
        (key_diamond(style, False), "Disease"),
    ]
    hollow = []
    if (frame["row"] == "randomised").any():
        hollow.append("randomised studies alone")
    if (frame["evidence"] == "borrowed").any():
        hollow.append("borrowed")
    if hollow:
        entries.append((key_diamond(style, True), " or ".join(hollow).capitalize()))
    return [*entries, (key_bar(style), "Next trial")]
