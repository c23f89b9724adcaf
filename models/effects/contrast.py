"""A study's likelihood of its contrast: its arms' likelihood with the baseline integrated out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ..exact.likelihood_table import SKEWED, StudyLikelihoods, normal_likelihoods
from ..outcomes import Link, link_function
from ..priors.prior import Prior
from .arms import Arms, arms_of
from .standardised import by_means, effect_of_means

#: Prior of a study's baseline, the midpoint of its arms on the linear scale.
BASELINE = Prior.make("Normal", mu=0, sigma=10)

#: What lies this far below the greatest value of a log integrand is left out.
_NEGLIGIBLE = 27.0
#: Intervals that the trapezoid rule begins with and ends at, and the relative change at which it is
#: exact: on an analytic integrand that vanishes at both ends halving the step squares the error,
#: once it is below `_LONGEST`, as wide as the bends of a logistic curve.
_FEWEST, _MOST, _CHANGE, _LONGEST = 24, 6144, 1e-5, 0.5
#: Newton's method: longest first step and by how much each next one may be longer, share of the
#: width that is near enough, and most steps.
_STRIDE, _LENGTHENED, _NEAR, _MOST_STEPS = 3.0, 1.2, 0.05, 100
_CELLS = 400_000


@dataclass(frozen=True)
class Baseline:
    """Normal prior of a study's baseline: mean and standard deviation, linear scale."""

    mean: float
    sd: float

    @classmethod
    def of(cls, prior: Prior) -> Baseline:
        """Read a prior.

        Raises
        ------
        InputError
            One that is not normal: the quadrature needs its smoothness and its tails.
        """
        if (prior.dist, prior.on) != ("Normal", "value"):
            raise InputError(f"the baseline's prior must be Normal, not {prior}")
        given = dict(prior.parameters)
        return cls(given["mu"], given["sigma"])

    def log_density(self, baseline: np.ndarray) -> np.ndarray:
        """Log density."""
        z = (baseline - self.mean) / self.sd
        return -0.5 * z * z - np.log(self.sd * np.sqrt(2 * np.pi))


def informative_studies(rows: pd.DataFrame) -> list[str]:
    """Name the studies that say something of the contrast between their arms.

    Those that report means do. Those whose counts are certainly none, or certainly all, in every
    arm do not, and neither do those that know nothing of one side: under a prior of the baseline
    their likelihood would not be neutral, so that it is left out.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one outcome: ``study``, ``arm``, ``events_min``, ``events_max``, ``n``, and
        ``improvement`` where there are means.

    Returns
    -------
    list of str
        In the order of the rows.
    """
    means = by_means(rows)
    low, high, n = rows["events_min"], rows["events_max"], rows["n"]
    informs = pd.DataFrame(
        {
            "study": rows["study"],
            "not_none": means | (high > 0),
            "not_all": means | (low < n),
            "control": (rows["arm"] == "control") & (means | (low > 0) | (high < n)),
            "treated": (rows["arm"] != "control") & (means | (low > 0) | (high < n)),
        }
    )
    by_study = informs.groupby("study", sort=False).any()
    return [str(study) for study in by_study.index[by_study.all(axis=1)]]


def contrast_likelihoods(
    rows: pd.DataFrame,
    link: Link = "logit",
    diseases: Sequence[str] | None = None,
    baseline: Prior = BASELINE,
) -> StudyLikelihoods:
    """Describe controlled studies by what they say of the effect of treatment.

    A study's treated arms have the level ``b + delta / 2`` and its control arm ``b - delta / 2``;
    the likelihood of ``delta`` is that of its arms, integrated over ``b``. That of a study that
    reports means is normal; see `effect_of_means`.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows of one outcome, one a study and arm: ``study``, ``disease``, ``arm`` (``control`` or
        any other), ``events_min``, ``events_max``, ``n`` and, for ``cloglog``, ``months``. Where
        the two counts differ the likelihood is the probability of a count between them. Rows with
        an ``improvement`` tell of means instead.
    link : {"logit", "cloglog"}
        ``delta`` is a log odds ratio, or a log hazard ratio with log years as offset.
    diseases : sequence of str, optional
        Every disease wanted, in order; left out, those with rows.
    baseline : Prior
        Of ``b``, Normal.

    Returns
    -------
    StudyLikelihoods
        Of the studies that say something of ``delta``: those with counts, then those with means.

    Raises
    ------
    InputError
        A baseline prior that is not Normal, or a ``cloglog`` row without months.

    References
    ----------
    Dias and others 2013, doi 10.1177/0272989X12458724; coded about the midpoint, so that arms are
    treated alike: Jackson and others 2018, doi 10.1002/sim.7588 (model 5).
    """
    prior = Baseline.of(baseline)
    names = tuple(diseases) if diseases is not None else tuple(dict.fromkeys(rows["disease"]))
    means = by_means(rows)
    studies = informative_studies(rows[~means])
    arms = arms_of(rows[~means], link, studies)
    disease_of = dict(zip(rows["study"], rows["disease"], strict=True))

    def evaluate(levels, part=slice(None)):
        chosen = arms.of(part)
        return _log_likelihood(np.asarray(levels, float), chosen, prior)

    control, treated = arms.control, arms.treated
    some, none = arms.low > 0, arms.high < arms.n
    centres, scales = _features(arms)
    counted = StudyLikelihoods(
        tuple(studies),
        names,
        np.array([names.index(disease_of[study]) for study in studies], dtype=int),
        evaluate,
        centres,
        scales,
        ((treated & some) | (control & none)).any(axis=0),
        ((treated & none) | (control & some)).any(axis=0),
    )
    return _with_means(counted, rows[means]) if means.any() else counted


