"""All that a report tells of, in one value, and the guard's stamp on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...fitting.summary import rates

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....models.priors.sets import PriorSet
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison

UNCHECKED = "unchecked"


@dataclass(frozen=True, eq=False)
class Results:
    """All that a report tells of.

    Attributes
    ----------
    evidence : Evidence
        The analysis set.
    fit : xarray.DataTree
        Its fit.
    checked : mapping or None
        The guard's findings in the shape of check.json; None where it did not run.
    poolings : mapping of str to xarray.DataTree
        Fits of the same evidence by pooling, this one among them.
    others : mapping of str to (Evidence, xarray.DataTree)
        Fits with the other definitions, by their name.
    config : mapping
        What made the fit.
    priors : PriorSet
        Its priors.
    comparison : PriorComparison, optional
        What is believed under other priors.
    borrowed : Borrowing, optional
        What diseases take from each other.
    """

    evidence: Evidence
    fit: DataTree
    checked: Mapping[str, Any] | None
    poolings: Mapping[str, DataTree]
    others: Mapping[str, tuple[Evidence, DataTree]]
    config: Mapping[str, Any]
    priors: PriorSet
    comparison: PriorComparison | None = None
    borrowed: Borrowing | None = None

    @property
    def verdict(self) -> str:
        """The guard's verdict on the whole fit."""
        return UNCHECKED if self.checked is None else self.checked["verdict"]

    def verdict_of(self, outcome: str) -> str:
        """Give the guard's verdict on an outcome."""
        return verdicts(self.checked).get(outcome, UNCHECKED)


def verdicts(checked: Mapping[str, Any] | None) -> dict[str, str]:
    """Give the guard's verdict on each outcome; empty where the guard did not run."""
    if checked is None:
        return {}
    return {each["outcome"]: each["verdict"] for each in checked["outcomes"]}


def stamped(table: pd.DataFrame, checked: Mapping[str, Any] | None) -> pd.DataFrame:
    """Add to a table of outcomes the guard's verdict on each.

    Parameters
    ----------
    table : DataFrame
        With a column ``outcome``.
    checked : mapping or None
        What the guard found.

    Returns
    -------
    DataFrame
        With a last column ``verdict``: ``pass``, ``warn``, ``fail`` or ``unchecked``.
    """
    said = verdicts(checked)
    return table.assign(verdict=[said.get(name, UNCHECKED) for name in table["outcome"]])


def rates_of(results: Results) -> pd.DataFrame:
    """Give the rates that were reported, in the order of the fit."""
    return rates(results.fit)


def reported(results: Results) -> list[str]:
    """Give the outcomes that were asked for, in the order of the fit."""
    return list(dict.fromkeys(rates_of(results)["outcome"]))
