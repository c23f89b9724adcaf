"""The guard's own error rates: how often it fails a sound data set, and notices a defective one.

Every data set is drawn, fitted and judged as a user's would be, with shorter chains; results are
kept one by one, so that a run that was stopped goes on where it was.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ...data.names import numbered
from ...models.priors.sets import DEFAULT
from ..fitting import predict
from ..guard.check import COMPARED, judge, verdict_of
from ..guard.disease_left import thinned
from ..guard.left_out_exactly import leave_each_out
from ..guard.result import CheckResult, Subject
from ..guard.sampling_verdict import judge_sampling
from ..guard.verdicts import Verdict, worst
from . import defects, effects
from .sbc_sampled import places_among_draws
from .uniformity import Places

SETS, SEED = 200, 20250101
FILE = "calibration.jsonl"
#: The guard must fail at most this share of sound data sets ...
MOST_FALSE_ALARMS = 0.05
#: ... and notice at least this share of the defects that it is there for.
LEAST_POWER = 0.8
#: Data sets a defect, for each one that is sound.
_SHARE_DEFECTIVE = 0.25
#: Sound data sets of effects, which are integrated, for each one of rates.
_SHARE_EFFECTS = 2
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
    """One data set: its ``shape``, its ``defect``, and which of its kind it is."""

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
_NEEDED = tuple(list(defects.DEFECTS)[1:3])


def tasks(sets: int = SETS) -> list[Task]:
    """List the data sets: sound ones of the evidence's shape, then each defect on each shape."""
    listed = [Task(shape, "none", i) for shape in SOUND for i in range(sets)]
    each = max(1, round(sets * _SHARE_DEFECTIVE))
    for shape in SHAPES:
        listed += [Task(shape, defect, i) for defect in defects.DEFECTS for i in range(each)]
    for shape in effects.SHAPES:
        for defect in effects.DEFECTS:
            count = _SHARE_EFFECTS * (sets if defect == effects.SOUND else each)
            listed += [Task(shape, defect, i) for i in range(count)]
    return listed


def simulate(task: Task, rng: np.random.Generator) -> tuple[defects.Simulated, str]:
    """Draw a data set; give it and the pooling that it is fitted with."""
    if task.shape in SOUND:
        return SOUND[task.shape](rng), "partial"
    draw, pooling = defects.DEFECTS[task.defect]
    return draw(SHAPES[task.shape](), rng), pooling


