"""What cannot be integrated, sampled when asked for: in a process of its own, which can be left."""

from __future__ import annotations

import asyncio
import pickle
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shiny import reactive, render, ui

from ...data.names import outcome_in_text
from ...figures.forest import draw_forest
from ...models.exact.outcomes import NotExact
from ..fitting.fit import fit, rates
from ..paper.frames.rates import forest_data
from ..paper.frames.results import Results
from ..paper.words.captions import forest
from ..paper.words.exhibit import Exhibit
from .pictures import inline, picture_of_exhibit
from .session import Page, Shown
from .state import State

if TYPE_CHECKING:
    from htmltools import Tag

    from ...data.evidence import Evidence
    from ...models.priors.sets import PriorSet

_PROGRAM = "from mscpool.analysis.explore.sampling import sample_for_page; sample_for_page()"


@dataclass(frozen=True, eq=False)
class Sampled:
    """What was sampled, or why not, and of which state."""

    state: State
    shown: Shown | None = None
    wrong: str = ""


def sample_for_page() -> None:
    """Sample what standard input asks for, and store the fit where that says."""
    evidence, pooling, priors, path = pickle.load(sys.stdin.buffer)
    fit(evidence, pooling, priors, path=path)


async def sampled_fit(evidence: Evidence, pooling: str, priors: PriorSet, path: Path) -> str:
    """Sample in a process of its own, which ends with this task; give what went wrong, or nothing.

    Parameters
    ----------
    evidence, pooling, priors
        The model.
    path : Path
        Where the fit is stored.
    """
    asked = pickle.dumps((evidence, pooling, priors, path))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, stdin=pipe, stdout=pipe, stderr=pipe
    )
    try:
        _, said = await process.communicate(asked)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = said.decode(errors="replace").splitlines()
    return "" if process.returncode == 0 else (lines[-1] if lines else "it ended early")


def picture(state: State, evidence: Evidence, path: Path) -> Shown:
    """Draw the forest plot of a sampled fit."""
    from ..fitting.fit import load_fit

    results = Results(load_fit(path), evidence)
    frame = forest_data(results.fit, evidence, state.outcome)
    exhibit = Exhibit(f"forest_{state.outcome}_sampled", frame, forest(frame, results), draw_forest)
    made = picture_of_exhibit(exhibit, evidence)
    table = rates(results.fit)
    return Shown(state, None, {"sampled": (made, inline(made, "sampled"))}, table)


def panel() -> Tag:
    """Give the part of the page that offers to sample."""
    return ui.output_ui("sampling")


def serve(page: Page) -> None:
    """Fill that part."""
    done: reactive.Value[Sampled | None] = reactive.value(None)
    running: reactive.Value[State | None] = reactive.value(None)
    tasks: list[asyncio.Task] = []

    @render.ui
    def sampling():
        current, at_work = page.shown(), running()
        if at_work is not None:
            return _at_work(at_work)
        if current is None or not isinstance(current.wrong, NotExact):
            return None
        answer = done()
        if answer is not None and _same(answer.state, current.request[1]):
            return _told(answer)
        return ui.div(
            ui.p("It can be sampled: that takes a minute or so, and this page goes on meanwhile."),
            ui.input_action_button("sample", "Sample it"),
            class_="controls",
        )

    @reactive.effect
    @reactive.event(page.input.sample)
    def begin():
        if running() is None:
            running.set(page.state())
            tasks[:] = [asyncio.get_running_loop().create_task(_run(page, running, done))]

    @reactive.effect
    @reactive.event(page.input.leave)
    def leave():
        for task in tasks:
            task.cancel()
        running.set(None)

    def end() -> None:
        for task in tasks:
            task.cancel()

    page.session.on_ended(end)


async def _run(page: Page, running: Any, done: Any) -> None:
    with reactive.isolate():
        state, answers = running(), page.data().answers
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.nc"
        evidence = answers.evidence(state)
        wrong = await sampled_fit(evidence, state.pooling, state.priors, path)
        shown = None if wrong else await asyncio.to_thread(picture, state, evidence, path)
    async with reactive.lock():
        done.set(Sampled(state, shown, wrong))
        running.set(None)
        await reactive.flush()


def _at_work(state: State) -> Tag:
    return ui.div(
        ui.p(f"Sampling {outcome_in_text(state.outcome)} …", role="status"),
        ui.input_action_button("leave", "Cancel"),
    )


def _told(answer: Sampled) -> Tag:
    if answer.shown is None:
        return ui.p(f"It could not be sampled: {answer.wrong}", class_="problem", role="alert")
    made, svg = answer.shown.pictures["sampled"]
    label = {"aria-label": made.words.alternative}
    return ui.tags.section(
        ui.h2("Sampled, not integrated; the guard has not seen it"),
        ui.div(ui.HTML(svg), class_="paper", role="img", **label),
        ui.p(made.words.caption, class_="quiet"),
        **{"aria-label": "Sampled"},
    )


def _same(one: State, other: State) -> bool:
    """Whether two states ask for the same fit, in whatever view."""
    plain = {"view": "priors", "threshold": 0.5}
    return replace(one, **plain) == replace(other, **plain)
