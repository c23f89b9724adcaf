"""Priors of a two-arm trial by name: of either arm, and of the effect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...data.errors import InputError
from .effect_priors import EFFECTS, EffectPriors
from .fit_priors import FROM_FIT, FitPriors, full_not_there

if TYPE_CHECKING:
    import pandas as pd
    from xarray import DataTree

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


#: What is behind the priors of two arms.
Arms = FitPriors | EffectPriors | BothFits | None


def fill_arm_priors(
    asked: dict[str, Any],
    named: bool,
    treated: Callable[[], FitPriors],
    compared: Callable[[], EffectPriors],
) -> Arms:
    """Put priors of a fit and of effects where their names stand.

    Parameters
    ----------
    asked : dict
        What was asked, by parameter; changed in place.
    named : bool
        Whether a disease or an outcome is named: where no prior is, the effect and the control
        rate of its next controlled trial are then believed.
    treated, compared : callable
        Load what a fit says of treated arms, and what effects say.

    Returns
    -------
    FitPriors, EffectPriors, BothFits or None
        What is behind the priors; None where nothing is.

    Raises
    ------
    InputError
        A prior that cannot be had, and a control arm that would be taken from treated ones.
    """
    believed = any(asked.get(name) is not None for name in _BELIEVED)
    if named and not believed and not any(_from_fit(asked.get(name)) for name in _ANALYSED):
        asked |= {"effect_prior": "new-study", "design_prior_control": "new-study"}
    for name in (*_SHARED, *_EXPERIMENTAL, *_CONTROL):
        if not _from_fit(asked.get(name)):
            continue
        if asked[name] == "full":
            raise InputError(full_not_there(name, "two-arm"))
        if name in _SHARED:
            raise InputError(
                f"{name} {asked[name]}: control patients are not those of treated arms; give "
                f"{name}_control, and {name}_experimental"
                + (" or effect_prior" if name == "design_prior" else "")
            )
    of_fit = [name for name in _EXPERIMENTAL if _from_fit(asked.get(name))]
    of_effects = [name for name in _CONTROL if _from_fit(asked.get(name))]
    wants_effect = isinstance(asked.get("effect_prior"), str) and asked["effect_prior"] in EFFECTS
    fit = treated() if of_fit else None
    effects = compared() if of_effects or wants_effect else None
    if fit is not None:
        asked |= {name: fit.prior(asked[name]) for name in of_fit}
    if effects is not None:
        if wants_effect and asked.get("sets") is not None:
            asked["sets"] = effects.by_set(asked["effect_prior"], asked["sets"])
        if wants_effect:
            asked["effect_prior"] = effects.effect(asked["effect_prior"])
        asked |= {name: effects.control(asked[name]) for name in of_effects}
    return BothFits(fit, effects) if fit is not None and effects is not None else fit or effects


def _from_fit(prior: Any) -> bool:
    return isinstance(prior, str) and prior in FROM_FIT
