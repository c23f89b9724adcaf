"""Priors of every outcome, as values: named sets of them, and what a set leaves to the default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from ...data.errors import InputError
from ...data.export import answer_html
from ...data.mistakes import listed, unknown_name
from ...data.outcomes import DICTIONARY
from .meaning import factor_words
from .prior import Prior, finite_number, noted, raise_all

if TYPE_CHECKING:
    import pandas as pd

PARAMETERS = ("mu", "tau", "sigma")
#: What a prior file may give, for every outcome or for one.
_GIVEN = (*PARAMETERS, "moderator")
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
    moderator : Prior
        Coefficient of a moderator, for one standard deviation of a number, or for the difference of
        two levels of a text: Normal about 0.
    """

    mu: Prior
    tau: Prior
    sigma: Prior
    exnex: Exnex
    moderator: Prior = Prior.make("Normal", mu=0, sigma=1)

    def __post_init__(self) -> None:
        """Refuse standard deviations that could be negative; fill in the exnex level."""
        about_zero = dict(self.moderator.parameters).get("mu") == 0
        if (self.moderator.dist, self.moderator.on) != ("Normal", "value") or not about_zero:
            raise InputError(
                f"moderator: a coefficient's prior is Normal about 0, not {self.moderator}; give "
                "its standard deviation alone: sd = 1"
            )
        for name in ("tau", "sigma"):
            if not getattr(self, name).nonnegative:
                raise InputError(
                    f"{name} is a standard deviation: {getattr(self, name)} has negative values; "
                    "take a HalfNormal, HalfCauchy, Exponential, LogNormal, Gamma or Uniform"
                )
        if self.exnex.level is None:
            object.__setattr__(self, "exnex", replace(self.exnex, level=self.mu))


