"""How long each stage of a command took the last time it was typed here."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ...data.cache import cache_folder
from ...data.export import write_whole

#: Commands remembered; the longest unused goes first.
_REMEMBERED = 100
#: Seconds below which a stage is not worth a word.
_SHORT = 1.0


@dataclass
class Stopwatch:
    """Times the stages of a run.

    Attributes
    ----------
    last : mapping of str to float
        Seconds that each stage took the last time.
    spent : dict of str to float
        Seconds that each has taken now.
    """

    last: Mapping[str, float]
    spent: dict[str, float] = field(default_factory=dict)
    _stage: str = ""
    _since: float = 0.0

    def enter(self, stage: str) -> str:
        """Note what runs, a detail after a comma apart; give its words, with its last time."""
        name = stage.split(",")[0]
        if name != self._stage:
            self.stop()
            self._stage, self._since = name, time.monotonic()
        last = self.last.get(name, 0.0)
        return f"{stage} ({last:.0f} s last time)" if last >= _SHORT else stage

    def stop(self) -> None:
        """Note that the stage has ended."""
        if self._stage:
            taken = time.monotonic() - self._since
            self.spent[self._stage] = self.spent.get(self._stage, 0.0) + taken
        self._stage = ""


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    """Time the stages of what was typed; kept where it comes to its end.

    Yields
    ------
    Stopwatch
        With the times of the same words typed in the same folder before, if there were any. A file
        that cannot be read or written is as good as none.
    """
    typed = json.dumps([str(Path.cwd()), *sys.argv[1:]])
    key, path = hashlib.sha256(typed.encode()).hexdigest(), cache_folder() / "stages.json"
    watch = Stopwatch(_read(path).get(key, {}))
    yield watch
    watch.stop()
    kept = {name: each for name, each in _read(path).items() if name != key}
    newest = list(kept.items())[1 - _REMEMBERED :]
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(json.dumps(dict(newest) | {key: watch.spent}), path)


def _read(path: Path) -> dict[str, dict[str, float]]:
    try:
        return {
            str(key): {str(stage): float(seconds) for stage, seconds in stages.items()}
            for key, stages in json.loads(path.read_text("utf-8")).items()
        }
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
