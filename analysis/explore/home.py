"""What is always on the page: the verdict as far as known, a caution, and what is taken home."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shiny import reactive, render, req, ui

from ...data.export import csv_text
from ..paper.publish.rendering import FORMATS
from .session import Page, Shown, ready, told
from .state import PRIOR_FILE

if TYPE_CHECKING:
    from htmltools import Tag, TagList

CAUTION = (
    "Rates of single arms are not treatment effects: they say what happened to treated patients, "
    "not what the treatment changed."
)
NOT_RUN = "Sampled checks not run."


def status() -> TagList:
    """Give the part above the views."""
    return ui.TagList(
        ui.div(ui.output_ui("verdict"), class_="verdict"),
        ui.p(CAUTION),
        ui.div(ui.output_ui("busy"), class_="busy", role="status", **{"aria-live": "polite"}),
    )


def take_home() -> Tag:
    """Give the part below the views."""
    files = [ui.download_button(f"figure_{kind}", kind.upper()) for kind in FORMATS]
    return ui.tags.section(
        ui.h2("Take home"),
        ui.h3("The command that reproduces what is shown"),
        ui.output_ui("command"),
        ui.div(
            ui.h3("Files"),
            ui.span("Figure: ", class_="quiet"),
            *files,
            ui.span("Table: ", class_="quiet"),
            ui.download_button("table_csv", "CSV"),
            ui.span("Priors: ", class_="quiet"),
            ui.download_button("prior_toml", PRIOR_FILE),
            class_="controls",
        ),
        ui.tags.details(ui.tags.summary("The prior file"), ui.output_ui("prior_text")),
        class_="home",
        **{"aria-label": "Take home"},
    )


def serve(page: Page) -> None:
    """Fill both parts."""

    @render.ui
    def verdict():
        return _verdict(page)

    @render.ui
    def busy():
        return ui.span("Computing …" if page.busy() else "")

    @render.ui
    def command():
        text = page.state().command(page.data().path)
        return ui.TagList(
            ui.tags.pre(text, id="command-text"),
            ui.tags.button(
                "Copy", class_="btn controls", type="button", **{"data-copy": "command-text"}
            ),
        )

    @render.ui
    def prior_text():
        return ui.tags.pre(page.state().prior_text)

    @render.download_button(filename=PRIOR_FILE)
    def prior_toml() -> Iterator[str]:
        with reactive.isolate():
            yield page.state().prior_text

    @render.download_button(filename=lambda: f"{_name(page)}.csv")
    def table_csv() -> Iterator[str]:
        shown = _shown(page)
        req(shown.table is not None)
        yield spreadsheet(shown)

    for kind in FORMATS:
        _figure(page, kind)

    @reactive.effect
    async def address():
        message: Any = page.state().query
        await page.session.send_custom_message("address", message)


def _figure(page: Page, kind: str) -> None:
    def file() -> Iterator[bytes]:
        pictures = list(_shown(page).pictures.values())
        req(pictures)
        yield pictures[0][0].file(kind)

    file.__name__ = f"figure_{kind}"
    render.download_button(filename=lambda: f"{_name(page)}.{kind}")(file)


def spreadsheet(shown: Shown) -> str:
    """Give a view's table as CSV, with the guard's verdict and no cell that would be run."""
    verdicts = [each.verdict for each, _ in shown.pictures.values()]
    return csv_text(shown.table.assign(verdict=verdicts[0] if verdicts else "unchecked"))


def _shown(page: Page) -> Shown:
    with reactive.isolate():
        return ready(page)


def _name(page: Page) -> str:
    shown = _shown(page)
    return next((each.name for each, _ in shown.pictures.values()), f"{shown.state.view}")


def _verdict(page: Page) -> Tag:
    """Say what the guard's exact part says of the state, and what was not run."""
    done, more = page.shown(), page.more()
    if done is None:
        return ui.span("Guard: not known yet.")
    if done.value is None:
        return ui.span(f"Guard: unchecked. {NOT_RUN}")
    if done.value.answer is None:
        return ui.span("Guard of rates: not asked in this view; that of effects stands below.")
    if more is None:
        return ui.span(f"Guard: each study is being left out … {NOT_RUN}")
    if more.wrong is not None:
        return ui.span(f"Guard: unchecked. {told(more.wrong)} {NOT_RUN}")
    check = done.value.answer.left_out
    return ui.span(
        ui.strong(f"Guard, as far as known: {check.verdict}. "),
        f"Most surprising study, left out exactly: {check.reason} {NOT_RUN}",
    )


def problem(wrong: Exception) -> Tag:
    """Show what went wrong, a line each."""
    lines = told(wrong).splitlines()
    return ui.div(*(ui.p(line, class_="problem") for line in lines), role="alert")
