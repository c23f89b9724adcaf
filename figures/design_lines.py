"""Lines over one axis, each named at its right end: what the trial designer's figures share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .page import Page, leading, page_room, percent_axis, quiet_axes
from .style import COLOURS, INK, MARKERS, QUIET, Style, legible, text_width, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 3)))


@dataclass(frozen=True)
class Axis:
    """What an axis shows: its label with the unit; whether a probability, or a whole number."""

    label: str
    percent: bool = False
    upper: float | None = None
    whole: bool = False


@dataclass(frozen=True)
class Guide:
    """A straight line with a few words: upright over the axes, or level and named at the right."""

    at: float
    words: str
    upright: bool


@dataclass(frozen=True, eq=False)
class Panel:
    """Series over one axis.

    Attributes
    ----------
    frame : DataFrame
        Columns `x, value, series`; a series' rows in order of x, gaps as missing values.
    x, y : Axis
        The axes.
    guides : tuple of Guide
        Straight lines.
    steps, marked, filled : bool
        Whether values hold until the next x; are marked one by one; are tinted down to zero.
    notes : tuple of str
        Words at the right, from the top.
    title : str
        Stands above the panel.
    """

    frame: pd.DataFrame
    x: Axis
    y: Axis
    guides: tuple[Guide, ...] = ()
    steps: bool = False
    marked: bool = False
    filled: bool = False
    notes: tuple[str, ...] = ()
    title: str = ""

    @property
    def names(self) -> list[str]:
        """The series, in order."""
        return list(dict.fromkeys(self.frame["series"]))

    @property
    def upright(self) -> list[Guide]:
        """The guides over the axes."""
        return [guide for guide in self.guides if guide.upright]

    @property
    def level(self) -> list[Guide]:
        """The guides across the axes."""
        return [guide for guide in self.guides if not guide.upright]

    @property
    def words(self) -> list[str]:
        """All that is written right of the axes."""
        return [*self.names, *(guide.words for guide in self.level), *self.notes]


def draw_lines(style: Style, *panels: Panel) -> Figure:
    """Draw panels below each other, over x axes of one width.

    Parameters
    ----------
    style : Style
        Page, type and colours.
    *panels : Panel
        From the top; only the last one's x axis is named, unless they differ.

    Returns
    -------
    matplotlib.figure.Figure
        A line a series, distinct by colour and dash, each named at its right end.
    """
    gap, width = style.scaled(5), style.preset.points
    texts = {
        name: wrapped(name, 0.3 * width, style.small) for panel in panels for name in panel.words
    }
    longest = max(text_width(line, style.small) for own in texts.values() for line in own)
    left, right = style.scaled(30), 1.02 * longest + 3 * gap
    span = width - left - right
    heads = [_heads(style, panel, left, span) for panel in panels]
    last = [
        after is None or after.x != panel.x
        for panel, after in zip(panels, (*panels[1:], None), strict=True)
    ]
    feet = [style.scaled(26 if each else 13) for each in last]
    tops = [
        gap + leading(style.small) * (1 + _lowest(head) + bool(panel.title)) + gap / 2
        for panel, head in zip(panels, heads, strict=True)
    ]
    room = page_room(style) - sum(tops) - sum(feet) - gap
    body = min((0.5 if len(panels) == 1 else 0.28) * width, room / len(panels))
    rows = max(sum(len(texts[name]) for name in panel.words) for panel in panels)
    body = max(body, rows * leading(style.small))
    page = Page(style, sum(tops) + sum(feet) + body * len(panels))
    colours = {name: i for i, name in enumerate(_of_all(panels))}
    top = 0.0
    for panel, head, above, foot, labelled in zip(panels, heads, tops, feet, last, strict=True):
        axes = page.axes(left, top + above, span, body)
        if panel.title:
            page.text(left, top + (gap + leading(style.small)) / 2, panel.title, size=style.small)
        ends = _draw_panel(axes, panel, style, colours, labelled)
        for guide, (middle, row) in zip(panel.upright, head, strict=True):
            place = top + above - gap - leading(style.small) * (row + 0.5)
            page.text(middle, place, guide.words, size=style.small, ha="center")
        _name_ends(page, axes, ends, texts, width - right + gap, top + above, body)
        top += above + body + foot
    return page.figure


def _heads(style: Style, panel: Panel, left: float, span: float) -> list[tuple[float, int]]:
    """Place the words of a panel's upright lines: their middles and rows."""
    low, high = _range(panel.frame, panel.x)
    middles = [left + (guide.at - low) / (high - low) * span for guide in panel.upright]
    return _rows(style, panel.upright, middles, style.preset.points)


