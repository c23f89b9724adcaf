"""Rates by disease, all outcomes on one page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.names import timed_words
from .page import axis_ends, count_words, differing, percent_axis, square_root_axis
from .panels import Panels, disease_panels
from .style import INK, Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_rates(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the rate and the next trial of every disease, one panel an outcome.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an outcome, disease and `quantity` (`rate`, `new_study`): `q2.5, q25, q50, q75,
        q97.5, evidence`; probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A marker with a thick 50 % and a thin 95 % interval a rate (hollow where borrowed) over a
        pale bar for the next trial; axes end at 100 %, or earlier where rates are small.
    """
    with drawing(style):
        timed = timed_words(dict.fromkeys(frame["outcome"]))
        words = "Patients with the outcome, %" + (f" ({timed}: 12-month risk)" if timed else "")
        ends = axis_ends(frame, "q97.5")
        return rate_panels(frame, style, words + differing(ends), percent_axis, ends)


def draw_safety(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the harms by disease, timed ones as 12-month risks, so that small risks can be read.

    Parameters
    ----------
    frame : pandas.DataFrame
        As for `draw_rates`, with `events_min, events_max, n`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        As `draw_rates`, on a square-root scale that is the same in all panels, with the events and
        patients counted written beside each rate.
    """
    with drawing(style):
        timed = timed_words(dict.fromkeys(frame["outcome"]))
        scale = "square-root scale" + (f"; {timed}: 12-month risk" if timed else "")
        words = f"Patients with the event, % ({scale})"
        return rate_panels(frame, style, words, square_root_axis, None)


def rate_panels(
    frame: pd.DataFrame, style: Style, axis_words: str, scale, ends: Mapping[str, float] | None
) -> Figure:
    """Draw panels of rates on a scale for probabilities; with counts where all end at 100 %."""
    diseases = list(dict.fromkeys(frame["disease"]))
    outcomes = list(dict.fromkeys(frame["outcome"]))
    entries = _key_entries(style, bool((frame["evidence"] == "borrowed").any()))
    side = ("Events/n", _counts(frame)) if ends is None else None
    panels = disease_panels(style, diseases, outcomes, axis_words, entries, 1.15, side)
    for outcome, axes in panels.axes.items():
        scale(axes, 1.0 if ends is None else ends[outcome])
        if ends is None:
            _avoid_crowding(axes, style)
        for row in frame[frame["outcome"] == outcome].to_dict("records"):
            _row(axes, row, panels, style)
    return panels.page.figure


def _counts(frame: pd.DataFrame) -> dict[tuple[str, str], str]:
    return {
        (row["outcome"], row["disease"]): count_words(
            row["events_min"], row["events_max"], row["n"]
        )
        for row in frame.to_dict("records")
    }


def _avoid_crowding(axes, style: Style) -> None:
    """Leave the labels of the smallest ticks out where a panel is too narrow for them."""
    width = axes.get_position().width * style.preset.points
    if width < 20 * style.small:
        ticks = [0, 0.05, 0.25, 0.5, 1.0]
        axes.set_xticks(ticks, [f"{100 * t:g}" for t in ticks])


def _row(axes, row: Mapping[Any, Any], panels: Panels, style: Style) -> None:
    y, mark = panels.middles[row["disease"]], style.mark(row["disease"])
    if row["quantity"] == "new_study":
        next_trial(axes, row["q2.5"], row["q97.5"], y, style, mark.colour)
    else:
        borrowed = row["evidence"] == "borrowed"
        rate_mark(axes, row, y, style, mark.colour, mark.marker, borrowed)


def next_trial(axes, low: float, high: float, y: float, style: Style, colour: str) -> None:
    """Draw a pale bar for what the next trial may show."""
    from matplotlib.patches import Rectangle

    half = style.scaled(3.4)
    bar = Rectangle((low, y - half), high - low, 2 * half, color=colour, alpha=0.22, linewidth=0)
    bar.set_gid("prediction")
    axes.add_patch(bar)


def rate_mark(
    axes, row: Mapping[Any, Any], y: float, style: Style, colour: str, marker: str, borrowed: bool
) -> None:
    """Draw a median with its 50 % and 95 % intervals; hollow and dashed where borrowed."""
    dashes = (0, (2.2, 1.2)) if borrowed else "solid"
    axes.plot([row["q2.5"], row["q97.5"]], [y, y], color=colour, linestyle=dashes, zorder=3)
    if not borrowed:
        thick = {"color": colour, "linewidth": 3.2 * style.line, "zorder": 3}
        axes.plot([row["q25"], row["q75"]], [y, y], **thick)
    face = "white" if borrowed else colour
    axes.plot(
        [row["q50"]], [y], marker, color=colour, markerfacecolor=face, zorder=4, gid="rate",
        markersize=style.scaled(4.4), markeredgewidth=1.5 * style.line, clip_on=False,
    )  # fmt: skip


def _key_entries(style: Style, borrowed: bool) -> list[tuple]:
    def rate(axes, x, y, unit):
        spread = {"q2.5": -0.5, "q25": -0.25, "q50": 0.0, "q75": 0.25, "q97.5": 0.5}
        row = {name: x + unit * part for name, part in spread.items()}
        rate_mark(axes, row, y, style, INK, "o", False)

    def hollow(axes, x, y, unit):
        row = {"q2.5": x - unit / 2, "q50": x, "q97.5": x + unit / 2}
        rate_mark(axes, row, y, style, INK, "o", True)

    def bar(axes, x, y, unit):
        next_trial(axes, x - unit / 2, x + unit / 2, y, style, INK)

    entries = [(rate, "Rate: median, 50 % and 95 % interval")]
    if borrowed:
        entries.append((hollow, "Borrowed: no study"))
    return [*entries, (bar, "Next trial, 95 %")]
