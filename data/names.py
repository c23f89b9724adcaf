"""Names as readers see them: of diseases, outcomes and studies, whole or abbreviated by rule."""

from __future__ import annotations

import pandas as pd

OUTCOME_WORDS = {
    "improvement": "Improvement",
    "remission": "Remission",
    "any_ae": "Any adverse event",
    "moderate_severe_ae": "Moderate or severe adverse event",
    "serious_ae": "Serious adverse event",
    "death": "Death within 12 months",
}
_OUTCOME_SHORT = {
    "improvement": "Improved",
    "remission": "Remission",
    "any_ae": "Any AE",
    "moderate_severe_ae": "Grade ≥ 2 AE",
    "serious_ae": "Serious AE",
    "death": "Death",
}
_DISEASE_SHORT = {"systemic_sclerosis": "SSc", "psoriasis": "Pso"}
_LONGEST_SHORT = 5


def words(name: str) -> str:
    """Turn a name of the tables into words: underscores are spaces, the first letter is large.

    Parameters
    ----------
    name : str
        As in the evidence, `systemic_sclerosis`.

    Returns
    -------
    str
        `Systemic sclerosis`; a name that has large letters or spaces already keeps its letters.
    """
    text = " ".join(name.replace("_", " ").split())
    return text[:1].upper() + text[1:]


def outcome_words(name: str) -> str:
    """Name an outcome in words; one that is not of the dictionary by its own name."""
    return OUTCOME_WORDS.get(name, words(name))


def outcome_short(name: str) -> str:
    """Name an outcome where there is little room; AE is adverse event."""
    return _OUTCOME_SHORT.get(name, words(name))


def disease_words(name: str) -> str:
    """Name a disease in words."""
    return words(name)


def disease_short(name: str) -> str:
    """Abbreviate a disease: the customary letters, else initials, else the first letters.

    Parameters
    ----------
    name : str
        As in the evidence.

    Returns
    -------
    str
        `SLE`, `AD`; at most five letters.
    """
    if name in _DISEASE_SHORT:
        return _DISEASE_SHORT[name]
    parts = words(name).split()
    if len(parts) > 1:
        return "".join(part[0] for part in parts if part[0].isalnum()).upper()[:_LONGEST_SHORT]
    return words(name)[:_LONGEST_SHORT]


def study_labels(studies: pd.DataFrame) -> dict[str, str]:
    """Give the label of each study.

    Parameters
    ----------
    studies : DataFrame
        Columns `study` and `label`.

    Returns
    -------
    dict of str to str
        Label of each study id; the id where the label is empty.
    """
    labels = studies["label"].where(studies["label"].fillna("") != "", studies["study"])
    return dict(zip(studies["study"].astype(str), labels.astype(str), strict=True))
