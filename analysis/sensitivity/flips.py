"""Decision flips: which priors change a conclusion about a rate, and which is the nearest.

The conclusion is that a rate exceeds (or stays below) a threshold with at least the wanted
probability. It is drawn anew under every prior set compared, and for every prior of a map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from ...data.names import outcome_words, spaced, words
from ...models.direction import Direction
from ...models.priors.catalogue import CATALOGUE
from ..fitting.ranking import CERTAIN
from .questions import Question
from .sets import SetResult
from .weighted_statistics import probability_above

#: Whether a conclusion is drawn, and whether the priors compared agree about it.
YES, NO, UNDECIDED = "yes", "no", "undecided"
CHANGED, UNCHANGED, OPEN = "changed", "unchanged", "undecided"

PROBABILITY_COLUMNS = ("set", "outcome", "disease", "probability", "mcse")


def set_probabilities(results: Sequence[SetResult], asked: Mapping[str, Question]) -> pd.DataFrame:
    """Probability of every conclusion under every set.

    Returns
    -------
    pandas.DataFrame
        ``set``, ``outcome``, ``disease``, ``probability``, ``mcse``.
    """
    rows = []
    for result in results:
        for block, weights in result.weights.items():
            labels, sample = weights.source.sample(block)
            for name in set(block) & asked.keys():
                probability, error = probability_above(
                    sample, weights.values, asked[name].threshold
                )
                probability = asked[name].direction.probability(probability)
                rows += [
                    (result.priors.name, outcome, disease, probability[i], error[i])
                    for i, (outcome, disease, quantity) in enumerate(labels)
                    if quantity == "rate" and outcome == name
                ]
    return pd.DataFrame(rows, columns=list(PROBABILITY_COLUMNS))


def flips(
    grid_map: pd.DataFrame,
    by_set: pd.DataFrame,
    asked: Mapping[str, Question],
    confidence: float,
) -> pd.DataFrame:
    """Decide for each conclusion whether a prior changes it, and find the nearest that does.

    Parameters
    ----------
    grid_map : pandas.DataFrame
        As `prior_map.reweighted_map`, of all outcomes.
    by_set : pandas.DataFrame
        As `set_probabilities`, the reference set first.
    asked : mapping of str to Question
        The conclusion of each outcome, drawn where it has at least this probability:
    confidence : float
        Strictly between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and disease: ``threshold``, ``direction`` (``above``, ``below``),
        ``confidence``, ``probability`` (of the conclusion) and ``mcse`` under the reference,
        ``concluded`` (``yes``, ``no``, ``undecided``: as `conclude`), ``lowest`` and ``highest``
        probability under the sets compared, ``verdict`` over these sets (`CHANGED`: some draw the
        conclusion and some do not; `UNCHANGED`: all or none do; `OPEN`: the error of at least one
        probability is too large to say), ``changed_by`` and ``open_under`` (names of the sets that
        change the reference's conclusion, and of those that are undecided), ``nearest_mu``,
        ``nearest_tau_scale``, ``distance`` and ``nearest_probability`` of the nearest prior of the
        grid that changes it (nan where none does), ``covered`` (share of the grid that is
        decided), ``sentence``.
    """
    if not asked:
        return pd.DataFrame()
    reference, names = by_set["set"].iloc[0], set(by_set["set"])
    order = {name: i for i, name in enumerate(asked)}
    by_set = by_set.sort_values("outcome", key=lambda o: o.map(order), kind="stable")
    rows = []
    for (outcome, disease), own in by_set.groupby(["outcome", "disease"], sort=False):
        question = asked[str(outcome)]
        first = own[own["set"] == reference].iloc[0]
        answers = conclude(own["probability"], own["mcse"], confidence)
        concluded = str(answers[own["set"].to_numpy() == reference][0])
        part = grid_map[(grid_map["outcome"] == outcome) & (grid_map["disease"] == disease)]
        on_grid = conclude(part["probability"], part["mcse"], confidence)
        changed = part[_differ(on_grid, concluded)].sort_values("distance", kind="stable")
        nearest = changed.iloc[0] if len(changed) else None
        row = {
            "outcome": outcome,
            "disease": disease,
            "threshold": question.threshold,
            "direction": question.direction.value,
            "confidence": confidence,
            "probability": first["probability"],
            "mcse": first["mcse"],
            "concluded": concluded,
            "lowest": own["probability"].min(),
            "highest": own["probability"].max(),
            "verdict": _verdict(answers),
            "changed_by": ", ".join(own["set"][_differ(answers, concluded)]),
            "open_under": ", ".join(own["set"][answers == UNDECIDED]),
            "nearest_mu": np.nan if nearest is None else nearest["mu"],
            "nearest_tau_scale": np.nan if nearest is None else nearest["tau_scale"],
            "distance": np.nan if nearest is None else nearest["distance"],
            "nearest_probability": np.nan if nearest is None else nearest["probability"],
            "covered": (on_grid != UNDECIDED).mean(),
        }
        rows.append(row | {"sentence": _sentence(row, names)})
    return pd.DataFrame(rows)


def conclude(probability: pd.Series, error: pd.Series, confidence: float) -> np.ndarray:
    """Say where a conclusion is drawn: where its probability reaches the confidence wanted.

    Parameters
    ----------
    probability, error : pandas.Series
        Probabilities of the conclusion and their Monte-Carlo or numerical errors; nan is unknown.
    confidence : float
        The probability that it needs.

    Returns
    -------
    numpy.ndarray
        ``yes`` or ``no``; ``undecided`` where the probability is within `CERTAIN` errors of the
        confidence, or unknown.
    """
    away = np.asarray(probability, float) - confidence
    margin = CERTAIN * np.asarray(error, float)
    answers = np.full(away.shape, UNDECIDED, object)
    answers[away < -margin] = NO
    # A probability without error that equals the confidence is enough.
    answers[(away > margin) | ((away == 0) & (margin == 0))] = YES
    return answers


def _differ(answers: np.ndarray, concluded: str) -> np.ndarray:
    """Mark the answers that are clearly another than a clear one."""
    other = {YES: NO, NO: YES}.get(concluded)
    return answers == other if other else np.zeros(len(answers), bool)


def _verdict(answers: np.ndarray) -> str:
    if {YES, NO} <= set(answers):
        return CHANGED
    return OPEN if UNDECIDED in answers else UNCHANGED


def _sentence(row: dict, compared: set[str]) -> str:
    verb = _VERBS[Direction(row["direction"]), row["concluded"]]
    parts = [
        f"{outcome_words(row['outcome'])}, {spaced(row['disease'])}: the rate {verb} "
        f"{row['threshold']:g} (probability {row['probability']:.3f}, wanted "
        f"{row['confidence']:g})."
    ]
    if row["concluded"] == UNDECIDED:
        parts.append("The probability is within its error of the wanted one: sample longer.")
    else:
        parts += [_of_sets(row, compared), _of_grid(row)]
    return " ".join(parts)


def _named(sets: str) -> str:
    return ", ".join(map(words, sets.split(", ")))


def _of_sets(row: dict, compared: set[str]) -> str:
    if row["changed_by"]:
        said = f"This changes under {_named(row['changed_by'])}."
    elif row["open_under"]:
        said = "No prior compared clearly changes it."
    elif compared >= CATALOGUE.keys():
        said = "No prior in the catalogue changes it."
    elif len(compared) > 1:
        said = "None of the other priors compared changes it."
    else:
        return "No other prior was compared."
    return said + (f" Undecided: {_named(row['open_under'])}." if row["open_under"] else "")


def _of_grid(row: dict) -> str:
    if np.isfinite(row["nearest_mu"]):
        tau = row["nearest_tau_scale"]
        with_tau = f" with tau ~ HalfNormal({tau:.2g})" if np.isfinite(tau) else ""
        return (
            f"The nearest prior of the grid that changes it is centred on mu = "
            f"{row['nearest_mu']:z.2f}{with_tau}, at distance {row['distance']:.1f}."
        )
    if row["covered"] == 1:
        return "No prior of the grid does."
    return f"No prior of the grid clearly does ({row['covered']:.0%} of it is decided)."


_VERBS = {
    (Direction.ABOVE, YES): "exceeds",
    (Direction.ABOVE, NO): "is not shown to exceed",
    (Direction.ABOVE, UNDECIDED): "may or may not be shown to exceed",
    (Direction.BELOW, YES): "stays below",
    (Direction.BELOW, NO): "is not shown to stay below",
    (Direction.BELOW, UNDECIDED): "may or may not be shown to stay below",
}
