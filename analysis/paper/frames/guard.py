"""What the figures of the guard show, gathered from its findings into tidy frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ....data.names import study_labels
from ....data.outcomes import OUTCOMES
from ...fitting.summary import QUANTILES
from ...guard.result import CheckResult

if TYPE_CHECKING:
    from xarray import DataTree

    from ....data.evidence import Evidence


def predictive_data(fit: DataTree, evidence: Evidence) -> pd.DataFrame:
    """Gather each row's count and what new studies like it are predicted to give.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit with mixed predictive draws.
    evidence : Evidence
        The evidence that was fitted.

    Returns
    -------
    pandas.DataFrame
        One row a row of the evidence, by outcome and then by predicted median: `outcome, disease,
        study, arm, label, n`, observed `raw_min, raw_max` (proportions), predicted `q2.5, q25, q50,
        q75, q97.5` (proportions), and `inside`: whether the count may lie in the 95 % interval.
    """
    draws = fit["mixed_predictive"].to_dataset()["events"].to_numpy()
    draws = draws.reshape(-1, draws.shape[-1])
    given = fit["constant_data"].to_dataset()
    labels = study_labels(evidence.studies)
    n = given["n"].to_numpy()
    values = np.quantile(draws / n, list(QUANTILES.values()), axis=0)
    frame = pd.DataFrame(
        {
            **{name: given[name].to_numpy() for name in ("outcome", "disease", "study", "arm")},
            "label": [labels.get(str(s), str(s)) for s in given["study"].to_numpy()],
            "n": n,
            "raw_min": given["events_min"].to_numpy() / n,
            "raw_max": given["events_max"].to_numpy() / n,
            **dict(zip(QUANTILES, values, strict=True)),
        }
    )
    frame["inside"] = (frame["raw_max"] >= frame["q2.5"]) & (frame["raw_min"] <= frame["q97.5"])
    order = {name: i for i, name in enumerate(given["outcome"].to_numpy())}
    order |= {name: i - len(OUTCOMES) for i, name in enumerate(OUTCOMES)}
    frame = frame.assign(place=frame["outcome"].map(order))
    frame = frame.sort_values(["place", "q50", "q97.5", "label"], kind="stable")
    return frame.drop(columns="place").reset_index(drop=True)


def checks_data(checked: CheckResult, evidence: Evidence) -> pd.DataFrame:
    """Gather the guard's predictive checks.

    Parameters
    ----------
    checked : CheckResult
        What the guard says of a fit.
    evidence : Evidence
        The evidence that was fitted.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and check: `outcome, check, observed, predicted, mid_p, mid_p_mcse,
        verdict`, the tails `warn_tail, fail_tail` within which a value is remarked, on both sides
        unless it is `two_sided` itself, as that of the study left out; and its `study`'s label.
    """
    from ...guard.discrepancies import FAIL_TAIL, WARN_TAIL
    from ...guard.surprise import FAIL_LEFT_OUT, LEFT_OUT, WARN_LEFT_OUT

    columns = ["outcome", "check", "observed", "predicted", "mid_p", "mid_p_mcse", "verdict"]
    made = [vars(one) for each in checked.outcomes for one in each.checks]
    frame = pd.DataFrame(made, columns=columns)
    left_out = frame["check"] == LEFT_OUT
    labels, surprising = study_labels(evidence.studies), _most_surprising(checked)
    return frame.assign(
        warn_tail=np.where(left_out, WARN_LEFT_OUT, WARN_TAIL),
        fail_tail=np.where(left_out, FAIL_LEFT_OUT, FAIL_TAIL),
        two_sided=left_out,
        study=[
            labels.get(surprising.get(name, ""), surprising.get(name, "")) if left else ""
            for name, left in zip(frame["outcome"], left_out, strict=True)
        ],
    )


def _most_surprising(checked: CheckResult) -> dict[str, str]:
    """Name the study of each outcome that the others predict worst."""
    by_outcome: dict[str, list] = {}
    for one in checked.loo:
        by_outcome.setdefault(one["outcome"], []).append(one)
    return {
        name: str(min(own, key=lambda one: one["mid_p"])["study"])
        for name, own in by_outcome.items()
    }


def calibration_data(checked: CheckResult, evidence: Evidence) -> pd.DataFrame:
    """Gather the probability integral transforms of studies left out.

    Parameters
    ----------
    checked : CheckResult
        What the guard says of a fit.
    evidence : Evidence
        The evidence that was fitted.

    Returns
    -------
    pandas.DataFrame
        One row a study and outcome: `outcome, disease, study, label, pit` (0 to 1, uniform for a
        calibrated model), `pareto_k, elpd`, and `verdict`: what the guard says of the outcome's
        most surprising study, "pass" of the others.
    """
    from ...guard.surprise import LEFT_OUT

    labels = study_labels(evidence.studies)
    studies = evidence.studies.astype({"study": str})
    diseases = dict(zip(studies["study"], studies["disease"], strict=True))
    frame = pd.DataFrame(
        [dict(one) for one in checked.loo], columns=["study", "outcome", "elpd", "pareto_k", "pit"]
    )
    frame["disease"] = frame["study"].map(diseases)
    frame["label"] = frame["study"].map(labels)
    extremes = _most_surprising(checked)
    said = {
        (each.outcome, extremes.get(each.outcome)): one.verdict
        for each in checked.outcomes
        for one in each.checks
        if one.check == LEFT_OUT
    }
    pairs = zip(frame["outcome"], frame["study"], strict=True)
    frame["verdict"] = [said.get(pair, "pass") for pair in pairs]
    columns = ["outcome", "disease", "study", "label", "pit", "pareto_k", "elpd", "verdict"]
    return frame[columns]
