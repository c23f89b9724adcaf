"""Tables of a fit: rates and hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .store import as_fit, run_config

if TYPE_CHECKING:
    import xarray as xr
    from xarray import DataTree

    from ...models.terms import Terms

#: Monte-Carlo (or numerical) errors of the quantiles.
ERRORS = ("mcse_q2.5", "mcse_q50", "mcse_q97.5")
STATISTICS = (
    "mean", "sd", "q2.5", "q50", "q97.5", "mcse_mean", "mcse_sd", *ERRORS, "r_hat", "ess_bulk",
)  # fmt: skip
RATE_COLUMNS = ("outcome", "disease", "quantity", *STATISTICS, "studies", "patients", "evidence")
HYPER_COLUMNS = ("outcome", "parameter", *STATISTICS)
#: Quantiles that pictures and tables show: medians, central 50 % and 95 % intervals.
QUANTILES = {"q2.5": 0.025, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q97.5": 0.975}
SHOWN_COLUMNS = ("outcome", "quantity", "disease", "study", "mean", *QUANTILES, *ERRORS)


def rates(fit: DataTree | str | Path) -> pd.DataFrame:
    """Give the rates that a fit reports.

    Parameters
    ----------
    fit : xarray.DataTree, str or Path
        A fit of either engine, or the file or folder of a stored one.

    Returns
    -------
    pandas.DataFrame
        One row an outcome, disease and ``quantity`` (``rate``, ``new_study``; ``new_disease`` with
        no disease): posterior statistics as probabilities (12-month risks for ``death``),
        Monte-Carlo or numerical errors, and the ``studies`` and ``patients`` behind it;
        ``evidence`` is ``borrowed`` where the disease has no rows of the outcome.

    Examples
    --------
    >>> psoriasis = mp.rates(fit).query("disease == 'psoriasis'")
    >>> psoriasis[["quantity", "q2.5", "q50", "q97.5", "studies"]].round(2)
        quantity  q2.5   q50  q97.5  studies
    0       rate  0.28  0.55    0.8        3
    6  new_study  0.17  0.54    0.9        3
    """
    return to_frame(as_fit(fit)["rates"].to_dataset(), RATE_COLUMNS)


def hyper(fit: DataTree | str | Path) -> pd.DataFrame:
    """Give the posterior of mu, tau and sigma, on the linear scale, one row each and outcome.

    Examples
    --------
    >>> mp.hyper(fit)[["parameter", "q2.5", "q50", "q97.5"]].round(2)
      parameter  q2.5   q50  q97.5
    0        mu -0.44  0.85   2.16
    1       tau  0.11  1.10   2.41
    2     sigma  0.16  0.66   1.28
    """
    return to_frame(as_fit(fit)["hyper"].to_dataset(), HYPER_COLUMNS)


def shown(fit: DataTree) -> pd.DataFrame:
    """Give everything of a fit that is shown of rates: integrals, or statistics of draws.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit of either engine.

    Returns
    -------
    pandas.DataFrame
        One row an outcome and ``quantity``: of each ``disease`` its ``rate`` and ``new_study``, and
        of a nested outcome its ``share`` of the outer one; of each ``study`` its ``study_rate``;
        and ``new_disease``. Columns `SHOWN_COLUMNS`; probabilities (12-month risks for ``death``).
        Every outcome that was fitted, also those that only served a nested one. With the `ERRORS`
        of what `rates` reports and of shares.
    """
    if "shown" in fit.children:
        frame = to_frame(fit["shown"].to_dataset(), SHOWN_COLUMNS)
    else:
        parents = {each["name"]: each["parent"] for each in run_config(fit)["model"]}
        posterior, given = fit["posterior"].to_dataset(), fit["constant_data"].to_dataset()
        # Fits stored before this version name study effects beside the draws.
        named = given if "effect_study" in given else posterior
        frame = _shown_of_draws(posterior, named, parents)
    keys = ["outcome", "quantity", "disease"]
    stated = rates(fit).set_index(keys)[list(ERRORS)]
    places = pd.MultiIndex.from_frame(frame[keys])
    return frame.fillna(
        {name: stated[name].reindex(places).set_axis(frame.index) for name in ERRORS}
    )


def with_shown(fit: DataTree) -> DataTree:
    """Give a fit that holds what `shown` computes of its draws, for whoever asks for it often."""
    if "shown" in fit.children:
        return fit
    made = fit.copy()  # the values are shared
    made["shown"] = to_dataset(shown(fit))
    return made


def one_shown(frame: pd.DataFrame, **wanted: str) -> dict[str, float]:
    """Pick mean and quantiles of one quantity out of `shown`, by the columns that name it."""
    own = np.logical_and.reduce([frame[name] == value for name, value in wanted.items()])
    (row,) = frame.loc[own, ["mean", *QUANTILES, *ERRORS]].to_dict("records")
    return {str(name): float(value) for name, value in row.items()}


def density(
    fit: DataTree, outcome: str, quantity: str, disease: str | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Give the density of one quantity where it was integrated.

    Parameters
    ----------
    fit : xarray.DataTree
        A fit of either engine.
    outcome, quantity, disease : str
        ``rate`` and ``new_study`` of a disease, or ``new_disease``, ``mu``, ``tau``, ``sigma``.

    Returns
    -------
    probabilities, values, densities : numpy.ndarray, shape (point,)
        Quantiles and the density at each; None for draws, which have none.
    """
    if "densities" not in fit.children:
        return None
    kept = fit["densities"].to_dataset()
    wanted = {"outcome": outcome, "quantity": quantity, "disease": disease or ""}
    own = np.logical_and.reduce([kept[k].to_numpy() == v for k, v in wanted.items()])
    one = kept.isel(entry=int(np.flatnonzero(own)[0]))
    return kept["probability"].to_numpy(), one["value"].to_numpy(), one["density"].to_numpy()


