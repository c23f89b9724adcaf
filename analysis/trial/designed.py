"""A design's answer as its user holds it: printed, drawn, and written for a protocol."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from ...data.errors import InputError
from ...data.export import answer_html
from ...data.mistakes import one_of
from ...data.names import numbered
from .arm_priors import Arms
from .fit_priors import AskedFit
from .pictures import pictures
from .protocol import Protocol, protocol_of
from .result import DesignResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Rows of a table that are shown where it is printed.
SHOWN_ROWS = 25
Behind = AskedFit | Arms


@dataclass(frozen=True, eq=False, repr=False)
class Design(DesignResult):
    """Answer of the trial designer, for people.

    Parameters
    ----------
    behind : FitPriors, EffectPriors, BothFits or AskedFit, optional
        The fit that priors were taken from, or that was asked; None where no fit is behind it.
    """

    behind: Behind = None

    @classmethod
    def of(cls, result: DesignResult, behind: Behind = None) -> Design:
        """Hold an answer, and the fit behind it."""
        own = {each.name: getattr(result, each.name) for each in fields(DesignResult)}
        return cls(**own, behind=behind)

    @property
    def shown(self) -> pd.DataFrame:
        """The table where it is printed: an overview, or of a long one a part."""
        if self.overview is not None:
            return self.overview
        table, recommended = self.table, getattr(self.answer, "recommended_n", None)
        if len(table) <= SHOWN_ROWS:
            return table
        kept = table.index % -(-len(table) // SHOWN_ROWS) == 0
        if recommended is not None and "n" in table:
            kept |= (table["n"] - recommended).abs().to_numpy() <= 2
        return table[kept]

    @property
    def shown_operating(self) -> pd.DataFrame | None:
        """The operating characteristics, where they are few."""
        few = self.operating is not None and len(self.operating) <= SHOWN_ROWS
        return self.operating if few else None

    def figure(self, name: str | None = None, preset: str = "single") -> Figure:
        """Draw one of the pictures.

        Parameters
        ----------
        name : str, optional
            Which; left out, the first. `pictures` lists them.
        preset : {"single", "double", "slide"}
            The page.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        InputError
            A picture that this answer does not have.
        """
        from ...figures.page import within_page
        from ...figures.style import make_style

        drawn = {picture.name: picture for picture in pictures(self)}
        if not drawn:
            raise InputError(f"design {self.request.design}: nothing to draw")
        picture = drawn[next(iter(drawn)) if name is None else one_of(name, drawn, "picture")]
        verdict = "pass" if self.behind is None else self.behind.verdict
        style = make_style(preset, (), None if verdict == "unchecked" else verdict)
        return within_page(partial(picture.draw, picture.frame), style)

    def protocol(self, dropout: float | None = None) -> Protocol:
        """Write the design down as the statistics section of a protocol.

        Parameters
        ----------
        dropout : float, optional
            Share of the patients that will not be evaluable: the number is raised by it.

        Returns
        -------
        Protocol
            With `.markdown` and `.docx`.

        Raises
        ------
        InputError
            A design that plans no trial, or a share that is none.
        """
        return protocol_of(self, self.behind, dropout)

    @property
    def pictures(self) -> list[str]:
        """Names of the pictures that `figure` draws."""
        return [picture.name for picture in pictures(self)]

    def __repr__(self) -> str:
        """Say in a line what was found."""
        return f"<design {self.request.design}: {self._found}; .table, .figure(), .protocol()>"

    def _repr_html_(self) -> str:
        """Show the rule, the table and the paragraph; every text is escaped."""
        title = f"design {self.request.design}: {self._found}"
        rule = f"{self.rule[:1].upper()}{self.rule[1:]}."
        return answer_html(title, (self.warning, rule), self.shown, self.paragraph.splitlines())

    @property
    def _found(self) -> str:
        """The number that was found, or else how many rows the table has."""
        if not hasattr(self.answer, "recommended_n"):
            return f"{len(self.table)} row{'' if len(self.table) == 1 else 's'}"
        n = self.answer.recommended_n
        return "no size recommended" if n is None else f"{numbered(n, 'patient')} recommended"
