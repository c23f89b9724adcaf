"""Simon's two-stage designs over the true rate: success, early stop, and expected patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .design_lines import Axis, Guide, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_SHOWN = (
    ("success", Axis("Success (%)", percent=True, upper=1.0)),
    ("early stop", Axis("Early stop (%)", percent=True, upper=1.0)),
    ("expected patients", Axis("Mean patients", whole=True)),
)


def draw_design_stages(
    frame: pd.DataFrame, style: Style, rates: tuple[tuple[str, float], ...] = ()
) -> Figure:
    """Draw the operating characteristics of two-stage designs.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `panel` (success, early stop, expected patients), `x` (true rate), `value`,
        `series` (the design).
    style : Style
        Page, type and colours.
    rates : tuple of (str, float)
        Rates to mark with their names.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x = Axis("True rate (%)", percent=True, upper=1.0)
    panels = []
    for position, (name, y) in enumerate(_SHOWN):
        # Named once, over the first panel.
        guides = tuple(
            Guide(rate, f"{words} {100 * rate:g} %" if position == 0 else "", True)
            for words, rate in rates
        )
        panels.append(Panel(frame[frame["panel"] == name], x, y, guides))
    with drawing(style):
        return draw_lines(style, *panels)
