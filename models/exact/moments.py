"""Which means exist: a heavy-tailed prior on what the data do not bound has none."""

from __future__ import annotations

import math

import numpy as np

from ...data.names import numbered
from ..priors.sets import OutcomePriors
from .stated import Hierarchy


def missing_moments(
    hierarchy: Hierarchy, priors: OutcomePriors
) -> dict[str, tuple[str | None, str | None]]:
    """Say which means and standard deviations do not exist on the linear scale, and why.

    A posterior density that falls as the power ``-order`` has a mean where order > 2 and a standard
    deviation where order > 3. The likelihood of a large tau falls by one power for each disease
    whose data bound its level at both ends, that of a large sigma by one for each such study.

    Parameters
    ----------
    hierarchy : Hierarchy
        The studies and the pooling.
    priors : OutcomePriors
        The priors.

    Returns
    -------
    dict
        By ``mu``, ``tau``, ``sigma`` or ``theta/DISEASE``: reasons why the mean and why the
        standard deviation does not exist, or None where it does.
    """
    orders = _orders(hierarchy, priors)
    return {
        name: (_reason("mean", order, what, 2), _reason("standard deviation", order, what, 3))
        for name, (order, what) in orders.items()
        if order <= 3
    }


def _reason(moment: str, order: float, what: str, needed: int) -> str | None:
    if order > needed:
        return None
    return f"the {moment} does not exist: {what}, so that its density falls as the power -{order:g}"


def _orders(hierarchy: Hierarchy, priors: OutcomePriors) -> dict[str, tuple[float, str]]:
    studies = hierarchy.likelihoods.falls_below & hierarchy.likelihoods.falls_above
    groups = hierarchy.bounded_groups
    if hierarchy.structure == "exnex" and priors.exnex.weight < 1:
        bounded = np.zeros_like(groups)
    else:
        bounded = groups
    tails = {name: getattr(priors, name).density.tail for name in ("mu", "tau", "sigma")}
    sigma = tails["sigma"] + int(studies.sum())
    orders = {
        "sigma": (
            sigma,
            f"{priors.sigma} and {numbered(int(studies.sum()), 'study', 'studies')} bound sigma",
        )
    }
    tau = tails["tau"] + int(bounded.sum()) if hierarchy.has_tau else math.inf
    if hierarchy.has_tau:
        orders["tau"] = (
            tau,
            f"{priors.tau} and {numbered(int(bounded.sum()), 'disease')} bound tau",
        )
    mu = _order_of_mu(hierarchy.structure, tails, bounded, groups)
    orders["mu"] = (mu, f"{priors.mu} and the data bound mu")
    for code, name in enumerate(hierarchy.likelihoods.diseases):
        if groups[code] or (hierarchy.structure == "single" and groups.any()):
            continue
        order = min(mu, tau) if hierarchy.has_tau else tails["mu"]
        orders[f"theta/{name}"] = (order, "its own data do not bound it")
    return orders


def _order_of_mu(structure: str, tails: dict[str, float], bounded, groups) -> float:
    if structure == "single":
        return math.inf if groups.any() else tails["mu"]
    if not bounded.any():
        return tails["mu"]
    # Mu can only leave the bounded diseases together with tau.
    return tails["mu"] + tails["tau"] + int(bounded.sum()) - 1
