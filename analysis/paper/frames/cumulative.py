"""How knowledge grew, as sentences, tables and figures need it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ....data.controlled import controlled_rows
from ....data.errors import ImpossibleDataError, SelectionError
from ....data.names import study_labels
from ....models.exact.outcomes import exact_model
from ...effects.since import effects_by_year
from ...sensitivity.cumulative import COLUMNS, conclusions_since, rates_by_year, years_of
from ...sensitivity.questions import CONFIDENCE, Question, questions
from .later import published_since, with_later

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ....data.evidence import Evidence
    from ....models.priors.sets import PriorSet
    from ...sensitivity.result import PriorComparison

_KEYS = ("outcome", "disease")


@dataclass(frozen=True, eq=False)
class Grown:
    """What was known in each year.

    Attributes
    ----------
    rates : pandas.DataFrame
        As `rates_by_year` of the room of sensitivity; no rows where a study has no year, or all
        have the same.
    effects : pandas.DataFrame
        As `effects_by_year`, with ``ratio_…`` of the quantiles.
    evidence : Evidence or None
        What they are of: with the studies published since the review.
    later_from : int or None
        Year of the first study published since the review that is among them.
    not_integrated : tuple of str
        Why some outcomes have no rows, a sentence each.
    fitted_alone : tuple of str
        What the rates of other outcomes lack, a sentence each.
    without_year : tuple of str
        Labels of the studies of which no year is known, where it is of others: nothing is told.
    """

    rates: pd.DataFrame
    effects: pd.DataFrame
    evidence: Evidence | None = None
    later_from: int | None = None
    not_integrated: tuple[str, ...] = ()
    fitted_alone: tuple[str, ...] = ()
    without_year: tuple[str, ...] = ()

    @property
    def conclusions(self) -> pd.DataFrame:
        """The last year's row of each conclusion, with ``since``, ``first`` and ``lost``."""
        asked = self.rates[self.rates["concluded"].notna()]
        return conclusions_since(asked, _KEYS)


@dataclass(frozen=True)
class Asked:
    """What is asked of each outcome, and the probability that a conclusion needs."""

    questions: Mapping[str, Question]
    confidence: float


def asked_of(comparison: PriorComparison | None, outcomes: Sequence[str]) -> Asked:
    """Give what a comparison of priors asked, or else what is usual."""
    from ....models.direction import Direction

    if comparison is None or comparison.flips.empty:
        return Asked(questions("usual", outcomes), CONFIDENCE)
    asked = {
        row["outcome"]: Question(row["threshold"], Direction(row["direction"]))
        for row in comparison.flips.to_dict("records")
        if row["outcome"] in outcomes
    }
    return Asked(asked, float(comparison.flips["confidence"].iloc[0]))


def grown(
    evidence: Evidence, priors: PriorSet, pooling: str, outcomes: Sequence[str], asked: Asked
) -> Grown:
    """Integrate rates and effects again with the studies up to each year.

    Parameters
    ----------
    evidence : Evidence
        What is fitted; to core studies those published since the review are added.
    priors, pooling
        Of the fit.
    outcomes : sequence of str
        Outcomes that were asked for.
    asked : Asked
        The conclusions.

    Returns
    -------
    Grown
    """
    nothing = Grown(pd.DataFrame(), pd.DataFrame())
    wider = with_later(evidence) if evidence.selection.analysis_set == "core" else None
    evidence = evidence if wider is None else wider
    if evidence.moderators:
        return nothing
    studies = set(evidence.rows["study"])
    years = {study: year for study, year in years_of(evidence).items() if study in studies}
    if years and (lacking := studies - years.keys()):
        labels = study_labels(evidence.studies)
        return replace(nothing, without_year=tuple(labels[each] for each in sorted(lacking)))
    if len(set(years.values())) < 2:
        return nothing
    model = exact_model(evidence, pooling)
    # What integration leaves to the sampler, of the outcomes that were asked for.
    refused = [why.reason for name, why in model.refused.items() if name in outcomes]
    alone = tuple(why for name, why in model.fitted_alone.items() if name in outcomes)
    try:
        rates = rates_by_year(model, priors, years, asked.questions, asked.confidence)
    except ImpossibleDataError as problem:  # the sampler's draws may be told of, no integral
        rates = pd.DataFrame(columns=list(COLUMNS))
        refused, alone = [f"Rates are not told by year: {problem}"], ()
    since = [years[study] for study in studies & published_since(evidence)]
    return Grown(
        rates[rates["outcome"].isin(outcomes)].reset_index(drop=True),
        _effects(evidence, pooling, years, asked.confidence),
        evidence,
        min(since, default=None),
        tuple(refused),
        alone,
    )


def _effects(
    evidence: Evidence, pooling: str, years: dict[str, int], confidence: float
) -> pd.DataFrame:
    try:
        rows = controlled_rows(evidence).rows
    except SelectionError:  # no study has a control arm
        return pd.DataFrame()
    if not set(rows["study"]) <= years.keys():
        return pd.DataFrame()
    table = effects_by_year(rows, evidence.diseases, pooling, years, confidence)
    ratios = {f"ratio_{q}": np.exp(table[q].astype(float)) for q in ("q2.5", "q50", "q97.5")}
    return table.assign(**ratios)
