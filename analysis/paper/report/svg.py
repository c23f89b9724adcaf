"""Drawings within a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Drawing:
    """A figure on the page: its SVG, what is said of it, its files' endings, and its section."""

    name: str
    title: str
    svg: Any
    caption: str
    alternative: str
    files: tuple[str, ...]
    section: str


#: Attributes that hold coordinates in points.
_PLACES = re.compile(r' (?:d|x|y|points|transform)="[^"]*"')
#: A number with more digits than a picture shows; factors of a scale are told by their word.
_LONG = re.compile(r"(scale\([^)]*\))|(-?\d+\.\d{2})\d+")
_BETWEEN = re.compile(r"\s*([MLHVCSQTAZz])\s*|\s+(?=\")")
#: A group that says nothing of its shapes, and shapes in a row that are drawn alike; where they
#: are translucent as a group, a group of them would look different.
_IDLE_GROUP = re.compile(r"<g>((?:<(?:path|use)\b[^>]*/>)*)</g>")
_ALIKE = re.compile(r'<path d="[^"]*"((?! [^>]*[";]opacity:)( [^>]+))/>(?:<path d="[^"]*"\1/>)+')


def inline(svg: str, name: str) -> Any:
    """Make a drawing part of a page: no prolog, only identifiers that are used, nothing twice.

    Coordinates keep a hundredth of a point. What the metadata say of the guard and the data stays,
    for who saves the drawing from the page; its description stands beside it on the page.

    Parameters
    ----------
    svg : str
        A whole SVG file, as Matplotlib writes it: every text in it is escaped.
    name : str
        Put before each identifier, so that two drawings on a page do not share one.

    Returns
    -------
    markupsafe.Markup
    """
    from markupsafe import Markup

    body = svg[svg.index("<svg") :]
    body = re.sub(r"<!--.*?-->|<dc:description>.*?</dc:description>", "", body, flags=re.DOTALL)
    body = _PLACES.sub(_rounded, body)
    body = re.sub(r' style="[^"]*"', lambda m: re.sub(r"([:;])\s+", r"\1", m[0]), body)
    body = re.sub(r">\s+<", "><", body)
    wanted = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', body))
    short = {old: f"{name}-{place}" for place, old in enumerate(wanted)}
    body = re.sub(
        r'\sid="([^"]*)"', lambda m: f' id="{short[m[1]]}"' if m[1] in short else "", body
    )
    body = re.sub(r'(href="|url\()#([^")]+)', lambda m: f"{m[1]}#{short[m[2]]}", body)
    while (simpler := _IDLE_GROUP.sub(r"\1", body)) != body:
        body = simpler
    return Markup(_ALIKE.sub(lambda m: f"<g{m[1]}>{m[0].replace(m[1], '')}</g>", body))


def _rounded(attribute: re.Match[str]) -> str:
    rounded = _LONG.sub(lambda m: m[1] or f"{float(m[0]):.2f}", attribute[0])
    return _BETWEEN.sub(lambda m: m[1] or "", rounded) if rounded.startswith(' d="') else rounded
