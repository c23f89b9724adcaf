"""What a comparison of prior sets found, as frames, as sentences and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...models.priors.sets import PriorSet
from . import power_scaling as scaling
from . import prior_conflict as conflict

_SCORE_COLUMNS = ("elpd", "elpd_se", "elpd_diff", "elpd_diff_se", "log_marginal_likelihood")


@dataclass(frozen=True, eq=False)
class PriorComparison:
    """What is believed under each prior set.

    Attributes
    ----------
    reference : str
        Name of the set that the others are compared with.
    sets : tuple of PriorSet
        The sets, the reference first.
    rates : pandas.DataFrame
        ``set``, ``outcome``, ``disease``, ``quantity`` (``rate``, ``new_study``; ``new_disease``
        with no disease), ``mean``, ``sd``, ``q2.5``, ``q50``, ``q97.5`` and their Monte-Carlo (for
        the exact engine numerical) errors ``mcse_…``, ``r_hat``, ``ess_bulk``, ``shift`` (of the
        mean against the reference, in standard deviations of its posterior) and ``overlap`` (share
        of mass in common with it), each with its ``_mcse``, ``studies``, ``patients``,
        ``evidence``, ``method`` (``refit``, ``reweighted``, ``exact``) and ``pareto_k``.
        Probabilities.
    hyper : pandas.DataFrame
        The same of ``parameter`` mu, tau and sigma, on the linear scale.
    before : pandas.DataFrame
        ``set``, ``outcome``, ``quantity``, statistics and errors: rates before the data.
    methods : pandas.DataFrame
        ``set``, ``outcome``, ``method``, ``from_set``, ``pareto_k``, ``ess``, ``draws``,
        ``divergences``, ``max_r_hat``.
    scores : pandas.DataFrame
        ``set``, ``outcome`` (with its child; None for all), ``elpd``, ``elpd_se``, ``elpd_mcse``,
        ``elpd_diff``, ``elpd_diff_se``, ``elpd_pareto_k``, ``studies``,
        ``log_marginal_likelihood`` (exact engine; differences are log Bayes factors).
    densities : pandas.DataFrame
        ``set``, ``outcome``, ``disease``, ``rate``, ``prior``, ``posterior``: densities to draw.
    power_scaling : pandas.DataFrame
        ``outcome``, ``parameter``, ``prior``, ``prior_mcse``, ``likelihood``, ``likelihood_mcse``,
        ``verdict``, of the reference; empty for the exact engine, which has no draws.
    conflicts : pandas.DataFrame
        ``outcome``, ``study`` (None for all), ``mid_p``, ``mid_p_mcse``, ``direction``,
        ``verdict``.
    flips : pandas.DataFrame
        As `flips.flips`; empty without a threshold.
    flip_map : pandas.DataFrame
        ``outcome``, ``disease``, ``mu``, ``tau_scale``, ``distance``, ``probability``, ``mcse``,
        ``pareto_k``, ``from_set``; empty without a threshold.
    run : dict
        What it was made of: data hash, pooling, engine, seed.
    messages : tuple of str
        What the reader should be told.
    """

    reference: str
    sets: tuple[PriorSet, ...]
    rates: pd.DataFrame
    hyper: pd.DataFrame
    before: pd.DataFrame
    methods: pd.DataFrame
    scores: pd.DataFrame
    densities: pd.DataFrame
    power_scaling: pd.DataFrame
    conflicts: pd.DataFrame
    flips: pd.DataFrame
    flip_map: pd.DataFrame
    run: dict[str, Any]
    messages: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Give the comparison in the shape of ``priors --json``."""
        return {
            "reference": self.reference,
            "sets": [self._set_dict(each) for each in self.sets],
            "power_scaling": _records(self.power_scaling),
            "conflicts": _records(self.conflicts[["outcome", "study", "mid_p", "verdict"]]),
            "flips": [_flip_dict(row) for row in _records(self.flips)],
        }

    def _set_dict(self, priors: PriorSet) -> dict[str, Any]:
        mine = {
            name: frame[frame["set"] == priors.name]
            for name, frame in (
                ("methods", self.methods),
                ("rates", self.rates),
                ("hyper", self.hyper),
            )
        }
        whole = self.scores[(self.scores["set"] == priors.name) & self.scores["outcome"].isna()]
        methods = list(dict.fromkeys(mine["methods"]["method"]))
        pareto_k = mine["methods"]["pareto_k"].to_numpy(float)
        return {
            "name": priors.name,
            "method": methods[0],
            "pareto_k": _plain(np.nanmax(pareto_k)) if np.isfinite(pareto_k).any() else None,
            **_records(whole[list(_SCORE_COLUMNS)])[0],
            "rates": _records(mine["rates"].drop(columns="set")),
            "hyper": _records(mine["hyper"].drop(columns="set")),
        }

    def sentences(self) -> tuple[str, ...]:
        """Say what was found, one finding a sentence, for a reader who knows no method's name."""
        said = [*self.messages, self._largest_shift(), self.prediction()]
        for row in _records(self.power_scaling):
            if row["verdict"] != scaling.OK:
                said.append(scaling.sentence(row["outcome"], row["parameter"], row["verdict"]))
        if len(self.power_scaling) and (self.power_scaling["verdict"] == scaling.OK).all():
            said.append("Under the reference the prior hardly matters for any outcome.")
        for _, row in self.conflicts.iterrows():
            if row["verdict"] != conflict.OK:
                said.append(conflict.sentence(row))
        if not (self.conflicts["verdict"] == conflict.CONFLICT).any():
            said.append("No outcome and no study is far from what the reference's prior expects.")
        return (*said, *(self.flips["sentence"] if len(self.flips) else ()))

    def _largest_shift(self) -> str:
        rates = self.rates[(self.rates["quantity"] == "rate") & self.rates["shift"].notna()]
        others = rates[rates["set"] != self.reference]
        if others.empty:
            return f"Only {self.reference} was compared."
        row = others.iloc[int(others["shift"].abs().to_numpy().argmax())]
        base = rates[
            (rates["set"] == self.reference)
            & (rates["outcome"] == row["outcome"])
            & (rates["disease"] == row["disease"])
        ].iloc[0]
        return (
            f"The prior matters most for {row['outcome']} in {row['disease']}: its mean rate is "
            f"{row['mean']:.2f} under {row['set']} and {base['mean']:.2f} under {self.reference}, "
            f"{abs(row['shift']):.1f} posterior standard deviations apart."
        )

    def prediction(self, named: Callable[[str], str] = str) -> str:
        """Say which sets predict studies left out better than the reference, and which worse.

        Parameters
        ----------
        named : callable
            Turns a set's name into what the reader sees.
        """
        whole = self.scores[self.scores["outcome"].isna()]
        others = whole[(whole["set"] != self.reference) & (whole["elpd_diff"].abs() > 0)]
        clear = others[others["elpd_diff"].abs() > 2 * others["elpd_diff_se"]]
        if clear.empty:
            return "Leaving studies out does not tell the prior sets apart by their predictions."
        better, worse = (
            ", ".join(map(named, clear[side]["set"]))
            for side in (clear["elpd_diff"] > 0, clear["elpd_diff"] < 0)
        )
        parts = [f"better under {better}"] if better else []
        parts += [f"worse under {worse}"] if worse else []
        than = named(self.reference)
        return f"Studies left out are predicted {' and '.join(parts)} than under {than}."


def _flip_dict(row: dict[str, Any]) -> dict[str, Any]:
    found = row["nearest_mu"] is not None
    nearest = {"mu": row["nearest_mu"], "tau_scale": row["nearest_tau_scale"]} if found else None
    kept = ("outcome", "disease", "threshold", "direction", "probability")
    return {**{name: row[name] for name in kept}, "nearest": nearest}


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [
        {str(name): _plain(value) for name, value in row.items()}
        for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    """Turn a value into what JSON knows; what is no finite number is null."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if value is None or value is pd.NA:
        return None
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
