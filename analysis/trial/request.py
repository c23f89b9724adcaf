"""A request to the trial designer: the keywords of a design as a frozen value."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

from .checks import NO_ASSURANCE, several

Several = float | Sequence[float]
# Fields that take one rate or several.
RATES = ("power_at", "rate", "control_rate")
USUAL_ASSURANCE = 0.8
# Names of prior sets, and once a fit has been asked the priors under each, by field.
Sets = str | Sequence[str] | Mapping[str, Mapping[str, Any]] | None


@dataclass(frozen=True)
class Wanted:
    """The probabilities that a size must reach; None where one is not required."""

    assurance: float | None = None
    power: float | None = None

    @property
    def named(self) -> dict[str, float]:
        """Those that are required."""
        both = {"assurance": self.assurance, "power": self.power}
        return {name: value for name, value in both.items() if value is not None}


def wanted(assurance: float | str | None, power: float | None, believed: bool) -> Wanted:
    """Say what a size must reach: what is named, and where nothing is, the usual assurance.

    Parameters
    ----------
    assurance : float, "none" or None
        As asked for.
    power : float or None
        As asked for.
    believed : bool
        Whether there is a design prior that an assurance could be under.
    """
    if assurance is None and power is None and believed:
        return Wanted(USUAL_ASSURANCE)
    return Wanted(None if assurance in (None, NO_ASSURANCE) else float(assurance), power)


@dataclass(frozen=True, kw_only=True, eq=False)
class Request:
    """What was asked: the keywords of a design as they were given."""

    design: ClassVar[str]
    sentence: ClassVar[str]
    #: Whether the trial may be analysed otherwise than with a prior on its one rate.
    any_analysis: ClassVar[bool] = False
    #: Whether a trial is planned, whose protocol has a statistics section.
    plans_trial: ClassVar[bool] = True
    #: Whether a stored fit is asked, not only one that a prior is taken from.
    of_fit: ClassVar[bool] = False

    @classmethod
    def keywords(cls) -> tuple[str, ...]:
        """Names of what may be given."""
        return tuple(each.name for each in fields(cls))

    @classmethod
    def priors(cls) -> tuple[str, ...]:
        """Names of the priors on a rate among them."""
        return tuple(name for name in cls.keywords() if "prior" in name)

    @classmethod
    def needed(cls) -> tuple[str, ...]:
        """Names of what must be given."""
        return tuple(each.name for each in fields(cls) if each.default is MISSING)

    def to_dict(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """Return JSON-ready values.

        Parameters
        ----------
        said : mapping
            By field, what to say in the place of its value: priors are said in words.
        """
        told = {name: getattr(self, name) for name in self.keywords()}
        told |= {name: list(several(told[name])) for name in RATES if name in told}
        return {"design": self.design, **told, **said}


def answers[**P, R, A](request: Callable[P, R]) -> Callable[[Callable[[R], A]], Callable[P, A]]:
    """Let a design be asked by keywords, which become its request at once.

    Parameters
    ----------
    request : type
        A frozen dataclass.

    Returns
    -------
    callable
        Decorator of a function of that value.
    """

    def decorate(answer: Callable[[R], A]) -> Callable[P, A]:
        @functools.wraps(answer)
        def ask(*args: P.args, **kwargs: P.kwargs) -> A:
            return answer(request(*args, **kwargs))

        del ask.__wrapped__
        ask.__dict__["__signature__"] = inspect.signature(request).replace(
            return_annotation=inspect.signature(answer).return_annotation
        )
        return ask

    return decorate