def run(task: Task, settings: Settings) -> dict[str, Any]:
    """Draw one data set, fit it, judge it.

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
    if task.shape in effects.SHAPES:
        return effects.judged(effects.simulate(effects.SHAPES[task.shape], task.defect, rng), rng)
    made, pooling = simulate(task, rng)
    result, levels, new_study = judged(made, pooling, settings, rng)
    if result.sampling.verdict == "fail":
        longer = Settings(
            2 * settings.draws, 2 * settings.tune, settings.chains, settings.left_out, settings.seed
        )
        result, levels, new_study = judged(made, pooling, longer, rng)
    coverage = places = None
    if made.new_study is not None:
        low, high = np.quantile(new_study, (0.025, 0.975), axis=0)
        coverage = float(((made.new_study >= low) & (made.new_study <= high)).mean())
    if made.truth is not None:
        places = places_among_draws(made.truth, levels, made.terms, pooling, DEFAULT, rng)
    return {
        "checks": {
            each.outcome: {one.check: (one.mid_p, one.mid_p_mcse) for one in each.checks}
            for each in result.outcomes
        },
        "sampling": dict(result.sampling.details),
        "largest_k": max((one["pareto_k"] for one in result.loo if one["pareto_k"]), default=None),
        "coverage": coverage,
        "places": places,
    }


def judged(
    made: defects.Simulated, pooling: str, settings: Settings, rng: np.random.Generator
) -> tuple[CheckResult, predict.Levels, np.ndarray]:
    """Fit a data set and judge the fit; also give its draws, and ``new_study`` (draw, disease)."""
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
        lambda part, times: levels_of(
            sample(part, pooling, DEFAULT, settings.draws * times, *length[1:], seed)[0]
        ),
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
    return judge(subject), levels, new_study[:, 0]


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


def stored(path: Path, settings: Settings) -> dict[Task, dict[str, Any]]:
    """Read the results kept under these settings, of the checks that the guard has now.

    A line that was cut short is left out, as is one from before places were kept.
    """
    checks = {name for kind in COMPARED for name in kind.names}
    results: dict[Task, dict[str, Any]] = {}
    if not path.is_file():
        return results
    for line in path.read_text("utf-8").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        judged = {name for each in record["result"].get("checks", {}).values() for name in each}
        complete = "verdict" in record["result"] or judged == checks
        complete = complete and "places" in record["result"]
        if record["settings"] == asdict(settings) and complete:
            results[Task(**record["task"])] = record["result"]
    return results


def calibrate(
    sets: int = SETS, folder: Path = Path("results"), settings: Settings | None = None
) -> dict[Task, dict[str, Any]]:
    """Judge every data set that is not stored yet, and store it.

    Parameters
    ----------
    sets : int
        Sound data sets of the core evidence; a quarter as many for each defect.
    folder : Path
        Where results are kept.
    settings : Settings, optional
        How data sets are fitted.

    Returns
    -------
    dict of Task to dict
        What `run` gives of each.
    """
    settings = settings or Settings()
    path, wanted = folder / FILE, tasks(sets)
    results = {t: r for t, r in stored(path, settings).items() if t in set(wanted)}
    folder.mkdir(parents=True, exist_ok=True)
    missing = [task for task in wanted if task not in results]
    for done, (task, result) in enumerate(_results(missing, settings), start=1):
        record = {"settings": asdict(settings), "task": asdict(task), "result": result}
        with path.open("a", encoding="utf-8") as file:
            file.write("\n" * _cut_short(path) + json.dumps(record) + "\n")
        results[task] = result
        if done % 10 == 0 or done == len(missing):
            print(
                f"{done} of {numbered(len(missing), 'data set')} judged",
                file=sys.stderr,
                flush=True,
            )
    return results


def _cut_short(path: Path) -> bool:
    """Whether a killed run left the file without the end of its last line."""
    content = path.read_bytes()[-1:]
    return content not in (b"", b"\n")


def workers() -> int:
    """Give the number of processes that share the data sets."""
    return min(2, os.cpu_count() or 1)


def _results(missing: list[Task], settings: Settings) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Run tasks on two processes, each of which compiles a model once."""
    if len(missing) < 4:
        yield from ((task, run(task, settings)) for task in missing)
        return
    with ProcessPoolExecutor(workers(), mp_context=get_context("spawn")) as pool:
        waiting = {pool.submit(run, task, settings): task for task in missing}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def error_rates(found: dict[Task, dict[str, Any]]) -> pd.DataFrame:
    """Tell how often the guard failed, or remarked on, data sets of each kind.

    Parameters
    ----------
    found : dict of Task to dict
        As `calibrate` gives.

    Returns
    -------
    pandas.DataFrame
        One row a kind: ``data``, ``defect``, ``pooling``, ``sets``; shares that ``fail``, that
        ``warn_or_fail``, both with Wilson's 95 % interval (``_low``, ``_high``); mean ``coverage``
        of 95 % intervals of ``new_study``, missing where no truth is known.

    References
    ----------
    Wilson 1927, doi 10.1080/01621459.1927.10502953.
    """
    rows = []
    for kind in dict.fromkeys(task.kind for task in tasks(1)):
        results = [result for task, result in found.items() if task.kind == kind]
        if not results:
            continue
        verdicts = [verdict(result)[0] for result in results]
        counts = {"fail": verdicts.count("fail"), "warn_or_fail": len(verdicts)}
        counts["warn_or_fail"] -= verdicts.count("pass")
        covered = [r["coverage"] for r in results if r["coverage"] is not None]
        row: dict[str, Any] = {
            "data": kind[0],
            "defect": kind[1],
            "pooling": "partial" if kind[0] in effects.SHAPES else defects.DEFECTS[kind[1]][1],
        }
        row["sets"] = len(results)
        for name, count in counts.items():
            interval = binomtest(count, len(results)).proportion_ci(method="wilson")
            row[name] = count / len(results)
            row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
        rows.append(row | {"coverage": np.mean(covered) if covered else np.nan})
    return pd.DataFrame(rows)


def places(found: dict[Task, dict[str, Any]]) -> list[Places]:
    """Collect where the truth lay in its posteriors, of data sets that come from the priors.

    Parameters
    ----------
    found : dict of Task to dict
        As `calibrate` gives.
    """
    by_shape: dict[str, list[dict[str, float]]] = {}
    for task, result in found.items():
        if result["places"] is not None:
            by_shape.setdefault(task.shape, []).append(result["places"])
    return [
        Places("exact" if shape in effects.SHAPES else "nuts", shape, pd.DataFrame(each))
        for shape, each in by_shape.items()
    ]


def table(rates: pd.DataFrame) -> str:
    """Lay the error rates out as a Markdown table."""
    lines = [
        "| data sets | defect | pooling | sets | fail | 95 % interval | warn or fail "
        "| 95 % interval | coverage of `new_study` | wanted |",
        "|---|---|---|---:|---:|---|---:|---|---:|---|",
    ]
    for row in rates.to_dict("records"):
        shares = [
            f"{row[name]:.1%} | {row[f'{name}_low']:.1%} to {row[f'{name}_high']:.1%}"
            for name in ("fail", "warn_or_fail")
        ]
        coverage = "" if np.isnan(row["coverage"]) else f"{row['coverage']:.1%}"
        cells = (row["data"], row["defect"], row["pooling"], row["sets"], *shares, coverage)
        wanted = _wanted(row["data"], row["defect"])
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} | {wanted} |")
    return "\n".join(lines)


def _wanted(shape: str, defect: str) -> str:
    if shape in SOUND or (shape in effects.SHAPES and defect == effects.SOUND):
        return f"at most {MOST_FALSE_ALARMS:.0%}"
    return f"at least {LEAST_POWER:.0%}" if shape == MANY and defect in _NEEDED else ""
