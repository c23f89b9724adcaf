"""The guard: whether a fit may be believed.

Sampling, predictive checks with study effects drawn anew, each study left out, and what a review
states of the same diseases; a verdict for each outcome, with the reason in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...models.pooling import has_tau, structure
from ...models.priors.sets import PriorSet
from ...models.terms import Terms, build_terms
from ..fitting.diagnostics import DIAGNOSTICS
from ..fitting.predict import Levels, levels_of
from ..fitting.store import run_config
from .discrepancies import DISCREPANCIES, Arms, expected_counts, mid_p
from .left_out import LeftOut, adjusted_smallest
from .left_out_exactly import leave_each_out
from .review import compare_review
from .sampling_verdict import judge_sampling
from .verdicts import Verdict, worst

if TYPE_CHECKING:
    from xarray import DataTree

    from ...data.evidence import Evidence

# The thresholds are set by the calibration, for six outcomes together: predictive checks see the
# data twice, and counts are small, so that sound data come near 0 and 1 seldom.
#: A discrepancy's mid-p value nearer than this to 0 or to 1 warns, or fails.
WARN_TAIL, FAIL_TAIL = 0.01, 0.0025
#: Smallest mid-p value over the studies of an outcome, adjusted for their number: warns, or fails.
WARN_LEFT_OUT, FAIL_LEFT_OUT = 0.05, 0.01

#: Name of the check of left-out studies.
LEFT_OUT = "most surprising study, left out"


@dataclass(frozen=True)
class Check:
    """One comparison of the data with what the model predicts.

    Attributes
    ----------
    check : str
        What was compared.
    observed, predicted : float
        Averages over the draws; of the study left out, its events and those that were expected.
    mid_p : float
        Probability of a larger value, ties counting half: near 0 or 1 it tells of misfit. Of the
        study left out, the two-sided value adjusted for the number of studies: near 0 it does.
    verdict : {"pass", "warn", "fail"}
        What follows from it.
    """

    check: str
    observed: float
    predicted: float
    mid_p: float
    verdict: Verdict


@dataclass(frozen=True)
class OutcomeVerdict:
    """What the guard finds of one outcome: verdict, reason in words, and its checks."""

    outcome: str
    verdict: Verdict
    reason: str
    checks: tuple[Check, ...]

    def warned(self, reason: str) -> OutcomeVerdict:
        """Add a reason to be wary, which never changes a failure."""
        if self.verdict == "pass":
            return replace(self, verdict="warn", reason=reason)
        return replace(self, reason=f"{self.reason} {reason}")


@dataclass(frozen=True)
class CheckResult:
    """The guard's findings.

    Attributes
    ----------
    verdict : {"pass", "warn", "fail"}
        The worst of the outcomes' and the sampling's.
    outcomes : tuple of OutcomeVerdict
        One an outcome.
    sampling : dict
        Worst diagnostics of the sampler, with ``verdict`` and ``reason``.
    loo : tuple of dict
        Each study left out: ``study``, ``outcome``, ``elpd``, ``pareto_k``, ``pit``.
    review : tuple of dict
        What the review states, beside what the model predicts of it.
    run : dict
        What made the fit.
    """

    verdict: Verdict
    outcomes: tuple[OutcomeVerdict, ...]
    sampling: dict[str, Any]
    loo: tuple[dict[str, Any], ...]
    review: tuple[dict[str, Any], ...]
    run: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Give the content of ``check.json``: plain values only."""
        return {
            "verdict": self.verdict,
            "outcomes": [
                {**asdict(each), "checks": [asdict(one) for one in each.checks]}
                for each in self.outcomes
            ],
            "sampling": dict(self.sampling),
            "loo": [dict(one) for one in self.loo],
            "review": [dict(one) for one in self.review],
            "run": dict(self.run),
        }

    def __repr__(self) -> str:
        """Show verdicts and reasons, a line each."""
        lines = [f"{self.verdict}"]
        lines += [f"  {each.outcome}: {each.verdict}. {each.reason}" for each in self.outcomes]
        lines.append(f"  sampling: {self.sampling['verdict']}. {self.sampling['reason']}")
        return "\n".join(lines)


