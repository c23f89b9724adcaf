"""Rates with and without the counts that follow from means."""

from __future__ import annotations

import pandas as pd

from ....data.errors import SelectionError
from ....data.means import Means, improvement
from ....data.names import study_labels
from ....models.exact.outcomes import exact_outcomes
from .results import Results

_STATISTICS = ["q50", "q2.5", "q97.5"]
_KEYS = ["outcome", "disease"]


def means_of(results: Results) -> pd.DataFrame:
    """Give the rows of means that an analysis may let in: those of its studies and outcomes.

    Parameters
    ----------
    results : Results
        A fit.

    Returns
    -------
    pandas.DataFrame
        Rows of `Evidence.means`.
    """
    evidence = results.unmoderated.select(means=True)
    rows = pd.concat([evidence.rows, evidence.controls])
    rows = rows.loc[rows["certainty"] == "modelled", ["study", "arm", "outcome", "definition"]]
    rows = rows[rows["outcome"].isin(results.outcomes)]
    return evidence.means.merge(rows, on=list(rows.columns))


def improvement_data(results: Results) -> pd.DataFrame:
    """Gather the mean improvement of each arm, and what it bounds.

    Parameters
    ----------
    results : Results
        A fit.

    Returns
    -------
    pandas.DataFrame
        One row an arm, those of a score together: ``study, label, arm`` (`treated`, `control`),
        ``measure, unit, n``, ``mean`` (improvement) with ``sd_low, sd_high``, ``threshold_min,
        threshold_max``, ``events_min, events_max``.
    """
    labels = study_labels(results.evidence.studies)
    rows = []
    for row in means_of(results).to_dict("records"):
        scores = Means.of(row)
        mean, least, most = improvement(scores)
        own = {name: row[name] for name in ("study", "measure", "n", "events_min", "events_max")}
        rows.append(
            own
            | {
                "label": labels[row["study"]],
                "arm": "control" if row["arm"] == "control" else "treated",
                "unit": "% of the score before" if row["percent"] else "points",
                "mean": mean,
                "sd_low": least,
                "sd_high": most,
                "threshold_min": row["threshold_min"],
                "threshold_max": row["threshold_max"],
            }
        )
    frame = pd.DataFrame(rows)
    return frame if frame.empty else frame.sort_values("measure", kind="stable", ignore_index=True)


def rates_with_means(results: Results) -> pd.DataFrame:
    """Compare the rates with and without counts that follow from means, integrated exactly.

    Parameters
    ----------
    results : Results
        A fit; its priors and pooling are taken.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and disease: ``outcome, disease, studies, patients, evidence``,
        ``q50, q2.5, q97.5`` without means, and the same with ``_means``; probabilities. Missing
        where there are no counts; without what only the sampler can fit.

    Raises
    ------
    ImpossibleDataError
        Priors that all but exclude the counts.
    """
    frames = []
    for outcome in dict.fromkeys(means_of(results)["outcome"]):
        without, with_means = (_rates(results, outcome, means) for means in (False, True))
        frames.append(without.merge(with_means, on=_KEYS, how="right", suffixes=("", "_means")))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=_KEYS)


def _rates(results: Results, outcome: str, means: bool) -> pd.DataFrame:
    columns = [*_KEYS, "studies", "patients", "evidence", *_STATISTICS]
    try:
        evidence = results.unmoderated.select(outcomes=outcome, means=means)
    except SelectionError:  # no counts but those that follow from means
        return pd.DataFrame(columns=columns)
    fit = exact_outcomes(evidence, results.config["pooling"], results.priors)
    if outcome not in fit.posteriors:
        return pd.DataFrame(columns=columns)
    frame = fit.rates()
    chosen = (frame["outcome"] == outcome) & (frame["quantity"] == "rate")
    return frame.loc[chosen, columns]
