"""What the trial designer answers, and how an answer becomes JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .error_rate import ErrorRate
from .request import Request

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ...figures.style import Style

#: Fields of an answer that JSON has beside the others, and not at all where there are none.
BESIDE = {"beside": True}
#: Fields of an answer that JSON leaves out where there are none.
IF_ANY = {"if_any": True}


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture: its name and title, what its lines are, its numbers, and how it is drawn."""

    name: str
    title: str
    shown: str
    frame: pd.DataFrame
    draw: Callable[[pd.DataFrame, Style], Figure]


@dataclass(frozen=True, eq=False)
class DesignResult:
    """Answer of the trial designer to one request.

    Parameters
    ----------
    request : Request
        What was asked.
    said : mapping
        By field of the request, the prior there in words.
    rule : str
        The decision rule, in words.
    answer : dataclass
        The values of the command's JSON shape, with the frequentist counterpart and notes.
    table : DataFrame
        One row a sample size (or look, or design).
    paragraph : str
        Text for a protocol; every number in it comes from `answer` or `request`.
    operating : DataFrame, optional
        Operating characteristics of one design at the true rates that were asked for.
    curve : callable, optional
        Takes true rates and gives the operating characteristics there; of `two-arm` it takes
        control rates and gives the type I error, of `precision` sizes and gives the criteria.
    priors : mapping
        The priors as used, discount included, by what they are.
    draw : callable, optional
        Takes the result and gives its pictures.
    overview : DataFrame, optional
        What is printed in place of a long `table`.
    """

    request: Any
    said: Mapping[str, str | None]
    rule: str
    answer: Any
    table: pd.DataFrame
    paragraph: str
    operating: pd.DataFrame | None = None
    curve: Callable[[Sequence[float] | np.ndarray], pd.DataFrame] | None = None
    priors: Mapping[str, Any] = field(default_factory=dict)
    draw: Callable[[DesignResult], Iterator[Picture]] | None = None
    overview: pd.DataFrame | None = None

    @property
    def warning(self) -> str:
        """What must be said before anything else; mostly nothing."""
        error: ErrorRate | None = getattr(self.answer, "error_rate", None)
        return "" if error is None else error.warning

    @property
    def asked(self) -> dict[str, Any]:
        """The request, JSON-ready, priors in their text form."""
        request: Request = self.request
        return request.to_dict(self.said)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-ready values."""
        head = {
            "warning": self.warning or None,
            "request": self.asked,
            "rule": self.rule,
            "paragraph": self.paragraph,
        }
        return head | json_ready(self.answer)


def json_ready(value: Any) -> Any:
    """Return dataclasses as dicts and tuples as lists."""
    if isinstance(value, Mapping):
        return {name: json_ready(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [json_ready(each) for each in value]
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if not is_dataclass(value):
        return value
    told: dict[str, Any] = {}
    for each in fields(value):
        own = getattr(value, each.name)
        if own is None and each.metadata:
            continue
        if "beside" in each.metadata:
            told |= json_ready(own)
        else:
            told[each.name] = json_ready(own)
    return told


@dataclass(frozen=True)
class Best:
    """The size at which a probability is largest, and it, with its Monte-Carlo error if any."""

    name: str
    n: int
    value: float
    mcse: float | None

    def to_dict(self) -> dict[str, float]:
        """Return the JSON shape, under the name of the probability."""
        told = {"n": self.n, self.name: self.value}
        return told if self.mcse is None else told | {f"{self.name}_mcse": self.mcse}


def best_of(
    sizes: Sequence[int], table: pd.DataFrame, name: str, column: str | None = None
) -> Best | None:
    """Return the size at which a probability is largest; None where it is unknown.

    Parameters
    ----------
    sizes : sequence of int
        One a row.
    table : DataFrame
        With the probability, and of one averaged over draws its Monte-Carlo error.
    name : str
        Of the probability.
    column : str, optional
        Where it stands, by default under its name.
    """
    values = table[column or name].to_numpy(float)
    if np.isnan(values).any():
        return None
    place = int(values.argmax())
    return Best(name, int(sizes[place]), float(values[place]), error_in(table, place, name))


def error_in(table: pd.DataFrame, place: int, name: str) -> float | None:
    """Return the Monte-Carlo error of a value of a row of `table`; None where it has none."""
    return float(table[f"{name}_mcse"].iloc[place]) if f"{name}_mcse" in table else None


def smallest_lasting(sizes: Sequence[int], suffices: np.ndarray) -> int | None:
    """Return the smallest size from which on every size suffices; None when the last does not."""
    failures = np.flatnonzero(~np.asarray(suffices, bool))
    first = failures[-1] + 1 if failures.size else 0
    return int(sizes[first]) if first < len(sizes) else None


def rows_of[Row](kind: type[Row], table: pd.DataFrame) -> tuple[Row, ...]:
    """Return the rows of a table as values; not-a-number is None."""
    return tuple(
        kind(**{str(name): None if value != value else value for name, value in row.items()})
        for row in table.to_dict("records")
    )
