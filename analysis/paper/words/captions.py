"""The words that go with each figure: its caption and its alternative text, from what it draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ....data.names import outcome_words
from ....figures.forest import beyond_axis
from ..frames.results import Results, verdicts
from .wording import count, interval, listed, numbered, percent

if TYPE_CHECKING:
    import pandas as pd

    from ....data.evidence import Evidence

_POOLING = {
    "partial": "partial pooling across diseases",
    "complete": "complete pooling across diseases",
    "none": "no pooling across diseases",
    "exnex": "exchangeable or not (EXNEX) pooling across diseases",
    "robust": "robust (Student-t) partial pooling across diseases",
}
ESTIMATES = "posterior median and central 95 % interval"
_WILSON = "Wilson 95 % interval"


@dataclass(frozen=True)
class Words:
    """A figure's title, caption, and alternative text for those who do not see it."""

    title: str
    caption: str
    alternative: str


def model_words(results: Results) -> str:
    """Say in a sentence which model, priors and data a fit is of."""
    run = results.run
    how = "numerical integration" if run["engine"] == "exact" else _sampling(run)
    chosen = results.evidence.selection
    return (
        f"Bayesian hierarchical binomial model with {_POOLING[run['pooling']]}, prior set "
        f"{run['priors']['name']}, {how}. Analysis set {chosen.analysis_set}, "
        f"{chosen.definitions} definitions; data {run['data_sha256'][:12]}."
    )


def verdict_words(results: Results, outcomes: list[str] | None = None) -> str:
    """Give the guard's verdict on a fit, or on the outcomes that a figure shows."""
    if results.checked is None:
        return "Unchecked: the guard has not seen this fit."
    judged, whole = verdicts(results.checked), results.verdict
    notes = [
        f"{lowered(name)}: {judged[name]}"
        for name in outcomes or judged
        if judged.get(name, "pass") != "pass"
    ]
    words = f"Guard: {whole}"
    if notes:
        words += f" ({'; '.join(notes)})."
    else:
        words += " for the whole fit, pass for what is shown." if whole != "pass" else "."
    return words + (" Do not use these estimates." if whole == "fail" else "")


def _sampling(run: Mapping[str, Any]) -> str:
    return f"{numbered(run['chains'], 'chain')} of {numbered(run['draws'], 'draw')} (NUTS)"


def _studies(n: int) -> str:
    return numbered(n, "study", "studies")


def lowered(outcome: str) -> str:
    """Name an outcome within a sentence."""
    words = outcome_words(outcome)
    return words[:1].lower() + words[1:]


def abbreviations(shown: set[str], evidence: Evidence) -> str:
    """Spell out the abbreviations among the words that a figure shows."""
    about = evidence.about
    pairs = [
        f"{short}, {about.in_text(name)}"
        for name, short in about.shorts(evidence.diseases).items()
        if short in shown and short != about.words(name)
    ]
    pairs += ["AE, adverse event"] if "AE" in shown else []
    return f"{'; '.join(pairs)}." if pairs else ""


def sentences(*parts: str) -> str:
    """Join what there is to say."""
    return " ".join(part for part in parts if part)


def _ranked(rows: pd.DataFrame, names: tuple[str, str, str], results: Results) -> str:
    """Give each disease's estimate, from the largest."""
    rows = rows.sort_values(names[0], ascending=False, kind="stable")
    told = [
        f"{results.disease_in_text(row['disease'])} {interval(row, names)}"
        + (" (borrowed)" if row["evidence"] == "borrowed" else "")
        for row in rows.to_dict("records")
    ]
    return "; ".join(told)


