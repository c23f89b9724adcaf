"""Tables of effects: ratios by disease and by study, and what they mean for patients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ...data.names import outcome_in_text, words
from ...data.outcomes import outcome
from ...models.effects.absolute import (
    QUANTITIES,
    RATE_STATISTICS,
    absolute_effects,
    difference_statistics,
    number_needed,
)
from ...models.effects.standardised import by_means, effect_of_means
from ...models.exact.distribution import STATISTICS, Distribution
from ...models.exact.posterior import ExactPosterior
from ...models.exact.predictions import own_shares
from ...models.outcomes import link_function
from ..fitting.moderated import spread_of_statistics
from .model import EffectsFit, IntegratedEffects, column_of

EFFECT_COLUMNS = (
    *("outcome", "disease", "quantity", "scale", *STATISTICS, "mcse_mean", "mcse_sd"),
    *("probability_benefit", "ratio_q2.5", "ratio_q50", "ratio_q97.5"),
    *("studies", "patients", "evidence"),
)
HYPER_COLUMNS = ("outcome", "parameter", *STATISTICS, "mcse_mean", "mcse_sd")
STUDY_COLUMNS = (
    *("study", "outcome", "disease", "randomised", "informs", "modelled"),
    *("treated_min", "treated_max", "treated_n", "control_min", "control_max", "control_n"),
    *("raw", "raw_low", "raw_high", *STATISTICS),
)
ABSOLUTE_COLUMNS = (
    *("outcome", "disease", "quantity", "control_evidence"),
    *(f"{name}_{statistic}" for name in QUANTITIES for statistic in RATE_STATISTICS),
    *("nnt_benefit_from", "nnt_benefit_to", "nnt_harm_from", "nnt_harm_to"),
)
SHARE_COLUMNS = ("outcome", "disease", "own_share", "own_share_mcse")
UNANCHORED_COLUMNS = (
    *("outcome", "disease", "scale", *STATISTICS, "probability_benefit", "bias_sd"),
    *("tipping_bias", "treated_studies", "control_evidence"),
)

#: Standard deviation, log-odds, of the bias of a comparison between arms of different studies.
UNANCHORED_BIAS_SD = 1.0
#: Standard errors on either side of an estimate in its 95 % interval.
_WIDTH = 1.959964


def scale_of(name: str) -> str:
    """Name the scale of an outcome's effects."""
    return "log_hazard_ratio" if outcome(name).timed else "log_odds_ratio"


def _benefit(name: str, above_zero: float) -> float:
    return 1 - above_zero if outcome(name).is_harm else above_zero


def effects_table(fit: EffectsFit) -> pd.DataFrame:
    """Give every disease's effect and next trial, and a disease not yet tried.

    Returns
    -------
    pandas.DataFrame
        `EFFECT_COLUMNS`; ``quantity`` is ``effect`` (of a typical study), ``new_study`` or
        ``new_disease``; ratios are exponentials of the quantiles; ``studies`` and ``patients`` are
        those that inform.
    """
    found = []
    for name, posterior in fit.posteriors.items():
        own = fit.rows_of(name)
        informing = own["study"].isin(posterior.hierarchy.likelihoods.studies)
        patients = own[informing].groupby("disease")["n"].sum()
        table = posterior.rates()
        table["quantity"] = table["quantity"].replace("rate", "effect")
        for row in table.to_dict("records"):
            if row["quantity"] == "new_disease":
                row["disease"] = None
            above = fit.distribution(name, row["quantity"], row["disease"]).above(0.0)
            row |= {"scale": scale_of(name), "probability_benefit": _benefit(name, float(above))}
            row |= {f"ratio_{q}": float(np.exp(row[q])) for q in ("q2.5", "q50", "q97.5")}
            if row["disease"] is not None:
                row["patients"] = int(patients.get(row["disease"], 0))
            found.append({column: row[column] for column in EFFECT_COLUMNS})
    table = pd.DataFrame(found, columns=list(EFFECT_COLUMNS))
    return table.astype({"studies": "Int64", "patients": "Int64"})


def hyper_table(fit: EffectsFit) -> pd.DataFrame:
    """Give mu, tau and sigma of every outcome's effects, linear scale; `HYPER_COLUMNS`."""
    tables = [each.hyper()[list(HYPER_COLUMNS)] for each in fit.posteriors.values()]
    return pd.DataFrame(
        [row for table in tables for row in table.to_dict("records")],
        columns=list(HYPER_COLUMNS),
    )


def spread_taken(without: EffectsFit, within: EffectsFit) -> pd.DataFrame:
    """Give what moderators take from sigma and tau, as `fitting.moderated.heterogeneity`."""
    alone, moderated = (
        hyper_table(each).set_index(["outcome", "parameter"]) for each in (without, within)
    )
    return spread_of_statistics(alone, moderated, list(within.posteriors))


