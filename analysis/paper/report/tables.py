"""The tables of the report: what a reader sees, with the frame of numbers behind each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from ....data.file_names import file_name
from ....data.means import MODELLED, MODELLED_SIGN
from ....data.names import (
    counted_words,
    outcome_short,
    outcome_words,
    study_labels,
    timed_words,
    words,
)
from ....data.outcomes import Outcome
from ....data.written import fixed
from ....models.exact.implied import implied_rates
from ....models.pooling import has_tau
from ...fitting.summary import ERRORS, one_shown, rates, shown
from ..frames import guard as gather_guard
from ..frames import rates as gather
from ..frames.results import Results, rates_of
from ..words import table as words_table
from ..words.table import BORROWED, FROM_MEANS, Table, rate_cell, studies_in_words
from ..words.wording import count, interval, number, percent
from .controlled import risk_differences

if TYPE_CHECKING:
    from ....data.evidence import Evidence


#: Digits of what was sampled and has no error of its own.
_SAMPLED = 2


def map_table(results: Results) -> Table:
    """Tabulate what each disease knows of each outcome: studies and patients."""
    frame = gather.evidence_map_data(results.evidence)
    outcomes = results.evidence.outcome_names
    rows = []
    for disease, of_disease in frame.groupby("disease", sort=False):
        by_outcome = of_disease.set_index("outcome")
        cells = by_outcome.loc[list(outcomes), ["studies", "patients"]].to_numpy().tolist()
        said = [f"{studies} / {patients}" if studies else "none" for studies, patients in cells]
        rows.append((results.disease(str(disease)), *said))
    caption = (
        "Studies / patients behind each outcome in the analysis set. Where there are none, a rate "
        "is borrowed from the other diseases."
    )
    header = ("Disease", *(outcome_words(name) for name in outcomes))
    return Table("evidence_map", caption, header, rows, frame, of_fit=False)


def characteristics_table(results: Results) -> Table:
    """Tabulate the studies."""
    frame = gather.characteristics_data(results.evidence)
    outcomes = results.evidence.outcome_names
    marks = {"reported": "●", "secondary": "◐", "derived": "○", MODELLED: MODELLED_SIGN}
    rows = [
        (
            row["label"],
            row["disease"],
            row["design"],
            ", ".join(filter(None, (row["cell_source"], row["donor"].lower()))),
            ", ".join(f"{outcome_short(k)} {marks[row[k]]}" for k in outcomes if row[k]) or "–",
            str(row["patients"]),
            str(row["controls"] or ""),
            row["months"],
        )
        for row in studies_in_words(frame, results.evidence.about).to_dict("records")
    ]
    caption = (
        "The studies, and the outcomes of which counts could be read: ● in the study's own text, "
        "◐ in a later review's table, ○ derived from words or percentages. AE: adverse event."
    )
    if results.evidence.selection.means:
        caption += f" {MODELLED_SIGN} follows from means by a model."
    header = ("Study", "Disease", "Design", "Cells", "Counts", "Treated", "Controls", "Months")
    return Table("studies", caption, header, rows, frame, of_fit=False, texts=5)


def priors_table(results: Results) -> Table:
    """Tabulate the priors of each outcome, and what they say of a rate before any data."""
    config = results.config
    described = {each["name"]: Outcome(**each) for each in config["model"]}
    between_diseases = has_tau(config["pooling"], config["diseases"])
    made, rows = [], []
    for outcome in results.outcomes:
        own = results.priors.of(outcome)
        implied = implied_rates(
            results.priors, described[outcome], config["pooling"], config["diseases"]
        ).set_index("quantity")[["q2.5", "q50", "q97.5"]]
        known = implied.loc[["new_disease", "new_study"]].to_dict("records")
        parts = {"mu": own.mu, "tau": own.tau if between_diseases else None, "sigma": own.sigma}
        made.append(
            {
                "outcome": outcome,
                **{name: "" if each is None else str(each) for name, each in parts.items()},
                **{f"rate_{name}": value for name, value in known[0].items()},
                **{f"new_{name}": value for name, value in known[1].items()},
            }
        )
        rows.append(
            (
                outcome_words(outcome),
                # In two lines, or the six columns do not fit on the page.
                *(
                    "–" if each is None else str(each).replace("(", "\n(")
                    for each in parts.values()
                ),
                *map(interval, known),
            )
        )
    between = "the spread between diseases (tau) and between studies"
    between = between if between_diseases else "the spread between studies"
    caption = (
        f"Priors of the overall level (mu), {between} "
        "of a disease (sigma), on the linear scale; and what they imply, before any data, for the "
        "rate of a disease and of a new study: median and central 95 % interval. The priors of a "
        "nested outcome are for its share among those who have the outer one; its rate is the "
        "product."
    )
    if results.at:
        prior = results.priors.of(results.outcomes[0]).moderator
        caption += (
            f" A coefficient of a moderator has the prior {prior}; what is implied is of studies "
            "to whose level moderators add nothing."
        )
    header = ("Outcome", "mu", "tau", "sigma", "Implied rate", "Implied new study")
    return Table("priors", caption, header, rows, pd.DataFrame(made), texts=4)


def rates_table(results: Results, outcome: str) -> Table:
    """Tabulate the rates of one outcome by disease."""
    caption = f"{outcome_words(outcome)}: rate of a typical study, and of the next trial" + (
        " (12-month risk)." if timed_words([outcome]) else "."
    )
    if any(name == outcome for name, _ in results.evidence.from_means):
        caption += f" {FROM_MEANS}"
    return words_table.rates_table(rates_of(results), outcome, results.evidence, caption)


def nested_table(results: Results, child: str) -> Table:
    """Tabulate an outcome beside the one that it is nested in, and its share of that."""
    frame = gather.nested_data(results.fit, results.evidence, child)
    parent = str(frame["outcome"].iloc[0])
    known = shown(results.fit)
    made, rows, quiet = [], [], set()
    by = {name: group.set_index("disease") for name, group in frame.groupby("outcome", sort=False)}
    for i, disease in enumerate(results.fit["posterior"]["disease"].to_numpy().tolist()):
        pair = [by[name].loc[disease] for name in (parent, child)]
        cells = [
            {**each, "outcome": name, "disease": disease}
            for each, name in zip(pair, (parent, child), strict=True)
        ]
        quiet |= {i} if all(each["evidence"] == BORROWED for each in pair) else set()
        part = one_shown(known, outcome=child, quantity="share", disease=disease)
        part = {name: part[name] for name in ("q2.5", "q50", "q97.5", *ERRORS)}
        made.append({"disease": disease, **{f"share_{name}": part[name] for name in part}})
        rows.append(
            (
                results.disease(disease),
                *(rate_cell(each, results.evidence) for each in cells),
                interval(part),
            )
        )
    shares = pd.DataFrame(made)
    parts = frame.pivot(index="disease", columns="outcome", values=["q2.5", "q50", "q97.5"])
    parts.columns = [f"{outcome}_{statistic}" for statistic, outcome in parts.columns]
    caption = (
        f"{outcome_words(parent)} and, within it, {outcome_words(child).lower()}: rates of a "
        f"typical study. The share is that of {outcome_words(child).lower()} among those with the "
        "outer outcome; the inner rate is the outer one times the share, and never exceeds it."
    )
    header = ("Disease", outcome_words(parent), outcome_words(child), "Share")
    frame = shares.merge(parts.reset_index(), on="disease")
    return Table(f"joint_{file_name(child)}", caption, header, rows, frame, quiet=frozenset(quiet))


def safety_table(results: Results) -> Table | None:
    """Tabulate the harms by disease; none where the fit has no harm of the dictionary."""
    frame = gather.safety_data(results.fit, results.evidence)
    frame = frame[frame["outcome"].isin(results.outcomes)]
    if frame.empty:
        return None
    rate = frame[frame["quantity"] == "rate"]
    outcomes = list(dict.fromkeys(rate["outcome"]))
    rows = []
    for disease, of_disease in rate.groupby("disease", sort=False):
        by = of_disease.set_index("outcome")
        rows.append((results.disease(str(disease)), *(_harm(by.loc[name]) for name in outcomes)))
    caption = (
        "Harms: median rate of a typical study with its central 95 % interval, and below it the "
        "events seen among the patients looked at."
    )
    if timed := timed_words(outcomes):
        caption += (
            f" {words(timed)} is the 12-month risk, from follow-ups of different length under a "
            "constant hazard."
        )
    header = ("Disease", *(outcome_words(name) for name in outcomes))
    return Table("safety", caption, header, rows, frame.reset_index(drop=True))


def _harm(row: pd.Series) -> str:
    if row["evidence"] == BORROWED:
        return f"{interval(row.to_dict())}\n{BORROWED}"
    events = count(int(row["events_min"]), int(row["events_max"]))
    return f"{interval(row.to_dict())}\n{events} of {int(row['n'])}"


def controlled_table(results: Results) -> Table | None:
    """Tabulate the studies with a control arm; none where there is none."""
    frame = risk_differences(results.evidence)
    if frame.empty:
        return None
    labels = study_labels(results.evidence.studies)
    marks = {
        "related_product": ("*", "a related product, not a cell product; it is in no other table"),
        "later": ("†", "published after the review's window"),
        "unpublished": ("‡", "never published; its counts follow from what its sponsor disclosed"),
    }
    rows = [
        (
            labels[row["study"]]
            + (f" {marks[row['role']][0]}" if row["role"] in marks else "")
            + (f", against {row['comparator']}" if row["comparator"] else ""),
            counted_words(row["outcome"]),
            row["definition"],
            f"{count(row['events_min'], row['events_max'])} of {row['n']}",
            f"{count(row['control_events_min'], row['control_events_max'])} of {row['control_n']}",
            "counts only bounded"
            if row["difference"] != row["difference"]
            else _points(row["difference"], row["low"], row["high"]),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Studies with a control arm, each by itself: risk difference, treated less control, in "
        "percentage points with 95 % hybrid score interval (Newcombe's method 10, statsmodels)."
    )
    told = [f"{marks[role][0]} {marks[role][1]}" for role in marks if (frame["role"] == role).any()]
    caption += f" {'; '.join(told)}." if told else ""
    header = ("Study", "Outcome", "Counted as", "Treated", "Control", "Risk difference (95 %)")
    return Table("controlled", caption, header, rows, frame, of_fit=False, texts=3)


def _points(difference: float, low: float, high: float) -> str:
    middle, *ends = (fixed(100 * each, 0, plus=True) for each in (difference, low, high))
    return f"{middle} ({ends[0]} to {ends[1]})"


def checks_table(results: Results) -> Table:
    """Tabulate the guard's predictive checks."""
    frame = gather_guard.checks_data(results.checked, results.evidence)
    rows = [
        (
            outcome_words(row["outcome"]),
            words(row["check"]),
            *(number(row[name], digits=_SAMPLED) for name in ("observed", "predicted")),
            number(row["mid_p"], row["mid_p_mcse"]),
            row["verdict"],
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Posterior predictive checks: the data beside what the model predicts for new studies of "
        "the same size. Mid-p is the probability of a larger value: near 0 or 1 the data do not "
        "look like the model. Of the study left out it is two-sided and adjusted for the number "
        "of studies: only near 0 does it tell of misfit."
    )
    header = ("Outcome", "Check", "Observed", "Predicted", "Mid-p", "Verdict")
    return Table("checks", caption, header, rows, frame, texts=2)


def left_out_table(results: Results) -> Table:
    """Tabulate each study as the others predict it."""
    frame = gather_guard.calibration_data(results.checked, results.evidence)
    rows = [
        (
            outcome_words(row["outcome"]),
            str(row["label"]),
            *(number(row[name], digits=_SAMPLED) for name in ("elpd", "pit", "pareto_k")),
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "Each study left out and predicted by the others: log predictive density of its rows of "
        "an outcome (a nested outcome's is in the outer one's), probability integral transform "
        "(between 0 and 1, evenly spread for a model that is right) and Pareto k of the importance "
        "weights. Without a k nothing was weighted: the rest was integrated exactly, or, where k "
        "was above 0.7 or the study surprised, the model was fitted again without it."
    )
    header = ("Outcome", "Study", "Log density", "PIT", "Pareto k")
    return Table("left_out", caption, header, rows, frame, texts=2)


def review_table(results: Results) -> Table | None:
    """Tabulate what the review states beside what the model predicts; none without a review."""
    review = results.checked.to_dict()["review"]
    if not review:
        return None
    frame = pd.DataFrame(review)
    rows = [
        (
            results.disease(row["disease"]),
            counted_words(row["outcome"]),
            row["wording"],
            _stated(row["statistic"], row["value"]),
            _stated(row["statistic"], row["predicted"]),
            number(row["mid_p"], row["mid_p_mcse"]),
            row["verdict"],
        )
        for row in frame.to_dict("records")
    ]
    caption = (
        "What the motivating review states, beside what the model predicts for the arms of this "
        "evidence. Nothing is judged: the review does not say of how many patients it speaks, and "
        "its studies are not these; where a row of the evidence was derived from the statement, "
        "the two are not independent either."
    )
    header = ("Disease", "Outcome", "The review's words", "States", "Predicted", "Mid-p", "Verdict")
    return Table("review", caption, header, rows, frame, texts=3)


def _stated(statistic: str, value: float) -> str:
    return number(value, digits=_SAMPLED) if statistic == "count" else percent(value)


def pooling_table(results: Results) -> Table | None:
    """Tabulate the rates under each pooling; none where there is only one fit."""
    if len(results.poolings) < 2:
        return None
    frame = gather.pooling_data(results.poolings, results.evidence)
    frame = frame[frame["outcome"].isin(results.outcomes)].reset_index(drop=True)
    rows, quiet = [], set()
    for (outcome, disease), group in frame.groupby(["outcome", "disease"], sort=False):
        by = group.set_index("pooling")
        quiet |= {len(rows)} if group["evidence"].iloc[0] == BORROWED else set()
        key = {"outcome": outcome, "disease": disease}
        cells = (rate_cell({**by.loc[name], **key}, results.evidence) for name in results.poolings)
        support = "borrowed" if group["evidence"].iloc[0] == BORROWED else _support(group)
        rows.append((outcome_words(str(outcome)), results.disease(str(disease)), support, *cells))
    caption = (
        "Rate of a typical study (median, central 95 % interval) when diseases inform each other "
        "not at all, partially, and as if they were one."
    )
    if results.evidence.from_means:
        caption += f" {FROM_MEANS}"
    header = ("Outcome", "Disease", "Studies / patients", *(map(words, results.poolings)))
    return Table("pooling", caption, header, rows, frame, quiet=frozenset(quiet), texts=2)


def _support(group: pd.DataFrame) -> str:
    return f"{group['studies'].iloc[0]} / {group['patients'].iloc[0]}"


def definitions_table(results: Results) -> Table | None:
    """Tabulate the rates that change with the definition; none where there is no other."""
    if not results.others:
        return None
    own = results.config["selection"]["definitions"]
    frames = {own: rates_of(results)}
    frames |= {name: rates(fit) for name, (_, fit) in results.others.items()}
    frame = pd.concat([each.assign(definitions=name) for name, each in frames.items()])
    changed = {
        (row["outcome"], row["disease"])
        for evidence, _ in results.others.values()
        for row in changed_rows(results.evidence, evidence).to_dict("records")
    }
    pairs = list(zip(frame["outcome"], frame["disease"], strict=True))
    frame = frame[(frame["quantity"] == "rate").to_numpy() & [pair in changed for pair in pairs]]
    rows = []
    for (outcome, disease), group in frame.groupby(["outcome", "disease"], sort=False):
        by = group.set_index("definitions")
        key = {"outcome": outcome, "disease": disease}
        cells = (
            rate_cell({**by.loc[name], **key}, results.evidence) if name in by.index else "–"
            for name in frames
        )
        rows.append((outcome_words(str(outcome)), results.disease(str(disease)), *cells))
    caption = (
        "Rates of the outcomes and diseases in which a study has another definition of the "
        "outcome, under each."
    )
    header = ("Outcome", "Disease", *(words(name) + " definitions" for name in frames))
    return Table("definitions", caption, header, rows, frame.reset_index(drop=True), texts=2)


def changed_rows(one: Evidence, other: Evidence) -> pd.DataFrame:
    """Give the rows of another selection that this one has not."""
    keys = ["study", "arm", "outcome", "events_min", "events_max", "n", "months"]
    known = set(map(tuple, one.rows[keys].fillna(-1).astype(object).to_numpy().tolist()))
    theirs = other.rows[keys].fillna(-1).astype(object).to_numpy().tolist()
    new = [tuple(row) not in known for row in theirs]
    return other.rows[new].reset_index(drop=True)


def changed_table(results: Results) -> Table | None:
    """Tabulate the counts that the other definitions change; none where there is no other."""
    if not results.others:
        return None
    keys = ["study", "arm", "outcome"]
    frames = [
        changed_rows(results.evidence, evidence).merge(
            results.evidence.rows, on=keys, how="left", suffixes=("", "_here")
        )
        for evidence, _ in results.others.values()
    ]
    frame = pd.concat(frames, ignore_index=True)
    labels = study_labels(results.evidence.studies)
    rows = [
        (
            labels[row["study"]],
            outcome_words(row["outcome"]),
            _defined(row, "_here"),
            _defined(row, ""),
        )
        for row in frame.to_dict("records")
    ]
    own = words(results.config["selection"]["definitions"])
    header = ("Study", "Outcome", f"{own} definition", "Other definition")
    caption = "Studies that define an outcome in more than one way, and what each way counts."
    return Table("definitions_rows", caption, header, rows, frame, of_fit=False, texts=4)


def _defined(row: Mapping[Any, Any], end: str) -> str:
    n = row[f"n{end}"]
    if n != n:
        return "not in this selection"
    events = count(int(row[f"events_min{end}"]), int(row[f"events_max{end}"]))
    return f"{row[f'definition{end}']}: {events} of {int(n)}"
