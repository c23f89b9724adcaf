"""``mscpool priors --effects``: compare prior sets of effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...data.folders import writing_to
from . import console
from .exits import DONE
from .options import SelectionOptions
from .prior_sets import effect_prior_set

if TYPE_CHECKING:
    import pandas as pd

    from ...data.evidence import Evidence
    from .options import ModeratorOptions

FILE = "effects_priors.csv"
COEFFICIENTS_FILE = "effects_priors_moderators.csv"


def compare_effects(
    request: ModeratorOptions, named: list[str] | None, list_sets: bool, as_json: bool
) -> int:
    """Compare prior sets of effects, or list them."""
    from ...data.export import write_csv
    from ...models.effects.priors import EFFECT_SETS
    from ..effects.priors import compare_effect_priors

    if list_sets:
        _list_sets(as_json)
        return DONE
    # Which studies can tell of a moderator is another question for effects than for rates.
    evidence = SelectionOptions.evidence(request)
    chosen = [effect_prior_set(name, evidence) for name in named or EFFECT_SETS]
    with writing_to(request.out), console.progress_display() as progress:
        console.say(*evidence.messages)
        table, coefficients = compare_effect_priors(
            evidence,
            chosen,
            request.pooling,
            moderators=tuple(request.moderator or ()),
            at=tuple(request.at or ()),
            sampling=request.sampling,
            progress=progress,
        )
        write_csv(table, request.out / FILE)
        if len(coefficients):
            write_csv(coefficients, request.out / COEFFICIENTS_FILE)
    if as_json:
        console.print_json({"reference": chosen[0].name, "sets": _answer(table, coefficients)})
    else:
        _print(table, evidence)
        if len(coefficients):
            _print_coefficients(coefficients)
    return DONE


def _list_sets(as_json: bool) -> None:
    from ...models.effects.priors import EFFECT_SETS

    if as_json:
        told = [
            {"sentence": each.priors.sentence, "doi": each.priors.doi, **each.to_dict()}
            for each in EFFECT_SETS.values()
        ]
        console.print_json({"sets": told})
        return
    for name, each in EFFECT_SETS.items():
        source = f"{each.priors.reference}, doi {each.priors.doi}"
        print(console.printable("\n  ".join([name, each.priors.sentence, source])))


def _answer(table: pd.DataFrame, coefficients: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the sets of the comparison, each with its effects, and its coefficients if sampled."""
    by_set = dict(iter(coefficients.groupby("set", sort=False)))
    told = []
    for name, own in table.groupby("set", sort=False):
        method = "refit" if name in by_set else "exact"
        told.append({"name": name, "method": method, "effects": own.drop(columns="set")})
        if name in by_set:
            told[-1]["moderators"] = by_set[name].drop(columns="set")
    return told


def _print_coefficients(coefficients: pd.DataFrame) -> None:
    """Print a table an outcome: each set's coefficients of moderators."""
    from ...data.names import outcome_words
    from ..paper.words.moderators import coefficient_rows

    header = ("Set", "Moderator", "Odds or hazard ratio (95 %)", "P(above 1)", "Studies")
    for outcome, own in coefficients.groupby("outcome", sort=False):
        lines = [
            (name, *line) for name, line in zip(own["set"], coefficient_rows(own), strict=True)
        ]
        title = f"Why studies differ: {outcome_words(str(outcome))}"
        console.print_table(title, header, lines)


def _print(table: pd.DataFrame, evidence: Evidence) -> None:
    """Print a table an outcome: each set's ratio, spreads and what it gains in evidence."""
    from ...data.names import outcome_words
    from ..paper.words.wording import number, probability, ratio_interval, signed

    header = (
        *("Set", "Disease", "Ratio (95 %)", "Helps", "tau (95 %)", "sigma (95 %)"),
        *("Log marginal likelihood", "against the first"),
    )
    for outcome, own in table.groupby("outcome", sort=False):
        lines = [
            (
                row["set"],
                evidence.about.words(row["disease"]),
                ratio_interval(row),
                probability(row["probability_benefit"]),
                *(
                    f"{number(row[f'{name}_q50'])} ({number(row[f'{name}_q2.5'])} to "
                    f"{number(row[f'{name}_q97.5'])})"
                    for name in ("tau", "sigma")
                ),
                *(
                    signed(row[name]) if row[name] == row[name] else "–"
                    for name in ("log_marginal_likelihood", "log_bayes_factor")
                ),
            )
            for row in own.to_dict("records")
        ]
        console.print_table(outcome_words(str(outcome)), header, lines)
