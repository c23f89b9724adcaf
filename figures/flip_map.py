"""Flip map: for which priors a conclusion about a rate would be another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..data.names import level_scale, outcome_short, outcome_words
from .page import Grid, Page, leading
from .style import FAINT, INK, Style, drawing, fitted, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Monte-Carlo errors beyond which a probability counts as different from the wanted one.
_CERTAIN = 2.0
YES, NO, UNDECIDED, UNKNOWN = "yes", "no", "undecided", "unknown"
# The darkest blue would hide the line and the cross.
_SHADES = {"cmap": "Blues", "vmin": 0, "vmax": 1.35}


def draw_flip_map(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the probability that a rate lies beyond the threshold over a grid of priors.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an `outcome`, `disease`, `mu` (location of its prior, linear scale) and `tau_scale`
        (scale of its half-normal prior): `probability` and its `mcse`, `distance` from the
        reference (0 there), `evidence` (`direct`, `borrowed`), and, the same in all rows,
        `threshold`, `direction` (`above`, `below`) and `wanted` (the probability that is enough).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel an outcome and disease: darker where the probability is larger, hatched where it is
        missing, dots where the Monte-Carlo error leaves the conclusion open, the line where it
        flips, a cross at the reference prior.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    pairs = list(dict.fromkeys(zip(frame["outcome"], frame["disease"], strict=True)))
    width, small, gap = style.preset.points, style.small, style.scaled(10)
    across = min(len(pairs), 2 if width < 300 else 4)
    left = style.scaled(34)
    panel = (width - left - gap * (across - 1) - style.scaled(8)) / across
    outcomes = list(dict.fromkeys(frame["outcome"]))
    borrowed = set(frame.loc[frame["evidence"] == "borrowed", "disease"])
    heads = [
        [
            *(
                fitted((outcome_words(o), outcome_short(o)), panel, small, True)
                if outcomes[1:]
                else ()
            ),
            *fitted(style.names(d), panel, small),
            *(["no study: borrowed"] if d in borrowed else []),
        ]
        for o, d in pairs
    ]
    head = max(map(len, heads)) * leading(small) + style.scaled(4)
    body, foot = min(0.8 * panel, style.scaled(80)), style.scaled(15)
    wanted = float(frame["wanted"].iloc[0])
    tables = {pair: _table(frame, *pair) for pair in pairs}
    bar = 0.24 * width
    note = wrapped(_note(frame), width - bar - style.scaled(18), small, lines=9)
    axis_room = leading(style.size) + style.scaled(5)
    key_room = max(len(note) * leading(small), style.scaled(18))
    grid = Grid(across, left, panel, body, gap, head, foot)
    bottom = grid.room(len(pairs))
    page = Page(style, bottom + axis_room + key_room)
    for i, (outcome, disease) in enumerate(pairs):
        cell = grid.cell(i)
        page.lines_above(cell.left, cell.top - style.scaled(3), heads[i], size=small)
        own = frame[(frame["outcome"] == outcome) & (frame["disease"] == disease)]
        axes = page.axes(cell.left, cell.top, panel, body)
        _panel(axes, own, tables[outcome, disease], wanted, style)
        if cell.is_first:
            axes.set_ylabel("Scale of τ's prior")
        else:
            axes.set_yticklabels([])
    page.text(
        left + (width - left) / 2, bottom + leading(style.size) / 2,
        f"Location of μ's prior, {level_scale(outcomes)}", ha="center",
        size=style.size if width > 300 else small,
    )  # fmt: skip
    _colours(page, style.scaled(8), bottom + axis_room, bar)
    page.lines(bar + style.scaled(16), bottom + axis_room, note, size=small)
    return page.figure


def _note(frame: pd.DataFrame) -> str:
    """Say what shade, line and signs mean, as far as they are there."""
    first = frame.iloc[0]
    outcomes = list(dict.fromkeys(frame["outcome"]))
    rate = f"rate of {outcome_words(outcomes[0]).lower()}" if not outcomes[1:] else "rate"
    verb = "exceeds" if first["direction"] == "above" else "stays below"
    parts = [
        f"Shade: probability that the {rate} {verb} {100 * first['threshold']:g} %; "
        "cross: the reference prior"
    ]
    conclusions = set(concluded(frame, float(first["wanted"])))
    if {YES, NO} <= conclusions:
        parts.append(f"line: where it passes {first['wanted']:g}, and the conclusion flips")
    if UNDECIDED in conclusions:
        parts.append(f"dots: within two Monte-Carlo errors of {first['wanted']:g}, undecided")
    if UNKNOWN in conclusions:
        parts.append("hatched: too far from the fitted priors")
    return "; ".join(parts)


def _colours(page: Page, left: float, top: float, width: float) -> None:
    """Draw the shades from 0 to 1."""
    style = page.style
    axes = page.axes(left, top + style.scaled(1), width, style.scaled(5))
    ends = np.linspace(0, 1, 41)
    middles = [(ends[1:] + ends[:-1]) / 2]
    axes.pcolormesh(ends, [0, 1], middles, edgecolors="face", linewidth=0.3, **_SHADES)
    axes.set_yticks([])
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.spines[:].set(visible=True, color=FAINT)


def _table(frame: pd.DataFrame, outcome: str, disease: str) -> pd.DataFrame:
    own = frame[(frame["outcome"] == outcome) & (frame["disease"] == disease)]
    return own.pivot(index="tau_scale", columns="mu", values="probability")


def _panel(axes, rows: pd.DataFrame, table: pd.DataFrame, wanted: float, style: Style) -> None:
    x, y = table.columns.to_numpy(float), np.log2(table.index.to_numpy(float))
    axes.patch.set(hatch="////", edgecolor=FAINT, linewidth=0)
    # Edges of the colour of their cells leave no gaps between them in a browser.
    cells = {"shading": "nearest", "edgecolors": "face", "linewidth": 0.3}
    axes.pcolormesh(x, y, table.to_numpy(float), **cells, **_SHADES)
    decided = rows.assign(conclusion=concluded(rows, wanted))
    grid = decided.pivot(index="tau_scale", columns="mu", values="conclusion").to_numpy(object)
    for ends in _borders(x, y, grid):
        axes.plot(*ends, color=INK, linewidth=1.5 * style.line, gid="border", zorder=3)
    for i, j in zip(*np.nonzero(grid == UNDECIDED), strict=True):
        axes.plot([x[j]], [y[i]], ".", color=INK, markersize=style.scaled(1.6), gid="undecided")
    nearest = rows.iloc[int(rows["distance"].to_numpy().argmin())]
    at = [nearest["mu"]], [np.log2(nearest["tau_scale"])]
    seen = {"markersize": style.scaled(5), "markeredgecolor": "white", "zorder": 4}
    axes.plot(*at, "X", color="#D55E00", markeredgewidth=style.line, gid="reference", **seen)
    _said_of_all(axes, set(decided["conclusion"]), wanted, style)
    ticks = [t for t in (0.125, 0.25, 0.5, 1, 2, 4) if y.min() <= np.log2(t) <= y.max()]
    axes.set_yticks(np.log2(ticks), [f"{t:g}" for t in ticks])
    axes.locator_params(axis="x", nbins=4)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(side in ("left", "bottom"))


def _said_of_all(axes, conclusions: set[str], wanted: float, style: Style) -> None:
    """Say of a panel on which side of the wanted probability it lies, where all of it does."""
    found = conclusions - {UNKNOWN}
    if found in ({YES}, {NO}):
        said = f"{'above' if found == {YES} else 'below'} {wanted:g} everywhere"
        ink = "white" if found == {YES} else INK
        about = {"size": style.small, "color": ink, "ha": "center", "va": "bottom"}
        axes.text(0.5, 0.06, said, transform=axes.transAxes, gid="all", **about)


def _borders(x: np.ndarray, y: np.ndarray, grid: np.ndarray) -> Iterator[tuple[list, list]]:
    """Give the sides between cells of which one concludes and the other does not."""
    across, down = _edges(x), _edges(y)
    for i, j in np.ndindex(grid.shape):
        here = str(grid[i, j])
        if j + 1 < len(x) and {here, str(grid[i, j + 1])} == {YES, NO}:
            yield [across[j + 1]] * 2, [down[i], down[i + 1]]
        if i + 1 < len(y) and {here, str(grid[i + 1, j])} == {YES, NO}:
            yield [across[j], across[j + 1]], [down[i + 1]] * 2


def _edges(middles: np.ndarray) -> np.ndarray:
    between = (middles[1:] + middles[:-1]) / 2
    first, last = 2 * middles[0] - between[0], 2 * middles[-1] - between[-1]
    return np.array([first, *between, last])


def concluded(rows: pd.DataFrame, wanted: float) -> pd.Series:
    """Tell under which priors a conclusion is drawn.

    Parameters
    ----------
    rows : DataFrame
        `probability` and its Monte-Carlo error `mcse`.
    wanted : float
        The probability that is enough.

    Returns
    -------
    Series
        `yes` or `no` where the probability is two errors from the wanted one, else `undecided`;
        `unknown` where it is missing.
    """
    away, error = rows["probability"] - wanted, _CERTAIN * rows["mcse"].fillna(0.0)
    conclusion = np.select(
        [away.isna(), away > error, away < -error], [UNKNOWN, YES, NO], UNDECIDED
    )
    return pd.Series(conclusion, rows.index)


def concludes_otherwise(rows: pd.DataFrame, wanted: float) -> pd.Series:
    """Tell which priors of a panel change the conclusion of its reference, beyond the errors."""
    conclusion = concluded(rows, wanted)
    here = conclusion.iloc[int(rows["distance"].to_numpy().argmin())]
    return conclusion == {YES: NO, NO: YES}.get(here, "")
