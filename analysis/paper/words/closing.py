"""What captions have in common: names within a sentence, and the model and verdict at their end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ....data.evidence import Evidence
from ....data.names import numbered, outcome_words, spaced
from ....models.pooling import POOLINGS
from ..frames.results import Results
from .moderators import at_words
from .wording import listed

if TYPE_CHECKING:
    import pandas as pd

ESTIMATES = "posterior median and central 95 % interval"


def model_words(
    results: Results, integrated: bool = False, evidence: Evidence | None = None
) -> str:
    """Say in a sentence which model, priors and data a fit is of; or what integrates them again.

    Parameters
    ----------
    results : Results
        The fit.
    integrated : bool
        Whether it is told of the same model integrated.
    evidence : Evidence, optional
        Of what, where that is not what the fit is of.
    """
    run = results.run
    exact = integrated or run["engine"] == "exact"
    how = "numerical integration" if exact else _sampling(run)
    chosen = (evidence or results.evidence).selection
    data = run["data_sha256"] if evidence is None else evidence.sha256
    pooled = "of one disease"
    if run["diseases"][1:]:
        pooled = f"with {POOLINGS[run['pooling']].words} across diseases"
    moderated = "" if not results.at else ", without the moderators"
    if results.at and not exact:
        moderated = f", with moderators. {at_words(results.at)[:-1]}"
    return (
        f"Bayesian hierarchical binomial model {pooled}, prior set "
        f"{spaced(run['priors']['name'])}, {how}{moderated}. Analysis set {chosen.analysis_set}, "
        f"{chosen.definitions} definitions; data {data[:12]}."
        f"{_from_means(evidence or results.evidence)}"
    )


def _from_means(evidence: Evidence) -> str:
    """Name the outcomes and diseases whose counts are no counts."""
    named = [
        f"{lowered(name)} in {evidence.about.in_text(disease)}"
        for name, disease in sorted(evidence.from_means)
    ]
    return f" Counts that follow from means by a model: {listed(named)}." if named else ""


class Judged(Protocol):
    """What the guard has judged: a fit with all that was found of it, or effects."""

    @property
    def checked(self) -> Any:
        """What the guard says, a `CheckResult`; it may be computed when it is first read."""
        ...

    @property
    def verdict(self) -> str:
        """Its verdict on the whole."""
        ...

    @property
    def config(self) -> Any:
        """What was asked for, a mapping; it may be computed when it is first read."""
        ...


def verdict_words(results: Judged, outcomes: list[str] | None = None) -> str:
    """Give the guard's verdict on a fit, or on the outcomes that a figure shows."""
    if not results.checked.ran:
        return "Unchecked: the guard has not seen this fit."
    judged = {each.outcome: each.verdict for each in results.checked.outcomes}
    whole = results.verdict
    notes = [
        f"{lowered(name)}: {judged[name]}"
        for name in outcomes or judged
        if judged.get(name, "pass") != "pass"
    ]
    words = f"Guard: {whole}"
    if notes:
        words += f" ({'; '.join(notes)})."
    else:
        words += " for the whole fit, pass for what is shown." if whole != "pass" else "."
    return words + (" Do not use these estimates." if whole == "fail" else "")


def _sampling(run: Mapping[str, Any]) -> str:
    return f"{numbered(run['chains'], 'chain')} of {numbered(run['draws'], 'draw')} (NUTS)"


def study_count(n: int) -> str:
    """Write a number of studies."""
    return numbered(n, "study", "studies")


def lowered(outcome: str) -> str:
    """Name an outcome within a sentence."""
    words = outcome_words(outcome)
    return words[:1].lower() + words[1:]


def abbreviations(shown: set[str], evidence: Evidence) -> str:
    """Spell out the abbreviations among the words that a figure shows."""
    about = evidence.about
    pairs = [
        f"{short}, {about.in_text(name)}"
        for name, short in about.shorts(evidence.diseases).items()
        if short in shown and short != about.words(name)
    ]
    pairs += ["AE, adverse event"] if "AE" in shown else []
    return f"{'; '.join(pairs)}." if pairs else ""


def ends_words(ends: Mapping[str, float]) -> str:
    """Say whose axes of rates end below 100 %; nothing where none does."""
    below = [lowered(outcome) for outcome, end in ends.items() if end < 1]
    return f"The axes of {listed(below)} end below 100 %." if below else ""


def has_borrowed(frame: pd.DataFrame) -> bool:
    """Say whether a frame of rates has one of a disease without a study."""
    return bool((frame["evidence"] == "borrowed").any())


def sentences(*parts: str) -> str:
    """Join what there is to say."""
    return " ".join(part for part in parts if part)
