"""What an effect means for patients: the risk difference over the control rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import outcome_short, outcome_words
from ..data.outcomes import outcome as described
from ..data.written import MINUS
from .page import Grid, Page, key, key_height, leading, percent_axis, upper_end
from .style import FAINT, INK, QUIET, Style, drawing, fitted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_effect_rates(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the risk difference that an effect makes at every control rate.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an outcome, disease and `control_rate`: `low, middle, high` (risk difference of a
        typical study), `trial_low, trial_high` (of the next trial), `next_low, next_middle,
        next_high` (rate of the next control arm); probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel an outcome and disease: a line with a band, a paler one for the next trial, and at
        the foot where the next control arm is expected.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    panels = list(frame.groupby(["outcome", "disease"], sort=False))
    width, gap = style.preset.points, style.scaled(12)
    left, right = style.scaled(36), style.scaled(8)
    most = max(1, min(3, int((width - left - right + gap) // (style.scaled(88) + gap))))
    across = min(len(panels), most)
    wide = min((width - left - right - gap * (across - 1)) / across, style.scaled(190))
    names = []
    for (outcome, disease), _ in panels:
        both = fitted(
            (outcome_words(str(outcome)), outcome_short(str(outcome))), wide, style.size, True
        )
        names.append((both, fitted(style.names(str(disease)), wide, style.small, lines=1)))
    tall = max(len(both) for both, _ in names) * leading(style.size)
    head = tall + leading(style.small) + style.scaled(4)
    grid = Grid(across, left, wide, style.scaled(80), gap, head, style.scaled(32))
    room = width - 2
    entries = _key_entries(style)
    height = grid.room(len(panels))
    page = Page(style, height + key_height(style, room, [text for _, text in entries]))
    most = frame[["low", "high", "trial_low", "trial_high"]].abs().to_numpy(float).max()
    upper = upper_end(most)
    for place, ((outcome, disease), own) in enumerate(panels):
        cell = grid.cell(place)
        axes = page.axes(cell.left, cell.top, wide, grid.height)
        both, disease_lines = names[place]
        bottom = cell.top - style.scaled(3)
        page.lines_above(cell.left, bottom, disease_lines, size=style.small)
        page.lines_above(cell.left, bottom - leading(style.small), both, weight="bold")
        _panel(axes, own, str(disease), upper, style)
        timed = described(str(outcome)).timed
        axes.set_xlabel("Control risk, 12 months, %" if timed else "Control rate, %")
        if cell.is_first:
            axes.set_ylabel("Difference, points")
        else:
            axes.set_yticklabels([])
    key(page, style.scaled(1), height, room, entries)
    return page.figure


def _panel(axes: Axes, own: pd.DataFrame, disease: str, upper: float, style: Style) -> None:
    colour = style.mark(disease).colour
    percent_axis(axes, 1.0, "x", ticks=3)
    axes.set_ylim(-1.12 * upper, upper)
    ticks = [part * upper for part in (-1, -0.5, 0, 0.5, 1)]
    axes.set_yticks(
        ticks, [f"{100 * tick:+g}".replace("-", MINUS) if tick else "0" for tick in ticks]
    )
    axes.grid(color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    axes.axhline(0, color=INK, linewidth=style.line, zorder=2)
    x = own["control_rate"]
    about = {"color": colour, "linewidth": 0}
    axes.fill_between(x, own["trial_low"], own["trial_high"], alpha=0.14, gid="trial", **about)
    axes.fill_between(x, own["low"], own["high"], alpha=0.3, gid="effect", **about)
    axes.plot(x, own["middle"], color=colour, zorder=3, gid="median")
    first = own.iloc[0]
    _control(
        axes, first["next_low"], first["next_middle"], first["next_high"], -1.06 * upper, style
    )


def _control(axes: Axes, low: float, middle: float, high: float, y: float, style: Style) -> None:
    axes.plot([low, high], [y, y], color=QUIET, linewidth=2.2 * style.line, zorder=3)
    axes.plot([middle], [y], "o", color=QUIET, markersize=style.scaled(3), zorder=4, gid="control")


def _key_entries(style: Style) -> list[tuple]:
    def band(alpha: float, line: bool):
        def draw(axes, x, y, unit):
            ends = [x - unit / 2, x + unit / 2]
            about = {"color": INK, "linewidth": 0, "alpha": alpha}
            axes.fill_between(ends, [y - unit / 5] * 2, [y + unit / 5] * 2, **about)
            if line:
                axes.plot(ends, [y, y], color=INK)

        return draw

    def control(axes, x, y, unit):
        _control(axes, x - unit / 2, x, x + unit / 2, y, style)

    return [
        (band(0.3, True), "Effect: median, 95 %"),
        (band(0.14, False), "Next trial, 95 %"),
        (control, "Next control arm: median, 95 %"),
    ]
