"""The figures of priors and of borrowing: what each shows, and its words from what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....data.names import GREEK, level_scale, numbered, prior_set_words
from ....figures.borrowing import draw_borrowing
from ....figures.flip_map import UNDECIDED, concluded, concludes_otherwise, draw_flip_map
from ....figures.power_scaling import VERDICTS, draw_power_scaling
from ....figures.prior_comparison import draw_prior_comparison
from ....figures.prior_posterior import draw_prior_posterior
from ...fitting.ranking import leaders
from ...fitting.summary import hyper, rates
from ...sensitivity.power_scaling import OK
from ..frames import sensitivity as frames
from .closing import ESTIMATES, has_borrowed, lowered, model_words, sentences, verdict_words
from .exhibit import FigureKind, Frames, Words
from .wording import listed, percent, signed

if TYPE_CHECKING:
    import pandas as pd

    from ..frames.results import Results


_PARAMETERS = {
    "mu": "the overall level μ",
    "tau": "the standard deviation between diseases τ",
    "sigma": "the standard deviation between studies of a disease σ",
}

_METHODS = {
    "exact": "integrated",
    "refit": "fitted anew",
    "reweighted": "reweighted from the fits of others",
}


def prior_posterior(frame: pd.DataFrame, results: Results) -> Words:
    """Word prior and posterior."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    drawn = list(dict.fromkeys(frame["parameter"]))
    named = [said for name, said in _PARAMETERS.items() if name in drawn]
    untried = (frame["parameter"] == "new_disease").any()
    caption = sentences(
        f"Prior (grey) and posterior (line) densities of {listed(named)} on the "
        f"{level_scale(outcomes, ' scale')}"
        + (", and of the rate in a typical study of a disease not yet tried." if untried else "."),
        "Of a nested outcome they concern its share of the outcome that it is nested in.",
        "Where they coincide, the data say nothing: the result is the prior.",
        model_words(results),
        verdict_words(results, outcomes),
    )
    told = [
        f"{lowered(str(outcome))}: {', '.join(_middles(str(outcome), drawn, results))}"
        for outcome in outcomes
    ]
    return Words("Prior and posterior", caption, f"Posterior medians. {'; '.join(told)}.")


def _middles(outcome: str, parameters: list[str], results: Results) -> list[str]:
    """Write the posterior medians of one outcome."""
    own = hyper(results.fit).set_index(["outcome", "parameter"])["q50"]
    untried = rates(results.fit).query("quantity == 'new_disease'").set_index("outcome")["q50"]
    return [
        f"a disease not yet tried {percent(float(untried.loc[outcome]))}"
        if name == "new_disease"
        else f"{GREEK[name]} {signed(float(own.loc[outcome, name]), 2)}"
        for name in parameters
    ]


def prior_comparison(frame: pd.DataFrame, results: Results) -> Words:
    """Word the comparison of prior sets."""
    sets = list(dict.fromkeys(frame["set"]))
    others = frame[frame["set"] != sets[0]]
    moved = ""
    if len(others) and others["shift"].notna().any():
        moves = others.assign(size=others["shift"].abs()).dropna(subset="size")
        far = leaders(moves, "size", "shift_mcse")
        named = [
            f"{results.disease_in_text(row['disease'])}, {lowered(row['outcome'])}, under "
            f"{prior_set_words(row['set'])}"
            for row in far
        ]
        size = signed(far[0]["size"], 1, far[0]["shift_mcse"])
        moved = (
            f"The largest shift of a mean, {size} posterior standard "
            f"deviation{'' if size == '1' else 's'}, is that of {' or '.join(named)}."
        )
    hollow = "; hollow marks: no study" if has_borrowed(frame) else ""
    counted = frame.drop_duplicates("set")["method"].value_counts()
    methods = listed([f"{n} {_METHODS[str(method)]}" for method, n in counted.items()])
    caption = sentences(
        f"Rates under {numbered(len(sets), 'prior set')}, the reference "
        f"{prior_set_words(sets[0])} first: {ESTIMATES}{hollow}. A faint line "
        "leads down from each median under the reference: where marks lie on it, the prior does "
        "not matter. The axes have a square-root scale.",
        f"How their answers were found: {methods}.",
        moved,
        model_words(results),
        verdict_words(results, list(dict.fromkeys(frame["outcome"]))),
    )
    told = f"Prior sets: {listed([prior_set_words(name) for name in sets])}. {moved}"
    return Words("Prior sets compared", caption, told)


