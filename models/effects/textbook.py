"""The hierarchy of effects as one writes it in PyMC: baselines drawn, not integrated.

The model that users read, sample and extend; the exact engine integrates the same one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data.controlled import controlled_rows
from ...data.errors import InputError
from ...data.evidence import Evidence, as_evidence
from ...data.moderators import Moderator
from ..moderators import coefficient_labels, design_of
from ..pooling import Pooling, structure
from ..sampled.hierarchy import moderator_deviations
from ..sampled.textbook import LEVELS, OBSERVED, parameter, rows_by_kind
from ..sources import keep_sources_beside_cache
from ..terms import Terms, build_terms
from .contrast import Baseline, informative_studies
from .priors import DEFAULT_EFFECTS, EffectPriors, effect_priors
from .standardised import by_means, effect_of_means

if TYPE_CHECKING:
    import pymc as pm


def build_effects_model(
    evidence: Evidence | str | Path | pd.DataFrame,
    pooling: Pooling = "partial",
    priors: EffectPriors | str | Path = DEFAULT_EFFECTS,
) -> pm.Model:
    """Build the hierarchical model of treated against control arms.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame
        The analysis set; its studies with a control arm are compared.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : EffectPriors or str
        Priors of the effects and of the baselines: a set, its name, or the text of a prior file.

    Returns
    -------
    pymc.Model
        As `effects_model` gives it.

    Raises
    ------
    InputError
        No study has a control arm, an unknown pooling, or a prior that cannot be used.

    Examples
    --------
    >>> model = mp.build_effects_model(evidence)
    >>> [variable.name for variable in model.observed_RVs]
    ['events']
    """
    evidence = as_evidence(evidence)
    compared = controlled_rows(evidence)
    return effects_model(compared.rows, evidence.diseases, pooling, effect_priors(priors))


def effects_model(
    rows: pd.DataFrame,
    diseases: Sequence[str],
    pooling: str,
    priors: EffectPriors,
    moderators: Sequence[Moderator] = (),
    scaled_over: pd.DataFrame | None = None,
) -> pm.Model:
    """Build the model of effects from the arms that are compared; each outcome stands alone.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `mscpool.data.controlled.controlled_rows`. Studies that say nothing of an effect are left
        out, as `informative_studies` tells.
    diseases : sequence of str
        Every disease wanted.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : EffectPriors
        The priors.
    moderators : sequence of Moderator
        What may explain why effects differ.
    scaled_over : pandas.DataFrame, optional
        Arms of the studies that numbers are centred and scaled over, where not all are fitted.

    Returns
    -------
    pymc.Model
        With ``mu``, ``tau``, ``sigma`` (dims outcome), ``theta`` (outcome, disease) and ``delta``
        (contrast: an outcome of a study): log odds ratios, or log hazard ratios of timed outcomes.
        ``baseline`` (counted: a contrast with counts) is the midpoint of its arms on the linear
        scale. What a pooling does without is absent. Observed are ``events`` (row) and
        ``events_bounded`` (bounded_row) as in `build_model`, and ``log_odds_ratio`` (modelled) of
        studies that report means. With moderators ``beta`` (outcome, coefficient) adds
        ``moderator`` times itself to ``delta``, as in `mscpool.models.moderators.Design`.

    Raises
    ------
    InputError
        No study says anything of an effect, an unknown pooling, or a prior that cannot be used.

    References
    ----------
    Jackson and others 2018, doi 10.1002/sim.7588 (model 5).
    """
    import pymc as pm

    keep_sources_beside_cache()
    rows = _informative(rows)
    terms = _terms(rows, diseases)
    contrasts = _contrasts(rows)
    contrasts = contrasts.assign(
        label=contrasts["outcome"] + "/" + contrasts["study"],
        modelled=[bool(by_means(_arms(rows, one)).any()) for one in contrasts.itertuples()],
    ).reset_index(drop=True)
    counts = {dim: part[~by_means(part)] for dim, part in rows_by_kind(terms).items()}
    counted = contrasts.index[~contrasts["modelled"]]
    coords = {
        "outcome": list(terms.names),
        "disease": list(terms.diseases),
        "contrast": list(contrasts["label"]),
        "counted": list(contrasts["label"][counted]),
        "modelled": list(contrasts["label"][contrasts["modelled"]]),
        **{dim: list(part["outcome"] + "/" + part["study"]) for dim, part in counts.items()},
    }
    outcome = np.array([terms.names.index(name) for name in contrasts["outcome"]])
    disease = np.array([terms.diseases.index(name) for name in contrasts["disease"]])
    normal = Baseline.of(priors.baseline)
    if moderators:
        coords["coefficient"] = list(coefficient_labels(moderators))
    with pm.Model(coords={dim: labels for dim, labels in coords.items() if labels}) as model:
        theta = LEVELS[structure(pooling, terms.diseases)](terms, priors)
        sigma = parameter("sigma", terms, priors)
        effect: Any = theta[outcome, disease] + sigma[outcome] * pm.Normal(
            "study_effect", dims="contrast"
        )
        if moderators:
            explained = contrast_terms(rows, diseases, moderators, scaled_over)
            effect = effect + _moderated(explained, priors)
        delta = pm.Deterministic("delta", effect, dims="contrast")
        if len(counted):
            baseline = pm.Normal("baseline", normal.mean, normal.sd, dims="counted")
            eta = _levels_of_arms(terms, contrasts, counted, baseline, delta)
            for dim, observe in OBSERVED.items():
                if len(counts[dim]):
                    observe(eta, counts[dim])
        if len(counted) < len(contrasts):
            _observe_means(delta, contrasts, rows)
    return model


def _informative(rows: pd.DataFrame) -> pd.DataFrame:
    """Keep the arms of the studies that say something of each outcome's effect."""
    kept = []
    for _, own in rows.groupby("outcome", sort=False):
        kept.append(own[own["study"].isin(informative_studies(own))])
    found = pd.concat(kept, ignore_index=True) if kept else rows
    if found.empty:
        raise InputError("no study says anything of an effect: there is nothing to sample")
    return found


