"""Borrowing made visible: what each disease takes from the others, and what each study moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data import outcomes
from ...data.errors import InputError
from ...data.evidence import as_evidence
from ...data.export import answer_html, plain
from ...data.names import numbered, outcome_in_text, outcome_words, spaced
from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from ..fitting import predict
from ..fitting.fit import terms_of
from ..fitting.progress import Progress
from ..fitting.sampling import SEED, Sampling
from ..fitting.store import as_fit, check_same_data, run_config
from ..guard.disease_left import without_unit
from .own_share import own_shares
from .prior_conflict import CONFLICT, LEVEL, OK, judge, mid_p_value
from .reweight import Block, Source, Weights, blocks_of, sampled_source, smooth, stored_source
from .weighted_statistics import Sample, Summary, summarise

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence

_INFLUENCE = (
    "outcome", "disease", "left_out", "kind", "mean", "mcse_mean", "change", "change_mcse",
    "method", "pareto_k",
)  # fmt: skip

#: Below this Pareto k the weights' variance is finite, and so a stated error can be believed. Up to
#: 0.7 means of the shipped evidence without a disease were five of their errors off.
_FINITE_VARIANCE = 0.5


@dataclass(frozen=True, eq=False)
class Borrowing:
    """What diseases take from each other.

    Attributes
    ----------
    diseases : pandas.DataFrame
        One row an outcome and disease: ``mean`` and ``sd`` of its rate given everything,
        ``others_mean`` and ``others_sd`` given the other diseases alone, ``own_share`` (share of
        its level that comes from its own data, as `own_share.own_shares`) and ``borrowed``
        (patients that the others are worth: the beta distribution with their mean and variance),
        each with its ``_mcse``; its own ``patients`` and ``studies``;
        ``mid_p`` of its events given the others, ``mid_p_mcse``, ``verdict`` (``conflict``,
        ``ok``, ``undecided``; None without own data), ``sentence``.
    influence : pandas.DataFrame
        One row an outcome, disease and what is ``left_out`` (``kind``: ``study`` or ``disease``):
        ``mean`` of its rate without it, ``change`` in standard deviations of its posterior given
        everything, their errors, ``method`` (``reweighted`` or ``refit``) and ``pareto_k``.
    """

    diseases: pd.DataFrame
    influence: pd.DataFrame

    def sentences(self) -> tuple[str, ...]:
        """Say in a sentence for each outcome and disease what it borrows."""
        return tuple(self.diseases["sentence"])

    def __repr__(self) -> str:
        """Say in a line what was left out, and where to look."""
        left_out = self.influence["left_out"].nunique()
        return (
            f"<borrowing: {numbered(len(self.diseases), 'rate')}, left out in turn: {left_out}; "
            ".sentences(), .diseases, .influence, .to_frame(), .to_dict()>"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give what each disease borrows: the table `diseases`."""
        return self.diseases

    def to_dict(self) -> dict[str, Any]:
        """Give both tables as lists of rows, as ``priors --json`` has them."""
        return {"borrowing": plain(self.diseases), "left_out": plain(self.influence)}

    def _repr_html_(self) -> str:
        """Show what each disease borrows."""
        table = self.diseases[["outcome", "disease", "mean", "others_mean", "own_share", "verdict"]]
        after = [
            "Mean rates, given everything and given the other diseases alone. Next: "
            "mp.plot.borrowing(fit, borrowed), .influence."
        ]
        return answer_html("What diseases borrow from each other", self.sentences(), table, after)


def borrowing(
    evidence: Evidence | str | Path | pd.DataFrame,
    fit: DataTree | str | Path,
    draws: int = 500,
    tune: int = 500,
    chains: int = 4,
    seed: int = SEED,
    progress: Progress | None = None,
) -> Borrowing:
    """Find what each disease borrows, by leaving out every study and every disease.

    Draws of the fit are re-weighted as if it had not seen what is left out, and where that cannot
    be believed the compiled model is sampled again with other data. Outcomes with independent
    posteriors share a refit.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame
        The analysis set; a path or a table is read as `load_evidence` does.
    fit : xarray.DataTree, str or Path
        Its fit by the sampler, or the file or folder of a stored one.
    draws, tune, chains, seed : int
        Of the refits.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    Borrowing
        Two frames.

    Raises
    ------
    InputError
        A fit of other data or without draws, or a single disease.

    References
    ----------
    Gelman and Pardoe 2006, doi 10.1198/004017005000000517 (shrinkage); Neuenschwander and others
    2010, doi 10.1177/1740774509356002 (what other studies are worth in patients); Marshall and
    Spiegelhalter 2007, doi 10.1214/07-BA203 (conflict of a unit with the others).
    """
    evidence, fit = as_evidence(evidence), as_fit(fit)
    check_same_data(evidence, [fit])
    config = run_config(fit)
    if config["engine"] != "nuts":
        raise InputError("borrowing needs draws: fit with --engine nuts")
    terms = terms_of(evidence)
    if len(terms.diseases) < 2:
        raise InputError("there is one disease only: nothing can be borrowed")
    priors = PriorSet.from_dict(config["priors"])
    source = stored_source(fit, terms, priors, config["pooling"])
    sampling = Sampling("nuts", draws, tune, chains, seed)
    left_out = _leave_out(source, _cases(terms), sampling, progress)
    reported = evidence.selection.outcomes or terms.names
    influence = _influence(source, left_out)
    diseases = _diseases(source, left_out, own_shares(evidence, source), seed)
    return Borrowing(
        diseases[diseases["outcome"].isin(reported)].reset_index(drop=True),
        influence[influence["outcome"].isin(reported)].reset_index(drop=True),
    )


