"""What effects hold: their tables, and effects read back from the file they are stored in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from ...data.errors import InputError, StoredFitError
from ...data.mistakes import shown
from ..fitting import store
from . import tables
from .answer import Effects
from .at_values import COLUMNS as VALUE_COLUMNS
from .stored import read

if TYPE_CHECKING:
    from xarray import DataTree

FILE = "effects.nc"


def load_effects(path: str | Path) -> DataTree:
    """Read stored effects.

    Parameters
    ----------
    path : str or Path
        The file, or the folder that holds ``effects.nc``.

    Returns
    -------
    xarray.DataTree
        As `effects` gives it.

    Raises
    ------
    InputError
        No file, a damaged one, or one that holds no effects.
    """
    file = file_of(path)
    if not file.is_file():
        raise StoredFitError(f"{file}: no stored effects here; make them with 'mscpool effects'")
    made = store.load(file)
    if "effects" not in made.children:
        raise StoredFitError(
            f"{file}: a fit of rates, not of effects; make these with 'mscpool effects'"
        )
    return Effects.of(made)


def as_effects(made: DataTree | str | Path) -> DataTree:
    """Give the effects that a file or a folder holds; effects stay what they are.

    Raises
    ------
    StoredFitError
        No effects are stored there.
    InputError
        Something else was given.
    """
    if isinstance(made, str | Path):
        return load_effects(made)
    if "effects" not in getattr(made, "children", ()):
        raise InputError(
            "effects must be what effects gives, or the file or folder of stored ones, not "
            f"{shown(made)}"
        )
    return made


def contrasts(made: DataTree | str | Path, randomised_only: bool = False) -> pd.DataFrame:
    """Give the effects: one row an outcome, disease and quantity.

    Parameters
    ----------
    made : xarray.DataTree, str or Path
        What `effects` gives, or the file or folder of stored ones.
    randomised_only : bool
        Those without the studies that are not known to be randomised; no rows where there are none
        to leave out.

    Returns
    -------
    pandas.DataFrame
        ``quantity`` is ``effect`` (a typical study), ``new_study`` or ``new_disease``; statistics
        on the ``scale`` (log odds ratio, or log hazard ratio), ``ratio_…`` their exponentials,
        ``probability_benefit``, and the ``studies`` and ``patients`` behind them; ``evidence`` is
        ``borrowed`` where the disease has no controlled study.

    Examples
    --------
    >>> direct = mp.contrasts(compared).query("quantity == 'effect' and evidence == 'direct'")
    >>> direct[["disease", "q2.5", "q50", "q97.5", "probability_benefit"]].round(2)
                            disease  q2.5   q50  q97.5  probability_benefit
    5  systemic_lupus_erythematosus -2.92 -0.45   1.78                 0.35
    """
    return read(
        as_effects(made), "randomised_only" if randomised_only else "effects", tables.EFFECT_COLUMNS
    )


def effect_hyper(made: DataTree | str | Path) -> pd.DataFrame:
    """Give mu, tau and sigma of the effects, linear scale, one row each and outcome."""
    return read(as_effects(made), "hyper", tables.HYPER_COLUMNS)


def study_effects(made: DataTree | str | Path) -> pd.DataFrame:
    """Give each study compared: both arms' counts, its raw and its shrunken effect, log scale.

    Examples
    --------
    >>> studies = mp.study_effects(compared)
    >>> studies[["study", "treated_min", "treated_n", "control_min", "control_n"]]
          study  treated_min  treated_n  control_min  control_n
    0  deng2017            9         12            5          6
    """
    return read(as_effects(made), "studies", tables.STUDY_COLUMNS)


def absolute_effects(made: DataTree | str | Path) -> pd.DataFrame:
    """Give control and treated rates, risk differences and ratios, and numbers needed to treat.

    Examples
    --------
    >>> at_control = mp.absolute_effects(compared).query("control_evidence == 'direct'")
    >>> at_control[["quantity", "control_rate_q50", "treated_rate_q50"]].round(2)
         quantity  control_rate_q50  treated_rate_q50
    10     effect              0.77              0.69
    11  new_study              0.77              0.69
    """
    return read(as_effects(made), "absolute", tables.ABSOLUTE_COLUMNS)


def moderated_effects(made: DataTree | str | Path) -> pd.DataFrame:
    """Give effects at values of moderators, as `effects_at`; no rows without moderators."""
    return read(as_effects(made), "at_values", VALUE_COLUMNS)


def own_shares(made: DataTree | str | Path) -> pd.DataFrame:
    """Give the share of each disease's effect that its own studies carry; the rest is borrowed.

    No rows unless they were asked for.

    Examples
    --------
    >>> shares = mp.own_shares(mp.effects(evidence, shares=True, check=False))
    >>> shares.tail(1)[["disease", "own_share"]].round(2)
                            disease  own_share
    5  systemic_lupus_erythematosus       0.66
    """
    return read(as_effects(made), "shares", tables.SHARE_COLUMNS)


def unanchored_effects(made: DataTree | str | Path) -> pd.DataFrame:
    """Give the comparisons of arms of different studies; no rows unless they were asked for."""
    return read(as_effects(made), "unanchored", tables.UNANCHORED_COLUMNS)


def compared_arms(made: DataTree) -> pd.DataFrame:
    """Give the rows that stored effects compare, one a study, arm and outcome.

    Raises
    ------
    StoredFitError
        Effects that were stored before their rows were.
    """
    if "compared" not in made.children:
        raise StoredFitError("these effects are of an older version: make them with --refit")
    return read(made, "compared", tuple(str(name) for name in made["compared"].to_dataset()))


def messages(made: DataTree) -> list[str]:
    """Give what a reader of stored effects must be told, a sentence each."""
    return list(json.loads(made.attrs["messages"]))


def file_of(path: str | Path) -> Path:
    """Give the file of effects that a path names: itself, or that of a folder."""
    path = Path(path)
    return path if path.suffix == ".nc" else path / FILE
