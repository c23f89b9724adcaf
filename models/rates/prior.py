"""A prior on one rate: beta mixtures and weighted rates as values, and their text form.

Every average over such a prior in the trial designer is the average of a polynomial in the rate
(the probability of a set of counts out of n), so that one quadrature rule a prior serves all.
"""

import re
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from ...data.errors import InputError
from ...data.names import numbered
from .beta_mixture import (
    binomial_mass,
    gauss_jacobi,
    log_choose,
    mixture_below,
    mixture_density,
    mixture_quantile,
    posterior_mixture,
)

# Weights typed by hand, such as three times 0.333333, may miss 1 by this much.
WEIGHT_TOLERANCE = 1e-6
# A shifted beta is no polynomial weight any more; twice this many points leave an error below 1e-9.
SHIFT_DEGREE = 800


@dataclass(frozen=True)
class RatePrior:
    """A beta distribution, or a mixture of them, on a rate (probability scale).

    Parameters
    ----------
    weights, a, b : tuple of float
        Weight and the two shapes of each component; weights are positive and sum to 1.
    label : str
        What the prior is, in words, for paragraphs; the text form when empty.

    Raises
    ------
    InputError
        When a shape is not positive or the weights do not sum to 1.
    """

    weights: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    label: str = ""

    def __post_init__(self) -> None:
        if not len(self.weights) == len(self.a) == len(self.b) >= 1:
            raise InputError("a beta mixture needs one weight and two shapes for every component")
        if not all(np.isfinite(value) and value > 0 for value in (*self.a, *self.b)):
            raise InputError(f"{self}: both shapes of a beta must be positive numbers")
        if not all(np.isfinite(weight) and weight > 0 for weight in self.weights):
            raise InputError(f"{self}: every weight must be positive")
        total = sum(self.weights)
        if abs(total - 1) > WEIGHT_TOLERANCE:
            raise InputError(f"{self}: weights sum to {total:.6g}, they must sum to 1")

    def __str__(self) -> str:
        return _mixture_text(self.weights, self.a, self.b)

    @property
    def words(self) -> str:
        """The label, and the text form rounded to four digits."""
        return f"{self.label}, {self.rounded}" if self.label else self.rounded

    @property
    def rounded(self) -> str:
        """The text form rounded to four digits, for readers."""
        return _mixture_text(*map(_rounded, (self.weights, self.a, self.b)))

    @property
    def mean(self) -> float:
        """Mean rate."""
        weights, a, b = self._arrays
        return float(np.sum(weights * a / (a + b)))

    @property
    def sd(self) -> float:
        """Standard deviation of the rate."""
        weights, a, b = self._arrays
        size = a + b
        mean = a / size
        variance = mean * (1 - mean) / (size + 1)
        return float(np.sqrt(np.sum(weights * (variance + (mean - self.mean) ** 2))))

    @property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return np.array(self.weights), np.array(self.a), np.array(self.b)

    def density(self, rates) -> np.ndarray:
        """Density at `rates` (any shape), per unit of probability."""
        return mixture_density(np.asarray(rates, float), *self._arrays)

    def below(self, rates) -> np.ndarray:
        """Probability that the rate is at most `rates` (any shape)."""
        return mixture_below(np.asarray(rates, float), *self._arrays)

    def above(self, rates) -> np.ndarray:
        """Probability that the rate is above `rates` (any shape)."""
        rates = np.asarray(rates, float)
        weights, a, b = self._arrays
        return mixture_below(1 - rates, weights, b, a)

    def quantile(self, probabilities) -> np.ndarray:
        """Rates below which the prior has `probabilities` (any shape)."""
        return mixture_quantile(np.asarray(probabilities, float), *self._arrays)

    def update(self, events: int, n: int) -> "RatePrior":
        """Return the posterior after `events` out of `n`, by conjugacy."""
        weights, a, b = posterior_mixture(*self._arrays, events, n)
        keep = weights > 0
        kept = weights[keep] / weights[keep].sum()
        return RatePrior(tuple(kept.tolist()), tuple(a[keep].tolist()), tuple(b[keep].tolist()))

    def predictive(self, n: int) -> np.ndarray:
        """Probability of 0 … n events in n patients, shape (n + 1,): a beta-binomial mixture."""
        weights, a, b = self._arrays
        events = np.arange(n + 1)[:, None]
        log_mass = (
            log_choose(n, events)
            + special.betaln(a + events, b + n - events)
            - special.betaln(a, b)
        )
        return np.exp(log_mass) @ weights

    def quadrature(self, degree: int) -> tuple[np.ndarray, np.ndarray]:
        """Rates and weights that average polynomials of up to `degree` exactly (Gauss-Jacobi)."""
        points = degree // 2 + 1
        rules = [gauss_jacobi(points, a, b) for a, b in zip(self.a, self.b, strict=True)]
        rates = np.concatenate([rule[0] for rule in rules])
        weights = np.concatenate(
            [weight * rule[1] for weight, rule in zip(self.weights, rules, strict=True)]
        )
        return rates, weights

    def shifted(self, log_odds: float) -> "WeightedRates":
        """Return the prior of the rate whose log-odds are `log_odds` higher."""
        rates, weights = self.quadrature(SHIFT_DEGREE)
        label = self.words
        return WeightedRates(_as_tuple(rates), _as_tuple(weights), label).shifted(log_odds)


