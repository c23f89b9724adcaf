"""The report's section on treated against control: what treatment adds, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ....data.names import numbered, outcome_in_text, outcome_words
from ....data.outcomes import outcome as described
from ...fitting.moderated import reported_at
from ..frames.effects import Comparison
from ..frames.results import Results
from ..words.captions_effects import ADDED, TREATED, control_percent
from ..words.closing import study_count
from ..words.moderators import at_words
from ..words.table import BORROWED, Table
from ..words.wording import interval, listed, percent, probability, ratio, ratio_interval
from .block import Block, Section
from .tables import controlled_table

TITLE = "Controlled comparisons"
_INTRODUCTION = (
    "Only studies with a control arm say what the treatment changes. Each is compared within "
    "itself, and diseases inform each other through their effects alone. A ratio above 1 means "
    "that the outcome is more frequent under treatment. The control rate at which an effect is "
    "told is the median that the control arms predict for the next one, in two digits."
)
_UNMODERATED = (
    " The effects stand here without the moderators: too few studies have a control arm to tell of "
    "them."
)
_NO_CONTROLS = (
    "No study of this evidence has a control arm with counts, so that nothing here says what the "
    "treatment changes."
)


def effects_section(results: Results) -> Section:
    """Say what treatment adds over control in each disease with controlled studies.

    Parameters
    ----------
    results : Results
        A fit; the effects are those of its evidence.

    Returns
    -------
    Section
        One sentence where no study has a control arm.
    """
    compared = results.compared
    if not compared:
        return Section("controlled", TITLE, [Block("text", _NO_CONTROLS)])
    introduction = _INTRODUCTION
    if results.at:
        explained = reported_at(compared[0].tree)
        introduction += f" {at_words(explained, 'effects')}" if explained else _UNMODERATED
    blocks = [
        Block("text", introduction),
        Block("brief", _answers(compared, results)),
        *_further(compared, results),
        Block("table", effects_table(compared, results)),
    ]
    own = controlled_table(results)
    blocks += [Block("table", own)] if own else []
    return Section("controlled", TITLE, blocks)


def _narrowest(compared: Sequence[Comparison], results: Results) -> dict[str, Comparison]:
    """Give each disease's first comparison, in the order of diseases."""
    narrowest: dict[str, Comparison] = {}
    for each in compared:
        for disease in each.rows["disease"]:
            narrowest.setdefault(disease, each)
    return {name: narrowest[name] for name in results.evidence.diseases if name in narrowest}


def _answers(compared: Sequence[Comparison], results: Results) -> list[tuple[str, str, str]]:
    """Say in two sentences a disease what treatment adds, and how sure that is."""
    told = []
    for disease, comparison in _narrowest(compared, results).items():
        row = _own_rows(comparison, disease)[0]
        name = ", ".join(filter(None, (results.disease(disease), ADDED[comparison.added])))
        told.append((name, f"{what_it_adds(row)} {how_sure(row, comparison)}", row["verdict"]))
    return told


def _own_rows(comparison: Comparison, disease: str) -> list[dict[Any, Any]]:
    """Give the effects of a disease, benefits first."""
    rows = comparison.rows[comparison.rows["disease"] == disease].to_dict("records")
    return sorted(rows, key=lambda row: described(row["outcome"]).is_harm)


def what_it_adds(row: Mapping[Any, Any]) -> str:
    """Say what treatment does to an outcome: ratio, rates at the control rate, probability.

    Parameters
    ----------
    row : mapping
        Of `Comparison.rows`.

    Returns
    -------
    str
        A sentence. That the outcome is more or less frequent is said only where the interval lies
        on one side of no effect, its numerical error allowed for.
    """
    name = outcome_in_text(row["outcome"])
    lead = {
        "more": f"Under treatment, {name} is more frequent",
        "fewer": f"Under treatment, {name} is less frequent",
        "open": f"No difference in {name} can be told",
    }[row["direction"]]
    times = f"{ratio(row['ratio_q50'])} times"
    measure = f"its odds are {times} those under control"
    if described(row["outcome"]).timed:
        measure = f"its hazard is {times} that under control"
    return (
        f"{lead}: {measure} (95 % interval {ratio(row['ratio_q2.5'])} to "
        f"{ratio(row['ratio_q97.5'])}; probability that treatment helps "
        f"{probability(row['probability_benefit'])}), so that {interval(row, TREATED)} of treated "
        f"patients would have it where {control_percent(row)} of control patients do."
    )


