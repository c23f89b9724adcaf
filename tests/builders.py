"""What tests of several rooms are made of: counts, terms, tables that were read, quadrature."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from mscpool.data.evidence import Evidence, load_evidence
from mscpool.models.terms import Terms, build_terms

COLUMNS = ["study", "disease", "arm", "outcome", "events_min", "events_max", "n", "months"]
#: Nested pairs and rows alone, each known and bounded; a child by itself; dose arms; deaths.
NESTED = [
    ("s", "d", "low", "improvement", 8, 8, 12, 6),
    ("s", "d", "high", "improvement", 5, 7, 9, 6),
    ("s", "d", "low", "remission", 3, 3, 12, 6),
    ("s", "d", "high", "remission", 0, 4, 9, 6),
    ("t", "e", "msc", "remission", 2, 3, 11, 6),
    ("v", "e", "msc", "improvement", 6, 6, 20, 6),
    ("v", "e", "msc", "remission", 4, 4, 19, 6),
    ("s", "d", "msc", "death", 1, 1, 21, 60),
    ("t", "e", "msc", "death", 0, 1, 11, 3),
]

#: Tolerance where two sums of the same terms differ in their order only: some thousand times the
#: relative error of a double, 1e-16, for as many terms.
ROUNDING = 1e-12


def rows_of(rows: Iterable[tuple]) -> pd.DataFrame:
    """Rows of an evidence."""
    return pd.DataFrame(rows, columns=COLUMNS)


def terms_of(rows: Iterable[tuple] = NESTED, diseases: tuple[str, ...] = ("d", "e")) -> Terms:
    """Terms of rows, outcomes in the order in which they come."""
    frame = rows_of(rows)
    return build_terms(frame, tuple(dict.fromkeys(frame["outcome"])), diseases)


def evidence_of(folder: Path, table: str, **selection) -> Evidence:
    """Write a table into a folder and read it."""
    path = folder / "table.csv"
    path.write_text(table, "utf-8")
    return load_evidence(path, **selection)


@cache
def gauss(points: int) -> tuple[np.ndarray, np.ndarray]:
    """Places from 0 to 1, and their weights in an average over them (Gauss and Legendre)."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return (nodes + 1) / 2, weights / 2
