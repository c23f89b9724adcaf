"""What a reader of effects must be told beside their tables."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ...data.controlled import Controlled
from ...data.evidence import Evidence
from ...data.moderators import Moderator, moderator_messages
from ...data.names import outcome_words, study_labels
from ...models.effects.contrast import informative_studies
from ...models.effects.standardised import by_means
from ...models.terms import modelled_outcomes
from .model import EffectsFit
from .tables import contradictions


def messages_of(
    evidence: Evidence,
    compared: Controlled,
    fit: EffectsFit,
    absolute: pd.DataFrame,
    moderators: Sequence[Moderator],
    beside: bool,
) -> list[str]:
    """Say what a reader of effects must be told, a sentence each.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    compared : Controlled
        What was compared of it.
    fit : EffectsFit
        The effects.
    absolute : pandas.DataFrame
        As `tables.absolute_table`.
    moderators : sequence of Moderator
        What the effects were explained by.
    beside : bool
        Whether the effects of randomised studies alone stand beside.
    """
    told, labels = list(compared.left_out), study_labels(evidence.studies)
    for name in compared.outcome_names:
        own = fit.rows_of(name)
        telling = set(informative_studies(own))
        silent = [study for study in dict.fromkeys(own["study"]) if study not in telling]
        if silent:
            told.append(
                f"{outcome_words(name)}: {', '.join(labels[s] for s in silent)} had the outcome in "
                "none or in all of both arms, or counts that say nothing of one: listed, and no "
                "evidence of an effect"
            )
    if modelled := list(dict.fromkeys(fit.rows.loc[by_means(fit.rows), "study"])):
        told.append(
            f"{', '.join(labels[s] for s in modelled)}: effects that follow from means by a "
            "model, not from counts"
        )
    others = fit.rows[fit.rows["randomised"].map(lambda known: known is False)]
    if names := list(dict.fromkeys(others["study"])):
        named = ", ".join(labels[name] for name in names)
        without = "the answer without stands beside" if beside else "--randomised leaves them out"
        told.append(f"not randomised: {named}; {without}")
    described = modelled_outcomes(fit.rows, compared.outcome_names)
    parents = {each.name: each.parent for each in described if each.parent}
    told += contradictions(absolute, parents)
    if moderators:
        told.append("moderators are for the sampler: every effect was sampled")
        told += moderator_messages(moderators, compared.rows, labels)
    return told
