"""How large must the next trial be: the designs that answer it, and what a prior is worth."""

import numpy as np
import pandas as pd

from ...models.rates.effective_size import elir, moment, morita
from ...models.rates.fit import map_prior
from ...models.rates.prior import AnyPrior, RatePrior, WeightedRates, as_prior
from . import protocol
from .precision import precision
from .requests import DesignResult
from .single_arm import single_arm
from .two_arm import two_arm
from .two_stage import two_stage

__all__ = ["DesignResult", "ess", "precision", "single_arm", "two_arm", "two_stage"]

LEVELS = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}
# Stretches of draws that are left out in turn, each longer than a chain remembers.
STRETCHES = 10


def ess(*, prior: str | AnyPrior) -> DesignResult:
    """Tell how many patients a prior on a rate is worth, by three definitions.

    Parameters
    ----------
    prior : str or prior
        A beta mixture; draws or a density are described by the mixture fitted to them.

    Returns
    -------
    DesignResult
        `elir` is null where a part of a mixture has a shape below 1. Each number of a prior of
        draws has its Monte-Carlo error beside it.

    Raises
    ------
    ValueError
        When the prior is a fixed rate, which is worth any number of patients.

    References
    ----------
    Neuenschwander et al. 2020, doi:10.1111/biom.13252; Morita et al. 2008,
    doi:10.1111/j.1541-0420.2007.00888.x.
    """
    given, distance, errors = as_prior(prior), None, {}
    if isinstance(given, WeightedRates):
        if len(set(given.rates)) == 1:
            raise ValueError(
                f"prior {given}: a fixed rate is worth any number of patients; give beta(a,b)"
            )
        fitted = map_prior(given)
        mixture, distance = fitted.prior, fitted.distance
        errors = _errors(given, len(mixture.weights))
    else:
        mixture = given
    worth = _worth(mixture)
    answer = {**worth, "mixture": str(mixture), "distance": distance}
    request = {"design": "ess", "prior": given.words}
    priors = {"prior": given}
    words = "effective sample size of a prior on a rate"
    table = pd.DataFrame([answer | {"mixture": mixture.rounded}])
    answer |= {f"{name}_mcse": errors.get(name) for name in worth}
    return DesignResult(request, words, answer, table, protocol.ess(request, answer), priors=priors)


def _worth(mixture: RatePrior) -> dict[str, float | None]:
    return {
        "elir": elir(mixture),
        "moment": moment(mixture),
        "morita": morita(mixture),
        "mean": mixture.mean,
        "sd": mixture.sd,
        **{name: float(mixture.quantile(level)) for name, level in LEVELS.items()},
    }


def _errors(draws: WeightedRates, parts: int) -> dict[str, float]:
    """Monte-Carlo standard errors of what a mixture of `parts` fitted to draws is worth.

    A jackknife over stretches of the chains: no average of draws gives them.
    """
    rates, weights = np.array(draws.rates), np.array(draws.weights)
    if not draws.sampled or rates.size < 2 * STRETCHES:
        return {}
    found = []
    for stretch in np.array_split(np.arange(rates.size), STRETCHES):
        own, kept = np.delete(rates, stretch), np.delete(weights, stretch)
        others = WeightedRates(tuple(own.tolist()), tuple((kept / kept.sum()).tolist()), "", True)
        found.append(_worth(map_prior(others, components=(parts,)).prior))
    spread = pd.DataFrame(found, dtype=float).std(ddof=0, skipna=False) * np.sqrt(STRETCHES - 1)
    return {str(name): float(error) for name, error in spread.dropna().items()}
