"""Prior sets compared: what each disease's rate is under each of them."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from ..data.names import outcome_short, outcome_words, prior_set_words
from .page import Page, key, key_height, leading, page_room, square_root_axis
from .panels import disease_entries
from .style import FAINT, INK, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Sizes of type that a panel must be wide for all its ticks.
_NARROW = 10


def draw_prior_comparison(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the rate of every disease under every prior set.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a `set` (the reference first), `outcome` and `disease`: `q2.5, q50, q97.5`,
        probabilities, and `evidence`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        One panel an outcome and one row a set: for each disease the median and pale 95 % interval,
        in its own lane, hollow where the disease has no study. Where the prior does not matter the
        rows look alike. The reference is set bold, and a pale line leads down from its medians.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    sets, outcomes, diseases = (
        list(dict.fromkeys(frame[name])) for name in ("set", "outcome", "disease")
    )
    width, small, gap = style.preset.points, style.small, style.scaled(14)
    names = [prior_set_words(name) for name in sets]
    labels = label_room(names, 0.28 * width, small, True) + style.scaled(8)
    across = min(len(outcomes), 2 if width < 300 else 3 if width < 600 else 6)
    down = ceil(len(outcomes) / across)
    panel = (width - labels - gap * (across - 1) - style.scaled(9)) / across
    heads = [
        fitted((outcome_words(o), outcome_short(o)), panel, style.size, True) for o in outcomes
    ]
    head = max(map(len, heads)) * leading(style.size) + style.scaled(4)
    entries = disease_entries(style, diseases, width - 2)
    if (frame["evidence"] == "borrowed").any():
        entries.append((_hollow(style), "Hollow: no study, borrowed"))
    foot, axis_room = style.scaled(15), leading(style.size) + style.scaled(4)
    fixed = down * (head + foot) + axis_room + key_height(style, width, [t for _, t in entries])
    # One line of type a set is the least; where the page has room, a lane a disease.
    wanted = 1.55 * style.size * max(1.4, 0.45 * len(diseases))
    room = (page_room(style) - fixed) / (len(sets) * down)
    pitch = max(1.25 * small, min(wanted, room))
    body = pitch * len(sets)
    page = Page(style, fixed + down * body)
    for i, outcome in enumerate(outcomes):
        row, column = divmod(i, across)
        left, top = labels + column * (panel + gap), row * (head + body + foot) + head
        first = top - style.scaled(3) - len(heads[i]) * leading(style.size)
        page.lines(left, first, heads[i], weight="bold")
        axes = page.axes(left, top, panel, body)
        _panel(axes, frame[frame["outcome"] == outcome], sets, diseases, pitch, style)
        if panel < _NARROW * style.size:
            axes.set_xticks([0, 0.1, 0.5, 1], ["0", "10", "50", "100"])
        if column == 0:
            for j, name in enumerate(names):
                bold = j == 0
                text = fitted((name,), labels - style.scaled(8), small, bold, 1)[0]
                weight = "bold" if bold else "normal"
                page.text(1, top + (j + 0.5) * pitch, text, size=small, weight=weight)
    bottom = down * (head + body + foot)
    middle = labels + (width - labels) / 2
    page.text(
        middle,
        bottom + leading(style.size) / 2,
        "Patients with the outcome, %, square-root scale",
        ha="center",
    )
    key(page, style.scaled(1), bottom + axis_room, width - 2, entries)
    return page.figure


def _panel(axes, rows: pd.DataFrame, sets, diseases, pitch: float, style: Style) -> None:
    square_root_axis(axes)
    axes.set_ylim(pitch * len(sets), 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    for place in range(1, len(sets)):
        axes.axhline(place * pitch, color=INK if place == 1 else FAINT, linewidth=0.7 * style.line)
    lane = 0.84 * pitch / max(len(diseases), 1)
    for j, disease in enumerate(diseases):
        own = rows[rows["disease"] == disease].set_index("set")
        known = [name for name in sets if name in own.index]
        shift = (j - (len(diseases) - 1) / 2) * lane
        mark = style.mark(disease)
        if sets[0] in own.index:
            start = (0.5 * pitch + shift, pitch * len(sets))
            median = float(own.loc[sets[0], "q50"])
            axes.vlines(median, *start, color=mark.colour, alpha=0.3, linewidth=0.7 * style.line)
        for name in known:
            y, row = (sets.index(name) + 0.5) * pitch + shift, own.loc[name]
            thin = {"color": mark.colour, "alpha": 0.35, "linewidth": min(style.line, lane)}
            axes.plot([float(row["q2.5"]), float(row["q97.5"])], [y, y], zorder=2, **thin)
            axes.plot(
                [float(row["q50"])], [y], mark.marker, color=mark.colour, zorder=4, clip_on=False,
                markerfacecolor="white" if row["evidence"] == "borrowed" else mark.colour,
                markersize=min(style.scaled(3.2), 1.8 * lane),
                markeredgewidth=0.7 * style.line, gid="median",
            )  # fmt: skip


def _hollow(style: Style):
    def draw(axes, x, y, unit):
        axes.plot(
            [x], [y], "o", color=INK, markerfacecolor="white", markersize=style.scaled(3.2),
            markeredgewidth=0.7 * style.line,
        )  # fmt: skip

    return draw