def flip_map(frame: pd.DataFrame, results: Results) -> Words:
    """Word a flip map."""
    outcome = str(frame["outcome"].iloc[0])
    threshold, wanted = (float(frame[name].iloc[0]) for name in ("threshold", "wanted"))
    told = []
    for disease, own in frame.groupby("disease", sort=False):
        nearest = int(own["distance"].to_numpy().argmin())
        here = own["probability"].to_numpy()[nearest]
        other = own[concludes_otherwise(own, wanted)]
        near = "flips nowhere on the map"
        if concluded(own, wanted).iloc[nearest] == UNDECIDED:
            near = "undecided"
        elif len(other):
            near = f"flips at distance {other['distance'].min():.1f}"
        told.append(f"{results.disease_in_text(str(disease))} {here:.2f}, {near}")
    verb = "exceeds" if frame["direction"].iloc[0] == "above" else "stays below"
    open_ = ""
    if UNDECIDED in concluded(frame, wanted).to_list():
        open_ = (
            "; under those with a dot it is within two of its numerical or Monte-Carlo errors of "
            "that, and the conclusion is undecided"
        )
    caption = sentences(
        f"Probability that the rate of {lowered(outcome)} {verb} {percent(threshold, 0)}, for "
        "priors of μ (location) and τ (scale) around the reference (cross). A line stands between "
        f"priors under which it is above and below {wanted:g}, and the conclusion flips{open_}. "
        "Distance 1 is one prior standard deviation of μ or a doubling of the scale of τ.",
        model_words(results),
        verdict_words(results, [outcome]),
    )
    said = f"Probability under the reference prior, by disease: {'; '.join(told)}."
    return Words(f"Flip map: {lowered(outcome)}", caption, said)


def _greek(parameter: str) -> str:
    """Write a parameter, of a coefficient with its moderator, as formulae do."""
    name, bracket, rest = parameter.partition("[")
    return GREEK.get(name, name) + bracket + rest


def power_scaling(frame: pd.DataFrame, results: Results) -> Words:
    """Word the power-scaling diagnostics."""
    parts = [
        f"{VERDICTS.get(str(verdict), str(verdict))}: "
        + listed(
            [
                f"{_greek(str(row.parameter))} of {lowered(str(row.outcome))}"
                for row in rows.itertuples()
            ]
        )
        for verdict, rows in frame[frame["verdict"] != OK].groupby("verdict", sort=False)
    ]
    speak = int((frame["verdict"] == OK).sum())
    sentence = (
        f"The prior hardly matters for {speak} of {len(frame)}"
        + "".join(f"; {part}" for part in parts)
        + "."
    )
    caption = sentences(
        "Power-scaling sensitivity of the posterior to prior (full) and likelihood (hollow), per "
        "doubling of their weight; lines: two Monte-Carlo errors; dotted line: threshold below "
        "which a result is hardly moved. Compromise: prior and data both move it.",
        sentence,
        model_words(results),
        verdict_words(results),
    )
    return Words("Power-scaling sensitivity", caption, sentence)


def borrowing(frame: pd.DataFrame, results: Results) -> Words:
    """Word the borrowing matrix."""
    between = frame[frame["disease"] != frame["left_out"]]
    sentence = ""
    if len(between):
        moves = between.assign(size=between["change"].abs())
        named = [
            f"{results.disease_in_text(row['disease'])} without "
            f"{results.disease_in_text(row['left_out'])}, {lowered(row['outcome'])} "
            f"({signed(row['change'], 1, row['change_mcse'])})"
            for row in leaders(moves, "size", "change_mcse")
        ]
        sentence = f"Between diseases the largest change is that of {' or '.join(named)}."
    caption = sentences(
        "Borrowing: change of each disease's mean rate (row) when all studies of a disease "
        "(column) are left out, in standard deviations of its posterior given everything; on the "
        "diagonal, what its own studies add to the others (where this is beyond the scale, in its "
        "last colour). Hatched: no study to leave out.",
        sentence,
        model_words(results),
        verdict_words(results, list(dict.fromkeys(frame["outcome"]))),
    )
    return Words("Borrowing between diseases", caption, sentence or "No other disease.")


def _posteriors(results: Results) -> Frames:
    if "prior" in results.fit.children:
        yield "", frames.prior_posterior_data(results.fit)


def _comparisons(results: Results) -> Frames:
    if results.comparison is not None:
        yield "", frames.prior_comparison_data(results.comparison)


def _flip_maps(results: Results) -> Frames:
    if results.comparison is not None:
        for outcome in results.outcomes:
            yield outcome, frames.flip_map_data(results.comparison, outcome)


def _scalings(results: Results) -> Frames:
    if results.comparison is not None:
        yield "", frames.power_scaling_data(results.comparison)


def _borrowings(results: Results) -> Frames:
    if results.borrowed is not None:
        yield "", frames.borrowing_data(results.borrowed)


PRIOR_POSTERIOR = FigureKind(
    "prior_posterior", "priors", _posteriors, draw_prior_posterior, prior_posterior
)
PRIOR_COMPARISON = FigureKind(
    "prior_comparison", "sensitivity", _comparisons, draw_prior_comparison, prior_comparison
)
FLIP_MAP = FigureKind("flip_map", "sensitivity", _flip_maps, draw_flip_map, flip_map)
POWER_SCALING = FigureKind(
    "power_scaling", "sensitivity", _scalings, draw_power_scaling, power_scaling
)
BORROWING = FigureKind("borrowing", "sensitivity", _borrowings, draw_borrowing, borrowing)
