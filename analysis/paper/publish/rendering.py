"""Figures as files: vectors with their fonts, rasters at a journal's resolution."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ....figures.style import Style
    from ..words.exhibit import Words

FORMATS = ("pdf", "svg", "png", "tiff")
_SCREEN_DPI = 120


def render(
    figure: Figure, style: Style, formats: Sequence[str], words: Words, sha256: str = ""
) -> dict[str, bytes]:
    """Render a figure; the same figure gives the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        As drawn in that style.
    style : Style
        Gives the resolution of rasters.
    formats : sequence of {"pdf", "svg", "png", "tiff"}
        What to render.
    words : Words
        Title and alternative text, kept in the file.
    sha256 : str
        Hash of the data, kept in the file.

    Returns
    -------
    dict of str to bytes
        The file of each format: vectors with embedded TrueType fonts (PDF) or outlines (SVG),
        rasters with the preset's dots an inch.
    """
    from ....figures.style import drawing

    told = {"title": words.title, "about": words.alternative, "data": f"data sha256 {sha256}"}
    made: dict[str, bytes] = {}
    with drawing(style):
        for name in formats:
            if name in ("pdf", "svg"):
                made[name] = _vector(figure, name, told)
        rasters = [name for name in formats if name in ("png", "tiff")]
        if rasters:
            image = _raster(figure, style.preset.dpi)
            made |= {name: _encoded(image, name, style.preset.dpi, told) for name in rasters}
    return {name: made[name] for name in formats}


def _vector(figure: Figure, name: str, told: Mapping[str, str]) -> bytes:
    # No dates and no versions, so that the same figure is the same file.
    metadata: dict[str, Any] = {
        "pdf": {
            "Title": told["title"],
            "Subject": told["about"],
            "Keywords": told["data"],
            "Creator": "mscpool",
            "Producer": "mscpool",
            "CreationDate": None,
            "ModDate": None,
        },
        "svg": {
            "Title": told["title"],
            "Description": told["about"],
            "Keywords": [told["data"]],
            "Creator": "mscpool",
            "Date": None,
        },
    }[name]
    stream = io.BytesIO()
    figure.savefig(stream, format=name, metadata=metadata)
    return stream.getvalue()


def _raster(figure: Figure, dpi: int) -> Any:
    """Draw a figure once at a resolution, as an opaque image."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    before = figure.dpi
    figure.set_dpi(dpi)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    figure.set_dpi(before)
    return image


def _encoded(image: Any, name: str, dpi: int, told: Mapping[str, str]) -> bytes:
    from PIL.PngImagePlugin import PngInfo
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream = io.BytesIO()
    if name == "png":
        info = PngInfo()
        for key, value in (
            ("Title", told["title"]),
            ("Description", told["about"]),
            ("Source", told["data"]),
            ("Software", "mscpool"),
        ):
            info.add_itxt(key, value)
        # Runs of one colour are most of a drawing: to look for more takes longer and saves a tenth.
        packed = {"compress_level": 6, "compress_type": zlib.Z_RLE}
        image.save(stream, "PNG", dpi=(dpi, dpi), pnginfo=info, **packed)
    else:
        tags = ImageFileDirectory_v2()
        tags[270] = f"{told['title']}. {told['data']}".encode("ascii", "replace").decode()
        tags[305] = "mscpool"
        image.save(stream, "TIFF", dpi=(dpi, dpi), compression="tiff_lzw", tiffinfo=tags)
    return stream.getvalue()


def render_small(figure: Figure, style: Style) -> bytes:
    """Render a picture for the screen in few colours, as PNG."""
    from ....figures.style import drawing

    with drawing(style):
        image = _raster(figure, _SCREEN_DPI)
    stream = io.BytesIO()
    image.quantize(dither=0).save(stream, "PNG", optimize=True)
    return stream.getvalue()
