"""Every figure of the set from Python: the frames and the drawing of `mscpool figures`.

Each function returns a matplotlib Figure, to be shown in a notebook or written by its ``savefig``.
A figure of a fit says that the guard has not seen it unless ``checked``, what `check` found, is
given. ``preset`` is the page: ``"single"`` or ``"double"`` column of a journal, or ``"slide"``.
Where a fit is not of the shipped data, ``evidence`` names what it is of; left out, the fit's own
rows are drawn, studies under the names that the fit knows.
"""

from .effects import (
    effect_bubbles,
    effect_moderators,
    effect_rates,
    effects_forest,
    labbe,
    moderated_effects,
)
from .evidence import characteristics, evidence_map, means
from .growth import cumulative, effects_by_year, later
from .guard import calibration, checks, predictive, prior_posterior
from .moderators import bubbles, moderated_rates, moderators
from .rates import benefit_harm, forest, joint, pooling, rates, safety
from .sensitivity import borrowing, flip_map, next_patients, power_scaling, prior_comparison

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


def __dir__() -> list[str]:
    """List the figures, and nothing else."""
    return __all__
