"""The hierarchy as one writes it in PyMC: named priors, scaled effects, counts as observations.

This is the model that users read, sample, extend and draw from. The sampler takes the compiled
form in `hierarchy`, which is the same model behind other variables; tests hold them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data.errors import InputError
from ...data.evidence import Evidence, as_evidence
from ...data.file_names import file_name
from ..pooling import ROBUST_DEGREES, Pooling, structure
from ..priors.files import prior_set
from ..priors.prior import Prior
from ..priors.sets import DEFAULT, PriorSet, PriorsOfOutcomes
from ..sources import keep_sources_beside_cache
from ..terms import Terms, build_terms
from .hierarchy import moderator_deviations

if TYPE_CHECKING:
    import pymc as pm

_CELLS = ("outcome", "disease")


def build_model(
    evidence: Evidence | str | Path | pd.DataFrame,
    pooling: Pooling = "partial",
    priors: PriorSet | str | Path = DEFAULT,
) -> pm.Model:
    """Build the hierarchical model of an evidence.

    Parameters
    ----------
    evidence : Evidence, str, Path or DataFrame
        The analysis set; a path or a table is read as `load_evidence` does.
    pooling : {"partial", "complete", "none", "exnex", "robust"}
        How diseases inform each other.
    priors : PriorSet, str or Path
        Priors of the top-level parameters: a set, its name, a prior file or the text of one.

    Returns
    -------
    pymc.Model
        With ``mu``, ``tau``, ``sigma`` (dims outcome); ``disease_effect`` and ``study_effect``,
        standard normal, of which tau and sigma are the scales; ``theta`` and ``rate`` (outcome,
        disease) and ``eta`` (effect: an outcome of a study); levels on the linear scale (log-odds;
        log hazard per year for timed outcomes), rates as probabilities (12-month risks). What a
        pooling does without is absent. Observed are ``events`` (row), known counts of rows that
        stand alone; ``events_bounded`` (bounded_row), of which only bounds are known, and whose
        observed value is their middle; ``events_nested`` (nested_row, member), a count and that
        among those who have it, each known or bounded. With moderators ``beta`` (outcome,
        coefficient) adds ``moderator`` times itself to ``eta``, as in `models.moderators.Design`;
        ``theta`` and ``rate`` are then of a study at the mean of the outcome's numbers, and in the
        middle of the levels of texts.

    Raises
    ------
    InputError
        An unknown pooling, or a prior that cannot be used.

    Notes
    -----
    ``pymc.sample_posterior_predictive`` keeps the old studies' effects unless ``study_effect`` is
    in ``sample_vars``.

    References
    ----------
    Neuenschwander and others 2016, doi 10.1002/pst.1730 (``exnex``).

    Examples
    --------
    >>> model = mp.build_model(evidence)
    >>> sorted(model.named_vars_to_dims)[:5]
    ['disease_effect', 'eta', 'events', 'events_bounded', 'mu']
    """
    evidence, priors = as_evidence(evidence), prior_set(priors)
    terms = build_terms(
        evidence.rows, evidence.outcome_names, evidence.diseases, evidence.moderators
    )
    return textbook(terms, pooling, priors)


def textbook(terms: Terms, pooling: str, priors: PriorsOfOutcomes) -> pm.Model:
    """Build the model of `build_model` from terms of the likelihood."""
    import pymc as pm

    keep_sources_beside_cache()
    rows = rows_by_kind(terms)
    coords = {
        "outcome": list(terms.names),
        "disease": list(terms.diseases),
        "effect": list(terms.effects["label"]),
        "member": ["parent", "child"],
        **{dim: list(table["label"]) for dim, table in rows.items() if len(table)},
    }
    if terms.design is not None:
        coords["coefficient"] = list(terms.design.labels)
    outcome, disease = (terms.effects[name].to_numpy() for name in _CELLS)
    with pm.Model(coords=coords) as model:
        theta = LEVELS[structure(pooling, terms.diseases)](terms, priors)
        sigma = parameter("sigma", terms, priors)
        study_effect = pm.Normal("study_effect", dims="effect")
        eta: Any = theta[outcome, disease] + sigma[outcome] * study_effect
        if terms.design is not None:
            matrix = pm.Data("moderator", terms.design.matrix, dims=("effect", "coefficient"))
            sd = moderator_deviations(terms, priors)[:, None]
            beta = pm.Normal("beta", 0, sd, dims=("outcome", "coefficient"))
            eta = eta + (matrix * beta[outcome]).sum(axis=1)
        pm.Deterministic("eta", eta, dims="effect")
        pm.Deterministic("rate", _rates(theta, terms), dims=_CELLS)
        for dim, observe in OBSERVED.items():
            if len(rows[dim]):
                observe(eta, rows[dim])
    return model


def rows_by_kind(terms: Terms) -> dict[str, pd.DataFrame]:
    """Lay out what is observed: known and bounded counts that stand alone, and nested pairs."""
    rows = terms.rows.assign(label=_labels(terms.rows))
    rows = rows.join(terms.terms[["effect", "child_effect", "timed", "years"]], on="term")
    is_child = rows["parent_row"] >= 0
    child = rows[is_child].set_index("parent_row")[["events_min", "events_max", "label"]]
    pairs = rows.join(child.add_prefix("child_"), how="inner")
    alone = rows[~is_child & ~rows.index.isin(child.index)]
    is_known = alone["events_min"] == alone["events_max"]
    return {"row": alone[is_known], "bounded_row": alone[~is_known], "nested_row": pairs}


def _labels(rows: pd.DataFrame) -> pd.Series:
    return rows["outcome"] + "/" + rows["study"] + "/" + rows["arm"]


def parameter(
    name: str,
    terms: Terms,
    priors: PriorsOfOutcomes,
    shown: str = "",
    dims: Sequence[str] = ("outcome",),
) -> Any:
    """Draw a top-level parameter of every outcome; one of each family where these differ."""
    import pymc as pm
    import pytensor.tensor as pt

    shown = shown or name
    each: list[Prior] = [getattr(priors.of(outcome), name) for outcome in terms.names]
    shape = [len(terms.diseases)] * (len(dims) - 1)
    if len({(prior.dist, prior.on) for prior in each}) == 1 and each[0].fixed is None:
        values = {
            parameter: np.array([dict(prior.parameters)[parameter] for prior in each])
            for parameter, _ in each[0].parameters
        }
        arrays = {key: value.reshape(-1, *[1] * len(shape)) for key, value in values.items()}
        return _drawn(shown, each[0], arrays, dims=dims)
    drawn = [
        _drawn(f"{shown}_{file_name(outcome)}", prior, dict(prior.parameters), dims=dims[1:])
        for outcome, prior in zip(terms.names, each, strict=True)
    ]
    return pm.Deterministic(shown, pt.stack([pt.broadcast_to(d, shape) for d in drawn]), dims=dims)


def _drawn(name: str, prior: Prior, parameters: dict[str, Any], dims: Sequence[str]) -> Any:
    """Draw one parameter, or fix it."""
    import pymc as pm
    import pytensor.tensor as pt

    dims = tuple(dims)
    if prior.fixed is not None:
        return pt.as_tensor_variable(float(prior.fixed))
    if prior.on == "variance":
        squared = getattr(pm, prior.dist)(f"{name}_squared", **parameters, dims=dims)
        return pm.Deterministic(name, pt.sqrt(squared), dims=dims)
    return getattr(pm, prior.dist)(name, **parameters, dims=dims)


def _exchangeable(effect, terms: Terms, priors: PriorsOfOutcomes) -> Any:
    import pymc as pm

    mu, tau = parameter("mu", terms, priors), parameter("tau", terms, priors)
    return pm.Deterministic("theta", mu[:, None] + tau[:, None] * effect, dims=_CELLS)


def _partial_levels(terms: Terms, priors: PriorsOfOutcomes) -> Any:
    import pymc as pm

    return _exchangeable(pm.Normal("disease_effect", dims=_CELLS), terms, priors)


def _robust_levels(terms: Terms, priors: PriorsOfOutcomes) -> Any:
    import pymc as pm

    effect = pm.StudentT("disease_effect", nu=ROBUST_DEGREES, dims=_CELLS)
    return _exchangeable(effect, terms, priors)


def _shared_levels(terms: Terms, priors: PriorsOfOutcomes) -> Any:
    import pymc as pm
    import pytensor.tensor as pt

    mu = parameter("mu", terms, priors)
    shape = (len(terms.outcomes), len(terms.diseases))
    return pm.Deterministic("theta", pt.broadcast_to(mu[:, None], shape), dims=_CELLS)


def _separate_levels(terms: Terms, priors: PriorsOfOutcomes) -> Any:
    return parameter("mu", terms, priors, shown="theta", dims=_CELLS)


def _exnex_levels(terms: Terms, priors: PriorsOfOutcomes) -> Any:
    """Draw each level around mu with the weight of exchangeability, else from its own prior."""
    import pymc as pm
    import pytensor.tensor as pt

    mu, tau = parameter("mu", terms, priors), parameter("tau", terms, priors)
    levels = []
    for code, outcome in enumerate(terms.names):
        exnex = priors.of(outcome).exnex
        own = exnex.level
        if own is None or own.fixed is not None:
            raise InputError(f"{outcome}: under exnex a disease's own level needs a density")
        shape = len(terms.diseases)
        around_mu = pm.Normal.dist(mu[code], tau[code], shape=shape)
        by_itself = getattr(pm, own.dist).dist(**dict(own.parameters), shape=shape)
        weights = np.array([exnex.weight, 1 - exnex.weight])
        name = f"theta_{file_name(outcome)}"
        levels.append(pm.Mixture(name, weights, [around_mu, by_itself], dims="disease"))
    return pm.Deterministic("theta", pt.stack(levels), dims=_CELLS)


#: By structure of the levels: what draws ``theta`` (outcome, disease), from terms and priors.
LEVELS = {
    "partial": _partial_levels,
    "robust": _robust_levels,
    "complete": _shared_levels,
    "single": _shared_levels,
    "none": _separate_levels,
    "exnex": _exnex_levels,
}


def _rates(theta, terms: Terms):
    """Rates from levels: a child's is that among those who have its parent, times the parent's."""
    import pytensor.tensor as pt

    own = [_probability(theta[i], o.timed, 1.0) for i, o in enumerate(terms.outcomes)]
    return pt.stack(
        [own[i] if parent < 0 else own[i] * own[parent] for i, parent in enumerate(terms.parents)]
    )


def _probability(level, timed, years) -> Any:
    """Probability of an outcome from its level; of a timed one within some years."""
    import pytensor.tensor as pt

    hazard: Any = pt.exp(level)
    less_survival: Any = pt.expm1(-hazard * years)
    return pt.where(np.asarray(timed), -less_survival, pt.sigmoid(level))


def _probabilities(eta, rows: pd.DataFrame) -> tuple[Any, Any]:
    """Probability of each row's outcome, and of its child among those who have it (1 if none)."""
    import pytensor.tensor as pt

    child = rows["child_effect"].to_numpy()
    p = _probability(eta[rows["effect"].to_numpy()], rows["timed"], rows["years"].to_numpy())
    return p, pt.where(child >= 0, pt.sigmoid(eta[np.maximum(child, 0)]), 1.0)


