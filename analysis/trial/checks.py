"""Each senseless request gets one line that says what to change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ...data.errors import InputError

RULES = ("single", "dual")
DIRECTIONS = ("above", "below")
# Rates of patients, not probabilities of decisions.
TRUE_RATES = ("null", "target", "power_at", "rate", "control_rate")
# What switches a wish for assurance off.
NO_ASSURANCE = "none"
# Enumeration over the counts of a larger trial takes longer than anybody waits.
LARGEST_SIZE = 2000


def several(values: Any) -> tuple[float, ...]:
    """Return one value, several or none as a tuple."""
    if values is None:
        return ()
    return tuple(float(each) for each in (values if isinstance(values, Iterable) else (values,)))


def check_rates(**rates: float | Sequence[float] | None) -> None:
    """Refuse the first of the named values that is not strictly between 0 and 1."""
    for name, values in rates.items():
        for rate in several(values):
            if rate in (0, 1) and name in TRUE_RATES:
                ever = "never" if rate == 0 else "always"
                raise InputError(
                    f"{name} {rate:g}: the event would {ever} happen, which one patient can refute "
                    "and no number can show; give a rate between 0 and 1, such as "
                    f"{0.01 if rate == 0 else 0.99}"
                )
            if not 0 < rate < 1:
                raise InputError(f"{name} {rate:g}: give a value between 0 and 1")


def check_assurance(assurance: float | str | None, believed: bool) -> None:
    """Refuse a wanted probability of success that is none, or that is under no design prior."""
    if assurance in (None, NO_ASSURANCE):
        return
    if isinstance(assurance, str):
        raise InputError(f"assurance '{assurance}': give a value between 0 and 1, or none")
    check_rates(assurance=assurance)
    if not believed:
        raise InputError(
            f"assurance {assurance:g} is wanted under what is believed of the truth: give "
            "design_prior"
        )


def check_range(name: str, ends: Sequence[float] | None) -> None:
    """Refuse what are not two ends from 0 to 1, the lower first (None passes)."""
    if ends is None:
        return
    known = several(ends)
    if len(known) != 2 or not 0 <= known[0] < known[1] <= 1:
        said = ", ".join(f"{end:g}" for end in known)
        raise InputError(f"{name} {said}: give two rates from 0 to 1, the lower first")


def check_choice(name: str, value: str, choices: Iterable[str]) -> None:
    """Refuse a word that is not among `choices`."""
    if value not in choices:
        raise InputError(f"{name} '{value}': choose {' or '.join(choices)}")


def check_sizes(n_min: int, n_max: int) -> None:
    """Refuse a range of sample sizes that is empty or not of positive whole numbers."""
    check_count("n_min", n_min, least=1)
    check_count("n_max", n_max, least=1, most=LARGEST_SIZE)
    if n_max < n_min:
        raise InputError(f"n_max {n_max} is below n_min {n_min}: give n_max at least {n_min}")


def check_count(name: str, count: float | None, least: int = 0, most: int | None = None) -> None:
    """Refuse a count that is not a whole number from `least` to `most` (None passes)."""
    if count is None:
        return
    if not math.isfinite(count) or int(count) != count or count < least:
        raise InputError(f"{name} {count:g}: give a whole number of at least {least}")
    if most is not None and count > most:
        raise InputError(f"{name} {count:.0f}: give at most {most} patients")


def check_power(power: float, type1: float) -> None:
    """Refuse a test that rejects no more often where it should."""
    if power <= type1:
        raise InputError(f"power {power:g} is not above type1 {type1:g}: raise it")


def check_discount(discount: float, believed: bool) -> None:
    """Refuse a discount that is none, or that there is no design prior to lower by."""
    if not math.isfinite(discount) or discount < 0:
        raise InputError(f"discount {discount:g}: give a number of log-odds, 0 or above")
    if discount and not believed:
        raise InputError(f"discount {discount:g} is of a design prior: give design_prior")


def check_beyond(
    what: str, value: float | None, limit: str, bound: float, direction: str | None
) -> None:
    """Refuse a value on the wrong side of what it should pass (None passes).

    Parameters
    ----------
    what, limit : str
        Names of the two.
    value, bound : float
        The value, and what it should pass.
    direction : {"above", "below"} or None
        None where it cannot be chosen and is above.
    """
    if value is None:
        return
    if value <= bound and direction != "below":
        other = "" if direction is None else ", or ask for direction below"
        raise InputError(f"{what} {value:g} is not above {limit} {bound:g}: raise it{other}")
    if value >= bound and direction == "below":
        raise InputError(
            f"{what} {value:g} is not below {limit} {bound:g}: lower it, or ask for direction above"
        )


def check_decision(
    rule: str, direction: str, null: float, target: float | None, further: Sequence[float]
) -> None:
    """Refuse a rule on one rate that cannot decide."""
    check_choice("rule", rule, RULES)
    check_choice("direction", direction, DIRECTIONS)
    check_rates(null=null, target=target, power_at=further)
    check_beyond("target", target, "null", null, direction)
    if rule == "dual" and target is None:
        raise InputError("rule dual compares the posterior median with a target: give target")


def check_looks(looks: Sequence[float]) -> None:
    """Refuse looks that are none, or do not increase."""
    for look in looks:
        check_count("look", look, least=1, most=LARGEST_SIZE)
    for earlier, later in zip(looks, looks[1:], strict=False):
        if later <= earlier:
            raise InputError(
                f"look {later:g} comes after look {earlier:g}: give looks that increase"
            )
    if not looks:
        raise InputError("no looks: give at least one")


def check_data_so_far(events: int | None, n: int | None, last: float) -> None:
    """Refuse one of the two without the other, and counts that no trial has."""
    if (events is None) != (n is None):
        raise InputError("events_so_far and n_so_far belong together: give both")
    check_count("n_so_far", n)
    check_count("events_so_far", events)
    if events is None or n is None:
        return
    if events > n:
        raise InputError(
            f"events_so_far {events} is more than n_so_far {n}: events are counted among the "
            "patients"
        )
    if n > last:
        raise InputError(f"n_so_far {n} is beyond the last look {last:g}: add a look")


def check_stopping(futility: float | None, efficacy: float | None) -> None:
    """Refuse predictive probabilities between which no trial goes on."""
    for name, value in (("futility", futility), ("efficacy", efficacy)):
        if value is not None and not 0 <= value <= 1:
            raise InputError(f"{name} {value:g}: a predictive probability is from 0 to 1")
    if futility is not None and efficacy is not None and futility >= efficacy:
        raise InputError(
            f"futility {futility:g} is not below efficacy {efficacy:g}: lower it, or the trial "
            "always stops"
        )


def check_dropout(dropout: float | None) -> None:
    """Refuse a share of patients lost that is none, or that leaves nobody."""
    if dropout is not None and not 0 <= dropout < 1:
        raise InputError(f"dropout {dropout:g}: give a share of at least 0 and below 1")
