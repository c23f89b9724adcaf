"""Priors of a two-arm trial as they are typed: of either arm, and of the effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from ..guard.result import CheckResult
from .design_options import FromFit
from .design_priors import check_weight, full_not_there

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

    from ..trial.effect_priors import EffectPriors
    from ..trial.fit_priors import FitPriors

_SHARED = ("design_prior", "analysis_prior")
_EXPERIMENTAL = ("design_prior_experimental", "analysis_prior_experimental")
_CONTROL = ("design_prior_control", "analysis_prior_control")
_BELIEVED = ("effect_prior", _SHARED[0], _EXPERIMENTAL[0], _CONTROL[0])
_ANALYSED = (_SHARED[1], _EXPERIMENTAL[1], _CONTROL[1])
_WORST = ("fail", "unchecked", "warn", "pass")


@dataclass(frozen=True, eq=False)
class BothFits:
    """A fit of treated arms and effects, both of which priors were taken from."""

    treated: FitPriors
    compared: EffectPriors

    @property
    def fit(self) -> DataTree:
        """The fit of treated arms."""
        return self.treated.fit

    @property
    def verdict(self) -> str:
        """The worse of the two verdicts."""
        return min(self.treated.verdict, self.compared.verdict, key=_WORST.index)

    def stamped(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the guard's verdict to the rows of a table."""
        return table.assign(verdict=self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return which fit and which effects are behind the priors."""
        told = {**self.treated.to_dict(), "effects": self.compared.to_dict()}
        return told | {"verdict": self.verdict}


def fill_arm_priors(
    asked: dict[str, Any],
    source: FromFit,
    stored: Callable[[FromFit], tuple[DataTree, CheckResult]],
    compared: Callable[[FromFit], DataTree],
) -> FitPriors | EffectPriors | BothFits | None:
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
    from ..trial.effect_priors import EFFECTS
    from ..trial.fit_priors import FROM_FIT

    check_weight(source.robust_weight)
    named = source.disease is not None or source.outcome is not None
    believed = any(name in asked for name in _BELIEVED)
    if named and not believed and not any(asked.get(name) in FROM_FIT for name in _ANALYSED):
        asked |= {"effect_prior": "new-study", "design_prior_control": "new-study"}
    given = {name: asked[name] for name in (*_SHARED, *_EXPERIMENTAL, *_CONTROL) if name in asked}
    for name, text in given.items():
        if text == "full":
            raise InputError(full_not_there(name, "two-arm"))
        if name in _SHARED and text in FROM_FIT:
            raise InputError(
                f"{name} {text}: control patients are not those of treated arms; give "
                f"{name}_control, and {name}_experimental"
                + (" or effect_prior" if name == "design_prior" else "")
            )
    texts = {name: text for name, text in given.items() if text not in FROM_FIT}
    asked |= {name: parse_prior(text) for name, text in texts.items()}
    of_effects = [name for name in _CONTROL if name in given and name not in texts]
    wants_effect = asked.get("effect_prior") in EFFECTS
    of_fit = [name for name in _EXPERIMENTAL if name in given and name not in texts]
    treated = _treated(asked, of_fit, source, stored) if of_fit else None
    effects = None
    if of_effects or wants_effect:
        effects = _effects(asked, of_effects, wants_effect, source, compared)
    if treated is not None and effects is not None:
        return BothFits(treated, effects)
    return treated or effects


def _treated(
    asked: dict[str, Any],
    names: list[str],
    source: FromFit,
    stored: Callable[[FromFit], tuple[DataTree, CheckResult]],
) -> FitPriors:
    from ..trial.fit_priors import FitPriors

    made, checked = stored(source)
    found = FitPriors(made, source.outcome, source.disease, robust_weight=source.robust_weight)
    found = replace(found, verdict=checked.verdict_of(str(found.outcome)))
    asked |= {name: found.prior(asked[name]) for name in names}
    return found


def _effects(
    asked: dict[str, Any],
    names: list[str],
    wants_effect: bool,
    source: FromFit,
    compared: Callable[[FromFit], DataTree],
) -> EffectPriors:
    from ..effects.effects import checked
    from ..trial.effect_priors import EffectPriors

    made = compared(source)
    found = EffectPriors(
        made, source.outcome, source.disease, robust_weight=source.robust_weight,
        months=asked.get("months"),
    )  # fmt: skip
    found = replace(found, verdict=checked(made).verdict_of(str(found.outcome)))
    if wants_effect:
        asked["effect_prior"] = found.effect(asked["effect_prior"])
    asked |= {name: found.control(asked[name]) for name in names}
    return found
