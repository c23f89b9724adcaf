"""Design and analysis prior on one axis: what is believed, and what the trial will assume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .design_lines import Axis, Guide, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_priors(
    frame: pd.DataFrame, style: Style, rates: tuple[tuple[str, float], ...] = ()
) -> Figure:
    """Draw densities of a rate.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x` (rate), `value` (density), `series` (design prior, analysis prior).
    style : Style
        Page, type and colours.
    rates : tuple of (str, float)
        Rates to mark with their names, such as the null.

    Returns
    -------
    matplotlib.figure.Figure
    """
    guides = tuple(Guide(rate, f"{words} {100 * rate:g} %", True) for words, rate in rates)
    axes = Axis("Rate (%)", percent=True, upper=1.0), Axis("Density")
    with drawing(style):
        return draw_lines(style, Panel(frame, *axes, guides, filled=True))
