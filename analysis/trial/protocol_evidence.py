"""What a protocol says of the priors: each in words, and the evidence that they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...data.names import numbered, outcome_in_text, words
from ..effects.effects import checked as judged
from ..effects.results import contrasts
from ..fitting.store import run_config
from ..fitting.summary import rates
from ..guard.measured import power_of_few_studies
from .effect_priors import EffectPriors
from .fit_priors import FitPriors
from .result import DesignResult

_PRIORS = {"analysis_prior": "Analysis prior", "design_prior": "Design prior"}


def prior_sentences(result: DesignResult) -> Iterator[str]:
    """Give each prior in words."""
    said = {name: text for name, text in result.said.items() if text is not None}
    for name, text in said.items():
        yield f"{_PRIORS.get(name, words(name))}: {text}."
    if not said:
        yield "The design uses no prior."


def parts_behind(behind: Any) -> list[FitPriors | EffectPriors]:
    """Return the fit, the effects or both that priors were taken from."""
    if behind is None:
        return []
    both = [getattr(behind, name, None) for name in ("treated", "compared")]
    return [part for part in both if part is not None] or [behind]


def evidence_sentences(behind: Any) -> Iterator[str]:
    """Say what evidence priors rest on, and what the guard found of it and could have noticed."""
    parts = parts_behind(behind)
    if not parts:
        yield "No prior is taken from a fit of earlier studies."
        return
    for part in parts:
        yield from _evidence(part)
    yield "A pass of the guard means that nothing was noticed."
    if any(isinstance(part, FitPriors) for part in parts):
        yield f"{power_of_few_studies()} This was measured on made data."
    if any(isinstance(part, EffectPriors) for part in parts):
        yield "What the guard of effects would have noticed has not been measured."


def _evidence(part: FitPriors | EffectPriors) -> Iterator[str]:
    made = part.fit
    yield _counts(part)
    verdict = f"The guard's verdict on {outcome_in_text(str(part.outcome))}: {part.verdict}."
    reason = _reason(part)
    yield f"{verdict} {reason}".strip()
    config = run_config(made)
    yield (
        f"Data: SHA-256 {config['data_sha256']}; analysis set "
        f"{config['selection']['analysis_set']}; pooling {config['pooling']}; prior set "
        f"{config['priors']['name']}; engine {config['engine']}."
    )


def _counts(part: FitPriors | EffectPriors) -> str:
    """Count the studies and patients: of treated arms, or with a control arm for effects."""
    what = f"{outcome_in_text(str(part.outcome))} in {str(part.disease).replace('_', ' ')}"
    if isinstance(part, EffectPriors):
        table, quantity, what = contrasts(part.made), "effect", f"{what}, against control"
    else:
        table, quantity = rates(part.fit), "rate"
    own = table[(table["outcome"] == part.outcome) & (table["quantity"] == quantity)]
    direct = own[own["evidence"] == "direct"]
    here = direct[direct["disease"] == part.disease]
    if here.empty:
        text = f"No study counted {what}: what is believed there is borrowed from other diseases"
    else:
        row = here.iloc[0]
        text = f"Evidence for {what}: {numbered(int(row['studies']), 'study', 'studies')} with "
        text += numbered(int(row["patients"]), "patient")
    if len(own) > 1:
        text += (
            f"; in all diseases {numbered(int(direct['studies'].sum()), 'study', 'studies')} with "
        )
        text += numbered(int(direct["patients"].sum()), "patient")
    return f"{text}."


def _reason(part: FitPriors | EffectPriors) -> str:
    checked = judged(part.made) if isinstance(part, EffectPriors) else part.checked
    if checked is None:
        return ""
    return next((e.reason for e in checked.outcomes if e.outcome == part.outcome), "")


def seed_sentence(behind: Any) -> str:
    """Say which random numbers the answer rests on."""
    for part in parts_behind(behind):
        config = run_config(part.fit)
        if config["engine"] == "nuts":
            return (
                f"The design's probabilities are exact sums over counts; the fit behind the priors "
                f"was sampled with seed {config['seed']}."
            )
    return "No random numbers enter: probabilities are exact sums over counts."
