"""What a posterior says of rates, of new studies, and of the data it was fitted to.

Everything here takes draws as plain arrays, shape (draw, ...), and the terms of the likelihood. It
is where study effects are drawn anew or kept, always by name, so that no old effect is used unseen.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ...models.outcomes import inverse_link
from ...models.pooling import ROBUST_DEGREES, structure
from ...models.priors.prior import Prior
from ...models.priors.quantile_table import LARGEST_DEVIATION, LEAST_DEVIATION
from ...models.priors.sets import PriorSet
from ...models.sampled.hierarchy import COMBINATIONS, moderator_deviations
from ...models.terms import Terms, count_data


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
    beta : numpy.ndarray or None
        Coefficients of moderators as in `models.moderators.Design`, shape (draw, outcome,
        coefficient); None without moderators. ``theta`` and ``mu`` are then levels of a study of
        which the moderators say nothing: `where_reported` moves them.
    """

    mu: np.ndarray | None
    tau: np.ndarray | None
    sigma: np.ndarray
    theta: np.ndarray
    eta: np.ndarray
    beta: np.ndarray | None = None

    @classmethod
    def of_diseases(
        cls,
        sigma: np.ndarray,
        theta: np.ndarray,
        mu: np.ndarray | None = None,
        tau: np.ndarray | None = None,
        beta: np.ndarray | None = None,
    ) -> Levels:
        """Hold draws of the diseases alone: no study has a level."""
        return cls(mu, tau, sigma, theta, np.empty((len(sigma), 0)), beta)

    def __len__(self) -> int:
        """Give the number of draws."""
        return len(self.sigma)


def levels_of(draws: dict[str, np.ndarray], terms: Terms, rng: np.random.Generator) -> Levels:
    """Read levels from sampled variables, drawing the membership that ``exnex`` sums out.

    Parameters
    ----------
    draws : dict of str to numpy.ndarray
        Variables of `models.sampled.hierarchy.hierarchy`, shape (draw, ...).
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
        eta = _of_disease(theta, terms) + draws["study_deviation"]
    mu, tau, beta = (draws.get(name) for name in ("mu", "tau", "beta"))
    return Levels(mu, tau, draws["sigma"], theta, eta, beta)


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


def at_effects(levels: Levels, terms: Terms) -> np.ndarray:
    """Give the level that each study is expected to have; shape (draw, effect).

    That of its disease, and what the moderators add.
    """
    return _of_disease(levels.theta, terms) + moderated(levels.beta, terms)


def _of_disease(theta: np.ndarray, terms: Terms) -> np.ndarray:
    return theta[:, terms.effects["outcome"].to_numpy(), terms.effects["disease"].to_numpy()]


def moderated(beta: np.ndarray | None, terms: Terms) -> np.ndarray:
    """Give what moderators add to the level of each study, shape (draw, effect); 0 without any."""
    if terms.design is None:
        return np.zeros((1, 1))
    assert beta is not None, "draws of a fit with moderators hold their coefficients"
    return terms.design.offsets(beta, terms.effects["outcome"].to_numpy())


def moderated_level(levels: Levels, terms: Terms, outcome: int, study: str) -> np.ndarray:
    """Give what moderators add to the level of one study in an outcome; shape (draw,)."""
    if terms.design is None:
        return np.zeros(len(levels))
    assert levels.beta is not None, "draws of a fit with moderators hold their coefficients"
    codes, studies = terms.effects["outcome"].to_numpy(), terms.effects["study"].to_numpy()
    (place,) = np.flatnonzero((codes == outcome) & (studies == study))
    return levels.beta[:, outcome] @ terms.design.matrix[place]


def where_reported(levels: Levels, terms: Terms) -> Levels:
    """Move the levels of diseases to the values of the moderators that rates are reported at."""
    if terms.design is None:
        return levels
    assert levels.beta is not None, "draws of a fit with moderators hold their coefficients"
    shift = terms.design.shift(levels.beta)
    mu = None if levels.mu is None else levels.mu + shift
    return replace(levels, mu=mu, theta=levels.theta + shift[:, :, None])


def prior_levels(
    terms: Terms, pooling: str, priors: PriorSet, size: int, rng: np.random.Generator
) -> Levels:
    """Draw levels from the prior.

    Parameters
    ----------
    terms, pooling, priors
        The model.
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
    sigma = _deviations([p.sigma for p in each], size, rng)
    mu = tau = None
    if kind == "none":
        theta = np.stack([p.mu.draw(rng, (size, shape[2])) for p in each], axis=1)
    else:
        mu = np.stack([p.mu.draw(rng, size) for p in each], axis=1)
        theta = np.repeat(mu[:, :, None], shape[2], axis=2)
    if kind in ("partial", "exnex", "robust"):
        tau = _deviations([p.tau for p in each], size, rng)
        theta = theta + tau[:, :, None] * _disease_scores(kind, shape, rng)
    if kind == "exnex":
        own = np.stack([(p.exnex.level or p.mu).draw(rng, (size, shape[2])) for p in each], axis=1)
        weight = np.array([p.exnex.weight for p in each])[:, None]
        theta = np.where(rng.random(shape) < weight, theta, own)
    beta = None
    if terms.design is not None:
        sd = moderator_deviations(terms, priors)
        coefficients = len(terms.design.coefficients)
        beta = sd[:, None] * rng.standard_normal((size, len(sd), coefficients))
    return renew_studies(Levels.of_diseases(sigma, theta, mu, tau, beta), terms, rng)


