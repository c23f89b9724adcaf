"""A protocol's statistics section as a Word document."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from .protocol_parts import Content
from .protocol_text import CHECKLIST, HEADER, NOTICE, checklist_rows, sources_of

#: Blanks, which are marked in yellow.
_BLANK = re.compile(r"(\[(?:TO BE COMPLETED: [^\]]*|OPEN)\])")
#: Characters that no XML document may hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_docx(protocol: Content) -> bytes:
    """Render a protocol as the content of a ``.docx`` file: the same bytes at any time."""
    from docx import Document

    document = Document()
    document.core_properties.title = f"{protocol.title}: statistics section"
    document.core_properties.author = "mscpool"
    document.add_heading(_text(f"{protocol.title}: statistics section"), level=0)
    _paragraph(document, NOTICE)
    for part in protocol.parts:
        document.add_heading(_text(part.title), level=1)
        for each in part.content:
            _add(document, each)
    document.add_heading(CHECKLIST, level=1)
    _table(document, HEADER, checklist_rows(protocol.items))
    for source in sources_of(protocol.items):
        _paragraph(document, source, "List Bullet")
    content = BytesIO()
    document.save(content)
    return _undated(content)


def _undated(content: BytesIO) -> bytes:
    """Return an archive without the time at which it was made."""
    undated = BytesIO()
    with ZipFile(content) as made, ZipFile(undated, "w", ZIP_DEFLATED) as kept:
        for name in made.namelist():
            kept.writestr(ZipInfo(name), made.read(name), ZIP_DEFLATED)
    return undated.getvalue()


def _add(document: Any, content: Any) -> None:
    if isinstance(content, str):
        _paragraph(document, content)
    elif isinstance(content, tuple):
        for line in content:
            _paragraph(document, line, "List Bullet")
    else:
        _paragraph(document, f"{content.caption}:")
        _table(document, content.header, content.rows)


def _paragraph(document: Any, text: str, style: str | None = None) -> None:
    _write(document.add_paragraph(style=style), text)


def _write(paragraph: Any, text: str) -> None:
    from docx.enum.text import WD_COLOR_INDEX

    for piece in _BLANK.split(_text(text)):
        if not piece:
            continue
        run = paragraph.add_run(piece)
        if _BLANK.fullmatch(piece):
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _table(document: Any, header: Any, rows: Any) -> None:
    table = document.add_table(rows=1, cols=len(header), style="Light Grid Accent 1")
    for cell, name in zip(table.rows[0].cells, header, strict=True):
        _write(cell.paragraphs[0], name)
    for row in rows:
        for cell, value in zip(table.add_row().cells, row, strict=True):
            _write(cell.paragraphs[0], value)
    document.add_paragraph()


def _text(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
