"""Power-scaling: how far each result moves when prior or likelihood counts a little more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..data.names import GREEK, outcome_short, outcome_words
from .page import Page, key, key_height, row_pitch
from .style import ALARM, FAINT, INK, QUIET, Style, drawing, fitted, label_room

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_THRESHOLD = 0.05
_ALARMS = ("prior dominates", "prior matters")
#: A verdict in a word or two: that prior and data both move a result is no alarm.
VERDICTS = {"ok": "data speak", "conflict": "compromise"}


def draw_power_scaling(frame: pd.DataFrame, style: Style) -> Figure:
    """Draw the sensitivity of every parameter to the prior and to the likelihood.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row an `outcome` and `parameter`: `prior`, `prior_mcse`, `likelihood`,
        `likelihood_mcse` (sensitivity per doubling of the weight), `verdict`.
    style : Style
        Page, type and colours.

    Returns
    -------
    matplotlib.figure.Figure
        A row a parameter: a full mark for the prior, a hollow one for the likelihood, with lines of
        two Monte-Carlo errors; red where the prior shapes the result.
    """
    with drawing(style):
        return _draw(frame, style)


def _draw(frame: pd.DataFrame, style: Style) -> Figure:
    width, small = style.preset.points, style.small
    outcomes = list(dict.fromkeys(frame["outcome"]))
    labels = label_room([outcome_words(o) for o in outcomes], 0.32 * width, small) + style.scaled(6)
    letters = style.scaled(36)
    entries = _key_entries(style)
    foot = style.scaled(29) + key_height(style, width, [text for _, text in entries])
    pitch = row_pitch(style, len(frame) + 0.4 * len(outcomes), foot)
    body = pitch * (len(frame) + 0.4 * len(outcomes))
    verdicts = [VERDICTS.get(v, str(v)) for v in frame["verdict"]]
    right = label_room(verdicts, 0.24 * width, small) + style.scaled(6)
    page = Page(style, style.scaled(3) + body + foot)
    axes = page.axes(labels + letters, style.scaled(3), width - labels - letters - right, body)
    ends = [frame[name] + 2 * frame[f"{name}_mcse"].fillna(0) for name in ("prior", "likelihood")]
    most = max(float(end.max()) for end in ends)
    axes.set(xlim=(0, max(1.05 * most, 0.1)), ylim=(body, 0))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x", color=FAINT, linewidth=0.7 * style.line)
    axes.axvline(_THRESHOLD, color=QUIET, linestyle=":", linewidth=1.3 * style.line)
    axes.set_xlabel("Sensitivity per doubling of the weight")
    axes.locator_params(axis="x", nbins=5)
    y, last = 0.0, None
    for row in frame.to_dict("records"):
        if row["outcome"] != last:
            y += 0.4 * pitch
            names = (outcome_words(row["outcome"]), outcome_short(row["outcome"]))
            text = fitted(names, labels - style.scaled(6), small, lines=1)[0]
            page.text(1, style.scaled(3) + y + pitch / 2, text, size=small)
            last = row["outcome"]
        middle = y + pitch / 2
        letter = _letter(str(row["parameter"]))
        letter = fitted((letter,), letters - 2, small, lines=1)[0]
        page.text(labels, style.scaled(3) + middle, letter, size=small)
        colour = ALARM if row["verdict"] in _ALARMS else INK
        for name, filled in (("likelihood", False), ("prior", True)):
            _mark(axes, row[name], row.get(f"{name}_mcse", 0.0), middle, colour, filled, style)
        verdict = VERDICTS.get(row["verdict"], row["verdict"])
        said = fitted((verdict,), right - style.scaled(4), small, lines=1)[0]
        at = width - right + style.scaled(4)
        page.text(at, style.scaled(3) + middle, said, size=small, color=colour)
        y += pitch
    key(page, style.scaled(1), style.scaled(3) + body + style.scaled(28), width - 2, entries)
    return page.figure


def _letter(parameter: str) -> str:
    """Write a parameter in Greek; of a coefficient with what it belongs to."""
    name, bracket, rest = parameter.partition("[")
    return f"{GREEK.get(name, name)} {rest.rstrip(']')}" if bracket else GREEK.get(name, name)


def _mark(axes, value, error, y, colour, filled: bool, style: Style) -> None:
    ends = [max(value - 2 * error, 0.0), value + 2 * error]
    axes.plot(ends, [y, y], color=colour, linewidth=style.line, zorder=2)
    face = colour if filled else "white"
    axes.plot(
        [value], [y], "o", color=colour, markerfacecolor=face, markersize=style.scaled(3.8),
        zorder=3, clip_on=False, gid="prior" if filled else "likelihood",
    )  # fmt: skip


def _key_entries(style: Style) -> list[tuple]:
    def sign(filled):
        def draw(axes, x, y, unit):
            _mark(axes, x, unit / 4, y, INK, filled, style)

        return draw

    def limit(axes, x, y, unit):
        ends = [y - unit / 4, y + unit / 4]
        axes.plot([x, x], ends, color=QUIET, linestyle=":", linewidth=1.3 * style.line)

    return [
        (sign(True), "Prior (± 2 Monte-Carlo errors)"),
        (sign(False), "Likelihood"),
        (limit, f"{_THRESHOLD:g}: hardly moved below"),
    ]