def _terms(rows: pd.DataFrame, diseases: Sequence[str]) -> Terms:
    """Lay out the arms as terms, each with a level of its own."""
    names = tuple(dict.fromkeys(rows["outcome"]))
    arms = rows.assign(study=rows["study"] + "/" + rows["arm"])
    return build_terms(arms, names, tuple(diseases), nested=False)


def _contrasts(rows: pd.DataFrame) -> pd.DataFrame:
    """Give a row for each outcome of a study, in the order of the arms."""
    return rows[["outcome", "study", "disease"]].drop_duplicates(["outcome", "study"])


def contrast_terms(
    rows: pd.DataFrame,
    diseases: Sequence[str],
    moderators: Sequence[Moderator],
    scaled_over: pd.DataFrame | None = None,
) -> Terms:
    """Lay out the contrasts of the studies that say something, with their moderators.

    Parameters
    ----------
    rows, diseases, moderators, scaled_over
        As in `effects_model`.

    Returns
    -------
    Terms
        Its rows are the arms, its effects the contrasts, as the design has them.
    """
    rows = _informative(rows)
    terms, contrasts = _terms(rows, diseases), _contrasts(rows)
    effects = pd.DataFrame(
        {
            "outcome": [terms.names.index(name) for name in contrasts["outcome"]],
            "study": contrasts["study"].to_numpy(),
        }
    )
    wide = rows if scaled_over is None else _informative(scaled_over)
    design = design_of(moderators, terms.names, effects, wide)
    return replace(terms, rows=rows, effects=effects, design=design)


def _moderated(terms: Terms, priors: EffectPriors) -> Any:
    """Give what moderators add to each contrast; their coefficients are ``beta``."""
    import pymc as pm

    assert terms.design is not None, "asked for with moderators only"
    matrix = pm.Data("moderator", terms.design.matrix, dims=("contrast", "coefficient"))
    sd = moderator_deviations(terms, priors)[:, None]
    beta = pm.Normal("beta", 0, sd, dims=("outcome", "coefficient"))
    return (matrix * beta[terms.effects["outcome"].to_numpy()]).sum(axis=1)


def _arms(rows: pd.DataFrame, contrast: Any) -> pd.DataFrame:
    """Give the arms of one contrast."""
    return rows[(rows["outcome"] == contrast.outcome) & (rows["study"] == contrast.study)]


def _levels_of_arms(terms: Terms, contrasts: pd.DataFrame, counted, baseline, delta) -> Any:
    """Levels of the arms: half the contrast above the baseline, or below it in a control arm."""
    place = {label: i for i, label in enumerate(contrasts["label"])}
    position = {contrast: i for i, contrast in enumerate(counted.tolist())}
    labels = [label.rsplit("/", 1) for label in terms.effects["label"]]
    contrast = [place[label] for label, _ in labels]
    half = np.array([-0.5 if arm == "control" else 0.5 for _, arm in labels])
    # The levels of arms with means are not observed: any baseline does.
    of_baseline = [position.get(i, 0) for i in contrast]
    return baseline[of_baseline] + half * delta[contrast]


def _observe_means(delta, contrasts: pd.DataFrame, rows: pd.DataFrame) -> None:
    import pymc as pm

    modelled = contrasts[contrasts["modelled"]]
    told = np.array([effect_of_means(_arms(rows, one)) for one in modelled.itertuples()])
    pm.Normal(
        "log_odds_ratio",
        delta[modelled.index.to_numpy()],
        told[:, 1],
        observed=told[:, 0],
        dims="modelled",
    )
