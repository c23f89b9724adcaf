"""Fit by integration: the tree of a fit from exact posteriors instead of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...models.exact.distribution import Distribution
from ...models.exact.draws import draw
from ...models.exact.outcomes import ExactFit, ExactModel, exact_model
from ...models.priors.sets import PriorSet
from ...models.terms import Terms, build_terms
from . import summary
from .diagnostics import DIAGNOSTICS
from .predict import Levels
from .progress import Progress
from .sampling import Sampling
from .store import canonical, request, run_config
from .tree import groups_of_draws, log_likelihood_group

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

    from ...data.evidence import Evidence

#: Probabilities at whose quantiles the density of a quantity is kept.
_TAIL = 10.0 ** np.arange(-9.0, -3.0)
_PROBABILITIES = np.concatenate([_TAIL, np.linspace(0.001, 0.999, 400), 1 - _TAIL[::-1]])


class NotIntegrated(UserWarning):
    """An outcome, or some rows of its parent, that the exact engine leaves to the sampler."""


def exact_tree(
    evidence: Evidence,
    pooling: str,
    priors: PriorSet,
    shape: tuple[int, int],
    seed: int,
    progress: Progress | None = None,
) -> DataTree:
    """Integrate every outcome that can be, and lay the result out as a fit.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.
    pooling : str
        How diseases inform each other.
    priors : PriorSet
        The priors.
    shape : tuple of int
        Chains, and draws of each: independent draws from the exact posterior, for predictions.
    seed : int
        Makes the draws repeatable.
    progress : callable, optional
        Called with the stage.

    Returns
    -------
    xarray.DataTree
        Groups as `fit.fit` gives, without what only a sampler has (``sample_stats``); ``rates`` and
        ``hyper`` hold integrals with their numerical errors, ``shown`` all that pictures and tables
        show of rates, ``densities`` the density of each. Draws and what follows from them
        (``log_likelihood`` too) are independent ones of the exact posterior.

    Raises
    ------
    NotExact
        An outcome asked for by name, or every one there is, is for the sampler only.
    """
    import xarray as xr

    if progress is not None:
        progress("integrating", 0, 0)
    model = _model_of(evidence, pooling)
    exact = model.fit(priors)
    terms = _terms_of(exact)
    rng = np.random.default_rng(seed)
    levels = _levels(exact, terms, shape[0] * shape[1], rng)
    groups = groups_of_draws(levels, terms, pooling, priors, shape, rng)
    groups["log_likelihood"] = log_likelihood_group(levels, terms, shape)
    groups |= _tables(exact, _asked(evidence) or terms.names)
    return xr.DataTree.from_dict(groups)


def shown_tree(exact: ExactFit) -> DataTree:
    """Lay integrals out as a fit that holds what pictures and tables of rates show, and no draws.

    Parameters
    ----------
    exact : ExactFit
        Integrated outcomes.

    Returns
    -------
    xarray.DataTree
        ``rates``, ``hyper``, ``shown`` and ``densities`` of `exact_tree`, and of ``posterior`` the
        names of outcomes and diseases only. For what predicts from draws take `exact_tree`.
    """
    import xarray as xr

    evidence, model = exact.model.evidence, exact.model
    names = {"outcome": list(exact.posteriors), "disease": list(evidence.diseases)}
    reported = _asked(evidence) or tuple(exact.posteriors)
    groups = {"posterior": xr.Dataset(coords=names), **_tables(exact, reported)}
    tree = xr.DataTree.from_dict(groups)
    config = request(evidence, model.pooling, exact.priors, **asdict(Sampling("exact")))
    tree.attrs["run_config"] = canonical(config)
    return tree


def _asked(evidence: Evidence) -> tuple[str, ...]:
    """Outcomes asked for by name, of those that have rows."""
    return tuple(n for n in evidence.selection.outcomes if n in evidence.outcome_names)


def _model_of(evidence: Evidence, pooling: str) -> ExactModel:
    model = exact_model(evidence, pooling, _asked(evidence) or None)
    if not model.hierarchies:
        raise next(iter(model.refused.values()))
    return model


def limits(evidence: Evidence) -> dict[str, dict[str, str]]:
    """Say what integration leaves to the sampler, as the run configuration of a fit keeps it.

    Parameters
    ----------
    evidence : Evidence
        The analysis set.

    Returns
    -------
    dict
        ``not_fitted``: by outcome, why it cannot be integrated, with the rows in the way;
        ``fitted_alone``: by parent of such an outcome, which rows of that do not enter.

    Raises
    ------
    NotExact
        As `exact_tree`.
    """
    model = _model_of(evidence, "partial")
    refused = {name: str(why) for name, why in model.refused.items()}
    return {"not_fitted": refused, "fitted_alone": model.fitted_alone}


def not_fitted(fit: DataTree) -> dict[str, str]:
    """Name the outcomes that a fit left to the sampler, each with the rows in the way."""
    return run_config(fit).get("not_fitted", {})


def left_to_the_sampler(fit: DataTree) -> list[str]:
    """Say which outcomes a fit left to the sampler, and which lack what those would tell."""
    config = run_config(fit)
    alone = config.get("fitted_alone", {})
    return [*not_fitted(fit).values(), *alone.values(), *filter(None, [config.get("sampled")])]


def _terms_of(found: ExactFit) -> Terms:
    """Terms of the outcomes that were integrated."""
    evidence, names = found.model.evidence, tuple(found.posteriors)
    rows = evidence.rows[evidence.rows["outcome"].isin(names)]
    return build_terms(rows, names, evidence.diseases)


def _levels(found: ExactFit, terms: Terms, size: int, rng: np.random.Generator) -> Levels:
    """Draw from every outcome's posterior and lay the draws out as the sampler's."""
    drawn = {name: draw(found.posteriors[name], size, rng) for name in terms.names}
    eta = np.empty((size, len(terms.effects)))
    codes, labels = terms.effects["outcome"].tolist(), terms.effects["study"].tolist()
    for place, (code, study) in enumerate(zip(codes, labels, strict=True)):
        name = terms.names[code]
        studies = found.posteriors[name].hierarchy.likelihoods.studies
        eta[:, place] = drawn[name].eta[:, studies.index(study)]
    each = list(drawn.values())
    return Levels(
        _side_by_side([d.mu for d in each]),
        _side_by_side([d.tau for d in each]),
        np.stack([d.sigma for d in each], axis=1),
        np.stack([d.theta for d in each], axis=1),
        eta,
    )


def _side_by_side(columns: list[np.ndarray | None]) -> np.ndarray | None:
    """Stack draws of the outcomes, shape (draw, outcome); None where the pooling has none."""
    present = [column for column in columns if column is not None]
    return np.stack(present, axis=1) if present else None


def _tables(found: ExactFit, reported: tuple[str, ...]) -> dict[str, xr.Dataset]:
    rates, hyper = found.rates(), found.hyper()
    rates = rates[rates["outcome"].isin(reported)].reset_index(drop=True)
    hyper = hyper[hyper["outcome"].isin(reported)].reset_index(drop=True)
    numbers = dict.fromkeys(summary.STATISTICS, float)
    tables = {
        "rates": summary.to_dataset(
            rates[list(summary.RATE_COLUMNS)].astype(
                {**numbers, "studies": float, "patients": float}
            )
        ),
        "hyper": summary.to_dataset(hyper[[*summary.HYPER_COLUMNS, "note"]].astype(numbers)),
    }
    nothing_sampled = dict.fromkeys(DIAGNOSTICS, np.nan)
    tables["hyper"].attrs.update(nothing_sampled | {"numerical_error": found.worst_error})
    tables["shown"] = summary.to_dataset(_shown(found))
    tables["densities"] = _densities(found)
    return tables


def _shown(found: ExactFit) -> pd.DataFrame:
    """Mean and quantiles of all that is shown of rates, as `summary.shown`."""
    rows = []
    for name, posterior in found.posteriors.items():
        likelihoods = posterior.hierarchy.likelihoods
        each: dict[tuple[str, str, str | None, str | None], Any] = {
            (name, quantity, disease, None): found.distribution(name, quantity, disease)
            for disease, quantity in posterior.quantities
        }
        for disease in likelihoods.diseases if name in found.model.parents else ():
            each[name, "share", disease, None] = posterior.distribution("rate", disease)
        for code, (study, own) in zip(
            likelihoods.disease, found.study_distributions(name).items(), strict=True
        ):
            each[name, "study_rate", likelihoods.diseases[code], study] = own
        wanted = np.array(list(summary.QUANTILES.values()))
        rows += [(*about, one.mean, *one.quantile(wanted)) for about, one in each.items()]
    return pd.DataFrame(
        rows, columns=["outcome", "quantity", "disease", "study", "mean", *summary.QUANTILES]
    )


def _densities(found: ExactFit) -> xr.Dataset:
    """Density of each rate and parameter at its own quantiles; dims entry and point."""
    keys = [
        (name, quantity, disease)
        for name, posterior in found.posteriors.items()
        for disease, quantity in [
            *posterior.quantities,
            *((None, parameter) for parameter in posterior.hierarchy.parameters),
        ]
    ]
    labels = pd.DataFrame(keys, columns=["outcome", "quantity", "disease"])
    densities = density_group([found.distribution(*key) for key in keys])
    return summary.to_dataset(labels).assign(densities.data_vars)


def density_group(distributions: Sequence[Distribution]) -> xr.Dataset:
    """Tabulate densities at each distribution's own quantiles.

    Parameters
    ----------
    distributions : sequence of Distribution
        One a row of the table that they belong to.

    Returns
    -------
    xarray.Dataset
        ``value`` and ``density``, dims entry and point, and ``probability``.
    """
    import xarray as xr

    values = np.stack([np.asarray(d.quantile(_PROBABILITIES)) for d in distributions])
    densities = np.stack([d.density_at(v) for d, v in zip(distributions, values, strict=True)])
    return xr.Dataset(
        {
            "value": (("entry", "point"), values),
            "density": (("entry", "point"), densities),
            "probability": ("point", _PROBABILITIES),
        }
    )
