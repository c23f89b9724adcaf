"""A protocol's statistics section as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .protocol_checklist import SOURCES, Item
from .protocol_parts import Content, Grid

NOTICE = (
    "Draft of the statistics section, written by mscpool from a computed design. What stands in "
    "square brackets is to be completed by the trial's team; every number is the design's."
)
CHECKLIST = "Checklist of what this section must hold"
HEADER = ("Source", "Item", "To be stated", "Stated in")
OPEN_ITEM = "[OPEN]"


def checklist_rows(items: tuple[Item, ...]) -> list[tuple[str, ...]]:
    """Give the checklist as rows of `HEADER`."""
    return [(i.source, i.number or "–", i.wanted, i.where or OPEN_ITEM) for i in items]


def sources_of(items: tuple[Item, ...]) -> list[str]:
    """Give the sources that a checklist names, in their order."""
    used = {item.source for item in items}
    return [f"{name}: {text}." for name, text in SOURCES.items() if name in used]


def as_markdown(protocol: Content) -> str:
    """Render a protocol; names of others become no markup."""
    lines = [f"# {_plain(protocol.title)}: statistics section", "", _plain(NOTICE), ""]
    for part in protocol.parts:
        lines += [f"## {_plain(part.title)}", ""]
        for each in part.content:
            lines += [*_block(each), ""]
    lines += [f"## {CHECKLIST}", "", *_table(HEADER, checklist_rows(protocol.items)), ""]
    lines += [f"- {_plain(source)}" for source in sources_of(protocol.items)]
    return "\n".join(lines) + "\n"


def _block(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield _plain(content)
    elif isinstance(content, tuple):
        yield from (f"- {_plain(line)}" for line in content)
    else:
        grid: Grid = content
        yield f"{_plain(grid.caption)}:"
        yield ""
        yield from _table(grid.header, grid.rows)


def _table(header: Any, rows: Any) -> Iterator[str]:
    yield _row(header)
    yield _row("---" for _ in header)
    yield from (_row(_plain(cell) for cell in row) for row in rows)


def _row(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """Keep what Markdown or HTML would take for markup from doing so."""
    return re.sub(r"([\\`*_<|])", r"\\\1", " ".join(text.split()))
