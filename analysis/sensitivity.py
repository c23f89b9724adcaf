"""Which conclusions hang on which prior: every prior set side by side, in one comparison."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ..models.catalogue import CATALOGUE
from ..models.priors import PriorSet, named_set, one_of
from .fit import ENGINES, SEED, terms_of
from .fitting.store import run_config
from .fitting.summary import _support as rate_support
from .robustness import power_scaling as scaling
from .robustness import prior_conflict as conflict
from .robustness.comparison import (
    RATE_QUANTITIES,
    SetResult,
    compare_sets,
    densities_table,
    methods_table,
    prior_table,
    quantities_table,
    same_priors,
    scores_table,
)
from .robustness.flips import bridge, flips, prior_grid, reweighted_map, set_probabilities
from .robustness.questions import CONFIDENCE, Question, questions
from .robustness.reweight import Source, blocks_of, sampled_source, stored_source

if TYPE_CHECKING:
    from xarray import DataTree

    from ..data.evidence import Evidence
    from ..models.terms import Terms

#: Columns of a rate in JSON, beside the set that it stands in.
_RATE_COLUMNS = (
    "outcome", "disease", "quantity", "mean", "sd", "q2.5", "q50", "q97.5",
    "mcse_mean", "mcse_sd", "mcse_q2.5", "mcse_q50", "mcse_q97.5", "r_hat", "ess_bulk",
    "shift", "shift_mcse", "overlap", "overlap_mcse", "studies", "patients", "evidence", "method",
    "pareto_k",
)  # fmt: skip
_HYPER_COLUMNS = ("outcome", "parameter", *_RATE_COLUMNS[3:17], "method", "pareto_k")
_SCORE_COLUMNS = ("elpd", "elpd_se", "elpd_diff", "elpd_diff_se", "log_marginal_likelihood")

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class PriorComparison:
    """What is believed under each prior set.

    Attributes
    ----------
    reference : str
        Name of the set that the others are compared with.
    sets : tuple of PriorSet
        The sets, the reference first.
    rates : pandas.DataFrame
        ``set``, ``outcome``, ``disease``, ``quantity`` (``rate``, ``new_study``; ``new_disease``
        with no disease), ``mean``, ``sd``, ``q2.5``, ``q50``, ``q97.5`` and their Monte-Carlo (for
        the exact engine numerical) errors ``mcse_…``, ``r_hat``, ``ess_bulk``, ``shift`` (of the
        mean against the reference, in standard deviations of its posterior) and ``overlap`` (share
        of mass in common with it), each with its ``_mcse``, ``studies``, ``patients``,
        ``evidence``, ``method`` (``refit``, ``reweighted``, ``exact``) and ``pareto_k``.
        Probabilities.
    hyper : pandas.DataFrame
        The same of ``parameter`` mu, tau and sigma, on the linear scale.
    before : pandas.DataFrame
        ``set``, ``outcome``, ``quantity``, statistics and errors: rates before the data.
    methods : pandas.DataFrame
        ``set``, ``outcome``, ``method``, ``from_set``, ``pareto_k``, ``ess``, ``draws``,
        ``divergences``, ``max_r_hat``.
    scores : pandas.DataFrame
        ``set``, ``outcome`` (with its child; None for all), ``elpd``, ``elpd_se``, ``elpd_mcse``,
        ``elpd_diff``, ``elpd_diff_se``, ``elpd_pareto_k``, ``studies``,
        ``log_marginal_likelihood`` (exact engine; differences are log Bayes factors).
    densities : pandas.DataFrame
        ``set``, ``outcome``, ``disease``, ``rate``, ``prior``, ``posterior``: densities to draw.
    power_scaling : pandas.DataFrame
        ``outcome``, ``parameter``, ``prior``, ``prior_mcse``, ``likelihood``, ``likelihood_mcse``,
        ``verdict``, of the reference; empty for the exact engine, which has no draws.
    conflicts : pandas.DataFrame
        ``outcome``, ``study`` (None for all), ``mid_p``, ``mid_p_mcse``, ``direction``,
        ``verdict``.
    flips : pandas.DataFrame
        As `analysis.flips.flips`; empty without a threshold.
    flip_map : pandas.DataFrame
        ``outcome``, ``disease``, ``mu``, ``tau_scale``, ``distance``, ``probability``, ``mcse``,
        ``pareto_k``, ``from_set``; empty without a threshold.
    run : dict
        What it was made of: data hash, pooling, engine, seed.
    messages : tuple of str
        What the reader should be told.
    """

    reference: str
    sets: tuple[PriorSet, ...]
    rates: pd.DataFrame
    hyper: pd.DataFrame
    before: pd.DataFrame
    methods: pd.DataFrame
    scores: pd.DataFrame
    densities: pd.DataFrame
    power_scaling: pd.DataFrame
    conflicts: pd.DataFrame
    flips: pd.DataFrame
    flip_map: pd.DataFrame
    run: dict[str, Any]
    messages: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the comparison in the shape of ``priors --json``."""
        return {
            "reference": self.reference,
            "sets": [self._set_dict(each) for each in self.sets],
            "power_scaling": _records(self.power_scaling),
            "conflicts": _records(self.conflicts[["outcome", "study", "mid_p", "verdict"]]),
            "flips": [_flip_dict(row) for row in _records(self.flips)],
        }

    def _set_dict(self, priors: PriorSet) -> dict[str, Any]:
        mine = {
            name: frame[frame["set"] == priors.name]
            for name, frame in (
                ("methods", self.methods),
                ("rates", self.rates),
                ("hyper", self.hyper),
            )
        }
        whole = self.scores[(self.scores["set"] == priors.name) & self.scores["outcome"].isna()]
        methods = list(dict.fromkeys(mine["methods"]["method"]))
        pareto_k = mine["methods"]["pareto_k"].to_numpy(float)
        return {
            "name": priors.name,
            "method": methods[0],
            "pareto_k": _plain(np.nanmax(pareto_k)) if np.isfinite(pareto_k).any() else None,
            **_records(whole[list(_SCORE_COLUMNS)])[0],
            "rates": _records(mine["rates"].drop(columns="set")),
            "hyper": _records(mine["hyper"].drop(columns="set")),
        }

    def sentences(self) -> tuple[str, ...]:
        """Say what was found, one finding a sentence, for a reader who knows no method's name."""
        said = [*self.messages, self._largest_shift(), self.prediction()]
        for row in _records(self.power_scaling):
            if row["verdict"] != scaling.OK:
                said.append(scaling.sentence(row["outcome"], row["parameter"], row["verdict"]))
        if len(self.power_scaling) and (self.power_scaling["verdict"] == scaling.OK).all():
            said.append("Under the reference the prior hardly matters for any outcome.")
        for _, row in self.conflicts.iterrows():
            if row["verdict"] != conflict.OK:
                said.append(conflict.sentence(row))
        if not (self.conflicts["verdict"] == conflict.CONFLICT).any():
            said.append("No outcome and no study is far from what the reference's prior expects.")
        return (*said, *(self.flips["sentence"] if len(self.flips) else ()))

    def _largest_shift(self) -> str:
        rates = self.rates[(self.rates["quantity"] == "rate") & self.rates["shift"].notna()]
        others = rates[rates["set"] != self.reference]
        if others.empty:
            return f"Only {self.reference} was compared."
        row = others.iloc[int(others["shift"].abs().to_numpy().argmax())]
        base = rates[
            (rates["set"] == self.reference)
            & (rates["outcome"] == row["outcome"])
            & (rates["disease"] == row["disease"])
        ].iloc[0]
        return (
            f"The prior matters most for {row['outcome']} in {row['disease']}: its mean rate is "
            f"{row['mean']:.2f} under {row['set']} and {base['mean']:.2f} under {self.reference}, "
            f"{abs(row['shift']):.1f} posterior standard deviations apart."
        )

    def prediction(self, named: Callable[[str], str] = str) -> str:
        """Say which sets predict studies left out better than the reference, and which worse.

        Parameters
        ----------
        named : callable
            Turns a set's name into what the reader sees.
        """
        whole = self.scores[self.scores["outcome"].isna()]
        others = whole[(whole["set"] != self.reference) & (whole["elpd_diff"].abs() > 0)]
        clear = others[others["elpd_diff"].abs() > 2 * others["elpd_diff_se"]]
        if clear.empty:
            return "Leaving studies out does not tell the prior sets apart by their predictions."
        better, worse = (
            ", ".join(map(named, clear[side]["set"]))
            for side in (clear["elpd_diff"] > 0, clear["elpd_diff"] < 0)
        )
        parts = [f"better under {better}"] if better else []
        parts += [f"worse under {worse}"] if worse else []
        than = named(self.reference)
        return f"Studies left out are predicted {' and '.join(parts)} than under {than}."


