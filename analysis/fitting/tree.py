"""The tree of a fit: draws, predictions, data and tables as groups with named dims."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ...models.priors.sets import PriorSet
from ...models.terms import Terms
from . import predict

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

#: Draws from the prior that a fit keeps.
PRIOR_DRAWS = 4000


def groups_of_draws(
    levels: predict.Levels,
    terms: Terms,
    pooling: str,
    priors: PriorSet,
    shape: tuple[int, int],
    rng: np.random.Generator,
) -> dict[str, xr.Dataset]:
    """Gather what draws of a posterior say: quantities, predictions, and the data behind them.

    Parameters
    ----------
    levels : Levels
        Draws of the posterior on the linear scale.
    terms, pooling, priors
        The model.
    shape : tuple of int
        Chains, and draws of each.
    rng : numpy.random.Generator
        Source of the predictions.

    Returns
    -------
    dict of str to xarray.Dataset
        ``posterior``, ``prior``, ``log_prior``, ``posterior_predictive``, ``mixed_predictive``,
        ``observed_data`` and ``constant_data``. Observed data have the names of what is predicted,
        as ArviZ wants it: ``events`` of each row, and ``unit_events``, what is left out at once.
    """
    before = predict.prior_levels(terms, pooling, priors, PRIOR_DRAWS, rng)
    fresh = predict.renew_studies(levels, terms, rng)
    prior = _quantities(before, terms, pooling, priors, rng)
    events = predict.replicate(levels, terms, rng)
    replicated = {
        "events": (("row",), events),
        "unit_events": (("unit",), _by_unit(events, terms)),
        "events_within_bounds": (("row",), predict.counts_within_bounds(levels, terms, rng)),
    }
    mixed = {"events": (("row",), predict.replicate(fresh, terms, rng))}
    return {
        "posterior": _grouped(_quantities(levels, terms, pooling, priors, rng), terms, shape),
        "prior": _grouped(prior, terms, (1, PRIOR_DRAWS)),
        "posterior_predictive": _grouped(replicated, terms, shape),
        "mixed_predictive": _grouped(mixed, terms, shape),
        "log_prior": _grouped(_log_prior(levels, terms, priors), terms, shape),
        **_data_groups(terms),
    }


def rows_of(fit: DataTree) -> pd.DataFrame:
    """Give the rows that a fit is of, as the evidence had them."""
    given = fit["constant_data"].to_dataset()
    columns = ("study", "disease", "arm", "outcome", "events_min", "events_max", "n", "months")
    return pd.DataFrame({name: given[name].to_numpy() for name in columns})


def log_likelihood_group(
    levels: predict.Levels, terms: Terms, shape: tuple[int, int]
) -> xr.Dataset:
    """Integrated log likelihood of each unit, dims chain, draw and unit."""
    values = predict.integrated_log_likelihood(levels, terms)
    return _grouped({"unit_events": (("unit",), values)}, terms, shape)


def _by_unit(events: np.ndarray, terms: Terms) -> np.ndarray:
    """Add up what a unit's rows count, but for rows within a parent's; shape (draw, unit)."""
    own = (terms.rows["parent_row"] < 0).to_numpy()
    unit = terms.terms["unit"].to_numpy()[terms.rows["term"].to_numpy()[own]]
    added = np.zeros((len(terms.units), len(events)), events.dtype)
    np.add.at(added, unit, events[:, own].T)
    return added.T


def _log_prior(levels: predict.Levels, terms: Terms, priors: PriorSet) -> dict[str, tuple]:
    """Log prior densities of top-level parameters; of an outcome in which one is fixed, zero."""
    drawn = {"mu": levels.mu, "tau": levels.tau, "sigma": levels.sigma}
    logs = {}
    for name, values in drawn.items():
        if values is None:
            continue
        each = [getattr(priors.of(outcome), name) for outcome in terms.names]
        columns = [
            np.zeros(len(values)) if prior.fixed is not None else prior.logpdf(values[:, place])
            for place, prior in enumerate(each)
        ]
        logs[name] = (("outcome",), np.column_stack(columns))
    if levels.beta is not None:
        each = [priors.of(outcome).moderator for outcome in terms.names]
        columns = [prior.logpdf(levels.beta[:, place]) for place, prior in enumerate(each)]
        logs["beta"] = (("outcome", "coefficient"), np.stack(columns, axis=1))
    return logs


def _quantities(
    levels: predict.Levels, terms: Terms, pooling: str, priors: PriorSet, rng
) -> dict[str, tuple]:
    """Everything reported of a hierarchy, each with its dims; draws first."""
    reported = predict.where_reported(levels, terms)
    new_disease = predict.new_disease_rates(reported, terms, pooling, priors, rng)
    return {
        "mu": (("outcome",), levels.mu),
        "tau": (("outcome",), levels.tau),
        "sigma": (("outcome",), levels.sigma),
        "theta": (("outcome", "disease"), levels.theta),
        "rate": (("outcome", "disease"), predict.rates(reported.theta, terms)),
        "new_study": (("outcome", "disease"), predict.new_study_rates(reported, terms, rng)),
        "new_disease": (("outcome",), new_disease),
        "study_rate": (("effect",), predict.study_rates(levels, terms)),
        "beta": (("outcome", "coefficient"), levels.beta),
    }


def _grouped(variables: dict[str, tuple], terms: Terms, shape: tuple[int, int]) -> xr.Dataset:
    """Name the dims of draws, folded back into chains."""
    import xarray as xr

    arrays = {
        name: (("chain", "draw", *dims), values.reshape(*shape, *values.shape[1:]))
        for name, (dims, values) in variables.items()
        if values is not None
    }
    used = {dim for dims, _ in arrays.values() for dim in dims}
    coords = {k: v for k, v in _coords(terms).items() if v[0] in used}
    coords |= {"chain": ("chain", range(shape[0])), "draw": ("draw", range(shape[1]))}
    return xr.Dataset(arrays, coords)


def _coords(terms: Terms) -> dict[str, tuple]:
    names, diseases = np.array(terms.names, object), np.array(terms.diseases, object)
    coords = {
        "outcome": ("outcome", names),
        "disease": ("disease", diseases),
        "row": ("row", _row_labels(terms)),
        "effect": ("effect", terms.effects["label"].to_numpy(object)),
        "unit": ("unit", terms.units["label"].to_numpy(object)),
        **_named(terms, "unit", terms.units),
    }
    if terms.design is not None:
        coords["coefficient"] = ("coefficient", np.array(terms.design.labels, object))
    return coords


def _named(terms: Terms, dim: str, table: pd.DataFrame) -> dict[str, tuple]:
    """Name outcome, disease and study of each unit or study effect."""
    names, diseases = np.array(terms.names, object), np.array(terms.diseases, object)
    return {
        f"{dim}_outcome": (dim, names[table["outcome"].to_numpy()]),
        f"{dim}_disease": (dim, diseases[table["disease"].to_numpy()]),
        f"{dim}_study": (dim, table["study"].to_numpy(object)),
    }


def _row_labels(terms: Terms) -> np.ndarray:
    rows = terms.rows
    return (rows["outcome"] + "/" + rows["study"] + "/" + rows["arm"]).to_numpy(object)


def _data_groups(terms: Terms) -> dict[str, xr.Dataset]:
    """Lay out the rows that were fitted: counts observed, and what was given with them."""
    import xarray as xr

    rows, labels = terms.rows, {"row": ("row", _row_labels(terms))}
    low, high = (rows[name].to_numpy() for name in ("events_min", "events_max"))
    # ArviZ compares with one number: of a bounded count the middle, rounded down.
    middle = (low + high) // 2
    observed = {
        "events": ("row", middle),
        "unit_events": ("unit", _by_unit(middle[None], terms)[0]),
    }
    given = {
        name: ("row", rows[name].to_numpy(object if rows[name].dtype.kind in "OT" else None))
        for name in (
            "events_min", "events_max", "n", "months", "study", "disease", "arm", "outcome",
            "parent_row",
        )
    }  # fmt: skip
    # Not beside the draws: ArviZ's tables have no place for what only some variables carry.
    given |= _named(terms, "effect", terms.effects)
    return {
        "observed_data": xr.Dataset(observed, labels | {"unit": _coords(terms)["unit"]}),
        "constant_data": xr.Dataset(given, labels | {"effect": _coords(terms)["effect"]}),
    }
