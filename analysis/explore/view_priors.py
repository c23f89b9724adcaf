"""Priors: moved beside the data of each disease, until a conclusion is another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shiny import reactive, render, ui
from shiny.types import SilentException

from ...data.names import outcome_in_text, prior_set_words
from ...data.outcomes import outcome
from ...models.exact.implied import implied_rates
from ...models.priors.catalogue import CATALOGUE
from ...models.priors.meaning import factor_words
from ...models.priors.prior import Prior
from ...models.priors.sets import PARAMETERS
from . import said_priors
from .answers import Answer, Answers
from .controls import prior_controls
from .home import problem
from .pictures import densities_picture, flips_picture, inline
from .session import Page, Shown, ready
from .state import State
from .tables import table
from .view_evidence import picture_of

if TYPE_CHECKING:
    from htmltools import Tag


def work(answers: Answers, state: State) -> Shown:
    """Integrate a state, and draw prior, data and posterior of each disease."""
    answer = answers.answer(state)
    picture = densities_picture(answer)
    pictures = {"densities": (picture, inline(picture, "densities"))}
    return Shown(state, answer, pictures, answer.rates)


def later(shown: Shown) -> str:
    """Leave each study out, and look for the priors that change a conclusion; give their map."""
    answer = shown.answer
    assert answer is not None, "only what was integrated is looked at further"
    assert answer.left_out, "kept in the answer"
    if shown.state.view != "priors":
        return ""
    return inline(flips_picture(answer), "flips") if len(answer.flip_frame) else ""


def panel(state: State) -> Tag:
    """Lay the view out."""
    priors = state.priors.of(state.outcome)
    return ui.div(
        ui.div(
            ui.h2("Priors"),
            *(prior_controls(name, getattr(priors, name)) for name in PARAMETERS),
            ui.input_action_button("reset", "Back to the reference"),
            *said_priors.panel(),
            class_="controls",
        ),
        ui.div(
            ui.h2("Prior, data and posterior"),
            ui.output_ui("densities"),
            ui.h2("What follows"),
            ui.output_ui("conclusions"),
            ui.output_ui("evidence_line"),
            ui.h2("Which prior would change that"),
            ui.output_ui("flips"),
        ),
        class_="sides",
    )


def serve(page: Page) -> None:
    """Fill the view."""
    for name in PARAMETERS:
        _serve_parameter(page, name)
    _serve_answers(page)
    said_priors.serve(page)

    @reactive.effect
    @reactive.event(page.input.reset)
    def back():
        state = page.state()
        reference = state.reference.of(state.outcome)
        page.show_priors(state, **{name: getattr(reference, name) for name in PARAMETERS})


def _serve_parameter(page: Page, name: str) -> None:
    def wrong():
        said = page.problems().get(name)
        return ui.p(said, class_="problem", role="alert") if said else None

    def meaning():
        state = page.state()
        return ui.p(meaning_of(name, state), class_="quiet")

    wrong.__name__, meaning.__name__ = f"{name}_problem", f"{name}_meaning"
    render.ui(wrong)
    render.ui(meaning)


def meaning_of(name: str, state: State) -> str:
    """Say what a state's prior of a parameter means for rates."""
    prior: Prior = getattr(state.priors.of(state.outcome), name)
    if name != "mu":
        between = "diseases" if name == "tau" else "studies of one disease"
        return f"{prior}: the odds of two {between} lie {factor_words(prior)}."
    table = implied_rates(state.priors, outcome(state.outcome), state.pooling)
    low, high = (float(table[q].iloc[0]) for q in ("q2.5", "q97.5"))
    return (
        f"{prior}: {outcome_in_text(state.outcome)} in a typical disease lies between "
        f"{100 * low:.3g} and {100 * high:.3g} %, 95 % sure."
    )


