"""Forest plot: each study beside its disease's rate and the next trial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.names import outcome_words, timed_words
from ..data.outcomes import outcome as described
from .page import (
    Page,
    count_words,
    key,
    key_height,
    leading,
    percent_axis,
    row_pitch,
    square_root_axis,
)
from .panels import disease_sign
from .style import FAINT, INK, QUIET, Style, drawing, fitted, text_width

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_LIMITS = (0.1, 0.2, 0.5, 1.0)
RAW = "#8c8c8c"
_HEADS = ("Events/n", "Estimate [95 % interval], %")


def draw_forest(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the forest plot of one outcome.

    Parameters
    ----------
    frame : pandas.DataFrame
        In the order of drawing: `outcome, row` (`rate`, `study`, `new_study`, `new_disease`),
        `disease, label, events_min, events_max, n, raw_min, raw_max, raw_low, raw_high, estimate,
        low, high, evidence`; probabilities.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A diamond for each disease (hollow where borrowed), its studies below it (grey what was
        observed, a box where the count is only bounded; coloured what is estimated), a bar for its
        next trial, and one for a disease not yet tried. The columns give the numbers.
    """
    with drawing(style):
        return _Forest(frame, style).draw()


def is_rooted(frame: pd.DataFrame) -> bool:
    """Whether the axis has a square-root scale: what is estimated is small, intervals reach far."""
    return _reach(frame, "high", "raw_min") < _reach(frame, "high", "raw_high")


def _reach(frame: pd.DataFrame, *names: str) -> float:
    """Give the probability at which an axis ends that holds these columns."""
    most = max(float(np.nanmax(frame[name])) for name in names)
    return next((limit for limit in _LIMITS if limit >= most), 1.0)


