"""The named prior sets: what each says, and where it comes from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from scipy.special import logit

from ...data.mistakes import one_of
from ...data.names import counted_words, timed_words
from ...data.outcomes import DICTIONARY, Outcome
from .meaning import factor_words
from .prior import Prior
from .sets import DEFAULT, PriorSet

#: Turner and others 2015, Table IV, column of non-pharmacological treatments against placebo or
#: control: location and scale of the normal distribution of log(tau^2).
_TURNER_MARGINAL = (-2.56, 1.74)
_TURNER_SYMPTOMS = (-2.28, 1.71)
_TURNER_ADVERSE_EVENTS = (-2.10, 1.71)
_TURNER_DEATH = (-4.17, 1.55)

_CONTRASTS = "Made for contrasts between treatments, not for single-arm rates."


def _turner(log_variance: tuple[float, float]) -> Prior:
    """Prior of tau where the logarithm of its square is normal."""
    location, scale = log_variance
    return Prior.make("LogNormal", mu=location / 2, sigma=scale / 2)


def _level(rate: float) -> Prior:
    return Prior.make("Normal", mu=float(logit(rate)), sigma=0.7)


def _hazard(a_year: float) -> Prior:
    return Prior.make("Normal", mu=math.log(a_year), sigma=0.7)


def _of_any_rate(chosen: PriorSet, timed: Callable[[Prior], Prior]) -> PriorSet:
    """Let a set's prior of mu hold where the default set has one for an outcome alone, too.

    Where an outcome has no rate without a time, the prior is made from the default one instead.
    """
    for each in DICTIONARY:
        usual = DEFAULT.of(each.name).mu
        if each.timed:
            chosen = chosen.with_outcome(each.name, mu=timed(usual))
        elif usual != DEFAULT.mu and chosen.mu is not None:
            chosen = chosen.with_outcome(each.name, mu=chosen.mu)
    return chosen


def spare_harms(chosen: PriorSet, outcomes: Sequence[Outcome] = DICTIONARY) -> PriorSet:
    """Leave the default level to harms that a set does not name, where its own is of benefits.

    Parameters
    ----------
    chosen : PriorSet
        A set whose prior of mu, on the log-odds, speaks of benefits.
    outcomes : sequence of Outcome
        What is known of outcomes.

    Returns
    -------
    PriorSet
        The set, with the default prior of mu for each harm that it had none for.
    """
    for each in outcomes:
        if each.is_harm and "mu" not in chosen.special(each.name):
            chosen = chosen.with_outcome(each.name, mu=DEFAULT.of(each.name).mu)
    return chosen


def _beyond(prior: Prior, rate: float) -> float:
    """Probability that a typical rate is less than a rate, or less than that away from one."""
    low, high = logit([rate, 1 - rate])
    return float(prior.cdf(low) + 1 - prior.cdf(high))


_CLOSE, _HALF, _ONE = (Prior.make("HalfNormal", sigma=scale) for scale in (0.1, 0.5, 1))
_HALF_STUDENT = Prior.make("HalfStudentT", nu=4, sigma=0.5)
_UNIFORM = Prior.make("Logistic", mu=0, s=1)
_VAGUE = Prior.make("Normal", mu=0, sigma=10)
_TIMED = [each.name for each in DICTIONARY if each.timed]

_SETS = (
    DEFAULT,
    PriorSet(
        "tau_half_normal_0.5",
        f"Diseases resemble each other: the odds of two of them lie {factor_words(_HALF)}.",
        "Roever and others 2021",
        "10.1002/jrsm.1475",
        tau=_HALF,
    ),
    PriorSet(
        "tau_half_normal_1",
        "The prior of tau that the default set has too, named so that a comparison can begin "
        f"with it: the odds of two diseases lie {factor_words(_ONE)}.",
        "Roever and others 2021",
        "10.1002/jrsm.1475",
        tau=_ONE,
    ),
    PriorSet(
        "tau_half_cauchy_0.5",
        "Diseases probably resemble each other, but may differ without limit: a heavy tail lets "
        "the data say so.",
        "Gelman 2006",
        "10.1214/06-BA117A",
        tau=Prior.make("HalfCauchy", beta=0.5),
    ),
    PriorSet(
        "tau_half_student_t",
        "As the half-normal of 0.5, with the tail of a Student-t of four degrees of freedom: the "
        f"odds of two diseases lie {factor_words(_HALF_STUDENT)}.",
        "Gelman 2006",
        "10.1214/06-BA117A",
        tau=_HALF_STUDENT,
    ),
    PriorSet(
        "tau_exponential",
        "Penalised complexity: no difference between diseases is the base from which every step "
        "costs the same; tau exceeds 1.5 with probability 0.05.",
        "Simpson and others 2017",
        "10.1214/16-STS576",
        tau=Prior.make("Exponential", lam=-math.log(0.05) / 1.5),
    ),
    PriorSet(
        "tau_uniform",
        "Any standard deviation between diseases up to 4 is as likely as any other, which "
        "favours large ones.",
        "Gelman 2006",
        "10.1214/06-BA117A",
        tau=Prior.make("Uniform", lower=0, upper=4),
    ),
    PriorSet(
        "turner_marginal",
        "Heterogeneity as found across Cochrane meta-analyses with binary outcomes. " + _CONTRASTS,
        "Turner and others 2015",
        "10.1002/sim.6381",
        tau=_turner(_TURNER_MARGINAL),
    ),
    PriorSet(
        "turner_outcomes",
        "Heterogeneity as found across Cochrane meta-analyses of non-pharmacological treatments "
        "against control: of signs and symptoms, of adverse events, of deaths. " + _CONTRASTS,
        "Turner and others 2015",
        "10.1002/sim.6381",
        tau=_turner(_TURNER_SYMPTOMS),
    )
    .with_outcome("any_ae", tau=_turner(_TURNER_ADVERSE_EVENTS))
    .with_outcome("moderate_severe_ae", tau=_turner(_TURNER_ADVERSE_EVENTS))
    .with_outcome("serious_ae", tau=_turner(_TURNER_ADVERSE_EVENTS))
    .with_outcome("death", tau=_turner(_TURNER_DEATH)),
    _of_any_rate(
        PriorSet(
            "mu_uniform_rate",
            "Every typical rate between 0 and 1 is equally likely, serious events included; for a "
            "nested outcome that is its share of its parent. "
            + " ".join(
                f"{counted_words(name)}, which has no rate without a time, keeps the default."
                for name in _TIMED
            ),
            "Tuyl and others 2008",
            "10.1198/000313008X267839",
            mu=_UNIFORM,
        ),
        timed=lambda usual: usual,
    ),
    _of_any_rate(
        PriorSet(
            "mu_vague",
            "So wide on the log-odds that it is not vague at all for a rate: with probability "
            f"{100 * _beyond(_VAGUE, 0.05):.0f} % it lies below 5 % or above 95 %. For "
            f"{timed_words(_TIMED)} it spans hazards from none to instant.",
            "Lambert and others 2005",
            "10.1002/sim.2112",
            mu=_VAGUE,
        ),
        timed=lambda usual: Prior.make("Normal", mu=dict(usual.parameters)["mu"], sigma=10),
    ),
    spare_harms(
        PriorSet(
            "sceptical",
            "Few patients benefit, about one in five, and harm is common: adverse events in most, "
            "serious ones in about one in seven, one death in ten patient-years.",
            "Spiegelhalter and others 1994",
            "10.2307/2983527",
            mu=_level(0.2),
        )
        .with_outcome("any_ae", mu=_level(0.6))
        .with_outcome("moderate_severe_ae", mu=_level(0.5))
        .with_outcome("serious_ae", mu=_level(0.15))
        .with_outcome("death", mu=_hazard(0.1))
    ),
    spare_harms(
        PriorSet(
            "enthusiastic",
            "Most patients benefit, about seven in ten, and harm is rare: adverse events in one in "
            "five, serious ones in one in fifty, one death in a hundred patient-years.",
            "Spiegelhalter and others 1994",
            "10.2307/2983527",
            mu=_level(0.7),
        )
        .with_outcome("any_ae", mu=_level(0.2))
        .with_outcome("moderate_severe_ae", mu=_level(0.2))
        .with_outcome("serious_ae", mu=_level(0.02))
        .with_outcome("death", mu=_hazard(0.01))
    ),
    PriorSet(
        "near_complete_pooling",
        "All diseases have almost the same rate: what one study finds counts nearly fully for "
        f"every disease, as the odds of two of them lie {factor_words(_CLOSE)}.",
        "Gelman and Pardoe 2006",
        "10.1198/004017005000000517",
        tau=_CLOSE,
    ),
    PriorSet(
        "near_no_pooling",
        "Diseases have almost nothing to do with each other: each stands on its own studies.",
        "Gelman and Pardoe 2006",
        "10.1198/004017005000000517",
        tau=Prior.make("LogNormal", mu=math.log(3), sigma=0.1),
    ),
)

CATALOGUE: dict[str, PriorSet] = {each.name: each for each in _SETS}


def named_set(name: str) -> PriorSet:
    """Look up a set of the catalogue.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    PriorSet
        The set.

    Raises
    ------
    InputError
        An unknown name; lists the valid ones.

    Examples
    --------
    >>> print(mp.named_set("sceptical").sentence)
    Few patients benefit, about one in five, and harm is common: adverse events in most,
    serious ones in about one in seven, one death in ten patient-years.
    """
    return CATALOGUE[one_of(name, CATALOGUE, "prior set")]