@dataclass(frozen=True)
class _Case:
    """Something to be left out: a study or a disease of one block."""

    block: Block
    kind: str
    name: str
    units: tuple[int, ...]


def _cases(terms: Terms) -> list[_Case]:
    cases = []
    present = set(terms.terms["unit"])
    for block in blocks_of(terms):
        units = terms.units[terms.units["outcome"] == terms.names.index(block[0])]
        units = units[units.index.isin(present)]
        for code, mine in units.groupby("disease"):
            cases.append(_Case(block, "disease", terms.diseases[int(str(code))], tuple(mine.index)))
        studies = zip(units.index.tolist(), units["study"].tolist(), strict=True)
        cases += [_Case(block, "study", study, (unit,)) for unit, study in studies]
    return cases


def _leave_out(
    source: Source, cases: Sequence[_Case], sampling: Sampling, progress
) -> dict[_Case, Weights]:
    """Give the posterior without each case; a refit leaves out one case of every block at once."""
    posteriors, waiting = {}, []
    for case in cases:
        ratio = -source.log_likelihood[:, list(case.units)].sum(axis=1)
        values, pareto_k = smooth(ratio)
        posteriors[case] = Weights(source, ratio, values, pareto_k)
        if not pareto_k < _FINITE_VARIANCE:
            waiting.append(case)
    rounds = _rounds(waiting)
    for i, together in enumerate(rounds):
        if progress is not None:
            progress("leaving out", i, len(rounds))
        gone = [unit for case in together for unit in case.units]
        terms = reduce(without_unit, gone, source.terms)
        again = sampling.another(i)
        fresh = sampled_source(terms, source.pooling, source.priors, again, scored=False)
        even = np.full(len(fresh), 1 / len(fresh))
        for case in together:
            posteriors[case] = Weights(fresh, None, even, posteriors[case].pareto_k)
    return posteriors


def _rounds(cases: Sequence[_Case]) -> list[list[_Case]]:
    """Group cases so that each group holds at most one of every block."""
    queues: dict[Block, list[_Case]] = {}
    for case in cases:
        queues.setdefault(case.block, []).append(case)
    count = max(map(len, queues.values()), default=0)
    return [[queue[i] for queue in queues.values() if i < len(queue)] for i in range(count)]


def _influence(source: Source, left_out: dict[_Case, Weights]) -> pd.DataFrame:
    even = np.full(len(source), 1 / len(source))
    rows = []
    whole = {block: _rates(source, block, even) for block in blocks_of(source.terms)}
    for case, weights in left_out.items():
        labels, full = whole[case.block]
        without = _rates(weights.source, case.block, weights.values)[1]
        again = weights.source is not source
        for i, (outcome, disease) in enumerate(labels):
            error = np.hypot(without.errors[i, 0], full.errors[i, 0])
            sd = full.values[i, 1]
            rows.append(
                (
                    outcome,
                    disease,
                    case.name,
                    case.kind,
                    without.values[i, 0],
                    without.errors[i, 0],
                    (without.values[i, 0] - full.values[i, 0]) / sd,
                    error / sd,
                    "refit" if again else "reweighted",
                    weights.pareto_k,
                )
            )
    return pd.DataFrame(rows, columns=list(_INFLUENCE))


def _rates(source: Source, block: Block, weights) -> tuple[list[tuple[str, str]], Summary]:
    """Statistics of every disease's rate in a block."""
    labels, sample = source.sample(block)
    columns = [i for i, label in enumerate(labels) if label[2] == "rate"]
    kept = replace(sample, values=sample.values[:, columns])
    return [(labels[i][0], str(labels[i][1])) for i in columns], summarise(kept, weights)


