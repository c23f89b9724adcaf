"""What the figures and tables of evidence and rates show, gathered into tidy frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ....data.errors import InputError
from ....data.means import MODELLED, MODELLED_SIGN
from ....data.names import arm_words, study_labels
from ....data.outcomes import PARENTS
from ....data.outcomes import outcome as described
from ...fitting.summary import ERRORS, QUANTILES, one_shown, shown

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence

MONTHS_A_YEAR = 12.0


def evidence_map_data(evidence: Evidence) -> pd.DataFrame:
    """Count studies and patients by disease and outcome.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.

    Returns
    -------
    pandas.DataFrame
        One row a disease and outcome, in their orders: `disease, outcome, studies, patients,
        events_min, events_max`; zeros where nothing is known.
    """
    groups = evidence.rows.groupby(["disease", "outcome"], sort=False)
    counts = groups.agg(
        studies=("study", "nunique"),
        patients=("n", "sum"),
        events_min=("events_min", "sum"),
        events_max=("events_max", "sum"),
    )
    names = ["disease", "outcome"]
    every = pd.MultiIndex.from_product([evidence.diseases, evidence.outcome_names], names=names)
    return counts.reindex(every).fillna(0).astype(int).reset_index()


def characteristics_data(evidence: Evidence) -> pd.DataFrame:
    """Describe the studies of an analysis set, and what each supplies.

    Parameters
    ----------
    evidence : Evidence
        The analysis set; core studies without rows are listed too, so that the gap is visible.

    Returns
    -------
    pandas.DataFrame
        One row a study, by disease and year: `disease, study, label, year, design, cell_source,
        donor, route, patients` (treated), `controls, months` (follow-up), and one column an
        outcome: `reported`, `secondary`, `derived`, `modelled` (the most certain of its rows) or
        empty.
    """
    ranks = {"reported": 0, "secondary": 1, "derived": 2, "modelled": 3}
    rows = evidence.rows.assign(rank=evidence.rows["certainty"].map(ranks))
    best = rows.sort_values("rank").groupby(["study", "outcome"])["certainty"].first()
    studies = evidence.studies
    wanted = studies["study"].isin(set(evidence.rows["study"])) | (studies["role"] == "core")
    table = studies[wanted & studies["disease"].isin(evidence.diseases)].copy()
    table["label"] = table["study"].astype(str).map(study_labels(studies))
    table = table.rename(
        columns={"n_msc": "patients", "n_control": "controls", "follow_up_months": "months"}
    )
    columns = ["disease", "study", "label", "year", "design", "cell_source", "donor", "route"]
    columns += ["patients", "controls", "months"]
    table = table.reindex(columns=columns)
    for name in evidence.outcome_names:
        table[name] = [best.get((study, name), "") for study in table["study"]]
    order = {name: i for i, name in enumerate(evidence.diseases)}
    place = table["disease"].map(order)
    table = table.assign(place=place).sort_values(["place", "year", "label"], kind="stable")
    return table.drop(columns="place").reset_index(drop=True)


def forest_data(fit: DataTree, evidence: Evidence, outcome: str) -> pd.DataFrame:
    """Gather a forest plot: for each disease its rate, its studies, and its next trial.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit of either engine; study estimates are missing where it has none.
    evidence : Evidence
        The evidence that was fitted.
    outcome : str
        An outcome of the fit.

    Returns
    -------
    pandas.DataFrame
        In the order of drawing: `row` (`rate`, `study`, `new_study`, `new_disease`), `disease,
        study, arm, label, events_min, events_max, n, months, certainty`; of studies `raw_min,
        raw_max` (observed, a range where the count is only bounded) and `raw_low, raw_high` (95 %
        Wilson interval, of the bounds); `estimate, low, high` (posterior median and central 95 %
        interval) with their errors `mcse_…`; `studies`, and `evidence` (`direct`, `borrowed`). All
        are probabilities. For a timed outcome they are 12-month risks, the observed ones under a
        constant hazard.
    """
    known = shown(fit)
    rows = _labelled(evidence)
    rows = rows[rows["outcome"] == outcome]
    made: list[dict[str, Any]] = []
    for disease in fit["posterior"]["disease"].to_numpy().tolist():
        own = rows[rows["disease"] == disease]
        about = {"disease": disease, "evidence": "direct" if len(own) else "borrowed"}
        counts = {name: int(own[name].sum()) for name in ("events_min", "events_max", "n")}
        counts["studies"] = own["study"].nunique()
        level = _interval(known, outcome=outcome, quantity="rate", disease=disease)
        made.append({"row": "rate", **about, **counts, **level})
        made += [_study_row(known, row, outcome) for row in own.to_dict("records")]
        level = _interval(known, outcome=outcome, quantity="new_study", disease=disease)
        made.append({"row": "new_study", **about, **level})
    if (known["quantity"] == "new_disease").any():
        level = _interval(known, outcome=outcome, quantity="new_disease")
        made.append({"row": "new_disease", "evidence": "borrowed", **level})
    columns = ["row", "disease", "study", "arm", "label", "events_min", "events_max", "n", "months"]
    columns += ["certainty", "raw_min", "raw_max", "raw_low", "raw_high", "estimate", "low", "high"]
    columns += ["mcse_estimate", "mcse_low", "mcse_high", "studies", "evidence"]
    frame = pd.DataFrame(made).reindex(columns=columns)
    whole = ["events_min", "events_max", "n", "studies"]
    frame[whole] = frame[whole].astype("Int64")
    frame.insert(0, "outcome", outcome)
    return frame


def _study_row(known: pd.DataFrame, row: Mapping[Any, Any], outcome: str) -> dict[str, Any]:
    about = {"outcome": outcome, "quantity": "study_rate", "study": row["study"]}
    has_one = np.logical_and.reduce([known[name] == value for name, value in about.items()]).any()
    estimate = _interval(known, **about) if has_one else {}
    kept = ("disease", "study", "arm", "label", "events_min", "events_max", "n", "months")
    return {
        "row": "study",
        **{name: row[name] for name in (*kept, "certainty")},
        **_raw(row, outcome),
        **estimate,
        "studies": 1,
        "evidence": "direct",
    }


def _labelled(evidence: Evidence) -> pd.DataFrame:
    """Rows with the label of their study, of the arm where it is not all treated, and a sign."""
    labels = study_labels(evidence.studies)
    rows = evidence.rows.copy()
    rows["label"] = rows["study"].astype(str).map(labels) + rows["arm"].map(arm_words)
    rows.loc[rows["certainty"] == MODELLED, "label"] += f" {MODELLED_SIGN}"
    return rows


def _raw(row: Mapping[Any, Any], outcome: str) -> dict[str, float]:
    """Observed proportion of a row, or its bounds, with a 95 % Wilson interval round them."""
    from scipy.stats import binomtest

    n = int(row["n"])
    low, high = (
        binomtest(int(row[end]), n).proportion_ci(0.95, method="wilson")
        for end in ("events_min", "events_max")
    )
    raw = {
        "raw_min": row["events_min"] / n,
        "raw_max": row["events_max"] / n,
        "raw_low": float(low.low),
        "raw_high": float(high.high),
    }
    if described(outcome).timed:
        years = row["months"] / MONTHS_A_YEAR
        raw = {name: 1 - (1 - value) ** (1 / years) for name, value in raw.items()}
    return raw


def _interval(known: pd.DataFrame, **about: str) -> dict[str, float]:
    statistics = one_shown(known, **about)
    named = {"estimate": "q50", "low": "q2.5", "high": "q97.5"}
    errors = {f"mcse_{name}": statistics[f"mcse_{quantile}"] for name, quantile in named.items()}
    return {name: statistics[quantile] for name, quantile in named.items()} | errors


def rates_data(fit: DataTree, evidence: Evidence) -> pd.DataFrame:
    """Gather every rate and next trial, with central 50 % and 95 % intervals.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit.
    evidence : Evidence
        The evidence that was fitted.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and `quantity` (`rate`, `new_study`): `mean, q2.5, q25, q50,
        q75, q97.5` as probabilities (of timed outcomes 12-month risks), the errors `mcse_q2.5,
        mcse_q50, mcse_q97.5`, `studies, patients, evidence`.
    """
    support = evidence_map_data(evidence).set_index(["outcome", "disease"])
    known = shown(fit)
    known = known[known["quantity"].isin(["rate", "new_study"])]
    columns = ["outcome", "disease", "quantity", "mean", *QUANTILES, *ERRORS]
    made = []
    for outcome in fit["posterior"]["outcome"].to_numpy():
        for disease in fit["posterior"]["disease"].to_numpy():
            place = (outcome, disease)
            counts = support.loc[place] if place in support.index else {"studies": 0, "patients": 0}
            own = known[(known["outcome"] == outcome) & (known["disease"] == disease)]
            made += [
                {
                    **row,
                    "studies": int(counts["studies"]),
                    "patients": int(counts["patients"]),
                    "evidence": "direct" if counts["studies"] else "borrowed",
                }
                for row in own[columns].to_dict("records")
            ]
    return pd.DataFrame(made)


def nested_children(fit: DataTree) -> list[str]:
    """Name the outcomes of a fit that are nested in another of it."""
    known = shown(fit)
    return list(dict.fromkeys(known.loc[known["quantity"] == "share", "outcome"]))


def nested_data(fit: DataTree, evidence: Evidence, child: str) -> pd.DataFrame:
    """Gather an outcome and the one it is nested in, by disease.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit with both outcomes.
    evidence : Evidence
        The evidence that was fitted.
    child : str
        The inner outcome.

    Returns
    -------
    pandas.DataFrame
        As `rates_data`, the rates of parent and child only, the parent first.

    Raises
    ------
    InputError
        The fit has not both.
    """
    parent = PARENTS.get(child)
    frame = rates_data(fit, evidence)
    if parent is None or not {child, parent} <= set(frame["outcome"]):
        raise InputError(f"the fit has not both {child} and the outcome it is nested in")
    frame = frame[frame["outcome"].isin([parent, child]) & (frame["quantity"] == "rate")]
    return frame.reset_index(drop=True)


def safety_data(fit: DataTree, evidence: Evidence) -> pd.DataFrame:
    """Gather the harms by disease, with what was counted; timed ones as 12-month risks.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit with at least one harm.
    evidence : Evidence
        The evidence that was fitted.

    Returns
    -------
    pandas.DataFrame
        As `rates_data`, the harms of the dictionary only, with `events_min, events_max, n`
        summed over the disease's rows; no rows where the fit has none.
    """
    frame = rates_data(fit, evidence)
    frame = frame[[described(name).is_harm for name in frame["outcome"]]]
    counts = evidence_map_data(evidence).rename(columns={"patients": "n"})
    counts = counts.drop(columns="studies")
    return frame.merge(counts, on=["outcome", "disease"], how="left").reset_index(drop=True)


def pooling_data(
    fits: Mapping[str, DataTree], evidence: Evidence, outcome: str | None = None
) -> pd.DataFrame:
    """Gather the rates under several poolings.

    Parameters
    ----------
    fits : mapping of str to xarray.DataTree
        Fits by pooling, such as `none`, `partial`, `complete`, in the order of drawing.
    evidence : Evidence
        The evidence that was fitted.
    outcome : str, optional
        Only this outcome.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and `pooling`: `q2.5, q50, q97.5` and their errors `mcse_…`,
        `studies, patients, evidence`.
    """
    frames = []
    for pooling, fit in fits.items():
        frame = rates_data(fit, evidence)
        frames.append(frame[frame["quantity"] == "rate"].assign(pooling=pooling))
    frame = pd.concat(frames, ignore_index=True)
    if outcome is not None:
        frame = frame[frame["outcome"] == outcome].reset_index(drop=True)
    columns = ["outcome", "disease", "pooling", "q2.5", "q50", "q97.5", *ERRORS]
    return frame[[*columns, "studies", "patients", "evidence"]]
