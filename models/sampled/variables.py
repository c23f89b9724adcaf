"""The model's variables at draws of its scores, as plain arrays.

The sampler keeps nothing but scores: whatever follows from them would take seconds to compile.
"""

from __future__ import annotations

import numpy as np

from ..pooling import has_tau, structure
from ..priors.sets import PriorSet
from ..terms import Terms
from .hierarchy import COMBINATIONS, moderator_deviations


def variables_of_scores(
    scores: dict[str, np.ndarray],
    terms: Terms,
    pooling: str,
    priors: PriorSet,
    data: dict[str, np.ndarray],
) -> dict[str, np.ndarray]:
    """Compute the variables of `hierarchy.hierarchy` but its rates, draw by draw.

    Parameters
    ----------
    scores : dict of str to numpy.ndarray
        Free variables of the model, shape (draw, ...): normal scores (Student's under ``robust``).
    terms : Terms
        The likelihood.
    pooling : str
        How diseases inform each other.
    priors : PriorSet
        The priors.
    data : dict of str to numpy.ndarray
        As `hierarchy.model_data` gives.

    Returns
    -------
    dict of str to numpy.ndarray
        Shape (draw, ...), on the linear scale: ``mu``, ``tau`` (where the pooling has them),
        ``sigma``, and ``theta`` and ``eta``; under ``exnex`` ``theta_exchangeable``,
        ``theta_own``, ``study_deviation`` and the probabilities of the ``membership`` instead. With
        moderators ``beta``, shape (draw, outcome, coefficient).
    """
    data = {name: _as_compiled(values) for name, values in data.items()}
    outcome, disease = (terms.effects[c].to_numpy() for c in ("outcome", "disease"))
    variables = {"sigma": np.exp(_quantiles("sigma", scores, data))}
    if structure(pooling, terms.diseases) != "none":
        variables["mu"] = _quantiles("mu", scores, data)
    if has_tau(pooling, terms.diseases):
        variables["tau"] = np.exp(_quantiles("tau", scores, data))
    theta = _exchangeable_levels(variables, scores, terms, data)
    deviation = variables["sigma"][:, outcome] * scores["study_score"]
    if terms.design is not None:
        sd = moderator_deviations(terms, priors)
        beta = scores["moderator_score"].reshape(len(deviation), len(sd), -1) * sd[:, None]
        variables["beta"] = beta[:, :, : len(terms.design.coefficients)]
        deviation = deviation + terms.design.offsets(variables["beta"], outcome)
    if "own_quantiles" not in data:
        return variables | {"theta": theta, "eta": theta[:, outcome, disease] + deviation}
    own = _quantiles("own", scores, data).reshape(theta.shape)
    levels = [each[:, outcome, disease] + deviation for each in (theta, own)]
    return variables | {
        "theta_exchangeable": theta,
        "theta_own": own,
        "study_deviation": deviation,
        "membership": _membership(np.concatenate(levels, axis=1), data, theta.shape[1:]),
    }


def _as_compiled(values: np.ndarray) -> np.ndarray:
    """View an array as read-only, as the sampler has it: other code serves what can be written."""
    view = values.view()
    view.flags.writeable = False
    return view


def _quantiles(name: str, scores, data) -> np.ndarray:
    """Tabulated quantiles at the scores of a parameter; shape (draw, outcome or cell)."""
    from .operations import read_quantiles

    table = data[f"{name}_quantiles"]
    return np.stack([read_quantiles(table, each)[0] for each in scores[f"{name}_score"]])


def _exchangeable_levels(found, scores, terms: Terms, data) -> np.ndarray:
    """Disease levels around the overall level, or apart; shape (draw, outcome, disease)."""
    shape = (len(found["sigma"]), len(terms.outcomes), len(terms.diseases))
    if "mu" not in found:
        return _quantiles("level", scores, data).reshape(shape)
    level = np.repeat(found["mu"][:, :, None], shape[2], axis=2)
    if "tau" in found:
        score = scores["disease_score"].reshape(shape)
        level = level + found["tau"][:, :, None] * score
        if "centred" in data:
            level = np.where(data["centred"].reshape(shape[1:]), score, level)
    return level


def _membership(eta: np.ndarray, data, cells: tuple[int, ...]) -> np.ndarray:
    """Probabilities of membership; shape (draw, combination, outcome, disease)."""
    from .likelihood import total_log_likelihood

    counts = data["log_membership"], data["term_table"], data["pair_table"]
    kinds = _as_compiled(COMBINATIONS)
    memberships = np.stack([total_log_likelihood(each, kinds, *counts)[2] for each in eta])
    return memberships.reshape(len(eta), len(COMBINATIONS), *cells)
