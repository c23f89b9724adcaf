"""How knowledge grew: each disease's rate by the studies up to each year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .page import upper_end
from .panels import disease_panels
from .style import FAINT, INK, QUIET, Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Rows of type that a disease's lane is high, and the share of it that its scale takes.
_LANES, _HEIGHT = 2.4, 0.78


def draw_cumulative(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the rates of diseases over the years, a panel an outcome and a lane a disease.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an `outcome`, `disease` and `year`: `q50, q2.5, q97.5` (probabilities), `gained`
        (whether the disease gained a study), `threshold` (a rate, or missing), `since` (the year
        from which on the conclusion about the threshold holds, or missing).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A line for the median with its central 95 % interval; marks where the disease itself gained
        a study; a dotted line at the threshold; beside each lane since when the conclusion holds.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes, diseases = (list(dict.fromkeys(frame[name])) for name in ("outcome", "disease"))
    since = frame.groupby(["outcome", "disease"], sort=False)["since"].last()
    years = since.astype(float).reset_index().itertuples(index=False)
    beside = {
        (str(outcome), str(disease)): f"{int(year)}" if year == year else "–"
        for outcome, disease, year in years
    }
    panels = disease_panels(
        style, diseases, outcomes, "Year of publication", _key_entries(style), _LANES,
        ("Since", beside),
    )  # fmt: skip
    first, last = int(frame["year"].min()), int(frame["year"].max())
    for outcome, axes in panels.axes.items():
        own = frame[frame["outcome"] == outcome]
        _years(axes, first, last)
        now = own[own["year"] == own["year"].max()]
        most = max(float(now["q97.5"].max()), 1.1 * float(now["threshold"].fillna(0.0).max()))
        upper = upper_end(most)
        for place, (disease, middle) in enumerate(panels.middles.items()):
            lane = own[own["disease"] == disease].sort_values("year")
            base = middle + panels.pitch * _HEIGHT / 2
            _lane(axes, lane, base, panels.pitch * _HEIGHT, upper, last, style)
            if place == 0:
                high = base - panels.pitch * _HEIGHT
                axes.set_yticks([high, base], [f"{100 * upper:g}", "0"], size=style.small)
                axes.tick_params(axis="y", length=0, pad=1, labelcolor=QUIET)
    return panels.page.figure


def _years(axes: Axes, first: int, last: int) -> None:
    from matplotlib.ticker import MaxNLocator

    margin = 0.04 * max(last - first, 1)
    axes.set_xlim(first - margin, last + margin)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, steps=[1, 2, 5, 10]))


def _lane(
    axes: Axes,
    lane: pd.DataFrame,
    base: float,
    height: float,
    upper: float,
    last: int,
    style: Style,
) -> None:
    """Draw one disease: rates rise from a base line, up to the height of the lane."""
    colour = style.mark(str(lane["disease"].iloc[0])).colour

    def at(rate: float) -> float:
        return base - height * min(rate / upper, 1.0)

    # What was known last is known until the last year.
    years = [*lane["year"].tolist(), last]
    heights = {
        name: [at(value) for value in (*lane[name], lane[name].iloc[-1])]
        for name in ("q2.5", "q50", "q97.5")
    }
    axes.fill_between(
        years, heights["q2.5"], heights["q97.5"], step="post", color=FAINT, linewidth=0, zorder=2
    )
    axes.plot(years, heights["q50"], color=colour, drawstyle="steps-post", zorder=3, gid="median")
    axes.plot([years[0], last], [base, base], color=QUIET, linewidth=0.5 * style.line, zorder=1)
    threshold = lane["threshold"].iloc[-1]
    if threshold == threshold:
        axes.plot(
            [years[0], last], [at(threshold)] * 2, color=INK, linewidth=style.line,
            linestyle=(0, (1, 2)), zorder=4, gid="threshold",
        )  # fmt: skip
    gained = lane[lane["gained"].astype(bool)]
    axes.plot(
        gained["year"], [at(value) for value in gained["q50"]], "o", color=colour,
        markersize=style.scaled(3), zorder=5, linestyle="none", gid="gained",
    )  # fmt: skip


def _key_entries(style: Style) -> list[tuple]:
    def estimate(axes, x, y, unit):
        ends = [x - unit / 2, x + unit / 2]
        axes.fill_between(ends, y - unit / 4, y + unit / 4, color=FAINT, linewidth=0)
        axes.plot(ends, [y, y], color=QUIET)

    def gained(axes, x, y, unit):
        axes.plot([x], [y], "o", color=QUIET, markersize=style.scaled(3))

    def threshold(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK, linestyle=(0, (1, 2)))

    return [
        (estimate, "Rate by the studies so far: median and 95 % interval"),
        (gained, "A study of the disease itself"),
        (threshold, "Threshold"),
    ]
