"""How large must the next trial be: the designs that answer it, and what a prior is worth."""

import pandas as pd

from ..models.effective_size import elir, moment, morita
from ..models.rate_fit import map_prior
from ..models.rate_prior import AnyPrior, WeightedRates, as_prior
from .trial import protocol
from .trial.precision import precision
from .trial.requests import DesignResult
from .trial.single_arm import single_arm
from .trial.two_arm import two_arm
from .trial.two_stage import two_stage

__all__ = ["DesignResult", "ess", "precision", "single_arm", "two_arm", "two_stage"]

LEVELS = {"q2.5": 0.025, "q50": 0.5, "q97.5": 0.975}


def ess(*, prior: str | AnyPrior) -> DesignResult:
    """Tell how many patients a prior on a rate is worth, by three definitions.

    Parameters
    ----------
    prior : str or prior
        A beta mixture; draws or a density are described by the mixture fitted to them.

    Returns
    -------
    DesignResult
        `elir` is null where a part of a mixture has a shape below 1.

    Raises
    ------
    ValueError
        When the prior is a fixed rate, which is worth any number of patients.

    References
    ----------
    Neuenschwander et al. 2020, doi:10.1111/biom.13252; Morita et al. 2008,
    doi:10.1111/j.1541-0420.2007.00888.x.
    """
    given, distance = as_prior(prior), None
    if isinstance(given, WeightedRates):
        if len(set(given.rates)) == 1:
            raise ValueError(
                f"prior {given}: a fixed rate is worth any number of patients; give beta(a,b)"
            )
        fitted = map_prior(given)
        mixture, distance = fitted.prior, fitted.distance
    else:
        mixture = given
    answer = {
        "elir": elir(mixture),
        "moment": moment(mixture),
        "morita": morita(mixture),
        "mean": mixture.mean,
        "sd": mixture.sd,
        **{name: float(mixture.quantile(level)) for name, level in LEVELS.items()},
        "mixture": str(mixture),
        "distance": distance,
    }
    request = {"design": "ess", "prior": given.words}
    priors = {"prior": given}
    words = "effective sample size of a prior on a rate"
    table = pd.DataFrame([answer | {"mixture": mixture.rounded}])
    return DesignResult(request, words, answer, table, protocol.ess(request, answer), priors=priors)
