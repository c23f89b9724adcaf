"""What the guard would notice in data like a user's own: one study moved, by outcome.

Every outcome stands by itself here, a nested one too, and is integrated under the default model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ...data.evidence import Evidence
from ...data.names import outcome_words
from ...models.outcomes import inverse_link
from ...models.terms import Terms, build_terms
from ..fitting.predict import Levels, renew_studies, replicate
from .integrated import judge_integrated, levels_of_posterior, posterior_of
from .sbc import within_stretches

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


def judge_own(task: OwnTask, evidence: Evidence, seed: int) -> str:
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
    str
        The guard's verdict of the made data set.
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


def own_rates(found: dict[OwnTask, str]) -> pd.DataFrame:
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
        row: dict[str, object] = {"outcome": outcome, "move": move, "sets": len(mine)}
        counts = {"fail": mine.count("fail"), "warn_or_fail": len(mine) - mine.count("pass")}
        for name, count in counts.items():
            interval = binomtest(count, len(mine)).proportion_ci(method="wilson")
            row |= {name: count / len(mine), f"{name}_low": interval.low}
            row[f"{name}_high"] = interval.high
        rows.append(row)
    return pd.DataFrame(rows)


def own_sentences(rates: pd.DataFrame) -> list[str]:
    """Say of each row what the guard would notice in data sets like the user's."""
    said = []
    for row in rates.to_dict("records"):
        share = f"{row['warn_or_fail']:.0%}"
        interval = f"{row['warn_or_fail_low']:.0%} to {row['warn_or_fail_high']:.0%}"
        if row["move"]:
            what = f"notice a study moved by {_WORDS[row['move']]} log-odds in {share}"
        else:
            what = f"remark on something, though nothing is wrong, in {share}"
        said.append(
            f"{outcome_words(row['outcome'])}: the guard would {what} of data sets like yours "
            f"({interval}; {row['fail']:.0%} fail).".replace("%", " %")
        )
    return said
