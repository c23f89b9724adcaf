"""The state of the page: one value, that of an analysis; its address, its command, its prior file.

A state holds names and numbers only, so that an address restores it. Whose data it is of is not in
it: the page's own data set, or one that was uploaded, stays where it is.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import parse_qs, urlencode

from ...data.errors import InputError
from ...data.mistakes import shown, unknown_name
from ...data.outcomes import OUTCOMES, outcome
from ...models.pooling import POOLINGS
from ...models.priors.catalogue import CATALOGUE, named_set
from ...models.priors.density import FAMILIES
from ...models.priors.files import prior_file
from ...models.priors.prior import Prior
from ...models.priors.sets import PARAMETERS, PriorSet

VIEWS = ("evidence", "priors", "trial", "effects")
DESIGNS = ("single-arm", "two-arm")
#: Name of the prior set that the page's own priors make, and of its file.
EXPLORED = "explored"
PRIOR_FILE = f"{EXPLORED}.toml"
_SINGLE_ARM = ("null", "target", "level", "assurance", "discount")
#: What stands in every address: other data, and other outcomes, have other defaults of these.
_ALWAYS = ("outcome", "threshold")


@dataclass(frozen=True)
class State:
    """What the page shows.

    Attributes
    ----------
    view : {"evidence", "priors", "trial", "effects"}
        The view in front.
    outcome : str
        The outcome that is looked at.
    disease : str
        The disease that the next trial is planned in; empty for the first.
    threshold : float
        Rate that a conclusion is drawn about, a probability.
    analysis_set, definitions, drop, means
        As in `Selection`.
    pooling : str
        How diseases inform each other.
    base : str
        Named prior set: the reference.
    own : tuple of (str, Prior)
        Priors of the outcome that differ from the reference's, by parameter.
    design : {"single-arm", "two-arm"}
        The next trial.
    null, target, level, assurance, discount : float
        As `design.single_arm` takes them; a trial of two arms has level and assurance only.
    """

    view: str = "priors"
    outcome: str = OUTCOMES[0]
    disease: str = ""
    threshold: float = 0.3
    analysis_set: str = "core"
    definitions: str = "primary"
    drop: tuple[str, ...] = ()
    means: bool = False
    pooling: str = "partial"
    base: str = "default"
    own: tuple[tuple[str, Prior], ...] = ()
    design: str = "single-arm"
    null: float = 0.3
    target: float = 0.5
    level: float = 0.95
    assurance: float = 0.8
    discount: float = 0.0

    def __post_init__(self) -> None:
        """Refuse names that are none, and keep of the own priors those that differ."""
        for value, valid, what in (
            (self.view, VIEWS, "view"),
            (self.design, DESIGNS, "design"),
            (self.pooling, POOLINGS, "pooling"),
            (self.base, CATALOGUE, "prior set"),
        ):
            if value not in valid:
                raise InputError(unknown_name(value, valid, what))
        for name in ("threshold", "null", "target", "level", "assurance"):
            if not 0 < getattr(self, name) < 1:
                value = getattr(self, name)
                raise InputError(f"{name} must lie strictly between 0 and 1, not {value:g}")
        reference = self.reference.of(self.outcome)
        own = [(k, prior) for k, prior in self.own if not _alike(prior, getattr(reference, k))]
        own.sort(key=lambda pair: PARAMETERS.index(pair[0]))
        object.__setattr__(self, "own", tuple(own))
        self.priors.of(self.outcome)  # refuses a standard deviation that may be negative

    @property
    def reference(self) -> PriorSet:
        """The named set that the page's priors are compared with."""
        return named_set(self.base)

    @property
    def priors(self) -> PriorSet:
        """The priors shown: the reference, or a set that has other priors of the outcome."""
        if not self.own:
            return self.reference
        told = ", ".join(f"{name} ~ {prior}" for name, prior in self.own)
        made = replace(
            self.reference,
            name=EXPLORED,
            sentence=f"The set '{self.base}', with other priors of {self.outcome}: {told}.",
        )
        return made.with_outcome(self.outcome, **dict(self.own))

    @property
    def query(self) -> str:
        """The state as the query of an address: the outcome, and what differs from the default."""
        pairs: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "own":
                pairs += [(name, _written(prior)) for name, prior in value]
            elif field.name == "drop":
                pairs += [("drop", study) for study in value]
            elif value != field.default or field.name in _ALWAYS:
                pairs.append((field.name, f"{value:.12g}" if _is_number(value) else str(value)))
        return urlencode(pairs)

    @property
    def prior_text(self) -> str:
        """The prior file that the state stands for."""
        return prior_file(self.priors)

    def command(self, path: str = "") -> str:
        """Give the command that reproduces what the view in front shows.

        Parameters
        ----------
        path : str
            The data set; empty for the shipped evidence.

        Returns
        -------
        str
            For a shell; where the priors are the page's own it reads `PRIOR_FILE`.
        """
        named = PRIOR_FILE if self.own else self.base
        chosen = [*self._options(), "--outcome", self.outcome]
        if self.view == "effects":
            return _line("effects", path, *chosen)
        if self.view == "priors":
            sets = ["--sets", self.base] + (["--sets", named] if self.own else [])
            # A folder of its own: beside a stored fit of other data it would be refused.
            asked = [*sets, "--threshold", f"{self.threshold:.12g}", "--out", EXPLORED]
            return _line("priors", path, *chosen, "--engine", "exact", *asked)
        fit = _line("fit", path, *chosen, "--engine", "exact", "--priors", named)
        if self.view == "evidence":
            return fit
        return "\n".join(
            [fit if self.design == "single-arm" else _line("effects", path, *chosen), self._trial()]
        )

    def _trial(self) -> str:
        """Give the command that sizes the trial from the fit (or the effects) stored before it.

        It stands on a line of its own: a fit whose guard fails ends with status 1, and the design
        is still to be had.
        """
        about = ["--outcome", self.outcome] + (["--disease", self.disease] if self.disease else [])
        about += ["--direction", "below"] if outcome(self.outcome).is_harm else []
        if self.design == "two-arm":
            priors = ["--effect-prior", "new-study", "--design-prior-control", "new-study"]
            priors += ["--margin", "0"]
            names = ("level", "assurance")
        else:
            priors, names = ["--design-prior", "new-study"], _SINGLE_ARM
        wanted = [part for n in names for part in (f"--{n}", f"{getattr(self, n):.12g}")]
        return _line("design", self.design, *priors, *about, *wanted)

    def _options(self) -> list[str]:
        chosen = [] if self.analysis_set == "core" else ["--set", self.analysis_set]
        chosen += [] if self.definitions == "primary" else ["--definitions", self.definitions]
        chosen += [part for study in self.drop for part in ("--drop", study)]
        chosen += ["--means"] if self.means else []
        return chosen + ([] if self.pooling == "partial" else ["--pooling", self.pooling])


