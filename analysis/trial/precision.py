"""Sample size for a posterior interval of wanted width."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...models.rates.beta_mixture import (
    mixture_below,
    mixture_quantile,
    posterior_mixture,
    survival_table,
)
from ...models.rates.prior import AnyPrior, RatePrior, as_prior, moves_error
from . import protocol
from .operating import as_mixture, averaging_error, predictive_moves, used
from .requests import DesignResult, check_rates, check_sizes

GRID = 401
# A criterion may ripple between odd and even sizes; this many beyond the answer are checked.
RIPPLE = 10


@dataclass(frozen=True)
class _Wanted:
    analysis: RatePrior
    believed: AnyPrior
    width: float
    coverage: float


def precision(
    *,
    width: float,
    coverage: float = 0.95,
    n_min: int = 5,
    n_max: int = 300,
    analysis_prior: str | AnyPrior = "beta(1,1)",
    design_prior: str | AnyPrior | None = None,
) -> DesignResult:
    """Find the sample size for a posterior interval of total `width`, by three criteria.

    Average coverage (`acc`): the mean, over the predictive, of the largest posterior probability of
    an interval of this width is at least `coverage`. Average length (`alc`): the mean width of the
    highest-density interval of this coverage is at most `width`. Worst outcome (`woc`): so is the
    largest such width over all counts.

    Parameters
    ----------
    width : float
        Total, on the probability scale.
    coverage : float
        Of the interval.
    n_min, n_max : int
        Range of sample sizes.
    analysis_prior : str or RatePrior
        Gives the posterior.
    design_prior : str or prior, optional
        Gives the predictive; by default the analysis prior.

    Raises
    ------
    ValueError
        When the request makes no sense, with what to change.

    References
    ----------
    Joseph, Wolfson and du Berger 1995, doi:10.2307/2348439.
    """
    check_rates(width=width, coverage=coverage)
    check_sizes(n_min, n_max)
    prior = as_mixture(analysis_prior, "precision")
    believed = prior if design_prior is None else as_prior(design_prior)
    wanted = _Wanted(prior, believed, width, coverage)
    criteria = {
        "acc": (average_coverage, lambda value: value >= coverage),
        "alc": (average_length, lambda value: value <= width),
        "woc": (worst_length, lambda value: value <= width),
    }
    rows = []
    for name, (criterion, suffices) in criteria.items():
        n = _smallest(lambda n, f=criterion, ok=suffices: ok(f(wanted, n)), n_min, n_max)
        at = n_max if n is None else n
        error = _error(wanted, name, at)
        rows.append(
            {
                "criterion": name,
                "n": n,
                "at": at,
                "value": criterion(wanted, at),
                "value_mcse": error,
            }
        )
    table = pd.DataFrame(rows).astype({"n": "Int64", "value_mcse": float})
    if table["value_mcse"].isna().all():
        table = table.drop(columns="value_mcse")
    answer = {row["criterion"]: row["n"] for row in rows}
    answer["values"] = {
        row["criterion"]: {"n": row["at"], "value": row["value"], "value_mcse": row["value_mcse"]}
        for row in rows
    }
    answer["frequentist"] = _frequentist(width, coverage, believed)
    request = {
        "design": "precision", "width": width, "coverage": coverage, "n_min": n_min,
        "n_max": n_max, "analysis_prior": prior.words, "design_prior": believed.words,
    }  # fmt: skip
    words = f"a posterior interval of coverage {coverage:g} and total width {width:g}"
    paragraph = protocol.precision(request, answer)

    def curve(sizes: Sequence[float] | np.ndarray) -> pd.DataFrame:
        rows = [
            {"n": n, **{name: of(wanted, int(n)) for name, (of, _) in criteria.items()}}
            for n in sizes
        ]
        return pd.DataFrame(rows)

    priors = used(None if design_prior is None else believed, prior)
    return DesignResult(request, words, answer, table, paragraph, curve=curve, priors=priors)


def average_coverage(wanted: _Wanted, n: int) -> float:
    """Mean, over the predictive, of the largest probability of an interval of the width."""
    return float(wanted.believed.predictive(n) @ _coverages(wanted, n))


def average_length(wanted: _Wanted, n: int) -> float:
    """Mean, over the predictive, of the width of the highest-density interval."""
    return float(wanted.believed.predictive(n) @ _lengths(wanted, n))


def worst_length(wanted: _Wanted, n: int) -> float:
    """Largest width of the highest-density interval over all counts."""
    return float(_lengths(wanted, n).max())


def _coverages(wanted: _Wanted, n: int) -> np.ndarray:
    return largest_coverage(wanted.analysis, n, wanted.width)


def _lengths(wanted: _Wanted, n: int) -> np.ndarray:
    return shortest_interval(wanted.analysis, n, wanted.coverage)


def _error(wanted: _Wanted, criterion: str, n: int) -> float | None:
    """Monte-Carlo standard error of an average over a drawn design prior; None of any other."""
    averaged = {"acc": _coverages, "alc": _lengths}
    moves = predictive_moves(wanted.believed, [n])
    if moves is None or criterion not in averaged:
        return None
    return moves_error(moves[n] @ averaged[criterion](wanted, n))


def largest_coverage(prior: RatePrior, n: int, width: float) -> np.ndarray:
    """Largest posterior probability of an interval of `width` for each count, shape (n + 1,)."""
    arrays = np.array(prior.weights), np.array(prior.a), np.array(prior.b)
    posterior = posterior_mixture(*arrays, np.arange(n + 1), n)
    angles = np.linspace(0, np.pi / 2, GRID)
    lower = (1 - width) * np.sin(angles) ** 2
    with np.errstate(divide="ignore"):
        tables = [
            survival_table(*arrays, n, *np.maximum((np.log(x), np.log1p(-x)), -700.0))
            for x in (lower, lower + width)
        ]

    def uncovered(angle: np.ndarray) -> np.ndarray:
        x = (1 - width) * np.sin(angle) ** 2
        return mixture_below(x, *posterior) - mixture_below(x + width, *posterior)

    start = angles[np.argmax(tables[0] - tables[1], axis=1)]
    return -_minimum(uncovered, start, angles[1])


def shortest_interval(prior: RatePrior, n: int, coverage: float) -> np.ndarray:
    """Width of the shortest posterior interval of `coverage` for each count, shape (n + 1,)."""
    arrays = np.array(prior.weights), np.array(prior.a), np.array(prior.b)
    posterior = posterior_mixture(*arrays, np.arange(n + 1), n)
    rates = np.sin(np.linspace(0, np.pi / 2, GRID)) ** 2
    with np.errstate(divide="ignore"):
        logs = np.maximum((np.log(rates), np.log1p(-rates)), -700.0)
    below = 1 - survival_table(*arrays, n, *logs)
    below[:, 0], below[:, -1] = 0, 1
    angles = np.linspace(0, np.pi / 2, 41)
    tails = (1 - coverage) * np.sin(angles) ** 2
    widths = np.array(
        [np.interp(tails + coverage, row, rates) - np.interp(tails, row, rates) for row in below]
    )

    def length(angle: np.ndarray) -> np.ndarray:
        tail = (1 - coverage) * np.sin(angle) ** 2
        upper = mixture_quantile(tail + coverage, *posterior)
        return upper - mixture_quantile(tail, *posterior)

    return _minimum(length, angles[np.argmin(widths, axis=1)], angles[1])


def _minimum(function: Callable, start: np.ndarray, step: float) -> np.ndarray:
    """Minimum of `function` next to `start`, elementwise, by parabolas through three points.

    The argument is an angle from 0 to π / 2 whose squared sine is the share of the range: the best
    place often lies so near to an end that a uniform scale misses it.
    """
    middle = start
    best = function(middle)
    for _ in range(4):
        sides = np.maximum(middle - step, 0), np.minimum(middle + step, np.pi / 2)
        left, right = function(sides[0]), function(sides[1])
        forward, backward = sides[1] - middle, middle - sides[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            slopes = (right - best) / forward, (best - left) / backward
            curve = (slopes[0] - slopes[1]) / (forward + backward)
            slope = (slopes[0] * backward + slopes[1] * forward) / (forward + backward)
            vertex = middle - slope / (2 * curve)
        usable = np.isfinite(vertex) & (curve > 0)
        vertex = np.where(usable, np.clip(vertex, *sides), middle)
        places = np.array([middle, *sides, vertex])
        values = np.array([best, left, right, function(vertex)])
        chosen = np.argmin(values, axis=0)
        columns = np.arange(middle.size)
        middle, best = places[chosen, columns], values[chosen, columns]
        step /= 6
    return best


def _smallest(suffices: Callable[[int], bool], n_min: int, n_max: int) -> int | None:
    """Return the smallest size from which on every size suffices, by bisection.

    The criteria fall with n but for a ripple; where one of the next sizes fails the search goes on
    above it.
    """
    if not suffices(n_max):
        return None
    below = n_min - 1
    while True:
        above = n_max
        while above - below > 1:
            middle = (above + below) // 2
            below, above = (below, middle) if suffices(middle) else (middle, above)
        window = range(above + 1, min(above + RIPPLE, n_max) + 1)
        failed = [n for n in window if not suffices(n)]
        if not failed:
            return above
        below = failed[-1]


def _frequentist(width: float, coverage: float, believed: AnyPrior) -> dict:
    """Return the sizes for a normal (Wald) confidence interval, at one half and the mean rate."""
    from statsmodels.stats.proportion import samplesize_confint_proportion

    sizes = [
        int(np.ceil(samplesize_confint_proportion(at, width / 2, 1 - coverage)))
        for at in (0.5, believed.mean)
    ]
    return {
        "interval": "normal approximation",
        "worst_rate_n": sizes[0],
        "rate": believed.mean,
        "rate_mcse": averaging_error(believed, lambda rates: rates),
        "rate_n": sizes[1],
    }
