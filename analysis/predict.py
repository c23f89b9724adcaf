"""What a posterior says of rates, of new studies, and of the data it was fitted to.

Everything here takes draws as plain arrays, shape (draw, ...), and the terms of the likelihood. It is
where study effects are drawn anew or kept, always by name, so that no old effect is used unseen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..models.hierarchy import COMBINATIONS, ROBUST_DEGREES, structure
from ..models.likelihood import count_data, log_likelihood_of_terms
from ..models.outcomes import inverse_link, link_function
from ..models.priors import PriorSet
from ..models.terms import Terms

#: Nodes of the quadrature over one study effect; two effects take its square.
_NODES_ONE, _NODES_TWO = 25, 17
#: How much wider than the approximate posterior of a study's level its nodes are spread.
_SPREAD = 1.3


@dataclass(frozen=True)
class Levels:
    """Draws of the hierarchy on the linear scale (log-odds; log hazard per year for ``death``).

    Attributes
    ----------
    mu, tau : numpy.ndarray or None
        Overall level and standard deviation between diseases, shape (draw, outcome); None where the
        pooling has none.
    sigma : numpy.ndarray
        Standard deviation between studies, shape (draw, outcome).
    theta : numpy.ndarray
        Levels of the diseases, shape (draw, outcome, disease).
    eta : numpy.ndarray
        Levels of the studies, shape (draw, effect).
    """

    mu: np.ndarray | None
    tau: np.ndarray | None
    sigma: np.ndarray
    theta: np.ndarray
    eta: np.ndarray

    def __len__(self) -> int:
        """Give the number of draws."""
        return len(self.sigma)


def levels_of(draws: dict[str, np.ndarray], terms: Terms, rng: np.random.Generator) -> Levels:
    """Read levels from sampled variables, drawing the membership that ``exnex`` sums out.

    Parameters
    ----------
    draws : dict of str to numpy.ndarray
        Variables of `models.hierarchy.build_model`, shape (draw, ...).
    terms : Terms
        The likelihood.
    rng : numpy.random.Generator
        Source of the memberships.

    Returns
    -------
    Levels
        On the linear scale.
    """
    if "theta" in draws:
        theta, eta = draws["theta"], draws["eta"]
    else:
        own = _draw_membership(draws["membership"], terms, rng)
        theta = np.where(own, draws["theta_own"], draws["theta_exchangeable"])
        eta = at_effects(theta, terms) + draws["study_deviation"]
    return Levels(draws.get("mu"), draws.get("tau"), draws["sigma"], theta, eta)


def _draw_membership(probability: np.ndarray, terms: Terms, rng) -> np.ndarray:
    """Draw which disease levels are their own; shape (draw, outcome, disease).

    A child's membership is drawn together with its parent's, from their joint probabilities.
    """
    below = probability.cumsum(axis=1) < rng.random((len(probability), 1, *probability.shape[2:]))
    combination = np.minimum(below.sum(axis=1), len(COMBINATIONS) - 1)
    own = COMBINATIONS[combination, 0].astype(bool)
    for child, parent in enumerate(terms.parents):
        if parent >= 0:
            own[:, child] = COMBINATIONS[combination[:, parent], 1]
    return own


def at_effects(theta: np.ndarray, terms: Terms) -> np.ndarray:
    """Pick the disease level of each study effect; shape (draw, effect)."""
    return theta[:, terms.effects["outcome"].to_numpy(), terms.effects["disease"].to_numpy()]


def prior_levels(
    terms: Terms, pooling: str, priors: PriorSet, size: int, rng: np.random.Generator
) -> Levels:
    """Draw levels from the prior.

    Parameters
    ----------
    terms : Terms
        The likelihood: its outcomes, diseases and studies.
    pooling : str
        How diseases inform each other.
    priors : PriorSet
        The priors.
    size : int
        Number of draws.
    rng : numpy.random.Generator
        Source of the draws.

    Returns
    -------
    Levels
        On the linear scale.
    """
    kind = structure(pooling, terms.diseases)
    each = [priors.of(name) for name in terms.names]
    shape = (size, len(terms.names), len(terms.diseases))
    sigma = np.stack([p.sigma.draw(rng, size) for p in each], axis=1)
    mu = tau = None
    if kind == "none":
        theta = np.stack([p.mu.draw(rng, (size, shape[2])) for p in each], axis=1)
    else:
        mu = np.stack([p.mu.draw(rng, size) for p in each], axis=1)
        theta = np.repeat(mu[:, :, None], shape[2], axis=2)
    if kind in ("partial", "exnex", "robust"):
        tau = np.stack([p.tau.draw(rng, size) for p in each], axis=1)
        theta = theta + tau[:, :, None] * _disease_scores(kind, shape, rng)
    if kind == "exnex":
        own = np.stack([(p.exnex.level or p.mu).draw(rng, (size, shape[2])) for p in each], axis=1)
        weight = np.array([p.exnex.weight for p in each])[:, None]
        theta = np.where(rng.random(shape) < weight, theta, own)
    eta = at_effects(theta, terms)
    eta = eta + _study_deviations(sigma, terms, rng)
    return Levels(mu, tau, sigma, theta, eta)


def _disease_scores(kind: str, shape, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_t(ROBUST_DEGREES, shape) if kind == "robust" else rng.standard_normal(shape)


def _study_deviations(sigma: np.ndarray, terms: Terms, rng) -> np.ndarray:
    codes = terms.effects["outcome"].to_numpy()
    return sigma[:, codes] * rng.standard_normal((len(sigma), len(codes)))


def renew_studies(levels: Levels, terms: Terms, rng: np.random.Generator) -> Levels:
    """Draw every study's effect anew, keeping the diseases: what other studies might have been."""
    eta = at_effects(levels.theta, terms) + _study_deviations(levels.sigma, terms, rng)
    return Levels(levels.mu, levels.tau, levels.sigma, levels.theta, eta)