def how_sure(row: Mapping[Any, Any], comparison: Comparison) -> str:
    """Say what an effect rests on: studies, what is borrowed, randomised ones alone, the guard.

    Parameters
    ----------
    row : mapping
        Of `Comparison.rows`.
    comparison : Comparison
        What the row is of.

    Returns
    -------
    str
        A sentence.
    """
    parts = [f"This rests on {_basis(row)}: {_origin(row, comparison)}"]
    alone = comparison.randomised
    alone = alone[
        (alone["outcome"] == row["outcome"])
        & (alone["disease"] == row["disease"])
        & (alone["quantity"] == "effect")
    ]
    if len(alone):
        only = alone.iloc[0]
        borrowed = ", borrowed" if only["evidence"] == BORROWED else ""
        parts.append(f"randomised studies alone give {ratio_interval(only)}{borrowed}")
    return f"{'; '.join([*parts, _guard(row, comparison)])}."


def _basis(row: Mapping[Any, Any]) -> str:
    studies, known = int(row["studies"]), int(row["randomised"])
    patients = numbered(int(row["patients"]), "patient")
    if known == studies:
        return f"{numbered(studies, 'randomised study', 'randomised studies')} with {patients}"
    of_them = "none" if known == 0 else str(known)
    return f"{study_count(studies)} with {patients}, {of_them} known to be randomised"


def _origin(row: Mapping[Any, Any], comparison: Comparison) -> str:
    """Say how much of an effect comes from its own studies, and whence the rest."""
    rows = comparison.rows
    others = rows[(rows["outcome"] == row["outcome"]) & (rows["disease"] != row["disease"])]
    rest = "from the prior"
    if len(others) and comparison.config["pooling"] != "none":
        diseases = numbered(len(others), "other disease")
        rest += (
            f" and from {study_count(int(others['studies'].sum()))} with "
            f"{numbered(int(others['patients'].sum()), 'patient')} in {diseases}"
        )
    if row["own_share"] >= 0.995:
        return f"hardly anything comes {rest}"
    counts = "its counts" if row["studies"] == 1 else "their counts"
    share = percent(max(row["own_share"], 0.0), 0)
    return f"{share} of the estimate comes from {counts}, the rest {rest}"


def _guard(row: Mapping[Any, Any], comparison: Comparison) -> str:
    if not comparison.checked.ran:
        return "the guard has not seen it"
    reasons = {each.outcome: each.reason for each in comparison.checked.outcomes}
    if row["verdict"] == "pass":
        return "the guard passes it"
    return f"the guard says {row['verdict']} ({reasons[row['outcome']].rstrip('.')})"


def _further(compared: Sequence[Comparison], results: Results) -> list[Block]:
    """Say which other outcomes differ, and what unpublished studies change."""
    told = []
    for disease, comparison in _narrowest(compared, results).items():
        rest = _own_rows(comparison, disease)[1:]
        if rest:
            told.append(
                f"Other outcomes in {results.disease_in_text(disease)}: {_told_apart(rest)}."
            )
        told += _with_unpublished(compared, comparison, disease, results)
    return [Block("list", told)] if told else []


def _told_apart(rows: Sequence[Mapping[Any, Any]]) -> str:
    phrases = {
        "more": "more frequent under treatment is",
        "fewer": "less frequent under treatment is",
        "open": "no difference can be told in",
    }
    named = {
        direction: [
            outcome_in_text(row["outcome"]) for row in rows if row["direction"] == direction
        ]
        for direction in phrases
    }
    return "; ".join(f"{phrases[way]} {listed(names)}" for way, names in named.items() if names)


