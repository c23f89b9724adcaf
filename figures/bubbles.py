"""Rates, or effects, of studies against a number, with the line that a model draws through them."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from ..data.names import numbered, outcome_words, ratio_words
from .log_axis import log_axis, ratio_limits
from .page import Grid, Page, key, key_height, leading, percent_axis, quiet_axes
from .style import FAINT, INK, QUIET, Style, drawing, fitted, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_bubbles(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw each study's rate against a number, a panel a disease.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `row` (`study`, `line`), `outcome`, `axis` (name of the number), `disease, x`; of
        studies `n, raw_min, raw_max` (observed rate, a range where the count is bounded); of lines
        `q50, q2.5, q97.5` (rate of a typical study). Rates are probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        Circles whose area is proportional to the patients; a line with its central 95 % interval.
    """
    with drawing(style):
        middles = (frame["raw_min"] + frame["raw_max"]) / 2
        return _draw(frame.assign(middle=middles), style, ratio=False)


def draw_effect_bubbles(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw each study's effect against a number, a panel a disease.

    Parameters
    ----------
    frame : pandas.DataFrame
        As in `draw_bubbles`, of odds ratios or hazard ratios; of studies also `middle`, their own
        ratio (missing where a count is bounded), between its limits `raw_min` and `raw_max`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        Circles whose area is proportional to the patients; a line with its central 95 % interval;
        intervals that go on beyond the axis are cut there.
    """
    with drawing(style):
        return _draw(frame, style, ratio=True)


def _draw(frame: pd.DataFrame, style: Style, ratio: bool) -> Figure:
    width = style.preset.points
    diseases = list(dict.fromkeys(frame.loc[frame["row"] == "line", "disease"]))
    left, gap = style.scaled(30), style.scaled(12)
    across = min(len(diseases), max(1, int((width - left) // style.scaled(110))), 3)
    panel = (width - left - style.scaled(6) - gap * (across - 1)) / across
    names = {d: fitted(style.names(d), panel, style.size, bold=True, lines=2) for d in diseases}
    head = max(map(len, names.values())) * leading(style.size) + style.scaled(4)
    grid = Grid(across, left, panel, 0.75 * min(panel, style.scaled(170)), gap, head,
                style.scaled(16))  # fmt: skip
    outcome, number = str(frame["outcome"].iloc[0]), str(frame["axis"].iloc[0])
    measure = ratio_words(outcome).lower() if ratio else "% of patients"
    title = wrapped(f"{outcome_words(outcome)}, {measure}", width - 2, style.size)
    top, axis = len(title) * leading(style.size) + style.scaled(3), 1.6 * leading(style.size)
    largest = float(frame["n"].max())
    entries = _key_entries(style, largest)
    bottom = top + grid.room(len(diseases))
    height = bottom + axis + key_height(style, width - 2, [text for _, text in entries])
    page = Page(style, height + style.scaled(8))
    page.lines(style.scaled(1), 0, title, weight="bold")
    ends = frame["x"].min(), frame["x"].max()
    margin = 0.06 * (ends[1] - ends[0]) or 0.5
    for place, disease in enumerate(diseases):
        cell = grid.cell(place)
        at = top + cell.top
        axes = page.axes(cell.left, at, panel, grid.height)
        axes.set_xlim(ends[0] - margin, ends[1] + margin)
        if ratio:
            shown = frame[["middle", "q2.5", "q97.5"]].to_numpy().ravel()
            log_axis(axes, *ratio_limits(shown), grid.height, style, which="y")
        else:
            percent_axis(axes, which="y")
        quiet_axes(axes, style, grid="y")
        axes.spines["bottom"].set_visible(True)
        axes.locator_params(axis="x", nbins=5, steps=[1, 2, 5, 10])
        if not cell.is_first:
            axes.set_yticklabels([])
        page.lines_above(cell.left, at - style.scaled(3), names[disease], weight="bold")
        _panel(axes, frame[frame["disease"] == disease], disease, largest, style)
    page.text(left + (width - left) / 2, bottom + axis / 3, number, ha="center",
              size=style.size)  # fmt: skip
    # The largest circle is higher than a line of the key.
    key(page, style.scaled(1), bottom + axis + style.scaled(3), width - 2, entries)
    return page.figure


def _panel(axes, frame: pd.DataFrame, disease: str, largest: float, style: Style) -> None:
    colour = style.mark(disease).colour
    line = frame[frame["row"] == "line"]
    axes.fill_between(line["x"], line["q2.5"], line["q97.5"], color=FAINT, linewidth=0, zorder=1)
    axes.plot(line["x"], line["q50"], color=INK, zorder=2, gid="line")
    studies = frame[frame["row"] == "study"].sort_values("n", ascending=False)
    for row in studies.to_dict("records"):
        low, high = row["raw_min"], row["raw_max"]
        if high > low:
            axes.plot([row["x"]] * 2, [low, high], color=colour, zorder=3)
        if row["middle"] == row["middle"]:
            _bubble(axes, row["x"], row["middle"], row["n"], largest, colour, style)


def _bubble(axes, x: float, y: float, n: float, largest: float, colour: str, style: Style) -> None:
    size = style.scaled(13) * sqrt(n / largest)
    axes.plot(
        [x], [y], "o", color=colour, markersize=max(size, style.scaled(2)), alpha=0.55,
        markeredgecolor=colour, zorder=4, clip_on=False, gid="study",
    )  # fmt: skip


def _key_entries(style: Style, largest: float) -> list[tuple]:
    def circle(n):
        def draw(axes, x, y, unit):
            _bubble(axes, x, y, n, largest, QUIET, style)

        return draw

    def band(axes, x, y, unit):
        ends = [x - unit / 2, x + unit / 2]
        axes.fill_between(ends, y - unit / 4, y + unit / 4, color=FAINT, linewidth=0)
        axes.plot(ends, [y, y], color=INK)

    few = max(1, round(largest / 8))
    return [
        (circle(few), f"Study of {numbered(few, 'patient')}"),
        (circle(largest), f"of {largest:.0f}"),
        (band, "Typical study, median and 95 % interval"),
    ]