def rates(theta: np.ndarray, terms: Terms) -> np.ndarray:
    """Turn levels into rates, a child's being the product of its own and its parent's.

    Parameters
    ----------
    theta : numpy.ndarray
        Levels on the linear scale, shape (draw, outcome) or (draw, outcome, any).
    terms : Terms
        Outcomes and their nesting.

    Returns
    -------
    numpy.ndarray
        Probabilities in the shape of ``theta``; 12-month risks for ``death``.
    """
    own = np.stack(
        [inverse_link(theta[:, k], each.link) for k, each in enumerate(terms.outcomes)], axis=1
    )
    for child, parent in enumerate(terms.parents):
        if parent >= 0:
            own[:, child] = own[:, child] * own[:, parent]
    return own


def new_study_rates(levels: Levels, terms: Terms, rng: np.random.Generator) -> np.ndarray:
    """Rates of the next study in each disease, its effect drawn; shape (draw, outcome, disease)."""
    deviation = levels.sigma[:, :, None] * rng.standard_normal(levels.theta.shape)
    return rates(levels.theta + deviation, terms)


def new_disease_rates(
    levels: Levels, terms: Terms, pooling: str, priors: PriorSet, rng: np.random.Generator
) -> np.ndarray | None:
    """Rates of a typical study of a disease not yet tried; None where the pooling knows no tau.

    Returns
    -------
    numpy.ndarray or None
        Probabilities, shape (draw, outcome).
    """
    if levels.mu is None or levels.tau is None:
        return None
    kind = structure(pooling, terms.diseases)
    theta = levels.mu + levels.tau * _disease_scores(kind, levels.mu.shape, rng)
    if kind == "exnex":
        each = [priors.of(name).exnex for name in terms.names]
        own = np.stack([e.level.draw(rng, len(levels)) for e in each if e.level], axis=1)
        weight = np.array([e.weight for e in each])
        theta = np.where(rng.random(theta.shape) < weight, theta, own)
    return rates(theta, terms)


def study_rates(levels: Levels, terms: Terms) -> np.ndarray:
    """Each study's own rate, shrunken towards its disease; probabilities, shape (draw, effect)."""
    codes = terms.effects["outcome"].to_numpy()
    place = {label: i for i, label in enumerate(terms.effects["label"])}
    out = np.empty_like(levels.eta)
    for i, (code, study) in enumerate(zip(codes, terms.effects["study"], strict=True)):
        out[:, i] = inverse_link(levels.eta[:, i], terms.outcomes[code].link)
        parent = terms.parents[code]
        if parent >= 0:
            partner = levels.eta[:, place[f"{terms.names[parent]}/{study}"]]
            out[:, i] *= inverse_link(partner, terms.outcomes[parent].link)
    return out


