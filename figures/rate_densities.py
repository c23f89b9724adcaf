"""Prior, data and posterior of each disease's rate, one panel a disease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import outcome_words, timed_words
from .page import Grid, Page, key, key_height, leading, percent_axis
from .style import FAINT, INK, QUIET, Style, drawing, fitted

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_PRIOR = "#d9d9d9"


def draw_rate_densities(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw what was believed of each disease's rate, what was observed, and what follows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of one `outcome`, by `disease`: curves as rows of `group` (`prior`, `posterior`, and
        `reference`, the posterior under other priors, where there is one) with `value` (a
        probability) and `density`; studies as rows of `group` `observed` with `low` and `high`
        (equal where the count is known). The same in all rows: `threshold`, a probability that is
        marked.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel a disease: the prior grey and filled, the posterior a line in the disease's colour,
        the reference dashed; below the axis a tick for each study, or a bar where its count is
        bounded. Each panel has a vertical scale of its own, on which its posteriors are whole.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    diseases = list(dict.fromkeys(frame["disease"]))
    width, gap = style.preset.points, style.scaled(14)
    across = min(len(diseases), 2 if width < 300 else 3)
    panel = (width - gap * (across - 1) - style.scaled(12)) / across
    heads = [fitted(style.names(d), panel, style.size, True, 2) for d in diseases]
    head = max(map(len, heads)) * leading(style.size) + style.scaled(3)
    entries = _key_entries(style, set(frame["group"]))
    grid = Grid(across, style.scaled(3), panel, style.scaled(58), gap, head, style.scaled(16))
    bottom = grid.room(len(diseases))
    axis_room = leading(style.size) + style.scaled(5)
    page = Page(style, bottom + axis_room + key_height(style, width, [t for _, t in entries]))
    for i, disease in enumerate(diseases):
        cell = grid.cell(i)
        page.lines_above(cell.left, cell.top - style.scaled(3), heads[i], weight="bold")
        axes = page.axes(cell.left, cell.top, panel, grid.height)
        percent_axis(axes)
        own = frame[frame["disease"] == disease]
        peak = own.loc[own["group"].isin(["posterior", "reference"]), "density"].max()
        top = 1.08 * float(peak)
        axes.set_ylim(-0.16 * top, top)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        _panel(axes, own, style.mark(disease).colour, top, style)
    outcome = str(frame["outcome"].iloc[0])
    timed = timed_words([outcome])
    what = f"12-month risk of {timed}, %" if timed else f"{outcome_words(outcome)}, % of patients"
    page.text(width / 2, bottom + leading(style.size) / 2, what, ha="center")
    key(page, style.scaled(1), bottom + axis_room, width - 2, entries)
    return page.figure


def _panel(axes, rows: pd.DataFrame, colour: str, top: float, style: Style) -> None:
    own = dict(list(rows.groupby("group")))
    prior, posterior = own["prior"], own["posterior"]
    axes.fill_between(
        prior["value"], prior["density"], color=_PRIOR, linewidth=0, zorder=1, gid="prior"
    )
    threshold = float(rows["threshold"].iloc[0])
    dotted = {"color": QUIET, "linestyle": ":", "linewidth": style.line, "zorder": 2}
    axes.plot([threshold] * 2, [0, top], gid="threshold", **dotted)
    if "reference" in own:
        dashed = {"color": INK, "linestyle": (0, (3, 2)), "linewidth": style.line, "zorder": 3}
        reference = own["reference"]
        axes.plot(reference["value"], reference["density"], gid="reference", **dashed)
    axes.plot(posterior["value"], posterior["density"], color=colour, zorder=4, gid="posterior")
    axes.axhline(0, color=FAINT, linewidth=style.line, zorder=0)
    if "observed" not in own:
        return
    for row in own["observed"].to_dict("records"):
        if row["low"] == row["high"]:
            axes.plot([row["low"]] * 2, [-0.13 * top, -0.03 * top], color=colour, gid="observed")
        else:
            ends = [row["low"], row["high"]]
            axes.plot(ends, [-0.08 * top] * 2, color=colour, gid="observed", alpha=0.7)


def _key_entries(style: Style, groups: set[str]) -> list[tuple]:
    def prior(axes, x, y, unit):
        from matplotlib.patches import Rectangle

        box = Rectangle((x - unit / 2, y - unit / 5), unit, unit / 2.5)
        box.set(color=_PRIOR, linewidth=0)
        axes.add_patch(box)

    def line(**look):
        def draw(axes, x, y, unit):
            axes.plot([x - unit / 2, x + unit / 2], [y, y], **look)

        return draw

    def tick(axes, x, y, unit):
        axes.plot([x, x], [y - unit / 4, y + unit / 4], color=INK)

    entries = [(prior, "Prior of a disease's rate"), (line(color=INK), "Posterior")]
    if "reference" in groups:
        dashed = line(color=INK, linestyle=(0, (3, 2)), linewidth=style.line)
        entries.append((dashed, "Posterior under the reference"))
    if "observed" in groups:
        entries.append((tick, "Study (a bar: known within bounds)"))
    dotted = line(color=QUIET, linestyle=":", linewidth=style.line)
    return [*entries, (dotted, "Threshold")]
