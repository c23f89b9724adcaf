"""Priors of a two-arm trial as they are typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..guard.result import CheckResult
from .design_options import FromFit
from .design_priors import check_weight

if TYPE_CHECKING:
    from xarray import DataTree

    from ..trial.arm_priors import Arms
    from ..trial.effect_priors import EffectPriors
    from ..trial.fit_priors import FitPriors


def typed_arm_priors(
    asked: dict[str, Any],
    source: FromFit,
    stored: Callable[[FromFit], tuple[DataTree, CheckResult]],
    compared: Callable[[FromFit], DataTree],
) -> Arms:
    """Put priors where their texts and names stand.

    Parameters
    ----------
    asked : dict
        What was asked, by parameter; changed in place.
    source : FromFit
        Which fit or effects, and which part of them.
    stored, compared : callable
        Load a fit with what the guard found of it, and effects.

    Returns
    -------
    FitPriors, EffectPriors, BothFits or None
        What is behind the priors; None where nothing is.

    Raises
    ------
    InputError
        A prior that cannot be read or had, and a control arm that would be taken from treated ones.
    """
    from ...models.rates.prior import parse_prior
    from ..trial.arm_priors import fill_arm_priors
    from ..trial.effect_priors import effects_priors
    from ..trial.fit_priors import FitPriors
    from ..trial.two_arm_request import TwoArm

    check_weight(source.robust_weight)

    def treated() -> FitPriors:
        made, checked = stored(source)
        found = FitPriors(made, source.outcome, source.disease, robust_weight=source.robust_weight)
        return replace(found, verdict=checked.verdict_of(str(found.outcome)), checked=checked)

    def effects() -> EffectPriors:
        return effects_priors(
            compared(source), source.outcome, source.disease, source.robust_weight,
            asked.get("months"),
        )  # fmt: skip

    named = source.disease is not None or source.outcome is not None
    found = fill_arm_priors(asked, named, treated, effects)
    for name in TwoArm.priors():
        if name != "effect_prior" and isinstance(asked.get(name), str):
            asked[name] = parse_prior(asked[name])
    return found
