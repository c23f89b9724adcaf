"""Every figure of the set from Python: the frames and the drawing of `mscpool figures`.

Each function returns a matplotlib Figure, to be shown in a notebook or written by its ``savefig``.
A figure of a fit says that the guard has not seen it unless ``checked``, what `check` found, is
given. ``preset`` is the page: ``"single"`` or ``"double"`` column of a journal, or ``"slide"``;
``"slide-dark"`` and so on for dark paper. Where a fit is not of the shipped data, ``evidence``
names what it is of; left out, the fit's own rows are drawn, studies under the names that the fit
knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...sensitivity.borrowing import Borrowing
from ...sensitivity.result import PriorComparison
from ...trial.result import DesignResult
from ..words import (
    captions,
    captions_cumulative,
    captions_effect_moderators,
    captions_effects,
    captions_guard,
    captions_later,
    captions_means,
    captions_moderators,
    captions_next,
    captions_sensitivity,
)
from .described import described
from .families import (
    Data,
    Found,
    Stored,
    from_check,
    from_comparison,
    from_effects,
    from_effects_by_outcome,
    from_evidence,
    from_fit,
    from_fit_by_outcome,
)
from .given import figure, of_comparison, of_effects, of_fit, of_kind, of_poolings

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from xarray import DataTree

__all__ = [
    "benefit_harm",
    "borrowing",
    "bubbles",
    "calibration",
    "characteristics",
    "checks",
    "cumulative",
    "effects_by_year",
    "effect_bubbles",
    "effect_moderators",
    "effect_rates",
    "effects_forest",
    "evidence_map",
    "flip_map",
    "forest",
    "joint",
    "labbe",
    "later",
    "means",
    "moderated_effects",
    "moderated_rates",
    "moderators",
    "next_patients",
    "pooling",
    "power_scaling",
    "predictive",
    "prior_comparison",
    "prior_posterior",
    "rates",
    "safety",
]

_UNMODERATED = "A fit without moderators."
_UNMODERATED_EFFECTS = "Effects without moderators."

evidence_map = from_evidence(
    captions.EVIDENCE_MAP,
    "Draw how many patients and studies stand behind each disease and outcome.",
)
characteristics = from_evidence(
    captions.CHARACTERISTICS, "Draw each study's patients, follow-up and outcomes."
)
forest = from_fit_by_outcome(
    captions.FOREST,
    "Draw the studies, rates and predictions of one outcome.",
    "An outcome that the fit does not have.",
)
rates = from_fit(captions.RATES, "Draw the rates of every outcome by disease.")
joint = from_fit_by_outcome(
    captions.JOINT,
    "Draw an outcome together with the one nested in it, either of which may be named.",
    "A fit without nested outcomes, or without this one.",
)
safety = from_fit(
    captions.SAFETY, "Draw the harms by disease, with events and patients.", "A fit without harms."
)
benefit_harm = from_fit(
    captions.BENEFIT_HARM,
    "Draw how often patients benefit against how often they are harmed, by disease.",
    "A fit without an outcome of both kinds.",
)
moderators = from_fit(
    captions_moderators.COEFFICIENTS, "Draw the coefficients of the moderators.", _UNMODERATED
)
moderated_rates = from_fit_by_outcome(
    captions_moderators.RATES_AT,
    "Draw the rates of an outcome at values of the moderators.",
    _UNMODERATED,
)
later = from_fit(
    captions_later.LATER,
    "Draw what studies published since found, beside what the fit predicts of them.",
    "No later study in the data.",
)
cumulative = from_fit(
    captions_cumulative.CUMULATIVE,
    "Draw what was known of each rate in each year.",
    "Data without years of publication.",
)
effects_by_year = from_fit(
    captions_cumulative.CUMULATIVE_EFFECTS,
    "Draw what was known of each effect in each year.",
    "Data without years of publication, or without a controlled study.",
)
prior_posterior = from_fit(
    captions_sensitivity.PRIOR_POSTERIOR,
    "Draw the prior and posterior densities of the parameters.",
)
predictive = from_fit(
    captions_guard.PREDICTIVE,
    "Draw each study's count within what is predicted for a new study of its size.",
)
checks = from_check(
    captions_guard.CHECKS,
    "Draw the guard's predictive checks, with the limits of warning and failure.",
)
calibration = from_check(
    captions_guard.CALIBRATION,
    "Draw where each study left out falls in what the others predict of it.",
)
prior_comparison = from_comparison(
    captions_sensitivity.PRIOR_COMPARISON, "Draw the rates under each prior set."
)
power_scaling = from_comparison(
    captions_sensitivity.POWER_SCALING,
    "Draw how far each parameter moves as prior or likelihood get more weight.",
)
effects_forest = from_effects_by_outcome(
    captions_effects.EFFECTS_FOREST,
    "Draw the effect of treatment against control in each study and disease.",
    "An outcome that the effects do not have.",
)
labbe = from_effects(
    captions_effects.LABBE,
    "Draw the share of treated patients with an outcome against that of controls.",
)
effect_rates = from_effects(
    captions_effects.EFFECT_RATES, "Draw what effects mean for patients at every control rate."
)
effect_moderators = from_effects(
    captions_effect_moderators.COEFFICIENTS,
    "Draw the coefficients of the moderators of effects.",
    _UNMODERATED_EFFECTS,
)
moderated_effects = from_effects_by_outcome(
    captions_effect_moderators.AT_VALUES,
    "Draw the effects on an outcome at values of the moderators.",
    _UNMODERATED_EFFECTS,
)


@described(captions_means.MEANS, "No study of the fit reports means.")
def means(fit: Stored, *, evidence: Data = None, preset: str = "double") -> Figure:
    """Draw the mean improvement of each arm that reports means, and what it bounds."""
    return figure(captions_means.MEANS, of_fit(fit, evidence, None), preset)


@described(captions.POOLING, "Fewer than two fits, two of one pooling, or fits of other data.")
def pooling(
    fits: Mapping[str, DataTree] | Sequence[DataTree], *,
    evidence: Data = None, checked: Found = None, preset: str = "double",
) -> Figure:  # fmt: skip
    """Draw the rates under several poolings side by side."""
    return figure(captions.POOLING, of_poolings(fits, evidence, checked), preset)


@described(captions_moderators.BUBBLES, "A fit without a moderator that is a number.")
def bubbles(
    fit: Stored, outcome: str | None = None, moderator: str | None = None, *,
    evidence: Data = None, checked: Found = None, preset: str = "double",
) -> Figure:  # fmt: skip
    """Draw the studies' rates against a number, and the line through them."""
    results = of_fit(fit, evidence, checked)
    wanted = {"outcome": outcome, "moderator": moderator}
    return figure(captions_moderators.BUBBLES, results, preset, **wanted)


