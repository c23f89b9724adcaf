"""Prior sets compared: which conclusions depend on which prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from ...data.errors import InputError
from ...data.evidence import Evidence, as_evidence, load_evidence
from ...models.priors.catalogue import CATALOGUE
from ...models.priors.files import prior_set
from ...models.priors.sets import PriorSet
from ..fitting.data_of_fit import evidence_or_rows
from ..fitting.moderated import coefficient_name, moderators
from ..fitting.progress import Progress
from ..fitting.sampling import SEED, Sampling
from ..fitting.store import as_fit, check_same_data, run_config
from ..fitting.summary import STATISTICS, hyper, rates
from ..fitting.tree import rows_of
from .compare_draws import compare_draws
from .compare_exactly import compare_exactly
from .questions import CONFIDENCE, questions
from .request import ComparisonRequest
from .result import PriorComparison
from .sets import same_priors

if TYPE_CHECKING:
    from xarray import DataTree


def compare_priors(
    evidence: Evidence | str | Path | pd.DataFrame | None = None,
    sets: str | Path | PriorSet | Sequence[str | Path | PriorSet] | None = None,
    pooling: str | None = None,
    fits: DataTree | str | Path | Sequence[DataTree | str | Path] | None = None,
    threshold: float | Literal["usual"] | None = None,
    confidence: float = CONFIDENCE,
    engine: str = "nuts",
    refit: bool = False,
    draws: int = 750,
    tune: int = 500,
    chains: int = 4,
    seed: int = SEED,
    progress: Progress | None = None,
) -> PriorComparison:
    """Compare the posteriors under several prior sets.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame, optional
        The analysis set, or what `load_evidence` reads it from; where left out that of the fits,
        and without these the shipped one.
    sets : str, Path, PriorSet or sequence of these, optional
        Prior sets to compare: names of the catalogue, prior files, texts of these or sets; the
        first is the reference. The whole catalogue by default.
    pooling : str, optional
        How diseases inform each other; that of the fits, else ``partial``.
    fits : DataTree, str, Path or sequence of these, optional
        Fits of the same evidence, or the files or folders of stored ones, whose draws are
        re-weighted.
    threshold : float or "usual", optional
        Rate that a conclusion is about: at which prior does "the rate exceeds it" change? ``usual``
        asks the usual question of each outcome: of harms, whether they stay below.
    confidence : float
        Probability that this conclusion needs.
    engine : {"nuts", "exact"}
        Sample all outcomes together, or integrate each outcome numerically, where it can be. Draws
        are re-weighted to each set, which is fitted where that cannot be believed.
    refit : bool
        Refit every set, also where re-weighted draws would do.
    draws, tune, chains : int
        Draws kept of each chain, tuning steps of each chain, and chains, of fits that have to be
        made. They may be short, since every error is stated.
    seed : int
        Makes a run repeatable.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    PriorComparison
        Frames, sentences, and the JSON shape.

    Raises
    ------
    InputError
        An unknown set or engine, two sets of one name, a threshold or confidence outside 0 to 1, a
        number of draws that is none, or fits of other data or pooling; one line.

    Examples
    --------
    >>> sets = ["default", "sceptical"]
    >>> comparison = mp.compare_priors(evidence, sets, engine="exact", threshold=0.3)
    >>> comparison.flips[["disease", "verdict", "changed_by"]].head(2)
                 disease    verdict changed_by
    0          psoriasis    changed  sceptical
    1  atopic_dermatitis  unchanged
    """
    given: list[Any] = [] if fits is None else [fits]
    if isinstance(fits, Sequence) and not isinstance(fits, str):
        given = list(fits)
    stored = [as_fit(each) for each in given]
    if evidence is None and stored:
        evidence = evidence_or_rows(stored[0], None, rows_of)
    evidence = load_evidence() if evidence is None else as_evidence(evidence)
    chosen = _prior_sets(sets)
    asked = questions(threshold, evidence.selection.outcomes or evidence.outcome_names)
    if not 0 < confidence < 1:
        raise InputError(f"confidence must lie strictly between 0 and 1, not {confidence:g}")
    sampling = Sampling(engine, draws, tune, chains, seed)
    check_same_data(evidence, stored)
    request = ComparisonRequest(
        evidence, chosen, _pooling(pooling, stored), asked, confidence, sampling
    )
    if engine == "exact":
        found = compare_exactly(request, progress)
    else:
        found = compare_draws(request, stored, refit, progress)
    own = [fit for fit in stored if _is_reference(fit, request, engine)]
    return _as_fitted(found, own[0]) if own else found


def _is_reference(fit: DataTree, request: ComparisonRequest, engine: str) -> bool:
    config = run_config(fit)
    priors = PriorSet.from_dict(config["priors"])
    return config["engine"] == engine and same_priors(priors, request.reference, request.terms)


def _as_fitted(comparison: PriorComparison, fit: DataTree) -> PriorComparison:
    """State of the reference what its fit states: one number, not two that differ by an error."""
    tables = []
    for table, own, keys in (
        (comparison.rates, rates(fit), ["outcome", "disease", "quantity"]),
        (comparison.hyper, _parameters(fit), ["outcome", "parameter"]),
    ):
        mine = table["set"] == comparison.reference
        places = pd.MultiIndex.from_frame(table.loc[mine, keys])
        stated = own.set_index(keys)[list(STATISTICS)].reindex(places)
        table = table.copy()
        table.loc[mine, list(STATISTICS)] = stated.to_numpy(float)
        tables.append(table)
    return replace(comparison, rates=tables[0], hyper=tables[1])


def _parameters(fit: DataTree) -> pd.DataFrame:
    """Give mu, tau and sigma of a fit, and the coefficients of its moderators."""
    table = moderators(fit)
    table = table[table["per"] != "unit"]
    records: list[dict[Any, Any]] = table.to_dict("records")
    names = [coefficient_name(row) for row in records]
    return pd.concat([hyper(fit), table.assign(parameter=names)], ignore_index=True)


def _prior_sets(
    sets: str | Path | PriorSet | Sequence[str | Path | PriorSet] | None,
) -> tuple[PriorSet, ...]:
    wanted = (
        list(CATALOGUE)
        if sets is None
        else [sets]
        if isinstance(sets, str | Path | PriorSet)
        else list(sets)
    )
    chosen = tuple(prior_set(each) for each in wanted)
    if not chosen:
        raise InputError("no prior sets to compare: name at least one, or leave sets out for all")
    names = [each.name for each in chosen]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two prior sets are called {name!r}: give each its own name")
    return chosen


def _pooling(pooling: str | None, fits: Sequence[DataTree]) -> str:
    poolings = {run_config(fit)["pooling"] for fit in fits} | ({pooling} if pooling else set())
    if len(poolings) > 1:
        raise InputError(
            f"pooling differs ({' and '.join(sorted(poolings))}): compare priors under one pooling"
        )
    return poolings.pop() if poolings else "partial"
