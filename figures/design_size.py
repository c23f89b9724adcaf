"""Assurance and power against the number of patients, with the recommended one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import numbered
from .design_lines import Axis, Guide, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_size(
    frame: pd.DataFrame,
    style: Style,
    recommended_n: int | None = None,
    wanted: tuple[tuple[str, float], ...] = (),
) -> Figure:
    """Draw the chance of success against the sample size.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x` (patients), `value` (probability), `series` (assurance, power at a rate).
    style : Style
        Page, type and colours.
    recommended_n : int, optional
        Marked by an upright line.
    wanted : tuple of (str, float)
        Wanted probabilities with their names, as level lines.

    Returns
    -------
    matplotlib.figure.Figure
    """
    guides = [Guide(value, f"{words} {100 * value:g} %", False) for words, value in wanted]
    if recommended_n is not None:
        guides.append(
            Guide(recommended_n, f"recommended: {numbered(recommended_n, 'patient')}", True)
        )
    axes = Axis("Patients"), Axis("Probability of success (%)", percent=True, upper=1.0)
    with drawing(style):
        return draw_lines(style, Panel(frame, *axes, tuple(guides)))
