"""Study characteristics: how large and how long each study was, and what it supplies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..data.names import outcome_short, outcome_words, words
from .page import Page, key, key_height, leading, row_pitch
from .panels import disease_sign
from .style import FAINT, INK, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ABOUT = (
    "disease", "study", "label", "year", "design", "cell_source", "donor", "route", "patients",
    "controls", "months",
)  # fmt: skip
_FILLS = {"reported": "full", "secondary": "left", "derived": "none", "modelled": "none"}


def draw_characteristics(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the studies of an analysis set and what each supplies.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a study, grouped by disease: `disease, label, design, patients, controls, months`,
        and one column an outcome, after the columns of `characteristics_data`: `reported`,
        `secondary`, `derived` or empty.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A row a study under its disease: its design where there is room, patients as a bar (controls
        paler), follow-up as a mark, and for each outcome a circle, full where the count was
        reported, half where it comes from a later review, hollow where it was derived.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes = [name for name in frame.columns if name not in _ABOUT]
    width, small = style.preset.points, style.small
    narrow = width < 300
    gap = style.scaled(8)
    labels = label_room([str(t) for t in frame["label"]], 0.31 * width, small) + style.scaled(14)
    designs = 0.0 if narrow else label_room([words(d) for d in frame["design"]], 0.2 * width, small)
    bars = (0.2 if narrow else 0.17) * width
    left = {"label": 0.0, "design": labels, "patients": labels + designs + gap * bool(designs)}
    left["months"] = left["patients"] + bars + 1.6 * gap
    left["outcomes"] = left["months"] + bars + 1.6 * gap
    cell = (width - left["outcomes"]) / max(len(outcomes), 1)
    heads = [
        fitted((outcome_words(o), outcome_short(o)), cell - 1, small, lines=5) for o in outcomes
    ]
    upright = any("…" in "".join(own) or any(line.endswith("-") for line in own) for own in heads)
    head = _head_room(outcomes, heads, upright, style)
    rows = _rows(frame)
    entries = _key_entries(style, bool((frame["controls"] > 0).any()))
    foot = style.scaled(27) + key_height(style, width, [text for _, text in entries])
    pitch = row_pitch(
        style, sum(1.25 if kind == "disease" else 1.0 for kind, _ in rows), head + foot
    )
    places, y = [], 0.0
    for kind, _ in rows:
        deep = (1.25 if kind == "disease" else 1.0) * pitch
        places.append(y + deep - 0.5 * pitch)
        y += deep
    page = Page(style, head + y + foot, of_fit=False)
    axes = {name: page.axes(left[name], head, bars, y) for name in ("patients", "months")} | {
        "outcomes": page.axes(left["outcomes"], head, width - left["outcomes"], y)
    }
    _prepare(axes, frame, len(outcomes), y, style)
    chart = _Chart(page, axes, left, head, pitch, labels, designs, bars, cell)
    for place, (kind, value) in zip(places, rows, strict=True):
        if kind == "disease":
            chart.disease(value, place)
        else:
            chart.study(value, place, outcomes)
    chart.heads(outcomes, heads, upright)
    key(page, style.scaled(1), head + y + style.scaled(26), width - 2, entries)
    return page.figure


def _rows(frame: pd.DataFrame) -> list[tuple[str, Any]]:
    made: list[tuple[str, Any]] = []
    for disease in dict.fromkeys(frame["disease"]):
        made.append(("disease", disease))
        own = frame[frame["disease"] == disease]
        made += [("study", row) for row in own.to_dict("records")]
    return made


def _head_room(outcomes, heads, upright: bool, style: Style) -> float:
    small = style.small
    if upright:
        return label_room([outcome_short(o) for o in outcomes], 200, small) + style.scaled(6)
    return max((len(own) for own in heads), default=1) * leading(small) + style.scaled(5)


def _prepare(axes, frame: pd.DataFrame, outcomes: int, height: float, style: Style) -> None:
    for name, each in axes.items():
        each.set_ylim(height, 0)
        each.set_yticks([])
        each.spines["left"].set_visible(False)
        if name != "outcomes":
            each.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
            each.set_axisbelow(True)
    axes["outcomes"].set_xlim(0, max(outcomes, 1))
    axes["outcomes"].axis("off")
    most = float((frame["patients"] + frame["controls"]).max())
    axes["patients"].set_xlim(0, 1.05 * most)
    axes["patients"].locator_params(axis="x", nbins=3, integer=True)
    longest = float(frame["months"].max()) if frame["months"].notna().any() else 12.0
    top = next((t for t in (6, 12, 24, 36, 60, 120) if t >= longest), longest)
    axes["months"].set_xlim(0, 1.05 * top)
    axes["months"].set_xticks([0, top / 2, top], [f"{t:g}" for t in (0, top / 2, top)])


@dataclass(frozen=True)
class _Chart:
    """The page with its columns, which are drawn on row by row; lengths are points."""

    page: Page
    axes: dict[str, Axes]
    left: dict[str, float]
    head: float
    pitch: float
    labels: float
    designs: float
    bars: float
    cell: float

    def disease(self, name: str, y: float) -> None:
        """Head the studies of a disease."""
        page, style = self.page, self.page.style
        disease_sign(page, style.scaled(4), self.head + y, name)
        room = self.left["months"] - style.scaled(12)
        line = fitted(style.names(name), room, style.size, True, 1)
        # A disease's name may stand on the lines of the axes: it hides them.
        white = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        page.text(style.scaled(9), self.head + y, line[0], weight="bold", bbox=white)

    def study(self, row: Mapping[str, Any], y: float, outcomes: Sequence[str]) -> None:
        """Draw a study's row."""
        self._names(row, y)
        self._bars(row, y)
        style, axes = self.page.style, self.axes["outcomes"]
        for j, name in enumerate(outcomes):
            if row[name]:
                size = min(style.scaled(5), 0.7 * self.pitch)
                _circle(axes, j + 0.5, y, row[name], size, style)
            else:
                dot = min(style.scaled(1.2), 0.2 * self.pitch)
                axes.plot([j + 0.5], [y], "o", color=FAINT, markersize=dot)

    def _names(self, row: Mapping[str, Any], y: float) -> None:
        style, y = self.page.style, self.head + y
        room = self.labels - style.scaled(14)
        label = fitted((str(row["label"]),), room, style.small, lines=1)[0]
        self.page.text(style.scaled(9), y, label, size=style.small)
        if self.designs:
            design = fitted((words(row["design"]),), self.designs, style.small, lines=1)[0]
            self.page.text(self.left["design"], y, design, size=style.small, color=QUIET)

    def _bars(self, row: Mapping[str, Any], y: float) -> None:
        from matplotlib.patches import Rectangle

        style, mark, start = self.page.style, self.page.style.mark(row["disease"]), 0.0
        for name, strength in (("patients", 1.0), ("controls", 0.35)):
            bar = Rectangle((start, y - 0.27 * self.pitch), row[name], 0.54 * self.pitch)
            bar.set(color=mark.colour, alpha=strength, linewidth=0, gid=name)
            self.axes["patients"].add_patch(bar)
            start += row[name]
        if (months := row["months"]) == row["months"]:
            size = min(style.scaled(4), 0.6 * self.pitch)
            axes, colour = self.axes["months"], mark.colour
            axes.plot([0, months], [y, y], linewidth=style.line, color=colour)
            axes.plot([months], [y], mark.marker, markersize=size, color=colour, gid="months")

    def heads(self, outcomes: Sequence[str], heads: list[list[str]], upright: bool) -> None:
        """Head the columns."""
        page, style = self.page, self.page.style
        small, above = style.small, self.head - style.scaled(4)
        about = {"size": small, "weight": "bold"}
        page.text(style.scaled(1), above - leading(small) / 2, "Disease, study", **about)
        units = {"patients": ("Patients",), "months": ("Follow-up, months", "Months")}
        for name, candidates in units.items():
            unit = fitted(candidates, self.bars, small, True, 1)[0]
            page.text(self.left[name], above - leading(small) / 2, unit, **about)
        for j, name in enumerate(outcomes):
            middle = self.left["outcomes"] + (j + 0.5) * self.cell
            if upright:
                text = outcome_short(name)
                page.text(middle, above, text, rotation=90, ha="center", va="bottom", size=small)
            else:
                page.lines_above(middle, above, heads[j], ha="center", size=small)


def _circle(axes, x: float, y: float, certainty: str, size: float, style: Style) -> None:
    axes.plot(
        [x], [y], "o", color=INK, markersize=size, fillstyle=_FILLS.get(certainty, "full"),
        markerfacecoloralt="white", markeredgewidth=style.line, gid=certainty,
    )  # fmt: skip


def _key_entries(style: Style, controlled: bool) -> list[tuple]:
    def circle(certainty):
        def draw(axes, x, y, unit):
            _circle(axes, x, y, certainty, style.scaled(5), style)

        return draw

    def box(alpha):
        def draw(axes, x, y, unit):
            from matplotlib.patches import Rectangle

            bar = Rectangle((x - unit / 2, y - unit / 6), unit, unit / 3)
            bar.set(color=INK, alpha=alpha, linewidth=0)
            axes.add_patch(bar)

        return draw

    entries = [(box(1.0), "Treated")]
    if controlled:
        entries.append((box(0.35), "Controls"))
    return [
        *entries,
        (circle("reported"), "Count reported"),
        (circle("secondary"), "From a later review"),
        (circle("derived"), "Derived"),
    ]