@dataclass(frozen=True, eq=False)
class WeightedRates:
    """Rates with weights: a point, posterior draws, or a density on a grid (probability scale).

    Parameters
    ----------
    rates, weights : tuple of float
        Weights sum to 1.
    label : str
        What the prior is, in words.
    sampled : bool
        Whether the rates are draws (in the order drawn), so that averages carry an error.
    """

    rates: tuple[float, ...]
    weights: tuple[float, ...]
    label: str = ""
    sampled: bool = False

    def __post_init__(self) -> None:
        rates = np.array(self.rates)
        if not rates.size or not np.all((rates >= 0) & (rates <= 1)):
            raise InputError(f"{self.label or 'the prior'}: every rate must be from 0 to 1")
        if len(self.weights) != rates.size or abs(sum(self.weights) - 1) > WEIGHT_TOLERANCE:
            raise InputError(
                f"{self.label or 'the prior'}: one weight a rate, with sum 1, is wanted"
            )

    def __str__(self) -> str:
        return _number(self.rates[0]) if len(self.rates) == 1 else self.words

    @property
    def words(self) -> str:
        """The label, or for a point its value."""
        if self.label:
            return self.label
        if len(self.rates) == 1:
            return f"the fixed rate {_number(self.rates[0])}"
        return "rates drawn from a posterior" if self.sampled else "a density on a grid"

    @property
    def mean(self) -> float:
        """Mean rate."""
        return float(np.dot(self.weights, self.rates))

    @property
    def sd(self) -> float:
        """Standard deviation of the rate."""
        return float(np.sqrt(np.dot(self.weights, (np.array(self.rates) - self.mean) ** 2)))

    def above(self, rates) -> np.ndarray:
        """Probability that the rate is above `rates` (any shape)."""
        own, weights = self._sorted
        beyond = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
        return beyond[np.searchsorted(own, np.asarray(rates, float), side="right")]

    def below(self, rates) -> np.ndarray:
        """Probability that the rate is at most `rates` (any shape)."""
        own, weights = self._sorted
        up_to = np.append(0.0, np.cumsum(weights))
        return up_to[np.searchsorted(own, np.asarray(rates, float), side="right")]

    @property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(self.rates)
        return np.array(self.rates)[order], np.array(self.weights)[order]

    def quantile(self, probabilities) -> np.ndarray:
        """Smallest rates at or below which `probabilities` (any shape) lie."""
        own, weights = self._sorted
        cumulative = np.cumsum(weights)
        # The last sum may miss 1 by rounding.
        place = np.searchsorted(cumulative, np.asarray(probabilities, float) * cumulative[-1])
        return own[np.minimum(place, own.size - 1)]

    def update(self, events: int, n: int) -> "WeightedRates":
        """Return the posterior after `events` out of `n`: the same rates, weighted anew.

        Raises
        ------
        InputError
            When no rate of the prior allows these counts.
        """
        weights = np.array(self.weights) * binomial_mass(n, np.array(self.rates))[:, events]
        if weights.sum() == 0:
            raise InputError(
                f"{self.words}: it does not allow {numbered(events, 'event')} in "
                f"{numbered(n, 'patient')}"
            )
        return replace(self, weights=_as_tuple(weights / weights.sum()))

    def predictive(self, n: int) -> np.ndarray:
        """Probability of 0 … n events in n patients, shape (n + 1,)."""
        return np.array(self.weights) @ binomial_mass(n, np.array(self.rates))

    def quadrature(self, degree: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rates and weights themselves; `degree` has no say."""
        del degree
        return np.array(self.rates), np.array(self.weights)

    def shifted(self, log_odds: float) -> "WeightedRates":
        """Return the prior of the rate whose log-odds are `log_odds` higher."""
        odds = np.exp(log_odds)
        rates = np.array(self.rates)
        moved = odds * rates / (1 + (odds - 1) * rates)
        label = f"{self.words}, log-odds moved by {log_odds:+g}"
        return replace(self, rates=_as_tuple(np.clip(moved, 0, 1)), label=label)

    def moves(self, values) -> np.ndarray | None:
        """Return by how much each batch of draws moves the weighted mean of `values`.

        Consecutive draws are a batch, so that autocorrelated draws of one chain after another are
        judged fairly. What is linear in the values moves as they do.

        Parameters
        ----------
        values : array, shape (draws, ...)
            One row a draw.

        Returns
        -------
        array, shape (batches, ...), or None
            None where nothing was drawn.
        """
        values = np.asarray(values, float)
        size = max(int(np.sqrt(len(values))), 1)
        batches = len(values) // size
        if not self.sampled or batches < 2:
            return None
        weights = np.array(self.weights)
        shares = weights.reshape(-1, *[1] * (values.ndim - 1)) * weights.size
        apart = (shares * (values - weights @ values))[: size * batches]
        return apart.reshape(batches, size, *values.shape[1:]).mean(axis=1)

    def standard_error(self, values) -> float | None:
        """Monte-Carlo standard error of the mean of `values`; None where nothing was drawn."""
        return moves_error(self.moves(values))

    def quantile_error(self, probability: float) -> float | None:
        """Monte-Carlo standard error of a quantile: how far its probability's error takes it."""
        own = self.quantile(probability)
        error = self.standard_error(np.array(self.rates) <= own)
        if error is None:
            return None
        ends = np.clip([probability - error, probability + error], 0, 1)
        return float(np.ptp(self.quantile(ends)) / 2)


AnyPrior = RatePrior | WeightedRates


def moves_error(moves: np.ndarray | None) -> float | None:
    """Monte-Carlo standard error of what batches of draws move by `moves`, shape (batches,)."""
    return None if moves is None else float(moves.std(ddof=1) / np.sqrt(len(moves)))


def beta(a: float, b: float) -> RatePrior:
    """Return the prior beta(a, b)."""
    return RatePrior((1.0,), (float(a),), (float(b),))


def point_rate(rate: float) -> WeightedRates:
    """Return the prior that holds one rate for certain."""
    return WeightedRates((float(rate),), (1.0,))


def sampled_rate(draws, label: str = "") -> WeightedRates:
    """Return the prior of posterior draws of a rate (flattened, chain after chain)."""
    rates = np.asarray(draws, float).ravel()
    if not rates.size:
        raise InputError("a sampled prior needs draws")
    return WeightedRates(
        _as_tuple(rates), _as_tuple(np.full(rates.size, 1 / rates.size)), label, True
    )


def rate_density(rates, density, label: str = "") -> WeightedRates:
    """Return the prior of a density on a fine, increasing grid of rates (trapezoidal weights)."""
    rates, density = np.asarray(rates, float), np.asarray(density, float)
    if rates.size < 2 or np.any(np.diff(rates) <= 0) or np.any(density < 0):
        raise InputError("a density needs increasing rates and values that are not negative")
    weights = density * np.gradient(rates)
    weights[[0, -1]] /= 2
    return WeightedRates(_as_tuple(rates), _as_tuple(weights / weights.sum()), label)


def robustify(prior: RatePrior, weight: float = 0.2, vague: RatePrior | None = None) -> RatePrior:
    """Mix `prior` with a vague part of `weight`, so that a conflict with the data can discard it.

    References
    ----------
    Schmidli et al. 2014, doi:10.1111/biom.12242.
    """
    if not 0 <= weight < 1:
        raise InputError(f"robust weight {weight:g}: it must be at least 0 and below 1")
    if weight == 0:
        return prior
    vague = vague or beta(1, 1)
    weights = [w * (1 - weight) for w in prior.weights] + [w * weight for w in vague.weights]
    label = f"{prior.label}, robust with weight {weight:g}" if prior.label else ""
    return RatePrior(tuple(weights), prior.a + vague.a, prior.b + vague.b, label)


NUMBER = r"[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?|[0-9]+\.(?:[eE][-+]?[0-9]+)?"
TERM = re.compile(
    rf"\s*(?:(?P<weight>{NUMBER})\s*\*\s*)?beta\s*\(\s*(?P<a>-?(?:{NUMBER}))\s*,\s*(?P<b>-?(?:{NUMBER}))\s*\)\s*",
    re.IGNORECASE,
)
WANTED = "write beta(4,16), 0.8*beta(4,16)+0.2*beta(1,1) or a rate such as 0.3"


def parse_prior(text: str) -> AnyPrior:
    """Read a prior on a rate: `beta(a,b)`, a mixture `w*beta(a,b)+…`, or a point such as `0.3`.

    Raises
    ------
    InputError
        One line that names the text and what would be right.
    """
    try:
        rate = float(text)
    except ValueError:
        return _parse_mixture(text)
    if not 0 <= rate <= 1:
        raise InputError(f"prior '{text}': a rate must be from 0 to 1")
    return point_rate(rate)


def _parse_mixture(text: str) -> RatePrior:
    terms, place = [], 0
    while match := TERM.match(text, place):
        terms.append(match)
        place = match.end()
        if text[place : place + 1] != "+":
            break
        place += 1
    if not terms or terms[-1].end() != len(text):
        raise InputError(f"prior '{text}': not understood; {WANTED}")
    if len(terms) > 1 and any(term["weight"] is None for term in terms):
        raise InputError(f"prior '{text}': every part of a mixture needs its weight; {WANTED}")
    weights = tuple(float(term["weight"] or 1) for term in terms)
    return RatePrior(
        weights,
        tuple(float(term["a"]) for term in terms),
        tuple(float(term["b"]) for term in terms),
    )


def as_prior(prior: str | AnyPrior) -> AnyPrior:
    """Return `prior`, read from its text form where it is text."""
    return parse_prior(prior) if isinstance(prior, str) else prior


def _mixture_text(weights, a, b) -> str:
    parts = [f"beta({_number(a)},{_number(b)})" for a, b in zip(a, b, strict=True)]
    if len(parts) == 1:
        return parts[0]
    return "+".join(f"{_number(w)}*{part}" for w, part in zip(weights, parts, strict=True))


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _rounded(values: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(f"{value:.4g}") for value in values)


def _as_tuple(values: np.ndarray) -> tuple[float, ...]:
    return tuple(values.tolist())
