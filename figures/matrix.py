"""Tiles with numbers, one matrix an outcome: colour for sign and size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .page import Page
from .style import FAINT, INK, Style, wrapped

# The ends of ColorBrewer's PuOr, which keeps apart under every common colour blindness.
LOW, HIGH = (0.20, 0.33, 0.62), (0.72, 0.35, 0.02)


def shade(value: float, most: float) -> tuple[float, float, float]:
    """Mix white with blue for negative and with brown for positive values up to `most`."""
    strength = min(abs(value) / most, 1.0) if most > 0 else 0.0
    end = HIGH if value > 0 else LOW
    return tuple(1 - strength * (1 - part) for part in end)  # pyright: ignore[reportReturnType]


def tiles(
    axes,
    values: Sequence[Sequence[float | None]],
    most: float,
    style: Style,
    write: Callable[[float], str] | None,
) -> None:
    """Fill axes with tiles, row by row; a missing value is hatched.

    Parameters
    ----------
    axes : Axes
        To be filled.
    values : sequence of rows
        Numbers; None where there is none.
    most : float
        Size at which the colour is full.
    style : Style
        Type and lines.
    write : callable or None
        Turns a value into the text in its tile; None leaves the tiles empty.
    """
    from matplotlib.patches import Rectangle

    axes.set(xlim=(0, max(map(len, values))), ylim=(len(values), 0))
    axes.axis("off")
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            tile = Rectangle((j + 0.03, i + 0.03), 0.94, 0.94, linewidth=0, gid="tile")
            axes.add_patch(tile)
            if value is None or value != value:
                tile.set(facecolor="white", edgecolor=FAINT, hatch="////", linewidth=style.line)
                continue
            tile.set(facecolor=shade(value, most))
            if write is not None:
                ink = "white" if abs(value) > 0.75 * most else INK
                about = {"size": style.small, "ha": "center", "va": "center_baseline", "color": ink}
                axes.text(j + 0.5, i + 0.5, write(value), **about)


def scale_key(page: Page, left: float, top: float, width: float, most: float, words: str) -> None:
    """Draw the colours from the lowest to the highest value, with what they mean."""
    style = page.style
    axes = page.axes(left, top, width, style.scaled(5))
    steps = [most * (2 * (i + 0.5) / 40 - 1) for i in range(40)]
    axes.imshow([[shade(step, most) for step in steps]], aspect="auto", extent=(-most, most, 0, 1))
    axes.set_yticks([])
    axes.set_xticks([-most, 0, most], [f"−{most:g}", "0", f"{most:g}"])
    axes.spines[:].set_visible(False)
    room = page.width - left - width - style.scaled(14)
    lines = wrapped(words, room, style.small)
    page.lines(left + width + style.scaled(12), top - style.scaled(2), lines, size=style.small)
