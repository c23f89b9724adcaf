"""The report's sections in their order: sentences, tables and the places of the figures."""

from __future__ import annotations

import pandas as pd

from ....data.evidence import summary
from ....data.names import (
    counted_words,
    numbered,
    outcome_in_text,
    outcome_words,
    spaced,
    study_labels,
    study_sources,
    timed_words,
)
from ....data.outcomes import PARENTS
from ....data.outcomes import outcome as described_outcome
from ....data.selection import described
from ...fitting.diagnostics import diagnostics
from ...fitting.ranking import leaders
from ...guard.measured import power_of_few_studies
from ..frames.rates import nested_children
from ..frames.results import Results, rates_of
from ..words import captions, captions_guard, captions_sensitivity
from ..words.closing import study_count
from ..words.moderators import at_words, moderator_words
from ..words.wording import interval, listed, span
from . import tables
from .block import Block, Section
from .references import references_section
from .sections_cumulative import cumulative_section
from .sections_effects import effects_section
from .sections_later import later_section
from .sections_limits import (
    NOT_EFFECTS,
    borrowed_where,
    limits_section,
    of_borrowed,
    reproduce_section,
)
from .sections_means import means_section
from .sections_moderators import moderators_section
from .sections_next import next_section
from .sections_sensitivity import sensitivity_blocks


def sections(results: Results, command: str) -> list[Section]:
    """Write the report.

    Parameters
    ----------
    results : Results
        Everything that was fitted and checked.
    command : str
        What was typed.

    Returns
    -------
    list of Section
        In the order of importance; those that have nothing to say are left out.
    """
    written = [
        _question(results),
        _evidence(results),
        _model(results),
        _priors(results),
        _rates(results),
        _joint(results),
        _safety(results),
        effects_section(results),
        _guard(results),
        _review(results),
        _poolings(results),
        moderators_section(results),
        _sensitivity(results),
        _definitions(results),
        means_section(results),
        later_section(results),
        cumulative_section(results),
        next_section(results),
        limits_section(results),
        reproduce_section(results, command),
    ]
    told = [section for section in written if section is not None]
    return [*told, references_section(results, told)]


def verdict_sentences(results: Results) -> list[str]:
    """Say why the verdict is what it is: one sentence an outcome that does not pass."""
    if not results.checked.ran:
        return ["The guard was not run: nothing here has been checked. Do not rely on it."]
    told = [
        f"{outcome_words(each.outcome)}: {each.verdict}. {each.reason}"
        for each in results.checked.alarms
    ]
    sampling = results.checked.sampling
    if sampling.verdict != "pass":
        told.append(f"Sampling: {sampling.verdict}. {sampling.reason}")
    return told or ["For every outcome the data look like what the model predicts."]


def _question(results: Results) -> Section:
    blocks = [
        Block("text", results.evidence.about.question),
        *_review_cited(results),
        Block("warning", NOT_EFFECTS),
        *_moderated(results),
        Block("brief", _brief(results)),
    ]
    return Section("question", "The question, and the answer in brief", blocks)


def _moderated(results: Results) -> list[Block]:
    """Say where rates stand, if moderators explain them."""
    if not results.at:
        return []
    text = (
        f"The model of this report has moderators. {at_words(results.at)} They are rates of a "
        "study with these values, not of the studies as they were."
    )
    return [Block("text", text)]


def _review_cited(results: Results) -> list[Block]:
    """Name the review at its first mention."""
    review = results.evidence.about.review
    return [Block("text", f"The evidence rests on a review: {review.citation}")] if review else []


def _brief(results: Results) -> list[tuple[str, str, str]]:
    """Say of each outcome in a few sentences what the evidence supports, with its verdict."""
    in_text, told = results.disease_in_text, []
    for name, rows in rates_of(results).groupby("outcome", sort=False):
        outcome = str(name)
        rate = rows[rows["quantity"] == "rate"]
        own = rate[rate["evidence"] == "direct"].sort_values("q50")
        if own.empty:
            continue
        high = own.iloc[-1].to_dict()
        said = [_support(own, len(rate)), _ends(own, results)]
        following = rows[rows["quantity"] == "new_study"].set_index("disease")
        next_trial = following.loc[high["disease"]]
        said.append(
            f"The next trial in {in_text(high['disease'])} may see a rate anywhere from "
            f"{span(next_trial)} (95 % prediction interval)."
        )
        told.append((outcome_words(outcome), " ".join(said), results.verdict_of(outcome)))
    return told


