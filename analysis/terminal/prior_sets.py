"""Prior sets as they are named on the command line: read by name or from a file, and listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.outcomes import DICTIONARY
from . import console

if TYPE_CHECKING:
    from ...data.evidence import Evidence
    from ...models.effects.priors import EffectPriors
    from ...models.priors.sets import PriorSet

#: Outcomes of which a listed set says what it implies: a benefit and a grave harm.
_IMPLIED = (
    next(each for each in DICTIONARY if not each.is_harm),
    next(each for each in DICTIONARY if each.timed),
)
_TOLD = ("name", "sentence", "reference", "doi")


def prior_set(name: str, evidence: Evidence) -> PriorSet:
    """Look up a named prior set, or read a prior file."""
    from ...models.priors import files

    text, outcomes = prior_text(name, evidence)
    return files.prior_set(name if text is None else text, "" if text is None else name, outcomes)


def effect_prior_set(name: str, evidence: Evidence) -> EffectPriors:
    """Look up a named prior set of effects, or read a prior file."""
    from ...models.effects.priors import effect_priors

    text, outcomes = prior_text(name, evidence)
    return effect_priors(name if text is None else text, "" if text is None else name, outcomes)


def prior_text(name: str, evidence: Evidence) -> tuple[str | None, tuple[str, ...]]:
    """Read a prior file, None where the name is no file's; and the outcomes that it may name."""
    from ...data.evidence import OUTCOMES
    from ...data.text_files import text_of

    known = tuple(dict.fromkeys((*OUTCOMES, *evidence.vocabulary)))
    path = Path(name)
    if path.suffix != ".toml" and not path.is_file():
        return None, known
    return text_of(path), known


def print_sets(as_json: bool) -> None:
    """Print the named prior sets, and what each implies for the rate of a disease."""
    from ...models.exact.implied import implied_rates
    from ...models.priors.catalogue import CATALOGUE

    listed = []
    for each in CATALOGUE.values():
        implied = [row for known in _IMPLIED for row in _records(implied_rates(each, known))]
        listed.append(({name: getattr(each, name) for name in _TOLD}, each.to_dict(), implied))
    if as_json:
        sets = [{**known, **told, "implied": implied} for told, known, implied in listed]
        console.print_json({"sets": sets})
        return
    for told, _, implied in listed:
        source = told["reference"] + (f", doi {told['doi']}" if told["doi"] else "")
        lines = [told["name"], told["sentence"], source, _implied_words(implied)]
        print(console.printable("\n  ".join(lines)))


def _records(frame: Any) -> list[dict[str, Any]]:
    return frame.to_dict("records")


def _implied_words(implied: list[dict[str, Any]]) -> str:
    from ...data.names import outcome_words
    from ..paper.words.wording import interval

    parts = [
        f"{outcome_words(row['outcome']).lower()} {interval(row)}"
        for row in implied
        if row["quantity"] == "new_disease"
    ]
    return f"before any data, in a disease (median, 95 %): {'; '.join(parts)}"
