"""Lines over one axis, each named at its right end: what the trial designer's figures share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .page import Page, leading, percent_axis, quiet_axes
from .style import COLOURS, INK, POINTS_PER_MM, QUIET, Style, text_width, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 3)))


@dataclass(frozen=True)
class Axis:
    """What an axis shows: its label with the unit, and whether it is a probability."""

    label: str
    percent: bool = False
    upper: float | None = None


@dataclass(frozen=True)
class Guide:
    """A straight line with a few words: upright over the axes, or level and named at the right."""

    at: float
    words: str
    upright: bool


def draw_lines(
    frame: pd.DataFrame,
    style: Style,
    x: Axis,
    y: Axis,
    guides: tuple[Guide, ...] = (),
    steps: bool = False,
    filled: bool = False,
) -> Figure:
    """Draw series over one axis.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x, value, series`; a series' rows in order of x, gaps as missing values.
    style : Style
        Page, type and colours.
    x, y : Axis
        The axes.
    guides : tuple of Guide
        Straight lines.
    steps : bool
        Whether values hold until the next x.
    filled : bool
        Whether the area under each line is tinted.

    Returns
    -------
    matplotlib.figure.Figure
        A line a series, distinct by colour and dash, each named at its right end.
    """
    names = list(dict.fromkeys(frame["series"]))
    level = [guide for guide in guides if not guide.upright]
    upright = [guide for guide in guides if guide.upright]
    width, gap = style.preset.points, style.scaled(5)
    room = 0.3 * width
    texts = {name: wrapped(name, room, style.small) for name in names}
    texts |= {guide.words: wrapped(guide.words, room, style.small) for guide in level}
    longest = max(text_width(line, style.small) for own in texts.values() for line in own)
    left = style.scaled(30)
    right = 1.02 * longest + 3 * gap
    span = width - left - right
    low, high = _range(frame, x)
    middles = [left + (guide.at - low) / (high - low) * span for guide in upright]
    heads = _rows(style, upright, middles, width)
    head = gap + leading(style.small) * (1 + max((row for _, row in heads), default=-1)) + gap / 2
    foot = style.scaled(26)
    body = min(0.5 * width, style.preset.height * POINTS_PER_MM - head - foot - gap)
    rows = sum(len(own) for own in texts.values())
    body = max(body, rows * leading(style.small))
    page = Page(style, head + body + foot, of_fit=False)
    axes = page.axes(left, head, span, body)
    quiet_axes(axes, style, grid=None)
    _scales(axes, frame, x, y)
    ends = []
    for i, name in enumerate(names):
        own = frame[frame["series"] == name].dropna(subset=["value"])
        if own.empty:
            continue
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        axes.plot(
            own["x"],
            own["value"],
            color=colour,
            linestyle=dash,
            drawstyle="steps-post" if steps else "default",
            label=name,
            clip_on=False,
        )
        if filled:
            axes.fill_between(own["x"], own["value"], color=colour, alpha=0.12, linewidth=0)
        ends.append((float(own["value"].iloc[-1]), name, colour))
    for guide in level:
        axes.axhline(guide.at, color=QUIET, linewidth=style.line, linestyle=(0, (1, 2)))
        ends.append((guide.at, guide.words, QUIET))
    for guide, (middle, row) in zip(upright, heads, strict=True):
        axes.axvline(guide.at, color=INK, linewidth=style.line, linestyle=(0, (1, 2)))
        top = head - gap - leading(style.small) * (row + 0.5)
        page.text(middle, top, guide.words, size=style.small, ha="center")
    _name_ends(page, axes, ends, texts, width - right + gap, head, body)
    return page.figure


def _range(frame: pd.DataFrame, x: Axis) -> tuple[float, float]:
    """Give the ends of the x axis."""
    if x.percent:
        return 0.0, x.upper or 1.0
    low, high = float(frame["x"].min()), float(frame["x"].max())
    return (low, high) if high > low else (low, low + 1)


def _scales(axes: Axes, frame: pd.DataFrame, x: Axis, y: Axis) -> None:
    if x.percent:
        percent_axis(axes, x.upper or 1.0, "x")
    else:
        axes.set_xlim(*_range(frame, x))
    top = y.upper or float(frame["value"].max()) * 1.05 or 1.0
    if y.percent:
        percent_axis(axes, top, "y")
    else:
        axes.set_ylim(0, top)
    axes.set_xlabel(x.label)
    axes.set_ylabel(y.label)


def _rows(
    style: Style, guides: list[Guide], middles: list[float], width: float
) -> list[tuple[float, int]]:
    """Place the words of upright lines within the page, each in the lowest row with room."""
    placed: list[tuple[float, float, int]] = []
    found = []
    for guide, wanted in zip(guides, middles, strict=True):
        half = text_width(guide.words, style.small) / 2 + style.scaled(2)
        middle = min(max(wanted, half), width - half)
        row = 0
        while any(
            other == row and middle - half < right and left < middle + half
            for left, right, other in placed
        ):
            row += 1
        placed.append((middle - half, middle + half, row))
        found.append((middle, row))
    return found


def _name_ends(
    page: Page, axes: Axes, ends: list, texts: dict, x: float, head: float, body: float
) -> None:
    """Write each line's name beside its end, moved up or down until none touch."""
    size = page.style.small
    low, high = axes.get_ylim()
    wanted = sorted(
        (head + body * (1 - (value - low) / (high - low)), name, colour)
        for value, name, colour in ends
    )
    tops, below = [], head - leading(size) / 2
    for middle, name, _ in wanted:
        tall = leading(size) * len(texts[name])
        top = max(middle - tall / 2, below)
        tops.append(top)
        below = top + tall
    floor = head + body + leading(size) / 2
    for i in range(len(wanted) - 1, -1, -1):
        tall = leading(size) * len(texts[wanted[i][1]])
        tops[i] = min(tops[i], floor - tall)
        floor = tops[i]
    for top, (_, name, colour) in zip(tops, wanted, strict=True):
        page.lines(x, top, texts[name], size=size, color=colour)
