"""What a fit says of its moderators: coefficients, and what they take from the spread."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ...data.moderators import Moderator, levels_seen
from ...models.terms import Terms
from . import summary
from .store import as_result, run_config

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

COLUMNS = (
    *("outcome", "moderator", "contrast", "reference", "per", "scale"),
    *(*summary.STATISTICS, "probability_positive", "ratio_q2.5", "ratio_q50", "ratio_q97.5"),
    "studies",
)
_SPREAD = ("mean", "mcse_mean", "q2.5", "q50", "q97.5")
SPREAD_COLUMNS = (
    *("outcome", "parameter", "taken", "taken_mcse"),
    *(f"{name}_{fit}" for fit in ("without", "with") for name in _SPREAD),
)


def moderators(fit: DataTree | str | Path) -> pd.DataFrame:
    """Give the coefficients of a fit's moderators.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        A fit or effects, or the file or folder of stored ones.

    Returns
    -------
    pandas.DataFrame
        One row a coefficient of an outcome: of a number ``per`` ``unit`` and per ``sd`` (standard
        deviation over the outcome's studies), of a text each level (``contrast``) against its
        ``reference``. Statistics and Monte-Carlo errors on the ``scale`` (log odds ratio; for
        deaths log hazard ratio), quantiles of the ratio, ``probability_positive``, and the
        ``studies`` behind it; of a nested outcome among those who had the outer one. Empty without
        moderators.
    """
    return _read(as_result(fit), "moderators", COLUMNS)


def heterogeneity(fit: DataTree | str | Path) -> pd.DataFrame:
    """Give what a fit's moderators take from the spread between studies and between diseases.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and ``parameter`` (``sigma``, ``tau``): mean, its error and quantiles
        ``without`` and ``with`` the moderators, and the share of the mean variance that they
        have ``taken`` (negative where it grew), with ``taken_mcse``, a bound of the Monte-Carlo
        standard error of that share. Empty without moderators.

    References
    ----------
    Raudenbush 2009, in: The handbook of research synthesis, chapter 16 (explained variance).
    """
    return _read(as_result(fit), "heterogeneity", SPREAD_COLUMNS)


def moderators_of(fit: DataTree) -> tuple[Moderator, ...]:
    """Read the moderators that a fit was made with, as the record of its run has them."""
    return tuple(
        Moderator(**each | {"levels": tuple(each["levels"])})
        for each in run_config(fit).get("moderators", ())
    )


def reported_at(fit: DataTree) -> dict[str, float | str]:
    """Give the values of the moderators that a fit's rates are reported at; empty without any.

    One that is left out of every outcome, as no two of its studies differ in it, has none.
    """
    told = set(moderators(fit)["moderator"])
    return {each.name: each.at for each in moderators_of(fit) if each.name in told}


def _read(fit: DataTree, group: str, columns: tuple[str, ...]) -> pd.DataFrame:
    if group not in fit.children:
        return pd.DataFrame(columns=list(columns))
    frame = summary.to_frame(fit[group].to_dataset(), columns)
    for name in {"contrast", "reference"} & set(columns):
        frame[name] = frame[name].astype(object).where(frame[name] != "", None)
    return frame


def coefficient_table(
    posterior: xr.Dataset, terms: Terms, reported: tuple[str, ...]
) -> tuple[pd.DataFrame, pd.Series]:
    """Summarise the coefficients of moderators.

    Parameters
    ----------
    posterior : xarray.Dataset
        Draws with ``beta``.
    terms : Terms
        With a design.
    reported : tuple of str
        Outcomes to report.

    Returns
    -------
    pandas.DataFrame and pandas.Series
        As `moderators`, and the effective sizes of the tails.
    """
    import xarray as xr

    assert terms.design is not None, "asked for with moderators only"
    beta = posterior["beta"].transpose("chain", "draw", "outcome", "coefficient").to_numpy()
    labels, draws = [], []
    for outcome in reported:
        code = terms.names.index(outcome)
        for about, values in coefficients(terms, outcome, beta[:, :, code]):
            labels.append({"outcome": outcome, **about})
            draws.append(values)
    if not draws:
        return pd.DataFrame(columns=list(COLUMNS)), pd.Series(dtype=float)
    stacked = np.stack(draws, axis=-1)
    entries = xr.Dataset({"coefficient": (("chain", "draw", "entry"), stacked)})
    table = summary.statistics_of(entries).sort_values("entry").reset_index(drop=True)
    table = pd.concat([pd.DataFrame(labels), table], axis=1)
    table["probability_positive"] = (stacked > 0).mean(axis=(0, 1))
    for name in ("q2.5", "q50", "q97.5"):
        table[f"ratio_{name}"] = np.exp(table[name])
    timed = {each.name for each in terms.outcomes if each.timed}
    table["scale"] = np.where(
        table["outcome"].isin(timed), "log_hazard_ratio", "log_odds_ratio"
    ).astype(object)
    return table[list(COLUMNS)], table["ess_tail"]


def coefficients(
    terms: Terms, outcome: str, beta: np.ndarray
) -> Iterator[tuple[dict[str, Any], np.ndarray]]:
    """Give the coefficients that an outcome's studies tell of.

    Parameters
    ----------
    terms : Terms
        With a design.
    outcome : str
        The outcome.
    beta : numpy.ndarray, shape (..., coefficient)
        Draws of its coefficients as the model has them, linear scale.

    Yields
    ------
    dict and numpy.ndarray
        ``moderator``, ``contrast``, ``reference``, ``per`` and ``studies`` as in `moderators`, and
        the draws, without the last dimension of ``beta``.
    """
    assert terms.design is not None, "asked for with moderators only"
    studies = terms.rows.loc[terms.rows["outcome"] == outcome, "study"].drop_duplicates().tolist()
    code = terms.names.index(outcome)
    for each in terms.design.moderators:
        for about, values in _contrasts(each, studies, code, terms, beta):
            yield {"moderator": each.name, **about}, values


def coefficient_name(about: Mapping[str, Any]) -> str:
    """Name a coefficient as a parameter: ``beta[dose]`` or ``beta[route: skin against vein]``."""
    if about["contrast"] is None:
        return f"beta[{about['moderator']}]"
    return f"beta[{about['moderator']}: {about['contrast']} against {about['reference']}]"


def _contrasts(moderator: Moderator, studies: list[str], code: int, terms: Terms, beta: np.ndarray):
    """Give the coefficients of one moderator that an outcome's studies tell of."""
    design = terms.design
    assert design is not None, "asked for with moderators only"
    places = {each: place for place, each in enumerate(design.coefficients)}
    about = {"contrast": None, "reference": None, "studies": len(studies)}
    if moderator.is_number:
        place = places[moderator.name, None]
        spread = design.spread[code, place]
        if spread > 0:
            one = beta[..., place]
            yield about | {"per": "unit"}, one / spread
            yield about | {"per": "sd"}, one
        return
    seen = levels_seen(moderator, studies)
    reference = moderator.reference if moderator.reference in seen else next(iter(seen))
    base = beta[..., places[moderator.name, reference]]
    for level in seen:
        if level != reference:
            own = beta[..., places[moderator.name, level]]
            named = {"contrast": level, "reference": reference, "per": "contrast"}
            yield about | named, (own - base) * design.level_weight


def spread_of_statistics(
    without: pd.DataFrame, within: pd.DataFrame, outcomes: Sequence[str]
) -> pd.DataFrame:
    """Compare the spread without and with moderators, from statistics of sigma and tau.

    Parameters
    ----------
    without, within : pandas.DataFrame
        ``mean, sd, q2.5, q50, q97.5, mcse_mean, mcse_sd`` by ``outcome`` and ``parameter``.
    outcomes : sequence of str
        Outcomes to report.

    Returns
    -------
    pandas.DataFrame
        As `heterogeneity`.
    """
    rows = []
    for outcome in outcomes:
        for parameter in ("sigma", "tau"):
            if (outcome, parameter) not in within.index:
                continue
            row: dict[str, Any] = {"outcome": outcome, "parameter": parameter}
            squares, errors = [], []
            for fit, table in (("without", without), ("with", within)):
                own: Any = table.loc[(outcome, parameter)]
                row |= {f"{name}_{fit}": float(own[name]) for name in _SPREAD}
                squares.append(float(own["mean"]) ** 2 + float(own["sd"]) ** 2)
                # However mean and SD go together, the error of the mean square is no larger.
                parts = (float(own[name]) * float(own[f"mcse_{name}"]) for name in ("mean", "sd"))
                errors.append(2 * sum(parts))
            row["taken"] = row["taken_mcse"] = np.nan
            if squares[0] > 0:
                left = squares[1] / squares[0]
                row["taken"] = 1 - left
                row["taken_mcse"] = float(
                    np.hypot(errors[1] / squares[0], left * errors[0] / squares[0])
                )
            rows.append(row)
    return pd.DataFrame(rows, columns=list(SPREAD_COLUMNS))


def spread_table(
    without: Mapping[str, np.ndarray], within: Mapping[str, np.ndarray], reported: dict[str, int]
) -> pd.DataFrame:
    """Compare the spread between studies, and between diseases, without and with moderators.

    Parameters
    ----------
    without, within : mapping of str to numpy.ndarray
        Draws of ``sigma``, and of ``tau`` where the pooling has it; (chain, draw, outcome).
    reported : dict of str to int
        Code of each outcome to report.

    Returns
    -------
    pandas.DataFrame
        As `heterogeneity`.
    """
    import xarray as xr

    codes = list(reported.values())
    parameters = [name for name in ("sigma", "tau") if name in within]

    def statistics(draws: Mapping[str, np.ndarray]) -> pd.DataFrame:
        own = {
            name: (("chain", "draw", "outcome"), draws[name][:, :, codes]) for name in parameters
        }
        table = summary.statistics_of(xr.Dataset(own, {"outcome": list(reported)}))
        return table.set_index(["outcome", "name"])

    # One of them may have been sampled twice as long.
    return spread_of_statistics(statistics(without), statistics(within), list(reported))