def replicate(levels: Levels, terms: Terms, rng: np.random.Generator) -> np.ndarray:
    """Draw the counts of every row anew, given the levels of their studies.

    Parents are drawn before the children within them, so that a replicated remission is among the
    replicated improvements.

    Returns
    -------
    numpy.ndarray
        Counts, shape (draw, row).
    """
    rows, place = terms.rows, {label: i for i, label in enumerate(terms.effects["label"])}
    nested = {o.name: o.parent for o in terms.outcomes if o.parent}
    counts = np.empty((len(levels), len(rows)), dtype=np.int64)
    order = sorted(range(len(rows)), key=lambda i: rows["outcome"].iloc[i] in nested)
    for i in order:
        row = rows.iloc[i]
        own = levels.eta[:, place[f"{row['outcome']}/{row['study']}"]]
        probability = _probability(own, row, terms)
        trials = np.full(len(levels), row["n"])
        if row["outcome"] in nested and row["parent_row"] >= 0:
            trials = counts[:, row["parent_row"]]
        elif row["outcome"] in nested:
            parent = levels.eta[:, place[f"{nested[row['outcome']]}/{row['study']}"]]
            probability = probability * inverse_link(parent, "logit")
        counts[:, i] = rng.binomial(trials, probability)
    return counts


def _probability(eta: np.ndarray, row: pd.Series, terms: Terms) -> np.ndarray:
    described = terms.outcomes[terms.names.index(row["outcome"])]
    return inverse_link(eta, described.link, row["months"] / 12 if described.timed else 1.0)


def counts_within_bounds(levels: Levels, terms: Terms, rng: np.random.Generator) -> np.ndarray:
    """Draw the unknown counts of bounded rows from their conditional posterior; keep the known ones.

    Returns
    -------
    numpy.ndarray
        Counts, shape (draw, row), each within its row's bounds.
    """
    rows, pairs = terms.rows, terms.pairs
    counts = np.tile(rows["events_min"].to_numpy(np.int64), (len(levels), 1))
    pair_rows = pairs.groupby("term").indices
    several = [t for t, where in pair_rows.items() if len(where) > 1]
    for term in several:
        chosen = _draw_pair(levels, terms, term, pair_rows[term], rng)
        for i in np.flatnonzero(rows["term"] == term):
            column = "child_count" if rows["parent_row"].iloc[i] >= 0 else "count"
            counts[:, i] = pairs[column].to_numpy()[chosen]
    return counts


def _draw_pair(levels: Levels, terms: Terms, term, places: np.ndarray, rng) -> np.ndarray:
    """Draw, for each draw of the levels, which of a term's pairs happened."""
    table = count_data(terms)
    one = {
        "term_table": np.repeat(table["term_table"][[term]], len(places), axis=0),
        "pair_table": np.column_stack(
            [terms.pairs["coefficient"].to_numpy(float)[places], terms.exponents()[places]]
        ),
    }
    one["term_table"][:, -2] = np.arange(len(places))
    one["term_table"][:, -1] = np.arange(len(places)) + 1
    effect, child = terms.terms.loc[term, ["effect", "child_effect"]].astype(int)
    shape = (len(levels), len(places))
    eta_p = np.broadcast_to(levels.eta[:, [effect]], shape).copy()
    eta_q = np.broadcast_to(levels.eta[:, [max(child, 0)]], shape).copy()
    value = log_likelihood_of_terms(eta_p, eta_q, one)
    weight = np.exp(value - value.max(axis=1, keepdims=True)).cumsum(axis=1)
    pick = (weight < rng.random((len(levels), 1)) * weight[:, -1:]).sum(axis=1)
    return places[pick]


def integrated_log_likelihood(levels: Levels, terms: Terms) -> np.ndarray:
    """Log likelihood of each unit with its study effects integrated out, given the diseases.

    A unit is a study's rows of one outcome with its child. The integral over the study effects is
    taken by Gauss-Hermite quadrature around the level that the unit's own counts suggest.

    Parameters
    ----------
    levels : Levels
        Draws; the study levels are not used.
    terms : Terms
        The likelihood.

    Returns
    -------
    numpy.ndarray
        Shape (draw, unit).

    References
    ----------
    Naylor and Smith 1982, doi 10.2307/2347995 (quadrature centred on the posterior); Merkle and
    others 2019, doi 10.1007/s11336-019-09679-0 (why the marginal and not the conditional
    likelihood).
    """
    theta = at_effects(levels.theta, terms)
    sigma = levels.sigma[:, terms.effects["outcome"].to_numpy()]
    table = count_data(terms)
    out = np.empty((len(levels), len(terms.units)))
    for unit, members in terms.terms.groupby("unit").indices.items():
        part = {**table, "term_table": table["term_table"][members]}
        out[:, unit] = _integrate_unit(theta, sigma, terms, members, part)
    return out