def check(fit: DataTree, evidence: Evidence | None = None) -> CheckResult:
    """Decide whether a fit may be believed.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit with all its groups.
    evidence : Evidence, optional
        The evidence that was fitted: what a review states of it is then compared too.

    Returns
    -------
    CheckResult
        A verdict for each outcome, with the reason.

    Raises
    ------
    InputError
        The evidence is not the one that was fitted.
    """
    config = run_config(fit)
    if evidence is not None and evidence.sha256 != config["data_sha256"]:
        raise InputError("this fit was made from other data: fit the evidence, or leave it out")
    terms, rng = terms_of_fit(fit), np.random.default_rng(config["seed"])
    levels = _levels_of(fit)
    replicated = _flat(fit["mixed_predictive"]["events"])
    pooling, priors = config["pooling"], PriorSet.from_dict(config["priors"])
    left_out = leave_each_out(
        terms,
        levels,
        _flat(fit["log_likelihood"]["events"]) if "log_likelihood" in fit.children else None,
        pooling,
        priors,
        rng,
        _refitter(pooling, priors, config["seed"]),
    )
    result = judge(
        terms,
        pooling,
        levels,
        replicated,
        _flat(fit["posterior_predictive"]["events_within_bounds"]),
        left_out,
        _sampling(fit, len(replicated)),
    )
    result = replace(result, run=_run(config))
    return result if evidence is None else _with_review(result, evidence, terms, replicated)


def judge(
    terms: Terms,
    pooling: str,
    levels: Levels,
    replicated: np.ndarray,
    within_bounds: np.ndarray,
    left_out: list[LeftOut],
    sampling: Mapping[str, Any],
) -> CheckResult:
    """Reach the guard's verdict from draws; what `check` and the calibration of the guard share.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling : str
        How diseases inform each other.
    levels : Levels
        Posterior draws; levels of the studies are not used.
    replicated : numpy.ndarray
        Counts with study effects drawn anew, shape (draw, row).
    within_bounds : numpy.ndarray
        Observed counts, the bounded ones drawn within their bounds; shape (draw, row).
    left_out : list of LeftOut
        Each study as the others predict it.
    sampling : mapping
        The sampler's worst diagnostics: ``max_r_hat``, ``min_ess_bulk``, ``min_ess_tail``,
        ``divergences``, ``e_bfmi``, ``draws``; None where nothing was sampled, and then
        ``numerical_error``, that of the integrals.

    Returns
    -------
    CheckResult
        Without ``review`` and ``run``.
    """
    expected = expected_counts(levels.theta, levels.sigma, terms)
    priors_only = unidentified(terms, pooling)
    outcomes = []
    for name in terms.names:
        mine = np.flatnonzero(terms.rows["outcome"] == name)
        codes = pd.factorize(terms.rows["disease"].iloc[mine])[0]
        arms = Arms(terms.rows["n"].to_numpy()[mine], codes, expected[:, mine])
        checks = _predictive_checks(replicated[:, mine], within_bounds[:, mine], arms)
        studies = [one for one in left_out if one.outcome == name]
        found = _verdict_of(name, checks, studies)
        outcomes.append(found.warned(priors_only[name]) if name in priors_only else found)
    judged = judge_sampling(sampling)
    verdict = worst([judged["verdict"], *(each.verdict for each in outcomes)])
    loo = tuple({key: getattr(one, key) for key in _LOO_KEYS} for one in left_out)
    return CheckResult(verdict, tuple(outcomes), judged, loo, (), {})


_LOO_KEYS = ("study", "outcome", "elpd", "pareto_k", "pit")


def _predictive_checks(replicated: np.ndarray, realised: np.ndarray, arms: Arms) -> list[Check]:
    found = []
    for name, discrepancy in DISCREPANCIES.items():
        observed, predicted = discrepancy(realised, arms), discrepancy(replicated, arms)
        if np.isnan(observed).any():
            continue
        p = mid_p(predicted, observed)
        found.append(
            Check(name, float(observed.mean()), float(predicted.mean()), p, verdict_of(name, p))
        )
    return found


def verdict_of(name: str, p: float) -> Verdict:
    """Judge one check by its mid-p value: the one place where thresholds meet p-values.

    Parameters
    ----------
    name : str
        The check, as in `Check`.
    p : float
        Its mid-p value.

    Returns
    -------
    str
        ``pass``, ``warn`` or ``fail``.
    """
    if name == LEFT_OUT:
        return "fail" if p < FAIL_LEFT_OUT else "warn" if p < WARN_LEFT_OUT else "pass"
    tail = min(p, 1 - p)
    return "fail" if tail < FAIL_TAIL else "warn" if tail < WARN_TAIL else "pass"


