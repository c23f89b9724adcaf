"""Effects on made studies: whether their intervals hold the truth, and how often their guard errs.

Parameters, baselines too, are drawn from the priors that are fitted; data from the parameters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from ...models.effects.priors import DEFAULT_EFFECTS, EffectPriors
from ...models.exact.draws import draw
from ...models.priors.prior import Prior
from ..effects.guard import check_effects
from ..effects.model import IntegratedEffects, fit_effects
from .uniformity import RANKED, place

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
    """Made studies, and what is true of them, on the log-odds scale.

    Attributes
    ----------
    rows : pandas.DataFrame
        The studies.
    next_study : float
        Effect of a further study of the first disease.
    truth : dict of str to float or None
        ``mu``, ``tau``, ``sigma`` and the effect of each disease by its name; None where they do
        not come from the priors that are fitted.
    studies : numpy.ndarray, shape (study,)
        Effect of each study.
    """

    rows: pd.DataFrame
    next_study: float
    truth: Mapping[str, float] | None
    studies: np.ndarray


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
    rows, deltas = [], []
    for disease, level in enumerate(theta):
        for number in range(studies.each):
            delta = level + top["sigma"] * rng.standard_normal()
            deltas.append(delta)
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
    next_study = float(theta[0] + top["sigma"] * rng.standard_normal())
    truth = None
    if defect == SOUND:
        truth = top | {f"d{disease}": float(level) for disease, level in enumerate(theta)}
    return Made(frame, next_study, truth, np.array(deltas))


def judged(made: Made, rng: np.random.Generator) -> dict[str, Any]:
    """Fit made studies and judge the fit.

    Parameters
    ----------
    made : Made
        The studies.
    rng : numpy.random.Generator
        Source of the draws that the log likelihood of the truth is ranked among.

    Returns
    -------
    dict
        ``verdict`` of the guard; ``coverage``, 1 where the next study lies within its 95 %
        interval; ``places`` of the truth in the posterior.
    """
    diseases = list(dict.fromkeys(made.rows["disease"]))
    fit = fit_effects(made.rows, diseases, "partial", PRIORS)
    low, high = fit.distribution(_OUTCOME, "new_study", diseases[0]).quantile([0.025, 0.975])
    return {
        "verdict": check_effects(fit, {}).verdict,
        "coverage": float(low <= made.next_study <= high),
        "places": None if made.truth is None else _places(made, made.truth, fit, rng),
    }


def _places(
    made: Made, truth: Mapping[str, float], fit: IntegratedEffects, rng: np.random.Generator
) -> dict[str, float]:
    """Where the truth lies in the posterior: by distribution functions, the likelihood by rank."""
    posterior = fit.posteriors[_OUTCOME]
    known = {name: posterior.distribution(name) for name in ("mu", "tau", "sigma")}
    known |= {name: fit.distribution(_OUTCOME, "effect", name) for name in fit.diseases}
    places = {name: 1 - float(known[name].above(value)) for name, value in truth.items()}
    following = fit.distribution(_OUTCOME, "new_study", fit.diseases[0])
    places["new_study"] = 1 - float(following.above(made.next_study))
    likelihoods = posterior.hierarchy.likelihoods
    # A study without any event in both arms tells nothing, and is not among them.
    told = made.rows["study"].drop_duplicates().isin(likelihoods.studies).to_numpy()
    levels = np.vstack([made.studies[told], draw(posterior, RANKED, rng).eta])
    each = [
        likelihoods.evaluate(levels[:, study], slice(study, study + 1))[:, 0]
        for study in range(len(likelihoods.studies))
    ]
    value = np.sum(each, axis=0)
    return places | {"log_likelihood": float(place(value[0], value[1:]))}
