"""What the statistics section of a protocol must hold, each item filled by a design or open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .protocol_evidence import parts_behind
from .result import DesignResult

SPIRIT = "SPIRIT 2025"
FDA = "FDA 2026 (draft)"
ADAPTIVE = "FDA 2019"
EMA = "EMA 2024"
EMA_BAYES = "EMA 2026 (concept)"
ICH = "ICH E9"

#: Where each item comes from.
SOURCES = {
    SPIRIT: (
        "Chan A-W and others. SPIRIT 2025 statement: updated guideline for protocols of randomised "
        "trials. BMJ 2025;389:e081477. doi:10.1136/bmj-2024-081477"
    ),
    FDA: (
        "US Food and Drug Administration. Use of Bayesian Methodology in Clinical Trials of Drug "
        "and Biological Products. Draft guidance, January 2026. Docket FDA-2025-D-3217"
    ),
    ADAPTIVE: (
        "US Food and Drug Administration. Adaptive Designs for Clinical Trials of Drugs and "
        "Biologics. Guidance, 2019"
    ),
    EMA: (
        "European Medicines Agency. Reflection paper on establishing efficacy based on single-arm "
        "trials submitted as pivotal evidence in a marketing authorisation. 2024. "
        "EMA/CHMP/564424/2021"
    ),
    EMA_BAYES: (
        "European Medicines Agency. Concept paper for the development of a reflection paper on the "
        "use of Bayesian methods in clinical development. 19 January 2026. EMA/CHMP/1813/2026"
    ),
    ICH: (
        "International Council for Harmonisation. E9 Statistical principles for clinical trials, "
        "1998, and its addendum E9(R1) on estimands, 2019"
    ),
}


@dataclass(frozen=True)
class Item:
    """One thing that the section must hold.

    Attributes
    ----------
    source, number : str
        Key of `SOURCES`, and the item's number there, empty where it has none.
    wanted : str
        What is to be said.
    where : str
        The section here that says it; empty where it is open.
    """

    source: str
    number: str
    wanted: str
    where: str = ""

    @property
    def filled(self) -> bool:
        """Whether it is said here."""
        return bool(self.where)


def watched(request: Any) -> bool:
    """Whether the trial is looked at before its end."""
    if request.design == "two-arm":
        return request.look is not None
    return request.design in ("monitor", "safety")


def checklist(result: DesignResult, behind: Any, dropout: float | None) -> tuple[Item, ...]:
    """Go through what the section must hold.

    Parameters
    ----------
    result : DesignResult
        The answer.
    behind : FitPriors, EffectPriors or None
        What priors were taken from.
    dropout : float or None
        Share of patients that will not be evaluable.

    Returns
    -------
    tuple of Item
        Filled only where the design itself says it.
    """
    request, answer = result.request, result.answer
    looks = watched(request) or request.design == "two-stage"
    tested = request.design != "precision" and getattr(request, "null", 0) is not None
    sized = request.design not in ("monitor", "safety")
    priors = any(text is not None for text in result.said.values())
    evidence, discounts = parts_behind(behind), getattr(answer, "discounted", None)
    compared, robust = getattr(answer, "by_set", None), "Robustness to the prior"
    size, rule, operating = "Sample size", "Decision rule", "Operating characteristics"
    based = "Priors and their evidence"

    items = [
        Item(SPIRIT, "10", "objectives; hypotheses", "Hypotheses" if tested else ""),
        Item(SPIRIT, "12", "type of trial, allocation ratio and framework"),
        Item(SPIRIT, "16", "outcomes: variable, metric, aggregation, time point"),
        Item(SPIRIT, "17", "how harms are defined and assessed"),
        Item(SPIRIT, "19", "how the size was determined, assumptions", size if sized else ""),
        Item(SPIRIT, "19", "expected drop-out", "" if dropout is None else size),
        Item(SPIRIT, "27a", "statistical methods for the primary outcome", rule),
        Item(SPIRIT, "27b", "who is included in each analysis"),
        Item(SPIRIT, "27c", "how missing data are handled"),
        Item(SPIRIT, "27d", "additional analyses, sensitivity among them"),
        Item(SPIRIT, "28b", "interim analyses and stopping", operating if looks else ""),
        Item(SPIRIT, "28b", "who sees interim results, and who decides"),
        Item(FDA, "", "success criterion, stated in advance", rule if tested else ""),
        Item(FDA, "", "prior, in full", based if priors else ""),
        Item(FDA, "", "evidence behind the prior", based if evidence else ""),
        Item(FDA, "", "why that evidence is relevant to this trial"),
        Item(FDA, "", "operating characteristics", operating),
        Item(
            FDA, "", "robustness to the prior",
            robust if discounts or compared else "",
        ),
        Item(FDA, "", "software, version and seed", "Software"),
        Item(EMA_BAYES, "", "why Bayesian methods are used"),
        Item(ICH, "5.1", "pre-specified analysis"),
        Item(ICH, "R1", "estimand: population, treatment, variable, intercurrent events, summary"),
    ]  # fmt: skip
    if looks:
        items.append(Item(ADAPTIVE, "", "stopping boundaries at every analysis", operating))
        items.append(Item(ADAPTIVE, "", "error probability over all analyses", operating))
    if request.design != "two-arm":
        items.append(Item(EMA, "", "why a single-arm trial suffices"))
        items.append(Item(EMA, "", "where the rate to beat comes from"))
    return tuple(items)
