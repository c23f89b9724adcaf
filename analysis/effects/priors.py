"""Prior sets of effects compared: what each makes of the same controlled studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...data.controlled import controlled_rows
from ...data.evidence import Evidence
from ...data.outcomes import outcome
from ...models.effects.contrast import contrast_likelihoods
from ...models.effects.priors import EffectPriors
from ...models.exact.hierarchy import ExactHierarchy
from ...models.priors.prior import Prior
from ..fitting.moderated import COLUMNS as COEFFICIENTS
from ..fitting.moderated import moderators as coefficients_of
from ..fitting.progress import Progress, named, silent
from ..fitting.sampling import Sampling
from . import tables
from .effects import effects
from .model import EffectsFit
from .results import contrasts, effect_hyper

COLUMNS = (
    *("set", "outcome", "disease", "scale", "ratio_q2.5", "ratio_q50", "ratio_q97.5"),
    *("probability_benefit", "tau_q2.5", "tau_q50", "tau_q97.5", "sigma_q2.5", "sigma_q50"),
    *("sigma_q97.5", "log_marginal_likelihood", "log_marginal_likelihood_error"),
    *("log_bayes_factor", "studies", "patients"),
)
_SAMPLING = Sampling("nuts")
_QUANTILES = ("q2.5", "q50", "q97.5")


@dataclass(frozen=True)
class _Hierarchies:
    """The hierarchies of effects of one evidence, kept by baseline: priors share their tables."""

    rows: pd.DataFrame
    diseases: tuple[str, ...]
    pooling: str
    known: dict[tuple[str, Prior], ExactHierarchy]

    def fit(self, priors: EffectPriors, verify: bool) -> EffectsFit:
        """Integrate every outcome under a set of priors."""
        found = {}
        for name, own in self.rows.groupby("outcome", sort=False):
            key = str(name), priors.baseline
            if key not in self.known:
                likelihoods = contrast_likelihoods(
                    own, outcome(key[0]).link, self.diseases, priors.baseline
                )
                self.known[key] = ExactHierarchy(likelihoods, self.pooling, key[0])
            found[key[0]] = self.known[key].posterior(priors.of(key[0]), verify)
        return EffectsFit(self.rows, self.diseases, self.pooling, priors, found)


def compare_effect_priors(
    evidence: Evidence,
    sets: Sequence[EffectPriors],
    pooling: str = "partial",
    randomised: bool = False,
    moderators: Sequence[str] = (),
    at: Sequence[str] = (),
    sampling: Sampling = _SAMPLING,
    progress: Progress = silent,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare prior sets of effects: by integration, with moderators by sampling under each.

    Parameters
    ----------
    evidence : Evidence
        The analysis set; its studies with a control arm are compared.
    sets : sequence of EffectPriors
        The first is the reference.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    randomised : bool
        Only randomised studies.
    moderators, at : sequence of str
        As in `effects`.
    sampling : Sampling
        With moderators: draws, tuning steps, chains and seed.
    progress : callable
        Called with the stage of the sampler, what is done and what is to be done.

    Returns
    -------
    effects : pandas.DataFrame
        One row a set, outcome and disease with controlled studies, `COLUMNS`: quantiles of the odds
        ratio (hazard ratio of deaths) of a typical study; of tau and sigma, missing where the
        pooling has none; the log marginal likelihood of the outcome's studies with its numerical
        error, and what it exceeds the reference's by. Sets that differ in their baseline's prior
        are judged by the same data, so that their marginal likelihoods compare. Sampled effects
        have none.
    coefficients : pandas.DataFrame
        Those of moderators under each ``set``, as `mscpool.analysis.fitting.moderated.moderators`;
        empty without moderators.

    Raises
    ------
    InputError
        No study has a control arm, or an unknown pooling.
    """
    if moderators:
        return _sampled(evidence, sets, pooling, randomised, moderators, at, sampling, progress)
    compared = controlled_rows(evidence)
    rows = (compared.randomised() if randomised else compared).rows
    hierarchies = _Hierarchies(rows, evidence.diseases, pooling, {})
    frames = [_rows(hierarchies.fit(each, verify=True)) for each in sets]
    reference = frames[0].groupby("outcome", sort=False)["log_marginal_likelihood"].first()
    table = pd.concat(frames, ignore_index=True)
    gain = table["log_marginal_likelihood"] - table["outcome"].map(reference)
    none = pd.DataFrame(columns=["set", *COEFFICIENTS])
    return table.assign(log_bayes_factor=gain)[list(COLUMNS)], none


def _sampled(
    evidence: Evidence,
    sets: Sequence[EffectPriors],
    pooling: str,
    randomised: bool,
    moderators: Sequence[str],
    at: Sequence[str],
    sampling: Sampling,
    progress: Progress,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sample the effects and the coefficients of moderators under each set."""
    frames, coefficients = [], []
    for each in sets:
        made = effects(
            evidence, pooling, each, randomised, check=False, moderators=moderators, at=at,
            draws=sampling.draws, tune=sampling.tune, chains=sampling.chains, seed=sampling.seed,
            progress=named(progress, each.name),
        )  # fmt: skip
        rows = _told(contrasts(made), effect_hyper(made))
        frames += [{"set": each.name, **row} for row in rows]
        coefficients.append(coefficients_of(made).assign(set=each.name))
    table = pd.DataFrame(frames, columns=list(COLUMNS))
    return table, pd.concat(coefficients, ignore_index=True)[["set", *COEFFICIENTS]]


def _rows(fit: EffectsFit) -> pd.DataFrame:
    found = []
    for row in _told(tables.effects_table(fit), tables.hyper_table(fit)):
        posterior: Any = fit.posteriors[row["outcome"]]
        row["log_marginal_likelihood"] = posterior.log_marginal_likelihood
        row["log_marginal_likelihood_error"] = posterior.log_marginal_likelihood_error
        found.append({"set": fit.priors.name, **row})
    return pd.DataFrame(found)


def _told(table: pd.DataFrame, hyper: pd.DataFrame) -> list[dict[Any, Any]]:
    """Give the effects of diseases with controlled studies, with their tau and sigma."""
    table = table[(table["quantity"] == "effect") & (table["evidence"] == "direct")]
    hyper = hyper.set_index(["outcome", "parameter"])
    found = []
    for row in table.to_dict("records"):
        row |= {
            f"{name}_{q}": float(np.asarray(hyper.at[(row["outcome"], name), q]))
            if (row["outcome"], name) in hyper.index
            else float("nan")
            for name in ("tau", "sigma")
            for q in _QUANTILES
        }
        found.append(row)
    return found
