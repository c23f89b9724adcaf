"""How large must the next trial be, and when does it stop: the designs that answer it."""

from .ess import ess
from .monitoring import monitor
from .next_trial import next_trial as next
from .precision import precision
from .result import DesignResult
from .safety import safety
from .single_arm import single_arm
from .two_arm import two_arm
from .two_stage import two_stage

__all__ = [
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
