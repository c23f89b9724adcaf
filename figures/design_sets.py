"""The recommended number of patients under each prior set, and under discounts for optimism."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .page import Page, key, key_height, quiet_axes, row_pitch
from .style import INK, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_design_sets(frame: pd.DataFrame, style: Style, n_max: int = 300) -> Figure:
    """Draw a row a prior set: a full mark for the number, hollow ones under discounts.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `x` (discount, log-odds), `value` (patients; missing where no number suffices),
        `series` (the set).
    style : Style
        Page, type and colours.
    n_max : int
        The largest number in range.

    Returns
    -------
    matplotlib.figure.Figure
        Where no number suffices without a discount the row says so.
    """
    with drawing(style):
        return _draw(frame, style, n_max)


def _draw(frame: pd.DataFrame, style: Style, n_max: int) -> Figure:
    width, small = style.preset.points, style.small
    sets = list(dict.fromkeys(frame["series"]))
    labels = label_room(sets, 0.4 * width, small) + style.scaled(6)
    entries = _entries(style, frame)
    foot = style.scaled(29) + key_height(style, width, [text for _, text in entries])
    pitch = row_pitch(style, len(sets), foot)
    body = pitch * len(sets)
    page = Page(style, style.scaled(3) + body + foot, of_fit=True)
    right = style.scaled(14)
    axes = page.axes(labels, style.scaled(3), width - labels - right, body)
    axes.set(xlim=(0, n_max), ylim=(body, 0), xlabel="Patients")
    axes.set_yticks([])
    quiet_axes(axes, style)
    axes.locator_params(axis="x", nbins=5)
    for place, name in enumerate(sets):
        y = (place + 0.5) * pitch
        text = fitted((name,), labels - style.scaled(6), small, lines=1)[0]
        page.text(1, style.scaled(3) + y, text, size=small)
        own = frame[frame["series"] == name].sort_values("x", ascending=False)
        found = own.dropna(subset=["value"])
        if len(found) > 1:
            axes.plot(found["value"], np.full(len(found), y), color=QUIET, linewidth=style.line)
        for row in found.to_dict("records"):
            _mark(axes, row["value"], y, row["x"] == 0, style)
        if own.loc[own["x"] == 0, "value"].isna().all():
            axes.text(n_max / 100, y, f"none up to {n_max}", size=small, color=QUIET, va="center")
    key(page, style.scaled(1), style.scaled(3) + body + style.scaled(28), width - 2, entries)
    return page.figure


def _mark(axes, x: float, y: float, plain: bool, style: Style) -> None:
    axes.plot(
        [x], [y], "o", color=INK if plain else QUIET, markerfacecolor=INK if plain else "white",
        markersize=style.scaled(4 if plain else 3.2), zorder=3, clip_on=False,
    )  # fmt: skip


def _entries(style: Style, frame: pd.DataFrame) -> list[tuple]:
    def sign(plain):
        def draw(axes, x, y, unit):
            _mark(axes, x, y, plain, style)

        return draw

    entries = [(sign(True), "Recommended number")]
    others = sorted({value for value in frame["x"] if value})
    if others:
        said = ", ".join(f"{value:g}" for value in others)
        entries.append((sign(False), f"With a discount for optimism of {said} (log-odds)"))
    return entries
