"""How every figure looks: page sizes, type, lines, and the colour and marker of each disease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache

from ..data.about import UNDESCRIBED, About
from ..data.errors import InputError
from ..data.mistakes import one_of
from .fonts import FONT

POINTS_PER_MM = 72 / 25.4

INK = "#1a1a1a"
QUIET = "#6b6b6b"
FAINT = "#d9d9d9"
ALARM = "#b3261e"

# Okabe and Ito's colours in an order in which neighbours differ in lightness; their yellow is too
# faint for lines, so indigo, wine and olive of Tol's muted scheme follow.
COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#332288",
    "#882255",
    "#7A7A00",
)
# As many as have no factor in common with the colours: 63 pairs before one returns.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


@dataclass(frozen=True)
class Preset:
    """A page: sizes in mm, type in points at final size, raster resolution in dots an inch.

    `least` is the smallest type to which crowded figures may go; `dark`, whether paper is dark.
    """

    width: float
    height: float
    type: float
    small: float
    least: float
    line: float
    dpi: int
    dark: bool = False

    @property
    def points(self) -> float:
        """Width in points."""
        return self.width * POINTS_PER_MM


#: A journal's single and double column, and a 16:9 slide; `height` is what one page offers.
_LIGHT = {
    "single": Preset(width=88, height=235, type=6.5, small=6, least=6, line=0.6, dpi=600),
    "double": Preset(width=180, height=235, type=7, small=6, least=6, line=0.6, dpi=600),
    "slide": Preset(width=338.7, height=190.5, type=15, small=12.5, least=9, line=1.3, dpi=200),
}
PRESETS = _LIGHT | {f"{name}-dark": replace(page, dark=True) for name, page in _LIGHT.items()}


@dataclass(frozen=True)
class Mark:
    """How a disease is drawn in every figure."""

    colour: str
    marker: str


@dataclass(frozen=True)
class Style:
    """What a figure is drawn with.

    Attributes
    ----------
    preset : Preset
        The page.
    diseases : tuple of str
        Diseases of the analysis, in order: they fix who has which colour and marker.
    verdict : str or None
        The guard's verdict on the fit that is drawn; None for one that was not checked.
    about : About
        How diseases are called; those that it describes have a mark of their own in every
        selection.
    note : str
        Small print below a figure of a fit.
    fonts : tuple of str
        Families for letters that the figures' own font lacks.
    """

    preset: Preset
    diseases: tuple[str, ...] = ()
    verdict: str | None = None
    about: About = UNDESCRIBED
    note: str = ""
    fonts: tuple[str, ...] = ()
    _marks: dict[str, Mark] = field(init=False, repr=False, compare=False)
    _shorts: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Give every disease its mark: those described their own, others those that are left."""
        object.__setattr__(self, "_marks", _marks(self.diseases, self.about))
        object.__setattr__(self, "_shorts", self.about.shorts(self.diseases))

    def mark(self, disease: str) -> Mark:
        """Give the colour and marker of a disease.

        Raises
        ------
        InputError
            The style does not know the disease.
        """
        if disease not in self._marks:
            raise InputError(f"the style was not made for disease {disease}: name it in diseases")
        return self._marks[disease]

    def names(self, disease: str) -> tuple[str, str]:
        """Give a disease's name in words, and its abbreviation among these diseases."""
        self.mark(disease)
        return self.about.words(disease), self._shorts[disease]

    @property
    def size(self) -> float:
        """Size of the type, points."""
        return self.preset.type

    @property
    def small(self) -> float:
        """Smallest size of type, points."""
        return self.preset.small

    @property
    def line(self) -> float:
        """Width of axes and thin lines, points."""
        return self.preset.line

    def with_type(self, scale: float) -> Style:
        """Give this style with type and lines so many times as large."""
        preset = self.preset
        sizes = {name: getattr(preset, name) * scale for name in ("type", "small", "line")}
        return replace(self, preset=replace(preset, **sizes))

    def scaled(self, points: float) -> float:
        """Scale a length that suits 7-point type to this page's type."""
        return points * self.preset.type / 7


