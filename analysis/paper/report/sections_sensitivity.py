"""The report's section on how much hangs on the prior, for who knows no method's name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....data.names import numbered, outcome_in_text, outcome_words, prior_set_words, study_labels
from ...fitting.ranking import CERTAIN, leaders
from ...sensitivity.flips import CHANGED, OPEN, UNCHANGED
from ...sensitivity.power_scaling import CONFLICT, OK, PRIOR, PRIOR_MATTERS
from ..frames.results import Results
from ..words import captions_sensitivity as captions
from ..words.moderators import parameter_words
from ..words.wording import listed, percent, signed
from . import tables_sensitivity as tables
from .block import Block
from .sections_unseen import unseen_blocks

if TYPE_CHECKING:
    from ....data.about import About
    from ....models.priors.sets import PriorSet
    from ...sensitivity.borrowing import Borrowing
    from ...sensitivity.result import PriorComparison


def sensitivity_blocks(results: Results) -> list[Block]:
    """Write the section; empty where neither priors nor diseases left out were looked at."""
    blocks = [] if results.comparison is None else _priors(results, results.comparison)
    return blocks + ([] if results.borrowed is None else _borrowing(results, results.borrowed))


def _priors(results: Results, comparison: PriorComparison) -> list[Block]:
    about = results.evidence.about
    blocks = [
        Block("text", _opening(comparison)),
        Block("list", _told(comparison, about)),
        Block("figure", captions.PRIOR_COMPARISON.name),
        Block("table", tables.shifts_table(comparison, results.evidence)),
    ]
    flips = tables.flips_table(comparison, about)
    if flips is not None:
        blocks.append(Block("table", flips))
        blocks += unseen_blocks(results)
        blocks += [Block("figure", captions.FLIP_MAP.file(name)) for name in results.outcomes]
    blocks.append(Block("table", tables.sets_table(comparison)))
    if comparison.messages:
        blocks.append(Block("list", list(comparison.messages)))
    scaling = tables.scaling_table(comparison)
    if scaling is not None:
        blocks += [
            Block("text", _scaled(comparison)),
            Block("figure", captions.POWER_SCALING.name),
            Block("table", scaling),
        ]
    blocks.append(Block("text", _expected(comparison, study_labels(results.evidence.studies))))
    blocks.append(Block("table", tables.conflicts_table(comparison, results.evidence)))
    return blocks


def _told(comparison: PriorComparison, about: About) -> list[str]:
    conclusions = _conclusions(comparison, about)
    likelier = _likelier(comparison)
    return [_moved(comparison, about), *conclusions, _predicted(comparison), *likelier]


def _opening(comparison: PriorComparison) -> str:
    return (
        "A prior is what the model takes to be plausible before it has seen these data. Where data "
        f"are few it shapes the answer. Here the answer under the prior of this report "
        f"({prior_set_words(comparison.reference)}) stands beside the answers under "
        f"{numbered(len(comparison.sets) - 1, 'other')}.{_alike(comparison)}"
    )


def _alike(comparison: PriorComparison) -> str:
    """Name the other sets that differ from the reference in nothing that the model has."""
    parts = comparison.hyper[["outcome", "parameter"]].drop_duplicates().to_numpy().tolist()

    def priors(each: PriorSet) -> list[object]:
        return [getattr(each.of(outcome), parameter) for outcome, parameter in parts]

    first, *others = comparison.sets
    alike = [prior_set_words(each.name) for each in others if priors(each) == priors(first)]
    if not alike:
        return ""
    model = "the model"
    if all(parameter != "tau" for _, parameter in parts):
        model += ", which has no spread between diseases (tau),"
    return (
        f" {listed(alike)} {'gives' if len(alike) == 1 else 'give'} all parameters of {model} the "
        "priors that this report has: the posterior is the same."
    )


def _moved(comparison: PriorComparison, about: About) -> str:
    rates = comparison.rates[(comparison.rates["quantity"] == "rate")]
    others = rates[(rates["set"] != comparison.reference) & rates["shift"].notna()]
    if others.empty:
        return "No other prior was compared."
    base = rates[rates["set"] == comparison.reference].set_index(["outcome", "disease"])
    told = [
        f"{_of(row, about)}, with a mean rate of "
        f"{percent(row['mean'], error=row['mcse_mean'])} under {prior_set_words(row['set'])} and "
        f"of {percent(mine['mean'], error=mine['mcse_mean'])} in this report"
        for row in leaders(others.assign(size=others["shift"].abs()), "size", "shift_mcse")
        for mine in [base.loc[(row["outcome"], row["disease"])]]
    ]
    keys = [others["outcome"], others["disease"]]
    error = CERTAIN * others["shift_mcse"]
    most = (others["shift"].abs() + error).groupby(keys).max()
    least = (others["shift"].abs() - error).groupby(keys).max()
    little, much = int((most < _LITTLE).sum()), int((least > _LITTLE).sum())
    unclear = len(most) - little - much
    parts = []
    if little:
        parts.append(
            f"{little} {'stays' if little == 1 else 'stay'} within half a standard deviation of "
            "this report's under every prior"
        )
    if much:
        parts.append(f"{much} {'moves' if much == 1 else 'move'} farther under some prior")
    if unclear:
        parts.append(f"of {unclear} the error leaves it open")
    return (
        f"The prior matters most for {'; or, too close to rank, for '.join(told)}. Of "
        f"{numbered(len(most), 'mean rate')}, {listed(parts)}."
    )


#: A shift of a mean, in posterior standard deviations, that is called little.
_LITTLE = 0.5


def _of(row, about: About) -> str:
    return f"{outcome_words(row['outcome']).lower()} in {about.in_text(row['disease'])}"


def _conclusions(comparison: PriorComparison, about: About) -> list[str]:
    frame = comparison.flips
    if frame.empty:
        return []
    firm = int((frame["verdict"] == UNCHANGED).sum())
    said = [
        f"Of {numbered(len(frame), 'conclusion')} (such as: {_example(frame, about)}), {firm} "
        f"{'is' if firm == 1 else 'are'} the same under every prior compared."
    ]
    for verdict, lead in (
        (CHANGED, "Some prior changes"),
        (OPEN, "There are too few draws to say so of"),
    ):
        rows = frame[frame["verdict"] == verdict]
        if len(rows):
            said.append(f"{lead} {len(rows)}: {'; '.join(tables.conclusions(rows, about))}.")
    return [" ".join(said)]


def _example(frame, about: About) -> str:
    row = frame.iloc[0]
    asked = f"{_of(row, about)} is had by {tables.asked_words(row)}"
    return f"{asked}, with probability {row['confidence']:g} or more"


def _predicted(comparison: PriorComparison) -> str:
    return comparison.prediction(prior_set_words, outcome_in_text)


def _likelier(comparison: PriorComparison) -> list[str]:
    """Say under which priors the data were most and least likely, and what that is worth."""
    integrated = tables.marginal_likelihoods(comparison)
    if integrated is None:
        return []
    outcomes, table = integrated
    if len(table) == 1:
        return []
    named = listed([outcome_words(name).lower() for name in outcomes])
    first, last = str(table.idxmax()), str(table.idxmin())
    return [
        f"The data on {named} were most likely under {prior_set_words(first)} and least under "
        f"{prior_set_words(last)} (log marginal likelihoods {signed(table[first], 1)} and "
        f"{signed(table[last], 1)}). This measure punishes vague priors, however little they "
        "change the posterior: it ranks what the priors expected before the data, and is no "
        "reason to prefer a narrow one."
    ]


def _scaled(comparison: PriorComparison) -> str:
    frame = comparison.power_scaling
    said = {
        verdict: [
            f"{parameter_words(row['parameter'])} ({outcome_words(row['outcome']).lower()})"
            for row in frame[frame["verdict"] == verdict].to_dict("records")
        ]
        for verdict in (OK, PRIOR, CONFLICT, PRIOR_MATTERS)
    }
    quantities = numbered(len(frame), "quantity", "quantities")
    counted = f"Of {quantities} the prior hardly matters for {len(said[OK]) or 'none'}"
    if said[PRIOR]:
        counted += f"; it shapes the result, and the data say little, for {listed(said[PRIOR])}"
    if said[CONFLICT]:
        counted += (
            f"; for {len(said[CONFLICT])} both matter, and the result is a compromise of the two"
        )
    if said[PRIOR_MATTERS]:
        counted += (
            f"; for {len(said[PRIOR_MATTERS])} it shapes the result, and there are too few draws "
            "to say whether the data do too"
        )
    rest = len(frame) - sum(map(len, said.values()))
    withheld = (
        f" For {rest} there are too few draws to say whether the prior matters." if rest else ""
    )
    return (
        "What if the prior, or the data, counted a little more? Where the result moves with the "
        f"prior, it rests on it. {counted}.{withheld}"
    )


def _expected(comparison: PriorComparison, labels) -> str:
    verdicts = comparison.conflicts["verdict"]
    frame = comparison.conflicts[verdicts == "conflict"]
    asked = "Last, would the prior have expected such data at all? "
    unclear = int((verdicts == "undecided").sum())
    if frame.empty and unclear:
        return f"{asked}No conflict is clear; there are too few draws to say of {unclear}."
    if frame.empty:
        return asked + "Yes: no outcome and no study is far from what it allows."
    named = [
        f"{outcome_words(row['outcome']).lower()}, "
        f"{labels[row['study']] if isinstance(row['study'], str) else 'all studies'}"
        for row in frame.to_dict("records")
    ]
    return f"{asked}Not everywhere: {'; '.join(named)}."


def _borrowing(results: Results, borrowed: Borrowing) -> list[Block]:
    conflicts = borrowed.diseases[borrowed.diseases["verdict"] == "conflict"]
    sentences = [_of(row, results.evidence.about) for row in conflicts.to_dict("records")]
    text = (
        "Diseases inform each other. Every study, and every disease, was left out in turn to see "
        "what the others would then say. "
    )
    unclear = int((borrowed.diseases["verdict"] == "undecided").sum())
    if sentences:
        text += (
            "What is seen conflicts with what the other diseases predict for "
            f"{listed(sentences)}: there borrowing may mislead."
        )
    elif not unclear:
        text += "No disease conflicts with what the others predict of it."
    if unclear:
        rates = numbered(unclear, "rate of a disease", "rates of diseases")
        text += f" Of {rates} there are too few draws to say whether it conflicts."
    return [
        Block("text", text),
        Block("figure", captions.BORROWING.name),
        Block("table", tables.borrowing_table(borrowed, results.evidence)),
        Block("table", tables.influence_table(borrowed, results.evidence)),
    ]
