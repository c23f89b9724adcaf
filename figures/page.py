"""A figure laid out in points from its top left corner, so that room is measured, not guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Literal

from .dark import darkened
from .style import ALARM, FAINT, INK, POINTS_PER_MM, QUIET, Style, drawing, text_width, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STAMPS = {
    "fail": "The guard failed this fit: do not use",
    None: "Unchecked: the guard has not seen this fit",
}


@dataclass(frozen=True)
class Cell:
    """Where a cell of a grid stands: its left and top, points, and whether its row begins there."""

    left: float
    top: float
    is_first: bool


@dataclass(frozen=True)
class Grid:
    """Cells of one size in rows, each with room for its head above it and a foot below.

    It is measured before a page is made, so that the page has the height that it needs. All
    lengths are points.

    Attributes
    ----------
    across : int
        Cells in a row.
    left : float
        Where the first cell of a row begins.
    width, height : float
        Size of a cell.
    gap : float
        Room between two cells of a row.
    head, foot : float
        Room above and below each cell.
    """

    across: int
    left: float
    width: float
    height: float
    gap: float
    head: float
    foot: float

    def room(self, cells: int) -> float:
        """Give the height that so many cells need, with their heads and feet."""
        return ceil(cells / self.across) * (self.head + self.height + self.foot)

    def cell(self, place: int) -> Cell:
        """Give a cell by its place, counted along the rows."""
        row, column = divmod(place, self.across)
        top = row * (self.head + self.height + self.foot) + self.head
        return Cell(self.left + column * (self.width + self.gap), top, column == 0)


class Page:
    """A figure under construction; lengths are points, y runs down from the top.

    Parameters
    ----------
    style : Style
        What it is drawn with; its width is the page's.
    height : float
        Height of the drawing, points.
    of_fit : bool
        Whether it shows a fit: then it carries a mark unless the guard passed that.
    """

    def __init__(self, style: Style, height: float, of_fit: bool = True) -> None:
        from .shown import ShownFigure

        self.style, self.width = style, style.preset.points
        stamp, note, (above, below) = _around(style) if of_fit else (None, [], (0.0, 0.0))
        self.offset = above
        self.height = above + height + below
        size = self.width / 72, self.height / 72
        self.figure: Figure = ShownFigure(figsize=size, dpi=72)
        if stamp:
            self._stamp(stamp)
        first = height + below - len(note) * leading(style.small)
        self.lines(1, first, note, size=style.small, color=QUIET, gid="note")

    def _stamp(self, text: str) -> None:
        from matplotlib.patches import Rectangle

        deep = self.style.scaled(10) / self.height
        strip = Rectangle(
            (0, 1 - deep), 1, deep, transform=self.figure.transFigure, color=ALARM, linewidth=0
        )
        self.figure.add_artist(strip)
        label = self.figure.text(
            0.5,
            1 - deep / 2,
            text,
            color="white",
            weight="bold",
            ha="center",
            va="center_baseline",
            size=self.style.size,
        )
        label.set_gid("guard")

    def axes(self, left: float, top: float, width: float, height: float, **kwargs: Any) -> Axes:
        """Add axes of a given place and size."""
        bottom = self.height - self.offset - top - height
        box = (
            left / self.width,
            bottom / self.height,
            width / self.width,
            height / self.height,
        )
        return self.figure.add_axes(box, **kwargs)

    def text(self, x: float, y: float, text: str, **kwargs: Any) -> Any:
        """Write a line; by default from its left end, with its middle at y."""
        kwargs = {"va": "center_baseline", "ha": "left", "size": self.style.size} | kwargs
        return self.figure.text(*self.place(x, y), text, **kwargs)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Give a place as shares of the figure, from its bottom left corner."""
        return x / self.width, 1 - (y + self.offset) / self.height

    def lines_above(self, x: float, y: float, lines: Sequence[str], **kwargs: Any) -> None:
        """Write lines below each other that end at a height."""
        size = kwargs.get("size", self.style.size)
        self.lines(x, y - len(lines) * leading(size), lines, **kwargs)

    def lines(self, x: float, top: float, lines: Sequence[str], **kwargs: Any) -> None:
        """Write lines below each other from a top."""
        size = kwargs.get("size", self.style.size)
        for i, line in enumerate(lines):
            self.text(x, top + (i + 0.5) * leading(size), line, **kwargs)


def _around(style: Style) -> tuple[str | None, list[str], tuple[float, float]]:
    """Give the mark above a drawing of a fit, the small print below it, and the room of each."""
    stamp = _STAMPS.get(style.verdict)
    note = wrapped(style.note, style.preset.points - 2, style.small) if style.note else []
    below = style.scaled(2) + len(note) * leading(style.small) if note else 0.0
    return stamp, note, (style.scaled(13) if stamp else 0.0, below)


def page_room(style: Style) -> float:
    """Give the height that a page offers a drawing beside mark and small print, points."""
    return style.preset.height * POINTS_PER_MM - sum(_around(style)[2])


def leading(size: float) -> float:
    """Give the distance between lines of a size of type, points."""
    return 1.25 * size


def quiet_axes(axes: Axes, style: Style, grid: Literal["x", "y"] | None = "x") -> None:
    """Leave only the axis that is read, with faint lines across."""
    if grid == "x":
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
    elif grid == "y":
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="x", length=0)
    if grid:
        axes.grid(axis=grid, color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)


