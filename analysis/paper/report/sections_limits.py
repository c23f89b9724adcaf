"""The report's last sections: what limits its answers, and how to reproduce them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ....data.names import numbered, outcome_in_text, outcome_words, timed_words
from ....data.outcomes import PARENTS
from ..frames.alone import moved_by_nested
from ..frames.results import Results, rates_of
from ..words.wording import interval, listed
from .block import Block, Section

NOT_EFFECTS = (
    "Single-arm rates are not treatment effects: they say what happened to treated patients, not "
    "what would have happened to them without the cells."
)


def of_borrowed(pooling: str, outcomes: Collection[str]) -> str:
    """Say what a rate rests on where its disease has no study of the outcome.

    Parameters
    ----------
    pooling : str
        How diseases inform each other.
    outcomes : collection of str
        The outcomes of the fit.

    Returns
    -------
    str
        A sentence.
    """
    rests = "the prior" if pooling == "none" else "the other diseases"
    if any(PARENTS.get(name) in outcomes for name in outcomes):
        rests += ", and on what its own studies say of an outcome that it is nested in or that is "
        rests += "nested in it"
    return f"A borrowed rate is of a disease without a study of that outcome: it rests on {rests}."


def limits_section(results: Results) -> Section:
    """Say what limits the answers, with what is borrowed and what the data set warns of."""
    said = [
        NOT_EFFECTS,
        "The studies are few, small and chosen by those who published them; no model mends that.",
        "Outcomes are independent in the model apart from nesting: it knows of no link between, "
        "say, improvement and harm.",
    ]
    borrowed = borrowed_where(results)
    if borrowed:
        said.append(f"Borrowed, with no study of that outcome: {borrowed}.")
    said += _leaning(results)
    if timed := timed_words(results.outcomes):
        said.append(f"The risk of {timed} assumes a constant hazard over follow-up.")
    said += results.evidence.about.cautions
    return Section("limits", "Limits and cautions", [Block("list", said)])


def _leaning(results: Results) -> list[str]:
    """Say which rates also rest on a nested outcome, and what they would be without it."""
    told = []
    for (outer, nested), rows in moved_by_nested(results).groupby(
        ["outcome", "nested"], sort=False
    ):
        rates = [
            f"{results.disease_in_text(row['disease'])} {interval(row)} and "
            f"{interval(row, ('q50_alone', 'q2.5_alone', 'q97.5_alone'))}"
            for row in rows.to_dict("records")
        ]
        told.append(
            f"{outcome_words(str(outer))} is also learnt from studies that counted "
            f"{outcome_in_text(str(nested))} and not it. Its rates with and without these studies, "
            f"where they differ: {'; '.join(rates)}."
        )
    return told


def borrowed_where(results: Results) -> str:
    """Name the outcomes and diseases without a study of their own; empty where there are none."""
    frame, in_text = rates_of(results), results.disease_in_text
    frame = frame[(frame["quantity"] == "rate") & (frame["evidence"] == "borrowed")]
    return "; ".join(
        f"{outcome_words(str(outcome)).lower()} in {listed([in_text(d) for d in rows['disease']])}"
        for outcome, rows in frame.groupby("outcome", sort=False)
    )


def _asked(config: Mapping[str, Any]) -> str:
    """Say what was asked of the sampler; nothing where there was none."""
    if config["engine"] != "nuts":
        return ""
    length = f"{numbered(config['draws'], 'draw')} after {numbered(config['tune'], 'tuning step')}"
    return (
        f"{numbered(config['chains'], 'chain')} of {length} (twice as long where too few "
        "were effective), "
    )


def reproduce_section(results: Results, command: str) -> Section:
    """Say what was typed, and of which data, engine, seed and versions the numbers are."""
    config = results.config
    versions = ", ".join(f"{name} {version}" for name, version in config["versions"].items())
    facts = [
        f"Data: SHA-256 {config['data_sha256']} (of the counts and diseases that the model sees).",
        f"Pooling {config['pooling']}, engine {config['engine']}, {_asked(config)}"
        f"seed {config['seed']}.",
        f"Software: {versions}.",
        "On one machine the same command gives the same numbers to the bit.",
    ]
    blocks = [Block("code", command), Block("list", facts)]
    return Section("reproduce", "How to reproduce this", blocks)
