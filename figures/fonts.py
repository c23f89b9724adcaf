"""Fonts for letters that the figures' own font lacks, such as Chinese ones."""

from __future__ import annotations

from functools import lru_cache

FONT = "DejaVu Sans"  # comes with Matplotlib, so that a figure is the same on every machine


@lru_cache
def covering(letters: str) -> tuple[tuple[str, ...], str]:
    """Find fonts of this machine for letters that the figures' own font lacks.

    Parameters
    ----------
    letters : str
        All letters that a set of figures may show.

    Returns
    -------
    tuple of (tuple of str, str)
        Names of families, to be tried in order, and the letters that no font has.
    """
    from matplotlib.font_manager import FontProperties, findfont, fontManager

    lacking = {letter for letter in letters if letter.isprintable() and not letter.isspace()}
    lacking -= _letters(findfont(FontProperties(family=FONT)))
    families: list[str] = []
    # Upright fonts of usual weight, those without serifs first: they go with the figures' own.
    candidates = [
        font
        for font in fontManager.ttflist
        if font.style == "normal" and font.weight in (400, "normal", "regular")
    ]
    for font in sorted(candidates, key=lambda font: ("sans" not in font.name.lower(), font.name)):
        if not lacking:
            break
        found = set() if "last resort" in font.name.lower() else lacking & _letters(font.fname)
        if found:
            families.append(font.name)
            lacking -= found
    return tuple(families), "".join(sorted(lacking))


def _letters(path: str) -> set[str]:
    from matplotlib.font_manager import get_font

    return {chr(code) for code in get_font(path).get_charmap()}
