"""Names as readers see them: of diseases, outcomes and studies, whole or abbreviated by rule."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .outcomes import DICTIONARY, outcome

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_SHORT = 5
_SMALL_WORDS = frozenset({"a", "and", "in", "of", "or", "the", "with"})


def words(name: str) -> str:
    """Turn a name of the tables into words: underscores are spaces, the first letter is large.

    Parameters
    ----------
    name : str
        As in the evidence, `any_name`.

    Returns
    -------
    str
        `Any name`; a name that has large letters or spaces already keeps its letters.
    """
    text = spaced(name)
    return text[:1].upper() + text[1:]


def spaced(name: str) -> str:
    """Turn a name of the tables into words within a sentence: underscores are spaces."""
    return " ".join(name.replace("_", " ").split())


#: How the field writes the parameters of the hierarchy.
GREEK = {"mu": "μ", "tau": "τ", "sigma": "σ", "beta": "β"}
_OF_PRIORS = {
    **{rf"\b{name}\b": letter for name, letter in GREEK.items()},
    r"\bhalf (normal|cauchy|student)\b": r"half-\1",
    r"\bcauchy\b": "Cauchy",
    r"\bstudent t\b": "Student t",
    r"\bturner\b": "Turner",
}


def prior_set_words(name: str) -> str:
    """Name a prior set for a reader: ``tau_half_cauchy_0.5`` is `τ half-Cauchy 0.5`."""
    text = spaced(name)
    for pattern, written in _OF_PRIORS.items():
        text = re.sub(pattern, written, text)
    return text if text[:1] in GREEK.values() else text[:1].upper() + text[1:]


def outcome_words(name: str) -> str:
    """Name the rate of an outcome in words; one that is not of the dictionary by its own name."""
    label = counted_words(name)
    return f"{label} within 12 months" if outcome(name).timed else label


def counted_words(name: str) -> str:
    """Name an outcome in words where it is counted, over whatever time."""
    return outcome(name).label or _own(name, words(name))


def outcome_short(name: str) -> str:
    """Name an outcome where there is little room; AE is adverse event."""
    return outcome(name).short or _own(name, words(name))


def outcome_in_text(name: str) -> str:
    """Name the rate of an outcome within a sentence; one not of the dictionary as it is."""
    return _small(outcome_words(name)) if outcome(name).label else _own(name, spaced(name))


def counted_in_text(name: str) -> str:
    """Name an outcome within a sentence where it is counted, over whatever time."""
    return _small(counted_words(name)) if outcome(name).label else _own(name, spaced(name))


def outcome_plural(name: str) -> str:
    """Name the events of an outcome within a sentence."""
    return _small(counted_words(name)) + "s"


#: What outcomes of the dictionary are called, in small letters.
_CALLED = frozenset(
    said.casefold()
    for known in DICTIONARY
    for said in (words(known.name), known.label, known.short, outcome_words(known.name))
)


def _own(name: str, text: str) -> str:
    """Set a user's own outcome off by quotation marks where its words are those of a known one."""
    return f"“{spaced(name)}”" if text.casefold() in _CALLED else text


def timed_words(names: Iterable[str]) -> str:
    """Name those of some outcomes that take a time, within a sentence; empty where none does."""
    return " and ".join(_small(counted_words(name)) for name in names if outcome(name).timed)


def level_scale(names: Collection[str], noun: str = "") -> str:
    """Name the linear scale on which the levels of some outcomes lie, with a noun after it."""
    timed = timed_words(names)
    if not timed:
        return f"log-odds{noun}"
    alone = all(outcome(name).timed for name in names)
    return f"log hazard a year{noun}" if alone else f"log-odds{noun} ({timed}: log hazard a year)"


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]


def noun(n: Any, one: str, many: str = "") -> str:
    """Give the form of a noun that goes with a number."""
    return one if n == 1 else many or f"{one}s"


def numbered(n: Any, one: str, many: str = "") -> str:
    """Write how many there are of something, as `1 study` and `2,000 studies`."""
    return f"{n:,.0f} {noun(n, one, many)}"


def arm_words(name: str) -> str:
    """Name an arm after its study; nothing for that of all who were treated."""
    return {"msc": "", "msc_low": ", low dose", "msc_high": ", high dose"}.get(name, f", {name}")


def disease_shorts(diseases: Iterable[str], customary: Mapping[str, str]) -> dict[str, str]:
    """Abbreviate diseases, each in its own way.

    Parameters
    ----------
    diseases : iterable of str
        As in the evidence.
    customary : mapping of str to str
        The abbreviations of those that have one.

    Returns
    -------
    dict of str to str
        The customary letters, else the initials, else the first letters; at most
        five, and a number where two diseases would share them. Numbers in a name are kept.
    """
    made: dict[str, str] = {}
    for name in diseases:
        short = base = customary.get(name) or _initials(name)
        number = 1
        while short in made.values():
            number += 1
            short = f"{base}{number}"
        made[name] = short
    return made


def _initials(name: str) -> str:
    parts = [part for part in words(name).split() if part.lower() not in _SMALL_WORDS]
    if len(parts) < 2:
        return words(name)[:_LONGEST_SHORT]
    letters = [part if part.isdigit() else part[0].upper() for part in parts if part[0].isalnum()]
    return "".join(letters[:_LONGEST_SHORT])


def study_labels(studies: pd.DataFrame) -> dict[str, str]:
    """Give the label of each study.

    Parameters
    ----------
    studies : DataFrame
        Columns `study` and `label`.

    Returns
    -------
    dict of str to str
        Label of each study id; the id where the label is empty. One without a letter has the noun
        before it: a sentence on study 2 would count something.
    """
    labels = studies["label"].where(studies["label"].fillna("") != "", studies["study"])
    told = [
        label if re.search(r"[^\W\d_]", label) else f"study {label}" for label in map(str, labels)
    ]
    return dict(zip(studies["study"].astype(str), told, strict=True))


def study_sources(studies: pd.DataFrame) -> list[str]:
    """Say where each study was published: its journal and DOI, as far as they are given.

    Parameters
    ----------
    studies : DataFrame
        Columns `study`, `label`, and perhaps `journal`, `doi` and `registration`.

    Returns
    -------
    list of str
        One line a study that has any of these.
    """
    said = []
    labels = study_labels(studies)
    for study in studies.to_dict("records"):
        journal, doi, registered = (study.get(key) for key in ("journal", "doi", "registration"))
        parts = [journal, doi and f"doi {doi}", registered and f"registration {registered}"]
        if source := ", ".join(part for part in parts if part):
            said.append(f"{labels[study['study']]}: {source}")
    return said


def ratio_words(name: str) -> str:
    """Name the ratio that an effect on an outcome is told as."""
    return "Hazard ratio" if outcome(name).timed else "Odds ratio"