def _with_unpublished(
    compared: Sequence[Comparison], narrowest: Comparison, disease: str, results: Results
) -> list[str]:
    """Say what a disease's first effect becomes with its unpublished studies."""
    if narrowest.added == "unpublished" or compared[-1].added != "unpublished":
        return []
    first = _own_rows(narrowest, disease)[0]
    for row in _own_rows(compared[-1], disease):
        if row["outcome"] == first["outcome"] and row["studies"] > first["studies"]:
            return [
                f"In {results.disease_in_text(disease)} {ADDED['unpublished']}: "
                f"{_told_apart([row])}; the ratio is {ratio_interval(row)}, the probability that "
                f"treatment helps {probability(row['probability_benefit'])} "
                f"({study_count(int(row['studies']))}, "
                f"{numbered(int(row['patients']), 'patient')})."
            ]
    return []


def effects_table(compared: Sequence[Comparison], results: Results) -> Table:
    """Tabulate effects, of randomised studies alone beside them, and what they mean for patients.

    Parameters
    ----------
    compared : sequence of Comparison
        The analysis sets.
    results : Results
        How diseases are called.

    Returns
    -------
    Table
        A row an outcome, disease and analysis set.
    """
    rows, quiet = [], set()
    # The sets of an outcome stand together: what its answer rests on is seen at once.
    for name in dict.fromkeys(name for each in compared for name in each.rows["outcome"]):
        for each in compared:
            own = each.rows[each.rows["outcome"] == name]
            if own.empty:
                continue
            title = ", ".join(filter(None, (outcome_words(str(name)), ADDED[each.added])))
            rows += [(title, *_cells(row, results)) for row in own.to_dict("records")]
            beside = _beside(each, str(name), results)
            quiet |= set(range(len(rows), len(rows) + len(beside)))
            rows += [(title, *cells) for cells in beside]
    header = (
        *("Outcome", "Disease", "Studies / patients", "Ratio (95 %)", "Helps"),
        *("Next trial (95 %)", "Control rate", "Treated rate (95 %)", "Guard"),
    )
    caption = (
        "Effects of treatment: odds ratios against control (of death hazard ratios), posterior "
        "median and central 95 % interval; the probability that treatment helps; the ratio in the "
        "next trial; and the treated rate at the stated control rate. Studies that report means, "
        "and unpublished ones, each stand beside those published since the review. Below each "
        "outcome stands "
        "what randomised studies alone give, where others were compared too, and what a disease "
        "without a controlled study borrows."
    )
    frame = pd.concat([each.rows.assign(added=each.added) for each in compared], ignore_index=True)
    return Table(
        "effects", caption, header, rows, frame, of_fit=False, quiet=frozenset(quiet), texts=2
    )


def _cells(row: Mapping[Any, Any], results: Results) -> tuple[str, ...]:
    return (
        results.disease(row["disease"]),
        f"{row['studies']} / {row['patients']}",
        ratio_interval(row),
        probability(row["probability_benefit"]),
        ratio_interval(row, "next"),
        control_percent(row),
        interval(row, TREATED),
        row["verdict"],
    )


def _beside(comparison: Comparison, name: str, results: Results) -> list[tuple[str, ...]]:
    """Give the rows below an outcome's: of randomised studies alone, and of what is borrowed."""
    tables = (comparison.randomised, "direct"), (comparison.contrasts, BORROWED)
    rows = []
    for table, evidence in tables:
        chosen = (table["outcome"] == name) & (table["quantity"] == "effect")
        chosen &= table["evidence"] == evidence
        for row in table[chosen].to_dict("records"):
            label = f"{results.disease(row['disease'])}, randomised studies alone"
            counted = f"{row['studies']} / {row['patients']}"
            if evidence == BORROWED:
                label, counted = "A disease without a controlled study", BORROWED
            helps = probability(row["probability_benefit"])
            rows.append((label, counted, ratio_interval(row), helps, "", "", "", ""))
            if evidence == BORROWED:  # the others are the same
                break
    return rows
