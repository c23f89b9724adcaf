"""Prior-data conflict: whether the prior would have expected data like these."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ...data.names import outcome_words
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting import predict
from ..fitting.ranking import CERTAIN

#: A prior is in conflict with an outcome's events where they are this improbable; with a study's,
#: where they are so after dividing by the number of studies.
LEVEL = 0.05

CONFLICT, OK, UNDECIDED = "conflict", "ok", "undecided"

_DRAWS = 4000
_COLUMNS = ("outcome", "study", "mid_p", "mid_p_mcse", "direction", "verdict")


def prior_conflicts(terms: Terms, pooling: str, priors: PriorSet, seed: int) -> pd.DataFrame:
    """Compare every outcome's and every study's events with what the prior expects.

    Parameters
    ----------
    terms : Terms
        The likelihood: rows with their counts.
    pooling : str
        How diseases inform each other.
    priors : PriorSet
        The priors.
    seed : int
        Source of the replicated data.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``study`` (None for all of them: the total of events), ``mid_p`` (two-sided
        prior-predictive mid-p: small where the prior expects something else), ``mid_p_mcse``,
        ``direction`` (``more`` or ``fewer`` events than expected), ``verdict`` (``conflict``,
        ``ok`` or ``undecided``). A bounded count is placed in the middle of what its bounds allow.

    References
    ----------
    Box 1980, doi 10.2307/2982063; Evans and Moshonov 2006, doi 10.1214/06-BA129.
    """
    rng = np.random.default_rng(seed)
    levels = predict.prior_levels(terms, pooling, priors, _DRAWS, rng)
    counts = predict.replicate(levels, terms, rng)
    rows = []
    for outcome in terms.names:
        mine = terms.rows[terms.rows["outcome"] == outcome]
        studies = list(dict.fromkeys(mine["study"]))
        if studies:
            rows.append(_judged(outcome, None, mine, counts, LEVEL))
        for study in studies:
            part = mine[mine["study"] == study]
            rows.append(_judged(outcome, study, part, counts, LEVEL / len(studies)))
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    # Left to itself pandas would turn the missing study of a whole outcome into a number.
    return table.assign(study=pd.Series([row[1] for row in rows], dtype=object))


def _judged(outcome: str, study: str | None, rows: pd.DataFrame, counts: np.ndarray, level: float):
    total = counts[:, rows.index.to_numpy()].sum(axis=1)
    low, high = int(rows["events_min"].sum()), int(rows["events_max"].sum())
    mid_p, error, direction = mid_p_value(total, low, high)
    return outcome, study, mid_p, error, direction, judge(mid_p, error, level)


def mid_p_value(replicated: np.ndarray, low: int, high: int) -> tuple[float, float, str]:
    """Two-sided mid-p of a count that lies between two bounds.

    Parameters
    ----------
    replicated : numpy.ndarray, shape (draw,)
        Predicted counts.
    low, high : int
        Bounds of the observed count, equal where it is known.

    Returns
    -------
    mid_p : float
        Twice the smaller tail, half of what is observed counted to each.
    error : float
        Monte-Carlo standard error, of independent draws.
    direction : str
        ``more`` or ``fewer`` events than predicted.
    """
    below = ((replicated < low).mean() + (replicated <= high).mean()) / 2
    tail = min(below, 1 - below)
    # A tail that no draw reached is not known to be zero: half a draw is the least to be said.
    least = max(tail, 0.5 / len(replicated))
    error = 2 * np.sqrt(least * (1 - least) / len(replicated))
    return float(2 * tail), float(error), "fewer" if below < 0.5 else "more"


def judge(mid_p: float, error: float, level: float) -> str:
    """Say whether a mid-p is a conflict at a level; withheld where its error spans the level."""
    if abs(mid_p - level) <= CERTAIN * error:
        return UNDECIDED
    return CONFLICT if mid_p < level else OK


def sentence(row: pd.Series, labels: Mapping[str, str]) -> str:
    """Say in a sentence what a row of `prior_conflicts` means; labels name the studies."""
    study = row["study"]
    where = "all studies together" if study is None else labels.get(study, study)
    if row["verdict"] == OK:
        return f"{outcome_words(row['outcome'])}, {where}: what was seen is what the prior allows."
    odds = f"a chance of {row['mid_p']:.2g}" if row["mid_p"] > 0 else "practically no chance"
    doubt = "" if row["verdict"] == CONFLICT else " (more draws would tell)"
    return (
        f"{outcome_words(row['outcome'])}, {where}: {row['direction']} events than the prior "
        f"expects{doubt}; it gave data as far out {odds}."
    )
