"""The page: its sections, tables and drawings in one HTML file that needs no other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

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


def page(results: Results, written: list[Section], drawings: Mapping[str, Drawing]) -> str:
    """Render the page.

    Parameters
    ----------
    results : Results
        Everything.
    written : list of Section
        Its sections.
    drawings : mapping of str to Drawing
        The figures by name.

    Returns
    -------
    str
        HTML that needs no other file; every text of the data is escaped.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from .sections import heading, verdict_sentences

    folder = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=folder, autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
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
        unplaced=_unplaced(written, drawings),
        stamp=lambda table: _stamp(results, table),
        request=json.dumps(results.config, indent=1, ensure_ascii=False),
        version=results.config["versions"]["mscpool"],
    )


def _unplaced(written: list[Section], drawings: Mapping[str, Drawing]) -> dict[str, list[Drawing]]:
    """Give the figures of each section that it has not placed itself."""
    blocks = [block for section in written for block in section.blocks]
    placed = {block.content for block in blocks if block.kind == "figure"}
    unplaced = [drawing for name, drawing in drawings.items() if name not in placed]
    return {
        section.name: [drawing for drawing in unplaced if drawing.section == section.name]
        for section in written
    }


def _stamp(results: Results, table: Table) -> str:
    """Give the verdict on the outcome of a table, or on the fit where it shows several."""
    outcomes = set(table.frame["outcome"]) if "outcome" in table.frame else set()
    return results.verdict_of(outcomes.pop()) if len(outcomes) == 1 else results.verdict