def to_dataset(frame: pd.DataFrame) -> xr.Dataset:
    """Store a table: one variable a column, missing texts as empty ones."""
    import xarray as xr

    columns = {}
    for name in frame.columns:
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values):
            values = values.astype(object).where(values.notna(), "").astype(str).to_numpy(object)
        columns[name] = ("entry", np.asarray(values))
    return xr.Dataset(columns)


def to_frame(dataset: xr.Dataset, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table that `to_dataset` stored; texts that are missing become None."""
    known = {name: dataset[name].to_numpy() for name in columns if name in dataset}
    frame = pd.DataFrame(known).reindex(columns=list(columns))
    for name in ("disease", "evidence", "study"):
        if name in frame:
            frame[name] = frame[name].astype(object).where(frame[name] != "", None)
    for name in ("studies", "patients"):
        if name in frame:
            frame[name] = frame[name].astype("Int64")
    return frame


def _shown_of_draws(
    posterior: xr.Dataset, named: xr.Dataset, parents: Mapping[str, str | None]
) -> pd.DataFrame:
    names = posterior["outcome"].to_numpy().tolist()
    diseases = posterior["disease"].to_numpy().tolist()
    of_diseases = {name: _of_draws(posterior[name]) for name in ("rate", "new_study")}
    untried = _of_draws(posterior["new_disease"]) if "new_disease" in posterior else None
    rows = []
    for place, name in enumerate(names):
        tables = {quantity: table[place] for quantity, table in of_diseases.items()}
        if parents[name] is not None:
            rate = posterior["rate"]
            share = rate.sel(outcome=name) / rate.sel(outcome=parents[name])
            tables["share"] = np.concatenate([_of_draws(share), _quantile_errors(share)], axis=-1)
        for quantity, table in tables.items():
            for disease, values in zip(diseases, table, strict=True):
                rows.append(_shown_row(name, quantity, disease, None, values))
        if untried is not None:
            rows.append(_shown_row(name, "new_disease", None, None, untried[place]))
    if "study_rate" in posterior:
        labels = [
            named[f"effect_{part}"].sel(effect=posterior["effect"]).to_numpy().tolist()
            for part in ("outcome", "disease", "study")
        ]
        for *about, values in zip(*labels, _of_draws(posterior["study_rate"]), strict=True):
            name, disease, study = about
            rows.append(_shown_row(name, "study_rate", disease, study, values))
    return pd.DataFrame(rows, columns=list(SHOWN_COLUMNS))


def _shown_row(
    outcome: str, quantity: str, disease, study, values: np.ndarray
) -> dict[str, object]:
    about = (outcome, quantity, disease, study)
    return dict(zip(SHOWN_COLUMNS, (*about, *values), strict=False))


def _of_draws(draws: xr.DataArray) -> np.ndarray:
    """Mean and quantiles over the draws; shape (..., statistic)."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    values = values.reshape(-1, *values.shape[2:])
    quantiles = np.quantile(values, list(QUANTILES.values()), axis=0)
    return np.moveaxis(np.concatenate([values.mean(axis=0)[None], quantiles]), 0, -1)


def _quantile_errors(draws: xr.DataArray) -> np.ndarray:
    """Monte-Carlo errors of the quantiles of `ERRORS`; shape (..., statistic)."""
    from arviz_stats import sampling_diagnostics

    chosen = draws.to_dataset(name="own")
    wanted = [QUANTILES[name.removeprefix("mcse_")] for name in ERRORS]
    parts = [
        sampling_diagnostics.mcse(chosen, method="quantile", prob=q)["own"].to_numpy()
        for q in wanted
    ]
    return np.stack(parts, axis=-1)


def summarise(posterior: xr.Dataset, terms: Terms, reported: tuple[str, ...]):
    """Summarise draws into the tables of `rates` and `hyper`.

    Parameters
    ----------
    posterior : xarray.Dataset
        Draws with dims chain, draw and outcome, disease.
    terms : Terms
        The likelihood, for the studies and patients behind each rate.
    reported : tuple of str
        Outcomes to report.

    Returns
    -------
    tuple of pandas.DataFrame, pandas.DataFrame and pandas.Series
        Rates, hyperparameters, and the tail effective sizes of both.
    """
    chosen = posterior.sel(outcome=list(reported))
    rate_names = [n for n in ("rate", "new_study", "new_disease") if n in chosen]
    hyper_names = [n for n in ("mu", "tau", "sigma") if n in chosen]
    table = statistics_of(chosen[[*rate_names, *hyper_names]])
    table["outcome"] = pd.Categorical(table["outcome"], reported)
    rate = table[table["name"].isin(rate_names)].rename(columns={"name": "quantity"})
    rate["quantity"] = pd.Categorical(rate["quantity"], rate_names)
    rate["order"] = pd.Categorical(rate["disease"], terms.diseases)
    rate = rate.sort_values(["outcome", "quantity", "order"], na_position="last")
    rate = rate.reset_index(drop=True).join(support(rate, terms))
    hyper_table = table[table["name"].isin(hyper_names)].rename(columns={"name": "parameter"})
    hyper_table["parameter"] = pd.Categorical(hyper_table["parameter"], hyper_names)
    hyper_table = hyper_table.sort_values(["outcome", "parameter"]).reset_index(drop=True)
    tails = pd.concat([rate["ess_tail"], hyper_table["ess_tail"]])
    return rate[list(RATE_COLUMNS)], hyper_table[list(HYPER_COLUMNS)], tails


def statistics_of(chosen: xr.Dataset) -> pd.DataFrame:
    """Compute every statistic of `STATISTICS` for each scalar of the draws."""
    import xarray as xr
    from arviz_stats import sampling_diagnostics

    # A fixed parameter does not vary: its R-hat is zero over zero, and stays undefined.
    with np.errstate(invalid="ignore", divide="ignore"):
        diagnosed = {
            "mcse_mean": sampling_diagnostics.mcse(chosen, method="mean"),
            "mcse_sd": sampling_diagnostics.mcse(chosen, method="sd"),
            **{
                name: sampling_diagnostics.mcse(
                    chosen, method="quantile", prob=QUANTILES[name.removeprefix("mcse_")]
                )
                for name in ERRORS
            },
            "r_hat": sampling_diagnostics.rhat(chosen, method="rank"),
            "ess_bulk": sampling_diagnostics.ess(chosen, method="bulk"),
            "ess_tail": sampling_diagnostics.ess(chosen, method="tail"),
        }
    measures = {
        "mean": chosen.mean(("chain", "draw")),
        "sd": chosen.std(("chain", "draw"), ddof=1),
        **{
            name: chosen.quantile(QUANTILES[name], ("chain", "draw"), skipna=False).drop_vars(
                "quantile"
            )
            for name in ("q2.5", "q50", "q97.5")
        },
        **diagnosed,
    }
    frames = []
    for name in chosen.data_vars:
        parts = {key: measure[name] for key, measure in measures.items()}
        frame = xr.Dataset(parts).to_dataframe().reset_index().assign(name=str(name))
        frames.append(frame if "disease" in frame else frame.assign(disease=None))
    return pd.concat(frames, ignore_index=True)


def support(rate: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Count the studies and patients behind each rate."""
    groups = terms.rows.groupby(["outcome", "disease"])
    counts = groups.agg(studies=("study", "nunique"), patients=("n", "sum"))
    keys = list(zip(rate["outcome"], rate["disease"], strict=True))
    support = counts.reindex(keys).fillna(0).astype(int).reset_index(drop=True)
    support["evidence"] = np.where(support["studies"] > 0, "direct", "borrowed")
    whole = (rate["quantity"] == "new_disease").to_numpy()
    support = support.astype({"studies": "Int64", "patients": "Int64", "evidence": object})
    support.loc[whole, ["studies", "patients"]] = pd.NA
    support.loc[whole, "evidence"] = None
    return support
