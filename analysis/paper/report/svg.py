"""Drawings within a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Drawing:
    """A figure on the page: its SVG, what is said of it, its files' endings, and its section."""

    name: str
    svg: Any
    caption: str
    alternative: str
    files: tuple[str, ...]
    section: str


def inline(svg: str, name: str) -> Any:
    """Make a drawing part of a page: no prolog, no metadata, only identifiers that are used.

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
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    wanted = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(
        r'\sid="([^"]*)"', lambda m: f' id="{name}-{m[1]}"' if m[1] in wanted else "", body
    )
    body = re.sub(r'(href="|url\()#', rf"\g<1>#{name}-", body)
    return Markup(body)
