"""Whether the data tell of the spread between diseases and studies at all."""

from __future__ import annotations

from ...models.pooling import has_tau, structure
from ...models.terms import Terms
from .result import Check, Subject


def note(subject: Subject) -> list[Check]:
    """Warn where the rates, or tau or sigma, are nothing but their priors."""
    priors_only = unidentified(subject.terms, subject.pooling)
    priors_only |= uninformed(subject.terms)
    return [
        Check("identified", "warn", outcome, reason=sentence)
        for outcome, sentence in priors_only.items()
    ]


def uninformed(terms: Terms) -> dict[str, str]:
    """Say of which outcomes no row rules anything out: every count may be 0 to n."""
    rows = terms.rows.assign(
        empty=(terms.rows["events_min"] == 0) & (terms.rows["events_max"] == terms.rows["n"])
    )
    sentence = "No count is known at all, each may be 0 to n: the rates are their priors."
    empty = rows.groupby("outcome", sort=False)["empty"].all()
    return {str(name): sentence for name in empty.index[empty]}


def unidentified(terms: Terms, pooling: str) -> dict[str, str]:
    """Say of which outcomes the spread between diseases or studies is nothing but its prior.

    Parameters
    ----------
    terms : Terms
        The likelihood.
    pooling : str
        How diseases inform each other.

    Returns
    -------
    dict of str to str
        A sentence for each outcome that it holds of.
    """
    sentences = {}
    kind = structure(pooling, terms.diseases)
    for name, rows in terms.rows.groupby("outcome", sort=False):
        studies = rows["study"].nunique()
        most = rows.groupby("disease")["study"].nunique().max()
        if has_tau(pooling, terms.diseases) and studies == 1:
            sentences[str(name)] = "There is one study: tau and sigma are their priors."
        elif has_tau(pooling, terms.diseases) and most == 1:
            sentences[str(name)] = (
                "Every disease has one study only: the data tell of tau and sigma together, and "
                "which of them it is comes from their priors."
            )
        elif studies == 1 or (kind == "none" and most == 1):
            sentences[str(name)] = "No disease has a second study: sigma is its prior."
    return sentences
