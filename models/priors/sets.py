"""Priors of every outcome, as values: named sets of them, and what a set leaves to the default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ...data.errors import InputError
from ...data.mistakes import unknown_name
from ...data.outcomes import DICTIONARY
from .prior import Prior, finite_number

PARAMETERS = ("mu", "tau", "sigma")
_TEXTS = ("sentence", "reference", "doi")


@dataclass(frozen=True)
class Exnex:
    """How far diseases are exchangeable, under ``exnex`` pooling.

    Attributes
    ----------
    weight : float
        Prior probability that a disease is exchangeable with the others.
    level : Prior or None
        Prior of a disease's own level where it is not, on the outcome's linear scale: Normal, as a
        prior file gives it. None takes the prior of mu, of any family.

    Raises
    ------
    InputError
        A weight that is no probability.

    References
    ----------
    Neuenschwander and others 2016, doi 10.1002/pst.1730.
    """

    weight: float = 0.5
    level: Prior | None = None

    def __post_init__(self) -> None:
        """Refuse a weight that is no probability."""
        weight = self.weight
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
            raise InputError(f"exnex: w must lie between 0 and 1, not {weight!r}")


@dataclass(frozen=True)
class OutcomePriors:
    """The priors of one outcome's hierarchy, on its linear scale (log-odds or log hazard a year).

    Attributes
    ----------
    mu : Prior
        Overall level.
    tau : Prior
        Standard deviation between diseases.
    sigma : Prior
        Standard deviation between studies of one disease.
    exnex : Exnex
        Used by ``exnex`` pooling only; its level is never None here.
    """

    mu: Prior
    tau: Prior
    sigma: Prior
    exnex: Exnex

    def __post_init__(self) -> None:
        """Refuse standard deviations that could be negative; fill in the exnex level."""
        for name in ("tau", "sigma"):
            if not getattr(self, name).nonnegative:
                raise InputError(
                    f"{name} is a standard deviation: {getattr(self, name)} has negative values; "
                    "take a HalfNormal, HalfCauchy, Exponential, LogNormal, Gamma or Uniform"
                )
        if self.exnex.level is None:
            object.__setattr__(self, "exnex", replace(self.exnex, level=self.mu))


@dataclass(frozen=True)
class PriorSet:
    """A named set of priors for every outcome.

    What a set leaves out is taken from the default set, outcome by outcome.

    Attributes
    ----------
    name : str
        Its name in tables and on the command line.
    sentence : str
        What it says, for a reader.
    reference, doi : str
        Where it comes from.
    mu, tau, sigma : Prior or None
        Priors for every outcome that ``overrides`` does not name.
    exnex : Exnex or None
        Exchangeability weight and level.
    overrides : tuple of (str, tuple of (str, Prior))
        Priors of single outcomes, by outcome and parameter: see `with_outcome` and `special`.
    """

    name: str
    sentence: str = ""
    reference: str = ""
    doi: str = ""
    mu: Prior | None = None
    tau: Prior | None = None
    sigma: Prior | None = None
    exnex: Exnex | None = None
    overrides: tuple[tuple[str, tuple[tuple[str, Prior], ...]], ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse an exnex level that no prior file could give."""
        level = self.exnex.level if self.exnex else None
        if level is not None and (level.dist, level.on) != ("Normal", "value"):
            raise InputError(f"exnex: a disease's own level must be Normal, not {level}")

    def _own(self, outcome: str, parameter: str) -> Prior | None:
        return self.special(outcome).get(parameter, getattr(self, parameter))

    def with_outcome(self, outcome: str, **priors: Prior) -> PriorSet:
        """Give the set with other priors of one outcome, by parameter; the rest stays."""
        others = dict(self.overrides)
        others[outcome] = tuple((dict(others.get(outcome, ())) | priors).items())
        return replace(self, overrides=tuple(others.items()))

    def special(self, outcome: str) -> dict[str, Prior]:
        """Give the priors, by parameter, that the set has for this outcome alone."""
        return dict(dict(self.overrides).get(outcome, ()))

    def of(self, outcome: str) -> OutcomePriors:
        """Give the priors of one outcome.

        Raises
        ------
        InputError
            A prior of tau or sigma that has negative values.
        """

        def resolve(parameter: str) -> Prior:
            prior = self._own(outcome, parameter) or DEFAULT._own(outcome, parameter)
            assert prior is not None, "the default set is complete"
            return prior

        exnex = self.exnex or DEFAULT.exnex or Exnex()
        return OutcomePriors(resolve("mu"), resolve("tau"), resolve("sigma"), exnex)

    def to_dict(self) -> dict[str, Any]:
        """Give the set in the form of a prior file, for the record of a run."""
        texts = {key: getattr(self, key) for key in _TEXTS}
        out: dict[str, Any] = {"name": self.name} | {k: text for k, text in texts.items() if text}
        for parameter in PARAMETERS:
            if (prior := getattr(self, parameter)) is not None:
                out[parameter] = prior.to_dict()
        if self.exnex is not None:
            out["exnex"] = {"w": float(self.exnex.weight)}
            if self.exnex.level is not None:
                values = dict(self.exnex.level.parameters)
                out["exnex"] |= {"mean": values["mu"], "sd": values["sigma"]}
        if self.overrides:
            out["outcome"] = {
                outcome: {parameter: prior.to_dict() for parameter, prior in priors}
                for outcome, priors in self.overrides
            }
        return out

    @classmethod
    def from_dict(
        cls, table: Mapping[str, Any], outcomes: tuple[str, ...] | None = None
    ) -> PriorSet:
        """Read a set from the form that `to_dict` gives.

        Parameters
        ----------
        table : mapping
            The parsed prior file.
        outcomes : tuple of str, optional
            Names that ``[outcome.NAME]`` may take; any where left out.

        Returns
        -------
        PriorSet
            The checked set.

        Raises
        ------
        InputError
            Unknown tables, distributions or parameters, or impossible values; says where.
        """
        known = ("name", *_TEXTS, *PARAMETERS, "exnex", "outcome")
        for key in table:
            if key not in known:
                raise InputError(unknown_name(key, known, "table"))
        priors = {p: _prior_at(table, p, f"[{p}]") for p in PARAMETERS if p in table}
        overrides = []
        for outcome, tables in _mapping(table.get("outcome", {}), "[outcome]").items():
            if outcomes is not None and outcome not in outcomes:
                raise InputError(
                    f"[outcome.{outcome}]: " + unknown_name(outcome, outcomes, "outcome")
                )
            for parameter in _mapping(tables, f"[outcome.{outcome}]"):
                if parameter not in PARAMETERS:
                    wrong = unknown_name(parameter, PARAMETERS, "parameter")
                    raise InputError(f"[outcome.{outcome}]: {wrong}")
            overrides.append(
                (
                    outcome,
                    tuple((p, _prior_at(tables, p, f"[outcome.{outcome}.{p}]")) for p in tables),
                )
            )
        texts = {key: table.get(key, "") for key in ("name", *_TEXTS)}
        for key, text in texts.items():
            if not isinstance(text, str):
                raise InputError(f"{key} must be a text in quotes, not {text!r}")
        made = cls(
            texts.pop("name") or "unnamed",
            **texts,
            mu=priors.get("mu"),
            tau=priors.get("tau"),
            sigma=priors.get("sigma"),
            exnex=_exnex_at(table["exnex"]) if "exnex" in table else None,
            overrides=tuple(overrides),
        )
        for outcome in ("", *(name for name, _ in overrides)):
            made.of(outcome)
        return made


