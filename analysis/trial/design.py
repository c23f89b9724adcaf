"""How large must the next trial be, and when does it stop: the designs that answer it."""

from .designed import Design
from .ess import ess as _ess
from .monitoring import monitor as _monitor
from .next_trial import next_trial as _next
from .of_fit import asked_of_fit
from .precision import precision as _precision
from .requests import Ess, Monitor, Next, Precision, Safety, SingleArm, TwoArm, TwoStage
from .result import DesignResult
from .safety import safety as _safety
from .single_arm import single_arm as _single_arm
from .two_arm import two_arm as _two_arm
from .two_stage import two_stage as _two_stage

ess = asked_of_fit(Ess, _ess)
monitor = asked_of_fit(Monitor, _monitor)
next = asked_of_fit(Next, _next)
precision = asked_of_fit(Precision, _precision)
safety = asked_of_fit(Safety, _safety)
single_arm = asked_of_fit(SingleArm, _single_arm)
two_arm = asked_of_fit(TwoArm, _two_arm)
two_stage = asked_of_fit(TwoStage, _two_stage)

__all__ = [
    "Design",
    "DesignResult",
    "ess",
    "monitor",
    "next",
    "precision",
    "safety",
    "single_arm",
    "two_arm",
    "two_stage",
]


def __dir__() -> list[str]:
    """List what is meant for users, and nothing else."""
    return __all__