@described(captions_effect_moderators.BUBBLES, "Effects without a moderator that is a number.")
def effect_bubbles(
    effects: Stored, outcome: str | None = None, moderator: str | None = None, *,
    evidence: Data = None, preset: str = "double",
) -> Figure:  # fmt: skip
    """Draw the studies' effects against a number, and the line through them."""
    wanted = {"outcome": outcome, "moderator": moderator}
    results = of_effects(effects, evidence)
    return figure(captions_effect_moderators.BUBBLES, results, preset, **wanted)


@described(
    captions_sensitivity.FLIP_MAP,
    "A comparison of other data, or one that was asked without a threshold.",
)
def flip_map(
    fit: Stored, comparison: PriorComparison, outcome: str | None = None, *,
    evidence: Data = None, checked: Found = None, preset: str = "double",
) -> Figure:  # fmt: skip
    """Draw under which priors the conclusion on an outcome flips."""
    results = of_comparison(fit, comparison, evidence, checked)
    return figure(captions_sensitivity.FLIP_MAP, results, preset, outcome=outcome)


@described(captions_sensitivity.BORROWING)
def borrowing(
    fit: Stored, borrowed: Borrowing, *,
    evidence: Data = None, checked: Found = None, preset: str = "double",
) -> Figure:  # fmt: skip
    """Draw how far each disease's rate moves as another disease is left out."""
    given = of_kind(borrowed, Borrowing, "borrowed")
    results = of_fit(fit, evidence, checked, borrowed=given)
    return figure(captions_sensitivity.BORROWING, results, preset)


@described(captions_next.NEXT_PATIENTS)
def next_patients(
    fit: Stored, asked: DesignResult, *,
    evidence: Data = None, checked: Found = None, preset: str = "double",
) -> Figure:  # fmt: skip
    """Draw what the next patients would teach, against their number."""
    given = of_kind(asked, DesignResult, "asked")
    results = of_fit(fit, evidence, checked, next_patients=given)
    return figure(captions_next.NEXT_PATIENTS, results, preset)


def __dir__() -> list[str]:
    """List the figures, and nothing else."""
    return __all__
