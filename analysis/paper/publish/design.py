"""The pictures of a trial's design, written with the numbers that they show and their captions."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pandas as pd

from ....data.export import write_csv, write_whole
from ...trial.pictures import pictures
from ...trial.protocol import Protocol
from ...trial.result import DesignResult, Picture
from ..words.exhibit import Exhibit, Words
from ..words.wording import without_tags
from .publish import captions_page
from .rendering import FORMATS, Origin, render

#: Every picture that a design may have.
PICTURES = (
    "size",
    "sets",
    "operating",
    "type1",
    "boundaries",
    "stages",
    "criteria",
    "worth",
    "priors",
    "gain",
    "gain_all",
)
NO_VERDICT = "unchecked"


def files_of(result: DesignResult) -> str:
    """Return what the names of a design's files begin with: each design has its own."""
    return f"design_{result.request.design.replace('-', '_')}"


def exhibit_of(picture: Picture, result: DesignResult) -> Exhibit:
    """Give a picture its words."""
    caption = f"{picture.title}. {picture.shown} {_setting(result)}"
    words = Words(picture.title, caption, f"{picture.title}: {_seen(picture.frame)}.")
    return Exhibit(f"{files_of(result)}_{picture.name}", picture.frame, words, picture.draw)


def publish_design(
    result: DesignResult,
    out: Path,
    verdict: str | None = None,
    data: str = "",
    preset: str = "single",
    protocol: Protocol | None = None,
) -> list[Path]:
    """Draw what a design has to show, in place of what the same design showed there before.

    Parameters
    ----------
    result : DesignResult
        The answer.
    out : Path
        Folder of the files.
    verdict : {"pass", "warn", "fail", "unchecked"}, optional
        The guard's, on the fit behind the priors; None where no fit is behind them.
    data : str
        SHA-256 of the data of that fit.
    preset : {"single", "double", "slide"}
        The page of the pictures.
    protocol : Protocol, optional
        Written as Markdown and as a Word document.

    Returns
    -------
    list of Path
        The files, in order: the numbers of each picture and its renderings, the captions, the
        protocol.
    """
    from ....figures.page import within_page
    from ....figures.style import make_style

    shown_verdict = "pass" if verdict is None else None if verdict == NO_VERDICT else verdict
    style = make_style(preset, (), shown_verdict)
    origin = Origin(verdict or "", data)
    if verdict in ("warn", "fail"):
        facts = f"Guard on the fit behind the priors: {verdict}. Data {data[:12]}"
        style = replace(style, note=f"{facts}, {origin.software}.")
    own = files_of(result)
    files: list[Path] = []
    shown: list[Exhibit] = []
    for exhibit in (exhibit_of(picture, result) for picture in pictures(result)):
        shown.append(exhibit)
        place = out / f"{exhibit.name}.csv"
        write_csv(exhibit.frame, place)
        figure = within_page(partial(exhibit.draw, exhibit.frame), style)
        rendered = render(figure, style, FORMATS, exhibit.words, origin)
        files += [
            place,
            *(write_whole(c, out / f"{exhibit.name}.{e}") for e, c in rendered.items()),
        ]
    if shown:
        text = captions_page(shown, [""] * len(shown), style)
        files.append(write_whole(without_tags(text).encode(), out / f"{own}_captions.md"))
    if protocol is not None:
        texts = {"md": protocol.markdown.encode(), "docx": protocol.docx}
        files += [write_whole(text, out / f"{own}_protocol.{end}") for end, text in texts.items()]
    for stale in {out / name for name in possible_files(result)} - set(files):
        stale.unlink(missing_ok=True)
    return files


def possible_files(result: DesignResult) -> set[str]:
    """Name every file that `publish_design` may write of a design, whatever the request."""
    own = files_of(result)
    drawn = {f"{own}_{name}.{end}" for name in PICTURES for end in ("csv", *FORMATS)}
    return {*drawn, *(f"{own}_{end}" for end in ("captions.md", "protocol.md", "protocol.docx"))}


def _setting(result: DesignResult) -> str:
    """Give the rule and the priors of a design."""
    named = {
        name.replace("_", " "): value for name, value in result.said.items() if value is not None
    }
    parts = [result.rule, *(f"{name}: {value}" for name, value in named.items())]
    return " ".join(f"{part[:1].upper()}{part[1:]}." for part in parts)


def _seen(frame: pd.DataFrame) -> str:
    """Say in words where each line begins and ends, and where it is highest in between."""
    if "panel" in frame:
        frame = frame[frame["x"].notna() & frame["value"].notna()]
    parts = []
    for name, own in frame.dropna(subset=["value"]).groupby("series", sort=False):
        places = [0, int(own["value"].argmax()), len(own) - 1]
        points = own.iloc[sorted({*places})]
        values, at = (_as_drawn(points[k], float(own[k].abs().max())) for k in ("value", "x"))
        steps = " to ".join(f"{v} at {x}" for v, x in zip(values, at, strict=True))
        parts.append(f"{name} from {steps}")
    return "; ".join(parts)


def _as_drawn(values: pd.Series, most: float) -> list[str]:
    """Write numbers in the digits that an axis up to the largest of them lets a reader see."""
    digits = max(0, 2 - math.floor(math.log10(most))) if most > 0 else 0
    return [
        f"{value:.{digits}f}".rstrip("0").rstrip(".") if digits else f"{value:.0f}"
        for value in values
    ]
