"""The page: its sections, tables and drawings in one HTML file that needs no other."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..frames.results import Results
from .answer import MANY, SOME, answer

if TYPE_CHECKING:
    from ..words.table import Table
    from .block import Section
    from .svg import Drawing

HEADLINES = {
    "pass": "The guard passed this fit",
    "warn": "The guard warns: read this with care",
    "fail": "The guard failed this fit: do not believe it",
    "unchecked": "Unchecked: the guard has not seen this fit",
}


def page(
    results: Results,
    written: list[Section],
    drawings: Mapping[str, Drawing],
    downloads: Mapping[str, str],
) -> str:
    """Render the page.

    Parameters
    ----------
    results : Results
        Everything.
    written : list of Section
        Its sections.
    drawings : mapping of str to Drawing
        The figures by name.
    downloads : mapping of str to str
        Files that the page holds, by their names in its folder: gzip, as addresses.

    Returns
    -------
    str
        HTML that needs no other file; every text of the data is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from ....figures.dark import FILTER
    from .sections import heading, verdict_sentences

    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["linked"] = linked
    style, script = (folder.get_source(environment, f"report.{end}")[0] for end in ("css", "js"))
    unplaced = _unplaced(written, drawings)
    title, subtitle = heading(results)
    return environment.get_template("report.html.j2").render(
        title=title,
        subtitle=subtitle,
        verdict=results.verdict,
        headline=HEADLINES[results.verdict],
        reasons=verdict_sentences(results),
        answer=answer(results),
        some=SOME,
        many=MANY,
        sections=written,
        figures=drawings,
        unplaced=unplaced,
        parts={each.name: _parts(each, drawings, unplaced[each.name]) for each in written},
        downloads=downloads,
        style=Markup(f":root {{ --in-the-dark: {FILTER}; }}\n{style}"),
        script=Markup(script),
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        stamp=lambda table: _stamp(results, table),
        request=json.dumps(results.config, indent=1, ensure_ascii=False),
        version=results.config["versions"]["mscpool"],
    )


def linked(text: str) -> Any:
    """Escape a text of a page, and make each DOI in it a link.

    Parameters
    ----------
    text : str
        Any text; a DOI stands after the word doi.

    Returns
    -------
    markupsafe.Markup
    """
    from markupsafe import Markup

    made = Markup()
    for place, part in enumerate(_DOI.split(text)):
        address = f"https://doi.org/{quote(part, safe='/():;')}"
        link = Markup('<a href="{}" rel="noreferrer">{}</a>')
        made += link.format(address, part) if place % 2 else part
    return made


#: What a DOI is within a sentence: the sign that ends the sentence is none of it.
_DOI = re.compile(r"(?<=\bdoi )(10\.\d{4,9}/\S*[^\s.,;])")


def _unplaced(written: list[Section], drawings: Mapping[str, Drawing]) -> dict[str, list[Drawing]]:
    """Give the figures of each section that it has not placed itself."""
    blocks = [block for section in written for block in section.blocks]
    placed = {block.content for block in blocks if block.kind == "figure"}
    unplaced = [drawing for name, drawing in drawings.items() if name not in placed]
    return {
        section.name: [drawing for drawing in unplaced if drawing.section == section.name]
        for section in written
    }


def _parts(
    section: Section, drawings: Mapping[str, Drawing], unplaced: list[Drawing]
) -> list[tuple[str, str]]:
    """Give the anchors and titles of a section's tables and figures, in their order."""
    parts = []
    for block in section.blocks:
        if block.kind == "table":
            first = re.split(r"[.;](?:\s|$)", block.content.caption, maxsplit=1)[0]
            title = shorten(first, _LONGEST_TITLE, placeholder=" …")
            parts.append((f"table-{block.content.name}", f"Table: {title}"))
        elif block.kind == "figure" and block.content in drawings:
            parts.append(_linked(drawings[block.content]))
    return [*parts, *map(_linked, unplaced)]


#: Letters of a caption that the contents show.
_LONGEST_TITLE = 90


def _linked(drawing: Drawing) -> tuple[str, str]:
    return f"figure-{drawing.name}", f"Figure: {drawing.title}"


def _stamp(results: Results, table: Table) -> str:
    """Give the verdict on the outcome of a table, or on the fit where it shows several."""
    outcomes = set(table.frame["outcome"]) if "outcome" in table.frame else set()
    return results.verdict_of(outcomes.pop()) if len(outcomes) == 1 else results.verdict