def evidence_map(frame: pd.DataFrame, results: Results) -> Words:
    """Word the evidence map."""
    rows = results.evidence.rows
    gaps = [
        f"{results.disease_in_text(row['disease'])}, {lowered(row['outcome'])}"
        for row in frame[frame["patients"] == 0].to_dict("records")
    ]
    studies = rows["study"].nunique()
    caption = sentences(
        "Patients (studies in brackets) behind each disease and outcome, treated arms only:",
        f"{studies} studies, {len(rows)} rows of counts.",
        "Darker tiles stand for more patients; hatched tiles for none.",
        f"Analysis set {results.evidence.selection.analysis_set}.",
    )
    told = [
        f"{results.disease_in_text(row['disease'])}, {lowered(row['outcome'])}: {row['patients']} "
        f"patients in {_studies(row['studies'])}"
        for row in frame[frame["patients"] > 0].to_dict("records")
    ]
    missing = f" Nobody was counted for: {'; '.join(gaps)}." if gaps else ""
    return Words(
        "Evidence by disease and outcome",
        caption,
        f"Table of tiles, diseases by outcomes. {'; '.join(told)}.{missing}",
    )


def characteristics(frame: pd.DataFrame, results: Results) -> Words:
    """Word the study characteristics."""
    without = int((frame[list(results.evidence.outcome_names)] == "").all(axis=1).sum())
    patients, controls = int(frame["patients"].sum()), int(frame["controls"].sum())
    months = frame["months"].dropna()
    follow_up = f"follow-up {months.min():g} to {months.max():g} months" if len(months) else ""
    caption = sentences(
        f"The {len(frame)} studies of the analysis: patients treated (n = {patients}) and controls "
        f"(n = {controls}, paler), follow-up, and the outcomes that each supplies (filled circle: "
        "count reported in the study; half: from a later review; open: derived from words or "
        "percentages; dot: not supplied).",
        f"{without} of the studies supply no count that could be read." if without else "",
    )
    per = frame.groupby("disease", sort=False)["patients"].agg(["size", "sum"])
    told = [
        f"{results.disease_in_text(str(name))}: {_studies(row['size'])}, {row['sum']} patients"
        for name, row in per.iterrows()
    ]
    parts = "; ".join([*told, follow_up] if follow_up else told)
    return Words("Study characteristics", caption, f"A row for each study. {parts}.")


def forest(frame: pd.DataFrame, results: Results) -> Words:
    """Word a forest plot."""
    outcome = str(frame["outcome"].iloc[0])
    studies = frame[frame["row"] == "study"]
    rates = frame[frame["row"] == "rate"]
    name = lowered(outcome)
    patients = int(studies["n"].sum())
    low, high = int(studies["events_min"].sum()), int(studies["events_max"].sum())
    bounded = bool((studies["events_min"] < studies["events_max"]).any())
    borrowed = [
        results.disease_in_text(d) for d in rates.loc[rates["evidence"] == "borrowed", "disease"]
    ]
    death = outcome == "death"
    caption = sentences(
        f"Forest plot of {name}: {count(low, high)} of {patients} patients in {len(studies)} arms "
        f"of {studies['study'].nunique()} studies.",
        f"Grey squares: observed share with {_WILSON}"
        + (", turned into 12-month risks at a constant hazard" if death else "")
        + (
            "; open boxes: counts known only within bounds, the line from the lower bound's to the "
            "upper bound's interval limit"
            if bounded
            else ""
        )
        + ("; arrows: the interval goes on beyond the axis." if beyond_axis(frame) else "."),
        f"Coloured marks: each study's own rate, shrunken towards its disease; diamonds: rate of "
        f"the disease (that of its median study); both {ESTIMATES}.",
        "Pale bars: central 95 % prediction interval for the rate of the next trial in that "
        "disease, and of a trial in a disease not yet tried.",
        f"Hollow diamonds: no study, borrowed from the other diseases ({listed(borrowed)})."
        if borrowed
        else "",
        "Single-arm rates are not treatment effects.",
        model_words(results),
        verdict_words(results, [outcome]),
    )
    alternative = sentences(
        f"Forest plot of {name} in {len(rates)} diseases and {len(studies)} study arms.",
        "Disease rates, from the largest:",
        _ranked(rates, ("estimate", "low", "high"), results) + ".",
        _new_disease(frame),
    )
    return Words(f"Forest plot: {name}", caption, alternative)


def _new_disease(frame: pd.DataFrame) -> str:
    row = frame[frame["row"] == "new_disease"]
    if row.empty:
        return ""
    values = interval(row.iloc[0].to_dict(), ("estimate", "low", "high"))
    return f"In a disease not yet tried: {values}."


