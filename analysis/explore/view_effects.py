"""Effects: treated against control, where studies have both arms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from shiny import render, ui

from ...data.errors import InputError, SelectionError
from ...data.names import outcome_in_text
from ...figures.effects_forest import draw_effects_forest
from ..effects import effects as room
from ..paper.frames.effect_figures import forest_data
from ..paper.frames.effects import Comparison
from ..paper.words.exhibit import Exhibit, Words
from ..paper.words.wording import ratio_interval
from .answers import Answers
from .pictures import inline, picture_of_exhibit
from .session import Page, Shown, ready
from .state import State
from .tables import table
from .view_evidence import picture_of

if TYPE_CHECKING:
    from htmltools import Tag

    from ...data.evidence import Evidence


def effects_of(answers: Answers, state: State) -> Comparison:
    """Integrate the effects on a state's outcome, and let their guard judge.

    Raises
    ------
    InputError
        No study of the selection has a control arm with the outcome.
    """

    def integrated(evidence: Evidence) -> Comparison:
        return Comparison("", evidence, room.effects(evidence, state.pooling))

    try:
        return answers.of_arms(state, integrated)
    except SelectionError:
        raise InputError(
            f"no study of this selection has counts of {outcome_in_text(state.outcome)} in a "
            "treated and a control arm: try the analysis set 'current', or another outcome"
        ) from None


def work(answers: Answers, state: State) -> Shown:
    """Integrate the effects on a state's outcome, and draw their forest plot."""
    comparison = effects_of(answers, state)
    evidence = comparison.evidence
    frame = forest_data(comparison, state.outcome)
    checked = comparison.checked
    words = Words(
        f"Effects on {outcome_in_text(state.outcome)}: treated against control",
        "Diamonds: each disease's ratio; below it its studies, grey what their own counts say; "
        "pale bars: the next trial. A ratio of odds (of hazards for death).",
        f"Forest plot of effects. {_told(comparison.contrasts, state.outcome, evidence)}",
    )
    exhibit = Exhibit(
        f"effects_forest_{state.outcome}", frame, words, draw_effects_forest, "", "", checked.stated
    )
    picture = picture_of_exhibit(exhibit, evidence, checked.stated)
    table = comparison.contrasts[comparison.contrasts["outcome"] == state.outcome]
    return Shown(
        state,
        None,
        {"effects": (picture, inline(picture, "effects"))},
        table.reset_index(drop=True),
        comparison,
    )


def _told(table: pd.DataFrame, name: str, evidence: Evidence) -> str:
    own = table[(table["outcome"] == name) & (table["quantity"] == "effect")]
    said = [
        f"{evidence.about.words(row['disease'])}: {ratio_interval(row)}"
        for row in own.to_dict("records")
    ]
    return "; ".join(said) + "."


def panel() -> Tag:
    """Lay the view out."""
    return ui.div(
        ui.h2("Treated against control"),
        ui.p(
            "Only arms of one study are compared. The priors are the default ones of effects, not "
            "those of rates; the guard of effects has judged them.",
            class_="quiet",
        ),
        ui.output_ui("effects_verdict"),
        ui.output_ui("effects_forest"),
        ui.output_ui("effects_table"),
    )


def serve(page: Page) -> None:
    """Fill the view."""

    def comparison() -> Comparison:
        return ready(page, "effects").result

    @render.ui
    def effects_forest():
        return picture_of(page, "effects", "effects")

    @render.ui
    def effects_verdict():
        checked = comparison().checked
        name = ready(page, "effects").state.outcome
        reasons = [each.reason for each in checked.outcomes if each.outcome == name]
        return ui.p(ui.strong(f"Guard of effects: {checked.verdict_of(name)}. "), " ".join(reasons))

    @render.ui
    def effects_table():
        made = comparison()
        return table_of(made.contrasts, ready(page, "effects").state.outcome, made.evidence)


def table_of(contrasts: pd.DataFrame, name: str, evidence: Evidence) -> Tag:
    """Lay out each disease's ratio, that of its next trial, and the probability of benefit."""
    own = contrasts[contrasts["outcome"] == name]
    following = own[own["quantity"] == "new_study"].set_index("disease")
    heads = ("Disease", "Studies", "Ratio (95 %)", "Next trial (95 %)", "Probability of benefit")
    rows = own[own["quantity"] == "effect"].to_dict("records")
    table_rows = [
        (
            evidence.about.words(row["disease"]),
            str(row["studies"]) if row["evidence"] == "direct" else "none: borrowed",
            ratio_interval(row),
            ratio_interval(following.loc[row["disease"]]),
            f"{row['probability_benefit']:.3f}",
        )
        for row in rows
    ]
    return table(heads, table_rows, numbers=(4,), diseases=[row["disease"] for row in rows])
