"""A figure that notebooks show, whether or not anybody has set pyplot up."""

from __future__ import annotations

import io

from matplotlib.figure import Figure

_DPI = 144


class ShownFigure(Figure):
    """A matplotlib Figure with the picture that a notebook shows."""

    def _repr_png_(self) -> bytes:
        """Give the picture for a screen."""
        stream = io.BytesIO()
        self.canvas.print_figure(stream, format="png", dpi=_DPI)
        return stream.getvalue()
