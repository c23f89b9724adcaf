"""Priors said otherwise than by their values: as two ends of a rate, or as a prior file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiny import reactive, render, ui

from ...data.errors import InputError
from ...data.names import outcome_in_text
from ...models.priors.elicit import elicit_mu
from ...models.priors.files import prior_set
from ...models.priors.prior import Prior
from ...models.priors.sets import PARAMETERS
from .controls import number
from .home import problem
from .session import Page

if TYPE_CHECKING:
    from htmltools import Tag


def panel() -> tuple[Tag, Tag]:
    """Lay both out."""
    rate = ui.tags.fieldset(
        ui.tags.legend("Say it as a rate"),
        ui.p("I am this sure that the rate of a typical disease lies between two ends:"),
        number("elicit_sure", "How sure, %", 90, 50, 99, 1),
        number("elicit_low", "Lower end, %", 5, 1, 99, 1),
        number("elicit_high", "Upper end, %", 95, 1, 99, 1),
        ui.input_action_button("elicit", "Take this prior of μ"),
        ui.output_ui("elicit_problem"),
    )
    file = ui.tags.fieldset(
        ui.tags.legend("Read a prior file"),
        ui.input_file("prior_upload", "A file (.toml)", accept=[".toml"]),
        ui.input_text_area("prior_pasted", "Or its text", rows=4, width="100%"),
        ui.input_action_button("prior_take", "Take the priors of this text"),
        ui.output_ui("prior_file_said"),
    )
    return rate, file


def serve(page: Page) -> None:
    """Let both set the priors of the page."""
    _serve_rate(page)
    _serve_file(page)


def _serve_rate(page: Page) -> None:
    wrong: reactive.Value[InputError | None] = reactive.value(None)

    @render.ui
    def elicit_problem():
        mistaken = wrong()
        return problem(mistaken) if mistaken else None

    @reactive.effect
    @reactive.event(page.input.elicit)
    def take():
        state = page.state()
        given = [page.value(f"elicit_{end}") for end in ("low", "high", "sure")]
        try:
            if None in given:
                raise InputError("give both ends, and how sure")
            low, high, sure = (float(each) / 100 for each in given)
            prior = elicit_mu(low, high, sure, state.outcome)
        except InputError as mistaken:
            wrong.set(mistaken)
            return
        wrong.set(None)
        rounded: dict[str, Any] = {name: round(value, 3) for name, value in prior.parameters}
        page.show_priors(state, mu=Prior.make(prior.dist, **rounded))


def _serve_file(page: Page) -> None:
    said: reactive.Value[str | InputError] = reactive.value("")

    @render.ui
    def prior_file_said():
        words = said()
        if isinstance(words, InputError):
            return problem(words)
        return ui.p(words, class_="quiet", role="status") if words else None

    def take(given: str | Path, name: str) -> None:
        try:
            said.set(_taken(page, given, name))
        except InputError as mistaken:
            said.set(InputError(str(mistaken).replace(str(given), name)))

    @reactive.effect
    @reactive.event(page.input.prior_take)
    def pasted():
        take(page.value("prior_pasted") or "", "the text")

    @reactive.effect
    @reactive.event(page.input.prior_upload)
    def uploaded():
        (file,) = page.input.prior_upload()
        path = Path(file["datapath"])
        try:
            take(path, file["name"])
        finally:
            shutil.rmtree(path.parent, ignore_errors=True)


def _taken(page: Page, given: str | Path, name: str) -> str:
    """Let the controls show the priors that a prior file has of the outcome; say what was taken."""
    state, outcomes = page.state(), page.data().answers.source.outcome_names
    if not str(given).strip():
        raise InputError("the text is empty: paste that of a prior file")
    read = prior_set(given, name, outcomes)
    priors = read.of(state.outcome)
    page.show_priors(state, **{each: getattr(priors, each) for each in PARAMETERS})
    here = outcome_in_text(state.outcome)
    others = [o for o in outcomes if o != state.outcome and read.of(o) != state.reference.of(o)]
    left = " Those of other outcomes are not taken: choose the outcome first." if others else ""
    if read.exnex is not None or read.moderator is not None:
        left += " What it says of exnex and of moderators is not used on this page."
    return f"These are the priors of {here} in {name}.{left}"
