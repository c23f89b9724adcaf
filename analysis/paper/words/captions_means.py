"""The figure of means as evidence: what it shows, and its words from what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....data.names import numbered
from ....figures.means import draw_means
from ..frames.means import improvement_data
from .closing import sentences
from .exhibit import FigureKind, Words

if TYPE_CHECKING:
    import pandas as pd

    from ..frames.results import Results


def means(frame: pd.DataFrame, results: Results) -> Words:
    """Word the improvement of scores beside their threshold."""
    in_use = results.evidence.selection.means
    caption = sentences(
        "Mean improvement of scores in studies that report no count: marks with one standard "
        "deviation of the improvement on either side, which depends on how the scores before and "
        "after treatment are correlated (0.9 thick, 0.3 thin; a reported change has one). The band "
        "is the smallest improvement that counts; beside it stand the bounds of the patients who "
        "reached it if improvement is about normal.",
        "A change from before to after treatment is no effect: control arms improve as well.",
        "These bounds are part of the fit." if in_use else "These bounds are not part of the fit.",
    )
    told = [
        f"{row['label']}, {row['arm']}: {row['measure']} improved by {row['mean']:z.1f} "
        f"({row['unit']}), {row['events_min']} to {row['events_max']} of "
        f"{numbered(row['n'], 'patient')}"
        for row in frame.to_dict("records")
    ]
    return Words("Means as evidence", caption, f"A row for each arm. {'; '.join(told)}.")


MEANS = FigureKind(
    "means", "means", lambda results: [("", improvement_data(results))], draw_means, means
)
