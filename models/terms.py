"""The rows of an evidence as terms of one likelihood: nesting, bounded counts, shared effects.

A term is what one arm of one study contributes. Its probability is a sum over *pairs*, the counts
that its rows allow; every pair is a product of powers of p, 1 - p, q, 1 - q and 1 - p q, where p is
the probability of an outcome and q that of its child among those who have it. One flat table of
pairs therefore serves every outcome, nested or not, exact or bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln

from ..data.errors import InputError
from ..data.moderators import Moderator
from ..data.outcomes import Outcome, outcome
from .moderators import Design, design_of

#: The factors whose powers make a pair, in the order of its exponents.
FACTORS = ("p", "1-p", "q", "1-q", "1-pq")

#: Columns of ``term_table``: codes, the link, log years, and where the term's pairs start and stop.
TERM_COLUMNS = ("group", "effect", "child_effect", "timed", "log_years", "start", "stop")

_MOST_PAIRS = 5_000_000

_PairsOf = Callable[[Any], np.ndarray]


@dataclass(frozen=True, eq=False)
class Terms:
    """The likelihood of an analysis set, as flat tables.

    Attributes
    ----------
    outcomes : tuple of Outcome
        The outcomes with rows; a child has its parent here only where it is modelled within it.
    diseases : tuple of str
        Every disease of the selection.
    rows : pandas.DataFrame
        The evidence's rows with ``term`` and, for a child modelled jointly with its parent's row,
        ``parent_row`` (else -1).
    effects : pandas.DataFrame
        One row a study effect: ``outcome``, ``study``, ``disease`` as codes and ``label``.
    terms : pandas.DataFrame
        One row a term: ``effect`` (of p), ``child_effect`` (of q, or -1), ``timed``, ``years`` of
        follow-up (1 where not timed), ``unit``, and ``group``: the code of its block, an outcome
        with its child, times the number of diseases, plus that of its disease.
    pairs : pandas.DataFrame
        One row a pair, in the order of the terms: ``term``, ``count`` (of the term's own row),
        ``child_count`` (of the row nested in it, or -1), ``coefficient`` (log) and the exponents
        of `FACTORS`.
    units : pandas.DataFrame
        What is left out at once: a study's rows of one outcome with its child; ``outcome`` (code of
        the block's un-nested outcome), ``study``, ``disease``, ``label``.
    design : Design or None
        What moderators add to the levels of studies; None without moderators.
    """

    outcomes: tuple[Outcome, ...]
    diseases: tuple[str, ...]
    rows: pd.DataFrame
    effects: pd.DataFrame
    terms: pd.DataFrame
    pairs: pd.DataFrame
    units: pd.DataFrame
    design: Design | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the outcomes, in order."""
        return tuple(o.name for o in self.outcomes)

    @property
    def parents(self) -> np.ndarray:
        """Code of each outcome's parent, or -1; shape (outcome,)."""
        return np.array([self.names.index(o.parent) if o.parent else -1 for o in self.outcomes])

    def exponents(self) -> np.ndarray:
        """Exponents of `FACTORS`; shape (pair, 5)."""
        return self.pairs[list(FACTORS)].to_numpy(float)


def modelled_outcomes(rows: pd.DataFrame, names: tuple[str, ...]) -> tuple[Outcome, ...]:
    """Decide which outcomes are modelled within a parent.

    A child none of whose studies has a parent row is an outcome of its own: there would be nothing
    to learn its parent's level from.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of the analysis set (``study``, ``outcome``).
    names : tuple of str
        Outcomes in the order wanted.

    Returns
    -------
    tuple of Outcome
        With ``parent`` None where the outcome stands alone.
    """
    studies = rows.groupby("outcome")["study"].agg(set).to_dict()
    described = []
    for each in map(outcome, names):
        shared = each.parent and studies.get(each.parent, set()) & studies.get(each.name, set())
        described.append(each if shared else replace(each, parent=None))
    return tuple(described)


def build_terms(
    rows: pd.DataFrame,
    names: tuple[str, ...],
    diseases: tuple[str, ...],
    moderators: tuple[Moderator, ...] = (),
    nested: bool = True,
) -> Terms:
    """Turn rows of counts into terms of the likelihood.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``study``, ``disease``, ``arm``, ``outcome``, ``events_min``, ``events_max``, ``n`` and
        ``months``, which only timed outcomes need.
    names : tuple of str
        Outcomes, in the order wanted.
    diseases : tuple of str
        Diseases, in the order wanted; those without rows get a level all the same.
    moderators : tuple of Moderator
        What may explain why studies differ.
    nested : bool
        Whether an outcome may stand within its parent; else each stands alone.

    Returns
    -------
    Terms
        The likelihood's tables.

    Raises
    ------
    InputError
        Bounds that allow more than five million combinations of counts, or a child that more
        patients have than its parent.
    """
    rows = rows.reset_index(drop=True)
    outcomes = modelled_outcomes(rows, names)
    if not nested:
        outcomes = tuple(replace(each, parent=None) for each in outcomes)
    parents: dict[str, str] = {o.name: o.parent for o in outcomes if o.parent}
    partner = _parent_rows(rows, parents)
    ledger = _Ledger(rows, outcomes, diseases)
    term_of_row = np.full(len(rows), -1)
    every_row: list[Any] = list(rows.itertuples(index=False))
    for index, row in enumerate(every_row):
        if row.outcome not in parents:
            term_of_row[index] = ledger.own(row)
    # Children come second: a parent's term is rewritten as the joint one when its child is met.
    for index, row in enumerate(every_row):
        if row.outcome in parents:
            parent = partner[index]
            term_of_row[index] = (
                ledger.join(int(term_of_row[parent]), every_row[parent], row)
                if parent >= 0
                else ledger.marginal(row, parents[row.outcome])
            )
    terms = ledger.close(rows.assign(term=term_of_row, parent_row=partner))
    if not moderators:
        return terms
    return replace(terms, design=design_of(moderators, terms.names, terms.effects, rows))


def _parent_rows(rows: pd.DataFrame, nested: dict[str, str]) -> np.ndarray:
    """Find, for each child row, the parent's row of the same study, arm and n; -1 where none."""
    keys = list(zip(rows["study"], rows["arm"], rows["outcome"], rows["n"], strict=True))
    place = {key: i for i, key in enumerate(keys)}
    return np.array(
        [place.get((study, arm, nested.get(name), n), -1) for study, arm, name, n in keys],
        dtype=int,
    )


class _Ledger:
    """Collects effects, terms, pairs and units while the rows are read once."""

    def __init__(
        self, rows: pd.DataFrame, outcomes: tuple[Outcome, ...], diseases: tuple[str, ...]
    ) -> None:
        self.outcomes, self.diseases = outcomes, tuple(diseases)
        self.code = {o.name: i for i, o in enumerate(outcomes)}
        self.disease_code = {d: i for i, d in enumerate(self.diseases)}
        self.effects: dict[tuple[int, str], int] = {}
        self.units: dict[tuple[int, str], int] = {}
        self.disease_of_study = dict(zip(rows["study"], rows["disease"], strict=True))
        self.terms: list[tuple[int, int, bool, float, int, int]] = []
        self.pairs: list[np.ndarray] = []
        self.size = 0

    def _make_room(self, combinations: int) -> None:
        """Refuse bounds that are too wide before their pairs are laid out."""
        self.size += combinations
        if self.size > _MOST_PAIRS:
            raise InputError(
                f"the bounds of the counts allow more than {_MOST_PAIRS:,} combinations: narrow "
                "events_min to events_max where n is large"
            )

    def _effect(self, outcome_name: str, study: str) -> int:
        return self.effects.setdefault((self.code[outcome_name], study), len(self.effects))

    def _term(self, block: str, row: Any, child_effect: int, pairs_of: _PairsOf) -> int:
        self._make_room(_width(row))
        disease = self.disease_code[row.disease]
        unit = self.units.setdefault((self.code[block], row.study), len(self.units))
        group = self.code[block] * len(self.diseases) + disease
        timed = self.outcomes[self.code[block]].timed
        years = row.months / 12 if timed else 1.0
        effect = self._effect(block, row.study)
        self.terms.append((effect, child_effect, timed, years, unit, group))
        self.pairs.append(pairs_of(row))
        return len(self.terms) - 1

    def own(self, row: Any) -> int:
        """Add the term of a row that stands alone; give its code."""
        return self._term(row.outcome, row, -1, _pairs_of_count)

    def join(self, term: int, parent: Any, child: Any) -> int:
        """Rewrite a parent's term as that of parent and child together."""
        self._make_room(_width(parent) * _width(child))
        child_effect = self._effect(child.outcome, child.study)
        self.terms[term] = (self.terms[term][0], child_effect, *self.terms[term][2:])
        self.pairs[term] = _pairs_of_nested_counts(parent, child)
        return term

    def marginal(self, row: Any, parent: str) -> int:
        """Add the term of a child whose parent was not counted among the same patients."""
        child_effect = self._effect(row.outcome, row.study)
        return self._term(parent, row, child_effect, _pairs_of_marginal_count)

    def close(self, rows: pd.DataFrame) -> Terms:
        """Lay out what was collected."""
        sizes = [len(p) for p in self.pairs]
        columns = ["count", "child_count", "coefficient", *FACTORS]
        pairs = pd.DataFrame(np.concatenate(self.pairs), columns=columns)
        pairs.insert(0, "term", np.repeat(np.arange(len(sizes)), sizes))
        return Terms(
            self.outcomes,
            self.diseases,
            rows,
            self._labelled(self.effects),
            pd.DataFrame(
                self.terms,
                columns=["effect", "child_effect", "timed", "years", "unit", "group"],
            ),
            pairs.astype({"count": int, "child_count": int}),
            self._labelled(self.units),
        )

    def _labelled(self, entries: dict[tuple[int, str], int]) -> pd.DataFrame:
        return pd.DataFrame(
            [
                {
                    "outcome": code,
                    "study": study,
                    "disease": self.disease_code[self.disease_of_study[study]],
                    "label": f"{self.outcomes[code].name}/{study}",
                }
                for code, study in entries
            ]
        )


def _width(row: Any) -> int:
    """Count the values that a row's bounds allow."""
    return int(row.events_max) - int(row.events_min) + 1


def _log_binomial(n, k) -> np.ndarray:
    return gammaln(np.asarray(n) + 1.0) - gammaln(np.asarray(k) + 1.0) - gammaln(n - k + 1.0)


def _pairs_of_count(row: Any) -> np.ndarray:
    y = np.arange(row.events_min, row.events_max + 1)
    zero = np.zeros(len(y))
    return np.column_stack([y, zero - 1, _log_binomial(row.n, y), y, row.n - y, zero, zero, zero])


def _pairs_of_marginal_count(row: Any) -> np.ndarray:
    z = np.arange(row.events_min, row.events_max + 1)
    zero = np.zeros(len(z))
    return np.column_stack([z, zero - 1, _log_binomial(row.n, z), z, zero, z, zero, row.n - z])


def _pairs_of_nested_counts(parent: Any, child: Any) -> np.ndarray:
    if child.events_min > parent.events_max:
        raise InputError(
            f"{child.study}, {child.arm}: {child.events_min} with {child.outcome} are more than "
            f"the {parent.events_max} with {parent.outcome}: {child.outcome} is always among them"
        )
    y, z = np.meshgrid(
        np.arange(parent.events_min, parent.events_max + 1),
        np.arange(child.events_min, child.events_max + 1),
        indexing="ij",
    )
    y, z = y[z <= y], z[z <= y]
    coefficient = _log_binomial(parent.n, y) + _log_binomial(y, z)
    zero = np.zeros(len(y))
    return np.column_stack([y, z, coefficient, y, parent.n - y, z, y - z, zero])


def count_data(terms: Terms) -> dict[str, np.ndarray]:
    """Lay out the likelihood's tables as the two arrays that the compiled likelihood reads.

    Two, because every further array that a compiled model reads as data costs it a second.

    Parameters
    ----------
    terms : Terms
        The likelihood.

    Returns
    -------
    dict of str to numpy.ndarray
        ``term_table``, shape (term, `TERM_COLUMNS`), and ``pair_table``, shape (pair, 6): the log
        coefficient and the exponents, in the order of ``terms.pairs``.
    """
    stop = np.cumsum(np.bincount(terms.pairs["term"], minlength=len(terms.terms)))
    start = np.concatenate([[0], stop[:-1]])
    table = terms.terms.assign(log_years=np.log(terms.terms["years"]), start=start, stop=stop)
    pairs = np.column_stack([terms.pairs["coefficient"].to_numpy(float), terms.exponents()])
    return {
        "term_table": table[list(TERM_COLUMNS)].to_numpy(float),
        "pair_table": np.ascontiguousarray(pairs),
    }