def rates(frame: pd.DataFrame, results: Results) -> Words:
    """Word the rates by disease."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    caption = sentences(
        f"Rates of {listed([lowered(o) for o in outcomes])} by disease.",
        "Marks: posterior median (that of the median study); thick and thin lines: central 50 % "
        "and 95 % intervals; pale bars: central 95 % prediction interval for the next trial; "
        "hollow marks with dashed lines: no study of that disease, borrowed from the others.",
        "Death is shown as 12-month risk." if "death" in outcomes else "",
        _counted(frame),
        model_words(results),
        verdict_words(results, outcomes),
    )
    return Words("Rates by disease", caption, _told(frame, "Panels, one an outcome", results))


def safety(frame: pd.DataFrame, results: Results) -> Words:
    """Word the harms."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    caption = sentences(
        f"Harms by disease: {listed([lowered(o) for o in outcomes])}, with events and patients "
        "counted; the axis has a square-root scale.",
        "Marks: posterior median; thick and thin lines: central 50 % and 95 % intervals; pale "
        "bars: central 95 % prediction interval for the next trial; hollow marks with dashed "
        "lines: no study, borrowed.",
        "Death is the 12-month risk under a constant hazard; its events were counted over each "
        "study's own follow-up."
        if "death" in outcomes
        else "",
        _counted(frame),
        model_words(results),
        verdict_words(results, outcomes),
    )
    return Words("Harms by disease", caption, _told(frame, "Panels, one a harm", results))


def joint(frame: pd.DataFrame, results: Results) -> Words:
    """Word an outcome with the one nested in it."""
    parent, child = dict.fromkeys(frame["outcome"])
    caption = sentences(
        f"{outcome_words(parent)} and {lowered(child)} by disease. Wide pale bars end at the "
        f"posterior median of {lowered(parent)}, narrow full ones at that of {lowered(child)}, "
        "which lies within it in every posterior draw; lines: central 95 % intervals; white dashed "
        "bars: no study, borrowed from the other diseases.",
        _counted(frame),
        model_words(results),
        verdict_words(results, [parent, child]),
    )
    title = f"{outcome_words(parent)} and {lowered(child)}"
    return Words(title, caption, _told(frame, "Nested bars", results))


def _counted(frame: pd.DataFrame) -> str:
    own = frame[frame["quantity"] == "rate"].groupby("outcome", sort=False)["patients"].sum()
    return "Patients: " + ", ".join(f"{lowered(str(o))} {n}" for o, n in own.items()) + "."


def _told(frame: pd.DataFrame, kind: str, results: Results) -> str:
    own = frame[frame["quantity"] == "rate"]
    parts = [
        f"{outcome_words(str(outcome))}: {_ranked(rows, ('q50', 'q2.5', 'q97.5'), results)}."
        for outcome, rows in own.groupby("outcome", sort=False)
    ]
    return f"{kind}; median and 95 % interval by disease, from the largest. {' '.join(parts)}"


def predictive(frame: pd.DataFrame, results: Results) -> Words:
    """Word the mixed predictive intervals of the studies."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    outside = frame[~frame["inside"].astype(bool)]
    named = [f"{r['label']} ({lowered(r['outcome'])})" for r in outside.to_dict("records")]
    found = f"{len(outside)} of {len(frame)} arms lie outside their 95 % interval"
    found += f": {listed(named)}." if 0 < len(named) <= 12 else "."
    caption = sentences(
        "Mixed predictive check: each study arm's observed share (mark; a line where the count is "
        "only known within bounds) and the central 50 % and 95 % intervals predicted for a new "
        "study of the same size in that disease, its study effect drawn anew. Arms are in the "
        "order of the predicted median.",
        found,
        model_words(results),
        verdict_words(results, outcomes),
    )
    alternative = f"Panels, one an outcome, with a bar and a mark for each arm. {found}"
    return Words("Mixed predictive check, study by study", caption, alternative)


def checks(frame: pd.DataFrame, results: Results) -> Words:
    """Word the guard's predictive checks."""
    alarms = frame[frame["verdict"] != "pass"]
    named = [
        f"{lowered(r['outcome'])}, {r['check']} (mid-p {r['mid_p']:.3f}, {r['verdict']})"
        for r in alarms.to_dict("records")
    ]
    found = f"Beyond its limits: {'; '.join(named)}." if named else "All are within their limits."
    caption = sentences(
        "Predictive checks of the guard: the probability that a replicated data set, with study "
        "effects drawn anew, shows more than the observed one (mid-p value: small "
        "or large ones speak against the model). The axis is a normal quantile scale; dotted "
        "lines: limits of warning and failure.",
        found,
        "The guard also judges each study left out, which another figure shows.",
        model_words(results),
        verdict_words(results),
    )
    return Words("Predictive checks of the guard", caption, f"{len(frame)} checks. {found}")