class _Forest:
    """The parts of one forest plot, which share its columns, rows and axes."""

    def __init__(self, frame: pd.DataFrame, style: Style) -> None:
        self.style = style
        self.rows = frame.to_dict("records")
        self.outcome = str(frame["outcome"].iloc[0])
        self.upper, self.rooted = _reach(frame, "high", "raw_high"), is_rooted(frame)
        # One precision for the column: a digit more where what is estimated is small.
        self.digits = int(_reach(frame, "high", "raw_min") < 1)
        self._measure_columns()
        self._measure_rows()

    def _measure_columns(self) -> None:
        style, width = self.style, self.style.preset.points
        self.indent, gap = style.scaled(8), style.scaled(6)
        self.counts = [_counts(row) for row in self.rows]
        self.estimates = [_estimate(row, self.digits) for row in self.rows]
        small = style.small
        count_room = max(text_width(text, small) for text in (*self.counts, "Events/n"))
        numbers = max(text_width(text, small, True) for text in self.estimates)
        self.estimate_head = fitted(
            (_HEADS[1],), max(numbers, text_width("Estimate [95 %", small, True)), small, True, 3
        )
        estimate_room = max(
            numbers, *(text_width(line, small, True) for line in self.estimate_head)
        )
        need = max(self._label_need(row) for row in self.rows)
        plot_least = 0.27 * width
        room = width - count_room - estimate_room - 3 * gap
        self.label_room = min(need, room - plot_least)
        self.count_right = self.label_room + gap + count_room
        self.plot_left = self.count_right + 1.6 * gap
        self.plot_width = width - estimate_room - 1.4 * gap - self.plot_left
        self.estimate_right = width - 1

    def _label_need(self, row: Mapping[Any, Any]) -> float:
        text, bold, indent = self._label(row)
        return indent + text_width(text, self._label_size(row), bold)

    def _label_size(self, row: Mapping[Any, Any]) -> float:
        return self.style.size if row["row"] in ("rate", "new_disease") else self.style.small

    def _label(self, row: Mapping[Any, Any]) -> tuple[str, bool, float]:
        if row["row"] == "rate":
            return self.style.names(row["disease"])[0], True, self.style.scaled(9)
        if row["row"] == "new_study":
            return "Next trial", False, self.indent + self.style.scaled(4)
        if row["row"] == "new_disease":
            return "A disease not yet tried", True, self.style.scaled(9)
        return str(row["label"]), False, self.indent + self.style.scaled(4)

    def _measure_rows(self) -> None:
        style = self.style
        self.entries = self._key_entries()
        self.head = leading(style.small) * len(self.estimate_head) + style.scaled(5)
        self.key_left = style.scaled(1)
        self.key_width = style.preset.points - 2 * self.key_left
        key_room = key_height(style, self.key_width, [text for _, text in self.entries])
        self.axis_words = _axis_words(self.outcome, self.rooted, self.plot_width, style)
        self.axis_room = style.scaled(18) + (self.axis_words.count("\n") + 1) * leading(style.size)
        self.foot = self.axis_room + key_room + style.scaled(2)
        self.labels = [self._fitted_label(row) for row in self.rows]
        # A disease starts with some air; a name of two lines has a height of its own.
        airs = [0.35 * (i > 0 and _heads_block(row)) for i, row in enumerate(self.rows)]
        tall = [
            len(own) * leading(size) if len(own) > 1 else 0.0 for own, size, _, _ in self.labels
        ]
        single = sum(airs) + tall.count(0.0)
        end = style.scaled(2)
        self.pitch = row_pitch(style, single, self.head + self.foot + sum(tall) + end)
        self.middles = []
        y = 0.0
        for air, height in zip(airs, tall, strict=True):
            height = max(height, self.pitch)
            self.middles.append(y + air * self.pitch + height / 2)
            y += air * self.pitch + height
        self.body = y + end

    def _fitted_label(self, row: Mapping[Any, Any]) -> tuple[list[str], float, bool, float]:
        text, bold, indent = self._label(row)
        short = self.style.names(row["disease"]) if row["row"] == "rate" else (text,)
        size, room = self._label_size(row), self.label_room - indent
        return fitted(short, room, size, bold, 3 if bold else 1), size, bold, indent

    def draw(self) -> Figure:
        style = self.style
        page = Page(style, self.head + self.body + self.foot)
        axes = page.axes(self.plot_left, self.head, self.plot_width, self.body)
        (square_root_axis if self.rooted else percent_axis)(axes, self.upper)
        axes.set_ylim(self.body, 0)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
        axes.set_axisbelow(True)
        axes.set_xlabel(self.axis_words)
        self._heads(page)
        for i, row in enumerate(self.rows):
            self._row(page, axes, i, row)
        top = self.head + self.body + self.axis_room
        key(page, self.key_left, top, self.key_width, self.entries)
        return page.figure

    def _heads(self, page: Page) -> None:
        small, pitch = self.style.small, leading(self.style.small)
        bottom = self.head - self.style.scaled(4)
        about = {"size": small, "weight": "bold"}
        page.text(self.style.scaled(1), bottom - pitch / 2, "Disease, study", **about)
        page.text(self.count_right, bottom - pitch / 2, _HEADS[0], ha="right", **about)
        top = bottom - pitch * len(self.estimate_head)
        page.lines(self.estimate_right, top, self.estimate_head, ha="right", **about)
        line = page.axes(0, bottom + self.style.scaled(0.5), page.width, self.style.scaled(1))
        line.axis("off")
        line.axhline(0.5, color=INK, linewidth=self.style.line)

    def _row(self, page: Page, axes, i: int, row: Mapping[Any, Any]) -> None:
        style, y = self.style, self.middles[i]
        lines, size, bold, indent = self.labels[i]
        ink = QUIET if row["row"] == "new_study" else INK
        about = {"size": size, "color": ink, "weight": "bold" if bold else "normal"}
        page.lines(indent, self.head + y - len(lines) * leading(size) / 2, lines, **about)
        about |= {"size": style.small, "ha": "right"}
        page.text(self.count_right, self.head + y, self.counts[i], **about)
        page.text(self.estimate_right, self.head + y, self.estimates[i], **about)
        colour = style.mark(row["disease"]).colour if _known(row["disease"]) else INK
        if row["row"] == "rate":
            disease_sign(page, style.scaled(4), self.head + y, row["disease"], 4.5)
            diamond(axes, row, y, 0.34 * self.pitch, colour, style)
        elif row["row"] == "study":
            marker = style.mark(row["disease"]).marker
            _study(axes, row, y, self.pitch, colour, marker, style)
        else:
            prediction_bar(axes, row, y, 0.17 * self.pitch, colour)

    def _key_entries(self) -> list[tuple]:
        style = self.style
        bounded = any(
            row["row"] == "study" and row["raw_min"] < row["raw_max"] for row in self.rows
        )
        observed = "Observed, at constant hazard" if described(self.outcome).timed else "Observed"
        entries = [(_key_observed(style), f"{observed} (95 % Wilson interval)")]
        if bounded:
            entries.append((_key_bounded(style), "Count known within bounds"))
        entries.append((_key_estimate(style), "Study, estimated"))
        entries.append((key_diamond(style, False), "Disease rate"))
        if any(row["evidence"] == "borrowed" and row["row"] == "rate" for row in self.rows):
            entries.append((key_diamond(style, True), "Disease rate, borrowed: no study"))
        entries.append((key_bar(style), "Prediction for a new study"))
        return entries


def _heads_block(row: Mapping[Any, Any]) -> bool:
    return row["row"] in ("rate", "new_disease")


def _known(disease: Any) -> bool:
    return isinstance(disease, str)


def _axis_words(outcome: str, rooted: bool, width: float, style: Style) -> str:
    text, timed = outcome_words(outcome), timed_words([outcome])
    scale = " (square-root scale)" if rooted else ""
    whole = f"12-month risk of {timed}, %" if timed else f"{text}, % of patients"
    return "\n".join(fitted((whole + scale, f"{text}, %{scale}"), 1.5 * width, style.size))


