"""Sample size for a posterior interval of wanted width."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from ...data.names import numbered
from ...models.rates.beta_mixture import (
    mixture_below,
    mixture_quantile,
    posterior_mixture,
    survival_table,
)
from ...models.rates.prior import AnyPrior, RatePrior, as_prior, moves_error
from .beliefs import Priors
from .design_frames import CRITERIA, precision_frame
from .operating import as_mixture, averaging_error, predictive_moves
from .phrases import listed, noise
from .request import answers
from .requests import Precision
from .result import DesignResult, Picture

GRID = 401
# A criterion may ripple between odd and even sizes; this many beyond the answer are checked.
RIPPLE = 10


@dataclass(frozen=True)
class _Wanted:
    analysis: RatePrior
    believed: AnyPrior
    width: float
    coverage: float

    def value(self, name: str, n: int) -> float:
        """Return a criterion at a size."""
        criterion = {"acc": average_coverage, "alc": average_length, "woc": worst_length}
        return criterion[name](self, n)

    def suffices(self, name: str, n: int) -> bool:
        """Whether a criterion is met."""
        value = self.value(name, n)
        return value >= self.coverage if name == "acc" else value <= self.width


@dataclass(frozen=True)
class Reached:
    """A criterion at a size: the smallest that suffices, or else the largest in range."""

    n: int
    value: float
    value_mcse: float | None


@dataclass(frozen=True)
class ConfidenceInterval:
    """Sizes for the usual interval of this width: whatever the rate, and at the mean rate."""

    interval: str
    worst_rate_n: int
    rate: float
    rate_mcse: float | None
    rate_n: int


@dataclass(frozen=True)
class PrecisionAnswer:
    """The smallest size by each criterion; None where none in range suffices."""

    acc: int | None
    alc: int | None
    woc: int | None
    values: dict[str, Reached]
    frequentist: ConfidenceInterval

    @property
    def sizes(self) -> dict[str, int | None]:
        """The sizes, by the name of their criterion."""
        return {"acc": self.acc, "alc": self.alc, "woc": self.woc}


@answers(Precision)
def precision(request: Precision) -> DesignResult:
    """Find the sample size for a posterior interval of total `width`, by three criteria.

    Average coverage (`acc`): the mean, over the predictive, of the largest posterior probability of
    an interval of this width is at least `coverage`. Average length (`alc`): the mean width of the
    highest-density interval of this coverage is at most `width`. Worst outcome (`woc`): so is the
    largest such width over all counts.

    Parameters
    ----------
    width : float
        Wanted total width of the interval, on the probability scale.
    coverage : float
        Coverage of the interval.
    n_min, n_max : int
        Range of sample sizes.
    analysis_prior : str or RatePrior
        What the trial's own analysis will use: gives the posterior.
    design_prior : str or prior, optional
        What is believed of the true rate: gives the predictive; by default the analysis prior.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.

    References
    ----------
    Joseph, Wolfson and du Berger 1995, doi:10.2307/2348439.

    Examples
    --------
    >>> mp.design.precision(width=0.2, design_prior="beta(4,16)").table[["criterion", "n"]]
      criterion   n
    0       acc  58
    1       alc  53
    2       woc  93
    """
    prior = as_mixture(request.analysis_prior, "precision")
    believed = prior if request.design_prior is None else as_prior(request.design_prior)
    wanted = _Wanted(prior, believed, request.width, request.coverage)
    sizes = {name: _smallest(wanted, name, request) for name in CRITERIA}
    values = {name: _reached(wanted, name, n or request.n_max) for name, n in sizes.items()}
    answer = PrecisionAnswer(
        **sizes,
        values=values,
        frequentist=_frequentist(request.width, request.coverage, believed),
    )
    words = (
        f"a posterior interval of coverage {request.coverage:g} and total width {request.width:g}"
    )

    def curve(sizes: Sequence[float] | np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(
            [{"n": n, **{name: wanted.value(name, int(n)) for name in CRITERIA}} for n in sizes]
        )

    priors = Priors(prior, None if request.design_prior is None else believed)
    said = {"analysis_prior": prior.words, "design_prior": believed.words}
    return DesignResult(
        request, said, words, answer, _table(answer), _paragraph(request, said, answer),
        curve=curve, priors=priors.used, draw=_pictures,
    )  # fmt: skip


def _reached(wanted: _Wanted, name: str, n: int) -> Reached:
    return Reached(n, wanted.value(name, n), _error(wanted, name, n))


def _table(answer: PrecisionAnswer) -> pd.DataFrame:
    """Return one row a criterion."""
    rows = [
        {"criterion": name, "n": answer.sizes[name], "at": at.n, "value": at.value,
         "value_mcse": at.value_mcse}
        for name, at in answer.values.items()
    ]  # fmt: skip
    table = pd.DataFrame(rows).astype({"n": "Int64", "value_mcse": float})
    return table.drop(columns="value_mcse") if table["value_mcse"].isna().all() else table


def _paragraph(request: Precision, said: dict[str, str], answer: PrecisionAnswer) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    found = [f"{n} ({CRITERIA[name]})" for name, n in answer.sizes.items() if n]
    parts = [
        f"The sample size is chosen for a posterior interval of coverage {request.coverage:g} "
        f"and total width {request.width:g}; the analysis prior is {said['analysis_prior']}, and "
        f"counts are predicted from the design prior {said['design_prior']}."
    ]
    if found:
        parts.append(f"The number of patients is {listed(found)}.")
        parts += _averaged(answer)
    for name, n in answer.sizes.items():
        if n is None:
            best = answer.values[name]
            what = "coverage" if name == "acc" else "width"
            parts.append(
                f"No number up to {request.n_max} suffices for the {CRITERIA[name]}; at "
                f"{numbered(best.n, 'patient')} the {what} is {best.value:.3f}"
                f"{noise(best.value_mcse)}."
            )
    other = answer.frequentist
    parts.append(
        f"A confidence interval by the {other.interval} has this width with "
        f"{numbered(other.worst_rate_n, 'patient')} whatever the rate, and with {other.rate_n} "
        "at a rate "
        f"of {other.rate:.3f}{noise(other.rate_mcse)}."
    )
    return " ".join(parts)


def _averaged(answer: PrecisionAnswer) -> list[str]:
    """Say what is reached at the sizes found, where it is averaged over draws."""
    reached = [
        f"the {CRITERIA[name]} is {best.value:.3f}{noise(best.value_mcse)}"
        for name, best in answer.values.items()
        if name != "woc" and answer.sizes[name] and best.value_mcse is not None
    ]
    return [f"With them {listed(reached)}."] if reached else []


def _pictures(result: DesignResult) -> Iterator[Picture]:
    from ...figures.design_precision import draw_design_precision

    sizes = {CRITERIA[name]: n for name, n in result.answer.sizes.items()}
    yield Picture(
        "criteria",
        "Precision against the number of patients",
        "Largest average probability of an interval of the wanted width, and average and largest "
        "width of the highest-density interval; level lines: what is wanted; upright lines: the "
        "smallest sizes.",
        precision_frame(result),
        partial(
            draw_design_precision,
            coverage=result.request.coverage, width=result.request.width, sizes=sizes,
        ),
    )  # fmt: skip


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


def _smallest(wanted: _Wanted, name: str, request: Precision) -> int | None:
    """Return the smallest size from which on every size suffices, by bisection.

    The criteria fall with n but for a ripple; where one of the next sizes fails the search goes on
    above it.
    """
    if not wanted.suffices(name, request.n_max):
        return None
    below = request.n_min - 1
    while True:
        above = request.n_max
        while above - below > 1:
            middle = (above + below) // 2
            below, above = (below, middle) if wanted.suffices(name, middle) else (middle, above)
        window = range(above + 1, min(above + RIPPLE, request.n_max) + 1)
        failed = [n for n in window if not wanted.suffices(name, n)]
        if not failed:
            return above
        below = failed[-1]


def _frequentist(width: float, coverage: float, believed: AnyPrior) -> ConfidenceInterval:
    """Return the sizes for a normal (Wald) confidence interval, at one half and the mean rate."""
    from statsmodels.stats.proportion import samplesize_confint_proportion

    sizes = [
        int(np.ceil(samplesize_confint_proportion(at, width / 2, 1 - coverage)))
        for at in (0.5, believed.mean)
    ]
    return ConfidenceInterval(
        interval="normal approximation",
        worst_rate_n=sizes[0],
        rate=believed.mean,
        rate_mcse=averaging_error(believed, lambda rates: rates),
        rate_n=sizes[1],
    )
