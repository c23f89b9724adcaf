"""A two-arm trial in question: what is asked and believed, and when the experimental arm wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from ...models.direction import Direction
from ...models.effects.belief import as_effect
from ...models.rates.difference import probability_difference_above
from ...models.rates.prior import AnyPrior, RatePrior, as_prior
from .beliefs import Priors
from .counts import later_counts
from .operating import as_mixture
from .two_arm_belief import ApartBelief, EffectOnControl
from .two_arm_request import TwoArm
from .type1_search import decide


@dataclass(frozen=True, eq=False)
class Plan:
    """What is asked and believed, and when the experimental arm wins."""

    request: TwoArm
    known: dict[tuple[int, int], tuple[np.ndarray, float, float]] = field(
        default_factory=dict, repr=False
    )

    @property
    def direction(self) -> Direction:
        """The side of the margin on which the experimental arm wins."""
        return Direction(self.request.direction)

    @cached_property
    def arms(self) -> dict[str, Priors[RatePrior]]:
        """The priors of both arms; the experimental one alone is discounted."""
        asked = self.request
        analyses = (asked.analysis_prior_experimental, asked.analysis_prior_control)
        belief = self.undiscounted
        believed = (None, None) if belief is None else (belief.experimental, belief.control)
        return {
            arm: Priors(
                as_mixture(analysis or asked.analysis_prior, "two arms"),
                design,
                discount,
                self.direction,
            )
            for arm, analysis, design, discount in zip(
                ("experimental", "control"), analyses, believed, (asked.discount, 0.0), strict=True
            )
        }

    @cached_property
    def undiscounted(self) -> ApartBelief | EffectOnControl | None:
        """What is believed of both rates, before any discount."""
        asked = self.request
        experimental, control = asked.believed
        if experimental is None or control is None:
            return None
        if asked.effect_prior is not None:
            effect = as_effect(asked.effect_prior, asked.months is not None)
            return EffectOnControl(effect, as_prior(control), self.direction)
        return ApartBelief(as_prior(experimental), as_prior(control), self.direction)

    @cached_property
    def belief(self) -> ApartBelief | EffectOnControl | None:
        """What is believed of both rates, discount included."""
        return self.undiscounted and self.undiscounted.discounted(self.request.discount)

    @property
    def belief_words(self) -> str:
        """What is believed of both rates, as a sentence; nothing where nothing is."""
        if self.undiscounted is None:
            return ""
        experimental, control = self.arms.values()
        if not isinstance(self.undiscounted, EffectOnControl):
            return (
                f"The design priors (the belief about the true rates) are {experimental.belief} "
                f"for the experimental and {control.belief} for the control rate."
            )
        effect, discount = self.undiscounted.effect, self.request.discount
        words = effect.words
        if discount:
            words += f", with a discount for optimism of {discount:g}"
        return (
            f"The design priors (the belief about the truth) are {control.belief} for the control "
            f"rate and, independent of it, {words} for the {effect.scale} of experimental to "
            "control patients."
        )

    @property
    def said(self) -> dict[str, str | None]:
        """The priors in words, by the names of the request."""
        words = {arm: priors.said for arm, priors in self.arms.items()}
        said = {
            f"{name}_{arm}": words[arm][name]
            for name in ("analysis_prior", "design_prior")
            for arm in words
        }
        if not isinstance(self.undiscounted, EffectOnControl):
            return {**said, "effect_prior": None}
        effect = self.undiscounted.effect.words
        return {**said, "design_prior_experimental": None, "effect_prior": effect}

    @property
    def used(self) -> dict[str, AnyPrior]:
        """The priors as used, by what they are."""
        named = {arm: priors.used for arm, priors in self.arms.items()}
        return {
            f"{name}, {arm}": used[name]
            for name in ("design prior", "analysis prior")
            for arm, used in named.items()
            if name in used
        }

    @cached_property
    def sizes(self) -> list[tuple[int, int]]:
        """Experimental and control patients of every size in question."""
        return self.request.sizes

    @property
    def totals(self) -> list[int]:
        """Patients of every size in question."""
        return [sum(size) for size in self.sizes]

    @property
    def discounts(self) -> bool:
        """Whether the size is also wanted under other discounts."""
        return (
            self.belief is not None
            and self.request.wanted.assurance is not None
            and not self.request.sized
        )

    def probability(self, n_experimental: int, n_control: int) -> np.ndarray:
        """Posterior probability of a difference beyond the margin, for each pair of counts."""
        above = probability_difference_above(
            self.arms["experimental"].analysis, self.arms["control"].analysis,
            n_experimental, n_control, self.request.margin,
        )  # fmt: skip
        return self.direction.probability(above)

    @cached_property
    def posterior(self) -> list[np.ndarray]:
        """The same at each size in question."""
        return [self.probability(*size) for size in self.sizes]

    @cached_property
    def ahead(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Probability of each final count given that of now, of both arms, at interim looks."""
        masses = [
            [arm.analysis.predictive(n) for arm, n in zip(self.arms.values(), size, strict=True)]
            for size in self.sizes
        ]
        found = []
        for own in masses[:-1]:
            experimental, control = map(later_counts, own, masses[-1])
            found.append((experimental, control))
        return found

    def decided(self, n_experimental: int, n_control: int) -> tuple[np.ndarray, float, float]:
        """Which pairs of counts are a success, at what level, and the largest type I error."""
        asked, size = self.request, (n_experimental, n_control)
        if size not in self.known:
            success, level, type1 = decide(
                self.probability(*size), asked.margin, asked.level, asked.type1, asked.controls
            )
            self.known[size] = (success.astype(bool), level, type1)
        success, level, type1 = self.known[size]
        return success.astype(float), level, type1

    def believing(self, priors: Mapping[str, Any]) -> Plan:
        """Return the same trial under other design priors: its decisions stay."""
        return Plan(replace(self.request, sets=None, **priors), self.known)

    def powered(self, table: pd.DataFrame) -> np.ndarray:
        """Whether each size has the wanted power; all have where none is wanted."""
        if self.request.power is None:
            return np.ones(len(table), bool)
        return table["power"].to_numpy() >= self.request.power
