"""The next trial: its size under the state's priors, its characteristics, the protocol's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from shiny import reactive, render, ui

from ...data.names import numbered
from ..paper.publish.design import exhibit_of
from ..trial import design
from ..trial.pictures import pictures
from .answers import Answer, Answers, question_of
from .controls import choice, number
from .pictures import Picture, inline, picture_of_exhibit
from .session import Page, Shown, ready
from .state import DESIGNS, State
from .tables import table
from .view_effects import effects_of
from .view_evidence import picture_of

if TYPE_CHECKING:
    from htmltools import Tag

    from ...data.evidence import Evidence
    from ..paper.frames.effects import Comparison

#: Pictures that the view shows, in order.
_PICTURES = ("size", "operating", "type1")
_SIZES_SHOWN = 12
_ONE = (
    "Success is a posterior probability that the rate lies beyond the rate to beat. The truth is "
    "believed to be the next study's rate under the priors of this page."
)
_TWO = (
    "Success is a posterior probability that treated patients fare better than controls. The truth "
    "is believed to be the next study's effect and control rate, from studies with both arms and "
    "the default priors of effects."
)
#: Columns of a table of sizes, in words; those that a design has are shown.
_HEADS = {
    "n": "Patients",
    "n_experimental": "Treated patients",
    "n_control": "Controls",
    "critical": "Events for success",
    "type1": "Type I error",
    "type1_max": "Largest type I error",
    "assurance": "Assurance",
    "width": "Width of the interval",
}


def work(answers: Answers, state: State) -> Shown:
    """Size a state's trial: of one arm by its rates, of two by the effects of its studies."""
    if state.design == "two-arm":
        comparison = effects_of(answers, state)
        result = _two_arm(comparison, disease_of(answers, state), state)
        return Shown(state, None, _drawn(result, comparison.evidence), result.table, result)
    answer = answers.answer(state)
    result = _single_arm(answer, disease_of(answers, state))
    return Shown(state, answer, _drawn(result, answer.evidence), result.table, result)


def _single_arm(answer: Answer, disease: str) -> Any:
    """Size a single-arm trial by what is known of the next study's rate."""
    names = ("null", "target", "level", "assurance", "discount")
    asked: dict[str, Any] = {name: getattr(answer.state, name) for name in names}
    return design.single_arm(
        fit=answer.results.fit,
        outcome=answer.state.outcome,
        disease=disease,
        design_prior="new-study",
        direction=answer.question.direction.value,
        **asked,
    )


def _two_arm(comparison: Comparison, disease: str, state: State) -> Any:
    """Size a two-arm trial by what is known of the next study's effect and control rate."""
    return design.two_arm(
        fit=comparison.tree,
        outcome=state.outcome,
        disease=disease,
        effect_prior="new-study",
        design_prior_control="new-study",
        margin=0.0,
        direction=question_of(state).direction.value,
        level=state.level,
        assurance=state.assurance,
    )


def _drawn(result: Any, evidence: Evidence) -> dict[str, tuple[Picture, str]]:
    shown = {}
    for each in pictures(result):
        if each.name in _PICTURES:
            picture = picture_of_exhibit(exhibit_of(each, result), evidence)
            shown[each.name] = (picture, inline(picture, each.name))
    return shown


def disease_of(answers: Answers, state: State) -> str:
    """Give the disease of the trial: the one asked for, or the first."""
    return state.disease or answers.source.diseases[0]


def panel(state: State) -> Tag:
    """Lay the view out."""
    percents = {
        "level": "Posterior probability that is success, %",
        "assurance": "Wanted probability of success, %",
    }
    return ui.div(
        ui.div(
            ui.h2("The next trial"),
            choice("design", "Design", {name: name for name in DESIGNS}, state.design),
            ui.panel_conditional("input.design === 'single-arm'", ui.p(_ONE, class_="quiet")),
            ui.panel_conditional("input.design === 'two-arm'", ui.p(_TWO, class_="quiet")),
            ui.output_ui("trial_disease"),
            ui.panel_conditional(
                "input.design === 'single-arm'",
                number("null", "Rate to beat, %", 100 * state.null, 1, 99, 1),
                number("target", "Rate hoped for, %", 100 * state.target, 1, 99, 1),
                number("discount", "Discount for optimism, log-odds", state.discount, 0, 2, 0.05),
            ),
            *(
                number(name, label, 100 * getattr(state, name), 1, 99, 1)
                for name, label in percents.items()
            ),
            ui.output_ui("trial_problem"),
            class_="controls",
        ),
        ui.div(
            ui.h2("Size"),
            ui.output_ui("recommended"),
            ui.output_ui("size"),
            ui.h2("Operating characteristics"),
            ui.output_ui("operating"),
            ui.output_ui("sizes"),
            ui.h2("For the protocol"),
            ui.output_ui("paragraph"),
        ),
        class_="sides",
    )


def serve(page: Page) -> None:
    """Fill the view."""

    @render.ui
    def trial_disease():
        source = page.data().answers.source
        names = {name: source.about.words(name) for name in source.diseases}
        with reactive.isolate():
            chosen = page.state().disease
        return ui.input_select("disease", "Disease", names, selected=chosen or next(iter(names)))

    @render.ui
    def trial_problem():
        said = [page.problems().get(name) for name in ("null", "target", "level", "assurance")]
        return ui.div(*(ui.p(each, class_="problem") for each in said if each), role="alert")

    @render.ui
    def size():
        return picture_of(page, "trial", "size")

    @render.ui
    def operating():
        two = page.state().design == "two-arm"
        return picture_of(page, "trial", "type1" if two else "operating")

    @render.ui
    def recommended():
        return ui.p(ui.strong(recommendation(_result(page))))

    @render.ui
    def sizes():
        return _sizes(_result(page).table)

    @render.ui
    def paragraph():
        return ui.tags.blockquote(_result(page).paragraph)


def recommendation(result: Any) -> str:
    """Say how many patients the trial needs."""
    size = result.answer.recommended_n
    if size is None:
        return "No size within range reaches what is wanted."
    return f"Recommended: {numbered(size, 'patient')}."


def _result(page: Page) -> Any:
    return ready(page, "trial").result


def _sizes(sizes: pd.DataFrame) -> Tag:
    """Lay out some of the sizes: their critical counts, errors and probabilities of success."""
    powers = {c: f"Power at {c[6:]}" for c in map(str, sizes) if c.startswith("power_")}
    heads = {name: words for name, words in {**_HEADS, **powers}.items() if name in sizes}
    some = sizes.iloc[:: max(1, len(sizes) // _SIZES_SHOWN)].to_dict("records")
    return table(
        list(heads.values()),
        [[_digits(row[name]) for name in heads] for row in some],
        numbers=range(len(heads)),
        caption="Some sizes; every one is in the CSV file.",
        first_is_head=False,
    )


def _digits(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
