"""Priors of effects: the default, the published heterogeneity priors by name, prior files."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...data.errors import InputError
from ...data.mistakes import one_of
from ..priors.files import prior_text
from ..priors.meaning import factor_words
from ..priors.prior import Prior
from ..priors.sets import Exnex, OutcomePriors, PriorSet
from .contrast import BASELINE, Baseline

_PARAMETERS = ("mu", "tau", "sigma")


@dataclass(frozen=True)
class EffectPriors:
    """Priors of the effects of every outcome, on the log odds ratio or log hazard ratio.

    Attributes
    ----------
    priors : PriorSet
        Of mu, tau and sigma; what it leaves out is taken from `DEFAULT_EFFECTS`.
    baseline : Prior
        Of each study's baseline, Normal, on the linear scale.
    """

    priors: PriorSet
    baseline: Prior = BASELINE

    def __post_init__(self) -> None:
        """Refuse a baseline that is not normal, and a spread that could be negative."""
        Baseline.of(self.baseline)
        for name in ("", *(name for name, _ in self.priors.overrides)):
            self.of(name)

    @property
    def name(self) -> str:
        """Its name in tables and on the command line."""
        return self.priors.name

    def of(self, outcome: str) -> OutcomePriors:
        """Give the priors of one outcome's effect."""
        own = self.priors.special(outcome)
        found = {
            name: own.get(name) or getattr(self.priors, name) or getattr(_DEFAULT, name)
            for name in _PARAMETERS
        }
        moderator = own.get("moderator") or self.priors.moderator
        given = {"moderator": moderator} if moderator else {}
        return OutcomePriors(**found, exnex=self.priors.exnex or Exnex(), **given)

    def to_dict(self) -> dict[str, Any]:
        """Give the form of a prior file, for the record of a run."""
        return {**self.priors.to_dict(), "baseline": self.baseline.to_dict()}

    @classmethod
    def from_dict(
        cls, table: Mapping[str, Any], outcomes: tuple[str, ...] | None = None
    ) -> EffectPriors:
        """Read the form of a prior file.

        Parameters
        ----------
        table : mapping
            As `to_dict` gives it.
        outcomes : tuple of str, optional
            Names that ``outcome`` may hold; any where left out.

        Raises
        ------
        InputError
            One line: where, and what is wrong.
        """
        rest = {name: value for name, value in table.items() if name != "baseline"}
        return cls(PriorSet.from_dict(rest, outcomes), _baseline(table))


_MU = Prior.make("Normal", mu=0, sigma=2)
_SPREAD = Prior.make("HalfNormal", sigma=0.5)
_LARGE = f"{math.exp(float(_MU.ppf(0.975))):.2g}"
_DEFAULT = PriorSet(
    "default",
    sentence=(
        "Weakly informative on the log odds ratio: the overall odds ratio lies between "
        f"1/{_LARGE} and {_LARGE} with probability 0.95; those of two diseases, as those of two "
        f"studies of one disease, lie {factor_words(_SPREAD)}."
    ),
    reference="Roever and others 2021",
    doi="10.1002/jrsm.1475",
    mu=_MU,
    tau=_SPREAD,
    sigma=_SPREAD,
)
DEFAULT_EFFECTS = EffectPriors(_DEFAULT)

_TURNER = ("Turner and others 2015", "10.1002/sim.6381")


def _log_normal(location: float, scale: float) -> Prior:
    """Prior of a standard deviation where the logarithm of its square is normal."""
    return Prior.make("LogNormal", mu=location / 2, sigma=scale / 2)


#: Turner and others 2015, table IV, non-pharmacological treatments against placebo or control.
_SYMPTOMS, _HARMS, _DEATHS = (
    _log_normal(-2.28, 1.71),
    _log_normal(-2.10, 1.71),
    _log_normal(-4.17, 1.55),
)

#: Those of Rhodes and others 2015 (doi 10.1016/j.jclinepi.2014.08.012) are not among them: they are
#: of standardised mean differences, not of log odds ratios.
EFFECT_SETS: dict[str, EffectPriors] = {
    each.name: EffectPriors(each)
    for each in (
        _DEFAULT,
        PriorSet(
            "turner_marginal",
            "Studies of one disease differ as those of Cochrane meta-analyses with binary outcomes "
            "do.",
            *_TURNER,
            sigma=_log_normal(-2.56, 1.74),
        ),
        PriorSet(
            "turner_outcomes",
            "Studies of one disease differ as those of Cochrane meta-analyses of treatments other "
            "than drugs against control do: of signs and symptoms, of adverse events, of deaths.",
            *_TURNER,
            sigma=_SYMPTOMS,
            overrides=(
                *(
                    (name, (("sigma", _HARMS),))
                    for name in ("any_ae", "moderate_severe_ae", "serious_ae")
                ),
                ("death", (("sigma", _DEATHS),)),
            ),
        ),
    )
}


def effect_priors(
    named: str | Path | EffectPriors, source: str = "", outcomes: tuple[str, ...] | None = None
) -> EffectPriors:
    """Give the priors of effects that a name or a text in TOML stands for.

    Parameters
    ----------
    named : str, Path or EffectPriors
        A name of `EFFECT_SETS`, a prior file (`.toml`), or the text of one, with ``[mu]``,
        ``[tau]``, ``[sigma]``, ``[exnex]``, ``[outcome.NAME.mu]`` and ``[baseline]``.
    source : str
        Name of the file that a text comes from; with it every text is taken for that of a file.
    outcomes : tuple of str, optional
        Names that ``[outcome.NAME]`` may take; any where left out.

    Returns
    -------
    EffectPriors
        The checked priors.

    Raises
    ------
    InputError
        An unknown name, with the valid ones; or of a text one line: where in it, what is wrong.
    """
    if isinstance(named, EffectPriors):
        return named
    told = prior_text(named, source)
    if told is None:
        return EFFECT_SETS[one_of(named, EFFECT_SETS, "prior set for effects")]
    text, source = told
    try:
        table: Mapping[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise InputError(f"{source}: not TOML: {problem}") from None
    try:
        made = EffectPriors.from_dict({"name": source, **table}, outcomes)
        if made.name in EFFECT_SETS and made != EFFECT_SETS[made.name]:
            raise InputError(f"name: '{made.name}' is a named set of effects: give yours another")
        return made
    except InputError as problem:
        raise InputError(f"{source}: {problem}") from None


def _baseline(table: Mapping[str, Any]) -> Prior:
    given = table.get("baseline")
    if given is None:
        return BASELINE
    if not isinstance(given, Mapping):
        raise InputError('[baseline] must be a table such as {dist = "Normal", sigma = 10}')
    try:
        return Prior.from_dict(given)
    except InputError as problem:
        raise InputError(f"[baseline]: {problem}") from None
