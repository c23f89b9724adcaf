"""Results of data sets, kept one by one: a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...data.names import numbered
from ..workers.workers import NONE, VERSIONED, results, time_left

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: A line on how far a run is comes after so many data sets.
_TOLD = 10


def follows_from(settings: Mapping[str, Any], evidence: str) -> dict[str, Any]:
    """Give what results follow from beside their tasks: settings, versions and evidence's hash."""
    versions = {name: metadata.version(name) for name in VERSIONED}
    return {"settings": dict(settings), "versions": versions, "evidence": evidence}


@dataclass(frozen=True)
class Kept[Task: DataclassInstance]:
    """A file of results, one line a task.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    kind : type
        The dataclass of a task.
    made_with : mapping
        As `follows_from` gives; results of anything else are no results of this run.
    complete : callable
        Whether a result is all that a run would give.
    """

    path: Path
    kind: type[Task]
    made_with: Mapping[str, Any]
    complete: Callable[[Any], bool]

    def read(self) -> dict[Task, Any]:
        """Read the results, without lines that were cut short or are no record of these."""
        found: dict[Task, Any] = {}
        if not self.path.is_file():
            return found
        for line in self.path.read_text("utf-8").splitlines():
            try:
                record = json.loads(line)
                result, task = record["result"], self.kind(**record["task"])
                made_with = {name: record[name] for name in self.made_with}
            except (ValueError, KeyError, TypeError):
                continue
            if made_with == self.made_with and self.complete(result):
                found[task] = result
        return found

    def add(self, task: Task, result: Any) -> None:
        """Write a result behind the others, on a line of its own."""
        record = {**self.made_with, "task": asdict(task), "result": result}
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" * _cut_short(self.path) + json.dumps(record) + "\n")

    def completed(
        self,
        function: Callable[[Task], Any],
        tasks: Sequence[Task],
        scheduler: str = NONE,
        workers: int | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> dict[Task, Any]:
        """Run a function on every task whose result is not kept yet, and keep it.

        Parameters
        ----------
        function, tasks, scheduler, workers
            As in `workers.results`: where tasks run changes no number.
        say : callable
            Told in a line how far the run is.

        Returns
        -------
        dict
            The result of every task, in their order.

        Raises
        ------
        SchedulerError
            As `workers.results`; what was done before is kept.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        found, start = self.read(), time.monotonic()
        missing = [task for task in tasks if task not in found]
        coming = results(function, missing, scheduler, workers, say)
        for done, (task, result) in enumerate(coming, start=1):
            self.add(task, result)
            found[task] = result
            if done % _TOLD == 0 or done == len(missing):
                left = time_left(done, len(missing), time.monotonic() - start)
                say(f"{done:,} of {numbered(len(missing), 'data set')} judged, {left}")
        return {task: found[task] for task in tasks}


def _cut_short(path: Path) -> bool:
    """Whether a killed run left the file without the end of its last line."""
    with path.open("rb") as file:
        file.seek(0, 2)
        if not file.tell():
            return False
        file.seek(-1, 2)
        return file.read() != b"\n"
