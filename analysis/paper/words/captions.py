"""The figures of evidence and rates: what each shows, and its words from what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ....data.names import numbered, outcome_words, timed_words, words
from ....figures.benefit_harm import draw_benefit_harm
from ....figures.characteristics import draw_characteristics
from ....figures.evidence_map import draw_evidence_map
from ....figures.forest import draw_forest, is_rooted
from ....figures.joint import draw_joint
from ....figures.page import axis_ends
from ....figures.pooling import draw_pooling
from ....figures.rates import draw_rates, draw_safety
from ....models.pooling import POOLINGS
from ...fitting.ranking import leaders
from ..frames import rates as frames
from ..frames.benefit import HELD, benefit_harm_data
from .closing import (
    ESTIMATES,
    ends_words,
    has_borrowed,
    lowered,
    model_words,
    sentences,
    study_count,
    verdict_words,
)
from .exhibit import FigureKind, Frames, Words
from .wording import count, interval, listed, percent

if TYPE_CHECKING:
    import pandas as pd

    from ..frames.results import Results

_WILSON = "Wilson 95 % interval"


def _ranked(rows: pd.DataFrame, names: tuple[str, str, str], results: Results) -> str:
    """Give each disease's estimate, the largest median first."""
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
        f"{study_count(studies)}, {numbered(len(rows), 'row')} of counts.",
        "The stronger a tile, the more patients; hatched tiles for none.",
        f"Analysis set {results.evidence.selection.analysis_set}.",
    )
    told = [
        f"{results.disease_in_text(row['disease'])}, {lowered(row['outcome'])}: "
        f"{numbered(row['patients'], 'patient')} in {study_count(row['studies'])}"
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
        ("The study" if len(frame) == 1 else f"The {len(frame)} studies")
        + f" of the analysis: patients treated (n = {patients}) and controls "
        f"(n = {controls}, fainter), follow-up, and the outcomes that each supplies (filled "
        "circle: count reported in the study; half: from a later review; open: derived from words "
        "or percentages; dot: not supplied).",
        f"{without} of the studies supply no count that could be read." if without else "",
    )
    per = frame.groupby("disease", sort=False)["patients"].agg(["size", "sum"])
    told = [
        f"{results.disease_in_text(str(name))}: {study_count(row['size'])}, "
        f"{numbered(row['sum'], 'patient')}"
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
    untried = (frame["row"] == "new_disease").any()
    towards = "what is expected at its moderators" if results.at else "its disease"
    caption = sentences(
        f"Forest plot of {name}: {count(low, high)} of {numbered(patients, 'patient')} "
        f"in {numbered(len(studies), 'arm')} of {study_count(studies['study'].nunique())}.",
        f"Grey squares: observed share with {_WILSON}"
        + (", turned into 12-month risks at a constant hazard" if timed_words([outcome]) else "")
        + (
            "; open boxes: counts known only within bounds, the line from the lower bound's to the "
            "upper bound's interval limit"
            if bounded
            else ""
        )
        + (". The axis has a square-root scale." if is_rooted(frame) else "."),
        f"Coloured marks: each study's own rate, shrunken towards {towards}; diamonds: rate of "
        f"the disease (that of its median study); both {ESTIMATES}.",
        "Faint bars: central 95 % prediction interval for the rate of the next trial in that "
        + ("disease, and of a trial in a disease not yet tried." if untried else "disease."),
        f"Hollow diamonds: no study, borrowed from the other diseases ({listed(borrowed)})."
        if borrowed
        else "",
        "Single-arm rates are not treatment effects.",
        model_words(results),
        verdict_words(results, [outcome]),
    )
    alternative = sentences(
        f"Forest plot of {name} in {numbered(len(rates), 'disease')} and "
        f"{numbered(len(studies), 'study arm')}.",
        "Disease rates, ordered by their medians:",
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
    timed = timed_words(outcomes)
    caption = sentences(
        f"Rates of {listed([lowered(o) for o in outcomes])} by disease.",
        ends_words(axis_ends(frame, "q97.5")),
        "Marks: posterior median (that of the median study); thick and thin lines: central 50 % "
        "and 95 % intervals; faint bars: central 95 % prediction interval for the next trial"
        + (
            "; hollow marks with dashed lines: no study of that disease, borrowed from the others."
            if has_borrowed(frame)
            else "."
        ),
        f"{words(timed)} is shown as 12-month risk." if timed else "",
        _counted(frame),
        model_words(results),
        verdict_words(results, outcomes),
    )
    return Words("Rates by disease", caption, _told(frame, "Panels, one an outcome", results))


def safety(frame: pd.DataFrame, results: Results) -> Words:
    """Word the harms."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    timed = timed_words(outcomes)
    caption = sentences(
        f"Harms by disease: {listed([lowered(o) for o in outcomes])}, with events and patients "
        "counted; the axis has a square-root scale.",
        "Marks: posterior median; thick and thin lines: central 50 % and 95 % intervals; faint "
        "bars: central 95 % prediction interval for the next trial"
        + ("; hollow marks with dashed lines: no study, borrowed." if has_borrowed(frame) else "."),
        f"{words(timed)} is the 12-month risk under a constant hazard; its events were counted "
        "over each study's own follow-up."
        if timed
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
        f"{outcome_words(parent)} and {lowered(child)} by disease. Wide faint bars end at the "
        f"posterior median of {lowered(parent)}, narrow full ones at that of {lowered(child)}, "
        "which lies within it in every posterior draw; lines: central 95 % intervals"
        + (
            "; hollow dashed bars: no study, borrowed from the other diseases."
            if has_borrowed(frame)
            else "."
        ),
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
    return f"{kind}; median and 95 % interval by disease, ordered by the medians. {' '.join(parts)}"


def pooling(frame: pd.DataFrame, results: Results) -> Words:
    """Word the comparison of poolings."""
    poolings = list(dict.fromkeys(frame["pooling"]))
    outcomes = list(dict.fromkeys(frame["outcome"]))
    moved = ""
    # Of a disease without a study "no pooling" is the prior: that it moves says nothing.
    studied = frame[frame["evidence"] == "direct"]
    wide = studied.pivot_table(index=["outcome", "disease"], columns="pooling", values="q50")
    if {"none", "partial"} <= set(poolings) and len(studied):
        error = studied.pivot_table(
            index=["outcome", "disease"], columns="pooling", values="mcse_q50", dropna=False
        ).reindex(wide.index)
        wide["shift"] = (wide["partial"] - wide["none"]).abs()
        wide["error"] = np.hypot(error["partial"], error["none"])
        named = [
            f"{results.disease_in_text(row['disease'])}, {lowered(row['outcome'])}, from "
            f"{percent(row['none'])} to {percent(row['partial'])}"
            for row in leaders(wide.reset_index(), "shift", "error")
        ]
        where = "Of diseases with a study of the outcome partial pooling moves most"
        moved = f"{where}, or as much as can be told: {'; '.join(named)}."
        if len(named) == 1:
            moved = f"{where}: {named[0]}."
    kinds = [POOLINGS[name].words for name in poolings]
    caption = sentences(
        f"Rates under {listed(kinds)}: {ESTIMATES}; "
        "the line joins the medians and shows the shrinkage; dotted intervals: no study. Under "
        "complete pooling all diseases share one rate.",
        ends_words(axis_ends(frame, "q97.5")),
        moved,
        f"The fit of the other figures: {model_words(results)}",
        "The others differ in their pooling only, and the guard has not judged them.",
        verdict_words(results, outcomes),
    )
    return Words("Pooling compared", caption, sentences("Rates under each pooling.", moved))


def benefit_harm(frame: pd.DataFrame, results: Results) -> Words:
    """Word benefit against harm."""
    benefit, harm = (lowered(str(frame[name].iloc[0])) for name in ("benefit", "harm"))
    points = frame[frame["row"] == "rate"]
    told = [
        f"{results.disease_in_text(row['disease'])} "
        f"{interval(row, ('x', 'x_low', 'x_high'))} and {interval(row, ('y', 'y_low', 'y_high'))}"
        + (" (borrowed)" if row["evidence"] == "borrowed" else "")
        for row in points.to_dict("records")
    ]
    borrowed = (points["evidence"] == "borrowed").any()
    caption = sentences(
        f"How often patients had {benefit}, and how often they had {harm}: a mark a disease at "
        "both medians, with both central 95 % intervals and a region that holds "
        f"{percent(HELD, 0)} of the joint posterior (an ellipse of the two log-odds). Best is low "
        "on the right. Harm has a square-root scale.",
        "Hollow marks, dashed regions: no study reports one of the two." if borrowed else "",
        "The two are modelled apart: whether the patients who improve are those who are harmed "
        "cannot be read here.",
        "Single-arm rates are not treatment effects.",
        model_words(results),
        verdict_words(results, [str(frame["benefit"].iloc[0]), str(frame["harm"].iloc[0])]),
    )
    title = f"{outcome_words(str(frame['benefit'].iloc[0]))} against {harm}"
    return Words(title, caption, f"{title}, by disease: {'; '.join(told)}.")


def _benefits(results: Results) -> Frames:
    frame = benefit_harm_data(results.fit, results.evidence)
    if frame is not None:
        yield "", frame


def _forests(results: Results) -> Frames:
    for outcome in results.outcomes:
        yield outcome, frames.forest_data(results.fit, results.evidence, outcome)


def _joints(results: Results) -> Frames:
    for child in frames.nested_children(results.fit):
        yield child, frames.nested_data(results.fit, results.evidence, child)


def _poolings(results: Results) -> Frames:
    if len(results.poolings) > 1:
        yield "", frames.pooling_data(results.poolings, results.evidence)


EVIDENCE_MAP = FigureKind(
    "evidence_map",
    "evidence",
    lambda results: [("", frames.evidence_map_data(results.evidence))],
    draw_evidence_map,
    evidence_map,
)
CHARACTERISTICS = FigureKind(
    "characteristics",
    "evidence",
    lambda results: [("", frames.characteristics_data(results.evidence))],
    draw_characteristics,
    characteristics,
    on_page=False,  # it has them in a table
)
FOREST = FigureKind("forest", "rates", _forests, draw_forest, forest)
RATES = FigureKind(
    "rates",
    "rates",
    lambda results: [("", frames.rates_data(results.fit, results.evidence))],
    draw_rates,
    rates,
)
JOINT = FigureKind("joint", "joint", _joints, draw_joint, joint)
SAFETY = FigureKind(
    "safety",
    "safety",
    lambda results: [("", frames.safety_data(results.fit, results.evidence))],
    draw_safety,
    safety,
)
BENEFIT_HARM = FigureKind("benefit_harm", "safety", _benefits, draw_benefit_harm, benefit_harm)
POOLING = FigureKind("pooling", "pooling", _poolings, draw_pooling, pooling)
