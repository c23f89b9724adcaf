"""Effects on made studies: whether their intervals hold the truth, and how often their guard errs.

Parameters, baselines too, are drawn from the priors that are fitted; data from the parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from ...models.effects.priors import DEFAULT_EFFECTS, EffectPriors
from ...models.priors.prior import Prior
from ..effects.guard import check_effects
from ..effects.model import fit_effects
from ..guard.verdicts import Verdict

#: The default priors with baselines as they occur: rates from 5 to 90 % rather than any.
PRIORS = EffectPriors(DEFAULT_EFFECTS.priors, Prior.make("Normal", mu=-0.5, sigma=1.0))

_OUTCOME = "improvement"
#: An effect that nobody would overlook: an odds ratio of five, much the same everywhere.
_CLEAR = {"mu": np.log(5.0), "tau": 0.25, "sigma": 0.25}


@dataclass(frozen=True)
class Studies:
    """Two-arm studies before anything was counted: so many a disease, of so many patients.

    Attributes
    ----------
    diseases, each : int
        Diseases, and studies of each.
    treated, control : int
        Patients of an arm.
    """

    diseases: int
    each: int
    treated: int
    control: int


SHAPES = {"effects, 3 x 4 x (40 + 40)": Studies(3, 4, 40, 40)}
SOUND = "none"
REVERSED = "arms of one study exchanged, odds ratios about 5"
DEFECTS = (SOUND, REVERSED)


@dataclass(frozen=True, eq=False)
class Made:
    """Made studies: their rows, and the effect of a further study of the first disease."""

    rows: pd.DataFrame
    next_study: float


def simulate(studies: Studies, defect: str, rng: np.random.Generator) -> Made:
    """Draw parameters, and from them studies.

    Parameters
    ----------
    studies : Studies
        Their shape.
    defect : {"none", `REVERSED`}
        With the latter effects are clear, and one study has its arms exchanged.
    rng : numpy.random.Generator
        Source of randomness.
    """
    priors = PRIORS.of(_OUTCOME)
    top = {
        name: float(getattr(priors, name).at_normal_score(rng.standard_normal()))
        for name in ("mu", "tau", "sigma")
    }
    if defect == REVERSED:
        top = _CLEAR
    theta = top["mu"] + top["tau"] * rng.standard_normal(studies.diseases)
    rows = []
    for disease, level in enumerate(theta):
        for number in range(studies.each):
            delta = level + top["sigma"] * rng.standard_normal()
            baseline = float(PRIORS.baseline.at_normal_score(rng.standard_normal()))
            swap = defect == REVERSED and not rows
            arms = [("msc", studies.treated, 0.5), ("control", studies.control, -0.5)]
            for name, n, half in arms:
                half = -half if swap else half
                events = int(rng.binomial(n, expit(baseline + half * delta)))
                rows.append((f"d{disease}s{number}", f"d{disease}", name, events, events, n))
    columns = ["study", "disease", "arm", "events_min", "events_max", "n"]
    frame = pd.DataFrame(rows, columns=columns)
    frame = frame.assign(outcome=_OUTCOME, months=np.nan, randomised=None)
    return Made(frame, float(theta[0] + top["sigma"] * rng.standard_normal()))


def judged(made: Made) -> tuple[Verdict, bool]:
    """Fit made studies: the guard's verdict, and whether the next study lies within its interval.

    Parameters
    ----------
    made : Made
        The studies.
    """
    diseases = list(dict.fromkeys(made.rows["disease"]))
    fit = fit_effects(made.rows, diseases, "partial", PRIORS)
    interval = fit.distribution(_OUTCOME, "new_study", diseases[0]).quantile([0.025, 0.975])
    return check_effects(fit, {}).verdict, bool(interval[0] <= made.next_study <= interval[1])
