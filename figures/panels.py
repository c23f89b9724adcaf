"""Small multiples: one panel an outcome, one row a disease, the same limits in every panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from ..data.names import outcome_short, outcome_words
from .page import Grid, Page, key, key_height, key_sign, leading, page_room, row_pitch
from .style import FAINT, Style, fitted, label_room, text_width, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Panels:
    """A page of panels.

    Attributes
    ----------
    page : Page
        The figure.
    axes : dict of str to Axes
        Axes of each outcome; y is in points from the top.
    middles : dict of str to float
        Middle of each disease's row, points from the top of its axes.
    pitch : float
        Height of a row, points.
    """

    page: Page
    axes: dict[str, Axes]
    middles: dict[str, float]
    pitch: float


def disease_panels(
    style: Style,
    diseases: Sequence[str],
    outcomes: Sequence[str],
    axis_words: str,
    entries: Sequence[tuple] = (),
    lanes: float = 1.0,
    side: tuple[str, Mapping[tuple[str, str], str]] | None = None,
    of_fit: bool = True,
) -> Panels:
    """Lay out a panel for each outcome, with the diseases named at the left of each row of panels.

    Parameters
    ----------
    style : Style
        The page.
    diseases, outcomes : sequence of str
        Rows and panels, in order.
    axis_words : str
        What the horizontal axis shows, with its unit.
    entries : sequence of (callable, str)
        The key, as `page.key` takes it.
    lanes : float
        Rows of marks that a disease needs.
    side : (str, mapping), optional
        Head and cells, by outcome and disease, of a column right of each panel.
    of_fit : bool
        Whether a fit is shown.

    Returns
    -------
    Panels
    """
    width = style.preset.points
    sign, margin = style.scaled(10), style.scaled(8)
    names = [style.names(d)[0] for d in diseases]
    labels = label_room(names, 0.27 * width, style.small) + sign + style.scaled(6)
    words = [] if side is None else [side[0], *side[1].values()]
    beside = label_room(words, width, style.small) + margin * bool(words)
    gap = style.scaled(15)
    across = _across(len(outcomes), width - labels, gap + beside, style)
    down = ceil(len(outcomes) / across)
    panel = (width - labels - margin - gap * (across - 1)) / across - beside
    heads = {
        o: fitted(
            (outcome_words(o), outcome_short(o)), panel + beside * (not words), style.size, True
        )
        for o in outcomes
    }
    head = max(map(len, heads.values())) * leading(style.size) + style.scaled(3)
    foot = style.scaled(16)
    axis_lines = wrapped(axis_words, width - labels, style.size)
    texts = [text for _, text in entries]
    axis_room = len(axis_lines) * leading(style.size) + style.scaled(5)
    fixed = down * (head + foot) + axis_room + key_height(style, width, texts)
    pitch = row_pitch(style, lanes * len(diseases) * down, fixed) * lanes
    two = 2.1 * leading(style.small)
    room = labels - sign - style.scaled(6)
    is_long = max(text_width(name, style.small) for name in names) > room
    if is_long and fixed + two * len(diseases) * down <= page_room(style):
        pitch = max(pitch, two)
    # A name of two lines must fit its row, or it is abbreviated.
    lines = {
        d: fitted(
            style.names(d),
            room,
            style.small,
            lines=2 if pitch >= 2 * leading(style.small) else 1,
        )
        for d in diseases
    }
    body = pitch * len(diseases)
    grid = Grid(across, labels, panel, body, beside + gap, head, foot)
    bottom = grid.room(len(outcomes))
    page = Page(style, bottom + axis_room + key_height(style, width, texts), of_fit)
    axes = {}
    middles = {d: (i + 0.5) * pitch for i, d in enumerate(diseases)}
    for i, outcome in enumerate(outcomes):
        cell = grid.cell(i)
        top = cell.top
        axes[outcome] = _panel(page, cell.left, top, panel, body, style)
        page.lines_above(cell.left, top - style.scaled(3), heads[outcome], weight="bold")
        if side is not None:
            right = cell.left + panel + beside
            y = top - style.scaled(3) - leading(style.size) / 2
            page.text(right, y, side[0], ha="right", size=style.small, weight="normal")
            for disease, middle in middles.items():
                words_beside = side[1].get((outcome, disease), "")
                page.text(right, top + middle, words_beside, ha="right", size=style.small)
        if cell.is_first:
            _disease_labels(page, top, labels, middles, lines)
    middle = labels + (width - labels) / 2
    page.lines(middle, bottom, axis_lines, ha="center", size=style.size)
    if entries:
        key(page, style.scaled(1), bottom + axis_room, width - 2, entries)
    return Panels(page, axes, middles, pitch)


def _across(panels: int, width: float, beside: float, style: Style) -> int:
    """Choose how many panels stand side by side: three at most, none too narrow to read."""
    least = style.scaled(70)
    most = max(1, min(3, int((width + beside) // (least + beside))))
    return min(panels, 2 if panels == 4 and most > 2 else most)


def _panel(page: Page, left: float, top: float, width: float, height: float, style: Style) -> Axes:
    axes = page.axes(left, top, width, height)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    return axes


def _disease_labels(page: Page, top: float, room: float, middles: dict, lines: dict) -> None:
    style = page.style
    for disease, y in middles.items():
        own = lines[disease]
        first = top + y - len(own) * leading(style.small) / 2
        page.lines(style.scaled(10), first, own, size=style.small)
        disease_sign(page, style.scaled(4), top + y, disease)


def disease_sign(page: Page, x: float, y: float, disease: str, size: float = 4) -> None:
    """Draw a disease's marker in its colour with its middle at a place of the page."""
    from matplotlib.lines import Line2D

    mark, (right, up) = page.style.mark(disease), page.place(x, y)
    sign = Line2D(
        [right], [up], color=mark.colour, marker=mark.marker, linestyle="none",
        markersize=page.style.scaled(size), transform=page.figure.transFigure,
    )  # fmt: skip
    page.figure.add_artist(sign)


def disease_entries(style: Style, diseases: Sequence[str], width: float) -> list[tuple]:
    """Give the entries of a key of this width that tell whose sign is whose."""

    def sign(disease):
        def draw(axes, x, y, unit):
            mark = style.mark(disease)
            axes.plot([x], [y], mark.marker, color=mark.colour, markersize=style.scaled(3.8))

        return draw

    room = width - key_sign(style)
    return [
        (sign(name), fitted(style.names(name), room, style.small, lines=1)[0]) for name in diseases
    ]
