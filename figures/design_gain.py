"""What a further trial would teach against its patients: a panel an outcome, a line a disease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .design_lines import Axis, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_gain(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the expected fall of the variance of rates.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `panel` (outcome), `x` (patients), `value` (squared percentage points), `series`
        (disease of the trial).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
    """
    patients = Axis("Patients of the next trial")
    panels = [
        Panel(own, patients, Axis("Fall (points²)"), title=str(outcome))
        for outcome, own in frame.groupby("panel", sort=False)
    ]
    with drawing(style):
        return draw_lines(style, *panels)
