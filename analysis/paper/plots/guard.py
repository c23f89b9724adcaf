"""Figures of whether a fit may be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...guard.result import CheckResult
from ..words import captions_guard, captions_sensitivity
from .given import figure, of_fit, of_kind

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from .given import Source


def prior_posterior(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the prior and posterior densities of the parameters.

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
    """
    return figure(captions_sensitivity.PRIOR_POSTERIOR, of_fit(fit, evidence, checked), preset)


def predictive(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw each study's count within what is predicted for a new study of its size.

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
    """
    return figure(captions_guard.PREDICTIVE, of_fit(fit, evidence, checked), preset)


def checks(
    fit: DataTree | str | Path,
    checked: CheckResult,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the guard's predictive checks, with the limits of warning and failure.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    checked : CheckResult
        What `check` says of the fit.
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
        The guard did not run.
    """
    return figure(
        captions_guard.CHECKS,
        of_fit(fit, evidence, of_kind(checked, CheckResult, "checked")),
        preset,
    )


def calibration(
    fit: DataTree | str | Path,
    checked: CheckResult,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw where each study left out falls in what the others predict of it.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    checked : CheckResult
        What `check` says of the fit.
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
        The guard did not run.
    """
    return figure(
        captions_guard.CALIBRATION,
        of_fit(fit, evidence, of_kind(checked, CheckResult, "checked")),
        preset,
    )
