"""Operating characteristics over the true rate; type I error of borrowing over the control rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .design_lines import Axis, Guide, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_operating(
    frame: pd.DataFrame, style: Style, rates: tuple[tuple[str, float], ...] = ()
) -> Figure:
    """Draw the chances of a design's endings over the true rate.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x` (true rate), `value` (probability), `series` (success, futility, …).
    style : Style
        Page, type and colours.
    rates : tuple of (str, float)
        Rates to mark with their names; they must not lie so close that the names touch.

    Returns
    -------
    matplotlib.figure.Figure
    """
    guides = tuple(Guide(rate, f"{words} {100 * rate:g} %", True) for words, rate in rates)
    axes = (
        Axis("True rate (%)", percent=True, upper=1.0),
        Axis("Probability (%)", percent=True, upper=1.0),
    )
    with drawing(style):
        return draw_lines(style, Panel(frame, *axes, guides))


def draw_design_type1(frame: pd.DataFrame, style: Style, wanted: float) -> Figure:
    """Draw the type I error over the true control rate: what borrowing costs in a conflict.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x` (control rate), `value` (type I error), `series` (analysis).
    style : Style
        Page, type and colours.
    wanted : float
        Nominal error, as a level line.

    Returns
    -------
    matplotlib.figure.Figure
    """
    guides = (Guide(wanted, f"nominal {100 * wanted:g} %", False),)
    upper = min(1.0, max(1.15 * float(frame["value"].max()), 2 * wanted))
    axes = (
        Axis("True control rate (%)", percent=True, upper=1.0),
        Axis("Type I error (%)", percent=True, upper=upper),
    )
    with drawing(style):
        return draw_lines(style, Panel(frame, *axes, guides))
