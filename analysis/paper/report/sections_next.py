"""The report's section on the next patients: where they would teach most."""

from __future__ import annotations

from ....data.names import numbered, outcome_in_text, outcome_words
from ..frames.results import Results
from ..words.captions_next import NEXT_PATIENTS
from ..words.table import Table
from ..words.wording import listed, percent
from .block import Block, Section

TITLE = "Where the next patients would teach most"


def next_section(results: Results) -> Section | None:
    """Write the section; none where no outcome can be integrated."""
    result = results.next_patients
    if result is None:
        return None
    request = result.request
    text = (
        f"A trial of {numbered(request.n, 'more patient')} in each disease, before it is run: "
        "for every count "
        "that it may have, what that count would change, times its probability now. Gain is the "
        "expected fall of the posterior variance of a disease's rate. What a trial teaches of "
        "other diseases goes through the hierarchy."
    )
    if result.answer.not_integrated:
        names = listed([outcome_in_text(name) for name in result.answer.not_integrated])
        text += f" Only the sampler can fit {names}, which are left out here."
    if without := result.answer.without_nested:
        names = listed([outcome_in_text(name) for name in without])
        inner = listed([outcome_in_text(child) for child in without.values()])
        alike = "as in" if results.config["engine"] == "exact" else "unlike in"
        text += (
            f" What is known now of {names} is integrated without what rows of {inner} say of it, "
            f"{alike} the fit above."
        )
    blocks = [
        Block("text", text),
        Block("list", result.paragraph.splitlines()[: len(result.answer.outcomes)]),
        Block("figure", NEXT_PATIENTS.name),
        Block("table", _table(results)),
    ]
    return Section("next", TITLE, blocks)


def _table(results: Results) -> Table:
    result = results.next_patients
    assert result is not None
    rows = []
    for outcome in result.answer.outcomes:
        for row, place in result.answer.of(outcome, result.request.n):
            settled = "already" if row.settled is None else f"{row.settled:.2f}"
            rows.append(
                (
                    outcome_words(outcome),
                    results.disease(row.disease),
                    percent(row.share, 0),
                    percent(place.most, 0),
                    percent(row.share_all),
                    f"{100 * row.width_now:.1f}",
                    f"{100 * row.width_expected:.1f}",
                    f"{percent(place.threshold, 0)}: {settled}",
                )
            )
    n, level = result.request.n, result.request.level
    caption = (
        f"One further trial of {numbered(n, 'patient')}: the expected fall of the variance of "
        "the disease's "
        "rate, and the most that one trial can bring, however large; of the mean variance over all "
        "diseases; the width of the central 95 % interval in percentage points, now and expected; "
        f"and the probability that the conclusion about a threshold is settled at {level:g}."
    )
    header = (
        "Outcome", "Disease of the trial", "Own variance falls", "At most", "All diseases",
        "Width now", "Expected", "Settled",
    )  # fmt: skip
    return Table("next_patients", caption, header, rows, result.table, texts=2)
