"""What figures of effects draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ....data.names import study_labels
from ....data.outcomes import outcome as described
from ....models.outcomes import inverse_link, link_function
from ...effects import results
from .effects import Comparison

NOT_RANDOMISED = " *"

#: Control rates at which curves are drawn.
_RATES = np.concatenate([[1e-6], np.linspace(0.01, 0.99, 99), [1 - 1e-6]])
_QUANTILES = ("q2.5", "q50", "q97.5")
_ENDS = ("low", "estimate", "high")
_COUNTS = tuple(f"{side}_{part}" for side in ("treated", "control") for part in ("min", "max", "n"))


def forest_data(comparison: Comparison, outcome: str) -> pd.DataFrame:
    """Gather the forest plot of the effects on an outcome.

    Parameters
    ----------
    comparison : Comparison
        Effects of an analysis set.
    outcome : str
        The outcome.

    Returns
    -------
    pandas.DataFrame
        As `draw_effects_forest` takes it, with ``added``, ``study``; in the order of drawing.
    """
    labels = study_labels(comparison.evidence.studies)
    contrasts = _of(comparison.contrasts, outcome)
    alone, studies = _of(comparison.randomised, outcome), _of(comparison.studies, outcome)
    following = contrasts[contrasts["quantity"] == "new_study"].set_index("disease")
    effects = contrasts[contrasts["quantity"] == "effect"]
    rows = []
    for effect in effects[effects["evidence"] == "direct"].to_dict("records"):
        disease = effect["disease"]
        own = studies[studies["disease"] == disease]
        totals = {name: int(own[name].sum()) for name in _COUNTS}
        rows.append({**_ratios(effect), **totals, "row": "effect", "evidence": "direct"})
        only = alone[(alone["disease"] == disease) & (alone["quantity"] == "effect")]
        for each in only[only["evidence"] == "direct"].to_dict("records"):
            rows.append({**_ratios(each), "row": "randomised", "label": "Randomised alone"})
        for each in own.to_dict("records"):
            rows.append(_study(each, labels[each["study"]]))
        rows.append({**_ratios(following.loc[disease]), "row": "new_study", "label": "Next trial"})
        for row in rows:
            row.setdefault("disease", disease)
    borrowed = effects[effects["evidence"] == "borrowed"]
    if len(borrowed):
        about = {"row": "effect", "disease": None, "evidence": "borrowed", "label": ""}
        rows.append({**_ratios(borrowed.iloc[0]), **about})
    columns = [
        *("outcome", "added", "row", "disease", "study", "label", *_COUNTS),
        *("raw", "raw_low", "raw_high", *_ENDS, "evidence"),
    ]
    return pd.DataFrame(rows).assign(outcome=outcome, added=comparison.added)[columns]


def _of(table: pd.DataFrame, outcome: str) -> pd.DataFrame:
    return table[table["outcome"] == outcome]


def _ratios(row) -> dict[str, float]:
    return {end: float(np.exp(row[q])) for end, q in zip(_ENDS, _QUANTILES, strict=True)}


def _study(row: dict, label: str) -> dict:
    """Give the row of a study; nothing is estimated of one that tells nothing."""
    estimated: dict[str, Any] = _ratios(row) if row["informs"] else dict.fromkeys(_ENDS, np.nan)
    raw = {name: float(np.exp(row[name])) for name in ("raw", "raw_low", "raw_high")}
    mark = "" if row["randomised"] is True else NOT_RANDOMISED
    counts = {name: int(row[name]) for name in _COUNTS}
    return {**estimated, **raw, **counts, "row": "study", "study": row["study"]} | {
        "label": label + mark
    }


def labbe_data(comparison: Comparison) -> pd.DataFrame:
    """Gather the L'Abbé plot: shares of both arms, and curves of the diseases' median ratios.

    Parameters
    ----------
    comparison : Comparison
        Effects of an analysis set.

    Returns
    -------
    pandas.DataFrame
        As `draw_labbe` takes it, with ``added``; of timed outcomes the shares are those over each
        study's own follow-up, and there is no curve.
    """
    rows = []
    for row in comparison.studies.to_dict("records"):
        shares = {
            f"{side}_{end}": row[f"{side}_{part}"] / row[f"{side}_n"]
            for side in ("control", "treated")
            for end, part in (("low", "min"), ("high", "max"))
        }
        patients = row["treated_n"] + row["control_n"]
        about = {name: row[name] for name in ("outcome", "disease", "study")}
        rows.append({**about, "row": "study", **shares, "patients": patients})
    for row in comparison.rows.to_dict("records"):
        if described(row["outcome"]).timed:
            continue
        treated = _treated(row, row["q50"])
        about = {"outcome": row["outcome"], "disease": row["disease"], "row": "curve"}
        rows += [
            {**about, "control_low": x, "treated_low": y}
            for x, y in zip(_RATES, treated, strict=True)
        ]
    return pd.DataFrame(rows).assign(added=comparison.added)


def _treated(row: dict, effect: float) -> np.ndarray:
    """Give the treated rates of an effect at `_RATES`."""
    link = described(row["outcome"]).link
    return np.asarray(inverse_link(link_function(_RATES, link) + effect, link))


def effect_rates_data(comparison: Comparison) -> pd.DataFrame:
    """Gather what effects mean for patients at every control rate.

    Parameters
    ----------
    comparison : Comparison
        Effects of an analysis set.

    Returns
    -------
    pandas.DataFrame
        As `draw_effect_rates` takes it, with ``added``; 12-month risks where an outcome is timed.
    """
    absolute = results.absolute_effects(comparison.tree)
    keys = ["outcome", "disease", "quantity"]
    following = comparison.contrasts.set_index(keys)
    controls = absolute.set_index(keys)
    frames = []
    for row in comparison.rows.to_dict("records"):
        place = row["outcome"], row["disease"]
        trial: Any = following.loc[(*place, "new_study"), :]
        control: Any = controls.loc[(*place, "effect"), :]
        differences = {
            "low": row["q2.5"],
            "middle": row["q50"],
            "high": row["q97.5"],
            "trial_low": trial["q2.5"],
            "trial_high": trial["q97.5"],
        }
        columns = {name: _treated(row, float(e)) - _RATES for name, e in differences.items()}
        columns |= {
            f"next_{end}": float(control[f"control_rate_{q}"])
            for end, q in zip(("low", "middle", "high"), _QUANTILES, strict=True)
        }
        about = {"outcome": place[0], "disease": place[1], "control_rate": _RATES}
        frames.append(pd.DataFrame({**about, **columns}))
    return pd.concat(frames, ignore_index=True).assign(added=comparison.added)