def _counts(row: Mapping[Any, Any]) -> str:
    if row["row"] not in ("study", "rate"):
        return ""
    return count_words(row["events_min"], row["events_max"], row["n"])


def _estimate(row: Mapping[Any, Any], digits: int) -> str:
    if row["estimate"] != row["estimate"]:
        return ""
    middle, low, high = (f"{100 * row[name]:.{digits}f}" for name in ("estimate", "low", "high"))
    return f"{middle} [{low}, {high}]"


def diamond(axes, row: Mapping[Any, Any], y: float, half: float, colour: str, style: Style) -> None:
    """Draw an estimate with its interval as a diamond, hollow where it is borrowed."""
    from matplotlib.patches import Polygon

    borrowed = row["evidence"] == "borrowed"
    low, middle, high = row["low"], row["estimate"], row["high"]
    shape = Polygon(
        [(low, y), (middle, y - half), (high, y), (middle, y + half)],
        closed=True,
        facecolor="white" if borrowed else colour,
        edgecolor=colour,
        # The ends of a full diamond are the interval's: a border would lengthen them.
        linewidth=1.6 * style.line if borrowed else 0,
        linestyle=(0, (3, 1.5)) if borrowed else "solid",
        zorder=3,
        gid="disease",
    )
    axes.add_patch(shape)


def prediction_bar(axes, row: Mapping[Any, Any], y: float, half: float, colour: str) -> None:
    """Draw what the next trial may show as a pale bar with a line at its median."""
    from matplotlib.patches import Rectangle

    low, middle, high = row["low"], row["estimate"], row["high"]
    box = Rectangle(
        (low, y - half), high - low, 2 * half, color=colour, alpha=0.35, linewidth=0, zorder=2
    )
    box.set_gid("prediction")
    axes.add_patch(box)
    axes.plot([middle, middle], [y - half, y + half], color=colour, zorder=3)


def _study(axes, row, y: float, pitch: float, colour: str, marker: str, style: Style) -> None:
    above, below = y - 0.17 * pitch, y + 0.19 * pitch
    _observed(axes, row, above, pitch, style)
    if row["estimate"] == row["estimate"]:
        axes.plot([row["low"], row["high"]], [below, below], color=colour, zorder=3)
        size = min(style.scaled(3.8), 0.5 * pitch)
        axes.plot(
            [row["estimate"]], [below], marker, color=colour, markersize=size, zorder=4, gid="study"
        )


def _observed(axes, row, y: float, pitch: float, style: Style) -> None:
    from matplotlib.patches import Rectangle

    thin = {"color": RAW, "linewidth": style.line, "zorder": 2}
    axes.plot([row["raw_low"], row["raw_high"]], [y, y], **thin)
    if row["raw_min"] < row["raw_max"]:
        half = 0.11 * pitch
        box = Rectangle((row["raw_min"], y - half), row["raw_max"] - row["raw_min"], 2 * half)
        box.set(facecolor="white", edgecolor=RAW, linewidth=style.line, zorder=3, gid="bounds")
        axes.add_patch(box)
    else:
        size = min(style.scaled(3), 0.38 * pitch)
        axes.plot(
            [row["raw_min"]], [y], "s", color=RAW, markersize=size, zorder=3, gid="observed",
            clip_on=False, markeredgewidth=0,
        )  # fmt: skip


def _key_observed(style: Style):
    def draw(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=RAW, linewidth=style.line)
        axes.plot([x], [y], "s", color=RAW, markersize=style.scaled(3), markeredgewidth=0)

    return draw


def _key_bounded(style: Style):
    def draw(axes, x, y, unit):
        from matplotlib.patches import Rectangle

        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=RAW, linewidth=style.line)
        box = Rectangle((x - unit / 3, y - unit / 14), unit / 1.5, unit / 7)
        box.set(facecolor="white", edgecolor=RAW, linewidth=style.line, zorder=3)
        axes.add_patch(box)

    return draw


def _key_estimate(style: Style):
    def draw(axes, x, y, unit):
        axes.plot([x - unit / 2, x + unit / 2], [y, y], color=INK)
        axes.plot([x], [y], "o", color=INK, markersize=style.scaled(3.8))

    return draw


def key_diamond(style: Style, borrowed: bool):
    """Give the sign of a diamond for a key."""

    def draw(axes, x, y, unit):
        row = {"low": x - unit / 2, "estimate": x, "high": x + unit / 2}
        row["evidence"] = "borrowed" if borrowed else "direct"
        diamond(axes, row, y, unit * 0.2, INK, style)

    return draw


def key_bar(style: Style):
    """Give the sign of a prediction for a key."""

    def draw(axes, x, y, unit):
        prediction_bar(
            axes, {"low": x - unit / 2, "estimate": x, "high": x + unit / 2}, y, unit / 10, INK
        )

    return draw
