"""How often the guard failed data sets of each kind, and where the truth lay in posteriors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ..guard.shares import cells_of, verdict_shares
from . import defects, effects, faults
from .calibrate import MANY, PLACED, SOUND, Task, tasks, verdict
from .uniformity import Places

#: The guard must fail at most this share of sound data sets ...
MOST_FALSE_ALARMS = 0.05
#: ... and notice at least this share of the defects that it is there for.
LEAST_POWER = 0.8
COLUMNS = (
    *("data", "defect", "engine", "pooling", "sets", "fail", "fail_low", "fail_high"),
    *("warn_or_fail", "warn_or_fail_low", "warn_or_fail_high", "coverage"),
)


def error_rates(found: dict[Task, dict[str, Any]]) -> pd.DataFrame:
    """Tell how often the guard failed, or remarked on, data sets of each kind.

    Parameters
    ----------
    found : dict of Task to dict
        As `calibrate` gives.

    Returns
    -------
    pandas.DataFrame
        One row a kind: ``data``, ``defect``, ``engine``, ``pooling``, ``sets``; shares that
        ``fail``, that ``warn_or_fail``, both with Wilson's 95 % interval (``_low``, ``_high``);
        mean ``coverage`` of 95 % intervals of ``new_study``, missing where no truth is known.
    """
    rows = []
    for kind in dict.fromkeys(task.kind for task in tasks(1, 1)):
        results = [result for task, result in found.items() if task.kind == kind]
        if not results or kind[0].startswith(PLACED):
            continue
        verdicts = [verdict(result)[0] for result in results]
        covered = [r["coverage"] for r in results if r["coverage"] is not None]
        row: dict[str, Any] = {
            "data": kind[0],
            "defect": kind[1],
            "engine": "nuts" if kind[0] in SOUND else "exact",
            "pooling": "partial" if kind[0] in effects.SHAPES else defects.DEFECTS[kind[1]][1],
            "sets": len(results),
            **verdict_shares(verdicts),
        }
        rows.append(row | {"coverage": np.mean(covered) if covered else np.nan})
    return pd.DataFrame(rows, columns=COLUMNS)


def places(found: dict[Task, dict[str, Any]]) -> list[Places]:
    """Collect where the truth lay in posteriors of sound engines, of data sets from the priors.

    Parameters
    ----------
    found : dict of Task to dict
        As `calibrate` gives.
    """
    return [each for fault, each in _placed(found) if fault not in faults.FAULTS]


def faulty_places(found: dict[Task, dict[str, Any]]) -> list[tuple[str, Places]]:
    """Collect where the truth lay in posteriors of engines with a fault, with the fault's name."""
    return [(fault, each) for fault, each in _placed(found) if fault in faults.FAULTS]


def _placed(found: dict[Task, dict[str, Any]]) -> Iterator[tuple[str, Places]]:
    by_kind: dict[tuple[str, str], list[dict[str, float]]] = {}
    for task, result in found.items():
        if result["places"] is not None:
            by_kind.setdefault(task.kind, []).append(result["places"])
    for (shape, defect), each in by_kind.items():
        yield defect, Places("nuts" if shape in SOUND else "exact", shape, pd.DataFrame(each))


def table(rates: pd.DataFrame) -> str:
    """Lay the error rates out as a Markdown table."""
    lines = [
        "| data sets | defect | engine | pooling | sets | fail | 95 % interval | warn or fail "
        "| 95 % interval | coverage of `new_study` | wanted |",
        "|---|---|---|---|---:|---:|---|---:|---|---:|---|",
    ]
    for row in rates.to_dict("records"):
        shares = [cells_of(row, name) for name in ("fail", "warn_or_fail")]
        coverage = "" if np.isnan(row["coverage"]) else f"{row['coverage']:.1%}"
        cells = (
            *(row[name] for name in ("data", "defect", "engine", "pooling", "sets")),
            *(*shares, coverage),
        )
        wanted = _wanted(row["data"], row["defect"])
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} | {wanted} |")
    return "\n".join(lines)


def _wanted(shape: str, defect: str) -> str:
    if shape in SOUND or (shape in effects.SHAPES and defect == effects.SOUND):
        return f"at most {MOST_FALSE_ALARMS:.0%}"
    return f"at least {LEAST_POWER:.0%}" if shape == MANY and defect in defects.NEEDED else ""