def _deviations(priors: list[Prior], size: int, rng: np.random.Generator) -> np.ndarray:
    """Draw standard deviations, held within the bounds of the sampled model; (draw, outcome)."""
    drawn = np.stack([prior.draw(rng, size) for prior in priors], axis=1)
    return np.clip(drawn, LEAST_DEVIATION, LARGEST_DEVIATION)


def _disease_scores(kind: str, shape, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_t(ROBUST_DEGREES, shape) if kind == "robust" else rng.standard_normal(shape)


def _study_deviations(sigma: np.ndarray, terms: Terms, rng) -> np.ndarray:
    codes = terms.effects["outcome"].to_numpy()
    return sigma[:, codes] * rng.standard_normal((len(sigma), len(codes)))


def renew_studies(levels: Levels, terms: Terms, rng: np.random.Generator) -> Levels:
    """Draw every study's effect anew, keeping the diseases: what other studies might have been."""
    eta = at_effects(levels, terms) + _study_deviations(levels.sigma, terms, rng)
    return replace(levels, eta=eta)


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
    """Draw the unknown counts of bounded rows from their conditional posterior; keep known ones.

    Returns
    -------
    numpy.ndarray
        Counts, shape (draw, row), each within its row's bounds, a nested child's within its
        parent's.
    """
    table, counted = count_data(terms), terms.pairs[["count", "child_count"]].to_numpy()
    nested = (terms.rows["parent_row"] >= 0).to_numpy(int)
    start, stop = table["term_table"][:, -2:].astype(int).T
    rows_of_term = _positions(terms.rows["term"])
    counts = np.empty((len(levels), len(terms.rows)), dtype=np.int64)
    for term, rows in rows_of_term.items():
        chosen = start[term]
        if stop[term] - start[term] > 1:
            chosen = _draw_pair(levels, table, term, rng)
        for row in rows:
            counts[:, row] = counted[chosen, nested[row]]
    return counts


def _draw_pair(
    levels: Levels, table: dict[str, np.ndarray], term: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw which of a term's pairs happened, as its place in the table of pairs; shape (draw,)."""
    from ...models.sampled.likelihood import log_likelihood_of_terms

    effect, child, start, stop = table["term_table"][term, [1, 2, -2, -1]].astype(int)
    each_pair = np.repeat(table["term_table"][[term]], stop - start, axis=0)
    each_pair[:, -2], each_pair[:, -1] = range(start, stop), range(start + 1, stop + 1)
    shape = (len(levels), stop - start)
    eta_p = np.broadcast_to(levels.eta[:, [effect]], shape).copy()
    eta_q = np.broadcast_to(levels.eta[:, [max(child, 0)]], shape).copy()
    value = log_likelihood_of_terms(eta_p, eta_q, {**table, "term_table": each_pair})
    weight = np.exp(value - value.max(axis=1, keepdims=True)).cumsum(axis=1)
    picked = (weight < rng.random((len(levels), 1)) * weight[:, -1:]).sum(axis=1)
    return start + picked


def integrated_log_likelihood(levels: Levels, terms: Terms) -> np.ndarray:
    """Log likelihood of each unit with its study effects integrated out, given the diseases.

    A unit is a study's rows of one outcome with its child.

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
    Merkle and others 2019, doi 10.1007/s11336-019-09679-0 (why the marginal and not the conditional
    likelihood).
    """
    from ...models.sampled.likelihood import integrated_log_likelihood_of_terms

    theta = at_effects(levels, terms)
    sigma = np.maximum(levels.sigma, LEAST_DEVIATION)[:, terms.effects["outcome"].to_numpy()]
    table = count_data(terms)
    parts = [
        (unit, effects, part)
        for unit, members in _positions(terms.terms["unit"]).items()
        for effects, part in _independent_parts(table, members)
    ]

    def integrate(item) -> np.ndarray:
        _, effects, part = item
        return integrated_log_likelihood_of_terms(theta[:, effects], sigma[:, effects], part)

    out = np.zeros((len(levels), len(terms.units)))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (unit, *_), value in zip(parts, pool.map(integrate, parts), strict=True):
            out[:, unit] += value
    return out


def _independent_parts(table: dict[str, np.ndarray], members: np.ndarray):
    """Split a unit with two effects into two with one where its probability is a product of both.

    Returns
    -------
    list of (list of int, dict)
        Codes of the effects of p and q, and the tables of `count_data` for their terms.
    """
    mine, pairs = table["term_table"][members], table["pair_table"]
    effects = [int(mine[0, 1]), int(mine[:, 2].max())]
    whole = {"term_table": mine, "pair_table": pairs}
    if effects[1] < 0:
        return [([effects[0]] * 2, whole)]
    first = mine[:, -2].astype(int)
    if (mine[:, -1] - mine[:, -2] > 1).any() or pairs[first, 5].any():
        return [(effects, whole)]
    coefficient_p_q = pairs[first]
    parts = []
    for effect, columns in zip(effects, ([0, 1, 2], [3, 4]), strict=True):
        one = np.zeros_like(coefficient_p_q)
        one[:, 3 - len(columns) : 3] = coefficient_p_q[:, columns]
        each = mine.copy()
        each[:, 2], each[:, -2], each[:, -1] = -1, range(len(one)), range(1, len(one) + 1)
        parts.append(([effect] * 2, {"term_table": each, "pair_table": one}))
    return parts


def _positions(codes: pd.Series) -> dict[int, np.ndarray]:
    """Positions of each code."""
    values = codes.to_numpy()
    order = np.argsort(values, kind="stable")
    found, first = np.unique(values[order], return_index=True)
    return dict(zip(found.tolist(), np.split(order, first[1:]), strict=True))
