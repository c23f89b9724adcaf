"""Simulation-based calibration: how far places of the truth are from uniform."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import numbered
from .page import Grid, Page, leading
from .style import ALARM, FAINT, INK, QUIET, Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ACROSS = 3


def draw_uniformity(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the ECDF of each quantity's places in posteriors, less that of uniform ones.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an `engine`, `data`, `parameter` and `place` (0 to 1): `sims`, the `difference` of
        the ECDF from the place, the band's ends `low, high` less the place, and `inside_band`
        (whether the whole of the quantity's ECDF is within).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a kind of data sets with its band and a line a quantity, in the colour of alarm
        where it leaves the band.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    kinds = list(frame.groupby(["engine", "data"], sort=False))
    left, gap = style.scaled(34), style.scaled(30)
    width = (style.preset.points - left - style.scaled(4) - (_ACROSS - 1) * gap) / _ACROSS
    lines = 2 * leading(style.size) + style.scaled(3)
    grid = Grid(_ACROSS, left, width, 0.7 * width, gap, lines, style.scaled(28))
    page = Page(style, grid.room(len(kinds)), of_fit=False)
    for place, ((engine, data), own) in enumerate(kinds):
        cell = grid.cell(place)
        counted = numbered(own["parameter"].nunique(), "quantity", "quantities")
        about = f"{engine}, {counted}, {numbered(own['sims'].iloc[0], 'data set')}"
        page.lines_above(cell.left, cell.top - style.scaled(3), [str(data), about])
        axes = page.axes(cell.left, cell.top, width, 0.7 * width)
        _panel(axes, own, style)
        axes.set_xlabel("Place in the posterior")
        if cell.is_first:
            axes.set_ylabel("ECDF less uniform")
    return page.figure


def _panel(axes: Axes, frame: pd.DataFrame, style: Style) -> None:
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    band = frame.drop_duplicates("place")
    axes.fill_between(band["place"], band["low"], band["high"], color=FAINT, linewidth=0)
    axes.axhline(0, color=QUIET, linewidth=style.line)
    for _, own in frame.groupby("parameter", sort=False):
        inside = bool(own["inside_band"].all())
        (line,) = axes.plot(own["place"], own["difference"], linewidth=0.7 * style.line)
        line.set(color=INK if inside else ALARM, alpha=0.35 if inside else 1, gid="quantity")
    axes.locator_params(axis="y", nbins=5)
