"""What a trial designer may ask: each senseless request gets one line that says what to change."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

RULES = ("single", "dual")
DIRECTIONS = ("above", "below")
# Enumeration over the counts of a larger trial takes longer than anybody waits.
LARGEST_SIZE = 2000


@dataclass(frozen=True, eq=False)
class DesignResult:
    """Answer of the trial designer to one request.

    Parameters
    ----------
    request : dict
        The options as given, priors in their text form.
    rule : str
        The decision rule, in words.
    answer : dict
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
    """

    request: dict
    rule: str
    answer: dict
    table: pd.DataFrame
    paragraph: str
    operating: pd.DataFrame | None = None
    curve: Callable[[Sequence[float] | np.ndarray], pd.DataFrame] | None = None
    priors: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict:
        """Return everything as JSON-ready values."""
        head = {"request": self.request, "rule": self.rule, "paragraph": self.paragraph}
        return head | self.answer


def check_rate(name: str, rate: float | None) -> None:
    """Refuse a rate or probability that is not strictly between 0 and 1 (None passes)."""
    if rate is not None and not 0 < rate < 1:
        raise ValueError(f"{name} {rate:g}: give a value between 0 and 1")


def check_rates(**rates: float | None) -> None:
    """Refuse the first of the named values that is not strictly between 0 and 1."""
    for name, rate in rates.items():
        check_rate(name, rate)


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a word that is not among `choices`."""
    if value not in choices:
        raise ValueError(f"{name} '{value}': choose {' or '.join(choices)}")


def check_sizes(n_min: int, n_max: int) -> None:
    """Refuse a range of sample sizes that is empty or not of positive whole numbers."""
    check_count("n_min", n_min, least=1)
    check_count("n_max", n_max, least=1, most=LARGEST_SIZE)
    if n_max < n_min:
        raise ValueError(f"n_max {n_max} is below n_min {n_min}: give n_max at least {n_min}")


def check_count(name: str, count: float | None, least: int = 0, most: int | None = None) -> None:
    """Refuse a count that is not a whole number from `least` to `most` (None passes)."""
    if count is None:
        return
    if not np.isfinite(count) or int(count) != count or count < least:
        raise ValueError(f"{name} {count:g}: give a whole number of at least {least}")
    if most is not None and count > most:
        raise ValueError(f"{name} {count:.0f}: give at most {most} patients")


def check_power(power: float, type1: float) -> None:
    """Refuse a test that rejects no more often where it should."""
    if power <= type1:
        raise ValueError(f"power {power:g} is not above type1 {type1:g}: raise it")


def check_discount(discount: float, believed: bool) -> None:
    """Refuse a discount that is none, or that there is no design prior to lower by."""
    if not np.isfinite(discount) or discount < 0:
        raise ValueError(f"discount {discount:g}: give a number of log-odds, 0 or above")
    if discount and not believed:
        raise ValueError(f"discount {discount:g} is of a design prior: give design_prior")


def check_target(null: float, target: float | None, direction: str | None = None) -> None:
    """Refuse a target on the wrong side of the null (None passes): below it without a direction."""
    if target is None:
        return
    if direction is None and target <= null:
        raise ValueError(f"target {target:g} is not above null {null:g}: raise it")
    if direction == "above" and target <= null:
        raise ValueError(
            f"target {target:g} is not above null {null:g}: raise it, or ask for direction below"
        )
    if direction == "below" and target >= null:
        raise ValueError(
            f"target {target:g} is not below null {null:g}: lower it, or ask for direction above"
        )


def check_data_so_far(events_so_far: int | None, n_so_far: int | None) -> None:
    """Refuse one of the two without the other, and more events than patients."""
    if (events_so_far is None) != (n_so_far is None):
        raise ValueError("events_so_far and n_so_far belong together: give both")
    check_count("n_so_far", n_so_far)
    check_count("events_so_far", events_so_far)
    if events_so_far is not None and n_so_far is not None and events_so_far > n_so_far:
        raise ValueError(
            f"events_so_far {events_so_far} is more than n_so_far {n_so_far}: "
            "events are counted among the patients"
        )


def several(values: float | Sequence[float] | None) -> tuple[float, ...]:
    """Return one value, several or none as a tuple."""
    return () if values is None else tuple(float(value) for value in np.atleast_1d(values))


def best_of(
    sizes: Sequence[int], table: pd.DataFrame, name: str, column: str | None = None
) -> dict | None:
    """Return the size at which a probability is largest, and it; None where it is unknown.

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
    best = {"n": int(sizes[place]), name: float(values[place])}
    error = error_in(table, place, name)
    return best if error is None else best | {f"{name}_mcse": error}


def error_in(table: pd.DataFrame, place: int, name: str) -> float | None:
    """Return the Monte-Carlo error of a value of a row of `table`; None where it has none."""
    return float(table[f"{name}_mcse"].iloc[place]) if f"{name}_mcse" in table else None


def smallest_lasting(sizes: Sequence[int], suffices: np.ndarray) -> int | None:
    """Return the smallest size from which on every size suffices; None when the last does not."""
    failures = np.flatnonzero(~np.asarray(suffices, bool))
    first = failures[-1] + 1 if failures.size else 0
    return int(sizes[first]) if first < len(sizes) else None
