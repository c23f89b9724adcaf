"""Prior and posterior of what the diseases share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import level_scale, outcome_short, outcome_words, timed_words
from .page import Grid, Page, key, key_height, leading
from .style import COLOURS, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_HEADS = {
    "mu": ("Overall level μ", "μ"),
    "tau": ("Between diseases τ", "τ"),
    "sigma": ("Between studies σ", "σ"),
    "new_disease": ("A disease not yet tried", "New disease"),
}
_STARRED = "Log-odds*"


def draw_prior_posterior(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw what was believed of each outcome before and after the data.

    Parameters
    ----------
    frame : pandas.DataFrame
        `outcome, parameter` (`mu, tau, sigma` on the linear scale, `new_disease` a probability),
        `group` (`prior`, `posterior`), `value, density`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A row an outcome, a column a parameter; the prior grey and filled, the posterior a line.
        Prior and posterior of a panel share a height, all of a column share a horizontal scale.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes = list(dict.fromkeys(frame["outcome"]))
    names = list(dict.fromkeys(frame["parameter"]))
    width, small = style.preset.points, style.small
    labels = label_room([outcome_words(o) for o in outcomes], 0.2 * width, small)
    labels += style.scaled(8)
    gap = style.scaled(9)
    panel = (width - labels - gap * (len(names) - 1) - style.scaled(9)) / len(names)
    heads = [fitted(_HEADS[name], panel + gap / 2, small, True) for name in names]
    head = max(map(len, heads)) * leading(small) + style.scaled(3)
    entries = _key_entries(style)
    pitch = style.scaled(30)
    body = pitch * len(outcomes)
    foot = style.scaled(27)
    key_room = key_height(style, width, [text for _, text in entries])
    grid = Grid(len(names), labels, panel, 0.9 * pitch, gap, 0.1 * pitch, 0.0)
    page = Page(style, head + body + foot + key_room)
    units = {
        n: "Patients, %" if n == "new_disease" else _linear_words(outcomes, panel, style)
        for n in names
    }
    limits = frame.groupby("parameter")["value"].agg(["min", "max"])
    for j, name in enumerate(names):
        left = grid.cell(j).left
        page.lines_above(left, head - style.scaled(3), heads[j], size=small, weight="bold")
        low, high = limits.loc[name]
        for i, outcome in enumerate(outcomes):
            top = head + grid.cell(i * len(names) + j).top
            axes = page.axes(left, top, grid.width, grid.height)
            own = frame[(frame["outcome"] == outcome) & (frame["parameter"] == name)]
            _densities(axes, own, style)
            is_share = name == "new_disease"
            axes.set_xlim(0 if low >= 0 else low, 1 if is_share else high)
            if is_share:
                axes.set_xticks([0, 0.5, 1], ["0", "50", "100"])
            else:
                axes.locator_params(axis="x", nbins=4)
            if i < len(outcomes) - 1:
                axes.set_xticklabels([])
        y = head + body + style.scaled(19)
        page.text(left + panel / 2, y, units[name], ha="center", size=small)
    for i, outcome in enumerate(outcomes):
        own = fitted(
            (outcome_words(outcome), outcome_short(outcome)),
            labels - style.scaled(8),
            small,
            lines=3,
        )
        first = head + (i + 0.6) * pitch - len(own) * leading(small) / 2
        page.lines(style.scaled(1), first, own, size=small)
    key(page, style.scaled(1), head + body + foot, width - 2, entries)
    if _STARRED in units.values():
        y = head + body + foot + key_room / 2
        note = f"* {_large(timed_words(outcomes))}: log hazard a year"
        page.text(width - 1, y, note, ha="right", size=small)
    return page.figure


def _linear_words(outcomes: list[str], width: float, style: Style) -> str:
    whole = _large(level_scale(outcomes))
    if "(" not in whole:
        return whole
    return fitted((whole.replace(" a year", ""), _STARRED), width, style.small, lines=1)[0]


def _large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _densities(axes, rows: pd.DataFrame, style: Style) -> None:
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    for group in ("prior", "posterior"):
        own = rows[rows["group"] == group]
        x, y = own["value"].to_numpy(), own["density"].to_numpy()
        if group == "prior":
            axes.fill_between(x, y, color="#d9d9d9", linewidth=0, zorder=1, gid=group)
        else:
            axes.plot(x, y, color=COLOURS[0], zorder=3, gid=group)
    axes.set_ylim(0, 1.05 * float(rows["density"].max()))


def _key_entries(style: Style) -> list[tuple]:
    def prior(axes, x, y, unit):
        from matplotlib.patches import Rectangle

        box = Rectangle((x - unit / 2, y - unit / 5), unit, unit / 2.5)
        box.set(color="#d9d9d9", linewidth=0)
        axes.add_patch(box)

    def posterior(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=COLOURS[0])

    return [(prior, "Prior"), (posterior, "Posterior")]
