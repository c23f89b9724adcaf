"""What is believed of both arms of a trial: two rates apart, or a control rate and an effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from ...models.direction import Direction
from ...models.effects.belief import EffectBelief
from ...models.rates.beta_mixture import binomial_mass
from ...models.rates.prior import AnyPrior, WeightedRates, moves_error
from .beliefs import discounted
from .operating import leaving_out, predictive_moves, predictives

# Polynomials of this degree are averaged exactly over a mixture that is a control's rate.
DEGREE = 200
# Control rates that stand for their distribution in a picture.
SHOWN = 60


class Averages(Protocol):
    """Averages over the design priors of what a table of successes gives."""

    def assurance(self, success: np.ndarray) -> float:
        """Return the probability of success; `success` has shape (experimental, control)."""
        ...

    def error(self, *success: np.ndarray) -> float | None:
        """Return the Monte-Carlo standard error of the sum over tables; None of undrawn priors."""
        ...


class Belief(Protocol):
    """A joint distribution of the rates of both arms."""

    def discounted(self, discount: float) -> Belief:
        """Return it with the experimental arm's log-odds moved towards failure."""
        ...

    def averages(self, sizes: list[tuple[int, int]]) -> Averages:
        """Return what averages over it, for trials of these sizes."""
        ...

    def attainable(self, margin: float) -> tuple[float, float | None]:
        """Return the probability of a difference beyond the margin, and its error."""
        ...


@dataclass(frozen=True, eq=False)
class ApartBelief:
    """Two rates that are believed independently of each other."""

    experimental: AnyPrior
    control: AnyPrior
    direction: Direction

    def discounted(self, discount: float) -> ApartBelief:
        """Return it with the experimental rate moved towards failure."""
        return replace(self, experimental=discounted(self.experimental, discount, self.direction))

    @cached_property
    def quadrature(self) -> ApartBelief:
        """The same with the experimental rate as weighted rates, which serve every discount."""
        return replace(self, experimental=self.experimental.shifted(0.0))

    def averages(self, sizes: list[tuple[int, int]]) -> Averages:
        """Return what averages over both."""
        arms, controls = zip(*sizes, strict=True)
        return _ApartAverages(
            predictives(self.experimental, arms),
            predictives(self.control, controls),
            predictive_moves(self.experimental, arms),
            predictive_moves(self.control, controls),
        )

    def attainable(self, margin: float) -> tuple[float, float | None]:
        """Return the probability of a difference beyond the margin, and its error."""
        rates, weights = self.control.quadrature(DEGREE)
        above = self.direction is Direction.ABOVE
        side = self.experimental.above if above else self.experimental.below
        return float(np.clip(weights @ side(rates + margin), 0, 1)), self._error(margin)

    def _error(self, margin: float) -> float | None:
        above = self.direction is Direction.ABOVE
        moves = []
        for prior, other, moved, beyond in (
            (self.experimental, self.control, -margin, not above),
            (self.control, self.experimental, margin, above),
        ):
            own = None
            if isinstance(prior, WeightedRates):
                rates = np.array(prior.rates) + moved
                own = prior.moves(other.above(rates) if beyond else other.below(rates))
            moves.append(own)
        return _joint_error(*moves)


@dataclass(frozen=True, eq=False)
class _ApartAverages:
    masses: dict[int, np.ndarray]
    controls: dict[int, np.ndarray]
    moves: dict[int, np.ndarray] | None
    control_moves: dict[int, np.ndarray] | None

    def assurance(self, success: np.ndarray) -> float:
        n, m = success.shape[0] - 1, success.shape[1] - 1
        return float(np.clip(self.masses[n] @ (success @ self.controls[m]), 0, 1))

    def error(self, *success: np.ndarray) -> float | None:
        own, control = self.moves, self.control_moves
        sizes = [(table.shape[0] - 1, table.shape[1] - 1, table) for table in success]
        return _joint_error(
            None
            if own is None
            else np.sum([own[n] @ (table @ self.controls[m]) for n, m, table in sizes], axis=0),
            None
            if control is None
            else np.sum([control[m] @ (self.masses[n] @ table) for n, m, table in sizes], axis=0),
        )


