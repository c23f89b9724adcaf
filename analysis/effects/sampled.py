"""Effects sampled instead of integrated: draws of the PyMC model, seen as posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.moderators import Moderator
from ...data.outcomes import outcome
from ...models.effects.contrast import contrast_likelihoods
from ...models.effects.priors import EffectPriors
from ...models.effects.textbook import contrast_terms
from ...models.exact.distribution import Distribution, of_draws
from ...models.exact.stated import Hierarchy
from ...models.pooling import has_tau, structure
from ...models.terms import Terms
from ..fitting.diagnostics import LARGEST_R_HAT, LEAST_EFFECTIVE_DRAWS
from ..fitting.moderated import coefficient_table
from ..fitting.progress import Progress
from ..fitting.sampling import Sampling
from .at_values import effects_at

_INTERVAL = (0.025, 0.5, 0.975)
_STATISTICS = ("mean", "sd", "q2.5", "q50", "q97.5", "mcse_mean", "mcse_sd")
_SAMPLER = {"target_accept": 0.95}
#: Stands among the diseases for one not yet tried, and for those without controlled studies.
_UNTRIED = "not yet tried"


@dataclass(frozen=True, eq=False)
class SampledPosterior:
    """Draws of one outcome's effects, read as `ExactPosterior` is.

    Attributes
    ----------
    hierarchy : Hierarchy
        The studies and their pooling.
    parameters : dict of str to numpy.ndarray
        Draws of ``mu``, ``tau``, ``sigma``, those that there are; shape (chain, draw).
    levels, next_studies : numpy.ndarray, shape (chain, draw, column)
        Effects of typical studies and of next ones; see `columns`.
    studies : dict of str to numpy.ndarray
        Draws of the effect of each study that informs; shape (chain, draw).
    expected : dict of str to numpy.ndarray
        With moderators, draws of what is expected of each study: the level of its disease and what
        the moderators add; shape (chain, draw).
    """

    hierarchy: Hierarchy
    parameters: dict[str, np.ndarray]
    levels: np.ndarray
    next_studies: np.ndarray
    studies: dict[str, np.ndarray]
    expected: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def columns(self) -> list[int]:
        """Position of each disease among the levels; all that borrow alike have one in common."""
        diseases = self.hierarchy.likelihoods.diseases
        if not self.hierarchy.has_tau:
            return list(range(len(diseases)))
        direct = [self.hierarchy.sizes[name][0] > 0 for name in diseases]
        return [i if own else len(diseases) for i, own in enumerate(direct)]

    def evidence_of(self, disease: str | None) -> dict:
        """Count the studies behind a disease's effect, as `ExactPosterior.evidence_of`."""
        return self.hierarchy.evidence_of(disease)

    def hyper(self) -> pd.DataFrame:
        """Mu, tau and sigma: statistics and Monte-Carlo errors, linear scale."""
        about = {"outcome": self.hierarchy.outcome}
        names = self.hierarchy.parameters
        rows = [about | {"parameter": n} | statistics(self.parameters[n]) for n in names]
        return pd.DataFrame(rows)

    def rates(self) -> pd.DataFrame:
        """Every disease's effect (``rate``) and next study, and a disease not yet tried."""
        rows = []
        for disease, quantity in self.hierarchy.quantities:
            about = {"outcome": self.hierarchy.outcome, "disease": disease, "quantity": quantity}
            drawn = statistics(self._draws(quantity, disease))
            rows.append(about | drawn | self.evidence_of(disease))
        return pd.DataFrame(rows)

    def distribution(self, quantity: str, disease: str | None = None) -> Distribution:
        """Distribution of an effect: ``rate``, ``new_study`` or ``new_disease``."""
        return of_draws(self._draws(quantity, disease))

    def study_distributions(self) -> dict[str, Distribution]:
        """Distribution of each informing study's own effect, by study."""
        return {study: of_draws(values) for study, values in self.studies.items()}

    @cached_property
    def diagnostics(self) -> pd.DataFrame:
        """R-hat and effective draws of everything reported that varies, a row each."""
        every = [self._draws(quantity, disease) for disease, quantity in self.hierarchy.quantities]
        every += list(self.parameters.values())
        return pd.DataFrame([_diagnosed(values) for values in every if np.ptp(values) > 0])

    def _draws(self, quantity: str, disease: str | None) -> np.ndarray:
        if quantity == "new_disease":
            return self.levels[..., -1]
        column = self.columns[self.hierarchy.likelihoods.diseases.index(str(disease))]
        return (self.next_studies if quantity == "new_study" else self.levels)[..., column]


