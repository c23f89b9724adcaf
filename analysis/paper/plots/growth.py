"""Figures of what was known when: studies since the fit, and knowledge by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import captions_cumulative, captions_later
from .given import figure, of_fit

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from ...guard.result import CheckResult
    from .given import Source


def later(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw what studies published since found, beside what the fit predicts of them.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    checked : CheckResult, optional
        What `check` says of the fit.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        No later study in the data.
    """
    return figure(captions_later.LATER, of_fit(fit, evidence, checked), preset)


def cumulative(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw what was known of each rate in each year.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    checked : CheckResult, optional
        What `check` says of the fit.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Data without years of publication.
    """
    return figure(captions_cumulative.CUMULATIVE, of_fit(fit, evidence, checked), preset)


def effects_by_year(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw what was known of each effect in each year.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    checked : CheckResult, optional
        What `check` says of the fit.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Data without years of publication, or without a controlled study.
    """
    return figure(captions_cumulative.CUMULATIVE_EFFECTS, of_fit(fit, evidence, checked), preset)
