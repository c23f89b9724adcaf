"""What a prior on a rate is worth: its density, and the patients that it counts for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .design_lines import Axis, Guide, Panel, draw_lines
from .style import Style, drawing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DENSITY = "density"
#: Beyond this many patients apart, definitions are said to disagree.
_APART = 1.0


def draw_design_ess(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw a prior's density with its mean, interval and effective sample size.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns `panel` (density, rate, patients), `x` (rate), `value`, `series`. Rows of `rate`
        are the mean and the ends of the interval, those of `patients` the effective sample size by
        each definition, missing where it does not exist.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
    """
    density = frame[frame["panel"] == DENSITY]
    rates = frame[frame["panel"] == "rate"]
    guides = tuple(
        Guide(rate, f"{words} {100 * rate:.1f} %", True)
        for words, rate in zip(rates["series"], rates["x"].tolist(), strict=True)
    )
    axes = Axis("Rate (%)", percent=True, upper=1.0), Axis("Density")
    notes = _worth(frame[frame["panel"] == "patients"])
    with drawing(style):
        return draw_lines(style, Panel(density, *axes, guides, filled=True, notes=notes))


def _worth(rows: pd.DataFrame) -> tuple[str, ...]:
    """Say what the prior is worth, by each definition."""
    known = rows.dropna(subset=["value"])
    values = known["value"].tolist()
    told = [f"{words}: {n:.1f} patients" for words, n in zip(known["series"], values, strict=True)]
    told += [f"{words}: none" for words in rows.loc[rows["value"].isna(), "series"]]
    if values and max(values) - min(values) > _APART:
        told.append("the definitions disagree")
    return tuple(told)
