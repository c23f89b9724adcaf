"""Calibration of studies left out: where each fell in what was predicted for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.names import outcome_short, outcome_words
from .page import Page, key, key_height, leading
from .panels import disease_entries
from .style import ALARM, FAINT, INK, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_calibration(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the probability integral transforms (PIT) of studies left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a study and outcome: `outcome, disease, label, pit` (0 to 1), `verdict`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        One strip an outcome with a mark a study, named where the guard warns of it; beside (below,
        in a single column) the difference between the share of studies up to each value and that
        value, with the band that holds the whole curve of a calibrated model 95 times in 100.

    References
    ----------
    The band is Kolmogorov's, from the exact distribution of the largest difference: Marsaglia,
    Tsang, Wang, Evaluating Kolmogorov's distribution, J Stat Softw 2003, doi
    10.18637/jss.v008.i18.
    """
    with drawing(style):
        return _draw(frame[frame["pit"].notna()], style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    outcomes = list(dict.fromkeys(frame["outcome"]))
    width, size = style.preset.points, style.size
    labels = label_room([outcome_words(o) for o in outcomes], 0.26 * width, size)
    labels += style.scaled(8)
    stacked = width < 300
    strip = width - labels - style.scaled(8) if stacked else 0.52 * width - labels
    pitch = style.scaled(20)
    body = pitch * max(len(outcomes), 1)
    foot, top = style.scaled(26), style.scaled(4)
    curve_left = style.scaled(38) if stacked else 0.52 * width + style.scaled(48)
    curve_top = top + body + foot + style.scaled(4) if stacked else top
    curve_height = style.scaled(105) if stacked else max(body, style.scaled(105))
    below = curve_top + curve_height + foot
    diseases = [name for name in style.diseases if name in set(frame["disease"])]
    entries = disease_entries(style, diseases, width - 2)
    page = Page(style, below + key_height(style, width - 2, [text for _, text in entries]))
    axes = page.axes(labels, top, strip, body)
    _strips(axes, frame, outcomes, style, strip / body * len(outcomes))
    for i, outcome in enumerate(outcomes):
        names = (outcome_words(outcome), outcome_short(outcome))
        lines = fitted(names, labels - style.scaled(8), size)
        first = top + (i + 0.5) * pitch - len(lines) * leading(size) / 2
        page.lines(style.scaled(1), first, lines)
    curve = page.axes(curve_left, curve_top, width - curve_left - style.scaled(8), curve_height)
    _curve(curve, np.sort(frame["pit"].to_numpy(float)), style)
    key(page, style.scaled(1), below, width - 2, entries)
    return page.figure


def _strips(axes, frame: pd.DataFrame, outcomes: list[str], style: Style, shape: float) -> None:
    axes.set(xlim=(0, 1), ylim=(max(len(outcomes), 1), 0))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
    axes.set_axisbelow(True)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.set_xlabel("PIT of the study left out")
    for i, outcome in enumerate(outcomes):
        axes.axhline(i + 0.5, color=FAINT, linewidth=style.line, zorder=1)
        own = frame[frame["outcome"] == outcome].sort_values("pit", kind="stable")
        heights = _apart(own["pit"].to_numpy(float), 0.35 / max(shape, 1))
        for row, lift in zip(own.to_dict("records"), heights, strict=True):
            mark = style.mark(row["disease"])
            axes.plot(
                [row["pit"]], [i + 0.5 + lift], mark.marker, color=mark.colour, clip_on=False,
                markersize=style.scaled(3.8), markeredgewidth=0, zorder=3, gid="study",
            )  # fmt: skip
            if row["verdict"] != "pass":
                right = row["pit"] < 0.5
                axes.annotate(
                    row["label"], (row["pit"], i + 0.5 + lift), color=ALARM, size=style.small,
                    xytext=(style.scaled(4 if right else -4), 0), textcoords="offset points",
                    ha="left" if right else "right", va="center_baseline", zorder=2.5,
                )  # fmt: skip


def _apart(values: np.ndarray, near: float) -> list[float]:
    """Spread marks that would cover each other up and down, by turns."""
    lifts: list[float] = []
    turn = 0
    for i, value in enumerate(values):
        turn = turn + 1 if i and value - values[i - 1] < near else 0
        lifts.append((0.0, -0.24, 0.24, -0.12, 0.12)[turn % 5])
    return lifts


def _curve(axes, pits: np.ndarray, style: Style) -> None:
    from scipy.stats import kstwo

    n = len(pits)
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.axhline(0, color=QUIET, linewidth=style.line)
    if n:
        band = float(kstwo.ppf(0.95, n))
        axes.axhspan(-band, band, color="#ececec", linewidth=0, zorder=0)
        steps = np.concatenate([[0.0], np.repeat(pits, 2), [1.0]])
        shares = np.repeat(np.arange(n + 1) / n, 2)
        axes.plot(steps, shares - steps, color=INK, zorder=3, gid="curve")
        limit = max(1.15 * band, 1.1 * float(np.abs(shares - steps).max()))
        axes.set_ylim(-limit, limit)
    axes.locator_params(axis="y", nbins=5)
    axes.set_xlabel("PIT")
    axes.set_ylabel("Share of studies minus PIT")
