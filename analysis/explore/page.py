"""The page: its controls over one state, its views, and the application that serves them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from shiny import App, reactive, render, ui

from ...data.errors import InputError
from ...data.evidence import ANALYSIS_SETS, DEFINITIONS, load_evidence
from ...data.names import outcome_words
from ...data.outcomes import outcome
from ...figures.dark import FILTER
from ...models.pooling import POOLINGS
from ...models.priors.sets import PARAMETERS
from . import home, sampling, view_effects, view_evidence, view_priors, view_trial
from .answers import Answers
from .controls import choice, number
from .session import Data, Page, told
from .state import State, read_state

if TYPE_CHECKING:
    from htmltools import Tag
    from shiny import Inputs, Outputs, Session
    from starlette.requests import Request

    from ...data.evidence import Evidence

_OWN = Path(__file__).parent
_WORKS = {
    "evidence": view_evidence.work,
    "priors": view_priors.work,
    "trial": view_trial.work,
    "effects": view_effects.work,
}


def first_state(evidence: Evidence) -> State:
    """Give the state that the page of a data set begins with: its first outcome."""
    name = evidence.outcome_names[0]
    return State(outcome=name, threshold=outcome(name).threshold)


def make_app(evidence: Evidence, path: str = "") -> App:
    """Make the application of a data set.

    Parameters
    ----------
    evidence : Evidence
        The data set, in any selection.
    path : str
        How a command names it; empty for the shipped evidence.

    Returns
    -------
    shiny.App
        It knows no token: `Gate` stands before it.
    """
    data, first = Data(Answers(evidence), path), first_state(evidence)

    def page(request: Request) -> Tag:
        state, wrong = _asked(request.url.query, first)
        return _page(evidence, state, wrong)

    def server(input: Inputs, output: Outputs, session: Session) -> None:
        with reactive.isolate():
            state, _ = _asked(session.clientdata.url_search(), first)
        _serve(Page(data, state, _WORKS, view_priors.later, input, session))

    return App(page, server, static_assets={"/own": _OWN})


def _asked(query: str, first: State) -> tuple[State, str]:
    try:
        return read_state(query, first), ""
    except InputError as wrong:
        return first, f"The address holds a state that cannot be shown. {wrong}"


def _page(evidence: Evidence, state: State, wrong: str) -> Tag:
    """Lay the page out."""
    title = f"{evidence.about.title or 'Evidence'}: explore"
    return ui.page_fluid(
        ui.head_content(
            ui.tags.link(rel="stylesheet", href="own/page.css"),
            ui.tags.style(f":root {{ --in-the-dark: {FILTER}; }}"),
            ui.tags.link(rel="icon", href="data:,"),
            ui.tags.script(src="own/page.js", defer=True),
        ),
        ui.tags.main(
            ui.h1(title),
            ui.p(wrong, class_="problem", role="alert") if wrong else None,
            home.status(),
            _shared(evidence, state),
            ui.navset_tab(
                ui.nav_panel("Evidence", view_evidence.panel(), value="evidence"),
                ui.nav_panel("Priors", view_priors.panel(state), value="priors"),
                ui.nav_panel("Next trial", view_trial.panel(state), value="trial"),
                ui.nav_panel("Effects", view_effects.panel(), value="effects"),
                id="view",
                selected=state.view,
            ),
            sampling.panel(),
            home.take_home(),
        ),
        title=title,
        lang="en",
        padding="0",
    )


def _shared(evidence: Evidence, state: State) -> Tag:
    """Lay out the controls that every view reads."""
    sets = {name: name for name in ANALYSIS_SETS}
    definitions = {name: name for name in DEFINITIONS}
    poolings = {name: name for name in POOLINGS}
    return ui.tags.section(
        choice("outcome", "Outcome", outcomes_of(evidence), state.outcome),
        number("threshold", "Threshold of the conclusion, %", 100 * state.threshold, 1, 99, 1),
        choice("base", "Reference priors", view_priors.named_sets(), state.base),
        choice("pooling", "Pooling across diseases", poolings, state.pooling),
        choice("analysis_set", "Analysis set", sets, state.analysis_set),
        choice("definitions", "Definitions", definitions, state.definitions),
        ui.input_checkbox("means", "Counts that follow from means", state.means),
        ui.div(
            ui.input_file(
                "upload", "Own data (CSV or workbook, 5 MB)", accept=[".csv", ".gz", ".xlsx"]
            ),
            ui.output_ui("upload_problem"),
        ),
        ui.output_ui("shared_problem"),
        class_="shared",
        **{"aria-label": "What is analysed"},
    )


def outcomes_of(evidence: Evidence) -> dict[str, str]:
    """Name the outcomes of a data set, in words."""
    return {name: outcome_words(name) for name in evidence.outcome_names}


def _serve(page: Page) -> None:
    """Fill the page of one reader."""
    home.serve(page)
    view_evidence.serve(page)
    view_priors.serve(page)
    view_trial.serve(page)
    view_effects.serve(page)
    sampling.serve(page)
    _serve_upload(page)
    input = page.input

    @reactive.effect
    def compute():
        page.ask(page.state())

    @reactive.effect
    @reactive.event(input.outcome, ignore_init=True)
    def other_outcome():
        asked = outcome(input.outcome())
        page.show_share("threshold", asked.threshold)
        page.show_share("null", asked.threshold)
        hoped = asked.threshold / 2 if asked.is_harm else (1 + asked.threshold) / 2
        page.show_share("target", hoped)

    @reactive.effect
    @reactive.event(input.outcome, input.base, ignore_init=True)
    def other_reference():
        state = page.state()
        reference = state.reference.of(state.outcome)
        page.show_priors(state, mu=reference.mu, tau=reference.tau, sigma=reference.sigma)

    @render.ui
    def shared_problem():
        beside = (*PARAMETERS, "null", "target", "level", "assurance", "discount")
        said = [f"{name}: {each}" for name, each in page.problems().items() if name not in beside]
        return ui.div(*(ui.p(each, class_="problem") for each in said), role="alert")


def _serve_upload(page: Page) -> None:
    wrong: reactive.Value[tuple[str, ...]] = reactive.value(())

    @render.ui
    def upload_problem():
        return ui.div(*(ui.p(line, class_="problem") for line in wrong()), role="alert")

    @reactive.effect
    @reactive.event(page.input.upload)
    def read():
        (given,) = page.input.upload()
        try:
            evidence = load_evidence(given["datapath"])
        except InputError as mistaken:
            said = told(mistaken).replace(given["datapath"], given["name"])
            wrong.set(tuple(said.splitlines()))
            return
        finally:
            shutil.rmtree(Path(given["datapath"]).parent, ignore_errors=True)
        wrong.set(())
        page.begin(Data(Answers(evidence), given["name"]), first_state(evidence))
        names = outcomes_of(evidence)
        ui.update_select("outcome", choices=names, selected=page.start.outcome)
        ui.update_select("analysis_set", selected=page.start.analysis_set)
        ui.update_select("definitions", selected=page.start.definitions)
        page.show_share("threshold", page.start.threshold)
        page.show_priors(page.start)
