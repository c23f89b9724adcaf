"""The hierarchical model of all outcomes at once, in the form that the sampler takes.

Disease levels are drawn around an overall level, studies around their disease. Counts and priors
are data of the model, so that it is compiled once for a set of diseases, outcomes and studies, and
then serves any counts and any priors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..pooling import ROBUST_DEGREES, has_tau, structure
from ..priors.sets import PriorSet, PriorsOfOutcomes
from ..terms import Terms, count_data
from .centring import centred_levels, may_be_centred

if TYPE_CHECKING:
    import pymc as pm

#: Which kind of level (0 exchangeable, 1 own) p and q take in each combination, under ``exnex``.
COMBINATIONS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def model_data(terms: Terms, pooling: str, priors: PriorSet) -> dict[str, np.ndarray]:
    """Gather everything that a compiled model reads as data.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling : str
        As in `hierarchy`.
    priors : PriorSet
        As in `hierarchy`.

    Returns
    -------
    dict of str to numpy.ndarray
        The model's ``pm.Data`` by name; refits with other counts or priors pass these to the
        compiled model.
    """
    data = _prior_data(terms, pooling, priors) | count_data(terms)
    if structure(pooling, terms.diseases) in ("partial", "robust") and may_be_centred(terms):
        data["centred"] = centred_levels(terms)
    return data


def _prior_data(terms: Terms, pooling: str, priors: PriorSet) -> dict[str, np.ndarray]:
    from ..priors.quantile_table import quantile_table

    each = [priors.of(name) for name in terms.names]
    kind, diseases = structure(pooling, terms.diseases), len(terms.diseases)
    levels = np.stack([quantile_table(p.mu, positive=False) for p in each])
    data = {"sigma_quantiles": np.stack([quantile_table(p.sigma, positive=True) for p in each])}
    if kind == "none":
        data["level_quantiles"] = np.repeat(levels, diseases, axis=0)
    else:
        data["mu_quantiles"] = levels
    if has_tau(pooling, terms.diseases):
        data["tau_quantiles"] = np.stack([quantile_table(p.tau, positive=True) for p in each])
    if kind == "exnex":
        own = [quantile_table(p.exnex.level or p.mu, positive=False) for p in each]
        data["own_quantiles"] = np.repeat(np.stack(own), diseases, axis=0)
        weights = np.array([p.exnex.weight for p in each])
        data["log_membership"] = _log_membership(weights, terms)
    if terms.design is not None:
        data["moderator_table"] = _moderator_table(terms, priors)
    return data


def _moderator_table(terms: Terms, priors: PriorSet) -> np.ndarray:
    """Lay out what the normal score of each coefficient adds to each level.

    Shape (effect, outcome times coefficient): an outcome's levels take nothing from the
    coefficients of the others, and none from spare ones.
    """
    assert terms.design is not None, "asked for with moderators only"
    outcome = terms.effects["outcome"].to_numpy()
    matrix = terms.design.matrix * moderator_deviations(terms, priors)[outcome, None]
    table = np.zeros((len(matrix), len(terms.names), terms.design.width))
    table[np.arange(len(matrix)), outcome, : matrix.shape[1]] = matrix
    return table.reshape(len(matrix), -1)


def moderator_deviations(terms: Terms, priors: PriorsOfOutcomes) -> np.ndarray:
    """Give the standard deviations of the priors of coefficients; shape (outcome,)."""
    each = [dict(priors.of(name).moderator.parameters) for name in terms.names]
    return np.array([parameters["sigma"] for parameters in each], dtype=float)


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
    """Build the compiled form of the hierarchy.

    Everything is a vector: over outcomes, over cells (a disease in an outcome) or over effects.
    Sums over one axis of a matrix, and reading its elements, take seconds to compile.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : PriorSet
        Priors of the top-level parameters.

    Returns
    -------
    pymc.Model
        With ``mu``, ``tau``, ``sigma``, ``theta``, ``rate`` and ``eta`` as in
        `textbook.build_model`, behind normal scores. Under ``exnex`` the levels stand as
        ``theta_exchangeable`` and ``theta_own`` beside the probabilities of the ``membership``
        (combination, outcome, disease), a child's with its parent's. With moderators ``beta`` as
        in `textbook.build_model`.

    Raises
    ------
    InputError
        An unknown pooling, or a prior that cannot be used.
    """
    import pymc as pm

    outcomes, diseases = len(terms.outcomes), len(terms.diseases)
    outcome_of_cell = np.repeat(np.arange(outcomes), diseases)
    outcome, disease = (terms.effects[c].to_numpy() for c in ("outcome", "disease"))
    coords = {
        "outcome": list(terms.names),
        "disease": list(terms.diseases),
        "cell": list(range(outcomes * diseases)),
        "effect": list(terms.effects["label"]),
        "combination": list(range(len(COMBINATIONS))),
    }
    if terms.design is not None:
        labels = list(terms.design.labels)
        cells_and_spare = range(outcomes * terms.design.width)
        coords |= {"coefficient": labels, "moderator_cell": list(cells_and_spare)}
    cells = ("outcome", "disease")

    def as_matrix(values, *leading: int):
        return values.reshape((*leading, outcomes, diseases))

    with pm.Model(coords=coords) as model:
        data = {
            name: pm.Data(name, values)
            for name, values in model_data(terms, pooling, priors).items()
        }
        levels: list[Any] = _LEVELS[structure(pooling, terms.diseases)](data, outcome_of_cell)
        sigma = _parameter("sigma", data, positive=True)
        deviation: Any = sigma[outcome] * pm.Normal("study_score", dims="effect")
        if terms.design is not None:
            deviation = deviation + _moderated(data, terms, priors)
        eta = [level[outcome * diseases + disease] + deviation for level in levels]
        total, membership = _log_likelihood(eta, data, terms)
        pm.Potential("log_likelihood", total)
        if len(levels) == 1:
            pm.Deterministic("theta", as_matrix(levels[0]), dims=cells)
            pm.Deterministic("eta", eta[0], dims="effect")
            pm.Deterministic("rate", as_matrix(_rates(levels[0], terms)), dims=cells)
        else:
            pm.Deterministic("theta_exchangeable", as_matrix(levels[0]), dims=cells)
            pm.Deterministic("theta_own", as_matrix(levels[1]), dims=cells)
            pm.Deterministic("study_deviation", deviation, dims="effect")
            membership = as_matrix(membership, len(COMBINATIONS))
            pm.Deterministic("membership", membership, dims=("combination", *cells))
    return model


def _moderated(data, terms: Terms, priors: PriorSet) -> Any:
    """Give what moderators add to each level; their coefficients stand in the model as ``beta``."""
    import pymc as pm
    import pytensor.tensor as pt

    score = pm.Normal("moderator_score", dims="moderator_cell")
    sd = moderator_deviations(terms, priors)
    beta = score.reshape((len(sd), -1)) * sd[:, None]
    assert terms.design is not None
    beta = beta[:, : len(terms.design.coefficients)]
    pm.Deterministic("beta", beta, dims=("outcome", "coefficient"))
    return pt.dot(data["moderator_table"], score)


def _parameter(name: str, data, positive: bool, dims: str = "outcome") -> Any:
    """Draw a top-level parameter: normal scores through their tabulated quantile functions."""
    import pymc as pm
    import pytensor.tensor as pt

    from .operations import quantile_op

    outputs: Any = quantile_op(data[f"{name}_quantiles"], pm.Normal(f"{name}_score", dims=dims))
    value = pt.exp(outputs[0]) if positive else outputs[0]
    return pm.Deterministic(name, value, dims=dims) if dims == "outcome" else value


def _exchangeable(family, data, outcome_of_cell, **degrees):
    """Levels around mu: by their scores, or themselves where that is the better coordinate."""
    import pytensor.tensor as pt

    mu, tau = _parameter("mu", data, positive=False), _parameter("tau", data, positive=True)
    level, spread = mu[outcome_of_cell], tau[outcome_of_cell]
    if "centred" not in data:
        return level + spread * family("disease_score", dims="cell", **degrees)
    centred: Any = data["centred"]
    own: Any = pt.where(centred, spread, 1.0)
    score = family("disease_score", mu=centred * level, sigma=own, dims="cell", **degrees)
    return pt.where(centred, score, level + spread * score)


def _partial_levels(data, outcome_of_cell):
    import pymc as pm

    return [_exchangeable(pm.Normal, data, outcome_of_cell)]


def _robust_levels(data, outcome_of_cell):
    import pymc as pm

    return [_exchangeable(pm.StudentT, data, outcome_of_cell, nu=ROBUST_DEGREES)]


def _shared_levels(data, outcome_of_cell):
    """One level for every disease: complete pooling, or a single disease."""
    return [_parameter("mu", data, positive=False)[outcome_of_cell]]


def _separate_levels(data, outcome_of_cell):
    return [_parameter("level", data, positive=False, dims="cell")]


def _exnex_levels(data, outcome_of_cell):
    own = _parameter("own", data, positive=False, dims="cell")
    return [*_partial_levels(data, outcome_of_cell), own]


_LEVELS = {
    "partial": _partial_levels,
    "robust": _robust_levels,
    "complete": _shared_levels,
    "single": _shared_levels,
    "none": _separate_levels,
    "exnex": _exnex_levels,
}


def _rates(theta, terms: Terms):
    """Rates of the cells, from their levels."""
    import pytensor.tensor as pt

    diseases = len(terms.diseases)
    timed = np.repeat([each.timed for each in terms.outcomes], diseases)
    parents = np.repeat(terms.parents, diseases)
    own: Any = pt.sigmoid(theta)
    if timed.any():
        hazard: Any = pt.exp(theta)
        survival_less_one: Any = pt.expm1(-hazard)
        own = pt.where(timed, -survival_less_one, own)
    if (parents >= 0).any():
        disease = np.tile(np.arange(diseases), len(terms.outcomes))
        of_parent = own[np.maximum(parents, 0) * diseases + disease]
        own = own * pt.where(parents >= 0, of_parent, 1.0)
    return own


def _log_likelihood(eta, data, terms: Terms):
    """Total log likelihood, and the probabilities of membership where levels are of two kinds."""
    import pytensor.tensor as pt

    from .operations import likelihood_op

    cells = len(terms.outcomes) * len(terms.diseases)
    if len(eta) == 1:
        levels, kinds, log_weight = eta[0], COMBINATIONS[:1], np.zeros((1, cells))
    else:
        levels, kinds, log_weight = pt.concatenate(eta), COMBINATIONS, data["log_membership"]
    outputs: Any = likelihood_op(levels, kinds, log_weight, data["term_table"], data["pair_table"])
    return outputs[0], outputs[2]
