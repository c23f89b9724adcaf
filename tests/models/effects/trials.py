"""Controlled studies as the tests of effects write them."""

import pandas as pd

from mscpool.models.priors.prior import Prior
from mscpool.models.priors.sets import Exnex, OutcomePriors


def normal(sd, mean=0.0):
    return Prior.make("Normal", mu=mean, sigma=sd)


def half_normal(sd):
    return Prior.make("HalfNormal", sigma=sd)


def priors(mu=2.0, tau=0.5, sigma=0.5):
    return OutcomePriors(normal(mu), half_normal(tau), half_normal(sigma), Exnex())


def arm(study, name, low, n, high=None, months=12.0, disease="all"):
    """One row: an arm named ``control`` or otherwise, with a count or bounds of it."""
    return {
        "study": study,
        "disease": disease,
        "arm": name,
        "events_min": low,
        "events_max": low if high is None else high,
        "n": n,
        "months": months,
    }


def trials(table, diseases=None, months=12.0):
    """Rows of two-arm studies from ``(events_control, n_control, events_treated, n_treated)``."""
    rows = []
    for i, (control, n_control, treated, n_treated) in enumerate(table):
        disease = diseases[i] if diseases else "all"
        rows.append(arm(f"s{i}", "control", control, n_control, None, months, disease))
        rows.append(arm(f"s{i}", "msc", treated, n_treated, None, months, disease))
    return pd.DataFrame(rows)
