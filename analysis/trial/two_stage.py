"""Simon's two-stage designs: the frequentist yardstick of a single-arm trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy import special

from ...data.names import numbered
from ...models.rates.beta_mixture import binomial_mass
from .design_frames import stage_frame
from .phrases import chance
from .pictures import null_and_target
from .request import answers
from .requests import TwoStage
from .result import DesignResult, Picture


@dataclass(frozen=True)
class SimonDesign:
    """Stop after `n1` patients with at most `r1` responses; succeed with more than `r` among `n`.

    `pet` is the probability of early termination and `expected_n` the mean size at the null; alpha
    and power are exact.
    """

    r1: int
    n1: int
    r: int
    n: int
    pet: float
    expected_n: float
    alpha: float
    power: float


@dataclass(frozen=True)
class TwoStageAnswer:
    """Simon's designs; None where there is none in range."""

    optimal: SimonDesign | None
    minimax: SimonDesign | None

    @property
    def named(self) -> dict[str, SimonDesign]:
        """The designs that there are, by name."""
        named = {"optimal": self.optimal, "minimax": self.minimax}
        return {name: design for name, design in named.items() if design is not None}


@answers(TwoStage)
def two_stage(request: TwoStage) -> DesignResult:
    """Find Simon's optimal and minimax two-stage designs by exhaustive search.

    Parameters
    ----------
    null, target : float
        Rate to beat and rate hoped for.
    type1, power : float
        Bound on the type I error, and wanted power at `target`; both exact.
    n_max : int
        Range of sample sizes: the largest total that is searched.

    Raises
    ------
    InputError
        When the request makes no sense, with what to change.

    References
    ----------
    Simon 1989, doi:10.1016/0197-2456(89)90015-9.

    Examples
    --------
    >>> mp.design.two_stage(null=0.3, target=0.5, type1=0.05, power=0.8).table
        design  r1  n1   r   n       pet  expected_n     alpha     power
    0  optimal   5  15  18  46  0.721621   23.629735  0.049865  0.803206
    1  minimax   6  19  16  39  0.665502   25.689970  0.045499  0.803623
    """
    designs = _search(request.null, request.target, request.type1, request.power, request.n_max)
    answer = TwoStageAnswer(
        min(designs, key=lambda design: (design.expected_n, design.n), default=None),
        min(designs, key=lambda design: (design.n, design.expected_n), default=None),
    )
    rows = [{"design": name} | asdict(design) for name, design in answer.named.items()]
    words = (
        "stop for futility after the first stage with at most r1 responses; reject a response "
        f"rate of {request.null:g} with more than r responses in all"
    )

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        return pd.concat(
            [
                _characteristics(name, design, np.asarray(rates))
                for name, design in answer.named.items()
            ],
            ignore_index=True,
        )

    return DesignResult(
        request, {}, words, answer, pd.DataFrame(rows), _paragraph(request, answer),
        curve=curve, draw=_pictures,
    )  # fmt: skip


def _paragraph(request: TwoStage, answer: TwoStageAnswer) -> str:
    """Return text for a protocol; every number is taken from the request or the answer."""
    asked = (
        f"a response rate of {request.null:g} against {request.target:g}, type I error at "
        f"most {request.type1:g} and power at least {request.power:g}"
    )
    if not answer.named:
        return (
            f"No two-stage design with up to {numbered(request.n_max, 'patient')} tests "
            f"{asked}. Allow more "
            "patients, a larger type I error or less power, or hope for a higher rate."
        )
    parts = [f"Simon's two-stage designs for {asked}."]
    for name, design in answer.named.items():
        parts.append(
            f"The {name} design treats {numbered(design.n1, 'patient')}, stops for futility "
            "with at most "
            f"{numbered(design.r1, 'response')}, else goes on to "
            f"{numbered(design.n, 'patient')} and rejects the "
            f"lower rate with more than {numbered(design.r, 'response')} (probability of early "
            "termination "
            f"{chance(design.pet)} and expected number of patients {design.expected_n:.2f} at "
            f"the lower rate; exact type I error {chance(design.alpha)}, power "
            f"{chance(design.power)})."
        )
    return " ".join(parts)


