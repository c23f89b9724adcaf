"""Rows and names that are probably not what they are taken for: totals, and one thing named twice.

Nothing is dropped: a reader decides.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from .names import arm_words, counted_in_text, numbered
from .outcomes import DICTIONARY, OUTCOMES

_TOTAL = re.compile(r"(grand |sub)?(total|sum|overall|pooled|combined|all studies|all)s?")
_ET_AL = re.compile(r"\b(et al|and others|and colleagues)\b")
_COUNTS = ["events_min", "events_max", "n"]
# Three counts that add up over so many rows do not do so by chance; over two they may.
_ROWS_THAT_ADD_UP = 3
# A free vocabulary of hundreds of names would take longer to compare than to fit.
_MOST_NAMES = 100


def suspicions(rows: pd.DataFrame, labels: Mapping[str, str]) -> tuple[str, ...]:
    """Say which rows look like totals, and which studies and outcomes look like the same.

    Parameters
    ----------
    rows : DataFrame
        The rows of a selection, all arms.
    labels : mapping of str to str
        How readers know the studies.

    Returns
    -------
    tuple of str
        One line each.
    """
    told = dict.fromkeys(_totals(rows, labels))
    told |= dict.fromkeys(_alike_studies(rows, labels))
    told |= dict.fromkeys(_alike_outcomes(dict.fromkeys(rows["outcome"])))
    return tuple(told)


def likely_outcome(name: str) -> str | None:
    """Give the outcome of the dictionary that a name is probably meant for.

    Parameters
    ----------
    name : str
        Not of the dictionary.

    Returns
    -------
    str or None
        None where nothing is near.
    """
    known = {
        _plain(words): each.name
        for each in DICTIONARY
        for words in (each.name, each.label, each.short)
    }
    near = difflib.get_close_matches(_plain(name), known, n=1, cutoff=0.85)
    return known[near[0]] if near else None


def similar_names(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names so alike that one of them may be a slip."""
    earlier: list[str] = []
    for name in list(names)[:_MOST_NAMES]:
        near = difflib.get_close_matches(
            name.casefold(), [other.casefold() for other in earlier], n=1, cutoff=0.9
        )
        for other in earlier:
            if other.casefold() in near:
                yield other, name
        earlier.append(name)


def _totals(rows: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[str]:
    """Find rows whose counts are the sums of the others, of all diseases or of their own."""
    for keys in (["outcome", "arm"], ["outcome", "arm", "disease"]):
        groups = rows.groupby(keys, sort=False)
        twice, others = 2 * rows[_COUNTS], groups["n"].transform("size") - 1
        adds_up = (twice == groups[_COUNTS].transform("sum")).all(axis=1) & (others > 1)
        for row, beside in zip(rows[adds_up].itertuples(), others[adds_up], strict=True):
            # Where nothing happened the events add up in any row: only its name can tell.
            by_counts = beside >= _ROWS_THAT_ADD_UP and row.events_max > 0
            label = labels[row.study]
            if by_counts or _TOTAL.fullmatch(_plain(label)):
                yield (
                    f"{label}{arm_words(row.arm)}, {counted_in_text(row.outcome)}: "
                    f"{_count(row)} are the sums of the "
                    f"{numbered(beside, 'other row')}: leave it out if it is their total, or "
                    "its patients "
                    "count twice"
                )


def _count(row: Any) -> str:
    events = f"{row.events_min}" if row.events_min == row.events_max else (
        f"{row.events_min} to {row.events_max}"
    )  # fmt: skip
    return f"{events} of {row.n}"


def _alike_studies(rows: pd.DataFrame, labels: Mapping[str, str]) -> Iterator[str]:
    counts: dict[Any, set[tuple[Any, ...]]] = defaultdict(set)
    for row in rows[["study", "outcome", "arm", *_COUNTS]].itertuples(index=False):
        counts[row.study].add(tuple(row)[1:])
    for one, other in _pairs_by(counts, _folded):
        yield (
            f"studies {_told(one, other, labels)} differ in nothing but letters: are they the same?"
        )
    for one, other in _pairs_by(counts, _author_and_year):
        if _folded(one) != _folded(other) and counts[one] & counts[other]:
            yield f"studies {_told(one, other, labels)} have the same counts: are they the same?"


def _alike_outcomes(names: Iterable[str]) -> Iterator[str]:
    names = list(names)
    for one, other in _pairs_by(names, _plain):
        yield f"outcomes {one} and {other} differ by little: are they the same?"
    for name in names:
        if name not in OUTCOMES and (likely := likely_outcome(name)):
            yield f"outcome {name} is none of those known here: did you mean {likely}?"


def _pairs_by(names: Iterable[str], key: Any) -> Iterator[tuple[str, str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    for group in groups.values():
        yield from combinations(group, 2)


def _told(one: str, other: str, labels: Mapping[str, str]) -> str:
    """Name two as readers know them, or as the tables do; also where they look the same."""
    if labels[one] != labels[other]:
        one, other = labels[one], labels[other]
    composed = [unicodedata.normalize("NFC", name) for name in (one, other)]
    apart = " (written in two encodings)" if composed[0] == composed[1] else ""
    return f"{one} and {other}{apart}"


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _plain(name: str) -> str:
    """Give a name without case, accents and signs."""
    parts = unicodedata.normalize("NFKD", name).casefold()
    kept = (c if c.isalnum() else " " for c in parts if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def _author_and_year(name: str) -> str:
    return " ".join(_ET_AL.sub(" ", _plain(name)).split())
