"""Turn what somebody believes of rates into priors of mu and tau."""

from __future__ import annotations

import math

from ...data.errors import InputError
from ...data.outcomes import outcome
from ..outcomes import link_function
from ..sources import keep_sources_beside_cache
from .prior import Prior
from .sets import PriorSet


def elicit(
    lower: float | None = None,
    upper: float | None = None,
    *,
    factor: float | None = None,
    probability: float = 0.9,
    outcome_name: str = "",
    name: str = "elicited",
) -> PriorSet:
    """Turn beliefs about rates into a prior set.

    Parameters
    ----------
    lower, upper : float, optional
        The typical rate lies between these probabilities (12-month risks for ``death``).
    factor : float, optional
        The odds of 95 % of diseases lie within this factor of the typical odds (of the typical
        hazard for ``death``), above it or below.
    probability : float
        How sure of each of the two statements.
    outcome_name : str
        The outcome that it is about, which decides the scale; left out, every outcome, on the
        log-odds.
    name : str
        Name of the set.

    Returns
    -------
    PriorSet
        With mu where an interval was given and tau where a factor was; the rest is the default's.

    Raises
    ------
    InputError
        Nothing was said, half an interval, or impossible numbers.

    See Also
    --------
    elicit_mu, elicit_tau : the two translations.

    Examples
    --------
    >>> mine = mp.elicit(0.2, 0.6, factor=4, name="mine")
    >>> print(mine.mu, mine.tau)
    Normal(mu=-0.490414, sigma=0.544656) HalfNormal(sigma=0.430012)
    """
    if lower is None and upper is None and factor is None:
        raise InputError("nothing to elicit from: give lower and upper, or factor, or all three")
    if (lower is None) != (upper is None):
        raise InputError("an interval needs both its ends: give lower and upper")
    said, priors = [], {}
    about = f" of {outcome_name}" if outcome_name else ""
    if lower is not None and upper is not None:
        priors["mu"] = elicit_mu(lower, upper, probability, outcome_name)
        said.append(f"the typical rate{about} lies between {lower:g} and {upper:g}")
    if factor is not None:
        priors["tau"] = elicit_tau(factor, probability)
        said.append(f"the odds of 95 % of diseases{about} lie within a factor of {factor:g}")
    sentence = f"{probability:.0%} sure that " + ", and as sure that ".join(said) + "."
    if outcome_name:
        return PriorSet(name, sentence).with_outcome(outcome_name, **priors)
    return PriorSet(name, sentence, mu=priors.get("mu"), tau=priors.get("tau"))


def elicit_mu(
    lower: float, upper: float, probability: float = 0.9, outcome_name: str = ""
) -> Prior:
    """Turn "I am 90 % sure that the rate lies between a and b" into a prior of mu.

    Parameters
    ----------
    lower, upper : float
        Ends of the interval, probabilities strictly between 0 and 1 (12-month risks for ``death``).
    probability : float
        How sure, strictly between 0 and 1.
    outcome_name : str
        ``death`` is put on the log hazard a year, everything else on the log-odds; of a nested
        outcome the rate is its share of its parent.

    Returns
    -------
    Prior
        The normal distribution on the linear scale of greatest entropy with that probability
        between the ends.

    Raises
    ------
    InputError
        Ends that are no rates or in the wrong order, or a probability outside 0 to 1.

    References
    ----------
    Icazatti and others 2023, doi 10.21105/joss.05499 (PreliZ).
    """
    if not 0 < lower < upper < 1:
        raise InputError(
            f"the interval of a rate must have 0 < lower < upper < 1, not {lower:g} to {upper:g}"
        )
    _check_probability(probability)
    link = outcome(outcome_name).link
    ends = [float(link_function(rate, link)) for rate in (lower, upper)]
    mu, sigma = _greatest_entropy("Normal", ends[0], ends[1], probability)
    return Prior.make("Normal", mu=mu, sigma=sigma)


def elicit_tau(factor: float, probability: float = 0.9, share: float = 0.95) -> Prior:
    """Turn "rates in 95 % of diseases lie within a factor of" into a prior of tau.

    The factor holds for the odds, which for rare events are nearly the rates themselves (for
    ``death`` it holds for the hazards): with typical odds ``o`` that share of diseases has odds
    between ``o / factor`` and ``o * factor``. Levels being normal on the log-odds, it says that
    tau is at most ``log(factor) / 1.96``; for common events the rates themselves differ by less.

    Parameters
    ----------
    factor : float
        Above 1.
    probability : float
        How sure, strictly between 0 and 1.
    share : float
        Share of the diseases that it is said of, strictly between 0 and 1.

    Returns
    -------
    Prior
        The half-normal distribution with that probability of a tau no larger.

    Raises
    ------
    InputError
        A factor of 1 or less, or a probability or share outside 0 to 1.
    """
    from scipy.special import ndtri

    if not 1 < factor < math.inf:
        raise InputError(
            f"factor must be above 1, not {factor:g}: 3 means from a third to three times"
        )
    _check_probability(probability)
    _check_probability(share, "share")
    largest = math.log(factor) / float(ndtri((1 + share) / 2))
    (sigma,) = _greatest_entropy("HalfNormal", 0.0, largest, probability)
    return Prior.make("HalfNormal", sigma=sigma)


def _check_probability(value: float, name: str = "probability") -> None:
    if not 0 < value < 1:
        raise InputError(f"{name} must lie strictly between 0 and 1, not {value:g}")


def _greatest_entropy(family: str, lower: float, upper: float, mass: float) -> tuple[float, ...]:
    """Parameters of the distribution of greatest entropy with a mass between two ends."""
    keep_sources_beside_cache()  # of what PreliZ lets PyTensor compile
    import preliz

    fitted = getattr(preliz, family)()
    preliz.maxent(fitted, lower, upper, mass, plot=False)
    return tuple(float(value) for value in fitted.params)