def studies_table(fit: EffectsFit) -> pd.DataFrame:
    """Give every study compared: both arms, its raw and its shrunken effect.

    Returns
    -------
    pandas.DataFrame
        `STUDY_COLUMNS`; dose arms added up; ``raw`` and its 95 % limits are of the study's own
        counts (see `raw_effect`), what follows of its own effect given all studies. A study that
        does not inform has the effect of the next study of its disease. Of a study that is
        ``modelled`` the effect is that of its means, and counts are the bounds that they set.
    """
    found = []
    for name in fit.posteriors:
        own, link = fit.rows_of(name), outcome(name).link
        shrunken, modelled = fit.of_studies(name), by_means(own)
        # A frame a study takes longer than what is read from it.
        columns = {str(column): own[column].to_numpy() for column in own}
        places_of = own.groupby("study", sort=False).indices
        for study in dict.fromkeys(own["study"]):
            places = places_of[study]
            arms = {column: values[places] for column, values in columns.items()}
            disease = str(arms["disease"][0])
            given = shrunken.get(str(study))
            effect = given or fit.distribution(name, "new_study", disease)
            row = {"study": study, "outcome": name, "disease": disease, "informs": bool(given)}
            row |= {"randomised": arms["randomised"][0], "modelled": bool(modelled[places].any())}
            control = arms["arm"] == "control"
            for key, column in (("min", "events_min"), ("max", "events_max"), ("n", "n")):
                row[f"treated_{key}"] = int(arms[column][~control].sum())
                row[f"control_{key}"] = int(arms[column][control].sum())
            raw = raw_effect(own.iloc[places] if row["modelled"] else arms, link)
            row |= dict(zip(("raw", "raw_low", "raw_high"), raw, strict=True))
            row |= dict(zip(STATISTICS, effect.statistics().tolist(), strict=True))
            found.append(row)
    return pd.DataFrame(found, columns=list(STUDY_COLUMNS))


def shares_table(fit: IntegratedEffects) -> pd.DataFrame:
    """Give the share of each disease's effect that comes from its own studies; `SHARE_COLUMNS`.

    The rest comes from the priors and the other diseases; see `own_shares` of the exact engine.
    """
    tables = [
        own_shares(posterior).rename(columns={"error": "own_share_mcse"}).assign(outcome=name)
        for name, posterior in fit.posteriors.items()
    ]
    return pd.concat(tables, ignore_index=True)[list(SHARE_COLUMNS)]


def raw_effect(arms: pd.DataFrame | Mapping[str, Any], link) -> tuple[float, float, float]:
    """Estimate one study's effect from its own counts or means alone.

    Parameters
    ----------
    arms : pandas.DataFrame or mapping of str to numpy.ndarray
        The rows of one study; a frame where they are means.
    link : {"logit", "cloglog"}
        A log odds ratio, or a log hazard ratio.

    Returns
    -------
    tuple of float
        Estimate (not a number where a count is only bounded) and 95 % limits; of bounded counts
        the widest limits that they allow. Half an event is added to every cell of a study in which
        one is empty. Of means as `effect_of_means` gives it.

    References
    ----------
    Woolf 1955, doi 10.1111/j.1469-1809.1955.tb01348.x; of a log hazard, the delta method.
    """
    if isinstance(arms, pd.DataFrame) and by_means(arms).any():
        estimate, error = effect_of_means(arms)
        return estimate, estimate - _WIDTH * error, estimate + _WIDTH * error
    control = np.asarray(arms["arm"] == "control")
    columns = ("n", "months", "events_min", "events_max")
    size, months, low, high = (np.asarray(arms[name], float) for name in columns)
    known = (low == high).all()
    n = [size[~control], size[control]]
    years = [months[~control] / 12, months[control] / 12]
    ends = []
    for treated, other in ((high, low), (low, high)):
        counts = [treated[~control], other[control]]
        events = [each.sum() for each in counts]
        empty = any(e == 0 or e == size.sum() for e, size in zip(events, n, strict=True))
        estimates = [
            _level(each.sum() + 0.5 * empty, size.sum() + empty, size, time, link)
            for each, size, time in zip(counts, n, years, strict=True)
        ]
        ends.append((estimates[0][0] - estimates[1][0], np.hypot(estimates[0][1], estimates[1][1])))
    (most, most_error), (least, least_error) = ends
    estimate = float(most) if known else float("nan")
    return estimate, float(least - _WIDTH * least_error), float(most + _WIDTH * most_error)


def _level(events: float, n: float, sizes, years, link) -> tuple[float, float]:
    """Level of an arm and its standard error."""
    rate = events / n
    if link == "logit":
        return float(link_function(rate, link)), float(np.sqrt(1 / (n * rate * (1 - rate))))
    time = float((sizes * years).sum() / sizes.sum())
    error = np.sqrt(rate / ((1 - rate) * n)) / -np.log1p(-rate)
    return float(link_function(rate, link, time)), float(error)


