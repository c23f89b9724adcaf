"""Improvement and the remission within it, as nested bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.names import outcome_words
from .page import Page, key, key_height, leading, percent_axis, row_pitch
from .panels import disease_sign
from .style import FAINT, INK, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_joint(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw an outcome and the one nested in it, by disease.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an outcome and disease, the parent's first: `outcome, disease, q2.5, q50, q97.5,
        evidence`; probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A pale bar to the median of the parent, and in it a full bar to that of the child, each with
        its 95 % interval; hatched where no study counted the outcome in that disease.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    parent, child = dict.fromkeys(frame["outcome"])
    diseases = list(dict.fromkeys(frame["disease"]))
    entries = _key_entries(style, parent, child, bool((frame["evidence"] == "borrowed").any()))
    width, sign = style.preset.points, style.scaled(10)
    names = [style.names(d)[0] for d in diseases]
    labels = label_room(names, 0.3 * width, style.size) + sign + style.scaled(6)
    plot = width - labels - style.scaled(8)
    key_room = key_height(style, width, [text for _, text in entries])
    foot = style.scaled(28) + key_room
    pitch = 2.2 * row_pitch(style, 2.2 * len(diseases), foot)
    body = pitch * len(diseases)
    page = Page(style, style.scaled(3) + body + foot)
    axes = page.axes(labels, style.scaled(3), plot, body)
    percent_axis(axes)
    axes.set_ylim(body, 0)
    axes.set_yticks([])
    axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    axes.set_xlabel("Patients, %")
    for i, disease in enumerate(diseases):
        y = (i + 0.5) * pitch
        candidates = style.names(disease)
        lines = fitted(candidates, labels - sign - style.scaled(6), style.size)
        top = style.scaled(3) + y - len(lines) * leading(style.size) / 2
        page.lines(sign, top, lines)
        disease_sign(page, style.scaled(4), style.scaled(3) + y, disease)
        own = frame[frame["disease"] == disease].set_index("outcome").to_dict("index")
        _bars(axes, own[parent], own[child], y, pitch, style.mark(disease).colour, style)
    top = style.scaled(3) + body + style.scaled(27)
    key(page, style.scaled(1), top, width - 2, entries)
    return page.figure


def _bars(
    axes, outer: Mapping[Any, Any], inner: Mapping[Any, Any], y, pitch, colour, style
) -> None:
    _bar(axes, outer, y, 0.40 * pitch, colour, 0.28, style)
    _bar(axes, inner, y, 0.21 * pitch, colour, 1.0, style)
    _interval(axes, outer, y - 0.30 * pitch, style)
    _interval(axes, inner, y + 0.30 * pitch, style)


def _bar(axes, row, y, half, colour, strength: float, style: Style) -> None:
    from matplotlib.colors import to_rgb
    from matplotlib.patches import Rectangle

    pale = tuple(1 - strength * (1 - part) for part in to_rgb(colour))
    borrowed = row["evidence"] == "borrowed"
    bar = Rectangle((0, y - half), row["q50"], 2 * half)
    bar.set(
        facecolor="white" if borrowed else pale,
        edgecolor=colour,
        linewidth=style.line,
        linestyle=(0, (2.2, 1.2)) if borrowed else "solid",
        gid="bar",
    )
    axes.add_patch(bar)


def _interval(axes, row, y, style: Style) -> None:
    axes.plot([row["q2.5"], row["q97.5"]], [y, y], color=INK, linewidth=1.3 * style.line, zorder=4)
    axes.plot([row["q50"]], [y], "|", color=INK, markersize=style.scaled(4), zorder=4)


def _key_entries(style: Style, parent: str, child: str, borrowed: bool) -> list[tuple]:
    def box(strength, evidence):
        def draw(axes, x, y, unit):
            from matplotlib.patches import Rectangle

            grey = 1 - 0.6 * strength
            sign = Rectangle((x - unit / 2, y - unit / 6), unit, unit / 3)
            sign.set(facecolor="white" if evidence else str(grey), edgecolor=INK)
            sign.set(linewidth=style.line, linestyle=(0, (2.2, 1.2)) if evidence else "solid")
            axes.add_patch(sign)

        return draw

    def line(axes, x, y, unit):
        row = {"q2.5": x - unit / 2, "q50": x, "q97.5": x + unit / 2}
        _interval(axes, row, y, style)

    entries = [
        (box(0.35, False), f"{outcome_words(parent)} (median)"),
        (box(1.2, False), f"{outcome_words(child)}, within it"),
        (line, "95 % interval"),
    ]
    if borrowed:
        entries.append((box(0, True), "Borrowed: no study"))
    return entries
