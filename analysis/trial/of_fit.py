"""Designs as they are asked from Python: by keywords, with priors that a fit is named for."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from ..fitting.store import as_result
from .arm_priors import Arms, fill_arm_priors
from .designed import Design
from .effect_priors import EffectPriors, effects_priors
from .fit_priors import FROM_FIT, AskedFit, FitPriors, full_not_there
from .request import Request
from .result import DesignResult
from .set_priors import priors_by_set
from .two_arm_request import TwoArm

if TYPE_CHECKING:
    from xarray import DataTree

    from ..guard.result import CheckResult

_DESCRIBED = """
    fit : xarray.DataTree, str or Path, optional
        Where priors named `new-study`, `rate`, `map`, `robust-map` or `full` are taken from; a fit,
        or the file or folder of a stored one.
    outcome, disease : str, optional
        Outcome of the fit and disease of the fit that the trial is about; where the fit has one, it
        need not be named.
    robust_weight : float
        Weight of the vague part of `robust-map`.
    checked : CheckResult, optional
        What the guard found of the fit (`mp.check`): stated with every prior that comes from it."""
_OWN = {"fit": None, "outcome": None, "disease": None, "robust_weight": 0.2, "checked": None}


def asked_of_fit(
    design: type[Request], answer: Callable[..., DesignResult]
) -> Callable[..., Design]:
    """Let a design take its priors from a fit by name, and its answer print, draw and write itself.

    Parameters
    ----------
    design : type
        Its request.
    answer : callable
        Takes the keywords of the request.

    Returns
    -------
    callable
        Takes them too and, where the design has priors, a fit.
    """

    @functools.wraps(answer)
    def ask(**given: Any) -> Design:
        if given.get("fit") is not None:
            given["fit"] = as_result(given["fit"])
        if design.of_fit:
            named = {name: given.get(name) for name in ("checked", "outcome", "disease")}
            return Design.of(answer(**given), AskedFit(given["fit"], **named))
        own = {name: given.pop(name, default) for name, default in _OWN.items()} if takes else {}
        found = priors_of_fit(design, given, **own) if takes else None
        return Design.of(answer(**given), found)

    takes = bool(design.priors()) and not design.of_fit
    signature = inspect.signature(answer)
    if takes:
        keyword = inspect.Parameter.KEYWORD_ONLY
        further = [inspect.Parameter(n, keyword, default=value) for n, value in _OWN.items()]
        parameters = [*signature.parameters.values(), *further]
        signature = signature.replace(parameters=parameters)
        head, ruled, rest = str(inspect.getdoc(answer)).partition("----------")
        ask.__doc__ = f"{head}{ruled}\n{inspect.cleandoc(_DESCRIBED)}{rest}"
    ask.__dict__["__signature__"] = signature.replace(return_annotation=Design)
    return ask


def priors_of_fit(
    design: type[Request],
    given: dict[str, Any],
    fit: DataTree | None,
    outcome: str | None,
    disease: str | None,
    robust_weight: float,
    checked: CheckResult | None,
) -> FitPriors | Arms:
    """Put what a fit says where its names stand.

    Parameters
    ----------
    design : type
        Which design.
    given : dict
        What was asked, by parameter; changed in place.
    fit, outcome, disease, robust_weight, checked
        As in `FitPriors`; what the guard found of the fit.

    Returns
    -------
    FitPriors, EffectPriors, BothFits or None
        The fit behind the priors; None where none is.

    Raises
    ------
    InputError
        A prior that cannot be had from the fit, or a fit that is missing or not used.
    """
    named = outcome is not None or disease is not None
    if design is TwoArm:
        return _arm_priors(given, fit, outcome, disease, robust_weight, checked)
    if fit is not None and named and "design_prior" in design.priors():
        given.setdefault("design_prior", "new-study")
    wanted = {
        name: given[name]
        for name in design.priors()
        if isinstance(given.get(name), str) and given[name] in FROM_FIT
    }
    for name, text in wanted.items():
        if text == "full" and not (name == "analysis_prior" and design.any_analysis):
            raise InputError(full_not_there(name, design.design))
    if not wanted:
        if fit is not None or named:
            raise InputError("nothing is taken from a fit: name a prior, as design_prior new-study")
        return None
    if fit is None:
        name, text = next(iter(wanted.items()))
        raise InputError(f"{name} {text} is taken from a fit: give fit")
    found = FitPriors(fit, outcome, disease, robust_weight=robust_weight)
    if checked is not None:
        found = replace(found, verdict=checked.verdict_of(str(found.outcome)), checked=checked)
    for name, text in wanted.items():
        # `ess` fits the mixture itself, and says how far off it is.
        given[name] = found.prior("new-study" if (name, text) == ("prior", "map") else text)
    if given.get("sets") is not None:
        given["sets"] = priors_by_set(found, wanted, given["sets"])
    return found


def _arm_priors(
    given: dict[str, Any],
    fit: DataTree | None,
    outcome: str | None,
    disease: str | None,
    robust_weight: float,
    checked: CheckResult | None,
) -> Arms:
    """Put what a fit says of treated arms, or effects say of both, where their names stand."""
    of_effects = fit is not None and "effects" in fit.children

    def treated() -> FitPriors:
        if fit is None or of_effects:
            raise InputError(
                "priors of the experimental arm by name are taken from a fit: give fit"
            )
        found = FitPriors(fit, outcome, disease, robust_weight=robust_weight)
        if checked is None:
            return found
        return replace(found, verdict=checked.verdict_of(str(found.outcome)), checked=checked)

    def compared() -> EffectPriors:
        if fit is None or not of_effects:
            raise InputError(
                "the effect and priors of the control arm by name are taken from effects: give fit "
                "the effects that mp.effects gives"
            )
        return effects_priors(fit, outcome, disease, robust_weight, given.get("months"))

    named = fit is not None and (outcome is not None or disease is not None)
    found = fill_arm_priors(given, named and of_effects, treated, compared)
    if found is None and (fit is not None or outcome is not None or disease is not None):
        raise InputError(
            "nothing is taken from a fit: name a prior, as design_prior_experimental new-study"
        )
    return found
