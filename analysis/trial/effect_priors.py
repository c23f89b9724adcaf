"""Priors of a two-arm trial taken by name from effects: of the effect, and of the control rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...data.errors import InputError
from ...data.names import counted_in_text, counted_words, outcome_in_text, words
from ...data.outcomes import outcome as known_outcome
from ...data.text_files import text_of
from ...models.effects.belief import SCORES, EffectBelief, known_effect
from ...models.effects.priors import EFFECT_SETS, effect_priors
from ...models.effects.priors import EffectPriors as PriorsOfEffects
from ...models.exact.distribution import Distribution
from ...models.rates.fit import map_prior
from ...models.rates.prior import RatePrior, WeightedRates, robustify
from ..effects.effects import checked
from ..effects.next_trial import Behind, NextTrial
from .fit_priors import labelled

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

EFFECTS = ("new-study", "effect")
_QUANTITIES = {"new-study": "new_study", "effect": "effect", "rate": "rate"}


@dataclass(frozen=True, eq=False)
class EffectPriors:
    """What stored effects say of the next controlled trial of one outcome in one disease.

    Parameters
    ----------
    made : xarray.DataTree
        Of `mscpool.analysis.effects.effects.effects`.
    outcome, disease : str or None
        Which effect is meant; where there is one, it need not be named.
    verdict : {"pass", "warn", "fail", "unchecked"}
        The guard's, on this outcome's effects.
    robust_weight : float
        Weight of beta(1,1) in `robust-map`.
    months : float or None
        Follow-up of the trial, for an outcome that is timed.

    Raises
    ------
    InputError
        An outcome or disease that has no effects; months that are missing, or not wanted.
    """

    made: DataTree
    outcome: str | None
    disease: str | None
    verdict: str = "unchecked"
    robust_weight: float = 0.2
    months: float | None = None
    next_trial: NextTrial = field(init=False)
    used: dict[str, Behind] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        found = NextTrial(self.made, self.outcome, self.disease)
        for name, value in (
            ("next_trial", found),
            ("outcome", found.outcome),
            ("disease", found.disease),
        ):
            object.__setattr__(self, name, value)
        timed = known_outcome(found.outcome).timed
        if timed and self.months is None:
            named = counted_words(found.outcome)
            raise InputError(f"{named}: its risks grow with time: give months of follow-up")
        if self.months is not None and not timed:
            raise InputError(
                f"months {self.months:g} is of an outcome whose risk grows with time, such as "
                f"death: {counted_in_text(found.outcome)} is none"
            )

    @property
    def fit(self) -> DataTree:
        """The stored effects."""
        return self.made

    @property
    def about(self) -> str:
        """Outcome, disease and the guard's verdict, in words."""
        disease = str(self.disease).replace("_", " ")
        return f"{outcome_in_text(str(self.outcome))} in {disease} (guard: {self.verdict})"

    def effect(self, name: str) -> EffectBelief:
        """Return the effect of one of the names of `EFFECTS`."""
        quantity = _QUANTITIES[name]
        probabilities, values, behind = self.next_trial.effect(quantity)
        self.used["effect"] = behind
        link = known_outcome(str(self.outcome)).link
        scale = "log odds ratio" if link == "logit" else "log hazard ratio"
        of = "the next study's" if name == "new-study" else "the disease's"
        label = f"{of} {scale} for {self.about}, {behind.words}"
        alone = self.next_trial.effect_alone(quantity)
        own = None
        if alone is not None and behind.evidence == "direct":
            own = known_effect(probabilities, np.asarray(alone.quantile(probabilities)), "", link)
        return replace(known_effect(probabilities, values, label, link), alone=own)

    def by_set(self, name: str, named: str | Sequence[str]) -> dict[str, dict[str, EffectBelief]]:
        """Return the effect of one of the names of `EFFECTS` under each of several prior sets.

        Parameters
        ----------
        name : str
            Of the effect.
        named : str or sequence of str
            Names of prior sets for effects, with commas between, texts of prior files, or ``all``.
        """
        own, quantity = self.effect(name), _QUANTITIES[name]
        at, found = self.next_trial.effect(quantity)[0], {}
        for each in _effect_sets(named):
            values = np.asarray(self.next_trial.effect_under(each, quantity).quantile(at))
            label = f"{own.label}, under the prior set {each.name}"
            found[each.name] = {"effect_prior": known_effect(at, values, label, own.link)}
        return found

    def control(self, name: str) -> RatePrior | WeightedRates:
        """Return the control rate of one of the names that a fit offers, but the full re-analysis.

        Raises
        ------
        InputError
            Where the disease has no control arm of the outcome.
        """
        quantity = "rate" if name == "rate" else "new_study"
        distribution, behind = self.next_trial.control(quantity)
        if behind.evidence == "borrowed":
            raise InputError(
                f"{words(str(self.disease))} has no control arm of "
                f"{counted_in_text(str(self.outcome))}: give design_prior_control "
                "(and analysis_prior_control, where it is wanted), such as beta(4,16), or take an "
                "analysis set that has one"
            )
        self.used["control"] = behind
        of = "rate of control patients" if name == "rate" else "rate of the next control arm"
        label = f"the {of} for {self.about}, {behind.words}"
        rates = self._rates(distribution, label)
        if name in ("new-study", "rate"):
            return rates
        mixture = labelled(map_prior(rates, unconstrained=name == "map-unconstrained"), rates.label)
        return robustify(mixture, self.robust_weight) if name == "robust-map" else mixture

    def _rates(self, distribution: Distribution, label: str) -> WeightedRates:
        """Read a control rate at normal scores; of deaths the risk over the trial's months."""
        probabilities = np.asarray(distribution.quantile(_below(SCORES)))
        if self.months is not None:
            with np.errstate(divide="ignore"):  # its outermost quantile may be 1
                probabilities = -np.expm1(np.log1p(-probabilities) * self.months / 12)
            label += f", as a risk over {self.months:g} months"
        weights = np.exp(-(SCORES**2) / 2)
        return WeightedRates(
            tuple(probabilities.tolist()), tuple((weights / weights.sum()).tolist()), label
        )

    def stamped(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the guard's verdict to the rows of a table."""
        return table.assign(verdict=self.verdict)

    def to_dict(self) -> dict:
        """Return which effects are behind the priors, and what these rest on."""
        return {
            "outcome": self.outcome,
            "disease": self.disease,
            "verdict": self.verdict,
            "evidence": {name: vars(behind) for name, behind in self.used.items()},
        }


def _effect_sets(named: str | Sequence[str]) -> list[PriorsOfEffects]:
    """Look up prior sets for effects by names with commas between, files, texts, or `all`."""
    texts = [named] if isinstance(named, str) else named
    parts = [part.strip() for t in texts for part in ([t] if "\n" in t else t.split(","))]
    single = [name for part in parts for name in (EFFECT_SETS if part == "all" else (part,))]
    return [
        effect_priors(text_of(Path(each)), each) if each.endswith(".toml") else effect_priors(each)
        for each in dict.fromkeys(single)
    ]


def effects_priors(
    made: DataTree,
    outcome: str | None,
    disease: str | None,
    robust_weight: float,
    months: float | None,
) -> EffectPriors:
    """Return what stored effects say of the next controlled trial, with their guard's verdict."""
    found = EffectPriors(made, outcome, disease, robust_weight=robust_weight, months=months)
    return replace(found, verdict=checked(made).verdict_of(str(found.outcome)))


def _below(scores: np.ndarray) -> np.ndarray:
    from scipy import special

    return special.ndtr(scores)