def _lowest(heads: list[tuple[float, int]]) -> int:
    return max((row for _, row in heads), default=-1)


def _of_all(panels: tuple[Panel, ...]) -> list[str]:
    return list(dict.fromkeys(name for panel in panels for name in panel.names))


def _draw_panel(
    axes: Axes, panel: Panel, style: Style, colours: dict[str, int], labelled: bool
) -> list[tuple[float, str, str]]:
    """Draw a panel's lines; give the heights, words and colours to be named at the right."""
    quiet_axes(axes, style, grid=None)
    _scales(axes, panel, labelled)
    ends = []
    for name in panel.names:
        own = panel.frame[panel.frame["series"] == name].dropna(subset=["value"])
        if own.empty:
            continue
        i = colours[name]
        colour, dash = COLOURS[i % len(COLOURS)], DASHES[i % len(DASHES)]
        axes.plot(
            own["x"],
            own["value"],
            color=colour,
            linestyle=dash,
            drawstyle="steps-post" if panel.steps else "default",
            marker=MARKERS[i % len(MARKERS)] if panel.marked else "",
            label=name,
            clip_on=False,
        )
        if panel.filled:
            axes.fill_between(own["x"], own["value"], color=colour, alpha=0.12, linewidth=0)
        # A density ends on the axis, as every other does: it is named at its height.
        height = own["value"].max() if panel.filled else own["value"].iloc[-1]
        ends.append((float(height), name, colour))
    for guide in panel.level:
        axes.axhline(guide.at, color=QUIET, linewidth=style.line, linestyle=(0, (1, 2)))
        ends.append((guide.at, guide.words, QUIET))
    for guide in panel.upright:
        axes.axvline(guide.at, color=INK, linewidth=style.line, linestyle=(0, (1, 2)))
    highest = axes.get_ylim()[1]
    # Names are set in the order of their heights: a trifle apart, notes keep theirs.
    return ends + [(highest * (1 - 1e-6 * i), words, INK) for i, words in enumerate(panel.notes)]


def _range(frame: pd.DataFrame, x: Axis) -> tuple[float, float]:
    """Give the ends of the x axis."""
    if x.percent:
        return 0.0, x.upper or 1.0
    low, high = float(frame["x"].min()), float(frame["x"].max())
    return (low, high) if high > low else (low, low + 1)


def _scales(axes: Axes, panel: Panel, labelled: bool) -> None:
    frame, x, y = panel.frame, panel.x, panel.y
    if x.percent:
        percent_axis(axes, x.upper or 1.0, "x")
    else:
        axes.set_xlim(*_range(frame, x))
        _whole(axes, "x")
    top = y.upper or 1.05 * max([float(frame["value"].max()), *(g.at for g in panel.level)]) or 1.0
    if y.percent:
        percent_axis(axes, top, "y")
    else:
        axes.set_ylim(0, top)
        if y.whole:
            _whole(axes, "y")
    if labelled:
        axes.set_xlabel(x.label)
    axes.set_ylabel(y.label)


def _whole(axes: Axes, which: str) -> None:
    """Put ticks at whole numbers only."""
    from matplotlib.ticker import MaxNLocator

    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(MaxNLocator(6, integer=True, steps=[1, 2, 5, 10]))


def _rows(
    style: Style, guides: list[Guide], middles: list[float], width: float
) -> list[tuple[float, int]]:
    """Place the words of upright lines within the page, each in the lowest row with room."""
    placed: list[tuple[float, float, int]] = []
    found = []
    for guide, wanted in zip(guides, middles, strict=True):
        if not guide.words:
            found.append((wanted, -1))
            continue
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
        page.lines(x, top, texts[name], size=size, color=legible(colour))
