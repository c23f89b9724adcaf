"""Mixed predictive checks: each study against what new studies like it would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.names import outcome_short, outcome_words
from .page import Grid, Page, axis_ends, differing, key, key_height, leading, percent_axis
from .panels import disease_entries
from .style import ALARM, FAINT, QUIET, Style, drawing, fitted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: What an axis must hold: an observed share, and what was predicted.
HIGHEST = ("raw_max", "q97.5")


def draw_predictive(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw every study's count in the interval predicted for a new study of its size.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a row of the evidence, in the order of drawing: `outcome, disease, label, n,
        raw_min, raw_max` (observed proportion or its bounds), `q2.5, q25, q50, q75, q97.5`
        (predicted proportions), `inside`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        One panel an outcome, up to 100 % or to what its arms need: bars are predicted (95 % pale,
        50 % darker), marks observed, a line where the count is only bounded; studies outside their
        interval are ringed and named.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes = list(dict.fromkeys(frame["outcome"]))
    width, small = style.preset.points, style.small
    diseases = [name for name in style.diseases if name in set(frame["disease"])]
    entries = _key_entries(style, bool((frame["raw_min"] < frame["raw_max"]).any()))
    entries += disease_entries(style, diseases, width - 2)
    across = min(len(outcomes), 2 if width < 300 else 3)
    ends = axis_ends(frame, *HIGHEST)
    differ = differing(ends)
    left, gap = style.scaled(30), style.scaled(20 if differ else 12)
    panel = (width - left - gap * (across - 1) - style.scaled(3)) / across
    heads = {
        o: fitted((outcome_words(o), outcome_short(o)), panel, style.size, True) for o in outcomes
    }
    head = max(map(len, heads.values())) * leading(style.size) + style.scaled(4)
    named = {o: _outside_words(frame[frame["outcome"] == o], panel, style) for o in outcomes}
    most = max(map(len, named.values()))
    body, foot = style.scaled(95), style.scaled(7) + (1 + most) * leading(small)
    axis_room = style.scaled(2)
    key_room = key_height(style, width, [text for _, text in entries])
    grid = Grid(across, left, panel, body, gap, head, foot)
    bottom = grid.room(len(outcomes)) + axis_room
    page = Page(style, bottom + key_room)
    for i, outcome in enumerate(outcomes):
        cell = grid.cell(i)
        x, top = cell.left, cell.top
        axes = page.axes(x, top, panel, body)
        page.lines_above(x, top - style.scaled(4), heads[outcome], weight="bold")
        own = frame[frame["outcome"] == outcome].reset_index(drop=True)
        percent_axis(axes, ends[outcome], "y")
        axes.grid(axis="y", color=FAINT, linewidth=0.7 * style.line)
        axes.set_axisbelow(True)
        _panel(axes, own, style, panel)
        count = f"{len(own)} arm" + "s" * (len(own) != 1)
        page.lines(x, top + body + style.scaled(2), [count], size=small)
        below = top + body + style.scaled(2) + leading(small)
        page.lines(x, below, named[outcome], size=small, color=ALARM)
        if cell.is_first:
            axes.set_ylabel(f"Patients, %{differ}")
        elif not differ:
            axes.set_yticklabels([])
    key(page, style.scaled(1), bottom, width - 2, entries)
    return page.figure


def _panel(axes, rows: pd.DataFrame, style: Style, width: float) -> None:
    slots = max(len(rows), 6)
    axes.set_xlim(-0.6, slots - 0.4)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    upper = axes.get_ylim()[1]
    axes.set_ylim(-0.02 * upper, 1.02 * upper)
    half = 0.36
    size = min(style.scaled(4.2), 0.8 * width / slots)
    for i, row in enumerate(rows.to_dict("records")):
        mark = style.mark(row["disease"])
        _predicted(axes, row, i, half, 0.006 * upper)
        _observed(axes, row, i, half, size, mark, style)
        if not row["inside"]:
            _ring(axes, row, i, size, style)


def _predicted(axes, row: Mapping[Any, Any], x: float, half: float, least: float) -> None:
    from matplotlib.patches import Rectangle

    for low, high, grey in (("q2.5", "q97.5", "#e3e3e3"), ("q25", "q75", "#bdbdbd")):
        deep = max(row[high] - row[low], least)
        bar = Rectangle((x - half, row[low]), 2 * half, deep, color=grey, linewidth=0, zorder=2)
        bar.set_gid("predicted")
        axes.add_patch(bar)


def _observed(
    axes, row: Mapping[Any, Any], x: float, half: float, size: float, mark, style: Style
) -> None:
    about = {"color": mark.colour, "clip_on": False, "zorder": 4}
    if row["raw_min"] < row["raw_max"]:
        ends = [row["raw_min"], row["raw_max"]]
        axes.plot([x, x], ends, linewidth=1.5 * style.line, gid="bounds", **about)
        axes.plot([x, x], ends, mark.marker, markersize=0.8 * size, **about | _hollow(style))
    else:
        axes.plot(
            [x], [row["raw_min"]], mark.marker, markersize=size, markeredgewidth=0, gid="observed",
            **about,
        )  # fmt: skip


def _hollow(style: Style) -> dict[str, Any]:
    """Give the look of the ends of a count that is only bounded: neither was observed."""
    return {"markerfacecolor": "white", "markeredgewidth": 1.3 * style.line, "zorder": 5}


def _ring(axes, row: Mapping[Any, Any], x: float, size: float, style: Style) -> None:
    middle = (row["raw_min"] + row["raw_max"]) / 2
    axes.plot(
        [x], [middle], "o", color=ALARM, markerfacecolor="none", markersize=1.9 * size, zorder=5,
        markeredgewidth=1.3 * style.line, clip_on=False, gid="outside",
    )  # fmt: skip


def _outside_words(rows: pd.DataFrame, width: float, style: Style) -> list[str]:
    """Name the studies outside their interval, as far as two lines hold them."""
    names = list(rows.loc[~rows["inside"].astype(bool), "label"])
    for shown in range(len(names), 0, -1):
        more = f" and {len(names) - shown} more" if shown < len(names) else ""
        text = f"Outside 95 %: {', '.join(names[:shown])}{more}"
        lines = fitted((text,), width, style.small)
        if " ".join(lines) == text:
            return lines
    return [f"Outside 95 %: {len(names)}"] if names else []


def _key_entries(style: Style, bounded: bool) -> list[tuple]:
    def predicted(axes, x, y, unit):
        from matplotlib.patches import Rectangle

        for half, grey in ((0.5, "#e3e3e3"), (0.22, "#bdbdbd")):
            box = Rectangle((x - half * unit, y - unit / 6), 2 * half * unit, unit / 3)
            box.set(color=grey, linewidth=0)
            axes.add_patch(box)

    def observed(axes, x, y, unit):
        axes.plot([x], [y], "o", color=QUIET, markersize=style.scaled(4.2), markeredgewidth=0)

    def bounds(axes, x, y, unit):
        ends, size = [x - unit / 3, x + unit / 3], style.scaled(3.4)
        axes.plot(ends, [y, y], color=QUIET)
        axes.plot(ends, [y, y], "o", color=QUIET, markersize=size, **_hollow(style))

    entries = [
        (predicted, "Predicted for a new study of this size: 50 % and 95 %"),
        (observed, "Observed (signs: diseases)"),
    ]
    if bounded:
        entries.append((bounds, "Count known within bounds"))
    return entries
