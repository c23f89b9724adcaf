"""Exact operating characteristics of a one-rate decision, by enumeration over the counts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from scipy import special

from ...data.errors import InputError
from ...models.direction import Direction
from ...models.rates.beta_mixture import (
    binomial_mass,
    mixture_below,
    mixture_quantile,
    posterior_mixture,
)
from ...models.rates.prior import AnyPrior, RatePrior, WeightedRates, as_prior


@runtime_checkable
class Analysis(Protocol):
    """How the new trial will be analysed: for n patients, one value a count from 0 to n."""

    @property
    def words(self) -> str:
        """What the analysis is, in words."""
        ...

    def probability_above(self, threshold: float, n: int) -> np.ndarray:
        """Posterior probability that the trial's rate is above `threshold`, shape (n + 1,)."""
        ...

    def quantile(self, probability: float, n: int) -> np.ndarray:
        """Posterior quantile of the trial's rate, shape (n + 1,)."""
        ...

    def predictive(self, n: int) -> np.ndarray:
        """Probability of each count before the trial, shape (n + 1,)."""
        ...


@dataclass(frozen=True)
class ConjugateAnalysis:
    """The analysis with a beta-mixture prior."""

    prior: RatePrior

    @property
    def words(self) -> str:
        """The prior in words."""
        return self.prior.words

    def __str__(self) -> str:
        return str(self.prior)

    def _posteriors(self, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        prior = self.prior
        weights, a, b = (np.array(value) for value in (prior.weights, prior.a, prior.b))
        return posterior_mixture(weights, a, b, np.arange(n + 1), n)

    def probability_above(self, threshold: float, n: int) -> np.ndarray:
        """Posterior probability that the trial's rate is above `threshold`, shape (n + 1,)."""
        return 1 - mixture_below(np.array(threshold), *self._posteriors(n))

    def quantile(self, probability: float, n: int) -> np.ndarray:
        """Posterior quantile of the trial's rate, shape (n + 1,)."""
        return mixture_quantile(np.array(probability), *self._posteriors(n))

    def predictive(self, n: int) -> np.ndarray:
        """Probability of each count before the trial, shape (n + 1,)."""
        return self.prior.predictive(n)

    def density(self, rates) -> np.ndarray:
        """Density of the rate before the trial, per unit of probability."""
        return self.prior.density(rates)


def as_analysis(analysis: "str | AnyPrior | Analysis") -> Analysis:
    """Return the analysis that a prior (or its text) stands for.

    Raises
    ------
    InputError
        When the prior leaves nothing to learn or is not a mixture.
    """
    if isinstance(analysis, Analysis) and not isinstance(analysis, RatePrior):
        return analysis
    prior = as_prior(analysis)  # pyright: ignore[reportArgumentType]
    if isinstance(prior, RatePrior):
        return ConjugateAnalysis(prior)
    if len(set(prior.rates)) == 1:
        raise InputError(
            f"analysis prior {prior}: a fixed rate leaves nothing to learn; give beta(a,b)"
        )
    raise InputError(
        f"analysis prior ({prior.words}): fit a beta mixture to it first (map or robust-map)"
    )


def as_mixture(analysis: "str | AnyPrior | Analysis", design: str) -> RatePrior:
    """Return the mixture of an analysis, for a design that needs its form.

    Raises
    ------
    InputError
        As `as_analysis`, and for an analysis that is no mixture.
    """
    found = as_analysis(analysis)
    if not isinstance(found, ConjugateAnalysis):
        raise InputError(
            f"analysis prior ({found.words}): {design} wants a beta mixture; use map or robust-map"
        )
    return found.prior


@dataclass(frozen=True)
class Rule:
    """When a trial is a success: `single` P(rate beyond null | data) > level; `dual` see words."""

    null: float
    target: float | None = None
    kind: str = "single"
    level: float = 0.95
    direction: Direction = Direction.ABOVE

    @property
    def words(self) -> str:
        """The rule as a sentence's end."""
        text = f"P(rate {self.direction.symbol} {self.null:g} | data) > {self.level:g}"
        if self.kind == "dual":
            text += f" and the posterior median is {self.direction} {self.target:g}"
        return text

    def words_with(self, type1: float | None) -> str:
        """Return the words with the bound that moves the critical count."""
        if type1 is None:
            return self.words
        return (
            f"{self.words}, the critical count moved until the exact type I error is at most "
            f"{type1:g}"
        )

    @property
    def hardest(self) -> float:
        """The rate beyond which the truth must lie for endless data to end in success."""
        return self.target if self.kind == "dual" and self.target is not None else self.null

    def beyond(self, prior: AnyPrior, rate: float) -> float:
        """Probability under `prior` of a true rate beyond `rate` in the rule's direction."""
        return float(prior.above(rate) if self.direction is Direction.ABOVE else prior.below(rate))

    def successes(self, analysis: Analysis, n: int) -> np.ndarray:
        """Whether each count from 0 to n is a success, shape (n + 1,)."""
        success = self._probability(analysis, self.null, n) > self.level
        if self.kind == "dual" and self.target is not None:
            # The median is beyond the target when more than half of the posterior is.
            success &= self._probability(analysis, self.target, n) > 0.5
        return success

    def _probability(self, analysis: Analysis, threshold: float, n: int) -> np.ndarray:
        return self.direction.probability(analysis.probability_above(threshold, n))

    def critical(self, analysis: Analysis, n: int, type1: float | None = None) -> int | None:
        """Return the least extreme count from which every further one is a success.

        With `type1` the count also keeps the exact type I error at or below it. None when no count
        out of n is a success.
        """
        success = self.successes(analysis, n)
        if type1 is not None:
            success &= exact_tails(n, self.null, self.direction) <= type1
        if self.direction is Direction.BELOW:
            success = success[::-1]
        failures = np.flatnonzero(~success)
        first = int(failures[-1]) + 1 if failures.size else 0
        if first > n:
            return None
        return first if self.direction is Direction.ABOVE else n - first

    def tested(self, n: int, bound: float) -> int | None:
        """Return the critical count of the exact binomial test at a type I error of `bound`."""
        kept = np.flatnonzero(exact_tails(n, self.null, self.direction) <= bound)
        return self.direction.weakest(kept) if kept.size else None

    def probability(self, critical: int | None, n: int, rates) -> np.ndarray:
        """Exact probability of success at the true `rates` (any shape)."""
        rates = np.asarray(rates, float)
        if critical is None:
            return np.zeros(rates.shape)
        if self.direction is Direction.BELOW:
            return special.bdtr(critical, n, rates)
        # bdtrc counts from its first argument plus one.
        return special.bdtrc(critical - 1, n, rates) if critical > 0 else np.ones(rates.shape)

    def share(self, critical: int | None, mass: np.ndarray) -> float:
        """Probability of success when the counts have probabilities `mass`, shape (n + 1,)."""
        return float(np.clip(self.part(critical, mass), 0, 1))

    def part(self, critical: int | None, values: np.ndarray) -> np.ndarray:
        """Sum of `values`, shape (..., n + 1), over the counts that are a success."""
        if critical is None:
            return np.zeros(values.shape[:-1])
        above = self.direction is Direction.ABOVE
        return (values[..., critical:] if above else values[..., : critical + 1]).sum(axis=-1)


def exact_tails(n: int, rate: float, direction: Direction) -> np.ndarray:
    """Binomial probability of each count or a more extreme one in `direction`, shape (n + 1,)."""
    counts = np.arange(n + 1.0)
    if direction is Direction.BELOW:
        return special.bdtr(counts, n, rate)
    tails = np.ones(n + 1)
    tails[1:] = special.bdtrc(counts[:-1], n, rate)
    return tails


def predictives(prior: AnyPrior, sizes: Sequence[int]) -> dict[int, np.ndarray]:
    """Return the predictive mass of 0 … n events for every n of `sizes`."""
    return leaving_out(prior.predictive(max(sizes)), sizes)


def predictive_moves(prior: AnyPrior, sizes: Sequence[int]) -> dict[int, np.ndarray] | None:
    """Return by how much batches of draws move these masses, shapes (batches, n + 1).

    None of a prior that is not drawn, whose averages have no Monte-Carlo error.
    """
    if not isinstance(prior, WeightedRates) or not prior.sampled:
        return None
    moves = prior.moves(binomial_mass(max(sizes), np.array(prior.rates)))
    return None if moves is None else leaving_out(moves, sizes)


def leaving_out(mass: np.ndarray, sizes: Sequence[int]) -> dict[int, np.ndarray]:
    """Return the mass for every n of `sizes`, given that for the largest.

    Leaving one exchangeable patient out gives the mass for n from that for n + 1, by sums of
    positive terms.
    """
    wanted = set(sizes)
    found = {}
    for n in range(max(wanted), min(wanted) - 1, -1):
        if n in wanted:
            found[n] = mass
        events = np.arange(n)
        if n:
            mass = (mass[..., :-1] * (n - events) + mass[..., 1:] * (events + 1)) / n
    return found


def averaging_error(prior: object, values: Callable[[np.ndarray], np.ndarray]) -> float | None:
    """Return the Monte-Carlo standard error of the average of `values` (of rates) over a prior.

    None of a prior that is not drawn.
    """
    if not isinstance(prior, WeightedRates) or not prior.sampled:
        return None
    return prior.standard_error(values(np.array(prior.rates)))


@dataclass(frozen=True, eq=False)
class Crossing:
    """Where sequential looks end, one value a true rate: arrays of shape (rates,).

    `path` is the mass of the counts still open at the last look, shape (rates, n + 1).
    """

    lower: np.ndarray
    upper: np.ndarray
    expected_n: np.ndarray
    path: np.ndarray


def crossing_probabilities(
    rates,
    looks: Sequence[int],
    lower: Sequence[int | None],
    upper: Sequence[int | None],
    start: tuple[int, int] = (0, 0),
) -> Crossing:
    """Follow the count of events through the looks, exactly.

    Parameters
    ----------
    rates : array, shape (rates,)
        True rates.
    looks : sequence of int
        Increasing numbers of patients.
    lower, upper : sequences of int or None
        The trial stops at a look when the count is at most `lower` or at least `upper` there.
    start : (int, int)
        Events and patients when the first look is still ahead.
    """
    rates = np.asarray(rates, float)
    events, n = start
    path = np.zeros((rates.size, n + 1))
    path[:, events] = 1
    below, above, expected = (np.zeros(rates.size) for _ in range(3))
    for look, low, high in zip(looks, lower, upper, strict=True):
        path = _enrol(path, rates, look - n)
        n = look
        if high is not None:
            above += path[:, high:].sum(axis=1)
            expected += n * path[:, high:].sum(axis=1)
            path[:, high:] = 0
        if low is not None and low >= 0:
            below += path[:, : low + 1].sum(axis=1)
            expected += n * path[:, : low + 1].sum(axis=1)
            path[:, : low + 1] = 0
    return Crossing(below, above, expected + n * path.sum(axis=1), path)


def _enrol(path: np.ndarray, rates: np.ndarray, patients: int) -> np.ndarray:
    """Add `patients` more to every path."""
    counts = np.arange(patients + 1)
    step = np.exp(
        special.xlogy(counts, rates[:, None])
        + special.xlog1py(patients - counts, -rates[:, None])
        + special.gammaln(patients + 1)
        - special.gammaln(counts + 1)
        - special.gammaln(patients - counts + 1)
    )
    size = path.shape[1]
    longer = np.zeros((rates.size, size + patients))
    for count in range(patients + 1):
        longer[:, count : count + size] += path * step[:, count, None]
    return longer