def _observe_known(eta, rows: pd.DataFrame) -> None:
    import pymc as pm

    p, q = _probabilities(eta, rows)
    counts = rows["events_min"].to_numpy()
    pm.Binomial("events", n=rows["n"].to_numpy(), p=p * q, observed=counts, dims="row")


def _observe_bounded(eta, rows: pd.DataFrame) -> None:
    import pymc as pm

    p, q = _probabilities(eta, rows)
    low, high = rows["events_min"].to_numpy(), rows["events_max"].to_numpy()
    pm.CustomDist(
        "events_bounded",
        rows["n"].to_numpy(),
        p * q,
        low,
        high,
        logp=partial(_log_within_bounds, width=int((high - low).max()) + 1),
        dist=_unbounded,
        observed=(low + high) // 2,
        dims="bounded_row",
        dtype="int64",
    )


def _unbounded(n, p, low, high, size):
    """Draw a count; bounds are what is seen of it."""
    import pymc as pm

    return pm.Binomial.dist(n=n, p=p, size=size)


def _log_within_bounds(value, n, p, low, high, width: int):
    """Log probability of a count from ``low`` to ``high`` of ``n``."""
    import pymc as pm
    import pytensor.tensor as pt

    count = low[..., None] + np.arange(width)
    each: Any = pm.logp(pm.Binomial.dist(n[..., None], p[..., None]), count)
    within = pt.where(pt.le(count, high[..., None]), each, -np.inf)
    return pm.math.logsumexp(within, axis=-1, keepdims=False) + 0 * value


