"""Small hierarchies of counts and their priors, as the tests of the exact engine write them."""

import numpy as np
import pandas as pd

from mscpool.models.exact.hierarchy import ExactHierarchy
from mscpool.models.exact.likelihood_table import count_likelihoods
from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex, OutcomePriors


def normal(sd, mean=0.0):
    return Prior.make("Normal", mu=mean, sigma=sd)


def half_normal(sd):
    return Prior.make("HalfNormal", sigma=sd)


def fixed(value):
    return Prior.make("DiracDelta", c=value)


def priors(mu=None, tau=None, sigma=None, exnex=None):
    return OutcomePriors(
        mu or normal(1.5), tau or half_normal(1.0), sigma or half_normal(0.5), exnex or Exnex()
    )


def counts(events, n, diseases=None, studies=None, months=None, highest=None):
    studies = studies or [f"s{i}" for i in range(len(n))]
    return pd.DataFrame(
        {
            "study": studies,
            "disease": diseases or ["all"] * len(n),
            "events_min": events,
            "events_max": highest or events,
            "n": n,
            "months": months or [np.nan] * len(n),
        }
    )


def hierarchy(*args, pooling="partial", link="logit", names=None, **kwargs):
    return ExactHierarchy(count_likelihoods(counts(*args, **kwargs), link, names), pooling)


def hyper(posterior):
    return posterior.hyper().set_index("parameter")