def _integrate_unit(theta, sigma, terms: Terms, members: np.ndarray, part) -> np.ndarray:
    mine = terms.terms.iloc[members]
    effect = int(mine["effect"].iloc[0])
    children = mine.loc[mine["child_effect"] >= 0, "child_effect"]
    child = int(children.iloc[0]) if len(children) else -1
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES_ONE if child < 0 else _NODES_TWO)
    p, log_weight_p = _nodes_around(theta, sigma, effect, terms, nodes, weights)
    if child < 0:
        value = _sum_terms(p, np.zeros_like(p), part)
        return _log_sum_exp(value + log_weight_p)
    q, log_weight_q = _nodes_around(theta, sigma, child, terms, nodes, weights)
    grid_p = np.repeat(p, len(nodes), axis=1)
    grid_q = np.tile(q, (1, len(nodes)))
    log_weight = np.repeat(log_weight_p, len(nodes), axis=1) + np.tile(log_weight_q, len(nodes))
    return _log_sum_exp(_sum_terms(grid_p, grid_q, part) + log_weight)


def _sum_terms(eta_p: np.ndarray, eta_q: np.ndarray, part) -> np.ndarray:
    """Log likelihood of a unit's terms at levels of shape (draw, node)."""
    shape = (eta_p.size, len(part["term_table"]))
    flat_p = np.ascontiguousarray(np.broadcast_to(eta_p.reshape(-1, 1), shape))
    flat_q = np.ascontiguousarray(np.broadcast_to(eta_q.reshape(-1, 1), shape))
    return log_likelihood_of_terms(flat_p, flat_q, part).sum(axis=1).reshape(eta_p.shape)


def _nodes_around(theta, sigma, effect: int, terms: Terms, nodes, weights):
    """Place nodes for one study's level, with the log weights that make them an average over it."""
    suggested, variance = _suggested_level(effect, terms)
    prior_variance = np.maximum(sigma[:, effect], 1e-9) ** 2
    precision = 1 / prior_variance + 1 / variance
    centre = (theta[:, effect] / prior_variance + suggested / variance) / precision
    spread = _SPREAD / np.sqrt(precision)
    levels = centre[:, None] + spread[:, None] * nodes
    score = (levels - theta[:, [effect]]) / np.sqrt(prior_variance)[:, None]
    log_ratio = nodes**2 / 2 - score**2 / 2 + np.log(spread / np.sqrt(prior_variance))[:, None]
    return levels, log_ratio + np.log(weights / np.sqrt(2 * np.pi))


def _suggested_level(effect: int, terms: Terms) -> tuple[float, float]:
    """Level that a study's own rows of an outcome suggest, and how wide; infinite where none do."""
    code, study = terms.effects.loc[effect, ["outcome", "study"]]
    described, rows = terms.outcomes[int(code)], terms.rows
    mine = rows[(rows["study"] == study) & (rows["outcome"] == described.name)]
    trials = mine["n"].to_numpy(float)
    for i, parent in enumerate(mine["parent_row"]):
        if parent >= 0:
            trials[i] = (rows["events_min"].iloc[parent] + rows["events_max"].iloc[parent]) / 2
    if described.parent and (mine["parent_row"] < 0).any() or trials.sum() < 1:
        return 0.0, np.inf
    middle = (mine["events_min"] + mine["events_max"]).sum() / 2
    rate = (min(middle, trials.sum()) + 0.5) / (trials.sum() + 1)
    years = mine["months"].mean() / 12 if described.timed else 1.0
    step = 1e-4 * rate * (1 - rate)
    slope = np.diff(link_function(np.array([rate - step, rate + step]), described.link, years))
    variance = rate * (1 - rate) / (trials.sum() + 1) * (slope[0] / (2 * step)) ** 2
    width = (mine["events_max"] - mine["events_min"]).sum() / trials.sum()
    return float(link_function(rate, described.link, years)), float(variance * (1 + 20 * width))


def _log_sum_exp(values: np.ndarray) -> np.ndarray:
    largest = values.max(axis=1, keepdims=True)
    return largest[:, 0] + np.log(np.exp(values - largest).sum(axis=1))