def _ends(own: pd.DataFrame, results: Results) -> str:
    """Say between which diseases the rates lie; where errors leave it open, name each that may."""
    if len(own) == 1:
        return f"The rate of a typical study is {interval(own.iloc[0].to_dict())}."
    ends = [leaders(own, "q50", "mcse_q50", largest) for largest in (False, True)]
    said = [
        listed([f"{interval(row)} in {results.disease_in_text(row['disease'])}" for row in end])
        + (" (too close to rank)" if len(end) > 1 else "")
        for end in ends
    ]
    if len(ends[0]) == len(own):
        return f"The rate of a typical study is {said[0]}."
    return f"The rate of a typical study runs from {said[0]} to {said[1]}."


def _support(own: pd.DataFrame, diseases: int) -> str:
    studies = int(own["studies"].sum())
    patients = numbered(own["patients"].sum(), "patient")
    supplied = f"{study_count(studies)} with {patients}"
    if diseases == 1:
        return f"{supplied[:1].upper()}{supplied[1:]}."
    if len(own) == diseases:
        return f"Known in all {diseases} diseases: {supplied}."
    return f"Known in {len(own)} of {diseases} diseases: {supplied}; the others borrow."


def _evidence(results: Results) -> Section:
    counts, evidence = summary(results.evidence), results.evidence
    labels, read = (
        study_labels(evidence.studies),
        {*evidence.outcomes["study"], *evidence.rows["study"]},
    )
    core = evidence.studies.loc[evidence.studies["role"] == "core", "study"]
    gaps = [labels[study] for study in core if study not in read]
    were = "was" if counts["studies"] == 1 else "were"
    text = (
        f"{study_count(counts['studies'])} {were} read; the analysis uses "
        f"{described(evidence.selection, labels)}: "
        f"{numbered(len(results.modelled), 'count')} "
        f"of {study_count(results.modelled['study'].nunique())}. "
        f"Core studies treated {numbered(counts['patients'], 'patient')}."
    )
    if gaps:
        text += f" No count could be read of {listed(gaps)}: listed below, so that the gap is seen."
    blocks = [
        Block("text", text),
        Block("figure", captions.EVIDENCE_MAP.name),
        Block("table", tables.map_table(results)),
        Block("table", tables.characteristics_table(results)),
    ]
    if sources := study_sources(evidence.studies):
        blocks += [
            Block("text", "Where the studies were published, as far as it is recorded:"),
            Block("list", sources),
        ]
    for heading, told in (
        ("How the tables were read, and what looks odd in them:", evidence.messages),
        ("Where counts fit together badly:", evidence.cautions()),
    ):
        if told:
            blocks += [Block("text", heading), Block("list", list(dict.fromkeys(told)))]
    return Section("evidence", "The evidence", blocks)


def _model(results: Results) -> Section:
    config = results.config
    names = {each["name"]: each for each in config["model"] if each["name"] in results.fitted}
    about = {
        "pooling": "single" if len(config["diseases"]) == 1 else config["pooling"],
        "timed": timed_words(names),
        "logit": any(each["link"] == "logit" for each in names.values()),
        "nested": [
            (outcome_words(name), outcome_words(each["parent"]).lower())
            for name, each in names.items()
            if each["parent"]
        ],
        "moderators": [moderator_words(name) for name in results.at],
        "bounded": bool((results.modelled["events_min"]
                         != results.modelled["events_max"]).any()),
    }  # fmt: skip
    return Section("model", "The model", [Block("model", about)])


def _priors(results: Results) -> Section:
    priors = results.priors
    named = f"The prior set is “{spaced(priors.name)}”. {priors.sentence}"
    if priors.reference:
        named += f" Source: {priors.reference}" + (f", doi {priors.doi}." if priors.doi else ".")
    blocks = [
        Block("text", named.strip()),
        Block("table", tables.priors_table(results)),
        Block("figure", captions_sensitivity.PRIOR_POSTERIOR.name),
    ]
    return Section("priors", "Priors, and what they imply", blocks)


def _rates(results: Results) -> Section:
    text = (
        "The rate is that of the median study of a disease, not the average of studies; the next "
        "trial's is drawn with its own study effect and is therefore wider."
    )
    if results.at:
        text += f" {at_words(results.at)}"
    if borrowed_where(results):
        text += " " + of_borrowed(results.config["pooling"], results.fitted)
    blocks = [Block("text", text), Block("figure", captions.RATES.name)]
    for outcome in results.outcomes:
        blocks.append(Block("table", tables.rates_table(results, outcome)))
        blocks.append(Block("figure", captions.FOREST.file(outcome)))
    return Section("rates", "Rates by outcome and disease", blocks)


