"""Stopping boundaries over accrual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .design_lines import Axis, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_boundaries(frame: pd.DataFrame, style: Style, looks: bool = False) -> Figure:
    """Draw the counts of events at which a trial stops.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x` (patients), `value` (events, missing where no count stops), `series`.
    style : Style
        Page, type and colours.
    looks : bool
        Whether the trial stops at these numbers of patients only, not in between.

    Returns
    -------
    matplotlib.figure.Figure
    """
    axes = Axis("Patients"), Axis("Events", whole=True)
    with drawing(style):
        return draw_lines(style, Panel(frame, *axes, steps=not looks, marked=looks))
