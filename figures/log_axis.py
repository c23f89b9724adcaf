"""An axis of ratios: logarithmic, with ticks at numbers that people use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from .style import INK, Style, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Steps within a decade, the closest first.
_STEPS = ((1, 2, 5), (1, 3), (1,))
#: What ratios are shown: beyond, an arrow says that an interval goes on.
WIDEST = (0.01, 100.0)


def ratio_limits(values: Iterable[float]) -> tuple[float, float]:
    """Give the ends of an axis that shows some ratios and 1, within `WIDEST`.

    Parameters
    ----------
    values : iterable of float
        Ratios above 0; missing ones count for nothing.
    """
    known = np.array([*values, 0.8, 1.25], float)
    known = known[np.isfinite(known)]
    low, high = max(known.min() / 1.1, WIDEST[0]), min(known.max() * 1.1, WIDEST[1])
    return float(low), float(high)


def ratio_ticks(low: float, high: float, width: float, style: Style) -> list[float]:
    """Choose ticks whose labels do not touch, always with 1 among them.

    Parameters
    ----------
    low, high : float
        Ends of the axis, ratios.
    width : float
        Its length, points.
    style : Style
        Its type.

    Returns
    -------
    list of float
        Ratios, ascending.
    """
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    scale = width / np.log(high / low)
    for steps in _STEPS:
        ticks = [float(f"{step}e{ten}") for ten in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        rooms = [text_width(f"{tick:g}", style.small) / 2 + style.scaled(1.5) for tick in ticks]
        places = scale * np.log(ticks)
        needed = np.add(rooms[1:], rooms[:-1])
        if (np.diff(places) >= needed).all():
            break
    return ticks


def log_axis(
    axes: Axes, low: float, high: float, width: float, style: Style, which: str = "x"
) -> None:
    """Show ratios on a logarithmic axis with a line at 1; see `ratio_ticks`."""
    ticks = ratio_ticks(low, high, width, style)
    labels = [f"{tick:g}" for tick in ticks]
    if which == "x":
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.set_xticks(ticks, labels)
        axes.set_xticks([], minor=True)
        axes.axvline(1.0, color=INK, linewidth=style.line, zorder=1)
        return
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.set_yticks(ticks, labels)
    axes.set_yticks([], minor=True)
    axes.axhline(1.0, color=INK, linewidth=style.line, zorder=1)
