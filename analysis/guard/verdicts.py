"""What the guard may find, and how several findings become one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Verdict = Literal["pass", "warn", "fail"]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the worst of several verdicts."""
    found = set(verdicts)
    return "fail" if "fail" in found else "warn" if "warn" in found else "pass"
