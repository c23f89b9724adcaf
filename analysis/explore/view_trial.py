"""The next trial: its size under the state's priors, its characteristics, the protocol's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from shiny import reactive, render, req, ui

from ..paper.publish.design import exhibit_of
from ..trial import design
from ..trial.pictures import pictures
from .answers import Answers, question_of
from .controls import number
from .pictures import inline, picture_of_exhibit
from .session import Page, Shown
from .state import State
from .view_evidence import picture_of

if TYPE_CHECKING:
    from htmltools import Tag

#: Pictures that the view shows, in order.
_PICTURES = ("size", "operating")
_SIZES_SHOWN = 12


def work(answers: Answers, state: State) -> Shown:
    """Integrate a state, and size a single-arm trial by what it says of the next study."""
    answer = answers.answer(state)
    asked: dict[str, Any] = {
        name: getattr(state, name) for name in ("null", "target", "level", "assurance", "discount")
    }
    result = design.single_arm(
        fit=answer.results.fit,
        outcome=state.outcome,
        disease=disease_of(answers, state),
        design_prior="new-study",
        direction=question_of(state).direction.value,
        **asked,
    )
    shown = {}
    for each in pictures(result):
        if each.name in _PICTURES:
            picture = picture_of_exhibit(exhibit_of(each, result), answer.evidence)
            shown[each.name] = (picture, inline(picture, each.name))
    return Shown(state, answer, shown, result.table, result)


def disease_of(answers: Answers, state: State) -> str:
    """Give the disease of the trial: the one asked for, or the first."""
    return state.disease or answers.source.diseases[0]


def panel(state: State) -> Tag:
    """Lay the view out."""
    percents = {
        "null": "Rate to beat, %",
        "target": "Rate hoped for, %",
        "level": "Posterior probability that is success, %",
        "assurance": "Wanted probability of success, %",
    }
    return ui.div(
        ui.div(
            ui.h2("A single-arm trial"),
            ui.p(
                "Success is a posterior probability that the rate lies beyond the rate to beat. "
                "The truth is believed to be the next study's rate under the priors of this page.",
                class_="quiet",
            ),
            ui.output_ui("trial_disease"),
            *(
                number(name, label, 100 * getattr(state, name), 1, 99, 1)
                for name, label in percents.items()
            ),
            number("discount", "Discount for optimism, log-odds", state.discount, 0, 2, 0.05),
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
        return picture_of(page, "trial", "operating")

    @render.ui
    def recommended():
        return ui.p(ui.strong(recommendation(_result(page))))

    @render.ui
    def sizes():
        return _table(_result(page).table)

    @render.ui
    def paragraph():
        return ui.tags.blockquote(_result(page).paragraph)


def recommendation(result: Any) -> str:
    """Say how many patients the trial needs."""
    size = result.answer.recommended_n
    if size is None:
        return "No size up to 300 patients reaches what is wanted."
    return f"Recommended: {size} patients."


def _result(page: Page) -> Any:
    done = page.shown()
    req(done is not None and done.value is not None and done.value.state.view == "trial")
    return done.value.result


def _table(table: pd.DataFrame) -> Tag:
    """Lay out some of the sizes: their critical counts, errors and probabilities of success."""
    heads = {"n": "Patients", "critical": "Events for success", "type1": "Type I error"}
    heads |= {c: f"Power at {c.removeprefix('power_')}" for c in table if c.startswith("power_")}
    heads |= {"assurance": "Assurance", "width": "Width of the interval"}
    step = max(1, len(table) // _SIZES_SHOWN)
    lines = []
    for row in table.iloc[::step].to_dict("records"):
        cells = [ui.tags.td(_digits(row[name]), class_="number") for name in heads]
        lines.append(ui.tags.tr(*cells))
    return ui.div(
        ui.tags.table(
            ui.tags.caption("Some sizes; every one is in the CSV file."),
            ui.tags.thead(ui.tags.tr(*(ui.tags.th(t, scope="col") for t in heads.values()))),
            ui.tags.tbody(*lines),
        ),
        class_="wide",
    )


def _digits(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)
