"""Randomised trials with interim looks: when do they stop, how often, with how many patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from ...models.direction import Direction
from .design_frames import type1_frame
from .error_rate import ErrorRate
from .result import DesignResult, Picture, rows_of
from .two_arm_looks import Ends, Looks, Size, calibrated
from .two_arm_plan import Plan
from .two_arm_watched_answer import Ending, LookRow, WatchedAnswer, paragraph
from .type1_search import success_probability

# Control rates of the null where none is named.
USUAL_CONTROLS = (0.1, 0.3, 0.5, 0.7, 0.9)


def watched(plan: Plan) -> DesignResult:
    """Answer a request for a randomised trial with interim looks.

    References
    ----------
    Predictive probability: Lee and Liu 2008, doi:10.1177/1740774508089279.
    """
    request = plan.request
    looks = calibrated(plan)
    found = looks.ends()
    operating = _operating(plan, found)
    answer = WatchedAnswer(
        looks=tuple(_look(looks, place) for place in range(len(plan.sizes))),
        operating=rows_of(Ending, operating),
        error_rate=ErrorRate(
            request.margin, request.type1, looks.error(), looks.error(True), looks.level,
            "level" if looks.level == request.level else "type1",
            f"at a true difference of {request.margin:g}, {request.range_words}, over all looks",
        ),
        level=looks.level,
        highest_attainable_assurance=plan.belief and plan.belief.attainable(request.margin)[0],
    )  # fmt: skip
    sign = plan.direction.symbol
    rule = (
        f"success when P(experimental − control rate {sign} {request.margin:g} | data) > "
        f"{looks.level:.12g}{answer.error_rate.words}"
    )

    def curve(rates: Sequence[float] | np.ndarray) -> pd.DataFrame:
        return _at(plan.sizes, found, np.asarray(rates, float), request.margin)[
            ["control", "success"]
        ]

    return DesignResult(
        request, plan.said, rule, answer, _table(answer),
        paragraph(request, plan.arms, plan.belief_words, rule, answer), operating, curve,
        plan.used, _pictures,
    )  # fmt: skip


def _look(looks: Looks, place: int) -> LookRow:
    """Say by control count from which experimental count on a look ends the trial."""
    success, failure = (tables[place] for tables in looks.regions())
    above = looks.plan.direction is Direction.ABOVE
    high, low = (success, failure) if above else (failure, success)
    names = ("futility_at_most", "efficacy_at_least") if above else (
        "efficacy_at_most", "futility_at_least")  # fmt: skip
    boundary = []
    for control in range(high.shape[1]):
        few, many = np.flatnonzero(low[:, control]), np.flatnonzero(high[:, control])
        ends = (int(few[-1]) if few.size else None, int(many[0]) if many.size else None)
        boundary.append({"control_events": control, **dict(zip(names, ends, strict=True))})
    return LookRow(high.shape[0] - 1, high.shape[1] - 1, tuple(boundary))


def _table(answer: WatchedAnswer) -> pd.DataFrame:
    """Return one row a look and control count."""
    rows = [
        {"n_experimental": row.n_experimental, "n_control": row.n_control, **each}
        for row in answer.looks
        for each in row.boundary
    ]
    table = pd.DataFrame(rows)
    return table.astype(dict.fromkeys(table.columns, "Int64"))


def _at(sizes: list[Size], found: Ends, control: np.ndarray, difference: float) -> pd.DataFrame:
    """Return the chances of each ending at control rates that a true difference allows."""
    own = control[(control + difference >= 0) & (control + difference <= 1)]
    won, lost = (
        [success_probability(table, own + difference, own) for table in tables]
        for tables in (found.success, found.failure)
    )
    totals = [sum(size) for size in sizes]
    return pd.DataFrame(
        {
            "control": own,
            "experimental": np.round(own + difference, 12),
            "futility": np.sum(lost[:-1], axis=0) if len(lost) > 1 else 0.0,
            "efficacy": np.sum(won[:-1], axis=0) if len(won) > 1 else 0.0,
            "success": np.clip(np.sum(won, axis=0), 0, 1),
            "expected_n": np.sum(
                [n * (a + b) for n, a, b in zip(totals, won, lost, strict=True)], axis=0
            ),
        }
    )


def _operating(plan: Plan, found: Ends) -> pd.DataFrame:
    """Return the chances at the null, at the target, and averaged over the design priors."""
    request = plan.request
    control = np.array(request.rates or USUAL_CONTROLS)
    parts = [_at(plan.sizes, found, control, request.margin).assign(truth="null")]
    if request.effect is not None:
        parts.append(_at(plan.sizes, found, control, request.effect).assign(truth="target"))
    if plan.belief is not None:
        averages = plan.belief.averages(plan.sizes)
        won, lost = (
            [averages.assurance(table) for table in tables]
            for tables in (found.success, found.failure)
        )
        totals = [sum(size) for size in plan.sizes]
        parts.append(
            pd.DataFrame(
                {
                    "truth": ["design prior"],
                    "control": [np.nan],
                    "experimental": [np.nan],
                    "futility": [sum(lost[:-1])],
                    "efficacy": [sum(won[:-1])],
                    "success": [min(sum(won), 1.0)],
                    "expected_n": [
                        sum(n * (a + b) for n, a, b in zip(totals, won, lost, strict=True))
                    ],
                    "success_mcse": [averages.error(*found.success)],
                }
            )
        )
    columns = ["truth", "control", "experimental", "futility", "efficacy", "success", "expected_n"]
    return pd.concat(parts, ignore_index=True).reindex(columns=[*columns, "success_mcse"])


def _pictures(result: DesignResult) -> Iterator[Picture]:
    from ...figures.design_operating import draw_design_type1

    yield Picture(
        "type1",
        "Type I error over the control rate, all looks included",
        "Exact probability of success where the true difference is the margin; level line: the "
        "nominal error.",
        type1_frame(result),
        partial(draw_design_type1, wanted=result.request.allowed_type1),
    )