def make_style(
    preset: str = "double",
    diseases: tuple[str, ...] = (),
    verdict: str | None = None,
    about: About = UNDESCRIBED,
    fonts: tuple[str, ...] = (),
) -> Style:
    """Make the style of a set of figures.

    Parameters
    ----------
    preset : {"single", "double", "slide", "single-dark", "double-dark", "slide-dark"}
        A journal's column (88 mm), its page (180 mm), or a slide, on white or on dark paper.
    diseases : tuple of str
        Diseases of the analysis, in order.
    verdict : {"pass", "warn", "fail"}, optional
        The guard's verdict; figures of a fit without `pass` or `warn` carry a mark.
    about : About
        How diseases are called and ordered.
    fonts : tuple of str
        Families for letters that the figures' own font lacks.

    Returns
    -------
    Style

    Raises
    ------
    InputError
        An unknown preset.
    """
    page = PRESETS[one_of(preset, PRESETS, "preset")]
    return Style(page, tuple(diseases), verdict, about, fonts=fonts)


@lru_cache(maxsize=64)
def legible(colour: str) -> str:
    """Darken a colour of marks until words in it are read on white: WCAG's contrast of 4.5."""
    from matplotlib.colors import to_hex, to_rgb

    parts = to_rgb(colour)
    while 1.05 / (_luminance(parts) + 0.05) < 4.5:
        red, green, blue = parts
        parts = 0.97 * red, 0.97 * green, 0.97 * blue
    return to_hex(parts)


def _luminance(parts: tuple[float, float, float]) -> float:
    """Relative luminance of sRGB, WCAG 2.2."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _marks(diseases: tuple[str, ...], about: About) -> dict[str, Mark]:
    slots = {each.name: i for i, each in enumerate(about.diseases)}
    taken = {slots[name] for name in diseases if name in slots}
    free = (i for i in range(len(diseases) + len(slots)) if i not in taken)
    places = {name: slots[name] if name in slots else next(free) for name in diseases}
    return {
        name: Mark(COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)])
        for name, i in places.items()
    }


@contextmanager
def drawing(style: Style) -> Iterator[None]:
    """Set Matplotlib up for a figure while it is drawn or written."""
    import warnings

    import matplotlib

    with matplotlib.rc_context(_settings(style)), warnings.catch_warnings():
        # Letters that no font has are told once for a set of figures, not at every drawing.
        warnings.filterwarnings("ignore", r"Glyph \d+ ")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support")
        yield


def _settings(style: Style) -> dict:
    return {
        "font.family": [FONT, *style.fonts],
        "font.size": style.size,
        "text.color": INK,
        "text.usetex": False,
        "text.parse_math": False,  # a name may have dollars
        "mathtext.fontset": "dejavusans",
        "axes.labelsize": style.size,
        "axes.labelcolor": INK,
        "axes.edgecolor": INK,
        "axes.linewidth": style.line,
        "axes.labelpad": style.scaled(2),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.unicode_minus": True,
        "axes.formatter.use_locale": False,
        "xtick.labelsize": style.small,
        "ytick.labelsize": style.small,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": style.line,
        "ytick.major.width": style.line,
        "xtick.major.size": style.scaled(2.5),
        "ytick.major.size": style.scaled(2.5),
        "xtick.minor.size": style.scaled(1.5),
        "xtick.major.pad": style.scaled(2),
        "ytick.major.pad": style.scaled(2),
        "lines.linewidth": 1.5 * style.line,
        "lines.markersize": style.scaled(4),
        "lines.solid_capstyle": "butt",
        "patch.linewidth": style.line,
        "hatch.linewidth": 0.7 * style.line,
        "hatch.color": FAINT,
        "figure.facecolor": "white",
        "savefig.facecolor": "auto",
        "savefig.bbox": None,
        # Letters as wide as measured, at any resolution.
        "text.hinting": "none",
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "none",
        "svg.hashsalt": "mscpool",
        "path.simplify": True,
    }


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Measure a line of text, in the fonts that figures are drawn with now.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Points.
    bold : bool
        Whether it is set bold.

    Returns
    -------
    float
        Width in points.
    """
    from matplotlib import rcParams

    families = tuple(rcParams["font.family"])
    return _width(text, size, bold, families if FONT in families else (FONT,))


