"""The controls of the page that hold numbers and priors: what they show, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shiny import ui

from ...data.errors import InputError
from ...models.priors.density import FAMILIES
from ...models.priors.prior import Prior

if TYPE_CHECKING:
    from htmltools import Tag
    from shiny import Session

MEANING = {
    "mu": "Level μ of a typical disease",
    "tau": "Spread τ between diseases",
    "sigma": "Spread σ between studies of a disease",
}
#: Words, smallest and largest value of the slider, and step, by the name of a distribution's value.
_VALUES = {
    "mu": ("location", -6.0, 6.0, 0.05),
    "lower": ("lower end", -6.0, 6.0, 0.05),
    "upper": ("upper end", -6.0, 6.0, 0.05),
    "c": ("value", -6.0, 6.0, 0.05),
    "nu": ("degrees of freedom", 1.0, 30.0, 1.0),
    "lam": ("rate", 0.1, 10.0, 0.1),
    "alpha": ("shape", 0.1, 10.0, 0.1),
    "beta": ("scale", 0.05, 5.0, 0.05),
}
_SCALE = ("scale", 0.05, 4.0, 0.05)
_ON_THE_WHOLE_LINE = ("Normal", "StudentT", "Logistic")
_GIVEN = {"nu": 4.0, "alpha": 2.0, "beta": 1.0, "c": 0.5, "lam": 1.0}


def number(id: str, label: str, value: float, low: float, high: float, step: float) -> Tag:
    """Make a number that can be typed, and slid beside; the number is what counts."""
    return ui.div(
        ui.tags.label(label, {"for": id, "id": f"{id}-label"}),
        ui.div(
            ui.tags.input(
                type="range",
                min=low,
                max=high,
                step=step,
                value=value,
                class_="slide",
                **{"data-for": id, "aria-labelledby": f"{id}-label"},
            ),
            ui.tags.input(
                id=id,
                type="number",
                step="any",
                value=f"{value:.12g}",
                class_="shiny-input-number form-control number",
            ),
            class_="pair",
        ),
        class_="control",
    )


def choice(id: str, label: str, choices: Mapping[str, str], selected: str) -> Tag:
    """Make a list of which one is chosen: the browser's own, which every reader knows."""
    options = [
        ui.tags.option(words, {"value": value}, selected=True if value == selected else None)
        for value, words in choices.items()
    ]
    return ui.div(
        ui.tags.label(label, {"for": id}),
        ui.tags.select(*options, id=id, class_="form-select"),
        class_="shiny-input-container control",
    )


def prior_controls(parameter: str, prior: Prior) -> Tag:
    """Make the controls of one parameter's prior: its family, and the values of each family."""
    offered = families(parameter, prior)
    inside = []
    for dist in dict.fromkeys(key.partition("@")[0] for key in offered):
        shown = dict(prior.parameters) if dist == prior.dist else {}
        numbers = []
        for name in FAMILIES[dist].parameters:
            words, low, high, step = _VALUES.get(name, _SCALE)
            if name == "lower" or (name == "c" and parameter != "mu"):
                low = low if parameter == "mu" else 0.0
            value = shown.get(name, _default(dist, name))
            low, high = min(low, value), max(high, value)
            label = f"{_short(parameter)}, {words}"
            numbers.append(number(value_id(parameter, dist, name), label, value, low, high, step))
        condition = f"input.{parameter}_dist.split('@')[0] === '{dist}'"
        inside.append(ui.panel_conditional(condition, *numbers))
    return ui.tags.fieldset(
        ui.tags.legend(MEANING[parameter]),
        choice(f"{parameter}_dist", f"{_short(parameter)}, family", offered, _key(prior)),
        *inside,
        ui.output_ui(f"{parameter}_problem"),
        ui.output_ui(f"{parameter}_meaning"),
    )


def families(parameter: str, prior: Prior) -> dict[str, str]:
    """Name the families that a parameter's prior may have, and that of this prior, by key."""
    values = {d: d for d in FAMILIES if parameter == "mu" or d not in _ON_THE_WHOLE_LINE}
    squares = {f"{d}@variance": f"{d} of the square" for d in values}
    if parameter == "mu":  # a level has a square only where a prior file says so
        return values | {key: words for key, words in squares.items() if key == _key(prior)}
    return values | squares


def _default(dist: str, name: str) -> float:
    stated = FAMILIES[dist].parameters[name].default
    return float(stated if stated is not None else _GIVEN.get(name, 1.0))


def _short(parameter: str) -> str:
    return {"mu": "μ", "tau": "τ", "sigma": "σ"}[parameter]


def _key(prior: Prior) -> str:
    return prior.dist if prior.on == "value" else f"{prior.dist}@variance"


def value_id(parameter: str, dist: str, name: str) -> str:
    """Name the control of one value of a family."""
    return f"{parameter}_{dist}_{name}"


def read_prior(parameter: str, value: Callable[[str], Any]) -> Prior:
    """Read one parameter's prior from its controls.

    Parameters
    ----------
    parameter : {"mu", "tau", "sigma"}
        Whose.
    value : callable
        Gives what a control holds; None where it is empty.

    Returns
    -------
    Prior
        The checked prior.

    Raises
    ------
    InputError
        What is wrong with it, in a line.
    """
    dist, _, squared = str(value(f"{parameter}_dist")).partition("@")
    if dist not in FAMILIES:
        raise InputError("choose a family")
    given = {}
    for name in FAMILIES[dist].parameters:
        number = value(value_id(parameter, dist, name))
        if number is None:
            words = _VALUES.get(name, _SCALE)[0]
            raise InputError(f"{_short(parameter)}, {words}: a number is missing")
        given[name] = number
    prior = Prior.make(dist, "variance" if squared else "value", **given)
    if parameter != "mu" and not prior.nonnegative:
        raise InputError(f"{prior}: a standard deviation has no negative values")
    return prior


def show_prior(parameter: str, prior: Prior, session: Session) -> None:
    """Let the controls of a parameter show a prior."""
    offered, chosen = families(parameter, prior), _key(prior)
    ui.update_select(f"{parameter}_dist", choices=offered, selected=chosen, session=session)
    for name, value in prior.parameters:
        id = value_id(parameter, prior.dist, name)
        ui.update_numeric(id, value=float(f"{value:.12g}"), session=session)
