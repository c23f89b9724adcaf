"""Intervals in rows under heads: coefficients of moderators, and rates at their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import ratio_words
from .page import Page, percent_axis, quiet_axes, row_pitch
from .style import COLOURS, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_coefficients(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw ratios on a log scale, in rows under heads.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `head, label, text` (the numbers in words), `middle, low, high` (ratios).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A mark and a central 95 % interval a row; a line at 1.
    """
    with drawing(style):
        return _draw(frame, style, _odds_axis)


def draw_rates_at(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw rates at values of moderators, in rows under heads.

    Parameters
    ----------
    frame : pandas.DataFrame
        As in `draw_coefficients`, of probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A mark and a central 95 % interval a row.
    """
    with drawing(style):
        return _draw(frame, style, _rate_axis)


def draw_effect_coefficients(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw ratios of effects as `draw_coefficients` draws ratios of rates' odds."""
    with drawing(style):
        return _draw(frame, style, _ratio_of_effects_axis)


def draw_effects_at(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw effects at values of moderators, in rows under heads.

    Parameters
    ----------
    frame : pandas.DataFrame
        As in `draw_coefficients`, with `outcome`; odds ratios or hazard ratios.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A mark and a central 95 % interval a row; a line at 1.
    """
    with drawing(style):
        return _draw(frame, style, _effect_axis)


def _draw(
    frame: pd.DataFrame, style: Style, axis: Callable[[Axes, pd.DataFrame, Style], None]
) -> Figure:
    width, small, gap = style.preset.points, style.small, style.scaled(6)
    rows = frame.to_dict("records")
    indent = style.scaled(6)
    labels = indent + gap + label_room([str(r["label"]) for r in rows], 0.42 * width, small)
    right = 2 * gap + label_room([str(r["text"]) for r in rows], 0.3 * width, small)
    heads = list(dict.fromkeys(frame["head"]))
    foot = style.scaled(30)
    count = len(rows) + len(heads)
    pitch = row_pitch(style, count, foot)
    page = Page(style, pitch * count + foot)
    axes = page.axes(labels, 0, width - labels - right, pitch * count)
    axes.set_ylim(pitch * count, 0)
    axes.set_yticks([])
    quiet_axes(axes, style)
    axis(axes, frame, style)
    y = 0.0
    for head in heads:
        room = width - gap
        name = fitted((str(head),), room, style.size, bold=True, lines=1)[0]
        page.text(style.scaled(1), y + pitch / 2, name, weight="bold")
        y += pitch
        for row in (r for r in rows if r["head"] == head):
            name = fitted((str(row["label"]),), labels - indent - gap, small, lines=1)[0]
            page.text(indent, y + pitch / 2, name, size=small)
            page.text(width - right + gap, y + pitch / 2, row["text"], size=small)
            axes.plot([row["low"], row["high"]], [y + pitch / 2] * 2, color=COLOURS[0])
            axes.plot([row["middle"]], [y + pitch / 2], "o", color=COLOURS[0], gid="middle")
            y += pitch
    return page.figure


def ratio_axis(axes: Axes, low: float, high: float, style: Style) -> None:
    """Give axes a logarithmic scale for ratios between two ends, with a line at 1."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_xlim(min(low, 0.5) / 1.1, max(high, 2) * 1.1)
    steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500]
    axes.xaxis.set_major_locator(FixedLocator(steps))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.axvline(1, color=QUIET, linewidth=style.line)


def _ends(frame: pd.DataFrame) -> tuple[float, float]:
    return float(frame["low"].min()), float(frame["high"].max())


def _odds_axis(axes: Axes, frame: pd.DataFrame, style: Style) -> None:
    ratio_axis(axes, *_ends(frame), style)
    axes.set_xlabel("Ratio of odds, of deaths of hazards")


def _effect_axis(axes: Axes, frame: pd.DataFrame, style: Style) -> None:
    ratio_axis(axes, *_ends(frame), style)
    axes.set_xlabel(f"{ratio_words(str(frame['outcome'].iloc[0]))} of a typical study")


def _ratio_of_effects_axis(axes: Axes, frame: pd.DataFrame, style: Style) -> None:
    ratio_axis(axes, *_ends(frame), style)
    axes.set_xlabel("Ratio of odds ratios, of deaths of hazard ratios")


def _rate_axis(axes: Axes, frame: pd.DataFrame, style: Style) -> None:
    percent_axis(axes)
    axes.set_xlabel("Rate of a typical study, %")
