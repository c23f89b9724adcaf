"""The guard's own error rates: how often it fails a sound data set, and notices a defective one.

Every data set is drawn, fitted and judged as a user's would be, with shorter chains; results are
kept one by one, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ...data.errors import InputError
from ...data.evidence import load_evidence
from ...models.priors.sets import DEFAULT
from ..fitting import predict
from ..guard.check import COMPARED, judge, verdict_of
from ..guard.disease_left import thinned
from ..guard.left_out_exactly import leave_each_out
from ..guard.result import CheckResult, Subject
from ..guard.sampling_verdict import judge_sampling
from ..guard.verdicts import Verdict, worst
from ..workers.workers import NONE
from . import defects, effects, faults, sbc
from .integrated import judge_integrated, posterior_of
from .kept import Kept, follows_from
from .sbc_sampled import places_among_draws

SETS, SIMS, SEED = 200, 200, 20250101
FILE = "calibration.jsonl"
#: Data sets of each size of a defect, and with a moderator, for each one that is sound.
_SHARE_DEFECTIVE = _SHARE_MODERATED = 0.1
#: Quantiles whose effective draws are those of the tails.
_TAILS = (0.05, 0.95)


@dataclass(frozen=True)
class Settings:
    """Length of the chains; the first letters of what a stored result is kept under.

    ``left_out`` is the number of draws that predict the studies left out.
    """

    draws: int = 500
    tune: int = 400
    chains: int = 4
    left_out: int = 1000
    seed: int = SEED


@dataclass(frozen=True)
class Task:
    """One data set: its ``shape``, its ``defect`` or its engine's, and which of its kind it is."""

    shape: str
    defect: str
    number: int

    @property
    def kind(self) -> tuple[str, str]:
        """Shape and defect."""
        return self.shape, self.defect


CORE, MANY, CORE_STUDIES = "core evidence", "6 x 8 x 40", "core studies"
POSTERIOR, MODERATED = "core evidence, its posterior", "core evidence, year as moderator"
#: Sound data in the shape of the shipped evidence: drawn from the priors, and from its posterior.
SOUND = {
    CORE: defects.from_prior,
    POSTERIOR: defects.from_posterior,
    MODERATED: defects.from_prior_with_year,
}
SHAPES = {MANY: defects.many_studies, CORE_STUDIES: defects.core_studies}
#: Begins the name of a data set that is ranked by the exact engine, and not judged.
PLACED = "integrated, "


def tasks(sets: int = SETS, sims: int = SIMS) -> list[Task]:
    """List the data sets, every kind as far along as the others wherever a run is stopped.

    Parameters
    ----------
    sets : int
        Sound data sets of the evidence's shape from the priors, as many from its posterior, and
        as many of effects; a tenth of that with a moderator, and of each size of a defect.
    sims : int
        Data sets a shape for the exact engine, and as many for each fault of an engine.
    """
    few = max(1, round(sets * _SHARE_DEFECTIVE))
    counts = {(PLACED + name, "none"): sims for name in sbc.shapes()}
    counts |= {(PLACED + name, fault): sims for fault, (name, _) in faults.FAULTS.items()}
    counts |= {(shape, defect): few for shape in SHAPES for defect in defects.DEFECTS}
    counts |= {
        (shape, defect): sets if defect == effects.SOUND else few
        for shape in effects.SHAPES
        for defect in effects.DEFECTS
    }
    counts |= dict.fromkeys(((shape, "none") for shape in SOUND), sets)
    counts[MODERATED, "none"] = max(1, round(sets * _SHARE_MODERATED))
    listed = [Task(*kind, i) for kind, count in counts.items() for i in range(count)]
    return sorted(listed, key=lambda task: (task.number + 0.5) / counts[task.kind])