def _serve_answers(page: Page) -> None:
    @render.ui
    def densities():
        return picture_of(page, "priors", "densities")

    @render.ui
    def conclusions():
        answer = _answer(page)
        return conclusion_table(answer)

    @render.ui
    def evidence_line():
        answer = _answer(page)
        return ui.p(likelihood_words(answer), id="log-likelihood")

    @render.ui
    def flips():
        answer, more = _answer(page), page.more()
        if more is None:
            return ui.p("Looking for priors that change a conclusion …", class_="quiet")
        if more.wrong is not None:
            return problem(more.wrong)
        buttons = [
            ui.input_action_button(f"nearest_{i}", f"Take the nearest for {words}")
            for i, words in _offers(answer)
        ]
        picture = None
        if more.value:
            said = " ".join(answer.flips["sentence"])
            picture = ui.div(
                ui.HTML(more.value), class_="paper", role="img", **{"aria-label": said}
            )
        sentences = [ui.tags.li(sentence) for sentence in answer.flips["sentence"]]
        return ui.TagList(ui.tags.ul(*sentences), ui.div(*buttons, class_="controls"), picture)

    for place in range(len(page.data_now().answers.source.diseases)):
        _serve_nearest(page, place)


def _serve_nearest(page: Page, place: int) -> None:
    @reactive.effect
    @reactive.event(lambda: page.input[f"nearest_{place}"]())
    def take():
        answer = _answer(page)
        disease = answer.evidence.diseases[place]
        moved = answer.nearest.get(disease)
        if moved:
            page.show_priors(answer.state, **moved)


def _offers(answer: Answer) -> list[tuple[int, str]]:
    nearest, about = answer.nearest, answer.evidence.about
    return [(i, about.in_text(d)) for i, d in enumerate(answer.evidence.diseases) if d in nearest]


def _answer(page: Page) -> Answer:
    answer = ready(page, "priors").answer
    if answer is None:
        raise SilentException
    return answer


def conclusion_table(answer: Answer) -> Tag:
    """Lay out what follows for each disease, under both priors."""
    beyond = "above" if answer.question.direction.value == "above" else "below"
    said = {"yes": f"yes, {beyond}", "no": f"not shown {beyond}", "undecided": "undecided"}
    threshold = f"{100 * answer.state.threshold:g} %"
    heads = (
        "Disease",
        "Median rate (95 % interval)",
        f"Probability {beyond} {threshold}",
        "Concluded",
        f"Under {prior_set_words(answer.state.base)}",
    )
    rows, table_rows = answer.conclusions.to_dict("records"), []
    for row in rows:
        borrowed = "" if row["evidence"] == "direct" else " (no study: borrowed)"
        rate = f"{100 * row['q50']:.1f} % ({100 * row['q2.5']:.1f} to {100 * row['q97.5']:.1f} %)"
        flipped = row["concluded"] != row["reference_concluded"]
        conclusion = said[row["concluded"]]
        table_rows.append(
            (
                f"{answer.evidence.about.words(row['disease'])}{borrowed}",
                rate,
                f"{row['probability']:.4f}",
                ui.strong(f"{conclusion} (changed)") if flipped else conclusion,
                f"{row['reference']:.4f}: {said[row['reference_concluded']]}",
            )
        )
    return table(
        heads,
        table_rows,
        numbers=(2,),
        caption="A conclusion is drawn where its probability reaches 0.95.",
        diseases=[row["disease"] for row in rows],
    )


def likelihood_words(answer: Answer) -> str:
    """Say how probable the data are under both priors."""
    mine, reference = answer.log_marginal_likelihood
    said = f"Log marginal likelihood of the data: {mine:.3f}"
    if not answer.state.own:
        return f"{said}."
    return (
        f"{said}, under {prior_set_words(answer.state.base)} {reference:.3f}: "
        f"log Bayes factor {mine - reference:.3f}."
    )


def named_sets() -> dict[str, str]:
    """Name the prior sets of the catalogue, in words."""
    return {name: prior_set_words(name) for name in CATALOGUE}
