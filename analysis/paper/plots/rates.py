"""Figures of a fit: rates by disease, study by study, and under several poolings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import captions
from .given import figure, of_fit, of_poolings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from ...guard.result import CheckResult
    from .given import Source


def forest(
    fit: DataTree | str | Path,
    outcome: str | None = None,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the studies, rates and predictions of one outcome.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
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
        An outcome that the fit does not have.
    """
    return figure(captions.FOREST, of_fit(fit, evidence, checked), preset, outcome=outcome)


def rates(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the rates of every outcome by disease.

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
    return figure(captions.RATES, of_fit(fit, evidence, checked), preset)


def joint(
    fit: DataTree | str | Path,
    outcome: str | None = None,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw an outcome together with the one nested in it.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        What `fit` gives, or the file or folder of a stored fit.
    outcome : str, optional
        Either of the two; the first pair if left out.
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
        A fit without nested outcomes, or without this one.
    """
    return figure(captions.JOINT, of_fit(fit, evidence, checked), preset, outcome=outcome)


def safety(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the harms by disease, with events and patients.

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
        A fit without harms.
    """
    return figure(captions.SAFETY, of_fit(fit, evidence, checked), preset)


def pooling(
    fits: Mapping[str, DataTree] | Sequence[DataTree],
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the rates under several poolings side by side.

    Parameters
    ----------
    fits : mapping of str to xarray.DataTree, or sequence of xarray.DataTree
        Fits of the same evidence, two or more, each with another pooling; what the guard says is
        said of the last.
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
        Fewer than two fits, two of one pooling, or fits of other data.
    """
    return figure(captions.POOLING, of_poolings(fits, evidence, checked), preset)


def benefit_harm(
    fit: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    checked: CheckResult | None = None,
    preset: str = "double",
) -> Figure:
    """Draw how often patients benefit against how often they are harmed, by disease.

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
        A fit without an outcome of both kinds.
    """
    return figure(captions.BENEFIT_HARM, of_fit(fit, evidence, checked), preset)