DEFAULT = PriorSet(
    "default",
    sentence=(
        "Weakly informative on the log-odds: any typical rate, diseases within a factor of "
        "about seven in odds, studies within a factor of about three; harms are expected to be "
        "rare."
    ),
    reference="Gelman 2006; Roever and others 2021",
    doi="10.1002/jrsm.1475",
    mu=Prior.make("Normal", mu=0, sigma=1.5),
    tau=Prior.make("HalfNormal", sigma=1),
    sigma=Prior.make("HalfNormal", sigma=0.5),
    exnex=Exnex(0.5),
    overrides=tuple(
        (each.name, (("mu", Prior.make("Normal", mu=each.level[0], sigma=each.level[1])),))
        for each in DICTIONARY
        if each.level
    ),
)


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f'{where} must be a table such as {{dist = "HalfNormal", sigma = 1}}')
    return value


def _prior_at(table: Mapping[str, Any], key: str, where: str) -> Prior:
    try:
        return Prior.from_dict(_mapping(table[key], where))
    except InputError as problem:
        text = str(problem)
        raise InputError(text if text.startswith("[") else f"{where}: {text}") from None


def _exnex_at(table: Any) -> Exnex:
    table = dict(_mapping(table, "[exnex]"))
    for key in table:
        if key not in ("w", "mean", "sd"):
            raise InputError("[exnex]: " + unknown_name(key, ("w", "mean", "sd"), "parameter"))
    if ("mean" in table) != ("sd" in table):
        raise InputError("[exnex]: give both mean and sd, or neither (the prior of mu)")
    try:
        given = {
            key: finite_number("level", key, table[key], positive=key == "sd")
            for key in ("mean", "sd")
            if key in table
        }
        level = Prior.make("Normal", mu=given["mean"], sigma=given["sd"]) if given else None
        return Exnex(table.get("w", 0.5), level)
    except InputError as problem:
        raise InputError(f"[exnex]: {str(problem).removeprefix('exnex: ')}") from None
