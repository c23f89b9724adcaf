"""Figures of how much hangs on priors and on other diseases, and of the next patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sensitivity.borrowing import Borrowing
from ...trial.result import DesignResult
from ..words import captions_next, captions_sensitivity
from .given import figure, of_comparison, of_fit, of_kind

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from ...guard.result import CheckResult
    from ...sensitivity.result import PriorComparison
    from .given import Source


def prior_comparison(
    fit: DataTree | str | Path,
    comparison: PriorComparison,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the rates under each prior set.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    comparison : PriorComparison
        What `compare_priors` gives for the same data.
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
        A comparison of other data.
    """
    return figure(
        captions_sensitivity.PRIOR_COMPARISON,
        of_comparison(fit, comparison, evidence, checked),
        preset,
    )


def flip_map(
    fit: DataTree | str | Path,
    comparison: PriorComparison,
    outcome: str | None = None,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw under which priors the conclusion on an outcome flips.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    comparison : PriorComparison
        What `compare_priors` gives for the same data.
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
        A comparison of other data, or one that was asked without a threshold.
    """
    return figure(
        captions_sensitivity.FLIP_MAP,
        of_comparison(fit, comparison, evidence, checked),
        preset,
        outcome=outcome,
    )


def power_scaling(
    fit: DataTree | str | Path,
    comparison: PriorComparison,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw how far each parameter moves as prior or likelihood get more weight.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    comparison : PriorComparison
        What `compare_priors` gives for the same data.
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
        A comparison of other data.
    """
    return figure(
        captions_sensitivity.POWER_SCALING,
        of_comparison(fit, comparison, evidence, checked),
        preset,
    )


def borrowing(
    fit: DataTree | str | Path,
    borrowed: Borrowing,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw how far each disease's rate moves as another disease is left out.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    borrowed : Borrowing
        What `borrowing` gives for the fit.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    checked : CheckResult, optional
        What `check` says of the fit.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(
        captions_sensitivity.BORROWING,
        of_fit(fit, evidence, checked, borrowed=of_kind(borrowed, Borrowing, "borrowed")),
        preset,
    )


def next_patients(
    fit: DataTree | str | Path,
    asked: DesignResult,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw what the next patients would teach, against their number.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    asked : DesignResult
        What `design.next` gives for the fit.
    evidence : Evidence, str, Path or DataFrame, optional
        What was fitted, where that is not the shipped evidence.
    checked : CheckResult, optional
        What `check` says of the fit.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(
        captions_next.NEXT_PATIENTS,
        of_fit(fit, evidence, checked, next_patients=of_kind(asked, DesignResult, "asked")),
        preset,
    )
