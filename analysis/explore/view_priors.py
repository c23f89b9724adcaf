"""Priors: moved beside the data of each disease, until a conclusion is another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shiny import reactive, render, ui
from shiny.types import SilentException

from ...data.errors import InputError
from ...data.names import outcome_in_text
from ...data.outcomes import outcome
from ...models.exact.implied import implied_rates
from ...models.priors.catalogue import CATALOGUE
from ...models.priors.elicit import elicit_mu
from ...models.priors.meaning import factor_words
from ...models.priors.prior import Prior
from ...models.priors.sets import PARAMETERS
from .answers import Answer, Answers
from .controls import number, prior_controls
from .home import problem
from .pictures import densities_picture, flips_picture, inline
from .session import Page, Shown, ready, told
from .state import State
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
            _elicitation(),
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


def _elicitation() -> Tag:
    return ui.tags.fieldset(
        ui.tags.legend("Say it as a rate"),
        ui.p("I am this sure that the rate of a typical disease lies between two ends:"),
        number("elicit_sure", "How sure, %", 90, 50, 99, 1),
        number("elicit_low", "Lower end, %", 5, 1, 99, 1),
        number("elicit_high", "Upper end, %", 95, 1, 99, 1),
        ui.input_action_button("elicit", "Take this prior of μ"),
        ui.output_ui("elicit_problem"),
    )


def serve(page: Page) -> None:
    """Fill the view."""
    for name in PARAMETERS:
        _serve_parameter(page, name)
    _serve_answers(page)
    _serve_elicitation(page)

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
        f"Under {answer.state.base.replace('_', ' ')}",
    )
    lines = []
    for row in answer.conclusions.to_dict("records"):
        borrowed = "" if row["evidence"] == "direct" else " (no study: borrowed)"
        rate = f"{100 * row['q50']:.1f} % ({100 * row['q2.5']:.1f} to {100 * row['q97.5']:.1f} %)"
        flipped = row["concluded"] != row["reference_concluded"]
        conclusion = said[row["concluded"]]
        reference = f"{row['reference']:.4f}: {said[row['reference_concluded']]}"
        lines.append(
            ui.tags.tr(
                ui.tags.th(f"{answer.evidence.about.words(row['disease'])}{borrowed}", scope="row"),
                ui.tags.td(rate),
                ui.tags.td(f"{row['probability']:.4f}", class_="number"),
                ui.tags.td(ui.strong(f"{conclusion} (changed)") if flipped else conclusion),
                ui.tags.td(reference),
                **{"data-disease": row["disease"]},
            )
        )
    caption = "A conclusion is drawn where its probability reaches 0.95."
    return ui.div(
        ui.tags.table(
            ui.tags.caption(caption),
            ui.tags.thead(ui.tags.tr(*(ui.tags.th(each, scope="col") for each in heads))),
            ui.tags.tbody(*lines),
        ),
        class_="wide",
    )


def likelihood_words(answer: Answer) -> str:
    """Say how probable the data are under both priors."""
    mine, reference = answer.log_marginal_likelihood
    said = f"Log marginal likelihood of the data: {mine:.3f}"
    if not answer.state.own:
        return f"{said}."
    return (
        f"{said}, under {answer.state.base.replace('_', ' ')} {reference:.3f}: "
        f"log Bayes factor {mine - reference:.3f}."
    )


def _serve_elicitation(page: Page) -> None:
    wrong: reactive.Value[str] = reactive.value("")

    @render.ui
    def elicit_problem():
        return ui.p(wrong(), class_="problem", role="alert") if wrong() else None

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
            wrong.set(told(mistaken))
            return
        wrong.set("")
        rounded: dict[str, Any] = {name: round(value, 3) for name, value in prior.parameters}
        page.show_priors(state, mu=Prior.make(prior.dist, **rounded))


def named_sets() -> dict[str, str]:
    """Name the prior sets of the catalogue, in words."""
    return {name: name.replace("_", " ") for name in CATALOGUE}
