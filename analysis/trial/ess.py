"""What a prior on a rate is worth, in patients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...models.rates.effective_size import elir, moment, morita
from ...models.rates.fit import map_prior
from ...models.rates.prior import RatePrior, WeightedRates, as_prior
from .design_frames import ess_frame
from .phrases import noise, rate_words
from .request import answers
from .requests import Ess
from .result import DesignResult, Picture

# Stretches of draws that are left out in turn, each longer than a chain remembers.
STRETCHES = 10
# What JSON and tables call the quantiles.
QUANTILES = {"low": "q2.5", "middle": "q50", "high": "q97.5"}


@dataclass(frozen=True)
class Worth:
    """Three effective sample sizes, mean, standard deviation and quantiles of a prior."""

    elir: float | None
    moment: float
    morita: float
    mean: float
    sd: float
    low: float
    middle: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """Return the JSON shape."""
        return {QUANTILES.get(name, name): value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class EssAnswer:
    """What a prior is worth, and of one that a mixture was fitted to, how far that one is off."""

    worth: Worth
    mixture: str
    distance: float | None
    errors: Worth | None

    def to_dict(self) -> dict[str, float | str | None]:
        """Return the JSON shape: each error beside its number."""
        known = {} if self.errors is None else self.errors.to_dict()
        errors = {f"{name}_mcse": known.get(name) for name in self.worth.to_dict()}
        told = {"mixture": self.mixture, "distance": self.distance}
        return {**self.worth.to_dict(), **told, **errors}


@answers(Ess)
def ess(request: Ess) -> DesignResult:
    """Tell how many patients a prior on a rate is worth, by three definitions.

    Parameters
    ----------
    prior : str or prior
        Prior whose worth is told: a beta mixture; draws or a density are described by the mixture
        fitted to them.

    Returns
    -------
    DesignResult
        `elir` is null where a part of a mixture has a shape below 1, and where it would be
        negative. Each number of a prior of
        draws has its Monte-Carlo error beside it.

    Raises
    ------
    InputError
        When the prior is a fixed rate, which is worth any number of patients.

    References
    ----------
    Neuenschwander et al. 2020, doi:10.1111/biom.13252; Morita et al. 2008,
    doi:10.1111/j.1541-0420.2007.00888.x.

    Examples
    --------
    >>> mp.design.ess(prior="beta(4,16)").table[["elir", "moment", "morita"]].round(1)
       elir  moment  morita
    0  20.0    20.0    20.0
    """
    given, distance, errors = as_prior(request.prior), None, None
    if isinstance(given, WeightedRates):
        if len(set(given.rates)) == 1:
            raise InputError(
                f"prior {given}: a fixed rate is worth any number of patients; give beta(a,b)"
            )
        fitted = map_prior(given)
        mixture, distance = fitted.prior, fitted.distance
        errors = _errors(given, len(mixture.weights))
    else:
        mixture = given
    answer = EssAnswer(_worth(mixture), str(mixture), distance, errors)
    row = {**answer.worth.to_dict(), "mixture": mixture.rounded, "distance": distance}
    return DesignResult(
        request, {"prior": given.words}, "effective sample size of a prior on a rate", answer,
        pd.DataFrame([row]), _paragraph(given.words, answer), priors={"prior": given},
        draw=_pictures,
    )  # fmt: skip


def _worth(mixture: RatePrior) -> Worth:
    low, middle, high = (float(mixture.quantile(level)) for level in (0.025, 0.5, 0.975))
    local = elir(mixture)
    # The log density of a mixture may be convex: then it has no information to count in patients.
    worth = local if local is None or local > 0 else None, moment(mixture), morita(mixture)
    return Worth(*worth, mixture.mean, mixture.sd, low, middle, high)


def _errors(draws: WeightedRates, parts: int) -> Worth | None:
    """Monte-Carlo standard errors of what a mixture of `parts` fitted to draws is worth.

    A jackknife over stretches of the chains: no average of draws gives them.
    """
    rates, weights = np.array(draws.rates), np.array(draws.weights)
    if not draws.sampled or rates.size < 2 * STRETCHES:
        return None
    found = []
    for stretch in np.array_split(np.arange(rates.size), STRETCHES):
        own, kept = np.delete(rates, stretch), np.delete(weights, stretch)
        others = WeightedRates(tuple(own.tolist()), tuple((kept / kept.sum()).tolist()), "", True)
        found.append(astuple(_worth(map_prior(others, components=(parts,)).prior)))
    spread = pd.DataFrame(found, dtype=float).std(ddof=0, skipna=False) * np.sqrt(STRETCHES - 1)
    local, *others = (float(error) for error in spread)
    return Worth(None if np.isnan(local) else local, *others)


def _paragraph(prior: str, answer: EssAnswer) -> str:
    """Return the sentences on what a prior is worth."""
    worth, errors = answer.worth, answer.errors
    local = (
        "has no finite or no positive expected local-information ratio (ELIR), as a part of the "
        "mixture has a shape below 1, or its density piles up at an end; it is worth"
        if worth.elir is None
        else f"is worth {worth.elir:.1f} patients{noise(errors and errors.elir)} by the expected "
        "local-information ratio (ELIR),"
    )
    fitted = ""
    if answer.distance is not None:
        fitted = (
            f" They are of a beta mixture, of shapes of at least 1, within {answer.distance:.2g} "
            "of its distribution."
        )
    noted = {name: noise(errors and getattr(errors, name)) for name in ("mean", "moment", "morita")}
    return (
        f"The prior is {prior}, with mean {rate_words(worth.mean)}{noted['mean']} and central 95 % "
        f"interval {rate_words(worth.low)} to {rate_words(worth.high)}. It {local} "
        f"{worth.moment:.1f}{noted['moment']} by its mean and variance, and {worth.morita:.1f}"
        f"{noted['morita']} by the curvature at its mode (Morita).{fitted}"
    )


def _pictures(result: DesignResult) -> Iterator[Picture]:
    from ...figures.design_ess import draw_design_ess

    yield Picture(
        "worth",
        "A prior on a rate and what it is worth",
        "Density, with mean and central 95 % interval; at the right, the patients that it is "
        "worth by the expected local-information ratio (ELIR), by its mean and variance (moment), "
        "and by the curvature at its mode (Morita).",
        ess_frame(result),
        draw_design_ess,
    )
