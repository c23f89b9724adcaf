"""What could be missing: studies nobody has seen that would undo what the report concludes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from ....data.names import numbered, outcome_in_text, outcome_words
from ....data.outcomes import PARENTS
from ...sensitivity.flips import YES
from ...sensitivity.unseen import EXTREME, NULL
from ..frames.results import Results
from ..words.captions_effects import ADDED, control_percent
from ..words.table import BORROWED, Table
from ..words.wording import listed, number, percent, probability, signed
from .block import Block
from .tables_sensitivity import asked_words

_KEYS = ["outcome", "disease"]
_LEAD = "What if a study was done that nobody has seen? "
_NOT_ASKED = "This cannot be asked of rates:"


def unseen_blocks(results: Results) -> list[Block]:
    """Say which unseen studies would undo conclusions about rates and about effects.

    Parameters
    ----------
    results : Results
        A fit.

    Returns
    -------
    list of Block
        A sentence and a table each; empty where nothing can be asked.
    """
    missing, blocks = results.missing, []
    if results.not_integrated:
        blocks.append(Block("text", f"{_LEAD}{_NOT_ASKED} {results.not_integrated}."))
    if len(missing.rates):
        blocks.append(Block("text", _rates_said(missing.rates, results)))
        if (missing.rates["concluded"] == YES).any():
            blocks.append(Block("table", _rates_table(missing.rates, results)))
    if len(missing.effects):
        blocks += [
            Block("text", _effects_said(missing.effects, results)),
            Block("table", _effects_table(missing.effects, results)),
        ]
    return blocks


def _rates_said(table: pd.DataFrame, results: Results) -> str:
    drawn = table[(table["concluded"] == YES) & (table["kind"] == EXTREME)]
    if drawn.empty:
        nothing = "No conclusion about a rate is drawn that one could undo."
        return f"{_LEAD}{nothing}{_left_out(results)}"
    undone = drawn[drawn["n"].notna()].sort_values("n", kind="stable")
    few = undone[undone["n"] <= undone["n"].min()]
    told = (
        f"{_LEAD}Of {numbered(len(drawn), 'conclusion')} that "
        f"{'is' if len(drawn) == 1 else 'are'} drawn, {len(undone) or 'none'} would be undone by "
        "one study in which every patient went against it, of up to "
        f"{numbered(table['most'].iloc[0], 'patient')}"
    )
    if len(undone):
        named = [_named(row, results) for row in few.to_dict("records")]
        told += f"; the frailest, by {numbered(int(few['n'].iloc[0]), 'patient')}, "
        told += f"{'is that' if len(named) == 1 else 'are those'} on {listed(named)}"
    return f"{told}.{_left_out(results)}"


def _left_out(results: Results) -> str:
    """Say of which outcomes this cannot be asked, and what the integral of others lacks."""
    integrated = results.integrated
    if integrated is None:
        return ""
    told, refused = "", integrated.model.refused
    if rest := [name for name in results.outcomes if name in refused]:
        named = listed([outcome_in_text(name) for name in rest])
        reasons = [refused[name].reason for name in rest]
        told += f" This cannot be asked of {named}. {'. '.join(reasons)}."
    if alone := integrated.model.fitted_alone:
        told += f" {'. '.join(alone.values())}."
    return told


def _named(row: Mapping[Any, Any], results: Results) -> str:
    return f"{outcome_in_text(row['outcome'])} in {results.disease_in_text(row['disease'])}"


def _rates_table(table: pd.DataFrame, results: Results) -> Table:
    rows, quiet = [], set()
    drawn = table[table["concluded"] == YES]
    for (outcome, disease), own in drawn.groupby(_KEYS, sort=False):
        extreme, null = own.to_dict("records")
        quiet |= {len(rows)} if extreme["evidence"] == BORROWED else set()
        rows.append(
            (
                outcome_words(str(outcome)),
                results.disease(str(disease)),
                asked_words(extreme),
                signed(extreme["probability"], 3, extreme["mcse"]),
                _study(extreme),
                _study(null),
            )
        )
    caption = (
        "Conclusions that are drawn (with a probability of "
        f"{table['confidence'].iloc[0]:g}), and the smallest study in the disease that nobody has "
        "seen and that would undo each, by integration: one in which every patient went against "
        "it (none had the outcome, or of a harm all), and one as many of whose patients had it as "
        "the threshold says. As patients are whole, the share in the latter lies at the threshold "
        "or a little on the conclusion's side of it: its size need not fall or rise evenly with "
        "the threshold. Such a study has an effect of its own as any: one study, however "
        f"large, may not be enough. {_of_nested(drawn)}Deaths are those of twelve months. In grey: "
        "no study of the disease itself."
    )
    header = (
        "Outcome",
        "Disease",
        "Conclusion",
        "Probability",
        "All against it",
        "At the threshold",
    )
    return Table("unseen_studies", caption, header, rows, table, quiet=frozenset(quiet), texts=3)


def _of_nested(table: pd.DataFrame) -> str:
    """Say what a study of an outcome within another has counted."""
    if not any(PARENTS.get(str(name)) for name in table["outcome"]):
        return ""
    return "A study of an outcome that lies within another has counted it alone. "


def _study(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["n"]):
        return f"none up to {number(row['most'])}"
    return f"{row['events']} of {row['n']}"


def _effects_said(table: pd.DataFrame, results: Results) -> str:
    """Say what becomes of each benefit in the sets compared, and with one more trial."""
    told = []
    for _, own in table[table["kind"] == NULL].groupby(_KEYS, sort=False):
        rows = own.to_dict("records")
        now = [
            f"{probability(row['probability_benefit'])}"
            + (f" {ADDED[row['added']]}" if row["added"] else "")
            for row in rows
        ]
        after = [probability(row["like_probability"]) for row in rows]
        told.append(
            f"The probability that treatment helps ({_named(rows[0], results)}) is {listed(now)}; "
            f"one more trial of {numbered(rows[0]['like_n'], 'patient')} an arm without a "
            f"difference, that nobody has seen, would make it {listed(after)}."
        )
        told += [_undone(row) for row in rows if row["concluded"] == YES]
    if not (table["concluded"] == YES).any():
        confidence = table["confidence"].iloc[0]
        told.append(f"No benefit reaches {confidence:g}: there is no conclusion to undo.")
    return " ".join(told)


def _undone(row: Mapping[Any, Any]) -> str:
    """Say which trial without a difference would undo a benefit that is concluded."""
    beside = f" {ADDED[row['added']]}" if row["added"] else ""
    if pd.isna(row["n"]):
        return f"No such trial of up to {row['most']} an arm would undo that it does{beside}."
    return f"The smallest such trial that would undo that it does{beside} has {row['n']} an arm."


def _effects_table(table: pd.DataFrame, results: Results) -> Table:
    rows = []
    for (outcome, disease, added), own in table.groupby([*_KEYS, "added"], sort=False):
        extreme, null = own.to_dict("records")
        rows.append(
            (
                ", ".join(filter(None, (outcome_words(str(outcome)), ADDED[str(added)]))),
                results.disease(str(disease)),
                f"{extreme['studies']} / {extreme['patients']}",
                probability(extreme["probability_benefit"]),
                control_percent(extreme),
                *(_trial(each) for each in (extreme, null)),
                f"{null['like_n']}: {percent(null['like_probability'], 0)}",
            )
        )
    caption = (
        "Is treatment known to help, and which controlled trial that nobody has seen would undo "
        "that, by integration: the smallest in which every treated patient went against it, and "
        "the smallest that saw no difference, patients an arm, controls having the outcome at the "
        "stated rate. Last: the probability that treatment helps after an unseen trial without a "
        "difference as large as the largest of the disease that is known, published or not. "
        "Unpublished trials whose counts are not known can enter only so."
    )
    header = (
        *("Outcome", "Disease", "Studies / patients", "Helps", "Control rate", "All against it"),
        *("No difference", "As large as the largest"),
    )
    return Table("unseen_trials", caption, header, rows, table, of_fit=False, texts=2)


def _trial(row: Mapping[Any, Any]) -> str:
    if row["concluded"] != YES:
        return "not concluded"
    return f"none up to {row['most']}" if pd.isna(row["n"]) else f"{row['n']} an arm"
