"""Means as evidence: how far scores improved, and the threshold from which patients count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .page import Page, key, key_height, leading, quiet_axes, row_pitch
from .style import COLOURS, FAINT, INK, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_means(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the improvement of each arm beside the threshold, a panel a score.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an arm, those of a `measure` together: `label, arm, n, unit`, `mean` (improvement,
        positive where patients got better) with `sd_low, sd_high` (its deviation at the largest and
        the smallest correlation), `threshold_min, threshold_max`, `events_min, events_max`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A mark at the mean, a thick and a thin line of one standard deviation at either correlation;
        the threshold as a band; the bounds of the patients beyond it in words.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    width, small = style.preset.points, style.small
    gap = style.scaled(6)
    rows = frame.to_dict("records")
    names = [f"{row['label']}, {row['arm']}" for row in rows]
    bounds = [_bounds(row) for row in rows]
    labels = label_room(names, 0.33 * width, small) + gap
    right = label_room(["Beyond the threshold", *bounds], 0.3 * width, small) + gap
    measures = frame.groupby("measure", sort=False)
    entries = _key_entries(style)
    head, foot = leading(small) + style.scaled(4), style.scaled(30)
    fixed = head + foot * len(measures) + key_height(style, width, [text for _, text in entries])
    pitch = row_pitch(style, len(rows), fixed) * 1.2
    page = Page(style, fixed + pitch * len(rows), of_fit=False)
    at = width - right + gap
    title = fitted(("Beyond the threshold", "Beyond"), right - gap, small, lines=1)[0]
    page.text(at, head / 2, title, size=small, color=QUIET)
    top, place = head, 0
    for measure, arms in measures:
        height = pitch * len(arms)
        axes = page.axes(labels, top, width - labels - right, height)
        axes.set_ylim(height, 0)
        axes.set_yticks([])
        quiet_axes(axes, style)
        unit = arms["unit"].iloc[0]
        axes.set_xlabel(fitted((f"Improvement of {measure}, {unit}", str(measure)), 250, small)[0])
        axes.axvline(0, color=QUIET, linewidth=style.line)
        for i, row in enumerate(arms.to_dict("records")):
            y = (i + 0.5) * pitch
            _arm(axes, row, y, pitch, style)
            name = fitted((names[place], str(row["label"])), labels - gap, small, lines=1)[0]
            page.text(style.scaled(1), top + y, name, size=small)
            page.text(at, top + y, bounds[place], size=small)
            place += 1
        top += height + foot
    key(page, style.scaled(1), top, width - 2, entries)
    return page.figure


def _bounds(row) -> str:
    return f"{row['events_min']} to {row['events_max']} of {row['n']}"


def _arm(axes, row, y: float, pitch: float, style: Style) -> None:
    from matplotlib.patches import Rectangle

    low, high = row["threshold_min"], row["threshold_max"]
    band = Rectangle((low, y - 0.5 * pitch), max(high - low, 1e-9), pitch, color=FAINT)
    axes.add_patch(band)
    colour = COLOURS[0] if row["arm"] != "control" else INK
    for deviation, line in ((row["sd_high"], 1.0), (row["sd_low"], 2.6)):
        ends = [row["mean"] - deviation, row["mean"] + deviation]
        axes.plot(ends, [y, y], color=colour, linewidth=line * style.line, zorder=2)
    face = "white" if row["arm"] == "control" else colour
    axes.plot(
        [row["mean"]], [y], "o", color=colour, markerfacecolor=face,
        markersize=style.scaled(4), zorder=3, gid="mean",
    )  # fmt: skip


def _key_entries(style: Style) -> list[tuple]:
    def mark(arm):
        def draw(axes, x, y, unit):
            row = {"arm": arm, "mean": x, "sd_low": unit / 4, "sd_high": unit / 2}
            _arm(axes, {**row, "threshold_min": x, "threshold_max": x}, y, 0.0, style)

        return draw

    def band(axes, x, y, unit):
        from matplotlib.patches import Rectangle

        axes.add_patch(Rectangle((x - unit / 4, y - unit / 4), unit / 2, unit / 2, color=FAINT))

    return [
        (mark("treated"), "Treated: mean, ± SD at correlation 0.9 (thick) and 0.3 (thin)"),
        (mark("control"), "Control"),
        (band, "Threshold"),
    ]
