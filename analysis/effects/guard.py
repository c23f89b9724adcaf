"""The guard of effects: whether they may be believed.

Each study left out, by its treated count given its total number of events, which depends on no
baseline; the spread of effects, predicted anew; and, from ten studies on, whether small studies
show larger effects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtr

from ...data.names import numbered
from ...data.outcomes import outcome
from ...models.effects.conditional import PairTables, predicted_place
from ...models.effects.standardised import by_means, effect_of_means
from ...models.exact.draws import draw
from ...models.exact.posterior import ExactPosterior
from ...models.exact.predictions import left_out_levels
from ..guard import surprise
from ..guard.monte_carlo import is_clear, mean_and_error, p_words, strict, why_stricter
from ..guard.result import Check, CheckResult, LeftOut, OutcomeVerdict
from ..guard.sampling_verdict import judge_sampling
from ..guard.verdicts import Verdict, worst
from .left_out import Refit, drawn_anew, leave_studies_out
from .model import IntegratedEffects
from .sampled import SampledEffects

SPREAD, SMALL_STUDIES = "spread of effects", "small-study effects (Harbord)"

#: The spread's mid-p value nearer than this to 0 or to 1 warns, or fails.
WARN_SPREAD, FAIL_SPREAD = 0.01, 0.0025
#: Harbord's two-sided p-value that warns, and the fewest studies that it is asked of.
WARN_SMALL_STUDIES, FEWEST_STUDIES = 0.05, 10

#: Draws of the spread; more where the first leave the verdict open.
_DRAWS = (1_000, 4_000, 40_000)
_LISTED = ("study", "outcome", "elpd", "pareto_k", "pit", "mid_p", "mid_p_mcse")


def check_effects(
    fit: IntegratedEffects,
    run: Mapping[str, Any],
    seed: int = 20250101,
    sampled: SampledEffects | None = None,
    refit: Refit | None = None,
    labels: Mapping[str, str] | None = None,
) -> CheckResult:
    """Decide whether effects may be believed.

    Parameters
    ----------
    fit : IntegratedEffects
        The effects, integrated: what the guard predicts is, but for moderated effects.
    run : mapping
        What made them, for the record.
    seed : int
        Of the replicated counts.
    sampled : SampledEffects, optional
        Where the effects that are told were sampled. With moderators it is from these draws that
        studies are predicted.
    refit : callable, optional
        With moderators: samples an outcome without a study.
    labels : mapping of str to str, optional
        How readers know the studies; left out, by their names in the tables.

    Returns
    -------
    CheckResult
        A verdict for each outcome, with the reason; ``loo`` holds every study left out.
    """
    rng = np.random.default_rng(seed)
    outcomes, left = [], []
    for name, posterior in fit.posteriors.items():
        drawn = None if sampled is None else sampled.posteriors.get(name)
        if drawn is not None and drawn.expected and refit is not None:
            studies = leave_studies_out(
                name, fit.rows_of(name), posterior, drawn, fit.priors.baseline, rng, refit
            )
            anew = partial(drawn_anew, posterior, drawn)
        else:
            studies, anew = _left_out(fit, name, posterior, rng), partial(_drawn_anew, posterior)
        left += studies
        outcomes.append(_judged(fit, name, posterior, studies, anew, rng, labels or {}))
    integrated = {"divergences": None, "numerical_error": fit.worst_error}
    sampling = judge_sampling(integrated if sampled is None else sampled.diagnostics)
    verdict = worst([sampling.verdict, *(each.verdict for each in outcomes)])
    loo = tuple({key: getattr(one, key) for key in _LISTED} for one in left)
    return CheckResult(verdict, tuple(outcomes), sampling, loo, (), dict(run))


def _left_out(fit: IntegratedEffects, name: str, posterior: ExactPosterior, rng) -> list[LeftOut]:
    """Predict each study that informs from all the others."""
    studies = posterior.hierarchy.likelihoods.studies
    if not studies:
        return []
    scores, levels, masses = left_out_levels(posterior)
    rows, link = fit.rows_of(name), outcome(name).link
    found = []
    for position, study in enumerate(studies):
        own = rows[rows["study"] == study]
        place = predicted_place(own, link, levels, masses[:, position], fit.priors.baseline)
        treated = own[own["arm"] != "control"]
        one = LeftOut.at(place, name, treated, float(scores[position]), None, rng)
        if by_means(own).any():
            one = replace(one, events=effect_of_means(own)[0])
        found.append(one)
    return found


def _drawn_anew(
    posterior: ExactPosterior, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, int]:
    """Draw the effect of every study anew, as `left_out.drawn_anew`; draws are independent."""
    drawn = draw(posterior, size, rng)
    level = drawn.theta[:, posterior.hierarchy.likelihoods.disease]
    return level + drawn.sigma[:, None] * rng.standard_normal(level.shape), 0


def _judged(
    fit: IntegratedEffects,
    name: str,
    posterior: ExactPosterior,
    studies: list[LeftOut],
    anew: Callable[[int, np.random.Generator], tuple[np.ndarray, int]],
    rng: np.random.Generator,
    labels: Mapping[str, str],
) -> OutcomeVerdict:
    """Sum up the checks of one outcome."""
    if not studies:
        return OutcomeVerdict(name, "warn", "No study says anything of this effect.")
    rows = fit.rows_of(name)
    timed = outcome(name).timed
    means = set(rows.loc[by_means(rows), "study"])
    checks = [_surprise(name, studies, timed, means, labels)]
    if len(studies) > 1:
        checks.append(_spread(fit, name, posterior, anew, rng))
    harbord = harbord_test(rows[rows["study"].isin([one.study for one in studies])])
    if harbord is not None and not timed:
        checks.append(_small_studies(name, *harbord))
    verdict = worst(one.verdict for one in checks)
    reasons = [one.reason for one in checks if one.verdict == verdict != "pass"]
    alone = only_priors(posterior)
    if alone and verdict != "fail":
        verdict, reasons = "warn", [*reasons, alone]
    reason = " ".join(reasons) or "The studies look like what the model predicts."
    return OutcomeVerdict(name, verdict, reason, tuple(checks))


def _surprise(
    name: str, studies: list[LeftOut], timed: bool, means: set[str], labels: Mapping[str, str]
) -> Check:
    """Judge the study that the others predict worst; its treated count given its total.

    Of a study with means, its log odds ratio.
    """
    extreme = min(studies, key=lambda one: one.mid_p)
    p, error = surprise.adjusted(extreme.mid_p, extreme.mid_p_mcse, len(studies))
    verdict = surprise.judge(p, error)
    # A log hazard ratio leaves a baseline in the count, and one study has only the prior beside it.
    if verdict == "fail" and (timed or len(studies) == 1):
        verdict = "warn"
    against = "the other studies predict" if len(studies) > 1 else "the prior alone predicts"
    where = f"In {labels.get(extreme.study, extreme.study)},"
    seen = (
        f"{where} {extreme.events:g} of {numbered(extreme.n, 'treated patient')} had "
        "the outcome "
        f"where {against} {extreme.expected:.1f}, given its number of events"
    )
    if extreme.study in means:
        seen = (
            f"{where} the log odds ratio from means is {extreme.events:z.2f} where "
            f"{against} {extreme.expected:z.2f}"
        )
    stricter = why_stricter(p, error, surprise.judge)
    reason = f"{seen} ({p_words(p, error)}, adjusted for {len(studies)} studies).{stricter}"
    found = extreme.events, extreme.expected, p, error, reason
    return Check(surprise.LEFT_OUT, verdict, name, *found)


def _spread(fit: IntegratedEffects, name: str, posterior: ExactPosterior, anew, rng) -> Check:
    """Compare how much effects differ with what the model predicts of studies drawn anew."""
    tables = PairTables.of(
        fit.rows_of(name),
        posterior.hierarchy.likelihoods.studies,
        outcome(name).link,
        fit.priors.baseline,
    )
    for size in _DRAWS:
        effects, together = anew(size, rng)
        observed, replicated = tables.spreads(effects, rng)
        beyond = (replicated > observed) + (replicated == observed) / 2
        p = float(beyond.mean())
        error = float(np.sqrt(max(p * (1 - p), 1 / size) / size))
        if together:
            error = max(error, mean_and_error(beyond, None, together)[1])
        if is_clear(min(p, 1 - p), error, (WARN_SPREAD, FAIL_SPREAD)):
            break
    verdict = _judge_spread(p, error)
    if verdict == "fail" and outcome(name).timed:
        verdict = "warn"
    seen, expected = float(observed.mean()), float(replicated.mean())
    reason = (
        f"The spread of effects (Cochran's Q) is {seen:.3g} where the model predicts "
        f"{expected:.3g} ({p_words(p, error)}).{why_stricter(p, error, _judge_spread)}"
    )
    return Check(SPREAD, verdict, name, seen, expected, p, error, reason)


def _judge_spread(p: float, error: float) -> Verdict:
    """Judge either tail of the spread, as strictly as its error asks for."""
    tail = strict(min(p, 1 - p), error)
    return "fail" if tail < FAIL_SPREAD else "warn" if tail < WARN_SPREAD else "pass"


def _small_studies(name: str, intercept: float, p: float) -> Check:
    verdict = "warn" if p < WARN_SMALL_STUDIES else "pass"
    reason = (
        f"Small studies show other effects than large ones (Harbord's intercept {intercept:.2g}, "
        f"p {p:.2g})."
    )
    return Check(SMALL_STUDIES, verdict, name, intercept, 0.0, p, 0.0, reason)


def harbord_test(rows: pd.DataFrame) -> tuple[float, float] | None:
    """Ask whether small studies show larger effects: Harbord's modified Egger regression.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one outcome, of studies that inform; those with bounded counts or means are left
        out.

    Returns
    -------
    tuple of float, or None
        Intercept and two-sided p-value; None with fewer than ten studies.

    References
    ----------
    Harbord, Egger and Sterne 2006, doi 10.1002/sim.2380.
    """
    scores = []
    for _, arms in rows[~by_means(rows)].groupby("study", sort=False):
        if (arms["events_min"] != arms["events_max"]).any():
            continue
        control = arms["arm"] == "control"
        treated, n1 = (arms.loc[~control, c].sum() for c in ("events_min", "n"))
        other, n0 = (arms.loc[control, c].sum() for c in ("events_min", "n"))
        events, n = treated + other, n1 + n0
        variance = n1 * n0 * events * (n - events) / (n**2 * (n - 1))
        scores.append((treated - events * n1 / n, variance))
    if len(scores) < FEWEST_STUDIES:
        return None
    score, variance = np.array(scores, float).T
    root = np.sqrt(variance)
    design = np.column_stack([np.ones(len(root)), root])
    found, residual, *_ = np.linalg.lstsq(design, score / root)
    degrees = len(root) - 2
    covariance = np.linalg.inv(design.T @ design) * residual[0] / degrees
    t = found[0] / np.sqrt(covariance[0, 0])
    return float(found[0]), float(2 * stdtr(degrees, -abs(t)))


def only_priors(posterior: ExactPosterior) -> str:
    """Say where tau or sigma of the effects is nothing but its prior; nothing where neither is."""
    sizes = [studies for studies, _ in posterior.hierarchy.sizes.values()]
    if posterior.hierarchy.has_tau and sum(sizes) == 1:
        return "There is one study: tau and sigma are their priors."
    if posterior.hierarchy.has_tau and max(sizes) == 1:
        return (
            "Every disease has one study only: the data tell of tau and sigma together, and which "
            "of them it is comes from their priors."
        )
    if sum(sizes) == 1 or (posterior.hierarchy.structure == "none" and max(sizes) == 1):
        return "No disease has a second study: sigma is its prior."
    return ""
