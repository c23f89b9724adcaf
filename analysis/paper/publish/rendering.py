"""Figures as files: vectors with their fonts, rasters at a journal's resolution.

Other processes draw too: what is imported here is no more than drawing needs.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from ....data.export import write_csv, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ....figures.style import Style
    from ..words.exhibit import Exhibit, Words

FORMATS = ("pdf", "svg", "png", "tiff")
_SCREEN_DPI = 120
#: Text in SVG is text, which an editor can change; Verdana has the letters' widths where the
#: figures' own font is not installed.
_FAMILIES = b"'DejaVu Sans', Verdana, sans-serif"


@dataclass(frozen=True)
class Origin:
    """What a picture is of, for the metadata of its files.

    Attributes
    ----------
    verdict : str
        The guard's on the fit: ``pass``, ``warn``, ``fail`` or ``unchecked``; empty without a fit.
    data : str
        SHA-256 of the data of the fit; empty without one.
    """

    verdict: str = ""
    data: str = ""

    @property
    def software(self) -> str:
        """The program and its version."""
        return f"mscpool {version('mscpool')}"

    @property
    def facts(self) -> list[str]:
        """What is known: the guard's verdict and the data."""
        named = (("guard", self.verdict), ("data sha256", self.data))
        return [f"{name} {value}" for name, value in named if value]


def draw(exhibit: Exhibit, style: Style) -> Figure:
    """Draw a figure of the set in a style."""
    from ....figures.page import within_page

    about = {"note": exhibit.note, "verdict": exhibit.verdict}
    return within_page(partial(exhibit.draw, exhibit.frame), replace(style, **about))


def write_exhibit(
    exhibit: Exhibit, folder: Path, style: Style, formats: Sequence[str], origin: Origin
) -> tuple[list[Path], set[str]]:
    """Draw a figure and write its files; give them, and the words that it shows.

    Parameters
    ----------
    exhibit : Exhibit
        The figure.
    folder : Path
        Where to.
    style : Style
        What it is drawn with.
    formats : sequence of {"pdf", "svg", "png", "tiff"}
        What to render.
    origin : Origin
        What the set is of; each file tells the verdict on its own figure.

    Returns
    -------
    tuple of (list of Path, set of str)
    """
    table = folder / f"{exhibit.name}.csv"
    write_csv(exhibit.frame, table)
    figure = draw(exhibit, style)
    origin = replace(origin, verdict=exhibit.verdict or "unchecked")
    rendered = render(figure, style, formats, exhibit.words, origin)
    named = [(folder / f"{exhibit.name}.{end}", content) for end, content in rendered.items()]
    files = [table, *(write_whole(content, path) for path, content in named)]
    return files, words_shown(figure)


def words_shown(figure: Figure) -> set[str]:
    """Give every word that a figure shows."""
    from matplotlib.text import Text

    texts = figure.findobj(Text)
    return {word.strip(",.;:()") for text in texts for word in text.get_text().split()}


def render(
    figure: Figure, style: Style, formats: Sequence[str], words: Words, origin: Origin
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
    origin : Origin
        Verdict, data and version, kept in the file.

    Returns
    -------
    dict of str to bytes
        The file of each format: vectors with embedded TrueType fonts (PDF) or with text as text
        (SVG), rasters with the preset's dots an inch.
    """
    from ....figures.style import drawing

    made: dict[str, bytes] = {}
    with drawing(style):
        for name in formats:
            if name in ("pdf", "svg"):
                made[name] = _vector(figure, name, words, origin)
        rasters = [name for name in formats if name in ("png", "tiff")]
        if rasters:
            image = _raster(figure, style.preset.dpi)
            dpi = style.preset.dpi
            made |= {name: _encoded(image, name, dpi, words, origin) for name in rasters}
    return {name: made[name] for name in formats}


def _vector(figure: Figure, name: str, words: Words, origin: Origin) -> bytes:
    # No dates, so that the same figure is the same file.
    metadata: dict[str, Any] = {
        "pdf": {
            "Title": words.title,
            "Subject": words.alternative,
            "Keywords": "; ".join(origin.facts),
            "Creator": origin.software,
            "Producer": origin.software,
            "CreationDate": None,
            "ModDate": None,
        },
        "svg": {
            "Title": words.title,
            "Description": words.alternative,
            "Keywords": origin.facts,
            "Creator": origin.software,
            "Date": None,
        },
    }[name]
    stream = io.BytesIO()
    with _fonts_without_layout():
        figure.savefig(stream, format=name, metadata=metadata)
    if name == "svg":
        return stream.getvalue().replace(b"'DejaVu Sans'", _FAMILIES)
    return stream.getvalue()


@contextmanager
def _fonts_without_layout() -> Iterator[None]:
    """Embed fonts without the tables by which text is laid out.

    No reader of a PDF looks at them, and to cut them to the letters shown took longer than all the
    rest of a drawing.
    """
    from fontTools import subset

    class Embedded(subset.Options):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.drop_tables += ["GDEF", "GPOS", "GSUB"]

    with patch.object(subset, "Options", Embedded):
        yield


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


def _encoded(image: Any, name: str, dpi: int, words: Words, origin: Origin) -> bytes:
    from PIL.PngImagePlugin import PngInfo
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    stream = io.BytesIO()
    if name == "png":
        info = PngInfo()
        for key, value in (
            ("Title", words.title),
            ("Description", words.alternative),
            ("Source", "; ".join(origin.facts)),
            ("Software", origin.software),
        ):
            info.add_itxt(key, value)
        # Runs of one colour are most of a drawing: to look for more takes longer and saves a tenth.
        packed = {"compress_level": 6, "compress_type": zlib.Z_RLE}
        image.save(stream, "PNG", dpi=(dpi, dpi), pnginfo=info, **packed)
    else:
        tags = ImageFileDirectory_v2()
        about = f"{words.title}. {'; '.join(origin.facts)}"
        tags[270] = about.encode("ascii", "replace").decode()
        tags[305] = origin.software
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