def calibration(frame: pd.DataFrame, results: Results) -> Words:
    """Word the studies left out."""
    from scipy.stats import kstwo

    pits = frame["pit"].dropna().sort_values().to_numpy()
    n = len(pits)
    above = max((i + 1) / n - p for i, p in enumerate(pits)) if n else 0.0
    below = max(p - i / n for i, p in enumerate(pits)) if n else 0.0
    band = float(kstwo.ppf(0.95, n)) if n else 1.0
    stays = "stays within" if max(above, below) <= band else "leaves"
    found = (
        f"{n} studies and outcomes; the curve {stays} the band (largest difference "
        f"{max(above, below):.2f}, limit {band:.2f})."
    )
    caption = sentences(
        "Calibration of studies left out: the randomised probability integral transform (PIT) of "
        "each study given all others, by outcome, and the share of studies up to each value minus "
        "that value, with the band that would hold the whole curve of a calibrated model with "
        "independent studies 95 times in 100.",
        found,
        model_words(results),
        verdict_words(results),
    )
    return Words("Calibration of studies left out", caption, found)


def pooling(frame: pd.DataFrame, results: Results) -> Words:
    """Word the comparison of poolings."""
    poolings = list(dict.fromkeys(frame["pooling"]))
    outcomes = list(dict.fromkeys(frame["outcome"]))
    wide = frame.pivot_table(index=["outcome", "disease"], columns="pooling", values="q50")
    moved = ""
    if {"none", "partial"} <= set(poolings):
        shift = (wide["partial"] - wide["none"]).abs()
        place = int(shift.to_numpy().argmax())
        outcome, disease = wide.index[place]
        ends = wide.iloc[place]
        moved = (
            f"Partial pooling moves {results.disease_in_text(disease)}, {lowered(outcome)}, most: "
            f"from {percent(ends['none'])} to {percent(ends['partial'])}."
        )
    kinds = [str(_POOLING.get(p, p)).split(" across")[0] for p in poolings]
    caption = sentences(
        f"Rates under {listed(kinds)}: {ESTIMATES}; "
        "the line joins the medians and shows the shrinkage. Under complete pooling all diseases "
        "share one rate.",
        moved,
        f"The fit of the other figures: {model_words(results)}",
        "The others differ in their pooling only, and the guard has not judged them.",
        verdict_words(results, outcomes),
    )
    return Words("Pooling compared", caption, sentences("Rates under each pooling.", moved))


def prior_posterior(frame: pd.DataFrame, results: Results) -> Words:
    """Word prior and posterior."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    caption = sentences(
        "Prior (grey) and posterior (line) densities of the overall level μ, the standard "
        "deviation between diseases τ and that between studies σ on the log-odds scale (death: "
        "log hazard a year), and of the rate in a typical study of a disease not yet tried.",
        "Of a nested outcome they concern its share of the outcome that it is nested in.",
        "Where they coincide, the data say nothing: the result is the prior.",
        model_words(results),
        verdict_words(results, outcomes),
    )
    told = []
    posterior = frame[frame["group"] == "posterior"]
    for (outcome, name), own in posterior.groupby(["outcome", "parameter"], sort=False):
        mode = float(own["value"].to_numpy()[own["density"].to_numpy().argmax()])
        words = percent(mode) if name == "new_disease" else f"{mode:.2f}"
        told.append(f"{lowered(str(outcome))}, {str(name).replace('_', ' ')} {words}")
    return Words("Prior and posterior", caption, f"Posterior modes: {'; '.join(told)}.")
