"""The figure of what the next patients would teach: what it shows, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....data.names import numbered
from ....figures.design_gain import draw_design_gain
from ..frames.next_patients import gain_lines
from .closing import model_words, sentences, verdict_words
from .exhibit import FigureKind, Words

if TYPE_CHECKING:
    import pandas as pd

    from ..frames.results import Results


def next_patients(frame: pd.DataFrame, results: Results) -> Words:
    """Word the expected fall of variances against patients."""
    caption = sentences(
        "Expected fall of the posterior variance of a disease's rate (squared percentage points) "
        "by one further trial there, against its patients: exact, by enumeration of the trial's "
        "counts. A line ends below the variance now, as one study does not tell a disease's rate "
        "from its own.",
        model_words(results, integrated=True),
        verdict_words(results, list(dict.fromkeys(frame["outcome"]))),
    )
    last = frame.groupby(["panel", "series"], sort=False).last().reset_index()
    told = [
        f"{row['panel']}, {row['series']}: {row['value']:.3g} with {numbered(row['x'], 'patient')}"
        for row in last.to_dict("records")
    ]
    return Words("What the next patients would teach", caption, f"{'; '.join(told)}.")


NEXT_PATIENTS = FigureKind(
    "next_patients", "next", lambda results: [("", gain_lines(results))], draw_design_gain,
    next_patients,
)  # fmt: skip
