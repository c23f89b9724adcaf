"""Where would the next patients teach most: a further trial in each disease, before it is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.mistakes import one_of
from ...data.names import outcome_in_text, outcome_words, words
from ...models.exact.further_trial import FurtherTrial, further_trial
from ...models.exact.outcomes import SAMPLER, ExactFit
from ..fitting.exact_fit import left_to_the_sampler, not_fitted
from ..fitting.tree import rows_of
from ..sensitivity.questions import questions
from .next_answer import Gain, NextAnswer, Place, paragraph
from .next_request import Next
from .reanalysis import integrated, unread_child
from .request import answers
from .result import DesignResult, Picture

#: Points of a line of a picture.
POINTS = 41
#: Variances are shown in squared percentage points.
SQUARED_POINTS = 1e4
RULE = (
    "the gain is the expected fall of the posterior variance of a disease's rate by a trial of n "
    "more patients"
)


@answers(Next)
def next_trial(request: Next) -> DesignResult:
    """Ask in which disease the next patients would teach most, of each outcome.

    For every disease and outcome a trial of n more patients there is imagined: what each count that
    it may have would tell, through the hierarchy, of every disease's rate, times the probability of
    that count before the trial. Nothing is simulated.

    Parameters
    ----------
    fit : xarray.DataTree
        By either engine: its rows, priors and pooling are integrated again.
    checked : CheckResult, optional
        What the guard found of it.
    progress : callable, optional
        Called with the stage, what is done and what is to be done.
    outcome, disease : str, optional
        Outcome of the fit and disease of the fit that the trial is about; by default all.
    n : int
        Patients of the trial that is told of in words.
    n_min, n_max : int
        Range of sample sizes.
    gain : float, optional
        Wanted gain as a share of the variance now: the smallest number of patients is given.
    threshold : float, optional
        Rate that a conclusion is about; by default what is usually asked of each outcome.
    level : float
        Posterior probability that decides: either way, a conclusion is settled.
    coverage : float
        Coverage of the interval, the central one, whose width is given.
    months : float
        Follow-up of the trial, for deaths.

    Returns
    -------
    DesignResult
        `answer` holds `table`, one row a trial.

    Raises
    ------
    InputError
        An unknown outcome or disease, or an outcome that cannot be integrated.

    References
    ----------
    Raiffa and Schlaifer 1961, Applied Statistical Decision Theory (preposterior analysis); the
    expected fall of a variance is the variance of the expectation.

    Examples
    --------
    >>> mp.design.next(fit=fit, disease="psoriasis", n=20, n_max=20)
    <design next: 2 rows; .table, .figure(), .protocol()>
    """
    progress = request.progress or _silent
    progress("integrating", 0, 0)
    fit = integrated(request.fit, None if request.outcome is None else (request.outcome,))
    outcomes = [request.outcome] if request.outcome is not None else list(fit.posteriors)
    if not outcomes:
        reasons = "; ".join(why.reason for why in fit.model.refused.values())
        raise InputError(f"design next integrates every outcome exactly: {reasons}")
    known = fit.model.evidence.diseases
    if request.disease is not None:
        one_of(request.disease, known, "disease")
    asked = questions(request.threshold or "usual", outcomes)
    plans = [_Plan(request, fit, name, asked[name].threshold) for name in outcomes]
    table: list[Gain] = []
    for done, plan in enumerate(plans):
        progress("imagining trials", done, len(plans))
        table += plan.rows()
    rows = rows_of(request.fit)
    unread = {name: unread_child(request.fit, rows, name) for name in outcomes}
    without = {name: child for name, child in unread.items() if child}
    answer = NextAnswer(
        tuple(table),
        tuple(place for plan in plans for place in plan.places()),
        tuple({**not_fitted(request.fit), **fit.model.refused}),
        tuple(_left_out(request, fit, without)),
        without,
        max(plan.numerical_error for plan in plans),
    )
    frame = pd.DataFrame([vars(row) for row in table])
    return DesignResult(
        request, {}, RULE, answer, frame, paragraph(request, answer, len(known)),
        overview=_overview(request, answer), draw=partial(_pictures, plans=plans),
    )  # fmt: skip


def _silent(stage: str, done: int, total: int) -> None:
    """Say nothing of how far it is."""


@dataclass(frozen=True, eq=False)
class _Plan:
    """Trials for one outcome."""

    request: Next
    fit: ExactFit
    outcome: str
    threshold: float

    @cached_property
    def trial(self) -> FurtherTrial:
        return further_trial(self.fit, self.outcome, *self._reach)

    @property
    def _reach(self) -> tuple[float, int]:
        return self.request.months, self.request.sizes[-1]

    @cached_property
    def where(self) -> list[int]:
        """Places of the diseases in which trials are asked for."""
        wanted = self.request.disease
        return [i for i, name in enumerate(self.trial.diseases) if wanted in (None, name)]

    @cached_property
    def _kept(self) -> dict[int, np.ndarray]:
        return {}

    def gains(self, n: int) -> np.ndarray:
        """Falls of variances by n patients; shape (trial's disease, disease)."""
        if n not in self._kept:
            self._kept[n] = self.trial.gains(n)
        return self._kept[n]

    def falls(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Falls of the variance of the trial's own disease, and their mean; shape (disease,)."""
        gains = self.gains(n)
        return np.diag(gains), gains.mean(axis=1)

    @cached_property
    def numerical_error(self) -> float:
        """Largest numerical error of a gain, as a share of the variance now."""
        n = self.request.n
        coarser = further_trial(self.fit, self.outcome, *self._reach, coarser=True)
        off = np.abs(coarser.gains(n) - self.gains(n)) / self.trial.variances
        return float(off[self.where].max())

    def rows(self) -> Iterator[Gain]:
        """Give one row a disease and size."""
        level, coverage = self.request.level, self.request.coverage
        variances = self.trial.variances
        for place in self.where:
            now = self.trial.after(0, place, coverage, self.threshold)
            is_open = 1 - level < now.above[0] < level
            for n in self.request.sizes:
                own, mean = (falls[place] for falls in self.falls(n))
                ends = self.trial.after(n, place, coverage, self.threshold)
                above = float(ends.probabilities @ (ends.above >= level))
                below = float(ends.probabilities @ (ends.above <= 1 - level))
                yield Gain(
                    self.outcome, self.trial.diseases[place], n,
                    sd_now=float(np.sqrt(variances[place])),
                    variance_gain=float(own),
                    variance_gain_all=float(mean),
                    share=float(own / variances[place]),
                    share_all=float(mean / variances.mean()),
                    width_now=float(now.widths[0]),
                    width_expected=float(ends.probabilities @ ends.widths),
                    settled=above + below if is_open else None,
                    settled_above=above if is_open else None,
                    settled_below=below if is_open else None,
                )  # fmt: skip

    def places(self) -> Iterator[Place]:
        """Give one row a disease: where it stands, and how far one trial can lead."""
        limits, variances = self.trial.limits(), self.trial.variances
        wanted = self.request.gain
        for place in self.where:
            now = self.trial.after(0, place, self.request.coverage, self.threshold)
            needed = needed_all = None
            if wanted is not None:
                needed = self._needed(0, place, wanted * variances[place])
                needed_all = self._needed(1, place, wanted * variances.mean())
            yield Place(
                self.outcome, self.trial.diseases[place], self.threshold, float(now.above[0]),
                float(limits[place, place] / variances[place]),
                float(limits[place].mean() / variances.mean()),
                needed, needed_all,
            )  # fmt: skip

    def _needed(self, which: int, place: int, fall: float) -> int | None:
        """Find the smallest trial in range whose fall of variance suffices: it grows with n."""
        low, high = 0, self.request.n_max
        if self.falls(high)[which][place] < fall:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            enough = self.falls(middle)[which][place] >= fall
            low, high = (low, middle) if enough else (middle, high)
        return high

    def lines(self, which: int) -> pd.DataFrame:
        """Give the falls of variance over the number of patients, a line a disease."""
        # Closer where lines are steep.
        places = np.linspace(0, 1, POINTS) ** 2
        sizes = np.unique((places * self.request.sizes[-1]).round().astype(int))
        falls = np.array([self.falls(int(n))[which] for n in sizes]) * SQUARED_POINTS
        parts = [
            pd.DataFrame(
                {"x": sizes, "value": falls[:, i], "series": words(self.trial.diseases[i])}
            )
            for i in self.where
        ]
        return pd.concat(parts, ignore_index=True).assign(
            panel=outcome_words(self.outcome), outcome=self.outcome
        )


def _left_out(request: Next, fit: ExactFit, without: Mapping[str, str]) -> Iterator[str]:
    """Say which outcomes could not be asked, and what others were fitted without."""
    told = []
    if request.outcome is None:
        told += left_to_the_sampler(request.fit)
        told += [why.reason for why in fit.model.refused.values()]
    for sentence in told:
        yield f"Note: {sentence.removesuffix(SAMPLER)}."
    for name, child in without.items():
        yield (
            f"Note: {outcome_words(name)} is integrated without what rows of "
            f"{outcome_in_text(child)} say of it, which only the sampler takes in: what is known "
            "now is not what the sampled fit says."
        )


def _overview(request: Next, answer: NextAnswer) -> pd.DataFrame:
    """Give one row an outcome and disease: the trial that is told of in words."""
    rows = []
    for outcome in answer.outcomes:
        for row, place in answer.of(outcome, request.n):
            shown = {
                "outcome": outcome_words(outcome),
                "disease": words(row.disease),
                "sd_now": row.sd_now,
                "variance_falls_by": row.share,
                "of_all_diseases": row.share_all,
                "at_most": place.most,
                "width_now": row.width_now,
                "width_expected": row.width_expected,
                "above_threshold_now": place.above_now,
                "settled": "already" if row.settled is None else row.settled,
            }
            if request.gain is not None:
                shown["patients"] = place.needed or f"above {request.n_max}"
            rows.append(shown)
    return pd.DataFrame(rows)


def _pictures(result: DesignResult, plans: list[_Plan]) -> Iterator[Picture]:
    from ...figures.design_gain import draw_design_gain

    for which, name, title in (
        (0, "gain", "What the next patients would teach about their own disease"),
        (1, "gain_all", "What the next patients would teach, averaged over all diseases"),
    ):
        if which and len(plans[0].trial.diseases) < 2:
            continue
        frame = pd.concat([plan.lines(which) for plan in plans], ignore_index=True)
        shown = (
            "Expected fall of the posterior variance of the rate (squared percentage points) by "
            "one further trial, exact by enumeration of its counts; a line a disease in which it "
            "is run."
        )
        yield Picture(name, title, shown, frame, draw_design_gain)