def _joint_error(experimental: np.ndarray | None, control: np.ndarray | None) -> float | None:
    """Monte-Carlo standard error of what the draws of both arms' design priors move.

    The two may be the same draws, or draws of one chain: batch by batch they move it together.
    """
    known = [moves for moves in (experimental, control) if moves is not None]
    if len({len(moves) for moves in known}) == 1:
        return moves_error(np.sum(known, axis=0))
    errors = [moves_error(moves) for moves in known]
    return float(np.hypot.reduce(np.array(errors, float))) if errors else None


@dataclass(frozen=True, eq=False)
class EffectOnControl:
    """A control rate, and an effect that is independent of it: the arms share what it is about."""

    effect: EffectBelief
    control: AnyPrior
    direction: Direction

    def discounted(self, discount: float) -> EffectOnControl:
        """Return it with the effect moved towards failure."""
        return replace(self, effect=self.effect.shifted(-self.direction.sign * discount))

    @property
    def quadrature(self) -> EffectOnControl:
        """Itself, which serves every discount."""
        return self

    @property
    def alone(self) -> EffectOnControl | None:
        """The same with the effect of the disease's own studies alone."""
        return self.effect.alone and replace(self, effect=self.effect.alone)

    @property
    def experimental(self) -> WeightedRates:
        """The experimental rate by itself, at points of equal weight."""
        control = np.asarray(self.control.quantile((np.arange(SHOWN) + 0.5) / SHOWN))
        rates, weights = self.effect.treated(control), self.effect.nodes[1]
        words = f"the control rate moved by a {self.effect.scale} ({self.effect.words})"
        return WeightedRates(
            tuple(rates.ravel().tolist()), tuple(np.tile(weights / SHOWN, SHOWN).tolist()), words
        )

    def averages(self, sizes: list[tuple[int, int]]) -> Averages:
        """Return what averages over both."""
        arms, controls = zip(*sizes, strict=True)
        rates, weights = self.control.quadrature(DEGREE)
        effects = self.effect.nodes[1]
        largest = max(arms)
        # One control rate at a time: the masses of all at once would fill the memory.
        masses = np.stack(
            [effects @ binomial_mass(largest, own) for own in self.effect.treated(rates)]
        )
        return _EffectAverages(
            self.control,
            weights,
            leaving_out(masses, arms),
            leaving_out(binomial_mass(max(controls), rates), controls),
        )

    def attainable(self, margin: float) -> tuple[float, float | None]:
        """Return the probability of a difference beyond the margin, and its error."""
        rates, weights = self.control.quadrature(DEGREE)
        above = self.effect.beyond(rates, margin)
        beyond = above if self.direction is Direction.ABOVE else 1 - above
        moves = self.control.moves(beyond) if isinstance(self.control, WeightedRates) else None
        return float(np.clip(weights @ beyond, 0, 1)), moves_error(moves)


@dataclass(frozen=True, eq=False)
class _EffectAverages:
    """Masses at each control rate, shapes (control rate, n + 1)."""

    control: AnyPrior
    weights: np.ndarray
    masses: dict[int, np.ndarray]
    controls: dict[int, np.ndarray]

    def _won(self, success: np.ndarray) -> np.ndarray:
        """Probability of success at each control rate, shape (control rate,)."""
        n, m = success.shape[0] - 1, success.shape[1] - 1
        return ((self.masses[n] @ success) * self.controls[m]).sum(axis=1)

    def assurance(self, success: np.ndarray) -> float:
        return float(np.clip(self.weights @ self._won(success), 0, 1))

    def error(self, *success: np.ndarray) -> float | None:
        if not isinstance(self.control, WeightedRates):
            return None
        return self.control.standard_error(np.sum([self._won(table) for table in success], axis=0))
