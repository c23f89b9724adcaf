"""``mscpool priors --effects``: compare prior sets of effects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import console
from .exits import DONE
from .prior_sets import effect_prior_set
from .results_folder import writing_to

if TYPE_CHECKING:
    import pandas as pd

    from ...data.evidence import Evidence
    from .options import SamplingOptions

FILE = "effects_priors.csv"


def compare_effects(
    request: SamplingOptions, named: list[str] | None, list_sets: bool, as_json: bool
) -> int:
    """Compare prior sets of effects, or list them."""
    from ...data.export import write_csv
    from ...models.effects.priors import EFFECT_SETS
    from ..effects.priors import compare_effect_priors

    if list_sets:
        _list_sets(as_json)
        return DONE
    evidence = request.evidence()
    chosen = [effect_prior_set(name, evidence) for name in named or EFFECT_SETS]
    with writing_to(request.out):
        console.say(*evidence.messages)
        table = compare_effect_priors(evidence, chosen, request.pooling)
        write_csv(table, request.out / FILE)
    if as_json:
        console.print_json({"reference": chosen[0].name, "sets": _answer(table)})
    else:
        _print(table, evidence)
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


def _answer(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give the sets of the comparison, each with its effects."""
    rest = [name for name in table.columns if name != "set"]
    return [
        {"name": name, "method": "exact", "effects": own[rest]}
        for name, own in table.groupby("set", sort=False)
    ]


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
                signed(row["log_marginal_likelihood"]),
                signed(row["log_bayes_factor"]),
            )
            for row in own.to_dict("records")
        ]
        console.print_table(outcome_words(str(outcome)), header, lines)