@dataclass(frozen=True, eq=False)
class SampledEffects:
    """What sampling tells of effects.

    Attributes
    ----------
    posteriors : dict of str to SampledPosterior
        By outcome.
    diagnostics : dict
        The worst of everything reported, for the guard.
    coefficients : pandas.DataFrame or None
        Those of moderators, as `mscpool.analysis.fitting.moderated.moderators`; None without any.
    at : pandas.DataFrame or None
        Effects at values of moderators, as `effects_at`; None without any.
    """

    posteriors: dict[str, SampledPosterior]
    diagnostics: dict[str, Any]
    coefficients: pd.DataFrame | None = None
    at: pd.DataFrame | None = None


def sample_effects(
    rows: pd.DataFrame,
    diseases: Sequence[str],
    pooling: str,
    priors: EffectPriors,
    sampling: Sampling,
    progress: Progress | None = None,
    moderators: Sequence[Moderator] = (),
    whole: pd.DataFrame | None = None,
) -> SampledEffects:
    """Sample the effects of every outcome at once; outcomes are independent.

    Once more, twice as long, where too few draws were effective.

    Parameters
    ----------
    rows, diseases, pooling, priors
        As in `mscpool.analysis.effects.model.fit_effects`.
    sampling : Sampling
        Draws, tuning steps, chains, seed.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.
    moderators : sequence of Moderator
        What may explain why effects differ; levels are those at their values ``at``.
    whole : pandas.DataFrame, optional
        The rows with the studies that were left out: moderators are scaled over them, and effects
        expected of them too.

    Returns
    -------
    SampledEffects
        Of the outcomes with a study that says something.

    Raises
    ------
    InputError
        Pooling by ``exnex``: chains get stuck where the levels of a mixture with an exchangeable
        part can lie as near to each other as they like.
    """
    import nutpie

    from ...models.effects.textbook import effects_model

    if structure(pooling, diseases) == "exnex":
        raise InputError(
            "effects under exnex are integrated, not sampled: take the engine exact, or another "
            "pooling"
        )

    if progress is not None:
        progress("compiling", 0, 0)
    every = [*diseases, *([_UNTRIED] if has_tau(pooling, diseases) else [])]
    model = effects_model(rows, every, pooling, priors, moderators, whole)
    optional = ("mu", "tau", "sigma", "beta")
    kept = ["theta", "delta", *(n for n in optional if n in model.named_vars)]
    compiled = nutpie.compile_pymc_model(model, var_names=kept)
    everything = rows if whole is None else whole
    terms = contrast_terms(everything, every, moderators) if moderators else None
    made = _read(*_drawn(compiled, sampling, progress), rows, diseases, pooling, priors, terms)
    worst = made.diagnostics
    fewest = min(worst["min_ess_bulk"], worst["min_ess_tail"])
    if fewest <= LEAST_EFFECTIVE_DRAWS or worst["max_r_hat"] >= LARGEST_R_HAT:
        longer = _drawn(compiled, sampling.scaled(2, 2), progress)
        made = _read(*longer, rows, diseases, pooling, priors, terms)
    return made


def _drawn(compiled, sampling: Sampling, progress: Progress | None):
    """Sample a compiled model: its posterior, the sampler's statistics, and what draws anew."""
    import nutpie

    def report(states) -> None:
        if progress is not None:
            done = sum(state.finished_draws for state in states)
            progress("sampling", done, sampling.chains * (sampling.draws + sampling.tune))

    drawn = nutpie.sample(
        compiled,
        draws=sampling.draws,
        tune=sampling.tune,
        chains=sampling.chains,
        seed=sampling.seed,
        save_warmup=False,
        progress_bar=False,
        progress_callback=report,
        **_SAMPLER,
    )
    posterior, stats = (drawn[name].to_dataset() for name in ("posterior", "sample_stats"))
    if posterior.sizes["draw"] < sampling.draws:
        raise KeyboardInterrupt  # nutpie returns what it has when it is interrupted
    return posterior, stats, np.random.default_rng(sampling.seed)


