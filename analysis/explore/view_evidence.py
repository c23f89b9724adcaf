"""The evidence: studies with their sources, switched in and out, and the forest plot of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pandas as pd
from shiny import reactive, render, ui

from ...data.names import arm_words, numbered, study_labels
from ...figures.page import count_words
from .answers import Answers
from .home import problem
from .pictures import forest_picture, inline
from .session import Page, Shown
from .state import State

if TYPE_CHECKING:
    from htmltools import Tag

    from ...data.evidence import Evidence


def work(answers: Answers, state: State) -> Shown:
    """Integrate a state, and draw its forest plot."""
    answer = answers.answer(state)
    picture = forest_picture(answer)
    return Shown(state, answer, {"forest": (picture, inline(picture, "forest"))}, answer.rates)


def panel() -> Tag:
    """Lay the view out."""
    return ui.div(
        ui.div(
            ui.h2("Studies"),
            ui.p(
                "Untick a study to leave it out; open it to see its source and its definition.",
                class_="quiet",
            ),
            ui.tags.label("Show studies with these words", {"for": "studies-filter"}),
            ui.tags.input(
                id="studies-filter",
                type="search",
                class_="form-control",
                **{"data-filter": "studies"},
            ),
            ui.output_ui("study_table"),
            class_="controls",
        ),
        ui.div(ui.h2("Forest plot"), ui.output_ui("forest")),
        class_="sides",
    )


def serve(page: Page) -> None:
    """Fill the view."""

    @reactive.calc
    def offered() -> pd.DataFrame | None:
        state = page.state()
        return studies_of(page.data().answers, state)

    @render.ui
    def study_table():
        table = offered()
        with reactive.isolate():
            dropped = page.dropped()
        if table is None:
            return ui.p("No study of this selection has rows of the outcome.", class_="problem")
        return _table(table, page.data().answers.source, dropped)

    @reactive.effect
    @reactive.event(page.input.studies, ignore_none=False, ignore_init=True)
    def switched():
        table = offered()
        listed = [] if table is None else list(dict.fromkeys(table["study"]))
        if not listed or not page.has("studies"):
            return
        ticked = set(page.value("studies") or ())
        others = [study for study in page.dropped() if study not in listed]
        page.dropped.set((*others, *(study for study in listed if study not in ticked)))

    @render.ui
    def forest():
        return picture_of(page, "evidence", "forest")


def picture_of(page: Page, view: str, name: str) -> Any:
    """Show a picture of a view with its caption, or why there is none."""
    done = page.shown()
    if done is None:
        return ui.p("…")
    if done.wrong is not None:
        return problem(done.wrong)
    if done.value is None or done.value.state.view != view or name not in done.value.pictures:
        return ui.p("…")
    picture, svg = done.value.pictures[name]
    caption = ui.p(picture.words.caption, class_="quiet") if picture.words.caption else None
    label = {"aria-label": picture.words.alternative or picture.words.title}
    return ui.tags.figure(ui.div(ui.HTML(svg), class_="paper", role="img", **label), caption)


def studies_of(answers: Answers, state: State) -> pd.DataFrame | None:
    """Give the rows of the outcome that a state's analysis set supplies, dropped ones among them.

    Returns
    -------
    pandas.DataFrame or None
        As `Evidence.rows`; None where nothing is left.
    """
    from dataclasses import replace

    from ...data.errors import InputError

    try:
        evidence = answers.evidence(replace(state, drop=()))
    except InputError:
        return None
    return evidence.rows[evidence.rows["outcome"] == state.outcome].reset_index(drop=True)


def _table(rows: pd.DataFrame, evidence: Evidence, dropped: tuple[str, ...]) -> Tag:
    labels, about = study_labels(evidence.studies), evidence.about
    known = evidence.studies.set_index("study")
    lines = []
    for study, own in rows.groupby("study", sort=False):
        label, counts = labels.get(str(study), str(study)), []
        for row in own.to_dict("records"):
            count = count_words(row["events_min"], row["events_max"], row["n"])
            counts.append(f"{count}{arm_words(row['arm'])}")
        ticked = True if study not in dropped else None
        box = ui.tags.input(
            type="checkbox",
            name="studies",
            value=str(study),
            checked=ticked,
            **{"aria-label": f"{label} is part of the analysis"},
        )
        details = ui.tags.details(
            ui.tags.summary(label),
            _source(cast("pd.Series", known.loc[study])),
            *_definitions(own, evidence),
        )
        disease = about.words(str(own["disease"].iloc[0]))
        lines.append(
            ui.tags.tr(
                ui.tags.td(box),
                ui.tags.td(details),
                ui.tags.td(disease),
                ui.tags.td("; ".join(counts), class_="number"),
            )
        )
    heads = ("In", "Study", "Disease", "Events/n")
    return ui.div(
        ui.tags.table(
            ui.tags.caption(f"{numbered(len(lines), 'study', 'studies')} of this analysis set"),
            ui.tags.thead(ui.tags.tr(*(ui.tags.th(each, scope="col") for each in heads))),
            ui.tags.tbody(*lines),
        ),
        id="studies",
        class_="shiny-input-checkboxgroup studies wide",
        role="group",
        **{"aria-label": "Studies of the analysis"},
    )


def _source(study: pd.Series) -> Tag:
    """Tell where a study was published, and how it was made."""
    told = [study.get(name) for name in ("title", "journal", "registration")]
    parts: list[Any] = [". ".join(str(part) for part in told if isinstance(part, str) and part)]
    doi = study.get("doi")
    if isinstance(doi, str) and doi:
        link = ui.a(doi, href=f"https://doi.org/{doi}", target="_blank", rel="noreferrer noopener")
        parts += [" doi ", link]
    how = [study.get(name) for name in ("design", "cell_source", "route", "country")]
    made = ", ".join(str(part).replace("_", " ") for part in how if isinstance(part, str) and part)
    return ui.div(ui.p(*parts), ui.p(made, class_="quiet") if made else None)


def _definitions(rows: pd.DataFrame, evidence: Evidence) -> list[Tag]:
    """Tell how a study's rows were defined, and where in the source they stand."""
    keys = ["study", "arm", "outcome", "definition"]
    wanted = {tuple(row) for row in rows[keys].to_numpy().tolist()}
    told = []
    for row in evidence.outcomes.to_dict("records"):
        if tuple(row.get(key) for key in keys) in wanted:
            said = [row.get("definition"), row.get("locator"), row.get("certainty")]
            told.append(
                ui.p("; ".join(str(part) for part in said if isinstance(part, str) and part))
            )
    return told
