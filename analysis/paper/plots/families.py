"""Functions that draw figures from the same things: one signature serves each family."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from xarray import DataTree

from ...guard.result import CheckResult
from ...sensitivity.result import PriorComparison
from ..words.exhibit import FigureKind
from .described import described
from .given import (
    Source,
    figure,
    of_comparison,
    of_effects,
    of_evidence,
    of_fit,
    of_kind,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Stored = DataTree | str | Path
Data = Source | None
Found = CheckResult | None


def from_evidence(kind: FigureKind, summary: str):
    """Make the function of a figure that needs no fit."""

    @described(kind, summary=summary)
    def drawn(evidence: Data = None, *, preset: str = "double") -> Figure:
        return figure(kind, of_evidence(evidence), preset)

    return drawn


def from_fit(kind: FigureKind, summary: str, raises: str = ""):
    """Make the function of a figure of a fit."""

    @described(kind, raises, summary)
    def drawn(
        fit: Stored, *, evidence: Data = None, checked: Found = None, preset: str = "double"
    ) -> Figure:
        return figure(kind, of_fit(fit, evidence, checked), preset)

    return drawn


def from_fit_by_outcome(kind: FigureKind, summary: str, raises: str):
    """Make the function of a figure of a fit of which there is one an outcome."""

    @described(kind, raises, summary)
    def drawn(
        fit: Stored, outcome: str | None = None, *,
        evidence: Data = None, checked: Found = None, preset: str = "double",
    ) -> Figure:  # fmt: skip
        return figure(kind, of_fit(fit, evidence, checked), preset, outcome=outcome)

    return drawn


def from_check(kind: FigureKind, summary: str):
    """Make the function of a figure of what the guard found."""

    @described(kind, "The guard did not run.", summary)
    def drawn(
        fit: Stored, checked: CheckResult, *, evidence: Data = None, preset: str = "double"
    ) -> Figure:
        found = of_kind(checked, CheckResult, "checked")
        return figure(kind, of_fit(fit, evidence, found), preset)

    return drawn


def from_comparison(kind: FigureKind, summary: str):
    """Make the function of a figure of a comparison of priors."""

    @described(kind, "A comparison of other data.", summary)
    def drawn(
        fit: Stored, comparison: PriorComparison, *,
        evidence: Data = None, checked: Found = None, preset: str = "double",
    ) -> Figure:  # fmt: skip
        return figure(kind, of_comparison(fit, comparison, evidence, checked), preset)

    return drawn


def from_effects(kind: FigureKind, summary: str, raises: str = ""):
    """Make the function of a figure of effects."""

    @described(kind, raises, summary)
    def drawn(effects: Stored, *, evidence: Data = None, preset: str = "double") -> Figure:
        return figure(kind, of_effects(effects, evidence), preset)

    return drawn


def from_effects_by_outcome(kind: FigureKind, summary: str, raises: str):
    """Make the function of a figure of effects of which there is one an outcome."""

    @described(kind, raises, summary)
    def drawn(
        effects: Stored, outcome: str | None = None, *, evidence: Data = None,
        preset: str = "double",
    ) -> Figure:  # fmt: skip
        return figure(kind, of_effects(effects, evidence), preset, outcome=outcome)

    return drawn
