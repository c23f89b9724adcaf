"""Figures of effects: what each shows, and its words from what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....data.names import counted_words, numbered, outcome_in_text, timed_words
from ....data.outcomes import outcome as described
from ....figures.effect_rates import draw_effect_rates
from ....figures.effects_forest import beyond_axis, draw_effects_forest
from ....figures.labbe import axis_end, draw_labbe
from ....models.pooling import POOLINGS
from ...fitting.moderated import reported_at
from ..frames import effect_figures as frames
from .closing import ESTIMATES, lowered, sentences, study_count, verdict_words
from .exhibit import FigureKind, Frames, Words
from .moderators import at_words
from .wording import count, interval, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    import pandas as pd

    from ..frames.effects import Comparison
    from ..frames.results import Results

#: What a wider set has beside the studies of the fit.
ADDED = {
    "": "",
    "later": "with the studies published since the review",
    "means": "with studies that report means as well",
    "unpublished": "with the unpublished studies as well",
}


#: Columns of a treated rate and its interval.
TREATED = ("treated_q50", "treated_q2.5", "treated_q97.5")


def control_percent(row: Mapping[Any, Any]) -> str:
    """Write the control rate at which an effect is told, in all its digits."""
    return f"{100 * row['control_rate']:g} %"


def comparison_of(frame: pd.DataFrame, results: Results) -> Comparison:
    """Give the comparison that a frame is drawn from."""
    added = frame["added"].iloc[0]
    return next(each for each in results.compared if each.added == added)


def model_words(comparison: Comparison) -> str:
    """Say in a sentence which model, priors and data effects are of."""
    run, chosen = comparison.config, comparison.evidence.selection
    pooled = "of one disease"
    if run["diseases"][1:]:
        pooled = f"with {POOLINGS[run['pooling']].words} across diseases"
    how = "numerical integration"
    if run["engine"] == "nuts":
        draws = comparison.tree.attrs["draws"]  # perhaps twice those asked for
        how = f"{numbered(run['chains'], 'chain')} of {numbered(draws, 'draw')} (NUTS)"
    if at := reported_at(comparison.tree):
        how += f", with moderators. {at_words(at, 'effects')[:-1]}"
    without = " without case series and related products"
    chosen_set = chosen.analysis_set + (without if comparison.added == "unpublished" else "")
    chosen_set += " with studies that report means" if chosen.means else ""
    return (
        f"Bayesian hierarchical model of each study's effect {pooled}, its baseline integrated "
        f"out, prior set {run['priors']['name']}, {how}. "
        f"Analysis set {chosen_set}, {chosen.definitions} definitions; "
        f"data {run['data_sha256'][:12]}."
    )


def _titled(title: str, comparison: Comparison) -> str:
    return ", ".join(filter(None, (title, ADDED[comparison.added])))


def forest(frame: pd.DataFrame, results: Results) -> Words:
    """Word a forest plot of effects."""
    comparison, outcome = comparison_of(frame, results), str(frame["outcome"].iloc[0])
    studies, effects = frame[frame["row"] == "study"], frame[frame["row"] == "effect"]
    name = outcome_in_text(outcome)
    measure = "hazard ratios" if described(outcome).timed else "odds ratios"
    sides = [
        f"{count(int(studies[f'{side}_min'].sum()), int(studies[f'{side}_max'].sum()))} of "
        f"{int(studies[f'{side}_n'].sum())} {who}"
        for side, who in (("treated", "treated patients"), ("control", "controls"))
    ]
    direct = effects[effects["evidence"] == "direct"]
    silent = studies["estimate"].isna().any()
    explained = reported_at(comparison.tree)
    towards = "what is expected at its moderators" if explained else "its disease's"
    caption = sentences(
        f"{measure.capitalize()} of {name}, treatment against control: {' and '.join(sides)} in "
        f"{study_count(len(studies))}; above 1 the outcome is more frequent under treatment.",
        "Grey: each study's own counts with 95 % Woolf interval (half an event added where a cell "
        "is empty; of bounded counts the widest limits)."
        + (" Arrows: the interval goes on beyond the axis." if beyond_axis(frame) else ""),
        f"Coloured marks: the study's effect, shrunken towards {towards}; diamonds: the effect "
        f"of the disease (that of its median study); both {ESTIMATES}; faint bars: central 95 % "
        "prediction interval for the next trial.",
        "Small hollow diamonds: randomised studies alone."
        if (frame["row"] == "randomised").any()
        else "",
        "Large hollow diamond: diseases without a controlled study, borrowed from the others."
        if (effects["evidence"] == "borrowed").any()
        else "",
        "An asterisk marks studies that are not known to be randomised."
        if studies["label"].str.endswith(frames.NOT_RANDOMISED).any()
        else "",
        "Where a study reports means its effect follows from these (standardised mean difference "
        "times π/√3); the counts beside it are bounds by a threshold, and say nothing of it."
        if (comparison.studies["modelled"] & (comparison.studies["outcome"] == outcome)).any()
        else "",
        "A study tells nothing where all or none of both arms had the outcome, or where its counts "
        "are not known."
        if silent
        else "",
        model_words(comparison),
        verdict_words(comparison, [outcome]),
    )
    told = "; ".join(
        f"{results.disease_in_text(row['disease'])} {ratio(row['estimate'])} "
        f"({ratio(row['low'])} to {ratio(row['high'])})"
        for row in direct.to_dict("records")
    )
    alternative = f"A row for each study. {measure.capitalize()} with 95 % intervals: {told}."
    return Words(_titled(f"Effects on {name}", comparison), caption, alternative)


def labbe(frame: pd.DataFrame, results: Results) -> Words:
    """Word the shares of both arms."""
    comparison = comparison_of(frame, results)
    studies = frame[frame["row"] == "study"]
    outcomes = list(dict.fromkeys(studies["outcome"]))
    timed = timed_words(outcomes)
    ends = {axis_end(own) for _, own in studies.groupby("outcome")}
    caption = sentences(
        "L'Abbé plot: share of treated patients with the outcome against that of controls, a "
        "circle for each study, its area in proportion to its patients within a panel; "
        "dashed line: no difference; curves: each disease's median odds ratio.",
        "Axes differ." if len(ends) > 1 else "",
        "Bars show what is known of counts that are only bounded, their circle stands in the "
        "middle."
        if ((studies["treated_low"] < studies["treated_high"])
            | (studies["control_low"] < studies["control_high"])).any()
        else "",
        f"Shares of {timed} are those over each study's own follow-up, without a curve."
        if timed
        else "",
        model_words(comparison),
        verdict_words(comparison, outcomes),
    )  # fmt: skip
    told = [
        f"{counted_words(str(name))}: {_above(own)}"
        for name, own in studies.groupby("outcome", sort=False)
    ]
    title = _titled("Shares with the outcome in both arms", comparison)
    return Words(title, caption, f"Panels, one an outcome. {'; '.join(told)}.")


def _above(studies: pd.DataFrame) -> str:
    """Say in how many studies the share was larger under treatment, where counts are known."""
    more = int((studies["treated_low"] > studies["control_high"]).sum())
    fewer = int((studies["treated_high"] < studies["control_low"]).sum())
    return f"of {study_count(len(studies))} {more} with more, {fewer} with fewer under treatment"


def effect_rates(frame: pd.DataFrame, results: Results) -> Words:
    """Word what effects mean for patients."""
    comparison = comparison_of(frame, results)
    outcomes = list(dict.fromkeys(frame["outcome"]))
    timed = timed_words(outcomes)
    caption = sentences(
        "What effects mean for patients: risk difference, treated less control, in percentage "
        "points, at every control rate. Line and band: posterior median and central 95 % interval "
        "of the effect in a typical study; fainter band: the next trial. Grey marks at the foot: "
        "predicted rate of the next control arm, median and central 95 % interval.",
        f"Rates of {timed} are 12-month risks." if timed else "",
        model_words(comparison),
        verdict_words(comparison, outcomes),
    )
    told = [
        f"{lowered(row['outcome'])} in {results.disease_in_text(row['disease'])}, "
        f"{interval(row, TREATED)} at {control_percent(row)}"
        for row in comparison.rows.to_dict("records")
    ]
    title = _titled("What effects mean for patients", comparison)
    return Words(
        title,
        caption,
        f"Panels, one an outcome and disease. Treated rates at predicted control rates: "
        f"{'; '.join(told)}.",
    )


def _forests(results: Results) -> Frames:
    for each in results.compared:
        for outcome in dict.fromkeys(each.contrasts["outcome"]):
            yield "_".join(filter(None, (outcome, each.added))), frames.forest_data(each, outcome)


def _each(gathered: Callable[[Comparison], pd.DataFrame]) -> Callable[[Results], Frames]:
    """Draw each comparison of counts: of means there are no shares of patients."""
    return lambda results: [
        (each.added, gathered(each)) for each in results.compared if each.added != "means"
    ]


EFFECTS_FOREST = FigureKind(
    "effects_forest", "controlled", _forests, draw_effects_forest, forest, comparison_of
)
LABBE = FigureKind(
    "labbe", "controlled", _each(frames.labbe_data), draw_labbe, labbe, comparison_of
)
EFFECT_RATES = FigureKind(
    "effect_rates",
    "controlled",
    _each(frames.effect_rates_data),
    draw_effect_rates,
    effect_rates,
    comparison_of,
)