class PriorsOfOutcomes(Protocol):
    """Priors by outcome: a `PriorSet`, or those of effects."""

    def of(self, outcome: str) -> OutcomePriors:
        """Give the priors of one outcome."""
        ...


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
    moderator : Prior or None
        Prior of moderators' coefficients, for every outcome that ``overrides`` does not name.

    Examples
    --------
    >>> print(mp.named_set("default").of("death").mu)
    Normal(mu=-3, sigma=1.5)
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
    moderator: Prior | None = None

    def __post_init__(self) -> None:
        """Refuse an exnex level that no prior file could give."""
        level = self.exnex.level if self.exnex else None
        if level is not None and (level.dist, level.on) != ("Normal", "value"):
            raise InputError(f"exnex: a disease's own level must be Normal, not {level}")

    def __repr__(self) -> str:
        """Say in a line what it gives."""
        said = [f"{name} {getattr(self, name)}" for name in _GIVEN if getattr(self, name)]
        if self.overrides:
            said.append(f"special priors of {listed([name for name, _ in self.overrides])}")
        return f"<priors {self.name}: {', '.join(said) or 'the default'}; .to_frame(), .to_dict()>"

    def to_frame(self) -> pd.DataFrame:
        """Give every prior that the set names, one a row; ``outcome`` is empty where it is general.

        What is not named is taken from the default set.
        """
        import pandas as pd

        rows = [("", name, getattr(self, name)) for name in _GIVEN if getattr(self, name)]
        rows += [(name, *each) for name, own in self.overrides for each in own]
        told = [(outcome, parameter, str(prior)) for outcome, parameter, prior in rows]
        return pd.DataFrame(told, columns=["outcome", "parameter", "prior"])

    def _repr_html_(self) -> str:
        """Show what it says, its priors and its source."""
        source = ", doi ".join(filter(None, (self.reference, self.doi)))
        after = [source, "Next: mp.fit(evidence, priors=priors)."]
        return answer_html(f"Priors {self.name}", [self.sentence], self.to_frame(), after)

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
        priors = OutcomePriors(resolve("mu"), resolve("tau"), resolve("sigma"), exnex)
        moderator = self._own(outcome, "moderator")
        return replace(priors, moderator=moderator) if moderator else priors

    def to_dict(self) -> dict[str, Any]:
        """Give the set in the form of a prior file, for the record of a run."""
        texts = {key: getattr(self, key) for key in _TEXTS}
        out: dict[str, Any] = {"name": self.name} | {k: text for k, text in texts.items() if text}
        for parameter in _GIVEN:
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
            Unknown tables, distributions or parameters, or impossible values; all of them, a line
            each that says where.
        """
        known = ("name", *_TEXTS, *_GIVEN, "exnex", "outcome")
        problems = [unknown_name(key, known, "table") for key in table if key not in known]
        texts = {key: table.get(key, "") for key in ("name", *_TEXTS)}
        problems += [
            f"{key} must be a text in quotes, not {text!r}"
            for key, text in texts.items()
            if not isinstance(text, str)
        ]
        common = {name: table[name] for name in _GIVEN if name in table}
        priors = _priors_at(common, "", problems)
        special = _outcomes_at(table.get("outcome", {}), outcomes, problems)
        exnex = None
        if "exnex" in table:
            with noted(problems, "[exnex]: "):
                exnex = _exnex_at(table["exnex"])
        made = cls(
            texts.pop("name") or "unnamed",
            **texts,
            mu=priors.get("mu"),
            tau=priors.get("tau"),
            sigma=priors.get("sigma"),
            exnex=exnex,
            moderator=priors.get("moderator"),
        )
        for outcome, own in special.items():
            made = made.with_outcome(outcome, **own)
        for outcome in ("", *special):
            with noted(problems):
                made.of(outcome)
        raise_all(problems)
        return made


_TAU, _SIGMA = Prior.make("HalfNormal", sigma=1), Prior.make("HalfNormal", sigma=0.5)
DEFAULT = PriorSet(
    "default",
    sentence=(
        "Weakly informative on the log-odds: any typical rate; the odds of two diseases lie "
        f"{factor_words(_TAU)}, those of two studies of one disease {factor_words(_SIGMA)}; "
        "grave harms are expected to be rare."
    ),
    reference="Gelman 2006; Roever and others 2021",
    doi="10.1002/jrsm.1475",
    mu=Prior.make("Normal", mu=0, sigma=1.5),
    tau=_TAU,
    sigma=_SIGMA,
    exnex=Exnex(0.5),
    overrides=tuple(
        (each.name, (("mu", Prior.make("Normal", mu=each.level[0], sigma=each.level[1])),))
        for each in DICTIONARY
        if each.level
    ),
)


def _priors_at(tables: Mapping[str, Any], place: str, problems: list[str]) -> dict[str, Prior]:
    """Read priors by parameter, from the tables below a place of the file."""
    priors = {}
    for name, value in tables.items():
        where = f"[{place}{name}]"
        table = _table_at(value, where, problems)
        if table is not None:
            with noted(problems, f"{where}: "):
                alone = name == "moderator" and set(table) == {"sd"}
                priors[name] = Prior.from_dict(
                    {"dist": "Normal", "mu": 0, "sigma": table["sd"]} if alone else table
                )
    return priors


def _outcomes_at(
    value: Any, outcomes: tuple[str, ...] | None, problems: list[str]
) -> dict[str, dict[str, Prior]]:
    """Read the priors of single outcomes."""
    special = {}
    for outcome, inside in (_table_at(value, "[outcome]", problems) or {}).items():
        where = f"[outcome.{outcome}]"
        if outcomes is not None and outcome not in outcomes:
            problems.append(f"{where}: {unknown_name(outcome, outcomes, 'outcome')}")
        own = _table_at(inside, where, problems) or {}
        problems += [
            f"{where}: {unknown_name(name, _GIVEN, 'parameter')}"
            for name in own
            if name not in _GIVEN
        ]
        known = {name: table for name, table in own.items() if name in _GIVEN}
        special[outcome] = _priors_at(known, f"outcome.{outcome}.", problems)
    return special


def _table_at(value: Any, where: str, problems: list[str]) -> Mapping[str, Any] | None:
    """Give the table at a place of the file; None, and a problem, where it is none."""
    if isinstance(value, Mapping):
        return value
    problems.append(f'{where} must be a table such as {{dist = "HalfNormal", sigma = 1}}')
    return None


def _exnex_at(value: Any) -> Exnex:
    if not isinstance(value, Mapping):
        raise InputError("must be a table such as {w = 0.5}")
    known = ("w", "mean", "sd")
    problems = [unknown_name(key, known, "parameter") for key in value if key not in known]
    if ("mean" in value) != ("sd" in value):
        problems.append("give both mean and sd, or neither (the prior of mu)")
    given = {}
    for key in ("mean", "sd"):
        if key in value:
            with noted(problems):
                given[key] = finite_number("level", key, value[key], positive=key == "sd")
    made = Exnex()
    with noted(problems):
        made = Exnex(value.get("w", made.weight))
    raise_all([problem.removeprefix("exnex: ") for problem in problems])
    level = Prior.make("Normal", mu=given["mean"], sigma=given["sd"]) if given else None
    return replace(made, level=level)
