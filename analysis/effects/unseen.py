"""What could be missing of effects: controlled studies that nobody has seen."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ...data.outcomes import outcome
from ...models.effects.contrast import contrast_likelihoods
from ...models.effects.priors import DEFAULT_EFFECTS, EffectPriors
from ...models.exact.unseen_study import UnseenStudy, unseen_studies
from ..sensitivity.flips import NO, YES, conclude
from ..sensitivity.unseen import EXTREME, NULL
from .model import fit_effects
from .since import benefit_of

#: Patients an arm of the largest study that is thought of.
MOST = 500
#: Sizes that are looked at together: most conclusions are undone by few patients.
_BLOCKS = (16, 64, 192, MOST)
_EVERY = 2

COLUMNS = (
    *("outcome", "disease", "probability_benefit", "mcse", "confidence", "concluded", "kind"),
    *("control_rate", "n", "treated_events", "control_events", "probability_after", "mcse_after"),
    *("most", "like_n", "like_probability"),
)


def unseen_trials(
    rows: pd.DataFrame,
    diseases: Sequence[str],
    pooling: str,
    control_rates: Mapping[tuple[str, str], float],
    sizes: Mapping[tuple[str, str], int],
    confidence: float,
    priors: EffectPriors = DEFAULT_EFFECTS,
) -> pd.DataFrame:
    """Find for each effect the smallest trial nobody has seen that would undo its benefit.

    The trial has two arms of one size, and an effect of its own as any. Its control arm has the
    outcome at the control rate; its treated arm as often as that (`NULL`), or as far on the side of
    harm as can be (`EXTREME`: none of a benefit, all of a harm).

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `mscpool.data.controlled.controlled_rows`.
    diseases : sequence of str
        Every disease of the analysis.
    pooling : str
        How diseases inform each other.
    control_rates : mapping of (str, str) to float
        By outcome and disease, those that are asked about.
    sizes : mapping of (str, str) to int
        By outcome and disease, patients an arm of a trial that is added whatever was concluded.
    confidence : float
        Probability of benefit from which on treatment is said to help.
    priors : EffectPriors
        The priors.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and kind, `COLUMNS`: the ``probability_benefit`` and whether
        benefit is ``concluded``; where it is, the patients an arm ``n`` of the smallest trial after
        which it is not, with the counts and the probability after it, with its numerical error
        ``mcse_after``, which does not bear on that; and ``like_probability``, that after a trial of
        ``like_n`` an arm.
    """
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(name for name, _ in control_rates):
        own = rows[rows["outcome"] == name]
        posterior = fit_effects(own, diseases, pooling, priors).posteriors[name]
        asked = {key[1]: rate for key, rate in control_rates.items() if key[0] == name}
        finer, coarser = (unseen_studies(posterior, asked, each, _EVERY) for each in (False, True))
        for disease, rate in asked.items():
            benefit, error = benefit_of(posterior, name, disease)
            answer = conclude(pd.Series([benefit]), pd.Series([error]), confidence)[0]
            about: dict[str, Any] = {
                "outcome": name, "disease": disease, "probability_benefit": benefit,
                "mcse": error, "confidence": confidence, "concluded": answer,
                "control_rate": rate, "most": MOST, "like_n": sizes[name, disease],
            }  # fmt: skip
            both = finer[disease], coarser[disease]
            for kind in (EXTREME, NULL):
                like = _after(both, name, kind, rate, np.array([sizes[name, disease]]), priors)
                row: dict[Any, Any] = about | {
                    "kind": kind,
                    "like_probability": like["probability_after"].iloc[0],
                }
                if answer == YES:
                    row |= _smallest(both, name, kind, rate, confidence, priors)
                found.append(row)
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    whole = ("n", "treated_events", "control_events", "like_n")
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _smallest(
    both: tuple[UnseenStudy, UnseenStudy],
    name: str,
    kind: str,
    rate: float,
    confidence: float,
    priors: EffectPriors,
) -> dict[Hashable, Any]:
    """Give the smallest trial after which benefit is not concluded; nothing where none is found."""
    for first, last in pairwise((0, *_BLOCKS)):
        trials = _after(both, name, kind, rate, np.arange(first + 1, last + 1), priors)
        after = conclude(trials["probability_after"], trials["mcse_after"], confidence)
        undone = trials[after == NO]
        if len(undone):
            return undone.iloc[0].to_dict()
    return {}


def _after(
    both: tuple[UnseenStudy, UnseenStudy],
    name: str,
    kind: str,
    rate: float,
    n: np.ndarray,
    priors: EffectPriors,
) -> pd.DataFrame:
    """Give the probability of benefit after trials of these sizes an arm, each by itself."""
    control = np.round(rate * n).astype(int)
    treated = control if kind == NULL else n if outcome(name).is_harm else np.zeros_like(n)
    arms = {"msc": treated, "control": control}
    rows = pd.concat(
        [
            pd.DataFrame(
                {
                    "study": [str(size) for size in n], "disease": "", "arm": arm, "n": n,
                    "events_min": events, "events_max": events, "months": 12.0,
                }
            )
            for arm, events in arms.items()
        ],
        ignore_index=True,
    ).sort_values("n", kind="stable", ignore_index=True)  # fmt: skip
    likelihoods = contrast_likelihoods(rows, outcome(name).link, baseline=priors.baseline)
    # Of trials in which all or none of both arms had it nothing is learnt.
    telling = np.searchsorted(n, np.array(likelihoods.studies, int))
    found = []
    for unseen in both:
        log_likelihoods = np.zeros((len(unseen.levels), len(n)))
        if len(telling):
            log_likelihoods[:, telling] = likelihoods.evaluate(unseen.levels, slice(None))
        above = unseen.after(log_likelihoods).above([0.0])[0]
        found.append(1 - above if outcome(name).is_harm else above)
    benefit, check = found
    return pd.DataFrame(
        {
            "n": n, "treated_events": treated, "control_events": control,
            "probability_after": benefit, "mcse_after": np.abs(benefit - check),
        }
    )  # fmt: skip