def _diseases(
    source: Source, left_out: dict[_Case, Weights], shares: pd.DataFrame, seed: int
) -> pd.DataFrame:
    terms, rng = source.terms, np.random.default_rng(seed)
    even = np.full(len(source), 1 / len(source))
    by_disease = shares.set_index(["outcome", "disease"]).to_dict("index")
    by_place = {
        (c.block, c.name): weights for c, weights in left_out.items() if c.kind == "disease"
    }
    rows = []
    for block in blocks_of(terms):
        for outcome in block:
            for disease in terms.diseases:
                own = terms.rows[
                    (terms.rows["outcome"] == outcome) & (terms.rows["disease"] == disease)
                ]
                weights = by_place.get((block, disease), Weights(source, None, even, np.nan))
                row = _one(source, weights, outcome, disease) | by_disease[outcome, disease]
                row |= {"studies": own["study"].nunique(), "patients": int(own["n"].sum())}
                row |= _conflict(weights, terms, own, LEVEL / len(terms.diseases), rng)
                rows.append(row | {"sentence": _sentence(row)})
    return pd.DataFrame(rows)


def _one(source: Source, weights: Weights, outcome: str, disease: str) -> dict:
    """Compare one disease given everything with the same given the others alone."""
    even = np.full(len(source), 1 / len(source))
    all_rate = _statistics(source, even, outcome, disease)
    rate = _statistics(weights.source, weights.values, outcome, disease)
    mean, sd = rate.values[0, :2]
    borrowed = mean * (1 - mean) / sd**2 - 1
    slopes = ((1 - 2 * mean) / sd**2, 2 * (borrowed + 1) / sd)
    return {
        "outcome": outcome,
        "disease": disease,
        "mean": all_rate.values[0, 0],
        "mcse_mean": all_rate.errors[0, 0],
        "sd": all_rate.values[0, 1],
        "mcse_sd": all_rate.errors[0, 1],
        "others_mean": mean,
        "others_mcse_mean": rate.errors[0, 0],
        "others_sd": sd,
        "others_mcse_sd": rate.errors[0, 1],
        "borrowed": borrowed,
        "borrowed_mcse": float(np.hypot(*np.multiply(slopes, rate.errors[0, :2]))),
        "method": "reweighted" if weights.source is source else "refit",
        "pareto_k": weights.pareto_k,
    }


def _statistics(source: Source, weights, outcome: str, disease: str) -> Summary:
    """Statistics of one disease's rate."""
    k, d = source.terms.names.index(outcome), source.terms.diseases.index(disease)
    return summarise(Sample(source.draws["rate"][:, k, [d]], source.chains), weights)


def _conflict(weights: Weights, terms: Terms, own: pd.DataFrame, level: float, rng) -> dict:
    """Mid-p of a disease's events, predicted from the other diseases alone."""
    if own.empty:
        return {"mid_p": np.nan, "mid_p_mcse": np.nan, "direction": None, "verdict": None}
    draws = weights.source.draws
    picked = rng.choice(len(weights.values), len(weights.values), p=weights.values)
    beta = draws["beta"][picked] if "beta" in draws else None
    levels = predict.Levels.of_diseases(draws["sigma"][picked], draws["theta"][picked], beta=beta)
    fresh = predict.renew_studies(levels, terms, rng)
    counts = predict.replicate(fresh, terms, rng)[:, own.index.to_numpy()].sum(axis=1)
    low, high = int(own["events_min"].sum()), int(own["events_max"].sum())
    mid_p, _, direction = mid_p_value(counts, low, high)
    # As many draws as the weights are worth, not as many as were picked.
    worth = 1 / np.sum(weights.values**2)
    tail = max(mid_p / 2, 0.5 / worth)
    error = 2 * np.sqrt(tail * (1 - tail) / worth)
    verdict = judge(mid_p, error, level)
    return {"mid_p": mid_p, "mid_p_mcse": error, "direction": direction, "verdict": verdict}


def _sentence(row: dict) -> str:
    where = f"{outcome_words(row['outcome'])}, {spaced(row['disease'])}"
    size = f"{row['borrowed']:.0f}"
    worth = f"others worth {size} patient{'' if size == '1' else 's'}"
    share = min(max(row["own_share"], 0.0), 1.0)
    parent = outcomes.outcome(row["outcome"]).parent
    level = f"its level among those with {outcome_in_text(parent)}" if parent else "its level"
    if row["patients"] == 0 and share == 0:
        return f"{where}: no study of its own; all that is said is borrowed from {worth}."
    if row["patients"] == 0:
        return (
            f"{where}: no count of its own, beside {worth}; {share:.0%} of {level} comes from "
            "its counts of an outcome within this one."
        )
    said = (
        f"{where}: its own data ({row['patients']} patient{'' if row['patients'] == 1 else 's'}), "
        f"beside {worth}, move its mean rate from "
        f"{row['others_mean']:.2f} to {row['mean']:.2f}; {share:.0%} of {level} comes from "
        "its own data."
    )
    if row["verdict"] == CONFLICT:
        said += f" It conflicts with the rest: {row['direction']} events than they predict."
    elif row["verdict"] != OK:
        said += " Too few draws to say whether it conflicts with the rest."
    return said
