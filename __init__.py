"""What is known about mesenchymal stem cells in six immune-mediated skin diseases.

One hierarchical Bayesian model, pooled across diseases and checked before it is believed:

>>> import pandas as pd
>>> import mscpool as mp
>>> evidence = mp.load_evidence(outcomes="improvement")
>>> fit = mp.fit(evidence, engine="exact")
>>> checked = mp.check(fit)
>>> checked.verdict
'pass'
>>> figure = mp.plot.forest(fit, checked=checked)
>>> compared = mp.effects(evidence)

The examples of every function go on from these lines. Names load when they are first used, so that
importing the package costs nothing.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis.effects.effects import effects as effects
    from .analysis.effects.results import absolute_effects as absolute_effects
    from .analysis.effects.results import contrasts as contrasts
    from .analysis.effects.results import load_effects as load_effects
    from .analysis.effects.results import own_shares as own_shares
    from .analysis.effects.results import study_effects as study_effects
    from .analysis.effects.results import unanchored_effects as unanchored_effects
    from .analysis.explore.server import explore as explore
    from .analysis.fitting.fit import fit as fit
    from .analysis.fitting.fit import hyper as hyper
    from .analysis.fitting.fit import load_fit as load_fit
    from .analysis.fitting.fit import rates as rates
    from .analysis.fitting.moderated import heterogeneity as heterogeneity
    from .analysis.fitting.moderated import moderators as moderators
    from .analysis.guard.check import check as check
    from .analysis.paper.plots import plot as plot
    from .analysis.paper.report.figure_set import publish as publish
    from .analysis.paper.report.report import report as report
    from .analysis.sensitivity.borrowing import borrowing as borrowing
    from .analysis.sensitivity.compare import compare_priors as compare_priors
    from .analysis.trial import design as design
    from .data.evidence import load_evidence as load_evidence
    from .models.effects.textbook import build_effects_model as build_effects_model
    from .models.priors.catalogue import named_set as named_set
    from .models.priors.elicit import elicit as elicit
    from .models.priors.files import prior_set as prior_set
    from .models.priors.sets import PriorSet as PriorSet
    from .models.sampled.textbook import build_model as build_model

_ROOM = {
    "load_evidence": "data.evidence",
    "build_model": "models.sampled.textbook",
    "build_effects_model": "models.effects.textbook",
    "PriorSet": "models.priors.sets",
    "named_set": "models.priors.catalogue",
    "prior_set": "models.priors.files",
    "fit": "analysis.fitting.fit",
    "load_fit": "analysis.fitting.fit",
    "rates": "analysis.fitting.fit",
    "hyper": "analysis.fitting.fit",
    "moderators": "analysis.fitting.moderated",
    "heterogeneity": "analysis.fitting.moderated",
    "check": "analysis.guard.check",
    "effects": "analysis.effects.effects",
    "contrasts": "analysis.effects.results",
    "study_effects": "analysis.effects.results",
    "absolute_effects": "analysis.effects.results",
    "own_shares": "analysis.effects.results",
    "unanchored_effects": "analysis.effects.results",
    "load_effects": "analysis.effects.results",
    "explore": "analysis.explore.server",
    "compare_priors": "analysis.sensitivity.compare",
    "borrowing": "analysis.sensitivity.borrowing",
    "elicit": "models.priors.elicit",
    "design": "analysis.trial",
    "plot": "analysis.paper.plots",
    "publish": "analysis.paper.report.figure_set",
    "report": "analysis.paper.report.report",
}

__all__ = sorted(_ROOM)  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    """Import a public name from the room where it lives, on first use."""
    if name == "__version__":
        value: Any = metadata.version("mscpool")
    elif name in _ROOM:
        room = import_module(f".{_ROOM[name]}", __name__)
        value = getattr(room, name, None) or import_module(f"{room.__name__}.{name}")
    else:
        raise AttributeError(f"module 'mscpool' has no attribute '{name}'")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List what is meant for users, loaded or not."""
    return [*__all__, "__version__"]