def _observe_nested(eta, rows: pd.DataFrame) -> None:
    import pymc as pm

    p, q = _probabilities(eta, rows)
    names = ("events_min", "events_max", "child_events_min", "child_events_max")
    low, high, child_low, child_high = (rows[name].to_numpy() for name in names)
    middle = (low + high) // 2
    child_middle = np.minimum((child_low + child_high) // 2, middle)
    widths = int((high - low).max()) + 1, int((child_high - child_low).max()) + 1
    pm.CustomDist(
        "events_nested",
        rows["n"].to_numpy(),
        p,
        q,
        low,
        high,
        child_low,
        child_high,
        logp=partial(_log_of_pair, widths=widths),
        dist=_unbounded_pair,
        signature="(),(),(),(),(),(),()->(2)",
        observed=np.column_stack([middle, child_middle]),
        dims=("nested_row", "member"),
        dtype="int64",
    )


def _log_of_pair(value, n, p, q, low, high, child_low, child_high, widths: tuple[int, int]):
    """Log probability that parent and child are within their bounds, child within parent."""
    import pymc as pm
    import pytensor.tensor as pt

    count = low[..., None] + np.arange(widths[0])
    child = child_low[..., None, None] + np.arange(widths[1])
    of_parent: Any = pm.logp(pm.Binomial.dist(n[..., None], p[..., None]), count)
    possible = pt.minimum(child, count[..., None])
    of_child: Any = pm.logp(pm.Binomial.dist(count[..., None], q[..., None, None]), possible)
    allowed = pt.le(child, pt.minimum(child_high[..., None, None], count[..., None]))
    child_within = pm.math.logsumexp(pt.where(allowed, of_child, -np.inf), axis=-1, keepdims=False)
    within = pt.where(pt.le(count, high[..., None]), of_parent + child_within, -np.inf)
    return pm.math.logsumexp(within, axis=-1, keepdims=False) + 0 * value[..., 0]


def _unbounded_pair(n, p, q, low, high, child_low, child_high, size):
    """Draw a count, and how many of them have its child; bounds are what is seen of both."""
    import pymc as pm
    import pytensor.tensor as pt

    count = pm.Binomial.dist(n=n, p=p, size=size)
    return pt.stack([count, pm.Binomial.dist(n=count, p=q)], axis=-1)


#: By dim: what observes its rows of `rows_by_kind`, given the levels of the effects.
OBSERVED = {
    "row": _observe_known,
    "bounded_row": _observe_bounded,
    "nested_row": _observe_nested,
}
