"""What the guard looks at and what it says: one record for every check, and their sum."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...data.names import outcome_words
from .verdicts import Verdict

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ...data.evidence import Evidence
    from ...models.terms import Terms
    from ..fitting.predict import Levels

_LISTED = ("check", "observed", "predicted", "mid_p", "mid_p_mcse", "verdict")
_LEFT_OUT = ("study", "outcome", "elpd", "pareto_k", "pit", "mid_p", "mid_p_mcse")
_SAID = ("verdict", "reason")


@dataclass(frozen=True)
class LeftOut:
    """One study's counts of one outcome, predicted by all the other studies.

    Attributes
    ----------
    study, outcome : str
        What was left out.
    elpd : float or None
        Log predictive probability of the unit; it stands with the unit's first outcome, and is None
        for a child that was left out together with its parent.
    pareto_k : float or None
        Reliability of the importance weights (the unit's); also None where the model was fitted
        without the unit.
    pit : float
        Randomised probability integral transform of the count.
    lowest, highest : float
        Probability of fewer events than the least, and of at most the most, that the rows allow.
    events, expected : float
        Events observed (the middle of the bounds) and predicted.
    n : int
        Patients.
    mid_p_mcse : float
        Monte-Carlo standard error of ``mid_p``: 0 where the study was left out by integration.
    """

    study: str
    outcome: str
    elpd: float | None
    pareto_k: float | None
    pit: float
    lowest: float
    highest: float
    events: float
    expected: float
    n: int
    mid_p_mcse: float = 0.0

    @classmethod
    def at(
        cls,
        position: tuple[float, float, float],
        outcome: str,
        rows: pd.DataFrame,
        elpd: float | None,
        pareto_k: float | None,
        rng: np.random.Generator,
        mid_p_mcse: float = 0.0,
    ) -> LeftOut:
        """Place a study's rows of one outcome, given ``lowest``, ``highest`` and ``expected``."""
        low, high, expected = position
        return cls(
            study=str(rows["study"].iloc[0]),
            outcome=outcome,
            elpd=elpd,
            pareto_k=pareto_k,
            pit=float(low + rng.random() * (high - low)),
            lowest=low,
            highest=high,
            events=float((rows["events_min"] + rows["events_max"]).sum() / 2),
            expected=expected,
            n=int(rows["n"].sum()),
            mid_p_mcse=mid_p_mcse,
        )

    @property
    def mid_p(self) -> float:
        """Two-sided mid-p value of the count."""
        middle = (self.lowest + self.highest) / 2
        return min(1.0, 2 * min(middle, 1 - middle))


@dataclass(frozen=True, eq=False)
class Subject:
    """One fit as the checks see it.

    Attributes
    ----------
    terms : Terms
        The likelihood.
    pooling : str
        How diseases inform each other.
    levels : Levels
        Posterior draws; levels of the studies are not used.
    replicated : numpy.ndarray
        Counts with study effects drawn anew, shape (draw, row).
    within_bounds : numpy.ndarray
        Observed counts, the bounded ones drawn within their bounds; shape (draw, row).
    left_out : list of LeftOut
        Each study as the others predict it.
    sampling : mapping
        The sampler's worst diagnostics: ``max_r_hat``, ``min_ess_bulk``, ``min_ess_tail``,
        ``divergences``, ``e_bfmi``, ``draws``; None where nothing was sampled, and then
        ``numerical_error``, that of the integrals.
    evidence : Evidence or None
        What was fitted, where it is at hand.
    replicate : callable or None
        Gives further counts like ``replicated``, given the same draws.
    """

    terms: Terms
    pooling: str
    levels: Levels
    replicated: np.ndarray
    within_bounds: np.ndarray
    left_out: list[LeftOut]
    sampling: Mapping[str, Any]
    evidence: Evidence | None = None
    replicate: Callable[[], np.ndarray] | None = None

    @property
    def independent(self) -> bool:
        """Whether the draws are independent of each other: of an integrated posterior."""
        return math.isfinite(self.sampling.get("numerical_error", math.nan))


@dataclass(frozen=True)
class Check:
    """One thing that the guard looked at, and what follows from it.

    Attributes
    ----------
    check : str
        What was looked at.
    verdict : str
        ``pass``, ``warn`` or ``fail``; of what is shown and not judged, why.
    outcome : str or None
        None where it is of the whole fit.
    observed, predicted : float or None
        Averages over the draws; of the study left out, its events and those that were expected.
    mid_p : float or None
        Probability of a larger value, ties counting half: near 0 or 1 it tells of misfit. Of the
        study left out, the two-sided value adjusted for the number of studies: near 0 it does.
    mid_p_mcse : float or None
        Monte-Carlo standard error of ``mid_p``: 0 where it was integrated.
    reason : str
        A sentence for people: what is the matter.
    details : mapping
        What else this kind of check states.
    """

    check: str
    verdict: Verdict
    outcome: str | None = None
    observed: float | None = None
    predicted: float | None = None
    mid_p: float | None = None
    mid_p_mcse: float | None = None
    reason: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """A kind of check that compares the data of each outcome with what is predicted of them.

    Attributes
    ----------
    names : collection of str
        What its checks are called; a name belongs to one kind only.
    compare : callable
        Gives the checks of a fit.
    judge : callable
        Gives the verdict on a mid-p value and its Monte-Carlo standard error.
    names_study : bool
        Whether its reason names a study. It is told before those of statistics of all studies,
        which that study may have moved.
    """

    names: Collection[str]
    compare: Callable[[Subject], list[Check]]
    judge: Callable[[float, float], Verdict]
    names_study: bool = False


@dataclass(frozen=True)
class OutcomeVerdict:
    """What the guard says of one outcome: verdict, reason in words, and its checks."""

    outcome: str
    verdict: Verdict
    reason: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class CheckResult:
    """What the guard says of a fit.

    Attributes
    ----------
    verdict : {"pass", "warn", "fail", "unchecked"}
        The worst of the outcomes' and the sampling's; ``unchecked`` where the guard did not run.
    outcomes : tuple of OutcomeVerdict
        One an outcome.
    sampling : Check
        Its ``details`` are the worst diagnostics of the sampler.
    loo : tuple of dict
        Each study left out: ``study``, ``outcome``, ``elpd``, ``pareto_k``, ``pit``, ``mid_p``,
        ``mid_p_mcse``.
    review : tuple of Check
        What the review states, beside what the model predicts of it.
    run : mapping
        What made the fit.
    """

    verdict: Verdict
    outcomes: tuple[OutcomeVerdict, ...] = ()
    sampling: Check = Check("sampling", "unchecked")
    loo: tuple[Mapping[str, Any], ...] = ()
    review: tuple[Check, ...] = ()
    run: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ran(self) -> bool:
        """Whether the guard saw the fit at all."""
        return self.verdict != "unchecked"

    @property
    def stated(self) -> Verdict | None:
        """The verdict as JSON states it: null where the guard did not run."""
        return self.verdict if self.ran else None

    @property
    def alarms(self) -> list[OutcomeVerdict]:
        """The outcomes that do not pass."""
        return [each for each in self.outcomes if each.verdict != "pass"]

    def verdict_of(self, outcome: str) -> Verdict:
        """Give the verdict on an outcome: ``unchecked`` where the guard did not see it."""
        seen: dict[str, Verdict] = {each.outcome: each.verdict for each in self.outcomes}
        return seen.get(outcome, "unchecked")

    def to_dict(self) -> dict[str, Any]:
        """Give the content of ``check.json``: plain values only."""
        return {
            "verdict": self.verdict,
            "outcomes": [
                {
                    "outcome": each.outcome,
                    "verdict": each.verdict,
                    "reason": each.reason,
                    "checks": [{k: getattr(one, k) for k in _LISTED} for one in each.checks],
                }
                for each in self.outcomes
            ],
            "sampling": {**self.sampling.details, **{k: getattr(self.sampling, k) for k in _SAID}},
            "loo": [{key: one[key] for key in _LEFT_OUT} for one in self.loo],
            "review": [_statement(one) for one in self.review],
            "run": dict(self.run),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> CheckResult:
        """Read the content of ``check.json``.

        Raises
        ------
        KeyError, TypeError
            It is not what `to_dict` gives.
        """
        outcomes = [
            OutcomeVerdict(
                each["outcome"],
                each["verdict"],
                each["reason"],
                tuple(Check(outcome=each["outcome"], **one) for one in each["checks"]),
            )
            for each in content["outcomes"]
        ]
        sampling, said = dict(content["sampling"]), {}
        for key in _SAID:
            said[key] = sampling.pop(key)
        return cls(
            content["verdict"],
            tuple(outcomes),
            Check("sampling", **said, details=sampling),
            tuple({key: one[key] for key in _LEFT_OUT} for one in content["loo"]),
            tuple(_stated(one) for one in content["review"]),
            content["run"],
        )

    def __repr__(self) -> str:
        """Show verdicts and reasons, a line each."""
        lines = [f"{self.verdict}"]
        lines += [
            f"  {outcome_words(each.outcome)}: {each.verdict}. {each.reason}"
            for each in self.outcomes
        ]
        lines += [f"  sampling: {self.sampling.verdict}. {self.sampling.reason}"] * self.ran
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """Give every check as a row: outcome, what was looked at, observed, predicted, mid-p."""
        import pandas as pd

        rows = [
            {"outcome": outcome.outcome, **{name: getattr(check, name) for name in _LISTED}}
            for outcome in self.outcomes
            for check in outcome.checks
        ]
        return pd.DataFrame(rows, columns=["outcome", *_LISTED])

    def _repr_html_(self) -> str:
        """Show the verdict, the reasons and every check; what to call next is `to_frame`."""
        from ...data.export import answer_html
        from ...data.names import outcome_words

        reasons = [
            f"{outcome_words(each.outcome)}: {each.verdict}. {each.reason}"
            for each in self.outcomes
        ]
        reasons += [f"Sampling: {self.sampling.verdict}. {self.sampling.reason}"] * self.ran
        after = ["Next: mp.plot.checks(fit, checked), mp.plot.forest(fit, checked=checked)."]
        return answer_html(f"The guard: {self.verdict}", reasons, self.to_frame(), after)


#: Of a fit that the guard did not see.
UNCHECKED = CheckResult("unchecked")

_STATEMENT = ("disease", "outcome", "statistic", "value", "predicted", "mid_p", "mid_p_mcse")


def _statement(check: Check) -> dict[str, Any]:
    """Lay a comparison with the review out as ``check.json`` has it."""
    values = {**vars(check), **check.details, "value": check.observed}
    return {key: values[key] for key in (*_STATEMENT, "verdict", "wording")}


def _stated(content: Mapping[str, Any]) -> Check:
    details = {key: content[key] for key in ("disease", "statistic", "wording")}
    return Check(
        "review",
        content["verdict"],
        content["outcome"],
        content["value"],
        content["predicted"],
        content["mid_p"],
        content["mid_p_mcse"],
        details=details,
    )
