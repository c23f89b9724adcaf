"""The result of a comparison of prior sets, as frames, as sentences and as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from ...data.export import answer_html
from ...data.names import outcome_in_text, spaced, words
from ...data.written import fixed
from ...models.priors.sets import PriorSet
from ..fitting.ranking import CERTAIN, leaders
from . import power_scaling as scaling
from . import prior_conflict as conflict

_SCORE_COLUMNS = ("elpd", "elpd_se", "elpd_diff", "elpd_diff_se", "log_marginal_likelihood")

#: Differences of log predictive densities below this do not tell prior sets apart.
_LEAST_DIFFERENCE = 4.0


@dataclass(frozen=True, eq=False)
class PriorComparison:
    """Posteriors under each prior set, and what depends on the choice of the set.

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
        As `scores.scores_table`: by ``set`` and ``outcome`` (with its child; None for all whose
        score is known under the reference). ``log_marginal_likelihood`` of what was integrated:
        its differences are log Bayes factors.
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

    def __repr__(self) -> str:
        """Say in a line what was compared, and where to look."""
        return (
            f"<comparison of {len(self.sets)} prior sets with {self.reference}: "
            ".sentences(), .rates, .flips, .scores, .to_frame(), .to_dict()>"
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the rates under each set: the table `rates`."""
        return self.rates

    def _repr_html_(self) -> str:
        """Show the sentences, and the rates under each set."""
        rates = self.rates[self.rates["quantity"] == "rate"]
        table = rates.pivot_table(
            index=["outcome", "disease"], columns="set", values="q50", sort=False
        )
        title = f"{len(self.sets)} prior sets compared with {self.reference}"
        after = [
            "Rates: medians under each set; .rates has intervals and errors. Next: "
            "mp.plot.prior_comparison(fit, comparison), mp.plot.flip_map(fit, comparison)."
        ]
        return answer_html(title, self.sentences(), table.reset_index(), after)

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

    def sentences(self, labels: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
        """Give the findings, one a sentence, for a reader who knows no method by its name.

        Parameters
        ----------
        labels : mapping of str to str
            Names of the studies for readers; left out, they are called as in the table.
        """
        return (
            *self.messages,
            self._largest_shift(),
            self.prediction(),
            *self._scaling_sentences(),
            *self._conflict_sentences(labels),
            *(self.flips["sentence"] if len(self.flips) else ()),
        )

    def _scaling_sentences(self) -> list[str]:
        rows = [row for row in _records(self.power_scaling) if row["verdict"] != scaling.OK]
        if len(self.power_scaling) and not rows:
            return ["Under the reference the prior hardly matters for any outcome."]
        return [scaling.sentence(row) for row in rows]

    def _conflict_sentences(self, labels: Mapping[str, str]) -> list[str]:
        rows = self.conflicts[self.conflicts["verdict"] != conflict.OK]
        if rows.empty:
            return ["No outcome and no study is far from what the reference's prior expects."]
        return [conflict.sentence(row, labels) for _, row in rows.iterrows()]

    def _largest_shift(self) -> str:
        rates = self.rates[(self.rates["quantity"] == "rate") & self.rates["shift"].notna()]
        others = rates[rates["set"] != self.reference]
        if others.empty:
            return f"Only {words(self.reference)} was compared."
        base = rates[rates["set"] == self.reference].set_index(["outcome", "disease"])["mean"]
        told = [
            f"{outcome_in_text(row['outcome'])} in {spaced(row['disease'])}: its mean rate is "
            f"{row['mean']:.2f} under {words(row['set'])} and "
            f"{base[row['outcome'], row['disease']]:.2f} under {words(self.reference)}, "
            f"{abs(row['shift']):.1f} posterior standard deviations apart"
            for row in leaders(others.assign(size=others["shift"].abs()), "size", "shift_mcse")
        ]
        return f"The prior matters most for {'; or, too close to rank, for '.join(told)}."

    def prediction(
        self, named: Callable[[str], str] = words, outcome: Callable[[str], str] = outcome_in_text
    ) -> str:
        """Say which sets predict studies left out better than the reference, and which worse.

        A difference is told where it is beyond two of its errors, that of the computation included,
        and above 4: below, the error over few studies is too small itself.

        Parameters
        ----------
        named, outcome : callable
            Turn the name of a set and of an outcome into what the reader sees.

        References
        ----------
        Sivula and others 2020, doi 10.48550/arXiv.2008.10296 (small differences).
        """
        whole = self.scores[self.scores["outcome"].isna()]
        others = whole[whole["set"] != self.reference]
        unknown = others[others["elpd_diff"].isna()]
        size = others["elpd_diff"].abs()
        beyond = (size > CERTAIN * others["elpd_diff_se"]) & (size > _LEAST_DIFFERENCE)
        better, worse = (
            ", ".join(map(named, others[beyond & side]["set"]))
            for side in (others["elpd_diff"] > 0, others["elpd_diff"] < 0)
        )
        if others.empty:
            return "No other prior set was compared by its predictions."
        if len(unknown) == len(others):
            return (
                "How well the other prior sets predict studies left out is not known."
                + self._unscored(outcome)
            )
        parts = [f"better under {better}"] if better else []
        parts += [f"worse under {worse}"] if worse else []
        if parts:
            than = named(self.reference)
            said = f"Studies left out are predicted {' and '.join(parts)} than under {than}."
        else:
            said = "Leaving studies out does not tell the prior sets apart by their predictions."
        far = others.iloc[size.fillna(-1).to_numpy().argmax()]
        largest = f"{fixed(far['elpd_diff'], 1, plus=True)} (± {far['elpd_diff_se']:.1f})"
        said += (
            f" A difference is told where it is above {_LEAST_DIFFERENCE:g} in log density and "
            f"beyond {CERTAIN:g} of its standard errors (Sivula and others 2020, doi "
            f"10.48550/arXiv.2008.10296); the largest is {largest}, under "
            f"{named(far['set'])}."
        )
        if len(unknown):
            said += f" It is not known of {', '.join(map(named, unknown['set']))}."
        return said + self._unscored(outcome)

    def _unscored(self, named: Callable[[str], str]) -> str:
        """Name the outcomes whose studies no set's prediction is known of."""
        reference = self.scores[self.scores["set"] == self.reference]
        missing = reference[reference["outcome"].notna() & reference["elpd"].isna()]["outcome"]
        if missing.empty:
            return ""
        return (
            f" Of {' and '.join(map(named, missing))} no prediction is known: importance sampling "
            "cannot leave each study out."
        )


def _flip_dict(row: dict[str, Any]) -> dict[str, Any]:
    nearest = {"mu": row["nearest_mu"], "tau_scale": row["nearest_tau_scale"]}
    nearest = None if row["nearest_mu"] is None else nearest
    columns = ("outcome", "disease", "threshold", "direction", "probability", "verdict")
    return {**{name: row[name] for name in columns}, "nearest": nearest}


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