def _joint(results: Results) -> Section | None:
    # An outcome none of whose studies counted the outer one is fitted as one of its own.
    modelled_within = nested_children(results.fit)
    nested = [
        name
        for name in results.outcomes
        if name in modelled_within and not described_outcome(name).is_harm
    ]
    if not nested:
        return None
    blocks = [
        block
        for name in nested
        for block in (
            Block("figure", captions.JOINT.file(name)),
            Block("table", tables.nested_table(results, name)),
        )
    ]
    pairs = [f"{counted_words(PARENTS[name])} and {outcome_in_text(name)}" for name in nested]
    return Section("joint", f"{listed(pairs)} together", blocks)


def _safety(results: Results) -> Section | None:
    table = tables.safety_table(results)
    if table is None:
        return None
    text = (
        "Single-arm harms are counts in ill patients: they cannot be told from harms of the "
        "disease or of the treatment beside the cells."
    )
    blocks = [Block("text", text), Block("figure", captions.SAFETY.name), Block("table", table)]
    return Section("safety", "Safety", blocks)


def _guard(results: Results) -> Section:
    title = "May the model be believed?"
    if not results.checked.ran:
        return Section("guard", title, [Block("warning", verdict_sentences(results)[0])])
    explained = (
        "Posterior predictive checks: new data sets are drawn from the fitted model, with study "
        "effects drawn anew, and "
        "compared with the real one; then each study is left out and predicted by the others. An "
        "outcome fails where the data could hardly have come from the model, warns where that is "
        "doubtful or where nothing but the prior tells the spread, and passes otherwise. "
        + _what_a_pass_means(results)
    )
    blocks = [
        Block("text", explained),
        Block("list", verdict_sentences(results)),
        Block("text", _sampling(results)),
        Block("figure", captions_guard.PREDICTIVE.name),
        Block("figure", captions_guard.CHECKS.name),
        Block("table", tables.checks_table(results)),
        Block("figure", captions_guard.CALIBRATION.name),
        Block("table", tables.left_out_table(results)),
    ]
    return Section("guard", title, blocks)


def _what_a_pass_means(results: Results) -> str:
    """Say how little a guard can notice in as few and small studies as these."""
    rows = results.modelled
    studies = rows["study"].nunique()
    middle = numbered(float(rows.groupby("study")["n"].max().median()), "patient")
    size = f"with a median of {middle}" if studies > 1 else f"of {middle}"
    return (
        f"A pass means that nothing was noticed, not that nothing is wrong. This is "
        f"{study_count(studies)} {size}. {power_of_few_studies()}"
    )


def _sampling(results: Results) -> str:
    worst = diagnostics(results.fit)
    reason = results.checked.sampling.reason
    if worst["max_r_hat"] is None:
        return f"Computation: {reason}"
    draws = results.fit["posterior"].sizes
    return (
        f"Sampling: {reason} {numbered(draws['chain'], 'chain')} of "
        f"{numbered(draws['draw'], 'draw')}; largest R-hat "
        f"{worst['max_r_hat']:.3f}, fewest effective draws {worst['min_ess_bulk']:.0f} (bulk) and "
        f"{worst['min_ess_tail']:.0f} (tail), {worst['divergences']} divergent, smallest E-BFMI "
        f"{worst['e_bfmi']:.2f}."
    )


def _review(results: Results) -> Section | None:
    table = tables.review_table(results)
    if table is None:
        return None
    return Section("review", "What the review states", [Block("table", table)])


def _poolings(results: Results) -> Section | None:
    table = tables.pooling_table(results)
    if table is None:
        return None
    text = (
        "How much does a disease's rate owe to the others? Without pooling each stands alone; with "
        "complete pooling all diseases share one rate."
    )
    blocks = [Block("text", text), Block("figure", captions.POOLING.name), Block("table", table)]
    return Section("pooling", "Partial pooling against complete and none", blocks)


def _sensitivity(results: Results) -> Section | None:
    blocks = sensitivity_blocks(results)
    return Section("sensitivity", "How much hangs on the prior", blocks) if blocks else None


def _definitions(results: Results) -> Section | None:
    changed, table = tables.changed_table(results), tables.definitions_table(results)
    if changed is None or table is None or not changed.rows:
        return None
    own = results.config["selection"]["definitions"]
    text = f"This report uses the {own} definitions. Where a study has another, the whole model "
    text += "was fitted again with it."
    blocks = [Block("text", text), Block("table", changed), Block("table", table)]
    return Section("definitions", "Primary against alternative definitions", blocks)


def heading(results: Results) -> tuple[str, str]:
    """Give the title of the page and the line below it."""
    of = numbered(len(results.config["diseases"]), "disease")
    line = f"{of}, {numbered(len(results.outcomes), 'outcome')}. The guard: {results.verdict}."
    return results.evidence.about.title, line
