"""Figures of treatment against control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..words import captions_effect_moderators, captions_effects
from .given import figure, of_effects

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.figure import Figure
    from xarray import DataTree

    from .given import Source


def effects_forest(
    effects: DataTree | str | Path,
    outcome: str | None = None,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the effect of treatment against control in each study and disease.

    Parameters
    ----------
    effects : xarray.DataTree, str or Path
        What `effects` gives, or the file or folder of stored ones.
    outcome : str, optional
        Which; the first if left out.
    evidence : Evidence, str, Path or DataFrame, optional
        What was compared, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        An outcome that the effects do not have.
    """
    return figure(
        captions_effects.EFFECTS_FOREST, of_effects(effects, evidence), preset, outcome=outcome
    )


def labbe(
    effects: DataTree | str | Path, *, evidence: Source | None = None, preset: str = "double"
) -> Figure:
    """Draw the share of treated patients with an outcome against that of controls.

    Parameters
    ----------
    effects : xarray.DataTree, str or Path
        What `effects` gives, or the file or folder of stored ones.
    evidence : Evidence, str, Path or DataFrame, optional
        What was compared, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(captions_effects.LABBE, of_effects(effects, evidence), preset)


def effect_rates(
    effects: DataTree | str | Path, *, evidence: Source | None = None, preset: str = "double"
) -> Figure:
    """Draw what effects mean for patients at every control rate.

    Parameters
    ----------
    effects : xarray.DataTree, str or Path
        What `effects` gives, or the file or folder of stored ones.
    evidence : Evidence, str, Path or DataFrame, optional
        What was compared, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return figure(captions_effects.EFFECT_RATES, of_effects(effects, evidence), preset)


def effect_moderators(
    effects: DataTree | str | Path,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the coefficients of the moderators of effects.

    Parameters
    ----------
    effects : xarray.DataTree, str or Path
        Made with moderators: what `effects` gives, or the file or folder of stored ones.
    evidence : Evidence, str, Path or DataFrame, optional
        What was compared, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Effects without moderators.
    """
    return figure(captions_effect_moderators.COEFFICIENTS, of_effects(effects, evidence), preset)


def moderated_effects(
    effects: DataTree | str | Path,
    outcome: str | None = None,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the effects on an outcome at values of the moderators.

    Parameters
    ----------
    effects : xarray.DataTree, str or Path
        Made with moderators: what `effects` gives, or the file or folder of stored ones.
    outcome : str, optional
        Which; the first if left out.
    evidence : Evidence, str, Path or DataFrame, optional
        What was compared, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Effects without moderators.
    """
    return figure(
        captions_effect_moderators.AT_VALUES,
        of_effects(effects, evidence),
        preset,
        outcome=outcome,
    )


def effect_bubbles(
    effects: DataTree | str | Path,
    outcome: str | None = None,
    moderator: str | None = None,
    *,
    evidence: Source | None = None,
    preset: str = "double",
) -> Figure:
    """Draw the studies' effects against a number, and the line through them.

    Parameters
    ----------
    effects : xarray.DataTree, str or Path
        Made with moderators: what `effects` gives, or the file or folder of stored ones.
    outcome : str, optional
        Which; the first if left out.
    moderator : str, optional
        Which number; the first if left out.
    evidence : Evidence, str, Path or DataFrame, optional
        What was compared, where that is not the shipped evidence.
    preset : {"single", "double", "slide"}
        The page.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        Effects without a moderator that is a number.
    """
    return figure(
        captions_effect_moderators.BUBBLES,
        of_effects(effects, evidence),
        preset,
        outcome=outcome,
        moderator=moderator,
    )
