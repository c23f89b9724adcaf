"""A kind of figure: what it shows, how it is drawn, what is said of it, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from ....data.file_names import file_name
from .closing import Judged, verdict_words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ....figures.style import Style
    from ..frames.results import Results


#: Sections of the report that have figures, in the order of a paper.
SECTIONS = (
    "evidence", "rates", "joint", "safety", "controlled", "pooling", "moderators", "means",
    "later", "cumulative", "priors", "guard",
    "sensitivity", "next",
)  # fmt: skip

#: For each figure of a kind, what it is of, such as an outcome, and what it draws.
Frames = Iterable[tuple[str, "pd.DataFrame"]]


@dataclass(frozen=True)
class Words:
    """A figure's title, caption, and alternative text for those who do not see it."""

    title: str
    caption: str
    alternative: str


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One figure of a set, before it is drawn.

    Attributes
    ----------
    name : str
        Name of its files.
    frame : DataFrame
        Exactly what is drawn.
    words : Words
        Title, caption and alternative text.
    draw : callable
        Draws the frame in a style.
    section : str
        Section of the report in which it stands; empty where it stands in none.
    note : str
        Small print in the picture, where the guard did not pass what it shows.
    verdict : str or None
        The guard's verdict on what it shows; None where the guard has not seen that.
    """

    name: str
    frame: pd.DataFrame
    words: Words
    draw: Callable[[pd.DataFrame, Style], Figure]
    section: str = ""
    note: str = ""
    verdict: str | None = None


def small_print(frame: pd.DataFrame, results: Judged) -> str:
    """Say in a picture what it shows of a fit that the guard warns of or failed: who, and which."""
    if results.verdict not in ("warn", "fail"):
        return ""
    outcomes = list(dict.fromkeys(frame["outcome"])) if "outcome" in frame else None
    data = results.config["data_sha256"][:12]
    return f"{verdict_words(results, outcomes)} Data {data}, mscpool {version('mscpool')}."


@dataclass(frozen=True)
class FigureKind:
    """A kind of figure; a fit may have several of it, such as a forest plot for each outcome.

    In a set figures stand by section, those of a section as in the module that describes them; on
    the page of a report where its section places them, or else at the end of that.

    Attributes
    ----------
    name : str
        Begins the name of its files.
    section : str
        What it belongs to, one of `SECTIONS`.
    frames : callable
        Gives, for each figure of the kind, what it is of (as an outcome) and what it draws; frames
        without rows are not drawn.
    draw : callable
        Draws a frame in a style.
    words : callable
        Gives title, caption and alternative text of a frame.
    judged : callable
        Gives what a frame shows with what the guard says of it: the fit, if not said.
    on_page : bool
        Whether it stands in the report, too.

    Raises
    ------
    KeyError
        A section that there is not.
    """

    name: str
    section: str
    frames: Callable[[Results], Frames]
    draw: Callable[[pd.DataFrame, Style], Figure]
    words: Callable[[pd.DataFrame, Results], Words]
    judged: Callable[[pd.DataFrame, Results], Judged] = lambda _, results: results
    on_page: bool = True

    def __post_init__(self) -> None:
        if self.section not in SECTIONS:
            raise KeyError(f"{self.name}: no section {self.section!r} among {SECTIONS}")

    def file(self, part: str = "") -> str:
        """Give the name of the files of one figure of the kind."""
        return f"{self.name}_{file_name(part)}" if part else self.name

    def exhibits(self, results: Results) -> Iterator[Exhibit]:
        """Give the figures of the kind that a fit has something to show in."""
        for part, frame in self.frames(results):
            if len(frame):
                yield self.exhibit(part, frame, results)

    def exhibit(self, part: str, frame: pd.DataFrame, results: Results) -> Exhibit:
        """Give one figure of the kind: what it draws, with its words and what the guard says."""
        judged = self.judged(frame, results)
        return Exhibit(
            self.file(part),
            frame,
            self.words(frame, results),
            self.draw,
            self.section if self.on_page else "",
            small_print(frame, judged),
            judged.checked.stated,
        )
