"""What could be missing, as sentences and tables need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from ....data.outcomes import outcome as described
from ...effects.unseen import unseen_trials
from ...sensitivity.unseen import unseen_studies

if TYPE_CHECKING:
    from ....models.exact.outcomes import ExactFit
    from .cumulative import Asked
    from .effects import Comparison


#: Probability from which on treatment is likelier to help than not.
_LIKELIER = 0.5


@dataclass(frozen=True, eq=False)
class Missing:
    """The smallest studies nobody has seen that would undo what is concluded.

    Attributes
    ----------
    rates : pandas.DataFrame
        As `unseen_studies` of the room of sensitivity.
    effects : pandas.DataFrame
        As `unseen_trials` of the room of effects, with ``added`` (the set of studies, as in
        `Comparison`), ``studies`` and ``patients``; in the sets in which a disease gained a
        controlled study, of its first benefit, where treatment is likelier to help than not, and of
        all else that treatment is concluded to help.
    """

    rates: pd.DataFrame
    effects: pd.DataFrame


def missing(integrated: ExactFit | None, compared: list[Comparison], asked: Asked) -> Missing:
    """Ask of every conclusion which unseen study would undo it.

    Parameters
    ----------
    integrated : ExactFit or None
        The fit, integrated.
    compared : list of Comparison
        Treated against control.
    asked : Asked
        The conclusions.

    Returns
    -------
    Missing
    """
    rates = pd.DataFrame()
    if integrated is not None:
        rates = unseen_studies(integrated, asked.questions, asked.confidence)
    tables = [
        unseen_trials(
            comparison.arms,
            comparison.evidence.diseases,
            comparison.config["pooling"],
            {key: row["control_rate"] for key, row in rows.items()},
            {key: _like(compared, *key) for key in rows},
            asked.confidence,
            comparison.priors,
        ).assign(
            added=comparison.added,
            studies=lambda table, rows=rows: _of(table, rows, "studies"),
            patients=lambda table, rows=rows: _of(table, rows, "patients"),
        )
        for comparison, rows in _gaining(compared, asked.confidence)
    ]
    return Missing(rates, pd.concat(tables, ignore_index=True) if tables else pd.DataFrame())


def _gaining(
    compared: list[Comparison], confidence: float
) -> Iterator[tuple[Comparison, dict[tuple[str, str], dict[Any, Any]]]]:
    """Give, by comparison, what is asked of effects that rest on more studies than before.

    That is the first benefit of each disease, unless it is likelier to harm than to help, and
    whatever else is concluded to help.
    """
    before: dict[tuple[str, str], set[str]] = {}
    for comparison in compared:
        rows: dict[tuple[str, str], dict[Any, Any]] = {}
        of_disease = {
            str(disease): own.to_dict("records")
            for disease, own in comparison.rows.groupby("disease", sort=False)
        }
        for disease, own in of_disease.items():
            first = min(own, key=lambda each: described(each["outcome"]).is_harm)
            for row in own:
                key = str(row["outcome"]), disease
                studies = _studies(comparison, *key)
                wanted = _LIKELIER if row is first else confidence
                if studies != before.get(key) and row["probability_benefit"] >= wanted:
                    rows[key] = row
                before[key] = studies
        if rows:
            yield comparison, rows


def _studies(comparison: Comparison, outcome: str, disease: str) -> set[str]:
    table = comparison.studies
    return set(table.loc[(table["outcome"] == outcome) & (table["disease"] == disease), "study"])


def _like(compared: list[Comparison], outcome: str, disease: str) -> int:
    """Give the patients an arm of the largest controlled study of a disease in any set."""
    sizes = [
        (row["treated_n"] + row["control_n"] + 1) // 2
        for each in compared
        for row in each.studies.to_dict("records")
        if (row["outcome"], row["disease"]) == (outcome, disease)
    ]
    return int(max(sizes))


def _of(table: pd.DataFrame, rows: dict[tuple[str, str], dict[Any, Any]], column: str) -> list[int]:
    keys = zip(table["outcome"], table["disease"], strict=True)
    return [int(rows[key][column]) for key in keys]
