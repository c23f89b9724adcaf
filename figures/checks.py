"""The guard's predictive checks, as mid-p values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..data.names import outcome_short, outcome_words, words
from .page import Grid, Page, key, key_height, leading
from .style import ALARM, FAINT, INK, QUIET, Style, drawing, fitted, label_room, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_TICKS = (0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
_ENDS = (0.0003, 0.9997)
_AXIS = "Mid-p value: probability that a replicated data set shows more (normal quantile scale)"


def draw_checks(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the guard's predictive checks.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an outcome and check: `outcome, check, mid_p, verdict, warn_tail, fail_tail`,
        whether it is `two_sided`, and the `study` that it is about, if one.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel an outcome and a row a check: a mark at the mid-p value on a normal quantile scale
        (a triangle where it lies beyond), a hollow red diamond where it warns, a full one where it
        failed, with the study that the guard warns of; dotted lines at the limits.
    """
    with drawing(style):
        return _draw(frame[frame["mid_p"].notna()], style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes, checks = (list(dict.fromkeys(frame[name])) for name in ("outcome", "check"))
    width, small, gap = style.preset.points, style.small, style.scaled(10)
    count = max(len(outcomes), 1)
    across = min(count, 2 if width < 300 else 3 if count <= 3 else -(-count // 2))
    names = [words(check) for check in checks]
    labels = label_room(names, 0.26 * width, small) + style.scaled(9)
    panel = (width - labels - gap * (across - 1) - style.scaled(9)) / across
    heads = [
        fitted((outcome_words(o), outcome_short(o)), panel, style.size, True) for o in outcomes
    ]
    head = max(map(len, heads), default=1) * leading(style.size) + style.scaled(4)
    lines = {c: wrapped(words(c), labels - style.scaled(9), small) for c in checks}
    pitch = max([1.7 * small, *(1.08 * len(own) * leading(small) for own in lines.values())])
    body, foot = pitch * max(len(checks), 1), style.scaled(15)
    axis_lines = wrapped(_AXIS, width - labels, style.size)
    axis_room = len(axis_lines) * leading(style.size) + style.scaled(4)
    entries = _key_entries(frame, style)
    key_room = key_height(style, width, [text for _, text in entries])
    grid = Grid(across, labels, panel, body, gap, head, foot)
    bottom = grid.room(count)
    page = Page(style, bottom + axis_room + key_room)
    for i, outcome in enumerate(outcomes):
        cell = grid.cell(i)
        left, top = cell.left, cell.top
        page.lines_above(left, top - style.scaled(3), heads[i], weight="bold")
        _panel(page.axes(left, top, panel, body), frame[frame["outcome"] == outcome], checks, style)
        if cell.is_first:
            for j, check in enumerate(checks):
                start = top + (j + 0.5) * pitch - len(lines[check]) * leading(small) / 2
                page.lines(style.scaled(1), start, lines[check], size=small)
    page.lines(labels + (width - labels) / 2, bottom, axis_lines, ha="center")
    key(page, style.scaled(1), bottom + axis_room, width - 2, entries)
    return page.figure


def _panel(axes, rows: pd.DataFrame, checks: list[str], style: Style) -> None:
    from scipy.special import ndtri

    axes.set(xlim=[ndtri(end) for end in _ENDS], ylim=(len(checks), 0))
    axes.set_yticks([])
    wide = axes.get_position().width * style.preset.points > 22 * style.small
    shown = _TICKS if wide else _TICKS[1::2]
    axes.set_xticks([ndtri(t) for t in shown], [f"{t:g}" for t in shown])
    axes.spines["left"].set_visible(False)
    axes.axvline(0, color=FAINT, linewidth=style.line, zorder=1)
    for row in rows.to_dict("records"):
        y = checks.index(row["check"]) + 0.5
        for tail in (row["warn_tail"], row["fail_tail"]):
            for end in (tail,) if row["two_sided"] else (tail, 1 - tail):
                limit = {"color": QUIET, "linewidth": style.line, "linestyle": ":", "zorder": 1}
                axes.plot([ndtri(end)] * 2, [y - 0.5, y + 0.5], **limit)
        _mark(axes, row, y, style)
        if row["study"] and row["verdict"] != "pass":
            _name(axes, row, y, style)


def _mark(axes, row: Mapping[Any, Any], y: float, style: Style) -> None:
    from scipy.special import ndtri

    alarm = row["verdict"] in ("warn", "fail")
    colour = ALARM if alarm else INK
    low, high = _ENDS
    beyond = "<" if row["mid_p"] < low else ">" if row["mid_p"] > high else None
    axes.plot(
        [ndtri(min(max(row["mid_p"], low), high))], [y], beyond or ("D" if alarm else "o"),
        color=colour, markerfacecolor="white" if row["verdict"] == "warn" else colour,
        markersize=style.scaled(3.8), clip_on=False, zorder=3, gid="check",
    )  # fmt: skip


def _name(axes, row: Mapping[Any, Any], y: float, style: Style) -> None:
    """Write the study that an alarm is about beside its mark, where the panel has more room."""
    from scipy.special import ndtri

    left = row["mid_p"] < 0.5
    axes.annotate(
        row["study"], (ndtri(min(max(row["mid_p"], _ENDS[0]), _ENDS[1])), y),
        xytext=(style.scaled(5 if left else -5), 0), textcoords="offset points",
        ha="left" if left else "right", va="center_baseline", size=style.small, color=ALARM,
        bbox={"facecolor": "white", "linewidth": 0, "pad": 0.6},
    )  # fmt: skip


def _key_entries(frame: pd.DataFrame, style: Style) -> list[tuple]:
    def sign(verdict):
        def draw(axes, x, y, unit):
            _mark(_Shift(axes, x), {"mid_p": 0.5, "verdict": verdict}, y, style)

        return draw

    def limit(axes, x, y, unit):
        ends = [y - unit / 4, y + unit / 4]
        axes.plot([x, x], ends, color=QUIET, linewidth=style.line, linestyle=":")

    named = {"pass": "Within its limits", "warn": "Warning", "fail": "Failure"}
    shown = [name for name in named if name in set(frame["verdict"])]
    entries = [(sign(name), named[name]) for name in shown]
    return [*entries, (limit, "Limits of warning and failure")]


class _Shift:
    """Axes seen from a place: what is drawn at 0 lands there."""

    def __init__(self, axes, x: float) -> None:
        self.axes, self.x = axes, x

    def plot(self, x, y, *args, **kwargs):
        self.axes.plot([value + self.x for value in x], y, *args, **kwargs)
