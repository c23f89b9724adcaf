"""The data that a stored result is of: the shipped ones, those that are named, or its own rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...data.errors import InputError, OtherDataError, SelectionError
from ...data.evidence import Evidence, load_evidence
from .store import run_config

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree


def evidence_of(
    made: DataTree,
    source: Evidence | str | Path | pd.DataFrame | None = None,
    sheet: str | None = None,
) -> Evidence | None:
    """Read the data that a stored result is of.

    Parameters
    ----------
    made : xarray.DataTree
        A fit, or effects.
    source : Evidence, str, Path or DataFrame, optional
        Where they are; the shipped ones by default. Of a path or a table the result's own selection
        is taken.
    sheet : str, optional
        Which sheet of a workbook that has several.

    Returns
    -------
    Evidence or None
        None where these are other data.

    Raises
    ------
    InputError
        They cannot be read.
    """
    config = run_config(made)
    try:
        evidence = (
            source
            if isinstance(source, Evidence)
            else load_evidence(source, sheet=sheet, **config["selection"])
        )
    except SelectionError:  # the selection names what these data do not have
        return None
    return evidence if evidence.sha256 == config["data_sha256"] else None


def evidence_or_rows(
    made: DataTree,
    source: Evidence | str | Path | pd.DataFrame | None,
    rows: Callable[[DataTree], pd.DataFrame],
) -> Evidence:
    """Give the data of a result, where nothing is named and they are not shipped from its own rows.

    Parameters
    ----------
    made : xarray.DataTree
        A fit, or effects.
    source : Evidence, str, Path or DataFrame, optional
        Where its data are.
    rows : callable
        Gives the rows that the result keeps. Studies and diseases of these have no other names.

    Returns
    -------
    Evidence

    Raises
    ------
    OtherDataError
        The data that are named are others.
    InputError
        They cannot be read.
    """
    evidence = evidence_of(made, source)
    if evidence is not None:
        return evidence
    if source is not None:
        raise OtherDataError("the fit is of other data than the evidence given: name its own data")
    config = run_config(made)
    try:
        read = load_evidence(rows(made)[list(_COLUMNS)])
    except InputError:
        raise OtherDataError(
            "the fit is not of the shipped data: say with evidence= what it is of"
        ) from None
    selection = replace(read.selection, diseases=tuple(config["diseases"]))
    return replace(read, selection=selection)


_COLUMNS = ("study", "disease", "arm", "outcome", "events_min", "events_max", "n", "months")
