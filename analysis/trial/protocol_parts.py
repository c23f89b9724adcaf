"""What a protocol's statistics section is made of, before it is rendered."""

from __future__ import annotations

from dataclasses import dataclass, field

from .protocol_checklist import Item


@dataclass(frozen=True)
class Grid:
    """A small table: a caption, the names of its columns, and its cells."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """A section: its title, and sentences, lists of them and tables in order."""

    title: str
    content: tuple[str | tuple[str, ...] | Grid, ...]


@dataclass(frozen=True)
class Content:
    """The statistics section of a trial's protocol, before it is rendered.

    Attributes
    ----------
    title : str
        What is planned.
    parts : tuple of Part
        The sections.
    items : tuple of Item
        What such a section must hold, each filled or open.
    enrolment : dict of str to int
        Patients to enrol, by what they are; empty where no drop-out was named.
    """

    title: str
    parts: tuple[Part, ...]
    items: tuple[Item, ...]
    enrolment: dict[str, int] = field(default_factory=dict)