def _with_means(counted: StudyLikelihoods, rows: pd.DataFrame) -> StudyLikelihoods:
    """Put the normal likelihoods of studies with means behind those of studies with counts."""
    studies = rows.groupby("study", sort=False)
    names = [str(name) for name in studies.groups]
    effects = np.array([effect_of_means(own) for _, own in studies])
    labels = [str(own["disease"].iloc[0]) for _, own in studies]
    normal = normal_likelihoods(effects[:, 0], effects[:, 1], labels, names)
    first = len(counted.studies)

    def evaluate(levels, part=slice(None)):
        start, stop, _ = part.indices(first + len(names))
        behind = slice(max(start - first, 0), max(stop - first, 0))
        sides = (counted, slice(start, min(stop, first))), (normal, behind)
        return np.concatenate([each.evaluate(levels, own) for each, own in sides], axis=1)

    codes = [counted.diseases.index(label) for label in labels]
    everywhere = np.ones(len(names), bool)
    return StudyLikelihoods(
        (*counted.studies, *names),
        counted.diseases,
        np.append(counted.disease, codes),
        evaluate,
        np.append(counted.centres, effects[:, 0]),
        np.append(counted.scales, effects[:, 1]),
        np.append(counted.falls_below, everywhere),
        np.append(counted.falls_above, everywhere),
    )


