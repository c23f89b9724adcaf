"""The figure set of a fit before it is drawn, in the order of a paper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..words import (
    captions,
    captions_cumulative,
    captions_effect_moderators,
    captions_effects,
    captions_guard,
    captions_later,
    captions_means,
    captions_moderators,
    captions_next,
    captions_sensitivity,
)
from ..words.exhibit import SECTIONS, Exhibit, FigureKind

if TYPE_CHECKING:
    from ..frames.results import Results

_MODULES = (
    captions,
    captions_effects,
    captions_effect_moderators,
    captions_moderators,
    captions_means,
    captions_later,
    captions_cumulative,
    captions_sensitivity,
    captions_guard,
    captions_next,
)
#: Every kind of figure that a module describes, in the order of a paper.
KINDS = sorted(
    (kind for module in _MODULES for kind in vars(module).values() if isinstance(kind, FigureKind)),
    key=lambda kind: SECTIONS.index(kind.section),
)


def exhibits(results: Results) -> list[Exhibit]:
    """Gather the figure set of a fit.

    Parameters
    ----------
    results : Results
        A fit with all that was found of it.

    Returns
    -------
    list of Exhibit
        In the order of a paper; what the fit has nothing for is left out.
    """
    return list(one_by_one(results))


def one_by_one(results: Results, section: str | None = None) -> Iterator[Exhibit]:
    """Gather the figures of `exhibits`, or those of a section, when they are asked for."""
    for kind in KINDS:
        if section in (None, kind.section):
            yield from kind.exhibits(results)
