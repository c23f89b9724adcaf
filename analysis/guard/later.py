"""Studies that came after a fit, predicted by it, and how far their counts were from that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import logit

from ...models.exact.distribution import Distribution
from ...models.exact.likelihood_table import rates
from ...models.exact.outcomes import ExactFit
from ..fitting.predict import Levels
from ..fitting.store import run_config
from .check import levels_of_fit, terms_of_fit
from .monte_carlo import mean_and_error
from .new_study import predicted, predicted_counts, total_probabilities

if TYPE_CHECKING:
    from xarray import DataTree

    from ...models.terms import Terms

INTEGRATED, DRAWN = "integrated", "draws"
COLUMNS = (
    *("study", "disease", "outcome", "events_min", "events_max", "n", "months"),
    *("expected", "q2.5", "q25", "q50", "q75", "q97.5", "mid_p", "mid_p_mcse", "method"),
)
_QUANTILES = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}
#: Share of a distribution below which a node is left out of a product.
_NEGLIGIBLE = 1e-9


@dataclass(frozen=True)
class Prediction:
    """A count that was predicted.

    Attributes
    ----------
    probabilities : numpy.ndarray, shape (patients + 1,)
        Of every count.
    below, within : float
        Probability of fewer than the least, and of at most the most, that was counted.
    error : float
        Standard (or numerical) error of the middle of both.
    """

    probabilities: np.ndarray
    below: float
    within: float
    error: float

    @property
    def mid_p(self) -> float:
        """Two-sided mid-p value; of a count within bounds at the middle of what they allow."""
        middle = (self.below + self.within) / 2
        return min(1.0, 2 * min(middle, 1 - middle))


def predict_later(fit: DataTree, integrated: ExactFit | None, rows: pd.DataFrame) -> pd.DataFrame:
    """Predict the counts of studies that a fit has not seen.

    Parameters
    ----------
    fit : xarray.DataTree
        The fit.
    integrated : ExactFit or None
        The same model integrated. An outcome of it is predicted exactly where its integral is of
        all that the fit knows; any other by the fit's draws, the study's effect integrated out.
    rows : pandas.DataFrame
        Treated arms of the studies; arms of one study and outcome are added up. What the fit knows
        no disease or outcome of is left out.

    Returns
    -------
    pandas.DataFrame
        One row a study and outcome, `COLUMNS`: what was counted, the ``expected`` count, quantiles
        of the predicted count, its two-sided mid-p value (of a count within bounds at the middle
        of what they allow) with its error, and the ``method``, `INTEGRATED` or `DRAWN`.

    References
    ----------
    Marshall and Spiegelhalter 2003, doi 10.1002/sim.1403 (mixed predictive mid-p values).
    """
    terms = terms_of_fit(fit)
    exact = exactly_known(fit, integrated)
    levels: Levels | None = None
    found = []
    for (study, name), own in rows.groupby(["study", "outcome"], sort=False):
        disease = str(own["disease"].iloc[0])
        if name not in terms.names or disease not in terms.diseases:
            continue
        if integrated is not None and name in exact:
            one, method = _integrated(integrated, str(name), own), INTEGRATED
        else:
            levels = levels_of_fit(fit) if levels is None else levels
            one, method = _drawn(levels, terms, str(name), own), DRAWN
        counts = np.arange(len(one.probabilities))
        below = one.probabilities.cumsum()
        found.append(
            {
                "study": study, "disease": disease, "outcome": name,
                **{column: int(own[column].sum()) for column in ("events_min", "events_max", "n")},
                "months": float(own["months"].max()),
                "expected": float(one.probabilities @ counts),
                **{q: int((below < p).sum()) for q, p in _QUANTILES.items()},
                "mid_p": one.mid_p, "mid_p_mcse": 2 * one.error, "method": method,
            }
        )  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS))


def exactly_known(fit: DataTree, integrated: ExactFit | None) -> set[str]:
    """Name the outcomes whose integral is of all that a fit knows of them."""
    if integrated is None:
        return set()
    names = set(integrated.posteriors)
    # A fit that was integrated itself knows no more than the integral does.
    alone = integrated.model.fitted_alone if run_config(fit)["engine"] == "nuts" else {}
    return names - set(alone)


def _drawn(levels: Levels, terms: Terms, name: str, rows: pd.DataFrame) -> Prediction:
    below, within, _ = predicted(levels, terms, name, rows)
    _, error = mean_and_error((below + within) / 2)
    counts = predicted_counts(levels, terms, name, rows).mean(axis=0)
    return Prediction(counts, float(below.mean()), float(within.mean()), error)


def _integrated(fit: ExactFit, name: str, rows: pd.DataFrame) -> Prediction:
    main, check = (_placed(_counts(fit, name, rows, coarser), rows) for coarser in (False, True))
    error = abs(main[1] + main[2] - check[1] - check[2]) / 2
    return Prediction(*main, error)


def _placed(counts: np.ndarray, rows: pd.DataFrame) -> tuple[np.ndarray, float, float]:
    """Find where the rows' total lies in a distribution."""
    below = np.concatenate([[0.0], np.minimum(counts.cumsum(), 1.0)])
    low, high = int(rows["events_min"].sum()), int(rows["events_max"].sum()) + 1
    return counts, float(below[low]), float(below[high])


def _counts(fit: ExactFit, name: str, rows: pd.DataFrame, coarser: bool) -> np.ndarray:
    """Probabilities of every total of the rows in the next study of their disease."""
    disease, parent = str(rows["disease"].iloc[0]), fit.model.parents.get(name)
    posterior = fit.posteriors[name]
    link = posterior.hierarchy.likelihoods.link
    assert link is not None, "rows of counts have a link"
    levels, masses = _heavy(posterior.distribution("new_study", disease, coarser))
    if parent is not None:
        above = fit.posteriors[parent].distribution("new_study", disease, coarser)
        outer, shares = _heavy(above)
        product = np.outer(rates(outer, "logit"), rates(levels, "logit"))
        levels = logit(np.clip(product, 1e-300, 1 - 1e-16)).ravel()
        masses = np.outer(shares, masses).ravel()
    return masses @ total_probabilities(levels, rows, link)


def _heavy(distribution: Distribution) -> tuple[np.ndarray, np.ndarray]:
    """Levels of a distribution that matter, and their probabilities."""
    levels, masses = distribution.source.nodes, distribution.source.masses[:, 0]
    kept = np.abs(masses) > _NEGLIGIBLE * np.abs(masses).max()
    return levels[kept], masses[kept] / masses[kept].sum()
