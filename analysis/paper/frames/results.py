"""All that a report tells of, in one value, and the guard's stamp on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ....data.errors import ImpossibleDataError
from ...fitting.store import run_config
from ...fitting.summary import rates
from ...fitting.tree import rows_of
from ...guard.result import UNCHECKED, CheckResult

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ....data.evidence import Evidence
    from ....models.exact.outcomes import ExactFit
    from ....models.priors.sets import PriorSet
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison
    from ...trial.result import DesignResult
    from .cumulative import Asked, Grown
    from .effects import Comparison
    from .later import Later
    from .unseen import Missing


@dataclass(frozen=True, eq=False)
class Results:
    """All that figures, tables and pages tell of.

    Attributes
    ----------
    fit : xarray.DataTree
        The stored fit.
    evidence : Evidence
        The evidence that was fitted.
    checked : CheckResult
        What the guard says of it.
    poolings : mapping of str to xarray.DataTree
        Fits of the same evidence by pooling, this one among them, in the order of drawing.
    others : mapping of str to (Evidence, xarray.DataTree)
        Fits with the other definitions, by their name.
    comparison : PriorComparison, optional
        What is believed under other priors.
    borrowed : Borrowing, optional
        What diseases take from each other.
    next_patients : DesignResult, optional
        Where the next patients would teach most.
    explained : mapping of str to xarray.DataTree
        Fits of one outcome with one moderator each, by its name.
    """

    fit: DataTree
    evidence: Evidence
    checked: CheckResult = UNCHECKED
    poolings: Mapping[str, DataTree] = field(default_factory=dict)
    others: Mapping[str, tuple[Evidence, DataTree]] = field(default_factory=dict)
    comparison: PriorComparison | None = None
    borrowed: Borrowing | None = None
    next_patients: DesignResult | None = None
    explained: Mapping[str, DataTree] = field(default_factory=dict)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """What made the fit."""
        return run_config(self.fit)

    @cached_property
    def unmoderated(self) -> Evidence:
        """The evidence without moderators: what is integrated knows of none."""
        return self.evidence.select(moderators=(), at=()) if self.at else self.evidence

    @cached_property
    def at(self) -> dict[str, float | str]:
        """The values of its moderators that the fit's rates are reported at; empty without any."""
        return {each.name: each.at for each in self.evidence.moderators}

    @cached_property
    def run(self) -> Mapping[str, Any]:
        """What made the fit, with its draws as they were sampled: perhaps twice those asked for."""
        config = self.config
        asked = config.get("draws")
        draws = self.fit["posterior"].sizes["draw"] if config["engine"] == "nuts" else asked
        doubled = draws != asked
        tune = config["tune"] * (1 + doubled)
        return {**config, "draws": draws, "tune": tune, "doubled": doubled}

    @cached_property
    def priors(self) -> PriorSet:
        """The priors of the fit."""
        from ....models.priors.sets import PriorSet

        return PriorSet.from_dict(self.config["priors"])

    @cached_property
    def compared(self) -> list[Comparison]:
        """Treated against control in the evidence of the fit, and in wider sets of studies."""
        from .effects import compared_sets

        checking, explaining = self.checked.ran, self.evidence.moderators
        return compared_sets(self.unmoderated, self.config["pooling"], checking, explaining)

    @cached_property
    def _integral(self) -> tuple[ExactFit | None, str]:
        from ....models.exact.outcomes import exact_outcomes

        if self.evidence.moderators:
            return None, "a fit with moderators can only be sampled"
        try:
            return exact_outcomes(self.evidence, self.config["pooling"], self.priors), ""
        except ImpossibleDataError as problem:
            return None, str(problem)

    @property
    def integrated(self) -> ExactFit | None:
        """The same model integrated, as far as it can be.

        None where there are moderators, or where priors all but exclude the data.
        """
        return self._integral[0]

    @property
    def not_integrated(self) -> str:
        """Why the model is not integrated, within a sentence; empty where it is."""
        return self._integral[1]

    @cached_property
    def later(self) -> Later:
        """What came after the fit, against what it predicts."""
        from .later import later_studies

        pooling = self.config["pooling"]
        return later_studies(self.fit, self.evidence, self.integrated, pooling, self.outcomes)

    @cached_property
    def asked(self) -> Asked:
        """What is asked of each outcome's rate."""
        from .cumulative import asked_of

        return asked_of(self.comparison, self.outcomes)

    @cached_property
    def grown(self) -> Grown:
        """What was known in each year."""
        from .cumulative import grown

        pooling = self.config["pooling"]
        return grown(self.evidence, self.priors, pooling, self.outcomes, self.asked)

    @cached_property
    def missing(self) -> Missing:
        """The smallest studies nobody has seen that would undo what is concluded."""
        from .unseen import missing

        return missing(self.integrated, self.compared, self.asked)

    def disease(self, name: str) -> str:
        """Name a disease in words."""
        return self.evidence.about.words(name)

    def disease_in_text(self, name: str) -> str:
        """Name a disease within a sentence."""
        return self.evidence.about.in_text(name)

    @property
    def verdict(self) -> str:
        """The guard's verdict on the whole fit."""
        return self.checked.verdict

    def verdict_of(self, outcome: str) -> str:
        """Give the guard's verdict on an outcome."""
        return self.checked.verdict_of(outcome)

    @cached_property
    def modelled(self) -> pd.DataFrame:
        """The rows of the evidence that the fit has: those of outcomes that its engine can take."""
        fitted = set(rows_of(self.fit)["outcome"])
        return self.evidence.rows[self.evidence.rows["outcome"].isin(fitted)]

    @property
    def fitted(self) -> list[str]:
        """The outcomes that are part of the model, asked for or not, in its order."""
        fitted = set(self.modelled["outcome"])
        return [name for name in self.config["outcomes"] if name in fitted]

    @cached_property
    def outcomes(self) -> list[str]:
        """The outcomes that were asked for, in the order of the fit."""
        return list(dict.fromkeys(rates_of(self)["outcome"]))


def stamped(table: pd.DataFrame, checked: CheckResult) -> pd.DataFrame:
    """Add to a table of outcomes the guard's verdict on each.

    Parameters
    ----------
    table : DataFrame
        With a column ``outcome``.
    checked : CheckResult
        What the guard says of the fit.

    Returns
    -------
    DataFrame
        With a last column ``verdict``: ``pass``, ``warn``, ``fail`` or ``unchecked``.
    """
    return table.assign(verdict=[checked.verdict_of(name) for name in table["outcome"]])


def rates_of(results: Results) -> pd.DataFrame:
    """Give the rates that were reported, in the order of the fit."""
    return rates(results.fit)