@lru_cache(maxsize=4096)
def _width(text: str, size: float, bold: bool, families: tuple[str, ...]) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    if not text:
        return 0.0
    face = FontProperties(family=list(families), size=size, weight="bold" if bold else "normal")
    return float(text_to_path.get_text_width_height_descent(text, face, False)[0])


def wrapped(text: str, width: float, size: float, bold: bool = False, lines: int = 3) -> list[str]:
    """Break a text into lines that fit a width; what is too long ends with an ellipsis.

    Parameters
    ----------
    text : str
        Words separated by spaces.
    width, size : float
        Width of a line and size of the type, points.
    bold : bool
        Whether it is set bold.
    lines : int
        Most lines.

    Returns
    -------
    list of str
        At least one line, each no wider than `width`.
    """
    broken: list[str] = []
    words = text.split()
    while words and len(broken) < lines:
        line = words.pop(0)
        while words and _holds(width, f"{line} {words[0]}", size, bold):
            line = f"{line} {words.pop(0)}"
        if not _holds(width, line, size, bold) and len(broken) < lines - 1:
            line, rest = _broken(line, width, size, bold)
            words.insert(0, rest)
        broken.append(line)
    if words:
        broken[-1] = f"{broken[-1]} {words[0]}"
    if broken and (words or not _holds(width, broken[-1], size, bold)):
        broken[-1] = shortened(broken[-1] + ("…" if words else ""), width, size, bold)
    return broken or [""]


def _holds(width: float, text: str, size: float, bold: bool) -> bool:
    """Whether a width holds a text; one of equal width is held, whatever the rounding."""
    return text_width(text, size, bold) <= width + 1e-6


def _broken(word: str, width: float, size: float, bold: bool) -> tuple[str, str]:
    """Break a word that is wider than the line."""
    start = _start(word[:-1], "-", width, size, bold)
    return start + "-", word[len(start) :]


def shortened(text: str, width: float, size: float, bold: bool = False) -> str:
    """Cut a text that is wider than a width, in points, and end it with an ellipsis."""
    if _holds(width, text, size, bold):
        return text
    return _start(text, "…", width, size, bold) + "…"


def _start(text: str, mark: str, width: float, size: float, bold: bool) -> str:
    """Give as much of a text's start as a width holds before a mark; at least a letter."""
    while len(text) > 1 and not _holds(width, text.rstrip() + mark, size, bold):
        text = text[:-1]
    return text.rstrip()


def fitted(
    candidates: tuple[str, ...], width: float, size: float, bold: bool = False, lines: int = 2
) -> list[str]:
    """Take the first of several names, the longest first, that fits without a broken word.

    Parameters
    ----------
    candidates : tuple of str
        The same thing's names; the last one is cut where none fits.
    width, size, bold, lines
        As for `wrapped`.

    Returns
    -------
    list of str
        Lines of the name.
    """
    for text in candidates:
        made = wrapped(text, width, size, bold, lines)
        if " ".join(made) == " ".join(text.split()):
            return made
    return wrapped(candidates[-1], width, size, bold, lines)


def label_room(names: list[str], most: float, size: float, bold: bool = False) -> float:
    """Give the width that the longest of some names needs, at most `most`; all in points."""
    return min(max((text_width(name, size, bold) for name in names), default=0.0), most)
