"""Flip map: for which priors a conclusion about a rate would be another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..data.names import level_scale, outcome_short, outcome_words
from .page import Grid, Page, leading
from .style import FAINT, INK, Style, drawing, fitted, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Monte-Carlo errors beyond which a probability counts as different from the wanted one.
_CERTAIN = 2.0


def draw_flip_map(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the probability that a rate lies beyond the threshold over a grid of priors.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an `outcome`, `disease`, `mu` (location of its prior, linear scale) and `tau_scale`
        (scale of its half-normal prior): `probability` and its `mcse`, `distance` from the
        reference (0 there), and, the same in all rows, `threshold`, `direction` (`above`, `below`)
        and `wanted` (the probability that is enough).
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A panel an outcome and disease: darker where the probability is larger, hatched where it is
        missing, the line where the conclusion flips, a cross at the reference prior.
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
    heads = [
        [
            *(
                fitted((outcome_words(o), outcome_short(o)), panel, small, True)
                if outcomes[1:]
                else ()
            ),
            *fitted(style.names(d), panel, small),
        ]
        for o, d in pairs
    ]
    head = max(map(len, heads)) * leading(small) + style.scaled(4)
    body, foot = min(0.8 * panel, style.scaled(80)), style.scaled(15)
    wanted, threshold = float(frame["wanted"].iloc[0]), float(frame["threshold"].iloc[0])
    verb = "exceeds" if frame["direction"].iloc[0] == "above" else "stays below"
    tables = {pair: _table(frame, *pair) for pair in pairs}
    unknown = any(table.isna().any(axis=None) for table in tables.values())
    rate = f"rate of {outcome_words(outcomes[0]).lower()}" if not outcomes[1:] else "rate"
    note = wrapped(
        f"Shade: probability that the {rate} {verb} {100 * threshold:g} %, white 0 to dark 1; "
        f"line: {wanted:g}, where the conclusion flips; cross: the reference prior"
        + ("; hatched: not known" if unknown else ""),
        width - style.scaled(4),
        small,
    )
    axis_room = leading(style.size) + style.scaled(4)
    grid = Grid(across, left, panel, body, gap, head, foot)
    bottom = grid.room(len(pairs))
    page = Page(style, bottom + axis_room + len(note) * leading(small))
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
    page.lines(style.scaled(1), bottom + axis_room, note, size=small)
    return page.figure


def _table(frame: pd.DataFrame, outcome: str, disease: str) -> pd.DataFrame:
    own = frame[(frame["outcome"] == outcome) & (frame["disease"] == disease)]
    return own.pivot(index="tau_scale", columns="mu", values="probability")


def _panel(axes, rows: pd.DataFrame, table: pd.DataFrame, wanted: float, style: Style) -> None:
    x, y = table.columns.to_numpy(float), np.log2(table.index.to_numpy(float))
    z = table.to_numpy(float)
    axes.patch.set(hatch="////", edgecolor=FAINT, linewidth=0)
    # The darkest blue would hide the line and the cross.
    axes.pcolormesh(x, y, z, cmap="Blues", vmin=0, vmax=1.35, shading="nearest")
    if concludes_otherwise(rows, wanted).any():
        axes.contour(x, y, z, [wanted], colors=[INK], linewidths=[1.5 * style.line])
    nearest = rows.iloc[int(rows["distance"].to_numpy().argmin())]
    at = [nearest["mu"]], [np.log2(nearest["tau_scale"])]
    axes.plot(*at, "x", color="#D55E00", gid="reference")
    ticks = [t for t in (0.125, 0.25, 0.5, 1, 2, 4) if y.min() <= np.log2(t) <= y.max()]
    axes.set_yticks(np.log2(ticks), [f"{t:g}" for t in ticks])
    axes.locator_params(axis="x", nbins=4)
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(side in ("left", "bottom"))


def concludes_otherwise(rows: pd.DataFrame, wanted: float) -> pd.Series:
    """Tell which priors of a panel change its conclusion, beyond the Monte-Carlo error."""
    nearest = rows.iloc[int(rows["distance"].to_numpy().argmin())]
    concluded = nearest["probability"] >= wanted
    away = rows["probability"] - wanted
    error = _CERTAIN * (rows["mcse"].fillna(0) if "mcse" in rows else 0.0)
    return (away < -error) if concluded else (away > error)
