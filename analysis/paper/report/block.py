"""What a section of the report is made of: text, lists, tables and the places of figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..words.table import Table

Kind = Literal["text", "list", "table", "figure", "model", "brief", "code", "warning", "file"]


@dataclass(frozen=True, eq=False)
class Block:
    """A part of a section: text, a list, a table, or the place of a figure or file by its name."""

    kind: Kind
    content: Any = None


@dataclass(frozen=True, eq=False)
class Section:
    """A section of the report."""

    name: str
    title: str
    blocks: list[Block] = field(default_factory=list)

    @property
    def tables(self) -> list[Table]:
        """The tables of the section."""
        return [block.content for block in self.blocks if block.kind == "table"]

    @property
    def long(self) -> bool:
        """Whether it is folded on the page: it has more than text."""
        return any(block.kind in ("table", "figure", "model") for block in self.blocks)