def _read(
    posterior,
    stats,
    rng: np.random.Generator,
    rows: pd.DataFrame,
    diseases: Sequence[str],
    pooling: str,
    priors: EffectPriors,
    terms: Terms | None,
) -> SampledEffects:
    """Read draws as posteriors, at the values of the moderators that ``terms`` have."""
    found, coefficients, at, tails = {}, None, None, pd.DataFrame()
    expected: dict[str, dict[str, np.ndarray]] = {}
    if terms is not None:
        assert terms.design is not None, "asked for with moderators only"
        coefficients, tail = coefficient_table(posterior, terms, terms.names)
        tails = coefficients[["r_hat", "ess_bulk"]].assign(ess_tail=tail)
        expected, at = _expected(posterior, terms), effects_at(posterior, terms)
        beta = posterior["beta"].transpose("chain", "draw", "outcome", "coefficient").to_numpy()
        shift = (beta * terms.design.at).sum(axis=-1)
        moved = posterior["theta"].transpose("chain", "draw", "outcome", "disease")
        posterior = posterior.assign(theta=moved + shift[..., None])
    for name in posterior["outcome"].to_numpy().tolist():
        own = rows[rows["outcome"] == name]
        likelihoods = contrast_likelihoods(own, outcome(name).link, diseases, priors.baseline)
        hierarchy = Hierarchy(likelihoods, pooling, name)
        drawn_of = _posterior(hierarchy, posterior.sel(outcome=name), priors, rng)
        found[name] = replace(drawn_of, expected=expected.get(name, {}))
    return SampledEffects(found, _worst(found, tails, stats), coefficients, at)


def _expected(posterior, terms: Terms) -> dict[str, dict[str, np.ndarray]]:
    """Give what is expected of each study, by outcome: its disease's level, moved by moderators."""
    assert terms.design is not None, "asked for with moderators only"
    beta = posterior["beta"].transpose("chain", "draw", "outcome", "coefficient").to_numpy()
    disease_of = dict(zip(terms.rows["study"], terms.rows["disease"], strict=True))
    found: dict[str, dict[str, np.ndarray]] = {name: {} for name in terms.names}
    for row, (code, study) in enumerate(
        zip(terms.effects["outcome"], terms.effects["study"], strict=True)
    ):
        name = terms.names[code]
        level = posterior["theta"].sel(outcome=name, disease=disease_of[study])
        moved = beta[:, :, code] @ terms.design.matrix[row]
        found[name][study] = level.transpose("chain", "draw").to_numpy() + moved
    return found


def _posterior(hierarchy: Hierarchy, drawn, priors: EffectPriors, rng) -> SampledPosterior:
    """Gather the draws of one outcome, with studies drawn anew."""
    name = hierarchy.outcome
    levels = drawn["theta"].transpose("chain", "draw", "disease").to_numpy()
    parameters = {}
    for parameter in hierarchy.parameters:
        fixed = getattr(priors.of(name), parameter).fixed
        parameters[parameter] = (
            drawn[parameter].to_numpy() if fixed is None else np.full(levels.shape[:2], fixed)
        )
    fresh = parameters["sigma"][..., None] * rng.standard_normal(levels.shape)
    delta = drawn["delta"].transpose("chain", "draw", "contrast")
    studies = {
        study: delta.sel(contrast=f"{name}/{study}").to_numpy()
        for study in hierarchy.likelihoods.studies
    }
    return SampledPosterior(hierarchy, parameters, levels, levels + fresh, studies)


def statistics(draws: np.ndarray) -> dict[str, float]:
    """Mean, SD, quantiles and Monte-Carlo errors of draws, shape (chain, draw)."""
    from arviz_stats.base.array import array_stats

    measure: Any = array_stats
    axes = {"chain_axis": 0, "draw_axis": 1}
    errors = [0.0, 0.0]
    if np.ptp(draws) > 0:
        errors = [float(measure.mcse(draws, method=kind, **axes)) for kind in ("mean", "sd")]
    values = [draws.mean(), draws.std(ddof=1), *np.quantile(draws, _INTERVAL), *errors]
    return dict(zip(_STATISTICS, map(float, values), strict=True))


def _diagnosed(draws: np.ndarray) -> dict[str, float]:
    from arviz_stats.base.array import array_stats

    measure: Any = array_stats
    axes = {"chain_axis": 0, "draw_axis": 1}
    return {
        "r_hat": float(measure.rhat(draws, **axes)),
        "ess_bulk": float(measure.ess(draws, method="bulk", **axes)),
        "ess_tail": float(measure.ess(draws, method="tail", prob=(0.05, 0.95), **axes)),
    }


def _worst(found: dict[str, SampledPosterior], more: pd.DataFrame, stats) -> dict[str, Any]:
    from arviz_stats.base.array import array_stats

    measure: Any = array_stats
    every = pd.concat([*(each.diagnostics for each in found.values()), more])
    energy = measure.bfmi(stats["energy"].to_numpy(), chain_axis=0, draw_axis=1)
    return {
        "max_r_hat": float(every["r_hat"].max()),
        "min_ess_bulk": float(every["ess_bulk"].min()),
        "min_ess_tail": float(every["ess_tail"].min()),
        "divergences": int(stats["diverging"].sum()),
        "e_bfmi": float(np.min(energy)),
        "draws": stats["diverging"].size,
    }
