"""How precise a trial is against its size, by three criteria."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import numbered
from .design_lines import Axis, Guide, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_precision(
    frame: pd.DataFrame,
    style: Style,
    coverage: float,
    width: float,
    sizes: Mapping[str, int | None],
) -> Figure:
    """Draw average coverage, and average and worst length, against the sample size.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `panel` (coverage, width), `x` (patients), `value`, `series` (the criterion).
    style : Style
        Page, type and colours.
    coverage, width : float
        What is wanted, as level lines.
    sizes : mapping of str to int or None
        Smallest size of each criterion, marked; None where there is none.

    Returns
    -------
    matplotlib.figure.Figure
    """
    panels = []
    for name, label, wanted in (
        ("coverage", "Coverage (%)", coverage),
        ("width", "Width (% points)", width),
    ):
        own = frame[frame["panel"] == name]
        guides = [Guide(wanted, f"wanted {name} {100 * wanted:g} %", False)]
        guides += [
            Guide(n, f"{words}: {numbered(n, 'patient')}", True)
            for words, n in sizes.items()
            if n is not None and words in set(own["series"])
        ]
        y = Axis(label, percent=True, upper=1.0 if name == "coverage" else None)
        panels.append(Panel(own, Axis("Patients"), y, tuple(guides)))
    with drawing(style):
        return draw_lines(style, *panels)
