"""Every outcome of an evidence that can be integrated exactly, nested ones included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.mistakes import one_of
from ...data.names import arm_words, counted_in_text, counted_words, numbered, study_labels
from ...data.outcomes import Outcome
from ..priors.sets import DEFAULT, PriorSet
from ..terms import modelled_outcomes
from .distribution import Distribution, product, product_above
from .hierarchy import TOLERANCE, ExactHierarchy
from .likelihood_table import count_likelihoods
from .posterior import ExactPosterior, statistics_row
from .predictions import study_distributions

if TYPE_CHECKING:
    from ...data.evidence import Evidence


#: What to do about an outcome that cannot be integrated, for who fits.
SAMPLER = "; use the sampler (--engine nuts)"


class NotExact(InputError):
    """An outcome that only the sampler can fit.

    Attributes
    ----------
    outcome : str
        Its name.
    parent : str
        The outcome that it lies within.
    rows : pandas.DataFrame
        The rows that stand in the way, with ``reason``.
    places : list of str
        The studies in the way as readers call them, each with its arm where that is not all.
    reason : str
        What is in the way, in words, without what to do instead.
    """

    def __init__(
        self, outcome: str, parent: str, rows: pd.DataFrame, labels: Mapping[str, str]
    ) -> None:
        self.outcome, self.parent, self.rows = outcome, parent, rows
        self.places = [
            labels.get(str(row.study), str(row.study)) + arm_words(str(row.arm))
            for row in rows.itertuples(index=False)
        ]
        named = "; ".join(
            f"{place}: {why}" for place, why in zip(self.places, rows["reason"], strict=True)
        )
        self.reason = f"{counted_words(outcome)} cannot be integrated exactly: {named}"
        super().__init__(f"{self.reason}{SAMPLER}")


def conditional_rows(
    rows: pd.DataFrame,
    child: str,
    parent: str,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> pd.DataFrame:
    """Turn a nested outcome's rows into counts among those who had its parent.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of an evidence.
    child, parent : str
        The nested outcome and the one it lies within.
    labels : mapping of str to str
        Names of the studies for readers.

    Returns
    -------
    pandas.DataFrame
        The child's rows, with ``n`` the parent's count.

    Raises
    ------
    NotExact
        Where a child's row has no parent row of the same study, arm and n, or that parent's count
        is known within bounds only; names every such row.
    """
    children = rows[rows["outcome"] == child]
    columns = ["study", "arm", "events_min", "events_max", "n"]
    above = rows.loc[rows["outcome"] == parent, columns].to_dict("records")
    known = {(row["study"], row["arm"]): row for row in above}
    counts, reasons = [], []
    for row in children[columns].to_dict("records"):
        parent_row = known.get((row["study"], row["arm"]))
        if parent_row is None:
            reasons.append(f"no row of {counted_in_text(parent)}")
            counts.append(0)
            continue
        low, high, n = (int(parent_row[c]) for c in ("events_min", "events_max", "n"))
        counts.append(low)
        if n != row["n"]:
            sizes = f"is of {numbered(n, 'patient')}, {counted_in_text(child)} of {row['n']}"
            reasons.append(f"{counted_in_text(parent)} {sizes}")
        else:
            bounds = f"{counted_in_text(parent)} is {low} to {high} of {n}"
            reasons.append("" if low == high else bounds)
    marked = children.assign(reason=reasons)
    if marked["reason"].any():
        wrong = marked[marked["reason"] != ""].reset_index(drop=True)
        raise NotExact(child, parent, wrong, labels)
    highest = np.minimum(children["events_max"], counts)
    return children.assign(n=counts, events_max=highest).reset_index(drop=True)


@dataclass(frozen=True, eq=False)
class ExactModel:
    """Hierarchies of every outcome that can be integrated, before any prior.

    Attributes
    ----------
    evidence : Evidence
        The analysis set.
    pooling : str
        How diseases inform each other.
    hierarchies : dict of str to ExactHierarchy
        By outcome; that of a nested one is of its probability among those with its parent.
    parents : dict of str to str
        Each nested outcome's parent.
    refused : dict of str to NotExact
        The outcomes that only the sampler can fit.
    """

    evidence: Evidence
    pooling: str
    hierarchies: dict[str, ExactHierarchy]
    parents: dict[str, str]
    refused: dict[str, NotExact]

    @property
    def fitted_alone(self) -> dict[str, str]:
        """Name the parents that rows of a refused child would tell of too; a sentence each."""
        told = {}
        for child, why in self.refused.items():
            if why.parent in self.hierarchies:
                told[why.parent] = (
                    f"{counted_words(why.parent)} is fitted without what rows of "
                    f"{counted_in_text(child)} say of it, which only the sampler takes in: "
                    f"{'; '.join(why.places)}"
                )
        return told

    def fit(self, priors: PriorSet = DEFAULT, verify: bool = True) -> ExactFit:
        """Integrate every outcome under a prior set.

        Parameters
        ----------
        priors : PriorSet
            The priors.
        verify : bool
            As in `ExactHierarchy.posterior`.

        Returns
        -------
        ExactFit
            The posteriors.
        """
        posteriors = {n: h.posterior(priors.of(n), verify) for n, h in self.hierarchies.items()}
        return ExactFit(self, priors, posteriors)


def exact_model(
    evidence: Evidence,
    pooling: str = "partial",
    outcomes: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
) -> ExactModel:
    """Tabulate every outcome that can be integrated.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    outcomes : sequence of str, optional
        Outcomes asked for by name (a nested one brings its parent); left out, every outcome.
    tolerance : float
        Numerical error aimed at.

    Returns
    -------
    ExactModel
        The hierarchies, and what had to be refused.

    Raises
    ------
    NotExact
        An outcome asked for by name that only the sampler can fit.
    InputError
        An unknown outcome or pooling, or moderators.
    """
    names = evidence.outcome_names
    for name in outcomes or ():
        one_of(name, names, "outcome")
    described = {o.name: o for o in modelled_outcomes(evidence.rows, names)}
    wanted = _with_parents(outcomes if outcomes is not None else names, described)
    if wanted and evidence.moderators:
        raise InputError("moderators cannot be integrated; use the sampler (--engine nuts)")
    hierarchies, refused = {}, {}
    for name in names:
        if name not in wanted:
            continue
        each = described[name]
        try:
            rows = evidence.rows[evidence.rows["outcome"] == name]
            if each.parent:
                labels = study_labels(evidence.studies)
                rows = conditional_rows(evidence.rows, name, each.parent, labels)
        except NotExact as problem:
            if outcomes is not None:
                raise
            refused[name] = problem
            continue
        likelihoods = count_likelihoods(rows, each.link, evidence.diseases)
        hierarchies[name] = ExactHierarchy(likelihoods, pooling, name, tolerance)
    parents = {n: p for n in hierarchies if (p := described[n].parent)}
    return ExactModel(evidence, pooling, hierarchies, parents, refused)


def _with_parents(names: Sequence[str], described: dict[str, Outcome]) -> set[str]:
    return {n for name in names for n in (name, described[name].parent) if n}


def exact_outcomes(
    evidence: Evidence,
    pooling: str = "partial",
    priors: PriorSet = DEFAULT,
    outcomes: Sequence[str] | None = None,
    tolerance: float = TOLERANCE,
) -> ExactFit:
    """Integrate every outcome that can be, under a prior set; arguments as in `exact_model`.

    Returns
    -------
    ExactFit
        The posteriors; ``fit.model.refused`` names what only the sampler can do.
    """
    return exact_model(evidence, pooling, outcomes, tolerance).fit(priors)


@dataclass(frozen=True, eq=False)
class ExactFit:
    """Posteriors of every outcome of an `ExactModel` under one prior set.

    Attributes
    ----------
    model : ExactModel
        Where they come from.
    priors : PriorSet
        The priors.
    posteriors : dict of str to ExactPosterior
        By outcome; that of a nested one is of its probability among those with its parent.
    """

    model: ExactModel
    priors: PriorSet
    posteriors: dict[str, ExactPosterior]

    @property
    def log_marginal_likelihood(self) -> dict[str, float]:
        """Log probability of each outcome's data (a nested one's given its parent's).

        Differences between prior sets are log Bayes factors.
        """
        return {name: p.log_marginal_likelihood for name, p in self.posteriors.items()}

    @cached_property
    def worst_error(self) -> float:
        """Largest numerical error of any outcome, in the units of `TOLERANCE`."""
        return max((p.worst_error for p in self.posteriors.values()), default=0.0)

    def hyper(self) -> pd.DataFrame:
        """Mu, tau and sigma of every outcome; columns as `ExactPosterior.hyper`."""
        return _stacked([p.hyper() for p in self.posteriors.values()])

    def rates(self) -> pd.DataFrame:
        """Every rate of every outcome; columns as `ExactPosterior.rates`.

        A nested outcome's rate is the product of its own probability and its parent's.
        """
        tables = []
        for name, posterior in self.posteriors.items():
            if name not in self.model.parents:
                tables.append(posterior.rates())
                continue
            rows = []
            for disease, quantity in posterior.quantities:
                main = self.distribution(name, quantity, disease)
                check = self.distribution(name, quantity, disease, coarser=True)
                errors = np.abs(main.statistics() - check.statistics())
                row = statistics_row(main.statistics(), errors)
                about = {"outcome": name, "disease": disease, "quantity": quantity}
                rows.append({**about, **row, **self._evidence_of(name, disease)})
            tables.append(pd.DataFrame(rows).drop(columns="note"))
        return _stacked(tables)

    def _evidence_of(self, outcome: str, disease: str | None) -> dict:
        evidence = self.posteriors[outcome].evidence_of(disease)
        if disease is not None:
            rows = self.model.evidence.rows
            own = rows[(rows["outcome"] == outcome) & (rows["disease"] == disease)]
            evidence["patients"] = int(own["n"].sum())
        return evidence

    def distribution(
        self, outcome: str, quantity: str, disease: str | None = None, coarser: bool = False
    ) -> Distribution:
        """Distribution of one quantity of one outcome.

        Parameters
        ----------
        outcome : str
            Its name.
        quantity, disease, coarser
            As in `ExactPosterior.distribution`. For a nested outcome ``rate``, ``new_study`` and
            ``new_disease`` are products with the parent's; parameters are those of its own
            hierarchy.

        Returns
        -------
        Distribution
            The distribution.
        """
        one_of(outcome, self.posteriors, "outcome")
        own = self.posteriors[outcome].distribution(quantity, disease, coarser)
        parent = self.model.parents.get(outcome)
        if parent is None or quantity not in ("rate", "new_study", "new_disease"):
            return own
        above = self.posteriors[parent].distribution(quantity, disease, coarser)
        return product(above, own, coarser)

    def probability_above(
        self, outcome: str, rate: float, quantity: str = "rate", coarser: bool = False
    ) -> pd.Series:
        """Probability that each disease's rate exceeds a threshold; by disease."""
        own, parent = self.posteriors[outcome], self.model.parents.get(outcome)
        if parent is None:
            return own.probability_above(rate, quantity, coarser)
        above = self.posteriors[parent]
        distributions = {
            disease: product_above(
                above.distribution(quantity, disease, coarser),
                own.distribution(quantity, disease, coarser),
                rate,
            )
            for disease in self.model.evidence.diseases
        }
        return pd.Series(distributions)

    def study_rates(self) -> pd.DataFrame:
        """Each study's own shrunken rate: ``outcome``, ``study``, ``disease`` and statistics."""
        tables = []
        for name, posterior in self.posteriors.items():
            main, check = (self.study_distributions(name, coarser) for coarser in (False, True))
            likelihoods = posterior.hierarchy.likelihoods
            rows = []
            for study, code in zip(likelihoods.studies, likelihoods.disease, strict=True):
                values = main[study].statistics()
                errors = np.abs(values - check[study].statistics())
                about = {"outcome": name, "study": study, "disease": likelihoods.diseases[code]}
                rows.append({**about, **statistics_row(values, errors)})
            tables.append(pd.DataFrame(rows).drop(columns="note"))
        return _stacked(tables)

    def study_distributions(self, outcome: str, coarser: bool = False) -> dict[str, Distribution]:
        """Distribution of each study's own rate, shrunken towards its disease; by study."""
        distributions = study_distributions(self.posteriors[outcome], coarser)
        parent = self.model.parents.get(outcome)
        if parent is None:
            return distributions
        above = study_distributions(self.posteriors[parent], coarser)
        return {
            study: product(above[study], each, coarser) for study, each in distributions.items()
        }


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    rows = [row for table in tables for row in table.to_dict("records")]
    return pd.DataFrame(rows)
