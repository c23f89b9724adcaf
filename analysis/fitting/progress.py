"""What a long computation says of how far it is: whoever asks for it hands in the listener."""

from __future__ import annotations

from collections.abc import Callable

#: Takes the stage, what is done and what is to be done (0 where it is not counted).
Progress = Callable[[str, int, int], None]


def silent(stage: str, done: int, total: int) -> None:
    """Listen and say nothing."""


def named(progress: Progress, what: str) -> Progress:
    """Say of each stage what it is a part of."""
    return lambda stage, done, total: progress(f"{stage} ({what})", done, total)
