"""Figures of an evidence: who was counted, and what means say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import captions, captions_means
from .given import figure, of_evidence, of_fit

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from .given import Source


def evidence_map(evidence: Source | None = None, *, preset: str = "double") -> Figure:
    """Draw how many patients and studies stand behind each disease and outcome.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame, optional
        The analysis set; the shipped one by default.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(captions.EVIDENCE_MAP, of_evidence(evidence), preset)


def characteristics(evidence: Source | None = None, *, preset: str = "double") -> Figure:
    """Draw each study's patients, follow-up and outcomes.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame, optional
        The analysis set; the shipped one by default.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(captions.CHARACTERISTICS, of_evidence(evidence), preset)


def means(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the mean improvement of each arm that reports means, and what it bounds.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit: its studies and outcomes are shown.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        No study of the fit reports means.
    """
    return figure(captions_means.MEANS, of_fit(fit, evidence, None), preset)
