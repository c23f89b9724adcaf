"""What is known about mesenchymal stem cells in six immune-mediated skin diseases.

One hierarchical Bayesian model, pooled across diseases and checked before it is believed:

>>> import mscpool as mp
>>> evidence = mp.load_evidence()
>>> fit = mp.fit(evidence)
>>> mp.check(fit)
>>> mp.rates(fit)
>>> mp.design.single_arm(null=0.3, design_prior="beta(8,4)")

Names load when they are first used, so that importing the package costs nothing.
"""

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .analysis import design as design
    from .analysis import monitoring as monitoring
    from .analysis.check import check as check
    from .analysis.fit import fit as fit
    from .analysis.fit import hyper as hyper
    from .analysis.fit import load_fit as load_fit
    from .analysis.fit import rates as rates
    from .analysis.robustness.borrowing import borrowing as borrowing
    from .analysis.sensitivity import compare_priors as compare_priors
    from .data.evidence import load_evidence as load_evidence
    from .models.elicit import elicit as elicit
    from .models.hierarchy import build_model as build_model
    from .models.priors import PriorSet as PriorSet
    from .models.priors import named_set as named_set

_ROOM = {
    "load_evidence": "data.evidence",
    "build_model": "models.hierarchy",
    "PriorSet": "models.priors",
    "named_set": "models.priors",
    "fit": "analysis.fit",
    "load_fit": "analysis.fit",
    "rates": "analysis.fit",
    "hyper": "analysis.fit",
    "check": "analysis.check",
    "compare_priors": "analysis.sensitivity",
    "borrowing": "analysis.robustness.borrowing",
    "elicit": "models.elicit",
    "design": "analysis",
    "monitoring": "analysis",
}


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
    """List the public names, loaded or not."""
    return sorted({*globals(), *_ROOM, "__version__"})
