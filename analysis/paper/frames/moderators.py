"""Why studies differ: what fits with moderators say, gathered into tidy frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ....data.moderators import Moderator, levels_seen
from ....data.names import study_labels
from ....models.moderators import design_of
from ...fitting import predict
from ...fitting.moderated import heterogeneity, moderators
from ...guard.check import levels_of_fit, terms_of_fit

if TYPE_CHECKING:
    from xarray import DataTree

    from ....models.terms import Terms
    from .results import Results

#: Points of a line.
_POINTS = 41


def moderated_fits(results: Results) -> list[DataTree]:
    """Give the fits that have moderators: the one at hand, or those of a report, one each."""
    own = [results.fit] if "moderators" in results.fit.children else []
    return own or list(results.explained.values())


def coefficient_data(results: Results) -> pd.DataFrame:
    """Gather the coefficients of every moderator, those of numbers per standard deviation.

    Returns
    -------
    pandas.DataFrame
        As `fitting.moderated.moderators`, without those per unit.
    """
    frames = [moderators(fit) for fit in moderated_fits(results)]
    if not frames:
        return pd.DataFrame()
    table = pd.concat(frames, ignore_index=True)
    return table[table["per"] != "unit"].reset_index(drop=True)


def explained_data(results: Results) -> pd.DataFrame:
    """Gather what moderators take from sigma and tau.

    Returns
    -------
    pandas.DataFrame
        As `fitting.moderated.heterogeneity`, with ``moderators``: those of the fit.
    """
    frames = [
        heterogeneity(fit).assign(
            moderators=", ".join(dict.fromkeys(moderators(fit)["moderator"].astype(str)))
        )
        for fit in moderated_fits(results)
    ]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def rates_at_data(results: Results, outcome: str) -> pd.DataFrame:
    """Gather the rates of one outcome at values of each moderator, the others where reported.

    Parameters
    ----------
    results : Results
        With fits that have moderators.
    outcome : str
        The outcome.

    Returns
    -------
    pandas.DataFrame
        One row a moderator, value and disease with studies: ``moderator, value, studies`` (with
        this level; of a number, whose least, middle and largest value are shown, all), ``disease``,
        ``q50, q2.5, q97.5`` (probabilities; 12-month risks where timed).
    """
    rows = []
    for fit in moderated_fits(results):
        terms = terms_of_fit(fit)
        if outcome not in terms.names:
            continue
        code, levels = terms.names.index(outcome), levels_of_fit(fit)
        for moderator, values, counts in _values(terms, outcome):
            for value, studies in zip(values, counts, strict=True):
                rates = _rates_at(levels, terms, moderator, value)[:, code]
                for disease in _with_studies(terms, outcome):
                    own = rates[:, terms.diseases.index(disease)]
                    about = {"moderator": moderator.name, "value": value, "studies": studies}
                    rows.append({"outcome": outcome, **about, "disease": disease, **_summary(own)})
    return pd.DataFrame(rows)


def bubble_data(results: Results) -> Iterator[tuple[str, pd.DataFrame]]:
    """Gather each number and outcome: the studies' rates, and the line through them.

    Yields
    ------
    str, pandas.DataFrame
        What it is of, and one row a study or a point of the line: ``row`` (`study`, `line`),
        ``outcome, moderator, disease, x``; of a study ``study, label, n``, its observed rate
        ``raw_min, raw_max`` (a range where the count is bounded; 12-month risks under a constant
        hazard where timed); of a line ``q50, q2.5, q97.5``: the rate of a typical study.
    """
    labels = study_labels(results.evidence.studies)
    for fit in moderated_fits(results):
        terms, levels = terms_of_fit(fit), levels_of_fit(fit)
        for outcome in dict.fromkeys(moderators(fit)["outcome"].astype(str)):
            code = terms.names.index(outcome)
            own = terms.rows.loc[terms.rows["outcome"] == outcome, "study"]
            for moderator in _moderators(terms):
                if moderator.is_number and moderator.differs_among(own):
                    rows = [
                        *_study_rows(terms, outcome, moderator, labels),
                        *_line_rows(levels, terms, code, moderator),
                    ]
                    about = {"outcome": outcome, "moderator": moderator.name}
                    yield f"{outcome}_{moderator.name}", pd.DataFrame(rows).assign(**about)


def _moderators(terms: Terms) -> tuple[Moderator, ...]:
    assert terms.design is not None, "a fit with moderators has a design"
    return terms.design.moderators


def _with_studies(terms: Terms, outcome: str) -> list[str]:
    found = set(terms.rows.loc[terms.rows["outcome"] == outcome, "disease"])
    return [disease for disease in terms.diseases if disease in found]


def _values(terms: Terms, outcome: str) -> Iterator[tuple[Moderator, list[Any], list[int]]]:
    """Give the values of each moderator at which rates are shown, and the studies behind each."""
    studies = terms.rows.loc[terms.rows["outcome"] == outcome, "study"].drop_duplicates().tolist()
    for each in _moderators(terms):
        if not each.differs_among(studies):
            continue
        if each.is_number:
            seen = np.array([each.values[study] for study in studies], dtype=float)
            values = dict.fromkeys([float(seen.min()), float(np.median(seen)), float(seen.max())])
            yield each, list(values), [len(studies)] * len(values)
        else:
            levels = levels_seen(each, studies)
            yield each, list(levels), list(levels.values())


def _rates_at(levels: predict.Levels, terms: Terms, moderator: Moderator, value) -> np.ndarray:
    """Rates where one moderator has a value; shape (draw, outcome, disease)."""
    moved = [
        replace(each, at=value) if each.name == moderator.name else each
        for each in _moderators(terms)
    ]
    design = design_of(moved, terms.names, terms.effects, terms.rows)
    there = predict.where_reported(levels, replace(terms, design=design))
    return predict.rates(there.theta, terms)


def _summary(values: np.ndarray) -> dict[str, float]:
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return {"q50": float(middle), "q2.5": float(low), "q97.5": float(high)}


def _study_rows(
    terms: Terms, outcome: str, moderator: Moderator, labels: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    timed = terms.outcomes[terms.names.index(outcome)].timed
    own = terms.rows[terms.rows["outcome"] == outcome]
    for study, rows in own.groupby("study", sort=False):
        n = int(rows["n"].sum())
        raw = {f"raw_{end}": float(rows[f"events_{end}"].sum()) / n for end in ("min", "max")}
        if timed:
            years = float((rows["months"] * rows["n"]).sum()) / n / 12
            raw = {name: 1 - (1 - rate) ** (1 / years) for name, rate in raw.items()}
        about = {"study": study, "label": labels[str(study)], "disease": rows["disease"].iloc[0]}
        yield {"row": "study", **about, "x": float(moderator.values[str(study)]), "n": n, **raw}


def _line_rows(
    levels: predict.Levels, terms: Terms, code: int, moderator: Moderator
) -> Iterator[dict[str, Any]]:
    outcome = terms.names[code]
    own = terms.rows.loc[terms.rows["outcome"] == outcome, "study"]
    seen = [float(moderator.values[study]) for study in own]
    for x in np.linspace(min(seen), max(seen), _POINTS).tolist():
        rates = _rates_at(levels, terms, moderator, x)[:, code]
        for disease in _with_studies(terms, outcome):
            values = rates[:, terms.diseases.index(disease)]
            yield {"row": "line", "disease": disease, "x": x, **_summary(values)}
