"""How knowledge grew: rates integrated again with the studies up to each year."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...models.exact.outcomes import ExactFit, ExactModel
from ...models.priors.sets import PriorSet
from .flips import YES, conclude
from .questions import Question

if TYPE_CHECKING:
    from ...data.evidence import Evidence
    from ...models.exact.posterior import ExactPosterior

COLUMNS = (
    *("outcome", "disease", "year", "studies", "patients", "evidence", "gained"),
    *("mean", "sd", "q2.5", "q50", "q97.5", "mcse_mean", "mcse_q50"),
    *("threshold", "direction", "confidence", "probability", "mcse", "concluded"),
)
_NUMBERS = (
    *("studies", "patients", "evidence"),
    *("mean", "sd", "q2.5", "q50", "q97.5", "mcse_mean", "mcse_q50"),
)


def years_of(evidence: Evidence) -> dict[str, int]:
    """Give the year of every study that has one; of a single table by its column ``year``."""
    studies = evidence.studies
    known = studies["year"].notna()
    years = dict(zip(studies["study"][known], studies["year"][known].astype(int), strict=True))
    for study, texts in evidence.columns.get("year", {}).items():
        if study not in years and len(texts) == 1 and (year := _whole(texts[0])) is not None:
            years[study] = year
    return years


def _whole(text: str) -> int | None:
    """Read a whole number, also one that a spreadsheet wrote with a point."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def rates_by_year(
    model: ExactModel,
    priors: PriorSet,
    years: Mapping[str, int],
    asked: Mapping[str, Question],
    confidence: float,
) -> pd.DataFrame:
    """Integrate the rates again with the studies up to each year.

    An outcome is integrated anew in the years in which it gained a study, from the likelihood
    tables of all studies: no table is computed twice.

    Parameters
    ----------
    model : ExactModel
        Of all studies. What it refuses has no rows.
    priors : PriorSet
        The priors.
    years : mapping of str to int
        Of every study.
    asked : mapping of str to Question
        The conclusion asked of each outcome.
    confidence : float
        Probability from which on it is drawn.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and year in which the outcome gained a study, `COLUMNS`:
        studies and patients of the disease so far; whether the disease itself ``gained`` one; the
        rate; the ``probability`` of the conclusion with its numerical error ``mcse``, and whether
        it is ``concluded``, as in `flips`.
    """
    rows: list[dict[Any, Any]] = []
    for name in model.hierarchies:
        family = [n for n in (model.parents.get(name), name) if n]
        studies = {s for n in family for s in model.hierarchies[n].likelihoods.studies}
        before = dict.fromkeys(model.evidence.diseases, 0)
        for year in sorted({years[study] for study in studies}):
            part = _until(model, priors, family, {s for s in studies if years[s] <= year})
            if part is None:
                continue
            table = part.rates()
            table = table[(table["outcome"] == name) & (table["quantity"] == "rate")]
            drawn = concluded(part, name, asked[name], confidence) if name in asked else None
            for row in table.to_dict("records"):
                disease = str(row["disease"])
                gained = bool(row["studies"] > before[disease])
                before[disease] = int(row["studies"])
                rows.append(
                    dict[str, Any](outcome=name, disease=disease, year=year, gained=gained)
                    | {column: row[column] for column in _NUMBERS}
                    | ({} if drawn is None else drawn.loc[disease].to_dict())
                )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _until(
    model: ExactModel, priors: PriorSet, family: Sequence[str], studies: set[str]
) -> ExactFit | None:
    """Integrate an outcome, and the one it lies within, with some of their studies."""
    posteriors: dict[str, ExactPosterior] = {}
    for name in family:
        hierarchy = model.hierarchies[name]
        if not studies & set(hierarchy.likelihoods.studies):
            return None
        posteriors[name] = hierarchy.of_studies(studies).posterior(priors.of(name))
    rows = model.evidence.rows
    evidence = replace(model.evidence, rows=rows[rows["study"].isin(studies)])
    return ExactFit(replace(model, evidence=evidence), priors, posteriors)


def concluded(fit: ExactFit, name: str, question: Question, confidence: float) -> pd.DataFrame:
    """Say what is concluded of an outcome's rate in every disease.

    Parameters
    ----------
    fit : ExactFit
        The posteriors.
    name : str
        The outcome.
    question : Question
        The conclusion.
    confidence : float
        Probability that it needs.

    Returns
    -------
    pandas.DataFrame
        By disease: ``threshold``, ``direction``, ``confidence``, ``probability`` of the conclusion
        with its numerical error ``mcse``, and whether it is ``concluded``, as in `flips`.
    """
    main, check = (
        question.direction.probability(
            fit.probability_above(name, question.threshold, coarser=coarser)
        )
        for coarser in (False, True)
    )
    error = (main - check).abs()
    return pd.DataFrame(
        {
            "threshold": question.threshold, "direction": question.direction.value,
            "confidence": confidence, "probability": main, "mcse": error,
            "concluded": conclude(main, error, confidence),
        }
    )  # fmt: skip


def true_since(answers: Sequence[object], years: Sequence[int]) -> int | None:
    """Give the year from which on a conclusion was drawn in every further year.

    Parameters
    ----------
    answers : sequence of str
        ``yes``, ``no`` or ``undecided``, year by year.
    years : sequence of int
        Ascending.

    Returns
    -------
    int or None
        None where it is not drawn at the end.
    """
    drawn = np.array([each == YES for each in answers])
    if not len(drawn) or not drawn[-1]:
        return None
    last_other = int(np.flatnonzero(~drawn)[-1]) if not drawn.all() else -1
    return int(years[last_other + 1])


def conclusions_since(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Sum up a table by year: the last year's row of each conclusion, and since when it holds.

    Parameters
    ----------
    table : pandas.DataFrame
        With ``year`` and ``concluded``, rows of one key in the order of years.
    keys : sequence of str
        Columns that name a conclusion.

    Returns
    -------
    pandas.DataFrame
        With ``since`` (a year, missing where the conclusion does not hold at the end), ``first``
        (the year in which it was first drawn) and ``lost`` (whether it was drawn and then not).
    """
    rows: list[dict[Hashable, Any]] = []
    for _, own in table.groupby(list(keys), sort=False):
        drawn = own["concluded"] == YES
        since = true_since(own["concluded"].tolist(), own["year"].tolist())
        first = int(own.loc[drawn, "year"].iloc[0]) if drawn.any() else None
        lost = bool(drawn.any() and (since is None or since != first))
        rows.append(own.iloc[-1].to_dict() | {"since": since, "first": first, "lost": lost})
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.astype({"since": "Int64", "first": "Int64"})
