"""Pooling compared: how far each disease is drawn towards the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.names import words
from .page import axis_ends, differing, percent_axis
from .panels import disease_panels
from .style import INK, QUIET, Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_MARKERS = {"none": "o", "partial": "D", "complete": "s"}
_WORDS = {"none": "No pooling", "partial": "Partial pooling", "complete": "Complete pooling"}
_OTHER = ("v", "P", "X")


def draw_pooling(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw each disease's rate under several poolings, joined by a line that shows the shrinkage.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an outcome, disease and `pooling`, in the order of drawing: `q2.5, q50, q97.5,
        evidence`; probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        One panel an outcome: in each disease's row one lane a pooling, with the median and 95 %
        interval, dotted where the disease has no study; only partial pooling is filled. A line
        joins the medians.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    diseases = list(dict.fromkeys(frame["disease"]))
    outcomes = list(dict.fromkeys(frame["outcome"]))
    poolings = list(dict.fromkeys(frame["pooling"]))
    markers = {p: _MARKERS.get(p, _OTHER[i % 3]) for i, p in enumerate(poolings)}
    entries = [(_sign(style, p, markers[p]), _WORDS.get(p, words(p))) for p in poolings]
    entries.append((_line(style), "Shrinkage"))
    if (frame["evidence"] == "borrowed").any():
        entries.append((_dotted(style), "No study: borrowed, or the prior"))
    ends = axis_ends(frame, "q97.5")
    axis_words = f"Patients with the outcome, % (median and 95 % interval){differing(ends)}"
    lanes = 0.62 * len(poolings)
    panels = disease_panels(style, diseases, outcomes, axis_words, entries, lanes)
    lane = panels.pitch / (len(poolings) + 0.8)
    for outcome, axes in panels.axes.items():
        own = frame[frame["outcome"] == outcome]
        percent_axis(axes, ends[outcome])
        for disease in diseases:
            rows = own[own["disease"] == disease].to_dict("records")
            middle = panels.middles[disease]
            places = [
                middle + (poolings.index(row["pooling"]) - (len(poolings) - 1) / 2) * lane
                for row in rows
            ]
            medians = [row["q50"] for row in rows]
            colour = style.mark(disease).colour
            thin = {"color": QUIET, "linewidth": style.line, "zorder": 2}
            axes.plot(medians, places, gid="shrinkage", **thin)
            for row, y in zip(rows, places, strict=True):
                _mark(axes, row, y, markers[row["pooling"]], colour, style, lane)
    return panels.page.figure


def _mark(
    axes, row: Mapping[Any, Any], y: float, marker: str, colour: str, style: Style, lane: float
) -> None:
    filled = row["pooling"] == "partial"
    wide = (1.6 if filled else 1.0) * style.line
    line = ":" if row["evidence"] == "borrowed" else "-"
    ends = [row["q2.5"], row["q97.5"]]
    axes.plot(ends, [y, y], color=colour, linewidth=wide, linestyle=line, zorder=3)
    axes.plot(
        [row["q50"]], [y], marker, color=colour, markerfacecolor=colour if filled else "white",
        markersize=min(style.scaled(3.4), 0.75 * lane), markeredgewidth=style.line, zorder=4,
        clip_on=False, gid=row["pooling"],
    )  # fmt: skip


def _sign(style: Style, pooling: str, marker: str):
    def draw(axes, x, y, unit):
        ends = {"q2.5": x - unit / 2, "q97.5": x + unit / 2}
        row = {"pooling": pooling, "q50": x, "evidence": "direct", **ends}
        _mark(axes, row, y, marker, INK, style, unit)

    return draw


def _line(style: Style):
    def draw(axes, x, y, unit):
        ends = [x - unit / 4, x + unit / 4], [y - unit / 4, y + unit / 4]
        axes.plot(*ends, color=QUIET, linewidth=style.line)

    return draw


def _dotted(style: Style):
    def draw(axes, x, y, unit):
        ends = [x - unit / 2, x + unit / 2]
        axes.plot(ends, [y, y], color=INK, linewidth=style.line, linestyle=":")

    return draw
