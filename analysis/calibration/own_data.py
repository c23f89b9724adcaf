"""What the guard would notice in data like a user's own: one study moved, by outcome.

Every outcome stands by itself here, a nested one too, and is integrated under the default model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from ...data.evidence import Evidence
from ...data.names import outcome_words
from ...models.outcomes import inverse_link
from ...models.terms import Terms, build_terms
from ..fitting.predict import Levels, renew_studies, replicate
from ..guard.shares import in_words, verdict_shares
from ..guard.verdicts import Verdict
from ..workers.workers import NONE
from .integrated import judge_integrated, levels_of_posterior, posterior_of
from .kept import Kept, follows_from
from .sbc import within_stretches

FILE = "own_data.jsonl"
#: Log-odds (of deaths log hazards) that one study is moved by; 0 for data with nothing wrong.
MOVES = (0.0, 1.0, 2.0, 3.0)
_WORDS = {1.0: "one", 2.0: "two", 3.0: "three"}


@dataclass(frozen=True)
class OwnTask:
    """One data set like the user's: its ``outcome``, the log-odds ``move``, which of its kind."""

    outcome: str
    move: float
    number: int


def own_tasks(evidence: Evidence, sets: int) -> list[OwnTask]:
    """List so many data sets of each outcome and move, kinds side by side."""
    return [
        OwnTask(outcome, move, number)
        for number in range(sets)
        for outcome in evidence.outcome_names
        for move in MOVES
    ]


def judge_own(task: OwnTask, evidence: Evidence, seed: int) -> Verdict:
    """Draw a data set from the posterior of one outcome, move a study, and judge the fit.

    Parameters
    ----------
    task : OwnTask
        The data set; its seed is its own.
    evidence : Evidence
        The user's: its studies, arms, patients, months and the widths of its bounds are kept.
    seed : int
        Of the run.

    Returns
    -------
    Verdict
        The guard's, of the made data set.
    """
    code = [ord(letter) for letter in task.outcome]
    rng = np.random.default_rng([seed, task.number, round(10 * task.move), *code])
    rows = evidence.rows[evidence.rows["outcome"] == task.outcome].reset_index(drop=True)
    terms = build_terms(rows, (task.outcome,), evidence.diseases)
    one = levels_of_posterior(posterior_of(terms, "partial"), terms, 1, rng)
    levels = _moved(renew_studies(one, terms, rng), terms, task.move, rng)
    made = within_stretches(replicate(levels, terms, rng)[0], rows, rng)
    again = build_terms(made, (task.outcome,), evidence.diseases)
    return judge_integrated(posterior_of(again, "partial"), again, "partial", rng).verdict


def _moved(levels: Levels, terms: Terms, move: float, rng: np.random.Generator) -> Levels:
    """Move one study to the other side of one half, as the defect of the calibration does."""
    eta, chosen = levels.eta.copy(), rng.integers(levels.eta.shape[1])
    above = inverse_link(eta[0, chosen : chosen + 1], terms.outcomes[0].link)[0] > 0.5
    eta[0, chosen] -= move * (1 if above else -1)
    return replace(levels, eta=eta)


def judge_each(
    evidence: Evidence,
    sets: int,
    folder: Path,
    seed: int,
    scheduler: str = NONE,
    workers: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[OwnTask, Verdict]:
    """Judge every data set that is not kept yet, and keep it.

    Parameters
    ----------
    evidence, seed
        As in `judge_own`.
    sets : int
        As in `own_tasks`.
    folder : Path
        Where verdicts are kept.
    scheduler, workers, say
        As in `kept.Kept.completed`.

    Raises
    ------
    SchedulerError
        As `workers.results`; what was judged before is kept.
    """
    judge = partial(judge_own, evidence=evidence, seed=seed)
    made_with = follows_from({"seed": seed}, evidence.sha256)
    kept = Kept(folder / FILE, OwnTask, made_with, lambda verdict: verdict in get_args(Verdict))
    return kept.completed(judge, own_tasks(evidence, sets), scheduler, workers, say)


def own_rates(found: Mapping[OwnTask, Verdict]) -> pd.DataFrame:
    """Give the shares of data sets that the guard failed or remarked on.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and move: ``outcome, move, sets``, ``fail`` and ``warn_or_fail``, each
        with Wilson's 95 % interval (``_low``, ``_high``).
    """
    rows = []
    for outcome, move in dict.fromkeys((task.outcome, task.move) for task in found):
        mine = [v for task, v in found.items() if (task.outcome, task.move) == (outcome, move)]
        row = {"outcome": outcome, "move": move, "sets": len(mine)}
        rows.append(row | verdict_shares(mine))
    return pd.DataFrame(rows)


def own_sentences(rates: pd.DataFrame) -> list[str]:
    """Say of each move what the guard would notice, beside what it remarks on without one."""
    said = []
    for outcome, part in rates.groupby("outcome", sort=False):
        sound, *moved = part.sort_values("move").to_dict("records")
        name = outcome_words(str(outcome))
        said.append(
            f"{name}: of data sets like yours with nothing wrong the guard would fail "
            f"{in_words(sound, 'fail')} and remark on {in_words(sound, 'warn_or_fail')}."
        )
        said += [
            f"{name}: the guard would notice a study moved by {_WORDS[row['move']]} log-odds in "
            f"{in_words(row, 'warn_or_fail')} of data sets like yours, and fail "
            f"{in_words(row, 'fail')}."
            for row in moved
        ]
    return said
