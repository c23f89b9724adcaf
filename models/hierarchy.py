"""The hierarchical model of all outcomes at once, as one PyMC model.

Disease levels are drawn around an overall level, studies around their disease. Counts and priors
are data of the model, so that it is compiled once for a set of diseases, outcomes and studies, and
then serves any counts and any priors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from .priors import DEFAULT, PriorSet, one_of
from .terms import Terms, build_terms, count_data

if TYPE_CHECKING:
    import pymc as pm

    from ..data.evidence import Evidence

Pooling = Literal["partial", "complete", "none", "exnex", "robust"]
POOLINGS: tuple[str, ...] = get_args(Pooling)

#: Degrees of freedom of the disease effects under ``robust`` pooling.
ROBUST_DEGREES = 4

#: Which kind of level (0 exchangeable, 1 own) p and q take in each combination, under ``exnex``.
COMBINATIONS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def build_model(
    evidence: Evidence, pooling: Pooling = "partial", priors: PriorSet = DEFAULT
) -> pm.Model:
    """Build the hierarchical model of an evidence.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : PriorSet
        Priors of the top-level parameters.

    Returns
    -------
    pymc.Model
        With ``mu``, ``tau``, ``sigma`` (dims outcome), ``theta``, ``rate`` (outcome, disease) and
        ``eta`` (effect: an outcome of a study); levels on the linear scale (log-odds; log hazard
        per year for ``death``), rates as probabilities (12-month risks for ``death``). ``tau`` is
        absent where diseases are not pooled partially; under ``exnex`` the levels stand as
        ``theta_exchangeable`` and ``theta_own`` beside the probabilities of the ``membership``
        (combination, outcome, disease), a child's with its parent's.

    Raises
    ------
    ValueError
        An unknown pooling, or a prior that cannot be used.

    References
    ----------
    Neuenschwander and others 2016, doi 10.1002/pst.1730 (``exnex``).
    """
    return hierarchy(
        build_terms(evidence.rows, evidence.outcome_names, evidence.diseases), pooling, priors
    )


def structure(pooling: str, diseases: tuple[str, ...]) -> str:
    """Name the structure of the levels: the pooling, or ``single`` where there is one disease.

    Raises
    ------
    ValueError
        An unknown pooling.
    """
    if pooling not in POOLINGS:
        raise ValueError(one_of("pooling", pooling, POOLINGS))
    return "single" if len(diseases) == 1 else pooling


def has_tau(pooling: str, diseases: tuple[str, ...]) -> bool:
    """Whether the model has a standard deviation between diseases."""
    return structure(pooling, diseases) in ("partial", "exnex", "robust")


def model_data(terms: Terms, pooling: str, priors: PriorSet) -> dict[str, np.ndarray]:
    """Gather everything that a compiled model reads as data.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling : str
        As in `build_model`.
    priors : PriorSet
        As in `build_model`.

    Returns
    -------
    dict of str to numpy.ndarray
        The model's ``pm.Data`` by name; refits with other counts or priors pass these to the
        compiled model.
    """
    return _prior_data(terms, pooling, priors) | count_data(terms)


def _prior_data(terms: Terms, pooling: str, priors: PriorSet) -> dict[str, np.ndarray]:
    from .quantile_table import quantile_table

    each = [priors.of(name) for name in terms.names]
    data = {
        "mu_quantiles": np.stack([quantile_table(p.mu, positive=False) for p in each]),
        "sigma_quantiles": np.stack([quantile_table(p.sigma, positive=True) for p in each]),
    }
    if has_tau(pooling, terms.diseases):
        data["tau_quantiles"] = np.stack([quantile_table(p.tau, positive=True) for p in each])
    if structure(pooling, terms.diseases) == "exnex":
        levels = [p.exnex.level or p.mu for p in each]
        data["own_quantiles"] = np.stack([quantile_table(p, positive=False) for p in levels])
        weights = np.array([p.exnex.weight for p in each])
        data["log_membership"] = _log_membership(weights, terms)
    return data


def _log_membership(weights: np.ndarray, terms: Terms) -> np.ndarray:
    """Log prior of each combination of memberships; shape (combination, outcome times disease).

    An outcome without a child has two combinations for each membership, at half its weight.
    """
    each = np.stack([weights, 1 - weights])
    prior = each[COMBINATIONS[:, 0]]
    half = np.full_like(prior, 0.5)
    for child, parent in enumerate(terms.parents):
        if parent >= 0:
            half[:, parent] = each[COMBINATIONS[:, 1], child]
    with np.errstate(divide="ignore"):
        return np.repeat(np.log(prior * half), len(terms.diseases), axis=1)


def hierarchy(terms: Terms, pooling: str, priors: PriorSet) -> pm.Model:
    """Build the model of `build_model` from terms of the likelihood."""
    import pymc as pm

    coords = {
        "outcome": list(terms.names),
        "disease": list(terms.diseases),
        "effect": list(terms.effects["label"]),
        "combination": list(range(len(COMBINATIONS))),
    }
    with pm.Model(coords=coords) as model:
        data = {
            name: pm.Data(name, values)
            for name, values in model_data(terms, pooling, priors).items()
        }
        levels = _LEVELS[structure(pooling, terms.diseases)](data)
        sigma = _parameter("sigma", data, positive=True)
        outcome, disease = (terms.effects[c].to_numpy() for c in ("outcome", "disease"))
        deviation = sigma[outcome] * pm.Normal("study_score", dims="effect")
        eta = [level[outcome, disease] + deviation for level in levels]
        total, membership = _log_likelihood(eta, data, terms)
        pm.Potential("log_likelihood", total)
        if len(levels) == 1:
            pm.Deterministic("theta", levels[0], dims=("outcome", "disease"))
            pm.Deterministic("eta", eta[0], dims="effect")
            pm.Deterministic("rate", _rates(levels[0], terms), dims=("outcome", "disease"))
        else:
            pm.Deterministic("theta_exchangeable", levels[0], dims=("outcome", "disease"))
            pm.Deterministic("theta_own", levels[1], dims=("outcome", "disease"))
            pm.Deterministic("study_deviation", deviation, dims="effect")
            shape = (len(COMBINATIONS), len(terms.outcomes), len(terms.diseases))
            membership = membership.reshape(shape)
            pm.Deterministic("membership", membership, dims=("combination", "outcome", "disease"))
    return model


def _parameter(name: str, data, positive: bool, dims=("outcome",), table: str | None = None):
    """Draw a top-level parameter: a normal score through the tabulated quantile function."""
    import pymc as pm
    import pytensor.tensor as pt

    from .operations import quantile_op

    score: Any = pm.Normal(f"{name}_score", dims=dims)
    matrix = score if len(dims) == 2 else score[:, None]
    outputs: Any = quantile_op(data[table or f"{name}_quantiles"], matrix)
    value = outputs[0]
    value = value if len(dims) == 2 else value[:, 0]
    return pm.Deterministic(name, pt.exp(value) if positive else value, dims=dims)


def _partial_levels(data):
    import pymc as pm

    score = pm.Normal("disease_score", dims=("outcome", "disease"))
    mu, tau = _parameter("mu", data, positive=False), _parameter("tau", data, positive=True)
    return [mu[:, None] + tau[:, None] * score]


def _robust_levels(data):
    import pymc as pm

    score = pm.StudentT("disease_score", nu=ROBUST_DEGREES, dims=("outcome", "disease"))
    mu, tau = _parameter("mu", data, positive=False), _parameter("tau", data, positive=True)
    return [mu[:, None] + tau[:, None] * score]


def _shared_levels(data):
    """One level for every disease: complete pooling, or a single disease."""
    import pymc as pm
    import pytensor.tensor as pt

    mu = _parameter("mu", data, positive=False)
    diseases = len(pm.modelcontext(None).coords["disease"])
    return [pt.repeat(mu[:, None], diseases, axis=1)]


def _separate_levels(data):
    dims = ("outcome", "disease")
    return [_parameter("level", data, positive=False, dims=dims, table="mu_quantiles")]


def _exnex_levels(data):
    dims = ("outcome", "disease")
    own = _parameter("own_level", data, positive=False, dims=dims, table="own_quantiles")
    return [*_partial_levels(data), own]


_LEVELS = {
    "partial": _partial_levels,
    "robust": _robust_levels,
    "complete": _shared_levels,
    "single": _shared_levels,
    "none": _separate_levels,
    "exnex": _exnex_levels,
}


def _rates(theta, terms: Terms):
    """Rates of the diseases; shape (outcome, disease)."""
    import pytensor.tensor as pt

    timed = np.array([o.timed for o in terms.outcomes])[:, None]
    hazard: Any = pt.exp(theta)
    survival_less_one: Any = pt.expm1(-hazard)
    own: Any = pt.where(timed, -survival_less_one, pt.sigmoid(theta))
    parents = terms.parents
    return own * pt.where((parents >= 0)[:, None], own[np.maximum(parents, 0)], 1.0)


def _log_likelihood(eta, data, terms: Terms):
    """Total log likelihood, and the probabilities of membership where levels are of two kinds."""
    import pytensor.tensor as pt

    from .operations import likelihood_op

    groups = len(terms.outcomes) * len(terms.diseases)
    if len(eta) == 1:
        kinds, log_weight = COMBINATIONS[:1], np.zeros((1, groups))
    else:
        kinds, log_weight = COMBINATIONS, data["log_membership"]
    counts = data["term_table"], data["pair_table"]
    outputs: Any = likelihood_op(pt.stack(eta), kinds, log_weight, *counts)
    return outputs[0], outputs[2]