def run(task: Task, settings: Settings) -> dict[str, Any]:
    """Draw one data set, fit it, judge it; the seed is the task's own.

    Parameters
    ----------
    task : Task
        The data set.
    settings : Settings
        How it is fitted.

    Returns
    -------
    dict
        Mid-p values with their errors by outcome and check, the sampler's diagnostics, the largest
        Pareto k, the share of the truth's further studies within the 95 % interval of
        ``new_study``, and, where the data come from the priors, the ``places`` of the truth in the
        posterior. Of effects the verdict, that share, and the places.
    """
    code = [ord(letter) for letter in task.shape + task.defect]
    rng = np.random.default_rng([settings.seed, task.number, *code])
    if task.shape.startswith(PLACED):
        _, engine = faults.FAULTS.get(task.defect, (None, sbc.SOUND))
        return {"places": sbc.places(sbc.shapes()[task.shape.removeprefix(PLACED)], rng, engine)}
    if task.shape in effects.SHAPES:
        return effects.judged(effects.simulate(effects.SHAPES[task.shape], task.defect, rng), rng)
    if task.shape in SHAPES:
        return _run_integrated(task, rng)
    return _run_sampled(SOUND[task.shape](rng), settings, rng)


def _run_integrated(task: Task, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a data set of one outcome with its defect, and judge its integrated fit."""
    draw, pooling = defects.DEFECTS[task.defect]
    made = draw(SHAPES[task.shape](), rng)
    posterior = posterior_of(made.terms, pooling)
    assert made.new_study is not None, "made of rates that are known"
    held = []
    for code, disease in enumerate(made.terms.diseases):
        following = posterior.distribution("new_study", disease)
        low, high = following.quantile([0.025, 0.975])
        rates = made.new_study[:, code]
        held.append(((rates >= low) & (rates <= high)).mean())
    result = judge_integrated(posterior, made.terms, pooling, rng)
    return _stated(result) | {"coverage": float(np.mean(held)), "places": None}


def _run_sampled(
    made: defects.Simulated, settings: Settings, rng: np.random.Generator
) -> dict[str, Any]:
    """Judge a sampled fit of all outcomes; longer chains where sampling failed."""
    pooling = "partial"
    result, levels = judged(made, pooling, settings, rng)
    if result.sampling.verdict == "fail":
        longer = replace(settings, draws=2 * settings.draws, tune=2 * settings.tune)
        result, levels = judged(made, pooling, longer, rng)
    places = None
    if made.truth is not None:
        places = places_among_draws(made.truth, levels, made.terms, pooling, DEFAULT, rng)
    return _stated(result) | {"coverage": None, "places": places}


def _stated(result: CheckResult) -> dict[str, Any]:
    """Give what is kept of the guard's answer: enough to judge it by other thresholds."""
    return {
        "checks": {
            each.outcome: {one.check: (one.mid_p, one.mid_p_mcse) for one in each.checks}
            for each in result.outcomes
        },
        "sampling": dict(result.sampling.details),
        "largest_k": max((one["pareto_k"] for one in result.loo if one["pareto_k"]), default=None),
    }


def judged(
    made: defects.Simulated, pooling: str, settings: Settings, rng: np.random.Generator
) -> tuple[CheckResult, predict.Levels]:
    """Fit a data set and judge the fit; also give its draws."""
    from ..fitting.fit import sample

    terms, seed = made.terms, int(rng.integers(2**31))
    length = (settings.draws, settings.tune, settings.chains)
    sampled, stats = sample(terms, pooling, DEFAULT, *length, seed)

    def levels_of(drawn):
        flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in drawn.items()}
        return predict.levels_of(flat, terms, rng)

    levels = levels_of(sampled)
    few = thinned(levels, settings.left_out)
    new_study = predict.new_study_rates(levels, terms, rng)
    left_out = leave_each_out(
        terms,
        few,
        predict.integrated_log_likelihood(few, terms),
        pooling,
        DEFAULT,
        rng,
        lambda part, draws: levels_of(sample(part, pooling, DEFAULT, draws, *length[1:], seed)[0]),
    )
    quantities = [
        levels.mu,
        levels.tau,
        levels.sigma,
        predict.rates(levels.theta, terms),
        new_study,
        predict.new_disease_rates(levels, terms, pooling, DEFAULT, rng),
    ]
    subject = Subject(
        terms,
        pooling,
        levels,
        predict.replicate(predict.renew_studies(levels, terms, rng), terms, rng),
        predict.counts_within_bounds(levels, terms, rng),
        left_out,
        _diagnostics([q for q in quantities if q is not None], stats),
        None,
        lambda: predict.replicate(predict.renew_studies(levels, terms, rng), terms, rng),
    )
    return judge(subject), levels