def upper_end(most: float, ends: Sequence[float] = (0.1, 0.2, 0.5)) -> float:
    """Give the end of an axis of probabilities: 1, or less where nothing comes near that."""
    return next((end for end in ends if most <= end), 1.0)


def axis_ends(frame: pd.DataFrame, *highest: str) -> dict[str, float]:
    """Give where each outcome's axis ends, from the columns that hold the highest of its rates."""
    most = frame.groupby("outcome", sort=False)[[*highest]].max().max(axis=1)
    return {str(outcome): upper_end(float(each)) for outcome, each in most.items()}


def differing(ends: Mapping[str, float]) -> str:
    """Say that axes differ, where some end below 100 %; else nothing."""
    return "; axes differ" if min(ends.values()) < 1 else ""


def percent_axis(axes: Axes, upper: float = 1.0, which: str = "x", ticks: int = 5) -> None:
    """Show probabilities from 0 to `upper` as percentages."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(0, upper)
    steps = [1, 2, 2.5, 5, 10]
    if upper == 1.0:
        axis.set_ticks([i / (ticks - 1) for i in range(ticks)])
    else:
        axis.set_major_locator(MaxNLocator(ticks - 1, steps=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))


def square_root_axis(axes: Axes, upper: float = 1.0, which: str = "x") -> None:
    """Show probabilities as percentages on a square-root scale, which spreads small ones."""
    set_scale = axes.set_xscale if which == "x" else axes.set_yscale
    set_scale("function", functions=(_root, _square))
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xlim if which == "x" else axes.set_ylim)(0, upper)
    ticks = [t for t in (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0) if t <= upper]
    axis.set_ticks(ticks, [f"{100 * t:g}" for t in ticks])
    axis.set_ticks([], minor=True)


def _root(value):
    import numpy as np

    return np.sqrt(np.maximum(value, 0))


def _square(value):
    return value**2


def key(page: Page, left: float, top: float, width: float, entries: Sequence[tuple]) -> float:
    """Draw a key in rows: what each sign means.

    Parameters
    ----------
    page : Page
        Where.
    left, top, width : float
        Place and room, points.
    entries : sequence of (callable, str)
        `draw(axes, x, y, unit)` draws the sign round x, y in axes whose unit is a point; the words.

    Returns
    -------
    float
        Height used, points.
    """
    style = page.style
    size, sign, gap = style.small, style.scaled(16), style.scaled(8)
    rows = key_rows(style, width, [text for _, text in entries])
    pitch = leading(size) * 1.15
    height = pitch * len(rows)
    axes = page.axes(left, top, width, height)
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_gid("key")
    axes.axis("off")
    signs = iter(entries)
    for i, row in enumerate(rows):
        x, y = 0.0, (i + 0.5) * pitch
        for text in row:
            draw = next(signs)[0]
            draw(axes, x + sign / 2, y, sign)
            axes.text(x + key_sign(style), y, text, size=size, va="center_baseline", color=INK)
            x += key_sign(style) + text_width(text, size) + gap
    return height


def key_sign(style: Style) -> float:
    """Give the room that the sign of an entry takes, points."""
    return 1.2 * style.scaled(16)


def key_rows(style: Style, width: float, texts: Sequence[str]) -> list[list[str]]:
    """Break the entries of a key into rows that fit a width."""
    gap = style.scaled(8)
    rows: list[list[str]] = [[]]
    x = 0.0
    for text in texts:
        need = key_sign(style) + text_width(text, style.small)
        if rows[-1] and x + need > width:
            rows.append([])
            x = 0.0
        rows[-1].append(text)
        x += need + gap
    return rows


def key_height(style: Style, width: float, texts: Sequence[str]) -> float:
    """Give the height that `key` will use, points."""
    return leading(style.small) * 1.15 * len(key_rows(style, width, texts))


def row_pitch(style: Style, rows: float, fixed: float) -> float:
    """Give the distance between rows: comfortable, closer where a page would not hold them.

    Parameters
    ----------
    style : Style
        The page.
    rows : float
        Rows to place.
    fixed : float
        Height that everything else needs, points.

    Returns
    -------
    float
        Points; never so little that lines of the smallest type touch, so that a page of very many
        rows is longer than a sheet.
    """
    room = page_room(style) - fixed
    return float(min(1.55 * style.size, max(1.2 * style.small, room / max(rows, 1))))


def within_page(drawn: Callable[[Style], Figure], style: Style) -> Figure:
    """Draw a figure for a page: in smaller type where it would be too high, in its colours.

    Parameters
    ----------
    drawn : callable
        Draws it in a style.
    style : Style
        The page.

    Returns
    -------
    matplotlib.figure.Figure
        In no smaller type than the preset allows, so that very many rows are higher than a page.
    """
    figure = drawn(style)
    room = style.preset.height * POINTS_PER_MM / 72
    while (high := figure.get_figheight()) > room and style.small > 1.001 * style.preset.least:
        # Not all of a figure grows with its type: at least a little smaller each time.
        scale = max(min(room / high, 0.98), style.preset.least / style.small)
        style = style.with_type(scale)
        figure = drawn(style)
    if style.preset.dark:
        with drawing(style):
            return darkened(figure)
    return figure


def count_words(low, high, n) -> str:
    """Write a count of n patients, or its bounds; `no study` where nobody was counted."""
    if not n > 0:
        return "no study"
    return f"{low:.0f}/{n:.0f}" if low == high else f"{low:.0f}–{high:.0f}/{n:.0f}"
