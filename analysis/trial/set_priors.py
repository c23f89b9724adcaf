"""The priors that a design takes from a fit, under each prior set: the evidence integrated anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...data.errors import InputError
from ...models.exact.outcomes import ExactFit, NotExact
from ...models.priors.catalogue import CATALOGUE
from ...models.priors.files import prior_set
from ...models.priors.sets import PriorSet
from ...models.rates.fit import map_prior
from ...models.rates.prior import RatePrior, WeightedRates, robustify
from .fit_priors import FitPriors, labelled, read_distribution
from .reanalysis import FullReanalysis, integrated

ALL = "all"


def chosen_sets(named: str | Sequence[str | PriorSet]) -> tuple[PriorSet, ...]:
    """Return prior sets by their names, files or texts; `all` are those of the catalogue.

    Parameters
    ----------
    named : str or sequence of str or PriorSet
        One text may name several, with commas between.

    Raises
    ------
    InputError
        An unknown name, and a name that two sets have.
    """
    found: list[PriorSet] = []
    for each in (named,) if isinstance(named, str) else named:
        texts = each.split(",") if isinstance(each, str) and "\n" not in each else [each]
        for text in texts:
            own = text.strip() if isinstance(text, str) else text
            found += CATALOGUE.values() if own == ALL else [prior_set(own)]
    sets = tuple(dict.fromkeys(found))
    names = [each.name for each in sets]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"sets: two are called {name}; give one of them another name")
    return sets


def priors_by_set(
    found: FitPriors, wanted: Mapping[str, str], named: str | Sequence[str | PriorSet]
) -> dict[str, dict[str, Any]]:
    """Return the priors that a design takes from a fit, under each of several prior sets.

    Parameters
    ----------
    found : FitPriors
        Of the fit.
    wanted : mapping of str to str
        The name of each prior, by its field of the request.
    named : str or sequence of str or PriorSet
        The sets; see `chosen_sets`.

    Returns
    -------
    dict of str to dict
        By the set's name the priors, by field.

    Raises
    ------
    InputError
        An outcome that cannot be integrated: only then can another prior set be had at once.
    """
    sets = chosen_sets(named)
    try:
        fitted = integrated(found.fit, (str(found.outcome),))
    except NotExact as problem:
        raise InputError(f"sets: {problem.reason}; compare such fits one by one") from None
    return {
        each.name: {
            field: _Under(fitted.model.fit(each), each.name, found).prior(name)
            for field, name in wanted.items()
        }
        for each in sets
    }


@dataclass(frozen=True, eq=False)
class _Under:
    """What the evidence of a fit says of the next trial, under one prior set."""

    fitted: ExactFit
    name: str
    found: FitPriors

    def prior(self, name: str) -> RatePrior | WeightedRates | FullReanalysis:
        """Return the prior, or the analysis, of one of the names that a fit offers."""
        if name in ("new-study", "rate"):
            return self._rates(name.replace("-", "_"))
        if name == "full":
            before = self.fitted.distribution(*self._key("new_study"))
            return replace(self.found.full, before=before)
        rates = self._rates("new_study")
        mixture = labelled(map_prior(rates, unconstrained=name == "map-unconstrained"), rates.label)
        return robustify(mixture, self.found.robust_weight) if name == "robust-map" else mixture

    def _rates(self, quantity: str) -> WeightedRates:
        words = "next study" if quantity == "new_study" else "rate"
        label = f"the {words} for {self.found.about} under the prior set {self.name}"
        return read_distribution(self.fitted.distribution(*self._key(quantity)), label)

    def _key(self, quantity: str) -> tuple[str, str, str]:
        return str(self.found.outcome), quantity, str(self.found.disease)