def _diagnostics(quantities: list[np.ndarray], stats) -> dict[str, float | int]:
    """Worst diagnostics over quantities of shape (draw, ...), as those of a stored fit."""
    from arviz_stats.base.array import array_stats

    chains, draws = stats["diverging"].shape
    every = np.concatenate([q.reshape(chains, draws, -1) for q in quantities], axis=2)
    measure: Any = array_stats
    axes = {"chain_axis": 0, "draw_axis": 1}
    return {
        "max_r_hat": float(np.nanmax(measure.rhat(every, **axes))),
        "min_ess_bulk": float(np.nanmin(measure.ess(every, method="bulk", **axes))),
        "min_ess_tail": float(np.nanmin(measure.ess(every, method="tail", prob=_TAILS, **axes))),
        "divergences": int(stats["diverging"].sum()),
        "e_bfmi": float(np.min(measure.bfmi(stats["energy"].to_numpy(), **axes))),
        "draws": chains * draws,
    }


def verdict(found: dict[str, Any]) -> tuple[Verdict, Verdict]:
    """Judge a stored result by the guard's thresholds: all of it, and its sampling alone.

    Sampling counts where it fails only: of chains as short as these it warns more often. Effects
    are integrated, and stored with their verdict.
    """
    if "verdict" in found:
        return found["verdict"], "pass"
    sampling = judge_sampling(found["sampling"]).verdict
    checks: list[Verdict] = [
        verdict_of(name, p, error)
        for outcome in found["checks"].values()
        for name, (p, error) in outcome.items()
    ]
    return worst([*checks, "fail" if sampling == "fail" else "pass"]), sampling


def kept_in(folder: Path, settings: Settings) -> Kept[Task]:
    """Give what is kept in a folder of these settings, versions and evidence.

    A result of other checks than the guard's is none.
    """
    made_with = follows_from(asdict(settings), load_evidence().sha256)
    return Kept(folder / FILE, Task, made_with, _complete)


def _complete(result: dict[str, Any]) -> bool:
    checks = {name for kind in COMPARED for name in kind.names}
    judged = {name for each in result.get("checks", {}).values() for name in each}
    return "places" in result and ("checks" not in result or judged == checks)


def stored_results(
    sets: int, sims: int, folder: Path, settings: Settings
) -> dict[Task, dict[str, Any]]:
    """Give what is stored in a folder of the data sets of a run that was stopped.

    Parameters
    ----------
    sets, sims : int
        As in `tasks`.
    folder : Path
        Where results are kept.
    settings : Settings
        How data sets were fitted.

    Raises
    ------
    InputError
        None of them is stored there under these settings, versions and evidence.
    """
    kept = kept_in(folder, settings).read()
    found = {task: kept[task] for task in tasks(sets, sims) if task in kept}
    if not found:
        raise InputError(f"{folder / FILE}: holds no data set judged so; run without --stored-only")
    return found


def calibrate(
    sets: int = SETS,
    folder: Path = Path("results"),
    settings: Settings | None = None,
    sims: int = SIMS,
    scheduler: str = NONE,
    workers: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[Task, dict[str, Any]]:
    """Judge every data set that is not stored yet, and store it.

    Parameters
    ----------
    sets, sims : int
        As in `tasks`.
    folder : Path
        Where results are kept.
    settings : Settings, optional
        How data sets are fitted.
    scheduler, workers
        As in `workers.results`: where data sets are fitted. Their numbers do not depend on it.
    say : callable
        Told in a line how far the run is.

    Returns
    -------
    dict of Task to dict
        What `run` gives of each.

    Raises
    ------
    SchedulerError
        As `workers.results`; what was judged before is kept.
    """
    settings = settings or Settings()
    judge = partial(run, settings=settings)
    wanted = tasks(sets, sims)
    return kept_in(folder, settings).completed(judge, wanted, scheduler, workers, say)
