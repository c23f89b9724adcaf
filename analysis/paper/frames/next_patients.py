"""What the next patients would teach, asked of a fit, and as lines over their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from ....data.errors import InputError
from ...guard.result import CheckResult
from ...trial import design
from ...trial.pictures import pictures
from ...trial.result import DesignResult
from .results import Results

if TYPE_CHECKING:
    from xarray import DataTree

    from ...fitting.progress import Progress


def next_patients_of(
    fit: DataTree, checked: CheckResult, progress: Progress
) -> DesignResult | None:
    """Ask where the next patients would teach most; None where no outcome can be integrated."""
    try:
        return design.next(fit=fit, checked=checked, progress=progress)
    except InputError:
        return None


def gain_lines(results: Results) -> pd.DataFrame:
    """Give the expected fall of the variance of each disease's rate against patients.

    Parameters
    ----------
    results : Results
        A fit of which it was asked.

    Returns
    -------
    pandas.DataFrame
        ``panel``, ``outcome``, ``series`` (disease of the trial), ``x`` (patients), ``value``
        (squared percentage points); empty where nothing was asked.
    """
    if results.next_patients is None:
        return pd.DataFrame(columns=["x", "value", "series", "panel", "outcome"])
    return next(iter(pictures(results.next_patients))).frame
