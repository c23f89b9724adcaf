"""A figure for dark paper: every colour as a report's page shows it to a reader in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INVERTED = 0.92
#: As a page asks for it: light and dark change places, hues stay.
FILTER = f"invert({_INVERTED:g}) hue-rotate(180deg)"
# A turn by half of the circle about grey, of W3C, Filter Effects Module Level 1, hueRotate.
_TURN = np.array([[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]])


def dark(colour: Any) -> np.ndarray:
    """Give a colour, or each of several, as it looks on dark paper.

    Parameters
    ----------
    colour : color or sequence of colors
        In any form that Matplotlib knows.

    Returns
    -------
    numpy.ndarray
        One row of red, green, blue and opacity for each; opacities stay.
    """
    from matplotlib.colors import to_rgba_array

    light = to_rgba_array(colour)
    turned = (_INVERTED + (1 - 2 * _INVERTED) * light[:, :3]) @ _TURN.T
    return np.column_stack([np.clip(turned, 0, 1), light[:, 3]])


def darkened(figure: Figure) -> Figure:
    """Give a finished figure the colours for dark paper, all of its marks and words alike."""
    from matplotlib.collections import Collection
    from matplotlib.colors import ListedColormap
    from matplotlib.image import AxesImage
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    # Ticks are made when a figure is first drawn.
    figure.draw_without_rendering()
    artists = figure.findobj()
    artists += [
        box for each in artists if isinstance(each, Text) and (box := each.get_bbox_patch())
    ]
    for artist in artists:
        match artist:
            case Text():
                _recolour(artist, "color")
            case Line2D():
                faces = ("markerfacecolor", "markerfacecoloralt", "markeredgecolor")
                _recolour(artist, "color", *faces)
            case Collection() if artist.get_array() is not None:
                shades = artist.get_cmap()(np.linspace(0, 1, 256))
                artist.set_cmap(ListedColormap(dark(shades)))
            case Patch() | Collection():
                _recolour(artist, "facecolor", "edgecolor", "hatchcolor")
            case AxesImage():
                pixels = np.asarray(artist.get_array())
                artist.set_data([dark(row) for row in pixels])
    return figure


def _recolour(artist: Any, *names: str) -> None:
    """Set colours of a mark anew; all are asked for first, as some follow others."""
    light = {name: getattr(artist, f"get_{name}")() for name in names}
    for name, colour in light.items():
        if not isinstance(colour, str) or colour != "none":
            made = dark(colour)
            getattr(artist, f"set_{name}")(made if np.ndim(colour) == 2 else made[0])
