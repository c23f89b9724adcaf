"""What the guard may say, and how several verdicts become one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

#: The last three are no judgement: the guard did not look, or shows and does not judge.
Verdict = Literal["pass", "warn", "fail", "unchecked", "not independent", "not judged", "no rows"]


def worst(verdicts: Iterable[str]) -> Verdict:
    """Give the worst of several verdicts; what was not judged counts as passed."""
    given = set(verdicts)
    return "fail" if "fail" in given else "warn" if "warn" in given else "pass"
