"""Figures of why studies differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import captions_moderators
from .given import figure, of_fit

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from ...guard.result import CheckResult
    from .given import Source


def moderators(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the coefficients of the moderators.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        Made with moderators: what `fit` gives, or the file or folder of a stored fit.
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
        A fit without moderators.
    """
    return figure(captions_moderators.COEFFICIENTS, of_fit(fit, evidence, checked), preset)


def moderated_rates(
    fit: DataTree | str | Path,
    outcome: str | None = None,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the rates of an outcome at values of the moderators.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        Made with moderators: what `fit` gives, or the file or folder of a stored fit.
    outcome : str, optional
        Which; the first if left out.
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
        A fit without moderators.
    """
    return figure(
        captions_moderators.RATES_AT, of_fit(fit, evidence, checked), preset, outcome=outcome
    )


def bubbles(
    fit: DataTree | str | Path,
    outcome: str | None = None,
    moderator: str | None = None,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the studies' rates against a number, and the line through them.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        Made with moderators: what `fit` gives, or the file or folder of a stored fit.
    outcome : str, optional
        Which; the first if left out.
    moderator : str, optional
        Which number; the first if left out.
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
        A fit without a moderator that is a number.
    """
    return figure(
        captions_moderators.BUBBLES,
        of_fit(fit, evidence, checked),
        preset,
        outcome=outcome,
        moderator=moderator,
    )