def _log_likelihood(levels: np.ndarray, arms: Arms, prior: Baseline) -> np.ndarray:
    """Log likelihoods, shape (level, study)."""
    studies = arms.n.shape[1]
    flat = np.empty(len(levels) * studies)
    size = max(1, _CELLS // (_FEWEST * max(len(arms.n), 1)))
    for start in range(0, len(flat), size):
        part = np.arange(start, min(start + size, len(flat)))
        flat[part] = _integrated(levels[part // studies], arms.of(part % studies), prior)
    return flat.reshape(len(levels), studies)


def _integrated(contrast: np.ndarray, arms: Arms, prior: Baseline) -> np.ndarray:
    """Log of the integral over the baseline, of one study and contrast each; shape (point,)."""
    mode, width = _modes(contrast, arms, prior)
    peak = _log_integrand(mode, contrast, arms, prior)
    low, high = (_end(side * width, mode, peak, contrast, arms, prior) for side in (-1.0, 1.0))
    nodes = low[:, None] + (high - low)[:, None] * np.linspace(0, 1, _FEWEST + 1)
    logs = _log_integrand(nodes, contrast, arms, prior)
    peak = logs.max(axis=1)
    values = np.exp(logs - peak[:, None])
    whole, coarse = _trapezoid(values), _trapezoid(values[:, ::2])
    wide = high - low
    open_yet = (np.abs(whole - coarse) > _CHANGE * whole) | (wide > _FEWEST * _LONGEST)
    rest, count = np.flatnonzero(open_yet), _FEWEST
    while len(rest) and count < _MOST:
        share = (np.arange(count) + 0.5) / count
        nodes = low[rest, None] + (high - low)[rest, None] * share
        logs = _log_integrand(nodes, contrast[rest], arms.of(rest), prior)
        finer = (whole[rest] + np.exp(logs - peak[rest, None]).mean(axis=1)) / 2
        changed = np.abs(finer - whole[rest]) > _CHANGE * finer
        whole[rest] = finer
        rest, count = rest[changed | (wide[rest] > 2 * count * _LONGEST)], 2 * count
    return peak + np.log(whole * wide)


def _trapezoid(values: np.ndarray) -> np.ndarray:
    """Mean of values at equal steps, those at the ends half; shape (point,)."""
    ends = (values[:, 0] + values[:, -1]) / 2
    return (values[:, 1:-1].sum(axis=1) + ends) / (values.shape[1] - 1)


def _log_integrand(baseline, contrast, arms: Arms, prior: Baseline) -> np.ndarray:
    """Log of likelihood times prior; shape of ``baseline``, (point,) or (point, node)."""
    if baseline.ndim > 1:
        arms, contrast = arms.of((slice(None), None)), contrast[:, None]
    logs = arms.log_probability(arms.levels(baseline, contrast)).sum(axis=0)
    return logs + prior.log_density(baseline)


def _derivatives(baseline, contrast, arms: Arms, prior: Baseline) -> tuple[np.ndarray, np.ndarray]:
    """First two derivatives of the log integrand by the baseline; shape (point,)."""
    slope, curvature = arms.slope_and_curvature(arms.levels(baseline, contrast))
    own = (prior.mean - baseline) / prior.sd**2
    return slope.sum(axis=0) + own, curvature.sum(axis=0) - prior.sd**-2


def _modes(contrast: np.ndarray, arms: Arms, prior: Baseline) -> tuple[np.ndarray, np.ndarray]:
    """Find where each log integrand, which is concave, is greatest, and about how wide it is.

    Newton's method in limited steps, kept between baselines known to lie on either side. Where a
    hazard is far too large its steps hardly shrink: then the way is halved or, with no end to it
    known yet, taken in growing strides.
    """
    at = _first_baselines(contrast, arms)
    width, last = np.ones(len(at)), np.full(len(at), np.inf)
    low, high = np.full(len(at), -np.inf), np.full(len(at), np.inf)
    rest, stride = np.arange(len(at)), _STRIDE
    for _ in range(_MOST_STEPS):
        here = at[rest]
        slope, curvature = _derivatives(here, contrast[rest], arms.of(rest), prior)
        width[rest] = 1 / np.sqrt(np.maximum(-curvature, prior.sd**-2))
        low[rest] = np.where(slope > 0, here, low[rest])
        high[rest] = np.where(slope < 0, here, high[rest])
        wanted = slope * width[rest] ** 2
        slow = 2 * np.abs(wanted) > last[rest]
        step = np.where(slow, np.sign(slope) * stride, np.clip(wanted, -stride, stride))
        beyond = (here + step <= low[rest]) | (here + step >= high[rest])
        known = np.isfinite(low[rest]) & np.isfinite(high[rest])
        with np.errstate(invalid="ignore"):
            middle = (low[rest] + high[rest]) / 2
        # A step too short for a float stays on the end just known, where the other may not be.
        halved = (beyond | slow) & known & (slope != 0)
        at[rest] = np.where(halved, middle, here + step)
        last[rest] = np.abs(at[rest] - here)
        rest, stride = rest[np.abs(wanted) > _NEAR * width[rest]], stride * _LENGTHENED
        if not len(rest):
            break
    return at, width


def _first_baselines(contrast: np.ndarray, arms: Arms) -> np.ndarray:
    """Average the baselines at which each arm is as expected, by what each then informs."""
    centres, information = _approximation(arms)
    total = information.sum(axis=0)
    return (information * (centres - arms.half * contrast)).sum(axis=0) / total


def _end(step, mode, peak, contrast, arms: Arms, prior: Baseline) -> np.ndarray:
    """Baselines on one side beyond which the integrand is negligible.

    Its logarithm is concave: a step of Newton's method from inside lands outside, and further ones
    come nearer without passing.
    """
    at = mode + 4.5 * step
    for _ in range(3):
        over = _log_integrand(at, contrast, arms, prior) - (peak - _NEGLIGIBLE)
        at = at - over / _derivatives(at, contrast, arms, prior)[0]
    return at


def _approximation(arms: Arms) -> tuple[np.ndarray, np.ndarray]:
    """Level of each arm if its likelihood were normal, and its precision; shape (arm, study)."""
    share = ((arms.low + arms.high) / 2 + 0.5) / (arms.n + 1)
    centres = np.asarray(link_function(share, arms.link)) - arms.log_years
    if arms.link == "logit":
        information = (arms.n + 1) * share * (1 - share)
    else:
        information = np.log1p(-share) ** 2 * (1 - share) * (arms.n + 1) / share
    return centres, np.where(arms.n > 0, information, 0.0)


def _features(arms: Arms) -> tuple[np.ndarray, np.ndarray]:
    """Where the likelihoods of contrasts lie, and how wide they are; shape (study,)."""
    centres, information = _approximation(arms)

    def side(of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = (information * of).sum(axis=0)
        return (information * of * centres).sum(axis=0) / total, 1 / total

    (treated, first), (control, second) = side(arms.treated), side(arms.control)
    return treated - control, np.minimum(np.sqrt(first + second), SKEWED)