def _pictures(result: DesignResult) -> Iterator[Picture]:
    from ...figures.design_stages import draw_design_stages

    if result.answer.named:
        yield Picture(
            "stages",
            "Two-stage designs over the true rate",
            "Exact probability of success and of an early stop, and mean number of patients; "
            "upright lines: the null and the target.",
            stage_frame(result),
            partial(draw_design_stages, rates=null_and_target(result.request)),
        )


def _characteristics(name: str, design: SimonDesign, rates: np.ndarray) -> pd.DataFrame:
    """Return success, early stop and expected patients of one design at true rates."""
    stop = special.bdtr(design.r1, design.n1, rates)
    reject = [float(_reject(rate, design.n1, design.n)[design.r1, design.r]) for rate in rates]
    return pd.DataFrame(
        {
            "design": name,
            "rate": rates,
            "success": reject,
            "early stop": stop,
            "expected patients": design.n1 + (1 - stop) * (design.n - design.n1),
        }
    )


def _search(
    null: float, target: float, type1: float, power: float, n_max: int
) -> list[SimonDesign]:
    """Return, for every total size, its design of smallest expected size.

    A first stage is skipped only when even its most generous early stopping cannot beat the best
    expected size so far; that bound grows with n, so that the search ends when all are skipped.
    """
    found: list[SimonDesign] = []
    best = np.inf
    for n in range(2, n_max + 1):
        first = np.arange(1, n)
        # Stopping early costs power, so that P(stop | target) can be at most 1 − power.
        most = special.bdtrik(1 - power, first.astype(float), target)
        most = np.floor(most + 1e-9)
        stop = np.where(most >= 0, special.bdtr(np.maximum(most, 0), first, null), 0.0)
        least = first + (1 - stop) * (n - first)
        open_stages = first[least < best] if found else first
        if not open_stages.size:
            break
        own = [_best_of(null, target, type1, power, int(n1), n) for n1 in open_stages]
        sufficient = [design for design in own if design is not None]
        if sufficient:
            found.append(min(sufficient, key=lambda design: (design.expected_n, design.n1)))
            best = min(best, found[-1].expected_n)
    return found


def _best_of(
    null: float, target: float, type1: float, power: float, n1: int, n: int
) -> SimonDesign | None:
    """Return the design of these sizes that meets both error rates with smallest expected size."""
    # reject[r1, r]: probability of going on with more than r1 and ending with more than r.
    errors = _reject(null, n1, n)
    allowed = errors <= type1
    smallest = np.argmax(allowed, axis=1)
    rows = np.arange(n1 + 1)
    powers = _reject(target, n1, n)[rows, smallest]
    sufficient = np.flatnonzero(allowed[rows, smallest] & (powers >= power))
    if not sufficient.size:
        return None
    r1 = int(sufficient[-1])
    pet = float(special.bdtr(r1, n1, null))
    return SimonDesign(
        r1, n1, int(smallest[r1]), n, pet, n1 + (1 - pet) * (n - n1),
        float(errors[r1, smallest[r1]]), float(powers[r1]),
    )  # fmt: skip


def _reject(rate: float, n1: int, n: int) -> np.ndarray:
    """Probability of more than r1 among n1 and more than r among n, shape (n1 + 1, n + 1)."""
    first = binomial_mass(n1, np.array([rate]))[0]
    second = binomial_mass(n - n1, np.array([rate]))[0]
    # beyond[j]: probability of at least j responses in the second stage.
    beyond = np.append(np.cumsum(second[::-1])[::-1], 0.0)
    needed = np.arange(n + 1) + 1 - np.arange(n1 + 1)[:, None]
    joint = first[:, None] * beyond[np.clip(needed, 0, n - n1 + 1)]
    reject = np.zeros_like(joint)
    reject[:-1] = np.cumsum(joint[:0:-1], axis=0)[::-1]
    return reject