def _verdict_of(name: str, checks: list[Check], studies: list[LeftOut]) -> OutcomeVerdict:
    """Sum up an outcome: its checks, the study that surprises most, and the reason."""
    extreme = min(studies, key=lambda one: one.mid_p)
    p = adjusted_smallest(np.array([one.mid_p for one in studies]))
    last = Check(LEFT_OUT, extreme.events, extreme.expected, p, verdict_of(LEFT_OUT, p))
    verdict = worst([last.verdict, *(one.verdict for one in checks)])
    reasons = []
    if last.verdict == verdict != "pass":
        reasons.append(
            f"In {extreme.study} {extreme.events:g} of {extreme.n} patients had the outcome where "
            f"the other studies predict {extreme.expected:.1f} (mid-p {p:.2g}, adjusted for "
            f"{len(studies)} studies)."
        )
    by_tail = sorted(checks, key=lambda one: min(one.mid_p, 1 - one.mid_p))
    reasons += [
        f"The {one.check} is {one.observed:.3g} where the model predicts {one.predicted:.3g} "
        f"(mid-p {one.mid_p:.2g})."
        for one in by_tail
        if one.verdict == verdict != "pass"
    ]
    sentence = reasons[0] if reasons else "The data look like what the model predicts."
    return OutcomeVerdict(name, verdict, sentence, (*checks, last))


def unidentified(terms: Terms, pooling: str) -> dict[str, str]:
    """Say of which outcomes the spread between diseases or studies is nothing but its prior.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling : str
        How diseases inform each other.

    Returns
    -------
    dict of str to str
        A sentence for each outcome that it holds of.
    """
    told = {}
    kind = structure(pooling, terms.diseases)
    for name, rows in terms.rows.groupby("outcome", sort=False):
        studies = rows["study"].nunique()
        most = rows.groupby("disease")["study"].nunique().max()
        if has_tau(pooling, terms.diseases) and studies == 1:
            told[str(name)] = "There is one study: tau and sigma are their priors."
        elif has_tau(pooling, terms.diseases) and most == 1:
            told[str(name)] = (
                "Every disease has one study only: the data tell of tau and sigma together, and "
                "which of them it is comes from their priors."
            )
        elif studies == 1 or (kind == "none" and most == 1):
            told[str(name)] = "No disease has a second study: sigma is its prior."
    return told


def terms_of_fit(fit: DataTree) -> Terms:
    """Rebuild the likelihood's terms from the rows that a fit keeps."""
    config = run_config(fit)
    given, observed = fit["constant_data"], fit["observed_data"]
    columns = ("study", "disease", "arm", "outcome", "n", "months")
    rows = pd.DataFrame({name: given[name].to_numpy() for name in columns})
    for name in ("events_min", "events_max"):
        rows[name] = observed[name].to_numpy()
    fitted = set(rows["outcome"])
    names = tuple(name for name in config["outcomes"] if name in fitted)
    return build_terms(rows, names, tuple(config["diseases"]))


def _flat(values) -> np.ndarray:
    """Draws of all chains in one line; shape (draw, ...)."""
    return values.to_numpy().reshape(-1, *values.shape[2:])


def _levels_of(fit: DataTree) -> Levels:
    posterior = fit["posterior"]
    mu, tau = (_flat(posterior[name]) if name in posterior else None for name in ("mu", "tau"))
    sigma, theta = _flat(posterior["sigma"]), _flat(posterior["theta"])
    return Levels(mu, tau, sigma, theta, np.empty((len(sigma), 0)))


def _sampling(fit: DataTree, draws: int) -> dict[str, float | int]:
    found = fit["hyper"].attrs
    return {name: np.asarray(found[name]).item() for name in DIAGNOSTICS} | {"draws": draws}


def _refitter(pooling: str, priors: PriorSet, seed: int) -> Callable[[Terms], Levels]:
    """Make what samples the same model again without some terms."""

    def refit(terms: Terms) -> Levels:
        from ..fitting.fit import sample

        drawn, _ = sample(terms, pooling, priors, seed=seed)
        flat = {name: values.reshape(-1, *values.shape[2:]) for name, values in drawn.items()}
        return levels_of(flat, terms, np.random.default_rng(seed))

    return refit


def _run(config: Mapping[str, Any]) -> dict[str, Any]:
    named = {key: config[key] for key in ("data_sha256", "pooling", "engine", "seed", "versions")}
    return named | {"priors": config["priors"]["name"]}


def _with_review(
    result: CheckResult, evidence: Evidence, terms: Terms, replicated: np.ndarray
) -> CheckResult:
    """Add the comparison with the review, and its warnings."""
    compared = compare_review(evidence, terms.rows, replicated)
    outcomes = []
    for each in result.outcomes:
        judged = each
        for one in compared:
            if one["outcome"] == each.outcome and one["verdict"] == "warn":
                judged = judged.warned(
                    f"The review states {one['value']:g} ({one['statistic']}, {one['disease']}) "
                    f"where the model predicts {one['predicted']:.3g} (mid-p {one['mid_p']:.2g})."
                )
        outcomes.append(judged)
    verdict = worst([result.sampling["verdict"], *(each.verdict for each in outcomes)])
    return replace(result, verdict=verdict, outcomes=tuple(outcomes), review=tuple(compared))
