"""The guard: whether a fit may be believed.

Sampling, predictive checks with study effects drawn anew, each study left out, and what a review
states of the same diseases; a verdict for each outcome, with the reason in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...data.errors import InputError
from ...models.priors.sets import PriorSet
from ...models.terms import Terms, build_terms
from ..fitting.data_of_fit import evidence_of
from ..fitting.diagnostics import DIAGNOSTICS
from ..fitting.moderated import moderators_of
from ..fitting.predict import Levels, levels_of, renew_studies, replicate
from ..fitting.store import as_fit, run_config
from ..fitting.tree import rows_of
from . import discrepancies, identified, review, surprise
from .left_out_exactly import leave_each_out
from .result import Check, CheckResult, OutcomeVerdict, Subject
from .sampling_verdict import judge_sampling
from .verdicts import Verdict, worst

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ...data.evidence import Evidence

#: Checks that compare the data of an outcome with what is predicted of them, and may fail it.
COMPARED = (discrepancies.COMPARISON, surprise.COMPARISON)
#: Checks that may warn of an outcome, and never fail it.
NOTED = (identified.note, review.compare)
#: Draws by which a chain of a fit without a study adapts: the rest of its model has little to say.
_REFIT_TUNE = 500


def check(
    fit: DataTree | str | Path, evidence: Evidence | str | Path | pd.DataFrame | None = None
) -> CheckResult:
    """Decide whether a fit may be believed.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        A fit with all its groups, or the file or folder of a stored one.
    evidence : Evidence, str, Path or DataFrame, optional
        The evidence that was fitted: what a review states of it is then compared too.

    Returns
    -------
    CheckResult
        A verdict for each outcome, with the reason.

    Raises
    ------
    InputError
        No fit of rates, or the evidence is not the one that was fitted.

    Examples
    --------
    >>> mp.check(fit)
    pass
      Improvement: pass. The data look like what the model predicts.
      sampling: pass. Integrated numerically, not sampled: no error above 0.0001 (of an SD,
    where that is above one).
    """
    fit = as_fit(fit)
    config = run_config(fit)
    fitted = None if evidence is None else evidence_of(fit, evidence)
    if evidence is not None and fitted is None:
        raise InputError("this fit was made from other data: fit the evidence, or leave it out")
    terms, rng = terms_of_fit(fit), np.random.default_rng(config["seed"])
    levels = levels_of_fit(fit)
    replicated = _flat(fit["mixed_predictive"]["events"])
    pooling, priors = config["pooling"], PriorSet.from_dict(config["priors"])
    left_out = leave_each_out(
        terms,
        levels,
        # An integrated posterior has one for ArviZ alone: its studies are left out exactly.
        _flat(fit["log_likelihood"]["unit_events"]) if config["engine"] == "nuts" else None,
        pooling,
        priors,
        rng,
        _refitter(pooling, priors, config["seed"]),
    )
    result = judge(
        Subject(
            terms,
            pooling,
            levels,
            replicated,
            _flat(fit["posterior_predictive"]["events_within_bounds"]),
            left_out,
            _sampling(fit, len(replicated)),
            fitted,
            lambda: replicate(renew_studies(levels, terms, rng), terms, rng),
        )
    )
    return replace(result, run=_run(config))


def judge(subject: Subject) -> CheckResult:
    """Reach the guard's verdict; what `check` and the calibration of the guard share.

    Returns
    -------
    CheckResult
        Without ``run``.
    """
    compared = [one for kind in COMPARED for one in kind.compare(subject)]
    noted = [one for kind in NOTED for one in kind(subject)]
    outcomes = tuple(
        _sum_up(
            name,
            [one for one in compared if one.outcome == name],
            [one.reason for one in noted if one.outcome == name and one.verdict == "warn"],
        )
        for name in subject.terms.names
    )
    sampling = judge_sampling(subject.sampling)
    return CheckResult(
        worst([sampling.verdict, *(each.verdict for each in outcomes)]),
        outcomes,
        sampling,
        tuple(vars(one) | {"mid_p": one.mid_p} for one in subject.left_out),
        tuple(one for one in noted if one.check == "review"),
    )


def verdict_of(name: str, p: float, error: float) -> Verdict:
    """Judge a check that compares by its mid-p value and the error of that, given its name."""
    return next(kind for kind in COMPARED if name in kind.names).judge(p, error)


def _sum_up(name: str, checks: list[Check], warnings: list[str]) -> OutcomeVerdict:
    """Sum up an outcome: the worst of its checks, and why; warnings never change a failure."""
    verdict = worst(one.verdict for one in checks)
    alarms = [one for one in checks if one.verdict == verdict != "pass"]
    first = {name for kind in COMPARED if kind.names_study for name in kind.names}
    alarms.sort(key=lambda one: (one.check not in first, _tail(one)))
    reasons = [one.reason for one in alarms[:1]] + warnings
    if warnings and verdict == "pass":
        verdict = "warn"
    sentence = " ".join(reasons) or "The data look like what the model predicts."
    return OutcomeVerdict(name, verdict, sentence, tuple(checks))


def _tail(check: Check) -> float:
    return 0.5 if check.mid_p is None else min(check.mid_p, 1 - check.mid_p)


def terms_of_fit(fit: DataTree) -> Terms:
    """Rebuild the likelihood's terms from the rows that a fit keeps."""
    config = run_config(fit)
    rows = rows_of(fit)
    fitted = set(rows["outcome"])
    names = tuple(name for name in config["outcomes"] if name in fitted)
    return build_terms(rows, names, tuple(config["diseases"]), moderators_of(fit))


def _flat(values) -> np.ndarray:
    """Draws of all chains in one line; shape (draw, ...)."""
    return values.to_numpy().reshape(-1, *values.shape[2:])


def levels_of_fit(fit: DataTree) -> Levels:
    """Read the draws of a fit on the linear scale; levels of the studies are left out."""
    posterior = fit["posterior"]
    mu, tau, beta = (
        _flat(posterior[name]) if name in posterior else None for name in ("mu", "tau", "beta")
    )
    sigma, theta = _flat(posterior["sigma"]), _flat(posterior["theta"])
    return Levels.of_diseases(sigma, theta, mu, tau, beta)


def _sampling(fit: DataTree, draws: int) -> dict[str, float | int]:
    worst = fit["hyper"].attrs
    return {name: np.asarray(worst[name]).item() for name in DIAGNOSTICS} | {"draws": draws}


def _refitter(pooling: str, priors: PriorSet, seed: int) -> Callable[[Terms, int], Levels]:
    """Make what samples the same model again without some terms."""

    def refit(terms: Terms, draws: int) -> Levels:
        from ..fitting.fit import sample

        drawn, _ = sample(terms, pooling, priors, draws=draws, tune=_REFIT_TUNE, seed=seed)
        flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in drawn.items()}
        return levels_of(flat, terms, np.random.default_rng(seed))

    return refit


def _run(config: Mapping[str, Any]) -> dict[str, Any]:
    named = {key: config[key] for key in ("data_sha256", "pooling", "engine", "seed", "versions")}
    return named | {"priors": config["priors"]["name"]}
