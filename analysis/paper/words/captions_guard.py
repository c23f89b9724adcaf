"""The figures of the guard: what each shows, and its words from what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....data.names import numbered
from ....figures.calibration import draw_calibration
from ....figures.checks import draw_checks
from ....figures.page import axis_ends
from ....figures.predictive import HIGHEST, draw_predictive
from ..frames import guard as frames
from .closing import ends_words, lowered, model_words, sentences, verdict_words
from .exhibit import FigureKind, Frames, Words
from .wording import listed

if TYPE_CHECKING:
    import pandas as pd

    from ..frames.results import Results


def predictive(frame: pd.DataFrame, results: Results) -> Words:
    """Word the mixed predictive intervals of the studies."""
    outcomes = list(dict.fromkeys(frame["outcome"]))
    outside = frame[~frame["inside"].astype(bool)]
    named = [f"{r['label']} ({lowered(r['outcome'])})" for r in outside.to_dict("records")]
    lie = "lies" if len(outside) == 1 else "lie"
    sentence = f"{len(outside)} of {numbered(len(frame), 'arm')} {lie} outside the 95 % interval"
    sentence += f": {listed(named)}." if 0 < len(named) <= 12 else "."
    caption = sentences(
        "Posterior predictive check (mixed): each study arm's observed share (mark; a line where "
        "the count is "
        "only known within bounds) and the central 50 % and 95 % intervals predicted for a new "
        "study of the same size in that disease, its study effect drawn anew. Arms are in the "
        "order of the predicted median.",
        ends_words(axis_ends(frame, *HIGHEST)),
        sentence,
        model_words(results),
        verdict_words(results, outcomes),
    )
    alternative = f"Panels, one an outcome, with a bar and a mark for each arm. {sentence}"
    return Words("Posterior predictive check, study by study", caption, alternative)


def checks(frame: pd.DataFrame, results: Results) -> Words:
    """Word the guard's predictive checks."""
    alarms = frame[frame["verdict"] != "pass"]
    named = [
        f"{lowered(r['outcome'])}, {r['check']}{f', {s}' if (s := r['study']) else ''} "
        f"(mid-p {r['mid_p']:.3f}, {r['verdict']})"
        for r in alarms.to_dict("records")
    ]
    sentence = (
        f"Beyond its limits: {'; '.join(named)}." if named else "All are within their limits."
    )
    caption = sentences(
        "Posterior predictive checks of the guard: the probability that a replicated data set, "
        "with study effects drawn anew, shows more than the observed one (mid-p value: small "
        "or large ones speak against the model). Of the study that the others predict worst it is "
        "two-sided, and adjusted for the number of studies: only a small one speaks against the "
        "model. The axis is a normal quantile scale; dotted lines: limits of warning and failure.",
        sentence,
        model_words(results),
        verdict_words(results),
    )
    return Words(
        "Posterior predictive checks of the guard", caption, f"{len(frame)} checks. {sentence}"
    )


def calibration(frame: pd.DataFrame, results: Results) -> Words:
    """Word the studies left out."""
    from scipy.stats import kstwo

    pits = frame["pit"].dropna().sort_values().to_numpy()
    n = len(pits)
    above = max((i + 1) / n - p for i, p in enumerate(pits)) if n else 0.0
    below = max(p - i / n for i, p in enumerate(pits)) if n else 0.0
    band = float(kstwo.ppf(0.95, n)) if n else 1.0
    stays = "stays within" if max(above, below) <= band else "leaves"
    sentence = (
        f"{numbered(n, 'study and outcome', 'studies and outcomes')}; the curve {stays} the band "
        f"(largest difference {max(above, below):.2f}, limit {band:.2f})."
    )
    for verdict, told in (("warn", "warns of"), ("fail", "fails")):
        alarms = frame[frame["verdict"] == verdict].to_dict("records")
        if alarms:
            named = listed([f"{r['label']} ({lowered(r['outcome'])})" for r in alarms])
            sentence += f" The guard {told} {named}."
    caption = sentences(
        "Calibration of studies left out: the randomised probability integral transform (PIT) of "
        "each study given all others, by outcome, and the share of studies up to each value minus "
        "that value, with the band that would hold the whole curve of a calibrated model with "
        "independent studies 95 times in 100.",
        sentence,
        model_words(results),
        verdict_words(results),
    )
    return Words("Calibration of studies left out", caption, sentence)


def _predictions(results: Results) -> Frames:
    if "mixed_predictive" in results.fit.children:
        yield "", frames.predictive_data(results.fit, results.evidence)


def _checks(results: Results) -> Frames:
    if results.checked.ran:
        yield "", frames.checks_data(results.checked, results.evidence)


def _left_out(results: Results) -> Frames:
    if results.checked.ran:
        yield "", frames.calibration_data(results.checked, results.evidence)


PREDICTIVE = FigureKind("predictive", "guard", _predictions, draw_predictive, predictive)
CHECKS = FigureKind("checks", "guard", _checks, draw_checks, checks)
CALIBRATION = FigureKind("calibration", "guard", _left_out, draw_calibration, calibration)
