"""Evidence map: who has been counted, by disease and outcome, with the gaps visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import outcome_short, outcome_words
from .page import Page, leading, row_pitch
from .style import FAINT, INK, Style, drawing, fitted, label_room, text_width, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


_NOTE = "Patients above, studies below in brackets; hatched: no patient counted"


def draw_evidence_map(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw how many patients and studies stand behind each disease and outcome.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a disease and outcome: `disease, outcome, studies, patients`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A tile a pair, darker for more patients, with patients above studies; a hatched tile where
        nothing is known.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    diseases = list(dict.fromkeys(frame["disease"]))
    outcomes = list(dict.fromkeys(frame["outcome"]))
    width = style.preset.points
    gap = style.scaled(8)
    names = [style.names(disease)[0] for disease in diseases]
    label_width = gap + label_room(names, 0.27 * width, style.size)
    cell = (width - label_width - style.scaled(2)) / len(outcomes)
    cell = min(cell, style.scaled(90))
    heads = [
        fitted((outcome_words(o), outcome_short(o)), cell - style.scaled(2), style.small, lines=3)
        for o in outcomes
    ]
    upright = any("-" in "".join(own) for own in heads)
    head = max(map(len, heads)) * leading(style.small) + style.scaled(4)
    if upright:
        head = label_room([outcome_short(o) for o in outcomes], 200, style.small) + style.scaled(6)
    note = wrapped(_NOTE, width - style.scaled(4), style.small)
    foot = len(note) * leading(style.small) + style.scaled(4)
    labels = [fitted(style.names(d), label_width - gap, style.size, lines=3) for d in diseases]
    pitch = max(
        row_pitch(style, len(diseases), head + foot) * 1.7,
        2.3 * style.small,
        1.05 * leading(style.size) * max(map(len, labels)),
    )
    page = Page(style, head + foot + pitch * len(diseases), of_fit=False)
    axes = page.axes(label_width, head, cell * len(outcomes), pitch * len(diseases))
    axes.set(xlim=(0, len(outcomes)), ylim=(len(diseases), 0))
    axes.axis("off")
    for j, lines in enumerate(heads):
        middle = label_width + (j + 0.5) * cell
        top = head - style.scaled(3) - len(lines) * leading(style.small)
        if upright:
            about = {"rotation": 90, "va": "bottom", "ha": "center", "size": style.small}
            page.text(middle, head - style.scaled(3), outcome_short(outcomes[j]), **about)
        else:
            page.lines(middle, top, lines, ha="center", size=style.small)
    for i, lines in enumerate(labels):
        top = head + (i + 0.5) * pitch - len(lines) * leading(style.size) / 2
        page.lines(style.scaled(1), top, lines)
    most = max(int(frame["patients"].max()), 1)
    for row in frame.itertuples(index=False):
        _tile(axes, outcomes.index(row.outcome), diseases.index(row.disease), row, most, style)
    left = min(label_width, width - max(text_width(line, style.small) for line in note) - 2)
    top = head + pitch * len(diseases) + style.scaled(3)
    page.lines(left, top, note, size=style.small)
    return page.figure


def _tile(axes, x: int, y: int, row, most: int, style: Style) -> None:
    from matplotlib.patches import Rectangle

    known = row.patients > 0
    shade = 0.08 + 0.72 * (row.patients / most) ** 0.5 if known else 0.0
    colour = tuple(1 - shade * (1 - c) for c in (0.0, 0.27, 0.45)) if known else "white"
    tile = Rectangle(
        (x + 0.03, y + 0.05),
        0.94,
        0.9,
        facecolor=colour,
        edgecolor="none" if known else FAINT,
        hatch=None if known else "////",
        linewidth=0 if known else style.line,
    )
    axes.add_patch(tile)
    if known:
        ink = "white" if shade > 0.55 else INK
        across = {"ha": "center", "color": ink}
        axes.text(x + 0.5, y + 0.34, f"{row.patients}", size=style.size, va="center", **across)
        axes.text(x + 0.5, y + 0.7, f"({row.studies})", size=style.small, va="center", **across)
