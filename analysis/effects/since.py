"""Effects over time: of studies up to each year, and of later studies against those before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ...data.outcomes import outcome
from ...models.effects.conditional import predicted_place
from ...models.effects.contrast import contrast_likelihoods
from ...models.effects.priors import DEFAULT_EFFECTS, EffectPriors
from ...models.exact.distribution import STATISTICS
from ...models.exact.hierarchy import ExactHierarchy
from ...models.exact.posterior import ExactPosterior
from ..sensitivity.flips import conclude
from .tables import raw_effect

BY_YEAR = (
    *("outcome", "disease", "year", "studies", "patients", "gained", *STATISTICS),
    *("probability_benefit", "mcse", "confidence", "concluded"),
)
LATER = (
    *("study", "disease", "outcome", "treated_min", "treated_max", "treated_n"),
    *("control_min", "control_max", "control_n", "raw", "raw_low", "raw_high"),
    *("q2.5", "q50", "q97.5", "expected", "mid_p", "mid_p_mcse"),
)


def effects_by_year(
    rows: pd.DataFrame,
    diseases: Sequence[str],
    pooling: str,
    years: Mapping[str, int],
    confidence: float,
    priors: EffectPriors = DEFAULT_EFFECTS,
) -> pd.DataFrame:
    """Integrate effects again with the controlled studies up to each year.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `mscpool.data.controlled.controlled_rows`.
    diseases : sequence of str
        Every disease wanted.
    pooling : str
        How diseases inform each other.
    years : mapping of str to int
        Of every study.
    confidence : float
        Probability of benefit from which on treatment is said to help.
    priors : EffectPriors
        The priors.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and year in which the outcome gained a study that informs, of
        diseases with such a study by then, `BY_YEAR`; none of outcomes whose studies are all of one
        year. Columns: the effect of a typical study on the log
        scale, the probability of benefit with its numerical error ``mcse``, and whether benefit is
        ``concluded``.
    """
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(rows["outcome"]):
        own = rows[rows["outcome"] == name]
        whole = _hierarchy(own, str(name), diseases, pooling, priors)
        studies = whole.likelihoods.studies
        if len({years[study] for study in studies}) < 2:
            continue
        before = dict.fromkeys(diseases, 0)
        for year in sorted({years[study] for study in studies}):
            some = {study for study in studies if years[study] <= year}
            posterior = whole.of_studies(some).posterior(priors.of(str(name)))
            patients = own[own["study"].isin(some)].groupby("disease")["n"].sum()
            for row in (
                posterior.rates().query("quantity == 'rate' and studies > 0").to_dict("records")
            ):
                disease = str(row["disease"])
                benefit, error = benefit_of(posterior, str(name), disease)
                answer = conclude(pd.Series([benefit]), pd.Series([error]), confidence)[0]
                found.append(
                    {
                        "outcome": name, "disease": disease, "year": year,
                        "studies": int(row["studies"]), "patients": int(patients[disease]),
                        "gained": bool(row["studies"] > before[disease]),
                        **{statistic: row[statistic] for statistic in STATISTICS},
                        "probability_benefit": benefit, "mcse": error, "confidence": confidence,
                        "concluded": answer,
                    }
                )  # fmt: skip
                before[disease] = int(row["studies"])
    return pd.DataFrame(found, columns=list(BY_YEAR))


def _hierarchy(
    rows: pd.DataFrame, name: str, diseases: Sequence[str], pooling: str, priors: EffectPriors
) -> ExactHierarchy:
    likelihoods = contrast_likelihoods(rows, outcome(name).link, diseases, priors.baseline)
    return ExactHierarchy(likelihoods, pooling, name)


def benefit_of(posterior: ExactPosterior, name: str, disease: str) -> tuple[float, float]:
    """Give the probability that a typical study shows benefit, and its numerical error."""
    main, check = (
        float(posterior.distribution("rate", disease, coarser).above(0.0))
        for coarser in (False, True)
    )
    return (1 - main if outcome(name).is_harm else main), abs(main - check)


def predict_effects(
    rows: pd.DataFrame,
    later: pd.DataFrame,
    diseases: Sequence[str],
    pooling: str,
    priors: EffectPriors = DEFAULT_EFFECTS,
) -> pd.DataFrame:
    """Predict the effects of later studies from those before.

    Parameters
    ----------
    rows, later : pandas.DataFrame
        Of `mscpool.data.controlled.controlled_rows`: the studies before, and the later ones.
    diseases, pooling, priors
        As in `effects_by_year`.

    Returns
    -------
    pandas.DataFrame
        One row a later study and outcome of which the studies before say something, `LATER`: its
        counts; its ``raw`` effect with 95 % limits; the effect that was predicted of the next study
        in its disease (log scale); the ``expected`` treated count given its total number of events;
        and the two-sided mid-p value of its own, with the numerical error. Of a study with means
        these are of its log odds ratio.
    """
    found: list[dict[str, Any]] = []
    for name, own in later.groupby("outcome", sort=False):
        before = rows[rows["outcome"] == name]
        if before.empty:
            continue
        hierarchy = _hierarchy(before, str(name), diseases, pooling, priors)
        if not hierarchy.likelihoods.studies:
            continue
        posterior, link = hierarchy.posterior(priors.of(str(name))), outcome(str(name)).link
        for study, arms in own.groupby("study", sort=False):
            disease = str(arms["disease"].iloc[0])
            placed = []
            for coarser in (False, True):
                following = posterior.distribution("new_study", disease, coarser)
                levels, masses = following.nodes
                placed.append(predicted_place(arms, link, levels, masses, priors.baseline))
            (low, high, expected), middle = placed[0], [(p[0] + p[1]) / 2 for p in placed]
            following = posterior.distribution("new_study", disease)
            quantiles = np.asarray(following.quantile([0.025, 0.5, 0.975])).tolist()
            row: dict[str, Any] = {"study": study, "disease": disease, "outcome": name}
            control = arms["arm"] == "control"
            for side, part in (("treated", arms[~control]), ("control", arms[control])):
                for key, column in (("min", "events_min"), ("max", "events_max"), ("n", "n")):
                    row[f"{side}_{key}"] = int(part[column].sum())
            row |= dict(zip(("raw", "raw_low", "raw_high"), raw_effect(arms, link), strict=True))
            row |= dict(zip(("q2.5", "q50", "q97.5"), quantiles, strict=True))
            row |= {"expected": expected, "mid_p": min(1.0, low + high, 2 - low - high)}
            found.append(row | {"mid_p_mcse": 2 * abs(middle[0] - middle[1])})
    return pd.DataFrame(found, columns=list(LATER))