def compare_priors(
    evidence: Evidence | None = None,
    sets: Sequence[str | PriorSet] | None = None,
    pooling: str | None = None,
    fits: DataTree | list[DataTree] | tuple[DataTree, ...] | None = None,
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
    """Compare what is believed under several prior sets.

    Parameters
    ----------
    evidence : Evidence, optional
        The analysis set; the shipped one where left out.
    sets : sequence of str or PriorSet, optional
        Names of the catalogue, or sets; the first is the reference. The whole catalogue by default.
    pooling : str, optional
        How diseases inform each other; that of the fits, else ``partial``.
    fits : DataTree or sequence of DataTree, optional
        Stored fits of the same evidence, whose draws are re-weighted.
    threshold : float or "usual", optional
        A rate; asks at which prior "the rate exceeds it" changes. ``usual`` asks of each outcome
        what `analysis.robustness.questions.USUAL` says: of harms whether they stay below one.
    confidence : float
        Probability that this conclusion wants.
    engine : {"nuts", "exact"}
        Re-weight and refit draws, or integrate every outcome that can be.
    refit : bool
        Refit every set, also where its draws could be had by re-weighting.
    draws, tune, chains, seed : int
        Of the fits that have to be made; shorter than `fit`'s, since every error is stated.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.

    Returns
    -------
    PriorComparison
        Frames, sentences, and the JSON shape.

    Raises
    ------
    ValueError
        An unknown set or engine, two sets of one name, a threshold or confidence outside 0 to 1, or
        fits of other data or pooling; one line.
    """
    from ..data.evidence import load_evidence

    evidence = load_evidence() if evidence is None else evidence
    chosen = _chosen(sets)
    asked = questions(threshold, evidence.selection.outcomes or evidence.outcome_names)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, not {confidence:g}")
    if engine not in ENGINES:
        raise ValueError(one_of("engine", engine, ENGINES))
    stored = [] if fits is None else list(fits) if isinstance(fits, (list, tuple)) else [fits]
    check_fits(evidence, stored)
    pooling = _pooling(pooling, stored)
    if engine == "exact":
        from .robustness.exact_comparison import compare_exactly

        return compare_exactly(evidence, chosen, pooling, asked, confidence, seed, progress)
    settings = {"draws": draws, "tune": tune, "chains": chains}
    return _compare_draws(
        evidence, chosen, pooling, stored, asked, confidence, refit, seed, progress, settings
    )


def _chosen(sets: Sequence[str | PriorSet] | None) -> tuple[PriorSet, ...]:
    wanted = list(CATALOGUE) if sets is None else [sets] if isinstance(sets, str) else list(sets)
    found = tuple(named_set(each) if isinstance(each, str) else each for each in wanted)
    if not found:
        raise ValueError("no prior sets to compare: name at least one, or leave sets out for all")
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two prior sets are called {name!r}: give each its own name")
    return found


def check_fits(evidence: Evidence, fits: Sequence[DataTree]) -> None:
    """Refuse fits of other data than an evidence, naming both hashes."""
    for each in fits:
        found = run_config(each)["data_sha256"]
        if found != evidence.sha256:
            raise ValueError(
                f"the fit is of other data (sha256 {found}) than the evidence "
                f"(sha256 {evidence.sha256}): fit this evidence, or name the data of the fit"
            )


def _pooling(pooling: str | None, fits: Sequence[DataTree]) -> str:
    found = {run_config(each)["pooling"] for each in fits} | ({pooling} if pooling else set())
    if len(found) > 1:
        raise ValueError(
            f"pooling differs ({' and '.join(sorted(found))}): compare priors under one pooling"
        )
    return found.pop() if found else "partial"


def _compare_draws(
    evidence, sets, pooling, fits, asked, confidence, refit, seed, progress, settings
) -> PriorComparison:
    """Compare by draws: those of stored fits, re-weighted, and of refits."""
    terms = terms_of(evidence)
    sources = _sources(terms, pooling, fits, sets[0], seed, settings)
    results = compare_sets(sources, sets, seed, refit, progress, **settings)
    reported = evidence.selection.outcomes or terms.names
    table = quantities_table(results)
    table = table[table["outcome"].isin(reported)]
    methods, scores = methods_table(results), scores_table(results)
    rates, hyper = split_quantities(table, methods, terms)
    before, prior_densities = prior_table(terms, pooling, sets, seed)
    densities = densities_table(results, prior_densities, terms)
    found, grid_map = _flips(results, sources, asked, confidence, seed, settings)
    conflicts = conflict.prior_conflicts(terms, pooling, sets[0], seed)
    return PriorComparison(
        reference=sets[0].name,
        sets=tuple(sets),
        rates=rates,
        hyper=hyper,
        before=_only(before, reported),
        methods=_only(methods, reported),
        scores=scores.assign(log_marginal_likelihood=None),
        densities=_only(densities, reported),
        power_scaling=_only(reference_scaling(results[0]), reported),
        conflicts=_only(conflicts, reported),
        flips=found,
        flip_map=grid_map,
        run=run_of(evidence, pooling, "nuts", seed),
        messages=_messages(results, scores),
    )


def _only(table: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    return table[table["outcome"].isin(outcomes)].reset_index(drop=True)


def run_of(evidence: Evidence, pooling: str, engine: str, seed: int) -> dict[str, Any]:
    """Record what a comparison was made of."""
    return {
        "data_sha256": evidence.sha256,
        "pooling": pooling,
        "engine": engine,
        "seed": seed,
    }


def _sources(
    terms: Terms, pooling: str, fits, reference: PriorSet, seed: int, settings
) -> list[Source]:
    """Read the stored fits that hold draws; first in the list are the reference's own."""
    sources = []
    for each in fits:
        config = run_config(each)
        if config["engine"] == "nuts":
            priors = PriorSet.from_dict(config["priors"])
            sources.append(stored_source(each, terms, priors, pooling))
    own = next((s for s in sources if same_priors(s.priors, reference, terms)), None)
    if own is None:
        own = sampled_source(terms, pooling, reference, seed, **settings)
        return [own, *sources]
    return [own, *(each for each in sources if each is not own)]


def split_quantities(
    table: pd.DataFrame, methods: pd.DataFrame, terms: Terms
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Part a table of every quantity into rates, with the studies behind them, and the rest."""
    ran = methods.set_index(["set", "outcome"])["max_r_hat"]
    ran = ran.where(methods.set_index(["set", "outcome"])["method"] == "refit")
    keys = list(zip(table["set"], table["outcome"], strict=True))
    table = table.assign(r_hat=ran.reindex(keys).to_numpy()).rename(columns={"ess": "ess_bulk"})
    is_rate = table["quantity"].isin(RATE_QUANTITIES)
    rates = table[is_rate].reset_index(drop=True)
    rates = rates.join(rate_support(rates, terms))[["set", *_RATE_COLUMNS]]
    hyper = table[~is_rate].rename(columns={"quantity": "parameter"}).reset_index(drop=True)
    return rates, hyper[["set", *_HYPER_COLUMNS]]


def reference_scaling(result: SetResult) -> pd.DataFrame:
    """Power-scaling of every outcome under the reference, whose draws are its own.

    Returns
    -------
    pandas.DataFrame
        ``outcome`` and the columns of `analysis.power_scaling.power_scaling`.
    """
    frames = []
    for block, found in result.weights.items():
        source = found.source
        scored = source.scored
        shape = (source.chains, len(scored) // source.chains)
        units = source.terms.units["outcome"] == source.terms.names.index(block[0])
        likelihood = source.log_likelihood[:, units].sum(axis=1)[: math.prod(shape)]
        for outcome in block:
            k, priors = source.terms.names.index(outcome), result.priors.of(outcome)
            draws, log_prior = {}, np.zeros(len(scored))
            for parameter in ("mu", "tau", "sigma"):
                prior = getattr(priors, parameter)
                where = parameter if parameter in source.draws else "theta"
                if prior.fixed is not None or (where == "theta" and parameter == "tau"):
                    continue
                values = source.draws[where][scored][:, k].reshape(len(scored), -1)
                # Without pooling every disease's level has the prior of mu, and there is no mu.
                log_prior = log_prior + prior.logpdf(values).sum(axis=1)
                if where == parameter:
                    draws[parameter] = values[: math.prod(shape), 0].reshape(shape)
            table = scaling.power_scaling(
                draws, log_prior[: math.prod(shape)].reshape(shape), likelihood.reshape(shape)
            )
            table.insert(0, "outcome", outcome)
            frames.append(table)
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


#: Refits that may be made so that re-weighting reaches more of the maps.
_BRIDGES = 2


def _flips(results, sources, asked: dict[str, Question], confidence: float, seed: int, settings):
    """Find where each conclusion changes, and lay out the map that it was looked for on."""
    if not asked:
        return pd.DataFrame(), pd.DataFrame()
    reference, terms, pooling = results[0].priors, sources[0].terms, sources[0].pooling
    blocks = {name: block for block in blocks_of(terms) for name in block}
    grids = {name: prior_grid(reference, name, "tau" in sources[0].draws) for name in asked}
    maps: dict[str, pd.DataFrame] = {}
    for i in range(_BRIDGES + 1):
        for name, question in asked.items():
            if name not in maps or maps[name]["probability"].isna().any():
                maps[name] = reweighted_map(sources, reference, blocks[name], grids[name], question)
        grid_map = pd.concat(maps.values(), ignore_index=True)
        between = bridge(reference, list(grids.values()), grid_map)
        if between is None or i == _BRIDGES:
            break
        number = seed + len(sources)
        more = sampled_source(terms, pooling, between, number, scored=False, **settings)
        sources = [*sources, more]
    return flips(grid_map, set_probabilities(results, asked), asked, confidence), grid_map


def _messages(results: Sequence[SetResult], scores: pd.DataFrame) -> tuple[str, ...]:
    said = []
    for result in results:
        divergences = next(iter(result.weights.values())).source.diagnostics["divergences"]
        if result.method == "refit" and divergences > 0:
            said.append(f"{result.priors.name}: {divergences:g} draws diverged in its refit.")
    whole = scores[scores["outcome"].isna() & (scores["elpd_pareto_k"] >= 0.7)]
    if len(whole):
        said.append(
            "The predictive scores rest on a study that importance sampling leaves out badly "
            f"(Pareto k up to {whole['elpd_pareto_k'].max():.2f}): read them with care."
        )
    return tuple(said)


def _flip_dict(row: dict[str, Any]) -> dict[str, Any]:
    found = row["nearest_mu"] is not None
    nearest = {"mu": row["nearest_mu"], "tau_scale": row["nearest_tau_scale"]} if found else None
    kept = ("outcome", "disease", "threshold", "direction", "probability")
    return {**{name: row[name] for name in kept}, "nearest": nearest}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    """Turn a value into what JSON knows; what is no finite number is null."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if value is None or value is pd.NA:
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
