"""What the page shows, drawn by the rooms that draw for print, as SVG in the page or as a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from ...data.names import outcome_in_text
from ...figures.flip_map import draw_flip_map
from ...figures.forest import draw_forest
from ...figures.rate_densities import draw_rate_densities
from ..paper.frames.rates import forest_data
from ..paper.publish.publish import style_for
from ..paper.publish.rendering import Origin, draw, render
from ..paper.words.captions import forest
from ..paper.words.exhibit import Exhibit, Words
from .answers import Answer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...data.evidence import Evidence
    from ...figures.style import Style

#: Matplotlib's settings are those of the process: one picture is drawn at a time.
_DRAWING = Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture before it is drawn.

    Attributes
    ----------
    name : str
        Name of its files, without ending.
    words : Words
        Title, caption and alternative text.
    drawn : callable
        Draws it; gives the figure and its style.
    data : str
        SHA-256 of the data.
    verdict : str
        The guard's.
    """

    name: str
    words: Words
    drawn: Callable[[], tuple[Figure, Style]]
    data: str
    verdict: str = "unchecked"

    def file(self, kind: str) -> bytes:
        """Give the file of a format of `FORMATS`."""
        with _DRAWING:
            figure, style = self.drawn()
            origin = Origin(self.verdict, self.data)
            return render(figure, style, [kind], self.words, origin)[kind]


def picture_of_exhibit(exhibit: Exhibit, evidence: Evidence, verdict: str | None = None) -> Picture:
    """Make a picture of an exhibit; verdict None where the guard has not seen what it shows."""

    def drawn() -> tuple[Figure, Style]:
        style = style_for(evidence, verdict)
        return draw(exhibit, style), style

    return Picture(exhibit.name, exhibit.words, drawn, evidence.sha256, verdict or "unchecked")


def forest_picture(answer: Answer) -> Picture:
    """Draw the outcome's forest plot, as in print."""
    results, name = answer.results, answer.state.outcome
    frame = forest_data(results.fit, answer.evidence, name)
    words = forest(frame, results)
    return picture_of_exhibit(Exhibit(f"forest_{name}", frame, words, draw_forest), answer.evidence)


def densities_picture(answer: Answer) -> Picture:
    """Draw prior, data and posterior of each disease, the reference beside them."""
    frame, state = answer.curves, answer.state
    told = [
        f"{answer.evidence.about.in_text(row['disease'])} {100 * row['q50']:.0f} % "
        f"({100 * row['q2.5']:.0f} to {100 * row['q97.5']:.0f} %)"
        for row in answer.conclusions.to_dict("records")
    ]
    title = f"Prior and posterior: {outcome_in_text(state.outcome)}"
    alternative = (
        f"One panel a disease. Posterior medians and central 95 % intervals: {'; '.join(told)}."
    )
    words = Words(title, "", alternative)
    exhibit = Exhibit(f"densities_{state.outcome}", frame, words, draw_rate_densities)
    return picture_of_exhibit(exhibit, answer.evidence)


def flips_picture(answer: Answer) -> Picture:
    """Draw for which priors each conclusion would be another."""
    sentences = " ".join(answer.flips["sentence"])
    words = Words(f"Flip map: {outcome_in_text(answer.state.outcome)}", "", sentences)
    exhibit = Exhibit(
        f"flip_map_{answer.state.outcome}",
        answer.flip_frame,
        words,
        draw_flip_map,
    )
    return picture_of_exhibit(exhibit, answer.evidence)


def inline(picture: Picture, prefix: str) -> str:
    """Give a picture as SVG that stands in a page among others.

    Parameters
    ----------
    picture : Picture
        What is drawn.
    prefix : str
        Begins the identifiers within, which must differ from those of other pictures.

    Returns
    -------
    str
        An ``svg`` element without sizes of its own; its text alternative stands around it.
    """
    text = picture.file("svg").decode()
    start = text.index("<svg")
    head, _, rest = text[start:].partition(">")
    text = re.sub(r' (width|height)="[^"]*"', "", head) + ">" + rest
    text = re.sub(r'\bid="', f'id="{prefix}-', text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    return re.sub(r'href="#', f'href="#{prefix}-', text)
