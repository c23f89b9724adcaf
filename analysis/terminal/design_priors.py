"""Priors of a design as they are typed: read from their text, or taken from a stored fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from ..guard.result import CheckResult
from ..trial.request import Request
from .design_options import FromFit

if TYPE_CHECKING:
    from xarray import DataTree

    from ..trial.fit_priors import AskedFit, FitPriors


def fill_priors(
    design: type[Request],
    asked: dict[str, Any],
    source: FromFit,
    stored: Callable[[FromFit], tuple[DataTree, CheckResult]],
) -> FitPriors | AskedFit | None:
    """Put priors where their texts and names stand.

    Parameters
    ----------
    design : type
        Which design.
    asked : dict
        What was asked, by parameter; changed in place.
    source : FromFit
        Which fit, and which part of it.
    stored : callable
        Loads a fit, and what the guard found of it.

    Returns
    -------
    FitPriors, AskedFit or None
        The fit behind the answer; None where none is.

    Raises
    ------
    InputError
        A prior that cannot be read, or not be had from the fit, or not be used there.
    """
    from ...models.rates.prior import parse_prior
    from ..trial.fit_priors import FROM_FIT, AskedFit, FitPriors, full_not_there
    from ..trial.set_priors import priors_by_set

    if design.of_fit:
        whole = AskedFit(*stored(source), source.outcome, source.disease)
        asked |= {name: getattr(whole, name) for name in ("fit", "checked", "outcome", "disease")}
        return whole
    check_weight(source.robust_weight)
    named = source.disease is not None or source.outcome is not None
    if named and "design_prior" in design.priors() and "design_prior" not in asked:
        asked["design_prior"] = "new-study"
    given = {name: asked[name] for name in design.priors() if name in asked}
    for name, text in given.items():
        if text == "full" and not (name == "analysis_prior" and design.any_analysis):
            raise InputError(full_not_there(name, design.design))
    if design.design == "ess" and given.get("prior") == "map":
        given["prior"] = "new-study"  # `ess` fits the mixture itself, and says how far off it is
    texts = {name: text for name, text in given.items() if text not in FROM_FIT}
    asked |= {name: parse_prior(text) for name, text in texts.items()}
    if len(texts) == len(given):
        return None
    made, checked = stored(source)
    found = FitPriors(made, source.outcome, source.disease, robust_weight=source.robust_weight)
    found = replace(found, verdict=checked.verdict_of(str(found.outcome)), checked=checked)
    of_fit = {name: text for name, text in given.items() if name not in texts}
    asked |= {name: found.prior(text) for name, text in of_fit.items()}
    if asked.get("sets") is not None:
        asked["sets"] = priors_by_set(found, of_fit, asked["sets"])
    return found


def check_weight(weight: float) -> None:
    """Refuse a weight of the vague part of `robust-map` that is none."""
    if not 0 <= weight < 1:
        raise InputError(f"robust_weight {weight:g}: give a weight of at least 0 and below 1")