def absolute_table(
    fit: EffectsFit, controls: dict[str, ExactPosterior], control_rate: float | None
) -> pd.DataFrame:
    """Say what each effect means for patients, at a control rate.

    Parameters
    ----------
    fit : EffectsFit
        The effects.
    controls : dict of str to ExactPosterior
        Rates of control arms, by outcome.
    control_rate : float or None
        A control rate for everything; left out, that of the next control arm of each disease.

    Returns
    -------
    pandas.DataFrame
        `ABSOLUTE_COLUMNS`; rates are 12-month risks where the outcome is timed.
    """
    found, known = [], {}
    for name, posterior in fit.posteriors.items():
        for disease in fit.diseases:
            control, evidence, place = control_rate, "given", -1
            if control_rate is None:
                control = replace(controls[name].distribution("new_study", disease), link=None)
                evidence = controls[name].evidence_of(disease)["evidence"]
                place = column_of(controls[name], disease)
            for quantity in ("effect", "new_study"):
                effect = fit.distribution(name, quantity, disease)
                # Diseases without studies of their own have these numbers in common.
                key = (name, quantity, column_of(posterior, disease), place)
                if key not in known:
                    known[key] = _absolute_row(name, effect, control)
                about = {"outcome": name, "disease": disease, "quantity": quantity}
                found.append({**about, "control_evidence": evidence, **known[key]})
    return pd.DataFrame(found, columns=list(ABSOLUTE_COLUMNS))


def _absolute_row(name: str, effect: Distribution, control) -> dict[str, float]:
    row: dict[str, float] = {}
    for key, statistics in absolute_effects(effect, control, outcome(name).link).items():
        names = (f"{key}_{statistic}" for statistic in RATE_STATISTICS)
        row |= dict(zip(names, statistics.tolist(), strict=True))
    limits = (row["risk_difference_q2.5"], row["risk_difference_q97.5"])
    needed = number_needed(*limits, not outcome(name).is_harm)
    for side in ("benefit", "harm"):
        fewest, most = getattr(needed, side) or (np.nan, np.nan)
        row |= {f"nnt_{side}_from": fewest, f"nnt_{side}_to": most}
    return row


def unanchored_table(
    fit: EffectsFit,
    treated: dict[str, ExactPosterior],
    controls: dict[str, ExactPosterior],
    bias_sd: float = UNANCHORED_BIAS_SD,
) -> pd.DataFrame:
    """Compare treated with control arms of other studies, where a disease has no controlled one.

    Nothing is randomised here: the difference of the two levels has a bias added whose size is an
    assumption.

    Parameters
    ----------
    fit : EffectsFit
        The effects, for the diseases that have none of their own.
    treated, controls : dict of str to ExactPosterior
        Rates of treated and of control arms, by outcome.
    bias_sd : float
        Standard deviation of the bias, linear scale.

    Returns
    -------
    pandas.DataFrame
        `UNANCHORED_COLUMNS`; ``tipping_bias`` is the bias in favour of treatment (linear scale)
        that would undo the conclusion of benefit or of harm that the difference without any bias
        supports with probability 0.975; not a number where there is no such conclusion.
    """
    found = []
    for name, posterior in fit.posteriors.items():
        sign = -1.0 if outcome(name).is_harm else 1.0
        for disease in fit.diseases:
            arms = treated.get(name)
            direct = posterior.evidence_of(disease)["evidence"] == "direct"
            if arms is None or direct or arms.evidence_of(disease)["evidence"] != "direct":
                continue
            first, second = (each.distribution("theta", disease) for each in (arms, controls[name]))
            statistics, above = difference_statistics(first, second, bias_sd)
            plain, _ = difference_statistics(first, second)
            limits = np.sort(sign * plain[[2, 4]])
            tipping = limits[0] if limits[0] > 0 else limits[1] if limits[1] < 0 else np.nan
            row = {"outcome": name, "disease": disease, "scale": scale_of(name)}
            row |= dict(zip(STATISTICS, statistics.tolist(), strict=True))
            row |= {"probability_benefit": _benefit(name, above), "bias_sd": bias_sd}
            row |= {"tipping_bias": float(sign * tipping)}
            row["treated_studies"] = arms.evidence_of(disease)["studies"]
            row["control_evidence"] = controls[name].evidence_of(disease)["evidence"]
            found.append(row)
    return pd.DataFrame(found, columns=list(UNANCHORED_COLUMNS))


def contradictions(absolute: pd.DataFrame, parents: dict[str, str]) -> list[str]:
    """Name the pairs of rates that cannot hold together: of an outcome and the one it lies within.

    Parameters
    ----------
    absolute : pandas.DataFrame
        Of `absolute_table`.
    parents : dict of str to str
        Each nested outcome's parent.

    Returns
    -------
    list of str
        A sentence each.
    """
    rows = {
        (row["outcome"], row["disease"]): row
        for row in absolute[absolute["quantity"] == "effect"].to_dict("records")
    }
    told = []
    for (name, disease), row in rows.items():
        parent = parents.get(name)
        above = rows.get((parent, disease))
        if above is None:
            continue
        for arm in ("control", "treated"):
            own, whole = row[f"{arm}_rate_q50"], above[f"{arm}_rate_q50"]
            if own > whole:
                told.append(
                    f"{words(disease)}: the {arm} rate of {outcome_in_text(name)} ({own:.2f}) is "
                    f"above that of {outcome_in_text(str(parent))} ({whole:.2f}), within which it "
                    "lies: they are fitted apart, so that these two cannot be read together"
                )
    return told
