"""One reader's page: what its controls say, made a state, and what that state says, kept shown."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shiny import reactive, ui
from shiny.types import SilentException

from ...data.errors import InputError
from ...data.outcomes import outcome
from ...models.priors.prior import Prior
from ...models.priors.sets import PARAMETERS
from .answers import Answer, Answers
from .controls import read_prior, show_prior
from .latest import Done, Latest
from .pictures import Picture
from .state import State

if TYPE_CHECKING:
    from shiny import Inputs, Session

#: Names of the controls that hold names, and of those that hold percentages; both of the state.
_NAMES = (
    "view",
    "outcome",
    "analysis_set",
    "definitions",
    "means",
    "pooling",
    "base",
    "disease",
    "design",
)
#: Seconds without a move before what takes longer is begun.
_QUIET = 0.4
_PERCENT = ("threshold", "null", "target", "level", "assurance")


@dataclass(frozen=True, eq=False)
class Data:
    """A data set of the page.

    Attributes
    ----------
    answers : Answers
        Answers states about it.
    path : str
        As it is named in a command; empty for the shipped evidence.
    """

    answers: Answers
    path: str = ""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a view shows of a state.

    Attributes
    ----------
    state : State
        The state.
    answer : Answer or None
        What the exact engine says of it, where the view is of that.
    pictures : dict of str to (Picture, str)
        Pictures, each with its SVG, by name.
    table : Any
        The data frame that is offered as a file.
    result : Any
        What else the view computed.
    """

    state: State
    answer: Answer | None = None
    pictures: dict[str, tuple[Picture, str]] = field(default_factory=dict)
    table: Any = None
    result: Any = None


#: What computes a view: it runs in a thread, apart from the page.
Work = Callable[[Answers, State], Shown]


class Page:
    """What the views of one reader share.

    Parameters
    ----------
    data : Data
        The data set at first.
    start : State
        The state at first.
    works : dict of str to callable
        What computes each view at once.
    later : callable
        What is computed of an answer when that is shown.
    """

    def __init__(
        self,
        data: Data,
        start: State,
        works: dict[str, Work],
        later: Callable[[Shown], Any],
        input: Inputs,
        session: Session,
    ) -> None:
        self.input, self.session, self.start = input, session, start
        self.data = reactive.value(data)
        self.dropped: reactive.Value[tuple[str, ...]] = reactive.value(start.drop)
        self.shown: reactive.Value[Done | None] = reactive.value(None)
        self.more: reactive.Value[Done | None] = reactive.value(None)
        self.busy: reactive.Value[bool] = reactive.value(True)
        self._held: dict[str, Any] = {}
        self._works = works
        self._now = Latest(self._work, self._tell)
        self._then = Latest(later, self._tell_more, _QUIET)
        self.state = reactive.calc(lambda: self.read()[0])
        self.problems = reactive.calc(lambda: self.read()[1])
        session.on_ended(self._now.forget)
        session.on_ended(self._then.forget)

    def begin(self, data: Data, start: State) -> None:
        """Turn to another data set."""
        self.start = start
        self.dropped.set(())
        self.data.set(data)

    def data_now(self) -> Data:
        """Give the data set without waiting for another."""
        with reactive.isolate():
            return self.data()

    def has(self, name: str) -> bool:
        """Whether a control is there, empty or not."""
        try:
            self.input[name]()
        except SilentException:
            return False
        return True

    def value(self, name: str) -> Any:
        """Give what a control holds; None where it is empty or not there yet."""
        try:
            return self.input[name]()
        except SilentException:
            return None

    def read(self) -> tuple[State, dict[str, str]]:
        """Read the controls: the state, and what is wrong, by control.

        A control that holds nonsense counts as what it held before.
        """
        problems: dict[str, str] = {}
        state = replace(self.start, drop=self.dropped())
        for name in _NAMES:
            given = self.value(name)
            if given is not None:
                state = self._with(state, name, given, problems)
        if state.outcome != self.start.outcome:
            state = replace(state, threshold=outcome(state.outcome).threshold)
        for name in _PERCENT:
            state = self._with(state, name, self._share(name, problems), problems)
        given = self.value("discount")
        if given is not None:
            state = self._with(state, "discount", float(given), problems)
        own = []
        for name in PARAMETERS:
            prior = self._prior(name, problems)
            if prior is not None:
                own.append((name, prior))
        if own:
            state = replace(state, own=tuple(own))
        return state, problems

    def _with(self, state: State, name: str, value: Any, problems: dict[str, str]) -> State:
        if value is None:
            return state
        try:
            return replace(state, **{name: value})
        except InputError as wrong:
            problems[name] = str(wrong)
            return state

    def _share(self, name: str, problems: dict[str, str]) -> float | None:
        """Read a percentage as a probability."""
        try:
            given = self.input[name]()
        except SilentException:
            return None
        if given is None or not 0 < given < 100:
            problems[name] = "give a percentage between 0 and 100"
            return self._held.get(name)
        self._held[name] = round(given / 100, 12)
        return self._held[name]

    def _prior(self, name: str, problems: dict[str, str]) -> Prior | None:
        if self.value(f"{name}_dist") is None:
            return dict(self.start.own).get(name)
        try:
            self._held[name] = read_prior(name, self.value)
        except InputError as wrong:
            problems[name] = str(wrong)
        return self._held.get(name)

    def show_priors(self, state: State, **priors: Prior) -> None:
        """Let the controls show the priors of a state's outcome, or these instead."""
        known = state.priors.of(state.outcome)
        for name in PARAMETERS:
            show_prior(name, priors.get(name) or getattr(known, name), self.session)

    def show_share(self, name: str, value: float) -> None:
        """Let a control show a probability as a percentage."""
        ui.update_numeric(name, value=float(f"{100 * value:.12g}"), session=self.session)

    def ask(self, state: State) -> None:
        """Compute a state; what is asked for meanwhile takes its place."""
        self.busy.set(True)
        self._then.drop()
        self._now.ask((self.data(), state))

    def _work(self, request: tuple[Data, State]) -> Shown:
        data, state = request
        return self._works[state.view](data.answers, state)

    async def _tell(self, done: Done) -> None:
        _log(done.wrong)
        async with reactive.lock():
            with reactive.isolate():
                self.shown.set(done)
                self.more.set(None)
                self.busy.set(self._now.waiting)
            await reactive.flush()
        if done.value is not None and done.value.answer is not None and not self._now.waiting:
            self._then.ask(done.value)

    async def _tell_more(self, done: Done) -> None:
        _log(done.wrong)
        async with reactive.lock():
            self.more.set(done)
            await reactive.flush()


def _log(wrong: Exception | None) -> None:
    """Tell the terminal of a defect of ours; the page says only that there is one."""
    if wrong is not None and not isinstance(wrong, InputError):
        traceback.print_exception(wrong, file=sys.stderr)


def ready(page: Page, view: str | None = None) -> Shown:
    """Give what the page shows, of that view; where it is not there yet nothing is drawn."""
    done = page.shown()
    if done is None or done.value is None or view not in (None, done.value.state.view):
        raise SilentException
    return done.value


def told(wrong: Exception) -> str:
    """Say for a reader what went wrong: bad input in its own words."""
    if isinstance(wrong, InputError):
        return str(wrong)
    return "This is a defect of mscpool: the terminal that it was started from says more."