def read_state(query: str, default: State) -> State:
    """Read the state that an address stands for.

    Parameters
    ----------
    query : str
        As `State.query` gives it, with or without a question mark.
    default : State
        What the query does not name.

    Returns
    -------
    State
        The checked state.

    Raises
    ------
    InputError
        Unknown names or impossible values, a line each.
    """
    given = parse_qs(query.strip().removeprefix("?"), keep_blank_values=True, max_num_fields=500)
    known = [f.name for f in fields(State) if f.name != "own"] + list(PARAMETERS)
    problems = [unknown_name(name, known, "part of a state") for name in given if name not in known]
    changes: dict[str, object] = {}
    for field in fields(State):
        if field.name not in given or field.name == "own":
            continue
        text = given[field.name][-1]
        try:
            changes[field.name] = _parsed(field.name, field.default, text, given)
        except ValueError:
            problems.append(f"{field.name}: {shown(text)} is not a number")
    own = {}
    for name in PARAMETERS:
        if name in given:
            try:
                own[name] = _prior(given[name][-1])
            except InputError as wrong:
                problems.append(f"{name}: {wrong}")
    if problems:
        raise InputError("\n".join(problems))
    if "outcome" in changes and "threshold" not in changes:
        changes["threshold"] = outcome(str(changes["outcome"])).threshold
    if own or "base" in changes or "outcome" in changes:
        changes["own"] = tuple(own.items())
    return replace(default, **changes)  # pyright: ignore[reportArgumentType]


def _parsed(name: str, default: object, text: str, given: Mapping[str, list[str]]) -> object:
    if name == "drop":
        return tuple(dict.fromkeys(given["drop"]))
    if isinstance(default, bool):
        return text == "True"
    return float(text) if isinstance(default, float) else text


def _is_number(value: object) -> bool:
    return isinstance(value, float) and not isinstance(value, bool)


def _written(prior: Prior) -> str:
    """Write a prior as a query holds it: distribution and values in PyMC's order."""
    values = ",".join(repr(value) for _, value in prior.parameters)
    return f"{prior.dist}({values})" + (" on variance" if prior.on == "variance" else "")


def _prior(text: str) -> Prior:
    """Read a prior as `_written` writes it."""
    squared = text.endswith(" on variance")
    dist, _, rest = text.removesuffix(" on variance").partition("(")
    if dist not in FAMILIES:
        raise InputError(unknown_name(dist, FAMILIES, "distribution"))
    names = list(FAMILIES[dist].parameters)
    values = rest.removesuffix(")").split(",") if rest.endswith(")") else []
    try:
        numbers = dict(zip(names, map(float, values), strict=True))
    except ValueError:
        wanted = f"{dist}({','.join(names)})"
        raise InputError(f"{shown(text)} must be {wanted} with numbers") from None
    return Prior.make(dist, "variance" if squared else "value", **numbers)


def _alike(one: Prior, other: Prior) -> bool:
    """Whether two priors are the same in all digits that a field of a page shows."""
    if (one.dist, one.on) != (other.dist, other.on):
        return False
    pairs = zip(one.parameters, other.parameters, strict=True)
    return all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for (_, a), (_, b) in pairs)


def _line(*parts: str) -> str:
    return shlex.join(["mscpool", *(part for part in parts if part)])
